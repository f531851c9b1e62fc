"""What a vendor says at the edge of what there is a place for is written on both databases; its order ends right."""

import asyncio
import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from core import db, errors
from core.clock import utc_now
from core.db import Database
from core.db.enums import Stage, Status
from core.db.tables import Generation
from core.generations import lifecycle
from core.providers import registry, storable
from core.providers.contract import JobStatus
from core.providers.registry import Access
from core.worker import poll_results
from core.workspaces.access import Member
from tests.factories.books import broken_rules
from tests.factories.generations import (
    DISPATCHED,
    DOWNLOADING,
    SUBMITTING,
    WAITING,
    advance,
    build_output,
    create_generation,
    load_flight,
    load_generation,
    rewrite,
)

pytestmark = pytest.mark.both_databases
KEY = "key-of-the-test"
LINK = "https://cdn.example/clip.mp4"


def look(body: dict[str, Any]) -> JobStatus:
    """What Eden AI's adapter makes of a reply to a look."""

    def answer(_sent: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=json.dumps(body).encode("utf-8", "replace"))

    async def once() -> JobStatus:
        async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
            return await registry.connect("edenai", client=client, access=Access(KEY, "")).check_status("j1")

    return asyncio.run(once())


def written(database: Database, person: Member, outcome: poll_results.Outcome) -> Generation:
    """A waiting row after this outcome of a look was written down."""
    row = create_generation(database, person)
    row = advance(database, row.id, DISPATCHED, SUBMITTING, WAITING, provider_job_id="j" * 200)
    with db.using(database):
        poll_results.record([poll_results.PollResult(load_flight(row.id), outcome)], poll_seconds=1, words_logged=set())
    return load_generation(row.id, database)


@pytest.mark.parametrize(
    "odd",
    [
        {"cost": "1e30"},
        {"cost": "1e15"},
        {"cost": "1e999999"},
        {"cost": 9223372036854775808},
        {"cost": str(storable.MOST_COST)},
        {"cost": "0.0000001"},
        {"cost": float("nan")},
        {"note": "\ud800\x00", "\x00\ud800": 10**300, "big": float("inf")},
        {"echo": f"Bearer {KEY}"},
    ],
)
def test_a_clip_is_taken_whatever_is_said_beside_it(database: Database, person: Member, odd: dict[str, Any]) -> None:
    """Figures and texts beyond all reason stop nothing: the clip is fetched and charged, and the books are right."""
    row = written(database, person, look({"status": "success", "output": {"video_resource_url": LINK}} | odd))
    assert (row.stage, row.provider_video_url) == (Stage.READY_TO_DOWNLOAD, LINK)
    assert KEY not in json.dumps(row.provider_response)
    row = advance(database, row.id, DOWNLOADING)
    with database.write_session() as session:
        assert lifecycle.complete(session, row, build_output(row.id))
    row = load_generation(row.id, database)
    assert row.status is Status.COMPLETED
    assert row.provider_cost is not None
    assert 0 <= row.provider_cost <= Decimal(storable.MOST_COST)
    assert broken_rules(database) == []


@pytest.mark.parametrize("link", ["https://xn--/x", "https://host/%zz", "https://pub invalid/x", "https://h/\x00"])
def test_a_link_that_cannot_be_one_leaves_the_order_to_a_person(database: Database, person: Member, link: str) -> None:
    """Said at once, with the credits held; a later look that has a link takes the clip."""
    status = look({"status": "success", "output": {"video_resource_url": link}})
    row = written(database, person, status)
    assert (row.status, row.stage, row.error_code) == (Status.UNCERTAIN, Stage.WAITING, "provider_unreadable")
    with db.using(database):
        again = poll_results.PollResult(load_flight(row.id), status)
        poll_results.record([again], poll_seconds=1, words_logged=set())
        row = load_generation(row.id, database)
        assert row.status is Status.UNCERTAIN
        good = look({"status": "success", "output": {"video_resource_url": LINK}})
        poll_results.record([poll_results.PollResult(load_flight(row.id), good)], poll_seconds=1, words_logged=set())
    row = load_generation(row.id, database)
    assert (row.status, row.stage) == (Status.PROCESSING, Stage.READY_TO_DOWNLOAD)


def test_an_unreadable_answer_is_asked_for_less_and_less_often(database: Database, person: Member) -> None:
    """Answers without end are dear: the pause grows with the time that was waited."""
    pauses = []
    for minutes in (0, 10, 600):
        row = written(database, person, errors.ReplyTooLarge(detail="more than 8 MB"))
        with database.write_session() as session:
            rewrite(session, submitted_at=utc_now() - timedelta(minutes=minutes))
        with db.using(database):
            outcome = poll_results.PollResult(load_flight(row.id), errors.ReplyTooLarge())
            poll_results.record([outcome], poll_seconds=1, words_logged=set())
        pauses.append(round((load_flight(row.id, database).next_at - utc_now()) / timedelta(minutes=1)))
    assert pauses == [0, 1, 5]
