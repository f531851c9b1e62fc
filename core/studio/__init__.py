"""The demo studio: draws, voices and encodes clips on this computer; it imports nothing of core outside itself."""
