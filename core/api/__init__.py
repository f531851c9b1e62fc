"""The REST API: one router a noun, over the same services as the pages."""

from core.api.app import api, mounted

__all__ = ["api", "mounted"]
