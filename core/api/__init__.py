"""The REST API: one router a noun, over the same services as the pages."""

from core.api.app import api as api
from core.api.app import mounted as mounted
