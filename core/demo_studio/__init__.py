"""The demo's vendor: a small HTTP service on loopback that draws a clip from a prompt; it knows nothing of the product."""
