from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from core import db
from core.billing import ledger
from core.clock import utc_now
from core.db.enums import Stage, Status
from core.db.tables import Flight
from core.generations import lifecycle, unresolved
from core.installation import Installation
from core.messages import message
from core.providers.contract import JobState, JobStatus
from core.worker import claims, poll_results, setbacks, tasks
from core.worker.lease_watch import LEASE
from core.workspaces.access import Member
from tests.factories import installations
from tests.factories.books import broken_rules
from tests.factories.generations import (
    DISPATCHED,
    READY_TO_DOWNLOAD,
    SUBMITTING,
    WAITING,
    advance,
    create_generation,
    load_flight,
    load_generation,
    make_due,
    rewrite,
)
from tests.factories.users import create_member
from tests.fixtures import file_host as hosts
from tests.fixtures.clips import ClipSpec, make_clip

UNWRITABLE = "https://host.example/\ud800\0"
"""Half a character is no text for any database."""
FINISHED = JobStatus(JobState.SUCCEEDED, video_url=UNWRITABLE)
RUNNING = JobStatus(JobState.RUNNING, progress=0.5)


@pytest.fixture
def ana(site: Installation) -> Member:
    """Somebody with credits, on a database of the kind that the test's mark asks for."""
    return create_member(db.default(), credits=1000)


def waiting(user: Member) -> str:
    """An order that its vendor has."""
    row = create_generation(db.default(), user)
    advance(db.default(), row.id, DISPATCHED, SUBMITTING, WAITING, provider_job_id="j1")
    return row.id


def look(generation_id: str, result: JobStatus) -> None:
    """One look whose outcome is written down, or is not."""
    make_due(generation_id)
    claimed = claims.claim_polls(lambda _provider: 9)
    looks = [poll_results.PollResult(row, result) for row in claimed]
    poll_results.record(looks, poll_seconds=1, words_logged=set())


def is_put_aside(generation_id: str) -> bool:
    """Whether a person has to decide, the reason is there for them, and the hold stays."""
    row = load_generation(generation_id)
    with db.read_session() as session:
        listed = [found.id for found in unresolved.list_unresolved(session)]
        held = ledger.balance(session, row.user_id).held_credits
    assert broken_rules() == []
    if row.status is not Status.UNCERTAIN:
        return False
    assert (row.error_code, listed) == ("put_aside", [generation_id])
    assert row.error_detail
    assert (load_flight(generation_id).next_at - utc_now()).total_seconds() > 23 * 3600
    return held >= row.credits


@pytest.mark.both_databases
def test_look_when_it_cannot_be_written(ana: Member) -> None:
    """After a few tries, each later than the last, it is put aside with the reason; others are written at once."""
    poison, sound = waiting(ana), waiting(ana)
    for n in range(1, setbacks.TRIES + 1):
        assert not is_put_aside(poison)
        make_due(poison)
        make_due(sound)
        claimed = claims.claim_polls(lambda _provider: 9)
        results = {poison: FINISHED, sound: RUNNING}
        looks = [poll_results.PollResult(row, results[row.id]) for row in claimed]
        poll_results.record(looks, poll_seconds=1, words_logged=set())
        assert load_flight(poison).setbacks == n
        assert load_generation(sound).progress == 0.5

    assert is_put_aside(poison)
    assert (load_generation(sound).status, load_flight(sound).setbacks) == (Status.PROCESSING, 0)


@pytest.mark.both_databases
def test_look_when_one_goes_well_in_between(ana: Member) -> None:
    """Only setbacks in a row count: a look that is written begins the count anew."""
    generation_id = waiting(ana)
    for _ in range(3):
        for _ in range(setbacks.TRIES - 1):
            look(generation_id, FINISHED)
        look(generation_id, RUNNING)

    assert load_generation(generation_id).status is Status.PROCESSING
    assert load_flight(generation_id).setbacks == 0


@pytest.mark.both_databases
def test_look_when_it_was_put_aside(ana: Member) -> None:
    """What was put aside is tried once a day, and goes on when what broke is mended."""
    generation_id = waiting(ana)
    for _ in range(setbacks.TRIES + 3):
        look(generation_id, FINISHED)
    assert is_put_aside(generation_id)
    look(generation_id, JobStatus(JobState.SUCCEEDED, video_url="https://host.example/clip.mp4"))

    row = load_generation(generation_id)
    assert (row.status, row.stage) == (Status.PROCESSING, Stage.READY_TO_DOWNLOAD)
    assert load_flight(generation_id).setbacks == 0
    assert broken_rules() == []


@pytest.mark.both_databases
def test_look_when_it_ends_the_process_each_time(ana: Member) -> None:
    """A look that never comes back is made ever more seldom, and the deadline ends the wait."""
    generation_id = waiting(ana)
    pauses = []
    for _ in range(12):
        make_due(generation_id)
        assert [row.id for row in claims.claim_polls(lambda _provider: 9)] == [generation_id]
        pauses.append(round((load_flight(generation_id).next_at - utc_now()).total_seconds(), -1))
    assert (pauses[0], pauses[6], pauses[11]) == (60, 600, 3600)

    with db.write_session() as session:
        rewrite(session, deadline_at=utc_now() - claims.OVERDUE_UNSEEN * 2)
    claims.end_overdue(utc_now())
    assert load_generation(generation_id).status is Status.UNCERTAIN
    assert broken_rules() == []


@pytest.mark.both_databases
def test_fetch_when_it_ends_the_process_each_time(ana: Member) -> None:
    """A fetch whose process dies of it is made a few times more, which is said truly, and is then put aside."""
    row = create_generation(db.default(), ana)
    advance(db.default(), row.id, DISPATCHED, SUBMITTING, WAITING, READY_TO_DOWNLOAD, provider_job_id="j1")
    tries = 0
    while load_generation(row.id).status is Status.PROCESSING:
        tries += 1
        begin_fetch(row.id)
        make_due(row.id)
        claims.sweep()

    assert tries == setbacks.TRIES
    assert is_put_aside(row.id)
    with db.write_session() as session:
        rewrite(session, next_at=utc_now())
    assert [found.id for found in claims.claim_downloads(9)] == [row.id]
    begin_fetch(row.id)
    make_due(row.id)
    claims.sweep()
    assert is_put_aside(row.id)


def begin_fetch(generation_id: str) -> None:
    """Begin a fetch as its job does; nothing more is heard of it."""
    with db.write_session() as session:
        row = lifecycle.locked(session, generation_id)
        assert row is not None
        assert lifecycle.transition(
            session,
            row,
            Status.PROCESSING,
            Stage.DOWNLOADING,
            what=message("fetching"),
            next_at=utc_now() + LEASE,
            setbacks=Flight.setbacks + 1,
        )


def ready(user: Member, **values: Any) -> str:
    """A clip that its vendor has finished."""
    row = create_generation(db.default(), user)
    told = {"provider_job_id": "j1", "provider_video_url": "http://127.0.0.1:1/v1/files/j1.mp4"}
    advance(db.default(), row.id, DISPATCHED, SUBMITTING, WAITING, READY_TO_DOWNLOAD, **(told | values))
    return row.id


def test_fetch_when_its_end_cannot_be_written(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A clip that can be fetched and not be booked is fetched a few times, then put aside: never again and again."""
    data = make_clip(tmp_path / "clip.mp4", ClipSpec()).read_bytes()
    with hosts.file_host(data) as host:
        monkeypatch.setenv("DEMO_BASE_URL", f"http://127.0.0.1:{host.server_port}")
        installations.reopen()
        cost = {"provider_cost": Decimal(10**17), "provider_cost_currency": "USD"}
        generation_id = ready(create_member(db.default(), credits=1000), **cost)
        for _ in range(setbacks.TRIES):
            assert not is_put_aside(generation_id)
            tasks.ingest(generation_id)
        assert is_put_aside(generation_id)
        assert load_generation(generation_id).collect_attempt == setbacks.TRIES
        tasks.ingest(generation_id)

        assert is_put_aside(generation_id)


@pytest.mark.both_databases
@pytest.mark.parametrize(
    "places", [(DISPATCHED, SUBMITTING, WAITING), (DISPATCHED, SUBMITTING, WAITING, READY_TO_DOWNLOAD)]
)
def test_overdue_when_nobody_comes(ana: Member, places: tuple[Any, ...]) -> None:
    """The deadline reaches what nobody looks at or fetches, in each stage; a fresh deadline changes nothing."""
    row = create_generation(db.default(), ana)
    advance(db.default(), row.id, *places, deadline_at=utc_now())
    claims.end_overdue(utc_now())
    assert load_generation(row.id).status is Status.PROCESSING
    claims.end_overdue(utc_now() + claims.OVERDUE_UNSEEN * 2)

    ended = load_generation(row.id)
    assert (ended.status, ended.error_code) == (Status.UNCERTAIN, "submit_uncertain")
    assert broken_rules() == []


@pytest.mark.both_databases
def test_overdue_when_an_order_was_handed_over(ana: Member) -> None:
    """An order whose submit never began fails after a day, and its credits come back."""
    row = create_generation(db.default(), ana)
    advance(db.default(), row.id, DISPATCHED)
    with db.write_session() as session:
        rewrite(session, created_at=utc_now() - lifecycle.PENDING_LIMIT * 1.1)
    claims.sweep()

    assert load_generation(row.id).status is Status.FAILED
    assert broken_rules() == []
