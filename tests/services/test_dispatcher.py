import asyncio
import json
import logging
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy
from sqlalchemy import func, select

from core import db, errors
from core.billing import ledger
from core.clock import utc_now
from core.db import Database
from core.db.enums import Stage, Status
from core.db.tables import Flight, Generation
from core.generations import commands, flights, reconciliation
from core.ids import new_id
from core.insights import circuit_breaker
from core.installation import Installation, current, using
from core.notifications import webhook_sender
from core.providers import connection
from core.providers.contract import JobState, JobStatus
from core.retry import OnceAWhile
from core.worker import claims, dispatcher, looks, poll_results
from core.workspaces.access import Member
from tests.factories import installations
from tests.factories.books import broken_rules
from tests.factories.generations import (
    DISPATCHED,
    SUBMITTING,
    WAITING,
    advance,
    create_generation,
    load_flight,
    load_generation,
    lose_submit,
    make_due,
    rewrite,
)
from tests.factories.users import create_member


class Server(ThreadingHTTPServer):
    """One that takes all looks that may be under way at once."""

    request_queue_size = 2 * looks.MAX_CONCURRENT_POLLS


class Studio:
    """A scripted vendor: what it answers to each path, and what it was asked."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, dict[str, Any]]] = {}
        self.asked: list[str] = []
        script = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = f"{self.command} {self.path.split('?')[0]}"
                script.asked.append(path)
                code, body = script.answers.get(path, (404, {}))
                data = json.dumps(body).encode()
                self.send_response(code)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_POST = do_GET  # noqa: N815 -- the names http.server calls

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stop serving."""
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def studio(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> Iterator[Studio]:
    """The demo's vendor, scripted; Redis is away."""
    found = Studio()
    monkeypatch.setenv("DEMO_BASE_URL", found.url)
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:9/0")
    installations.reopen()
    yield found
    found.close()


@pytest.fixture
def ana(installation: Installation) -> Member:
    """Somebody with credits in the installation."""
    return create_member(db.default(), credits=100_000)


@contextmanager
def hanging() -> Iterator[str]:
    """The address of a vendor that takes every call and answers none."""
    with socket.create_server(("127.0.0.1", 0), backlog=2 * looks.MAX_CONCURRENT_POLLS) as quiet:
        yield f"http://127.0.0.1:{quiet.getsockname()[1]}"


def until(condition: Callable[[], bool], *, seconds: float | None = None) -> None:
    """Wait for it, less long than a call that hangs unless told otherwise."""
    end = time.monotonic() + (seconds or connection.POLL_TIMEOUT.read / 2)  # type: ignore[operator]  # it has a number
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def many(generation_id: str, count: int) -> None:
    """So many more of the same row, all due."""
    with db.write_session() as session:
        row = session.get_one(Generation, generation_id)
        values = {column.key: getattr(row, column.key) for column in sqlalchemy.inspect(Generation).column_attrs}
        session.execute(sqlalchemy.insert(Generation), [values | {"id": new_id()} for _ in range(count)])
        while flights.heal(session):
            pass


def waiting(user: Member, model_id: str = "demo-film", **values: Any) -> str:
    """An order that its vendor has as job j1, due now."""
    row = create_generation(db.default(), user, model_id=model_id)
    now = utc_now()
    known: dict[str, Any] = {"provider_job_id": "j1", "submitted_at": now, "deadline_at": now + timedelta(hours=1)}
    advance(db.default(), row.id, DISPATCHED, SUBMITTING)
    advance(db.default(), row.id, WAITING, **(known | values))
    make_due(row.id)
    return row.id


def tick() -> None:
    """One round of a fresh dispatcher: look at what is due and write what it learned."""

    async def run() -> None:
        stop = asyncio.Event()
        found = dispatcher.Dispatcher(current())
        asyncio.get_running_loop().call_later(0.3, stop.set)
        await found.run(stop)

    asyncio.run(run())


def test_look_when_vendor_tells_progress(studio: Studio, ana: Member) -> None:
    """The vendor's own progress is kept, never falls, and stops short of the end."""
    generation_id = waiting(ana)
    seen = []
    for told in (0.4, 0.2, 1.0):
        studio.answers["GET /v1/jobs/j1"] = (200, {"id": "j1", "status": "running", "progress": told})
        make_due(generation_id)
        tick()
        row = load_generation(generation_id)
        seen.append(row.progress)
        assert row.stage is Stage.WAITING
        assert not row.progress_is_estimate

    assert seen == [0.4, 0.4, poll_results.PROGRESS_CAP]


def test_look_when_vendor_tells_no_progress(studio: Studio, ana: Member) -> None:
    """Without a figure, progress is time against the usual time, marked as an estimate and capped."""
    generation_id = waiting(ana, submitted_at=utc_now() - timedelta(seconds=5))
    studio.answers["GET /v1/jobs/j1"] = (200, {"id": "j1", "status": "running"})
    tick()
    early = load_generation(generation_id)
    with db.write_session() as session:
        rewrite(session, submitted_at=utc_now() - timedelta(hours=2))
    make_due(generation_id)
    tick()
    late = load_generation(generation_id)

    assert 0.3 < early.progress < 0.95
    assert late.progress == poll_results.PROGRESS_CAP
    assert early.progress_is_estimate


def test_look_when_the_vendor_has_a_line_of_its_own(studio: Studio, ana: Member) -> None:
    """Time in the vendor's line is no progress, whether it gives a figure or none; what was told before stays."""
    generation_id = waiting(ana, submitted_at=utc_now() - timedelta(minutes=5))
    for answer, progress in (
        ({"status": "queued"}, 0.0),
        ({"status": "queued", "progress": 0.0}, 0.0),
        ({"status": "running", "progress": 0.4}, 0.4),
        ({"status": "queued"}, 0.4),
    ):
        studio.answers["GET /v1/jobs/j1"] = (200, {"id": "j1", **answer})
        make_due(generation_id)
        tick()
        assert load_generation(generation_id).progress == progress


@pytest.mark.parametrize(
    ("answer", "status", "stage"),
    [
        ({"status": "succeeded", "video_url": "http://x/v.mp4"}, Status.PROCESSING, Stage.READY_TO_DOWNLOAD),
        ({"status": "failed", "error": {"message": "no"}}, Status.FAILED, Stage.FINALIZED),
        ({"status": "cancelled"}, Status.CANCELLED, Stage.FINALIZED),
        ({"status": "dreaming"}, Status.PROCESSING, Stage.WAITING),
    ],
)
def test_look_when_vendor_has_a_word(
    studio: Studio, ana: Member, answer: dict[str, Any], status: Status, stage: Stage
) -> None:
    """Each verdict moves the row where it belongs, with its money; an unknown word keeps it waiting."""
    generation_id = waiting(ana)
    studio.answers["GET /v1/jobs/j1"] = (200, {"id": "j1"} | answer)
    tick()

    row = load_generation(generation_id)
    assert (row.status, row.stage) == (status, stage)
    assert broken_rules() == []


def test_look_when_vendor_fails_by_itself(studio: Studio, ana: Member) -> None:
    """A look that fails changes nothing but the time of the next one."""
    generation_id = waiting(ana)
    studio.answers["GET /v1/jobs/j1"] = (503, {})
    tick()

    row = load_generation(generation_id)
    assert row.stage is Stage.WAITING
    assert load_flight(generation_id).next_at > utc_now()


def test_look_when_deadline_has_passed(studio: Studio, ana: Member) -> None:
    """Past its deadline a job is uncertain with its hold; a late clip is still delivered."""
    generation_id = waiting(ana, deadline_at=utc_now() - timedelta(seconds=1))
    studio.answers["GET /v1/jobs/j1"] = (200, {"id": "j1", "status": "running", "progress": 0.5})
    tick()
    assert (load_generation(generation_id).status, load_generation(generation_id).stage) == (
        Status.UNCERTAIN,
        Stage.WAITING,
    )
    with db.read_session() as session:
        assert ledger.balance(session, ana.id).held_credits == 50

    studio.answers["GET /v1/jobs/j1"] = (200, {"id": "j1", "status": "succeeded", "video_url": "http://x/v"})
    make_due(generation_id)
    tick()
    assert (load_generation(generation_id).status, load_generation(generation_id).stage) == (
        Status.PROCESSING,
        Stage.READY_TO_DOWNLOAD,
    )
    assert broken_rules() == []


def test_look_when_the_clock_was_set_just_now(studio: Studio, ana: Member) -> None:
    """A deadline is judged by the moment that was compared with a steady clock, not by one that may have jumped."""
    deadline = utc_now() - timedelta(hours=1)
    row = load_flight(waiting(ana, deadline_at=deadline))
    look = [poll_results.PollResult(row, JobStatus(JobState.RUNNING))]
    checked = deadline - timedelta(minutes=5)
    poll_results.record(look, poll_seconds=1, words_logged=set(), judged_at=checked)
    assert load_generation(row.id).status is Status.PROCESSING
    poll_results.record(look, poll_seconds=1, words_logged=set(), judged_at=deadline + timedelta(seconds=1))
    assert load_generation(row.id).status is Status.UNCERTAIN


def test_cancel_when_vendor_obeys(studio: Studio, ana: Member) -> None:
    """A wish to cancel is carried to the vendor, and the credits come back."""
    generation_id = waiting(ana)
    with db.write_session() as session:
        commands.cancel(session, ana, generation_id)
    studio.answers["POST /v1/jobs/j1/cancel"] = (200, {"id": "j1", "status": "cancelled"})
    tick()

    assert load_generation(generation_id).status is Status.CANCELLED
    with db.read_session() as session:
        assert ledger.balance(session, ana.id) == ledger.Balance(100_000, 0)


def test_cancel_when_it_comes_too_late(studio: Studio, ana: Member) -> None:
    """A clip that was finished before the wish arrived is delivered."""
    generation_id = waiting(ana)
    with db.write_session() as session:
        commands.cancel(session, ana, generation_id)
    done = {"id": "j1", "status": "succeeded", "video_url": "http://x/v"}
    studio.answers["POST /v1/jobs/j1/cancel"] = (200, done)
    tick()

    assert load_generation(generation_id).stage is Stage.READY_TO_DOWNLOAD


@pytest.mark.parametrize(
    ("jobs", "ago", "place"),
    [
        ([{"id": "j7", "status": "running"}], timedelta(), WAITING),
        ([], reconciliation.LATE_ARRIVAL_WINDOW, (Status.FAILED, Stage.FINALIZED)),
        ([], timedelta(), (Status.UNCERTAIN, Stage.SUBMITTING)),
    ],
)
def test_uncertain_when_vendor_has_a_list(
    studio: Studio, ana: Member, jobs: list[dict[str, Any]], ago: timedelta, place: tuple[Status, Stage]
) -> None:
    """An uncertain submit is settled by the vendor's own list: found and waited for, or surely never there."""
    row = create_generation(db.default(), ana)
    lose_submit(db.default(), row.id, ago=ago)
    make_due(row.id)
    studio.answers["GET /v1/jobs"] = (200, {"jobs": [job | {"reference": row.id} for job in jobs]})
    tick()

    assert (load_generation(row.id).status, load_generation(row.id).stage) == place
    assert not [path for path in studio.asked if path.startswith("POST")]
    assert broken_rules() == []


def test_look_while_another_vendor_hangs(studio: Studio, ana: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    """A vendor that answers nothing to more looks than may be under way holds up nobody else's."""
    with hanging() as url:
        monkeypatch.setenv("MODELSLAB_BASE_URL", url)
        monkeypatch.setenv("MODELSLAB_API_KEY", "k")
        installations.reopen()
        many(waiting(ana, model_id="seedance-t2v"), looks.MAX_CONCURRENT_POLLS + 50)
        studio.answers["GET /v1/jobs/j1"] = (200, {"id": "j1", "status": "succeeded", "video_url": "http://x/v"})

        async def run() -> None:
            async with httpx.AsyncClient(timeout=600, limits=httpx.Limits(max_connections=None)) as patient:
                found = looks.Looks(current())
                found.client = patient
                looking = asyncio.create_task(found.run(asyncio.Event()))
                hang = looks.MAX_CONCURRENT_POLLS
                await asyncio.to_thread(until, lambda: len(list(found.under_way)) == hang, seconds=100)
                one = await asyncio.to_thread(waiting, ana)
                done = Stage.READY_TO_DOWNLOAD
                await asyncio.to_thread(until, lambda: load_generation(one).stage is done, seconds=100)
                assert len(list(found.under_way)) == hang
                looking.cancel()

        asyncio.run(run())


def test_looks_go_on_between_rounds_while_their_vendor_answers(
    studio: Studio, ana: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than may be under way at once is looked at without waiting for rounds, each row once."""
    monkeypatch.setenv("POLL_SECONDS", "600")
    installations.reopen()
    count = 3 * looks.MAX_CONCURRENT_POLLS
    many(waiting(ana), count)
    studio.answers["GET /v1/jobs/j1"] = (200, {"id": "j1", "status": "running"})

    def are_all_asked_for() -> bool:
        return studio.asked.count("GET /v1/jobs/j1") > count  # and the one that they are copies of

    asyncio.run(looked(are_all_asked_for, round_seconds=600))  # in the first round

    assert studio.asked.count("GET /v1/jobs/j1") == count + 1
    with db.read_session() as session:
        assert session.scalar(select(func.count(Flight.id)).where(Flight.next_at <= db.now(session))) == 0


def test_looks_that_fail_come_no_faster_than_rounds(
    studio: Studio, ana: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A vendor that refuses everything is asked for no more than had room at first: the rest waits for a round."""
    monkeypatch.setenv("POLL_SECONDS", "600")
    installations.reopen()
    many(waiting(ana), 3 * looks.MAX_CONCURRENT_POLLS)
    studio.answers["GET /v1/jobs/j1"] = (500, {"error": "down"})

    def is_written() -> bool:
        with db.read_session() as session:
            learned = select(func.count()).where(Flight.setbacks == 0, Flight.next_at > utc_now())
            return session.scalar(learned) == looks.MAX_CONCURRENT_POLLS

    asyncio.run(looked(is_written, round_seconds=600))
    assert 0 < studio.asked.count("GET /v1/jobs/j1") <= looks.MAX_CONCURRENT_POLLS  # a busy machine is late to connect


async def looked(is_enough: Callable[[], bool], *, round_seconds: float) -> None:
    """Look until it is enough, and finish."""
    async with connection.poll_client(current().settings) as client:
        found = looks.Looks(current(), round_seconds=round_seconds)
        found.client = client
        looking = asyncio.create_task(found.run(stop := asyncio.Event()))
        await asyncio.to_thread(until, is_enough, seconds=100)
        stop.set()
        await looking


def test_tick_when_redis_is_away(studio: Studio, ana: Member) -> None:
    """Without Redis, looks go on; what is due to be handed over waits for it."""
    generation_id = waiting(ana)
    pending = create_generation(db.default(), ana)
    studio.answers["GET /v1/jobs/j1"] = (200, {"id": "j1", "status": "succeeded", "video_url": "http://x/v"})
    tick()

    assert load_generation(generation_id).stage is Stage.READY_TO_DOWNLOAD
    assert load_generation(pending.id).status is Status.PENDING


def test_pause_after_a_round_that_handed_over_many() -> None:
    """The next round comes soon where a provider was given most of what it may be given at once, and not else."""
    few, many_ = claims.MAX_OUTSTANDING_SUBMITS // 2 - 1, claims.MAX_OUTSTANDING_SUBMITS // 2
    rows = {name: [Flight(provider=name) for _ in range(many_)] for name in ("demo", "fal")}
    assert dispatcher.pause_after([]) == dispatcher.TICK_SECONDS
    assert dispatcher.pause_after([*rows["demo"][:few], *rows["fal"][:few]]) == dispatcher.TICK_SECONDS
    assert dispatcher.pause_after([*rows["demo"][:few], *rows["fal"]]) == dispatcher.RUSH_SECONDS


def test_key_check_when_a_key_is_set(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each configured key is tried for free; what it said is kept for people to see."""
    monkeypatch.setenv("MODELSLAB_API_KEY", "k-1")
    monkeypatch.setenv("MODELSLAB_BASE_URL", studio.url)
    installations.reopen()
    studio.answers["POST /api/wallet_balance"] = (200, {"status": "error", "message": "Invalid API key"})
    tick()

    with db.read_session() as session:
        assert circuit_breaker.states(session)["modelslab"].key_works is False
    assert studio.asked.count("POST /api/wallet_balance") == 1


def test_log_when_looks_fail_for_long(studio: Studio, ana: Member, caplog: pytest.LogCaptureFixture) -> None:
    """A row whose looks fail one after another is one line an hour, each row its own, whatever the failure says."""
    first, second = waiting(ana), waiting(ana)
    logged = OnceAWhile()
    with caplog.at_level(logging.INFO, logger="core.worker.poll_results"):
        for n in range(20):
            error = errors.UnreadableReply(detail=f"illegal header line {n}")
            looks = [poll_results.PollResult(load_flight(row_id), error) for row_id in (first, second)]
            poll_results.record(looks, poll_seconds=1, words_logged=set(), failures_logged=logged)

    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 2
    assert (first in said[0], second in said[1]) == (True, True)


def test_log_while_the_database_is_away(
    studio: Studio, installation: Installation, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A dispatcher without its database waits longer and longer for it, and the log has one line and no traceback."""
    away = Database(f"sqlite:///{tmp_path / 'nowhere' / 'studio.db'}")
    with caplog.at_level(logging.INFO), using(replace(installation, database=away)):

        async def run() -> None:
            stop = asyncio.Event()
            asyncio.get_running_loop().call_later(2.5, stop.set)
            await asyncio.gather(
                dispatcher.Dispatcher(current()).run(stop), webhook_sender.Sender(current().settings).run(stop)
            )

        asyncio.run(run())

    of_ours = [record for record in caplog.records if record.name.startswith("core.")]
    assert [record.name for record in of_ours] == ["core.db.availability"]
    assert not of_ours[0].exc_info


def test_look_when_it_was_answered_while_the_database_was_locked(studio: Studio, ana: Member) -> None:
    """What a vendor said is kept while it cannot be written, and written when it can; it is not asked again."""
    generation_id = waiting(ana)
    studio.answers["GET /v1/jobs/j1"] = (200, {"id": "j1", "status": "succeeded", "video_url": "http://x/v.mp4"})
    path = str(db.default().engine.url.database)
    hasty = Database(f"sqlite:///{path}", patience_seconds=0.05)
    holder = sqlite3.connect(path, isolation_level=None)

    async def run() -> None:
        found = dispatcher.Dispatcher(current())
        running = asyncio.create_task(found.run(stop := asyncio.Event()))
        await asyncio.to_thread(until, lambda: "GET /v1/jobs/j1" in studio.asked)
        holder.execute("BEGIN IMMEDIATE")
        await asyncio.sleep(2)
        holder.execute("ROLLBACK")
        await asyncio.to_thread(until, lambda: load_generation(generation_id).stage is Stage.READY_TO_DOWNLOAD)
        stop.set()
        await running

    with using(replace(current(), database=hasty)):
        asyncio.run(run())
    holder.close()
    hasty.dispose()

    assert studio.asked.count("GET /v1/jobs/j1") == 1


def test_look_when_the_vendor_has_moved(studio: Studio, ana: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    """A redirect is no news of the job and is shown to administrators; with the new address set, it is asked there."""
    old, new = Studio(), Studio()
    path = "POST /api/v7/video-fusion/fetch/j1"
    old.answers[path] = (308, {})
    new.answers[path] = (200, {"status": "success", "id": 1, "output": ["https://cdn.example/v.mp4"]})
    monkeypatch.setenv("MODELSLAB_API_KEY", "key-of-the-test")
    installations.reopen()
    generation_id = waiting(ana, model_id="seedance-t2v", provider_base_url=old.url)
    tick()
    assert load_generation(generation_id).stage is Stage.WAITING
    with db.read_session() as session:
        assert circuit_breaker.states(session)["modelslab"].error_code == "provider_moved"

    monkeypatch.setenv("MODELSLAB_BASE_URL", new.url)
    installations.reopen()
    make_due(generation_id)
    tick()
    old.close()
    new.close()
    row = load_generation(generation_id)
    assert (row.stage, row.provider_video_url) == (Stage.READY_TO_DOWNLOAD, "https://cdn.example/v.mp4")
