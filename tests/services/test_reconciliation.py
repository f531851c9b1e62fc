"""Whose a job in a provider's list is, and what it means when there is none or more than one."""

import threading
from collections.abc import Sequence
from datetime import timedelta

import pytest

from core import errors
from core.billing import ledger
from core.clock import utc_now
from core.db import Database
from core.db.enums import Role, Stage, Status
from core.db.tables import Generation
from core.generations import lifecycle, reconciliation, unresolved
from core.messages import message
from core.providers.contract import JobMatches, ProviderJob
from core.worker import answers, poll_results
from core.worker.sends import Send
from core.workspaces.access import Member
from tests.factories.generations import (
    DISPATCHED,
    SUBMITTING,
    WAITING,
    advance,
    create_generation,
    load_flight,
    lose_submit,
)
from tests.factories.users import ensure_member

LONG_AGO = reconciliation.LATE_ARRIVAL_WINDOW + timedelta(seconds=1)
FOUND = (Status.PROCESSING, Stage.WAITING)
STILL = (Status.UNCERTAIN, Stage.SUBMITTING)
GONE = (Status.FAILED, Stage.FINALIZED)


def shown(*job_ids: str) -> Sequence[ProviderJob]:
    """Jobs as a provider's list shows them."""
    return [ProviderJob(job_id, {"id": job_id}) for job_id in job_ids]


def settle(database: Database, row: Generation, found: JobMatches) -> Generation:
    """Settle it as the dispatcher does; the row afterwards."""
    with database.write_session() as session:
        reconciliation.lock_providers(session, [row.provider])
        reconciliation.reconcile(session, row, found)
    return now(database, row.id)


def now(database: Database, generation_id: str) -> Generation:
    """A row as it is now."""
    with database.read_session() as session:
        found = session.get(Generation, generation_id)
        assert found is not None
        return found


def place(row: Generation) -> tuple[Status, Stage]:
    """Where it stands."""
    return row.status, row.stage


@pytest.mark.parametrize(
    ("found", "ago", "expected"),
    [
        (JobMatches(exact=shown("j1")), timedelta(), FOUND),
        (JobMatches(exact=shown("j1"), candidates=shown("j2")), LONG_AGO, FOUND),
        (JobMatches(exact=shown("j1"), complete=False), LONG_AGO, FOUND),
        (JobMatches(exact=shown("j1", "j2")), LONG_AGO, STILL),
        (JobMatches(candidates=shown("j1")), LONG_AGO, STILL),
        (JobMatches(), LONG_AGO, GONE),
        (JobMatches(), timedelta(), STILL),
        (JobMatches(complete=False), LONG_AGO, STILL),
    ],
)
def test_settle(
    database: Database, person: Member, found: JobMatches, ago: timedelta, expected: tuple[Status, Stage]
) -> None:
    """One sure job is waited for; a whole list without one, long enough after, gives the credits back."""
    row = settle(database, lose_submit(database, create_generation(database, person).id, ago=ago), found)
    with database.read_session() as session:
        held = ledger.balance(session, person.workspace_id).held_credits
    assert place(row) == expected
    assert held == (0 if expected == GONE else row.credits)
    assert row.provider_job_id == ("j1" if expected == FOUND else None)
    assert expected == GONE or load_flight(row.id, database).next_at > utc_now() - timedelta(seconds=5)


def test_settle_tells_administrators_what_it_may_be(database: Database, person: Member) -> None:
    """The jobs that may be it stand before what broke, once, and go when only one of them is left."""
    row = lose_submit(database, create_generation(database, person).id, ago=LONG_AGO)
    row = settle(database, row, JobMatches(exact=shown("j1", "j2"), candidates=shown("j3")))
    row = settle(database, row, JobMatches(exact=shown("j1", "j2"), candidates=shown("j3")))
    assert row.error_detail == "It may be one of these jobs: j1, j2, j3\nReadTimeout"
    with database.read_session() as session:
        assert [listed.error_detail for listed in unresolved.list_unresolved(session)] == [row.error_detail]

    found = settle(database, row, JobMatches(exact=shown("j1")))
    assert (place(found), found.error_detail) == (FOUND, None)


@pytest.mark.parametrize("ended", [False, True])
def test_settle_leaves_out_what_belongs_to_another(database: Database, person: Member, ended: bool) -> None:
    """A job that another generation has, under way or over, is not this one's; with none left it was never received."""
    other = create_generation(database, person)
    other = advance(database, other.id, DISPATCHED, SUBMITTING, WAITING, provider_job_id="j1")
    if ended:
        with database.write_session() as session:
            assert lifecycle.fail(session, other, errors.GenerationFailed())
    row = lose_submit(database, create_generation(database, person).id, ago=LONG_AGO)

    assert place(settle(database, row, JobMatches(exact=shown("j1")))) == GONE


def test_settle_while_the_same_words_are_being_sent(database: Database, person: Member) -> None:
    """A job may be that of an order with the same words whose answer is still to come, so it is not taken yet."""
    row = lose_submit(database, create_generation(database, person).id, ago=LONG_AGO)
    twin = advance(database, create_generation(database, person).id, DISPATCHED, SUBMITTING)
    assert place(settle(database, row, JobMatches(exact=shown("j1")))) == STILL
    advance(database, twin.id, WAITING, provider_job_id="j1")

    assert place(settle(database, row, JobMatches(exact=shown("j1")))) == GONE


def test_settle_when_it_was_settled_meanwhile(database: Database, person: Member) -> None:
    """What another dispatcher or an administrator has decided since the look began is not decided again."""
    row = lose_submit(database, create_generation(database, person).id, ago=LONG_AGO)
    settle(database, row, JobMatches(exact=shown("j1")))
    for late in (JobMatches(), JobMatches(exact=shown("j2")), JobMatches(candidates=shown("j3"))):
        found = settle(database, row, late)
        assert (place(found), found.provider_job_id, found.error_detail) == (FOUND, "j1", None)


@pytest.mark.both_databases
def test_settle_twice_at_once(database: Database, person: Member) -> None:
    """Two dispatchers that see the same job for two orders with the same words give it to one of them only."""
    for attempt in range(5):
        job = f"j{attempt}"
        rows = [lose_submit(database, create_generation(database, person).id, ago=LONG_AGO) for _ in range(2)]
        start = threading.Barrier(2)

        def dispatch(row: Generation, job: str = job, start: threading.Barrier = start) -> None:
            start.wait()
            settle(database, row, JobMatches(exact=shown(job)))

        threads = [threading.Thread(target=dispatch, args=(row,)) for row in rows]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert sorted(place(now(database, row.id)) for row in rows) == sorted([FOUND, GONE])
        assert {now(database, row.id).provider_job_id for row in rows} == {job, None}


def test_found_by_an_administrator_when_it_is_taken(database: Database, person: Member) -> None:
    """An administrator cannot give one job to two generations either."""
    first, second = (lose_submit(database, create_generation(database, person).id) for _ in range(2))
    with database.write_session() as session:
        root = ensure_member(session, "root@example.org", signup_credits=0)
        root.user.role = Role.ADMIN
    with database.write_session() as session:
        unresolved.resolve_with_job(session, root, first.id, provider_job_id="j1")
    with database.write_session() as session, pytest.raises(errors.Conflict) as refused:
        unresolved.resolve_with_job(session, root, second.id, provider_job_id="j1")
    assert refused.value.message == message("job_of_another", job_id="j1")
    assert place(now(database, second.id)) == STILL


def test_sent_at_when_it_was_sent_twice(database: Database, person: Member) -> None:
    """The search is about the last submit, the only one that may have arrived."""
    row = create_generation(database, person)
    advance(database, row.id, DISPATCHED, SUBMITTING, (Status.PENDING, Stage.QUEUED))
    before = utc_now()
    row = lose_submit(database, row.id)
    with database.read_session() as session:
        assert before <= reconciliation.sent_at(session, row) <= utc_now()


def test_submit_that_ends_after_its_job_was_given_away(installation: object) -> None:
    """A worker that wakes late and finds its job taken leaves its generation uncertain; nobody has the job twice."""
    from core import db

    with db.write_session() as session:
        person = ensure_member(session, "ana@example.org", signup_credits=1000)
    late = advance(db.default(), create_generation(db.default(), person).id, DISPATCHED, SUBMITTING)
    twin = lose_submit(db.default(), create_generation(db.default(), person, prompt="another lake").id, ago=LONG_AGO)
    assert place(settle(db.default(), twin, JobMatches(exact=shown("j1")))) == FOUND
    send = Send("here", late.id, late.provider, late.attempt, utc_now(), {})
    with db.write_session() as session:
        answers.apply(session, send, ProviderJob("j1"))

    row = now(db.default(), late.id)
    assert (place(row), row.provider_job_id) == (STILL, None)
    assert "j1 belongs to another" in (row.error_detail or "")


def test_write_looks_of_a_list(installation: object) -> None:
    """Looks at lost submits are settled in one transaction, so that the second sees what the first was given."""
    from core import db

    with db.write_session() as session:
        person = ensure_member(session, "ana@example.org", signup_credits=1000)
    rows = [lose_submit(db.default(), create_generation(db.default(), person).id, ago=LONG_AGO) for _ in range(2)]
    looks = [poll_results.PollResult(load_flight(row.id), JobMatches(exact=shown("j1"))) for row in rows]
    poll_results.record(looks, poll_seconds=2, words_logged=set())

    assert [place(now(db.default(), row.id)) for row in rows] == [FOUND, GONE]
