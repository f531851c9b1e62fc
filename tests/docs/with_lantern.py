"""A plugin of pytest that offers the worked example as one more provider: `pytest -p tests.docs.with_lantern`."""

from core.providers import registry
from tests.docs.lantern import Lantern

registry.register(Lantern)
