"""A late clip is looked at again or cancelled by those in charge: once, written down, and by nobody else."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import select

from core import errors
from core.clock import utc_now
from core.db import Database
from core.db.enums import Role, Stage, Status, WorkspaceRole
from core.db.tables import AuditLogEntry, Generation, GenerationEvent
from core.generations import watched
from core.workspaces.access import Member
from tests.factories.books import broken_rules
from tests.factories.generations import (
    DISPATCHED,
    DOWNLOADING,
    READY_TO_DOWNLOAD,
    SUBMITTING,
    WAITING,
    advance,
    create_generation,
    finish,
    load_flight,
    load_generation,
    rewrite,
)
from tests.factories.users import create_member
from tests.factories.workspaces import create_admin, create_team

pytestmark = pytest.mark.both_databases

POLL_SECONDS = 5.0


def team(database: Database) -> list[Member]:
    """A manager, a maker and a viewer of a team."""
    roles = {"boss": WorkspaceRole.MANAGER, "eve": WorkspaceRole.MAKER, "vic": WorkspaceRole.VIEWER}
    return create_team(
        database, *((create_member(database, f"{name}@example.org"), role) for name, role in roles.items())
    )


def send(database: Database, person: Member, *, hours_ago: float = 2) -> str:
    """The id of a clip that its provider has had for so long; it is looked at in an hour."""
    row = create_generation(database, person)
    advance(database, row.id, DISPATCHED, SUBMITTING, WAITING, next_at=utc_now() + timedelta(hours=1))
    then = utc_now() - timedelta(hours=hours_ago)
    with database.write_session() as session:
        rewrite(session, Generation.id == row.id, submitted_at=then, created_at=then)
    return row.id


def look(database: Database, person: Member, generation_id: str) -> watched.Look:
    """One press."""
    with database.write_session() as session:
        return watched.look_again(session, person, generation_id, poll_seconds=POLL_SECONDS)


def cancel(database: Database, person: Member, generation_id: str) -> None:
    """One press."""
    with database.write_session() as session:
        watched.cancel(session, person, generation_id)


def acts(database: Database) -> list[tuple[str, str, str | None]]:
    """What the audit log has of clips: act, who, which."""
    with database.read_session() as session:
        rows = session.scalars(select(AuditLogEntry).where(AuditLogEntry.noun == "clip").order_by(AuditLogEntry.id))
        return [(row.action, row.actor, row.target_id) for row in rows]


def at_once(*works: Callable[[], object]) -> list[object]:
    """Do these at the same time, each in a thread."""
    barrier = Barrier(len(works))

    def run(work: Callable[[], object]) -> object:
        barrier.wait(60)
        return work()

    with ThreadPoolExecutor(len(works)) as threads:
        return [done.result() for done in [threads.submit(run, work) for work in works]]


def test_provider_is_asked_at_once(database: Database) -> None:
    """The clip comes due now; a press more changes nothing until the pause that the provider asks for is over."""
    boss, eve, _vic = team(database)
    clip = send(database, eve)
    found = look(database, boss, clip)
    assert found.is_sooner
    assert load_flight(clip, database).next_at == found.at <= utc_now()
    assert not look(database, boss, clip).is_sooner
    assert acts(database) == [("clip.looked_at", "boss@example.org", clip)]

    with database.write_session() as session:  # it was asked meanwhile, and is due again in an hour
        rewrite(session, next_at=utc_now() + timedelta(hours=1))
    again = look(database, boss, clip)
    assert again.is_sooner
    assert again.at > found.at


def test_two_people_have_a_provider_asked_at_once(database: Database) -> None:
    """One of them moves it; both are told when it is asked."""
    boss, eve, _vic = team(database)
    root = create_admin(database)
    clip = send(database, eve)
    found = at_once(lambda: look(database, boss, clip), lambda: look(database, root, clip))
    assert sorted(one.is_sooner for one in found if isinstance(one, watched.Look)) == [False, True]
    assert len(acts(database)) == 1


def test_who_may_not_look_again(database: Database) -> None:
    """Makers and viewers do not manage it, strangers do not see it; nothing moves."""
    _boss, eve, vic = team(database)
    stranger = create_member(database, "stranger@example.org")
    clip = send(database, eve)
    before = load_flight(clip, database).next_at
    for person, refusal in ((eve, errors.Forbidden), (vic, errors.Forbidden), (stranger, errors.NotFound)):
        with pytest.raises(refusal):
            look(database, person, clip)
        with pytest.raises(refusal):
            cancel(database, person, clip)
    assert load_flight(clip, database).next_at == before
    assert acts(database) == []


def test_administrator_with_a_token_of_one_workspace(database: Database) -> None:
    """Nothing beyond that workspace is in their reach."""
    _boss, eve, _vic = team(database)
    root = create_member(database, "root@example.org", role=Role.ADMIN)
    confined = Member(root.user, root.workspace_id, root.roles, is_confined=True)
    clip = send(database, eve)
    with pytest.raises(errors.NotFound):
        look(database, confined, clip)


def test_what_has_no_job_is_not_looked_at(database: Database) -> None:
    """One that is in line, is being fetched, or has ended is refused with the reason."""
    boss, eve, _vic = team(database)
    in_line, fetched, done = (create_generation(database, eve).id for _ in range(3))
    advance(database, fetched, DISPATCHED, SUBMITTING, WAITING, READY_TO_DOWNLOAD, DOWNLOADING)
    finish(database, done)
    codes = []
    for clip in (in_line, fetched, done):
        with pytest.raises(errors.Conflict) as refused:
            look(database, boss, clip)
        codes.append(refused.value.message.code)
    assert codes == ["nothing_to_look_at", "nothing_to_look_at", "already_ended"]


def test_late_clip_is_cancelled_once(database: Database) -> None:
    """The provider is asked to stop it as soon as it can be; pressed twice, by two people, it is asked for once."""
    boss, eve, _vic = team(database)
    root = create_admin(database)
    clip = send(database, eve)
    at_once(lambda: cancel(database, boss, clip), lambda: cancel(database, root, clip))
    cancel(database, boss, clip)
    row = load_generation(clip, database)
    assert row.cancel_requested_at is not None
    assert load_flight(clip, database).next_at <= utc_now()
    assert [act for act, _who, _which in acts(database)] == ["clip.cancelled"]
    with database.read_session() as session:
        told = session.scalars(select(GenerationEvent).where(GenerationEvent.generation_id == clip)).all()
    assert sum(event.message is not None and event.message.code == "cancel_requested" for event in told) == 1


def test_clip_in_line_is_cancelled_by_its_manager_and_its_credits_come_back(database: Database) -> None:
    """Nothing was sent; who presses second reads that it has ended."""
    boss, eve, _vic = team(database)
    clip = create_generation(database, eve).id
    cancel(database, boss, clip)
    assert load_generation(clip, database).status is Status.CANCELLED
    with pytest.raises(errors.Conflict):
        cancel(database, boss, clip)
    assert len(acts(database)) == 1
    assert broken_rules(database) == []


def test_administrator_from_outside_cancels_only_what_is_late(database: Database) -> None:
    """A clip that takes as long as usual is its people's own."""
    _boss, eve, _vic = team(database)
    root = create_admin(database)
    clip = send(database, eve, hours_ago=0.05)
    with pytest.raises(errors.Conflict) as refused:
        cancel(database, root, clip)
    assert refused.value.message.code == "not_late"
    assert load_generation(clip, database).cancel_requested_at is None


def test_what_cancelling_comes_to_is_known_before() -> None:
    """Free while nothing was sent, else as its provider says; nothing can be stopped that is made already."""
    free = watched.cancelling(Status.PENDING, Stage.QUEUED, "modelslab")
    never = watched.cancelling(Status.PROCESSING, Stage.WAITING, "modelslab")
    demo = watched.cancelling(Status.PROCESSING, Stage.WAITING, "demo")
    made = watched.cancelling(Status.PROCESSING, Stage.DOWNLOADING, "demo")
    assert [one.is_possible for one in (free, never, demo, made)] == [True, False, True, False]
    assert [one.meaning.code for one in (free, made)] == ["cancel_is_free", "already_made"]
