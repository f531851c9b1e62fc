import asyncio
import threading
from typing import Any

import httpx
import pytest
from sqlalchemy import event

from core import db
from core.api import api
from core.api.http.permissions import RoutePermission
from core.db.enums import Scope
from core.identity import api_tokens
from core.installation import Installation
from tests.api.conftest import APP, ORIGIN, PREFIX, arrive
from tests.api.routes import fitting_body, own_path

STREAM = ("GET", "/generations/events")
"""It does not end, so it has tests of its own."""
DOORS: list[RoutePermission] = [door for door in api.state.table.permissions if (door.method, door.path) != STREAM]
PATIENCE_SECONDS = 5.0


class SlowDatabase:
    """A database that hands out a connection only after the event loop has gone round, however long that takes."""

    def __init__(self) -> None:
        self.rounds = 0
        self.asked = 0
        self.stuck: list[str] = []
        self._moved = threading.Condition()
        for engine in (db.default().engine, db.default().read_engine):
            event.listen(engine, "checkout", self._checkout)

    async def keep_turning(self) -> None:
        """The event loop's own heartbeat."""
        while True:
            with self._moved:
                self.rounds += 1
                self._moved.notify_all()
            await asyncio.sleep(0)

    def _checkout(self, *_connection: Any) -> None:
        with self._moved:
            self.asked += 1
            before = self.rounds
            if not self._moved.wait_for(lambda: self.rounds > before + 3, timeout=PATIENCE_SECONDS):
                self.stuck.append(threading.current_thread().name)


@pytest.mark.parametrize("door", DOORS, ids=lambda door: f"{door.method} {door.path}")
def test_loop_goes_on_while_the_database_is_waited_for(installation: Installation, door: RoutePermission) -> None:
    """No route waits for the database on the event loop, where everybody else would wait with it."""
    ana = arrive("ana@example.org")
    path = own_path(ana, door.path) if door.need else door.path
    body: dict[str, Any] = fitting_body(ana, door.method, door.path)
    if door.method == "POST" and not body:
        body = {"json": {"name": "Hills"}}
    if door.path == "/generate":
        body = {"json": ana.order()}
    assert ana.person is not None
    with db.write_session() as session:
        token = api_tokens.create(session, ana.person.user, name="not looked up yet", scope=Scope.ADMIN)
    database = SlowDatabase()

    async def ask() -> httpx.Response:
        turning = asyncio.create_task(database.keep_turning())
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=APP)) as client:
            answer = await client.request(door.method, f"{ORIGIN}{PREFIX}{path}", headers=headers, **body)
        turning.cancel()
        return answer

    answer = asyncio.run(ask())

    assert answer.status_code < 500
    assert database.stuck == []
    assert database.asked > 0 or door.need is None
