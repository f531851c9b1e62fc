"""One vendor a module; each knows HTTP and nothing of the product."""
