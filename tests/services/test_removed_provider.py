"""A vendor that a release took out: its clips stay, nothing breaks because of it, and no credits hang on it."""

from datetime import timedelta
from decimal import Decimal

import pytest

from core import db, errors
from core.billing import ledger
from core.clock import utc_now
from core.db.enums import Role, Stage, Status
from core.db.tables import Generation
from core.generations import commands, lifecycle, unresolved
from core.insights import circuit_breaker, model_stats, provider_status
from core.installation import Installation
from core.worker import claims, poll_results
from core.workspaces.access import Member
from tests.factories.generations import (
    DISPATCHED,
    DOWNLOADING,
    READY_TO_DOWNLOAD,
    SUBMITTING,
    WAITING,
    advance,
    build_output,
    create_generation,
    load_flight,
    load_generation,
    rewrite,
)
from tests.factories.users import create_member, ensure_member

GONE = {"provider": "gone", "model_id": "gone-1", "model_name": "Gone One", "estimated_cost_microusd": 250_000}


@pytest.fixture
def person(installation: Installation) -> Member:
    """Somebody with 10,000 credits in the installation."""
    return create_member(db.default())


def _of_removed(person: Member, *, age: timedelta = timedelta()) -> Generation:
    """An order with a vendor and a model that nobody knows any more."""
    row = create_generation(db.default(), person)
    with db.write_session() as session:
        rewrite(session, Generation.id == row.id, **GONE, created_at=utc_now() - age)
    return load_generation(row.id)


def _looked_at(row: Generation) -> None:
    removed = errors.ProviderRemoved(detail=row.provider)
    poll_results.record([poll_results.PollResult(load_flight(row.id), removed)], poll_seconds=1, words_logged=set())


def test_waiting_job_of_a_removed_provider(installation: Installation, person: Member) -> None:
    """The first look makes it unclear, with the reason; an administrator can then give the credits back."""
    row = _of_removed(person)
    row = advance(db.default(), row.id, DISPATCHED, SUBMITTING, WAITING, provider_job_id="j-1", submitted_at=utc_now())
    _looked_at(row)
    row = load_generation(row.id)
    assert (row.status, row.error_code) == (Status.UNCERTAIN, "provider_removed")
    _looked_at(row)
    assert load_flight(row.id).next_at > utc_now() + timedelta(minutes=4)
    with db.write_session() as session:
        root = ensure_member(session, "root@example.org", signup_credits=0, role=Role.ADMIN)
        assert unresolved.release_hold(session, root, row.id).status is Status.FAILED
    with db.read_session() as session:
        assert ledger.balance(session, person.workspace_id) == ledger.Balance(10_000, 0)


def test_lost_submit_of_a_removed_provider_is_resolved(installation: Installation, person: Member) -> None:
    """An administrator who knows the job can still say so: the wait has an end."""
    row = _of_removed(person)
    advance(db.default(), row.id, DISPATCHED, SUBMITTING, (Status.UNCERTAIN, Stage.SUBMITTING))
    with db.write_session() as session:
        root = ensure_member(session, "root@example.org", signup_credits=0, role=Role.ADMIN)
        found = unresolved.resolve_with_job(session, root, row.id, provider_job_id="j-1")
    assert found.deadline_at is not None


def test_waiting_job_of_a_removed_provider_is_cancelled(installation: Installation, person: Member) -> None:
    """Nobody can be asked to stop, which is a sentence and not "not found"."""
    row = _of_removed(person)
    advance(db.default(), row.id, DISPATCHED, SUBMITTING, WAITING)
    with pytest.raises(errors.Conflict, match="not part of this installation"), db.write_session() as session:
        commands.cancel(session, person, row.id)


@pytest.mark.parametrize(
    ("age", "status"), [(timedelta(minutes=1), Status.PENDING), (timedelta(minutes=11), Status.FAILED)]
)
def test_queued_order_of_a_removed_provider(
    installation: Installation, person: Member, age: timedelta, status: Status
) -> None:
    """It fails after a while (a newer release beside this one may know the vendor); the credits are back."""
    row = _of_removed(person, age=age)
    claims.sweep()
    row = load_generation(row.id)
    assert row.status is status
    with db.read_session() as session:
        held = ledger.balance(session, person.workspace_id).held_credits
    assert held == (0 if status is Status.FAILED else 50)


def test_finished_clip_of_a_removed_provider_is_taken(installation: Installation, person: Member) -> None:
    """Its price and its cost are those of its order, whatever the list says of its model today."""
    row = _of_removed(person)
    row = advance(db.default(), row.id, DISPATCHED, SUBMITTING, WAITING, READY_TO_DOWNLOAD, DOWNLOADING)
    with db.write_session() as session:
        assert lifecycle.complete(session, row, build_output(row.id))
    row = load_generation(row.id)
    assert (row.status, row.credits) == (Status.COMPLETED, 50)
    assert row.provider_cost == Decimal("0.25")


def test_pictures_of_all_providers_when_one_is_removed(installation: Installation, person: Member) -> None:
    """Trouble of a vendor that is gone troubles nobody, and its clips have an estimate of their time."""
    row = _of_removed(person)
    with db.write_session() as session:
        circuit_breaker.record_failure(session, "gone", errors.BadKey(detail="no"))
    with db.read_session() as session:
        assert provider_status.troubles(session) == {}
        shown = provider_status.statuses(session, installation.settings)
        assert "gone" not in [status.provider.name for status in shown]
        assert model_stats.RenderTimeEstimator(session)(row) > 0
