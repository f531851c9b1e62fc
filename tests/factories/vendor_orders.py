"""Vendors that a file names, connected to stand-ins, and orders carried along as workers carry them."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from core import db, vendors_file
from core.db.enums import Stage
from core.db.tables import Generation
from core.generations.submit import submit
from core.installation import current
from core.providers import connection, registry
from core.worker import dispatcher, tasks
from core.workspaces.access import Member
from tests.factories import installations
from tests.factories.generations import DISPATCHED, QUOTA_BYTES, advance, build_order, load_generation, make_due
from tests.factories.projects import create_project

PATIENCE_SECONDS = 60
FETCHES = 3
"""How often a download that breaks off is taken up."""


@contextmanager
def named_by(file: Path) -> Iterator[None]:
    """The installation as a start with this file makes it."""
    known = registry.make()
    vendors_file.add(known, file)
    registry.use(known)
    try:
        installations.reopen()
        yield
    finally:
        registry.use(None)


def ordered(person: Member, **changes: object) -> str:
    """An order that a worker is to send; its id."""
    order = build_order(create_project(db.default(), person).id, **changes)
    with db.write_session() as session:
        row = submit(
            session, person, order, configured=connection.configured(current().settings), quota_bytes=QUOTA_BYTES
        )
    advance(db.default(), row.id, DISPATCHED)
    return row.id


def looked_at(generation_id: str) -> Generation:
    """The row after a dispatcher has looked at it once."""

    async def run() -> None:
        stop = asyncio.Event()
        asyncio.get_running_loop().call_later(0.3, stop.set)
        await dispatcher.Dispatcher(current()).run(stop)

    make_due(generation_id)
    asyncio.run(run())
    return load_generation(generation_id)


def looked_at_until(generation_id: str, condition: Callable[[Generation], bool]) -> Generation:
    """The row once it is so."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition(row := looked_at(generation_id)):
        assert time.monotonic() < end, (row.status, row.stage, row.error_detail)
    return row


def carried_through(generation_id: str) -> Generation:
    """The row of an order that was sent, looked at until its clip was there, and collected."""
    tasks.submit(generation_id)
    row = looked_at_until(generation_id, lambda found: found.stage not in (Stage.SUBMITTING, Stage.WAITING))
    for _ in range(FETCHES):
        if row.stage is Stage.READY_TO_DOWNLOAD:
            tasks.ingest(generation_id)
            row = load_generation(generation_id)
    return row
