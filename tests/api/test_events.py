import asyncio
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
import uvicorn
from sqlalchemy import func, select

from core import db
from core.api import api
from core.api.routers import event_hub, events
from core.clock import utc_now
from core.db.enums import Stage, Status
from core.db.tables import GenerationEvent
from core.generations.timeline import Step
from core.workspaces.access import Member
from tests.api.conftest import APP, PREFIX, Client, refusal
from tests.api.streams import Event, listening
from tests.factories import generations
from tests.system.app import free_port


@pytest.fixture
def server() -> Iterator[str]:
    """The API on loopback, as uvicorn serves it: an in-process transport would wait for the end of a stream."""
    port = free_port()
    running = uvicorn.Server(uvicorn.Config(APP, port=port, log_level="warning", lifespan="off", ws="none"))
    thread = threading.Thread(target=running.run)
    thread.start()
    while not running.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{port}{PREFIX}"
    running.should_exit = True
    thread.join()


def newest() -> int:
    """The highest id of a step."""
    with db.read_session() as session:
        return session.scalar(select(func.max(GenerationEvent.id))) or 0


def stages(found: list[Event]) -> list[str]:
    """The stages that events tell."""
    return [event["data"]["stage"] for event in found]


def test_steps_arrive_as_they_happen(ana: Client, server: str) -> None:
    """A listener hears every step of what is ordered from now on, in order, and of nothing earlier."""
    ana.finished()
    with listening(server, ana) as stream:
        assert stream.answer.headers["content-type"].startswith("text/event-stream")
        assert stream.answer.headers["cache-control"] == "no-store"
        row = ana.finished()
        found = stream.some(7)

    assert stages(found) == ["queued", "handed", "submitting", "waiting", "ready", "downloading", "ended"]
    assert {event["event"] for event in found} == {"generation"}
    assert {event["data"]["id"] for event in found} == {row.id}
    ids = [event["id"] for event in found]
    assert ids == sorted(set(ids))
    assert set(found[-1]["data"]) == {"id", "status", "stage", "progress", "what", "at"}
    assert (found[-1]["data"]["status"], found[-1]["data"]["progress"]) == ("completed", 100)
    assert found[0]["data"]["what"].startswith("Ordered")


def test_steps_of_others_stay_theirs(ana: Client, ben: Client, server: str) -> None:
    """Nobody hears of somebody else's generations, neither live nor on resuming."""
    start = newest()
    with listening(server, ana) as stream, listening(server, ben) as other:
        own, foreign = ana.generate(), ben.generate()
        assert stream.next()["data"]["id"] == own
        assert other.next()["data"]["id"] == foreign
    with listening(server, ben, last_id=start) as other:
        assert other.next()["data"]["id"] == foreign
        again = ben.generate()
        assert other.next()["data"]["id"] == again


@pytest.mark.parametrize("by_query", [False, True])
def test_stream_is_taken_up_again(ana: Client, server: str, by_query: bool) -> None:
    """After the last event that arrived come all that were missed, each once, and then what happens next."""
    row = ana.finished()
    last = newest()
    with listening(server, ana, last_id=last - 3, by_query=by_query) as stream:
        missed = stream.some(3)
        assert [event["id"] for event in missed] == [last - 2, last - 1, last]
        assert {event["data"]["id"] for event in missed} == {row.id}
        following = ana.generate()
        event = stream.next()
    assert (event["id"], event["data"]["id"]) == (last + 1, following)


def test_stream_when_too_much_was_missed(ana: Client, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client from long ago, or of another installation, is told to load its list again, and hears what follows."""
    ana.finished()
    with listening(server, ana, last_id=newest() + events.RESUME_SPAN + 1) as stream:
        assert stream.next() == {"id": newest(), "event": "reload", "data": {}}
        following = ana.generate()
        assert stream.next()["data"]["id"] == following


@pytest.mark.parametrize("value", ["x", "-1", str(2**63), "1.5"])
def test_resume_when_the_id_is_not_one(ana: Client, value: str) -> None:
    """An id that was never handed out is named as the field at fault."""
    status, _code, fields = refusal(ana.get("/generations/events", headers={"Last-Event-ID": value}))
    assert (status, set(fields)) == (422, {"Last-Event-ID"})
    status, _code, fields = refusal(ana.get("/generations/events", params={"lastEventId": value}))
    assert (status, set(fields)) == (422, {"lastEventId"})


def test_listening_in_too_many_places(ana: Client, ben: Client, server: str) -> None:
    """One person has so many streams and no more; another is not touched, and a place left is a place free."""
    with ExitStack() as places:
        streams = [places.enter_context(listening(server, ana)) for _ in range(event_hub.MAX_SUBSCRIPTIONS_PER_USER)]
        headers = {"Authorization": f"Bearer {ana.token}"}
        refused = httpx.get(f"{server}/generations/events", headers=headers, trust_env=False)
        assert refusal(refused)[:2] == (429, "rate_limited")
        assert int(refused.headers["retry-after"]) > 0
        with listening(server, ben) as stream:
            ben.generate()
            assert stream.next()["event"] == "generation"
        own = ana.generate()
        assert {stream.next()["data"]["id"] for stream in streams} == {own}
    while api.state.hub._subscriptions:  # the server notices a moment later that they left
        time.sleep(0.01)
    with listening(server, ana) as stream:
        ana.generate()
        assert stream.next()["event"] == "generation"


def test_route_is_no_generation(ana: Client, nobody: Client) -> None:
    """The address asks for a token, and is described as a stream."""
    assert refusal(nobody.get("/generations/events"))[:2] == (401, "unauthorized")
    described = nobody.get("/openapi.json").json()["paths"]["/generations/events"]["get"]
    assert set(described["responses"]["200"]["content"]) == {"text/event-stream"}


def test_listener_who_does_not_read_is_let_go(ana: Client) -> None:
    """A full queue ends the stream: what was missed comes on resuming, and nobody's memory grows without end."""
    row = generations.create_generation(db.default(), _person(ana))

    async def run() -> list[bytes]:
        sent: list[bytes] = []
        reached, never = asyncio.Event(), asyncio.Event()

        async def receive() -> dict[str, str]:
            await never.wait()
            raise AssertionError

        async def send(message: Mapping[str, Any]) -> None:
            sent.append(message.get("body", b""))
            if b"event: generation" in sent[-1]:
                reached.set()
                await never.wait()  # a client that reads no more

        async with event_hub.EventHub().subscribe(_person(ana)) as seat:
            response = events.EventStream(events._events(_person(ana), seat, None), seat)
            task = asyncio.create_task(response({"type": "http", "method": "GET"}, receive, send))
            seat.publish(_step(row.user_id, row.id, seat.start_id + 1))
            await reached.wait()
            for number in range(event_hub.MAX_QUEUED_STEPS + 1):
                assert not seat.ended
                seat.publish(_step(row.user_id, row.id, seat.start_id + 2 + number))
            assert seat.ended
            await task
            return sent

    sent = asyncio.run(run())
    assert sum(b"event: generation" in chunk for chunk in sent) == 1


def test_stream_of_a_hub_that_was_stopped(ana: Client) -> None:
    """Who comes while the process ends gets a stream that is over at once."""

    async def run() -> bytes:
        hub = event_hub.EventHub()
        hub.stop()
        async with hub.subscribe(_person(ana)) as seat:
            return b"".join([event.encode() async for event in events._events(_person(ana), seat, None)])

    assert asyncio.run(run()) == b"retry: 2000\n\n"


def _person(client: Client) -> Member:
    assert client.person is not None
    return client.person


def _step(user_id: str, generation_id: str, id: int) -> Step:
    return Step(id, user_id, generation_id, Status.PROCESSING, Stage.WAITING, 0.5, "test", utc_now())
