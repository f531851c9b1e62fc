"""The demo's video vendor: an HTTP service that draws, voices and encodes clips on this computer."""
