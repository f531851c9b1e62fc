"""A listener to the stream of events, event by event."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx

from core.api.routers import events
from tests.api.conftest import Client

Event = Mapping[str, Any]


class Stream:
    """What a listener gets, event by event."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self._lines = answer.iter_lines()
        assert next(self._lines) == f"retry: {events.RETRY_MILLISECONDS}"

    def next(self) -> Event:
        """The next event; comments are passed over."""
        fields: dict[str, str] = {}
        for line in self._lines:
            if not line and "event" in fields:
                return {"id": int(fields["id"]), "event": fields["event"], "data": json.loads(fields["data"])}
            name, _, value = line.partition(": ")
            fields[name] = value
        raise EOFError

    def some(self, count: int) -> list[Event]:
        """The next events."""
        return [self.next() for _ in range(count)]


@contextmanager
def listening(server: str, client: Client, *, last_id: int | None = None, by_query: bool = False) -> Iterator[Stream]:
    """Somebody who listens."""
    headers = {"Authorization": f"Bearer {client.token}"}
    if client.workspace_id is not None:
        headers["Workspace-Id"] = client.workspace_id
    if last_id is not None and not by_query:
        headers["Last-Event-ID"] = str(last_id)
    query = {"lastEventId": last_id} if by_query else {}
    with (
        httpx.Client(trust_env=False, timeout=30) as http,
        http.stream("GET", f"{server}/generations/events", headers=headers, params=query) as answer,
    ):
        assert answer.status_code == 200, answer.read()
        yield Stream(answer)
