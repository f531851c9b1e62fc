"""Callers of the API, as its own tests have them."""

from tests.api.conftest import ana, without_keys

__all__ = ["ana", "without_keys"]
