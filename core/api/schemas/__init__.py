"""Shapes of request bodies and responses."""
