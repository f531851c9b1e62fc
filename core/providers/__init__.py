"""The vendors that make video: contract, registry, connection, and one adapter each."""
