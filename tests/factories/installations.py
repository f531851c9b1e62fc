"""The installation that a test has set up, and that it opens anew as a start of the process would."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from core import config, installation
from core.config import Settings
from core.installation import Installation
from core.providers import registry

_reopened = ExitStack()


@contextmanager
def opened() -> Iterator[Installation]:
    """The one that the environment describes; what was opened anew meanwhile is closed with it."""
    with installation.opened(_settings()) as found:
        try:
            yield found
        finally:
            _reopened.pop_all().close()


def reopen() -> Installation:
    """As a start of the process with the environment of this moment; current until the test ends."""
    return _reopened.enter_context(installation.opened(_settings()))


def _settings() -> Settings:
    """What the environment says, and no `.env` that may lie beside the app."""
    return config.load(os.environ, providers=[provider.name for provider in registry.providers()])
