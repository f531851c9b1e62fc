"""The demo's vendor: an HTTP service on loopback that draws clips from prompts and knows nothing of the product."""
