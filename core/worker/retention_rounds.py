"""Carries out how long things are kept, a batch after another, beside the other chores; any number of processes may."""

import time
from collections.abc import Callable

from sqlalchemy import select

from core import db
from core.db import WriteSession
from core.db.tables import Generation
from core.generations import folding, forgetting, retention
from core.generations.retention import Rules
from core.installation import Installation

SECONDS = 20.0
"""About so long each kind takes at once; the rest comes the next time."""
PAUSE_SECONDS = 0.02
"""Between two batches, for who waits to write: SQLite has no line in which they would stand."""


def run(installation: Installation) -> None:
    """Tell whose clips will go, put those into the trash whose time has come, fold old steps, forget prompts."""
    settings = installation.settings
    rules = Rules.of(settings)
    if rules.days or _any_leaving():
        _each(lambda session: retention.put_in_trash(session, rules))
        _each(lambda session: retention.announce(session, rules))
    if days := settings.event_days:
        with db.read_session() as reading:  # first, so that with nothing to do no write lock is taken
            is_due = bool(folding.due(reading, days=days, limit=1))
        if is_due:
            _each(lambda session: folding.fold(session, days=days))
    if days := settings.departed_prompt_days:
        with db.read_session() as reading:
            is_due = bool(forgetting.departed(reading, days=days, limit=1))
        if is_due:
            _each(lambda session: forgetting.forget_departed(session, days=days))


def _any_leaving() -> bool:
    """Whether a clip was told to go, though there may be no rule any more."""
    with db.read_session() as session:
        leaving = select(Generation.id).where(Generation.leaves_at.is_not(None), Generation.deleted_at.is_(None))
        return session.scalar(select(leaving.exists())) is True


def _each(batch: Callable[[WriteSession], int], *, seconds: float = SECONDS) -> None:
    """Do batch after batch, each in a transaction of its own, while there are any and for about so many seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with db.write_session() as session:
            number = batch(session)
        if not number:
            return
        time.sleep(PAUSE_SECONDS)
