"""Callers of the API, as its own tests have them."""

from tests.api.conftest import ana

__all__ = ["ana"]
