"""The REST API: one router a noun, over the same services as the pages."""

from core.api.application import api as api
from core.api.application import mounted as mounted
