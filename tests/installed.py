"""The installation that a test has set up: opened anew, and its database seen past every service."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from sqlalchemy import update

from core import config, db, installation
from core.audit import runs
from core.clock import utc_now
from core.config import Settings
from core.db.tables import Generation
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


def look(generation_id: str) -> Generation:
    """A row as it is now."""
    with db.read_session() as session:
        found = session.get(Generation, generation_id)
        assert found is not None
        return found


def make_due(generation_id: str) -> None:
    """Let a row's time come."""
    with db.write_session() as session:
        session.execute(update(Generation).where(Generation.id == generation_id).values(next_at=utc_now()))


def books_are_right() -> bool:
    """All rules of the audit hold."""
    with db.read_session() as session:
        return all(result.holds for result in runs.run(session))
