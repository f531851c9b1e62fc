"""A small client of our own REST API, for the command line and for agents; it imports nothing of the product.

What a caller may do, and how much they may spend, is decided behind the API, so it holds here by itself.
"""

from core.rest_client.access import Access
from core.rest_client.client import Client

__all__ = ["Access", "Client"]
