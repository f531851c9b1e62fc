import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import respx
from sqlalchemy import delete, select, text, update

from core import db, errors
from core.billing import ledger
from core.clock import utc_now
from core.db import Database, identity
from core.db.enums import BudgetMode, BudgetScope, Stage, Status
from core.db.tables import Account, Generation, GenerationEvent, LedgerEntry, Project, User, Workspace, WorkspaceMember
from core.generations import lifecycle
from core.generations.submit import submit
from core.installation import Installation
from core.providers.contract import ProviderJob
from core.usage import budgets, limits
from core.worker import answers, recovery, tasks
from core.worker.journal import Journal
from core.worker.sends import Send
from core.workspaces import members
from core.workspaces.access import Member
from tests.factories import installations
from tests.factories.books import broken_rules
from tests.factories.generations import (
    CONFIGURED,
    DISPATCHED,
    QUOTA_BYTES,
    SUBMITTING,
    WAITING,
    advance,
    build_order,
    create_generation,
    load_generation,
)
from tests.factories.users import create_member

JOB = ProviderJob("j-1", {"status": "processing"})
LATER = errors.ProviderRateLimited(retry_after_seconds=7)


@pytest.fixture
def ana(site: Installation) -> Member:
    """Somebody with credits, in an installation that has been started."""
    recovery.at_start(site)
    return create_member(db.default(), credits=1000)


@pytest.fixture
def journal(site: Installation) -> Journal:
    """The journal of this machine."""
    return recovery.open_journal(site.settings)


def noted(journal: Journal, generation_id: str, outcome: answers.Outcome | None = None, *, attempt: int = 1) -> Send:
    """Let an order have been sent and answered in a life that the database does not know."""
    row = load_generation(generation_id)
    with db.read_session() as session:
        send = recovery.send_of(session, row, identity.of(session), "https://vendor.example")
    send = replace(send, attempt=attempt)
    with journal.sending(send):
        if outcome is not None:
            answers.keep(journal, send, outcome)
    if outcome is not None:
        journal.settled(send)
    return send


def vanish(generation_id: str, *, with_person: bool = False) -> None:
    """Let the database lose an order as if it had never been written; on wish its person and project as well."""
    row = load_generation(generation_id)
    with db.write_session() as session:
        session.execute(delete(GenerationEvent).where(GenerationEvent.generation_id == generation_id))
        session.execute(delete(LedgerEntry).where(LedgerEntry.generation_id == generation_id))
        session.execute(delete(Generation).where(Generation.id == generation_id))
        project = session.get_one(Project, row.project_id)
        project.generation_count -= 1
        limits.give_back(
            session,
            workspace_id=row.workspace_id,
            project_id=row.project_id,
            user_id=row.user_id,
            credits=row.credits,
            month=row.budget_month,
        )
        account = session.scalars(select(Account).where(Account.workspace_id == row.user_id)).one()
        account.available_credits += row.credits
        account.held_credits -= row.credits
        if with_person:
            session.flush()
            session.delete(project)
            session.execute(delete(LedgerEntry).where(LedgerEntry.account_id == account.id))
            session.delete(account)
            session.flush()
            session.execute(delete(WorkspaceMember).where(WorkspaceMember.user_id == row.user_id))
            session.execute(delete(Workspace).where(Workspace.id == row.user_id))
            session.execute(delete(User).where(User.id == row.user_id))


def stand(generation_id: str) -> tuple[Status, Stage, str | None]:
    """Where an order stands, and as which job; the books being right."""
    assert broken_rules() == []
    row = load_generation(generation_id)
    return row.status, row.stage, row.provider_job_id


def test_start_when_nothing_happened(site: Installation, ana: Member) -> None:
    """A start like any other finds nothing to do, and what waits goes on."""
    row = create_generation(db.default(), ana)

    assert recovery.at_start(site) == recovery.Recovered(was_put_back=False, uncertain=0, replayed=0)
    assert stand(row.id) == (Status.PENDING, Stage.QUEUED, None)


@pytest.mark.both_databases
def test_start_when_the_database_lies_elsewhere(site: Installation, ana: Member) -> None:
    """A copy that is put to use takes nothing for unsent: what waits is uncertain, once; the rest goes on."""
    queued, handed, sending, waiting = (create_generation(db.default(), ana).id for _ in range(4))
    advance(db.default(), handed, DISPATCHED)
    advance(db.default(), sending, DISPATCHED, SUBMITTING, attempt=1)
    advance(db.default(), waiting, DISPATCHED, SUBMITTING, WAITING, provider_job_id="j-9")
    with db.write_session() as session:
        identity.arrive(session, "somewhere else")

    assert recovery.at_start(site) == recovery.Recovered(was_put_back=True, uncertain=3, replayed=0)
    assert recovery.at_start(site) == recovery.Recovered(was_put_back=False, uncertain=0, replayed=0)
    for generation_id in (queued, handed, sending):
        assert stand(generation_id) == (Status.UNCERTAIN, Stage.SUBMITTING, None)
    assert stand(waiting) == (Status.PROCESSING, Stage.WAITING, "j-9")
    with db.read_session() as session:
        assert ledger.balance(session, ana.id).held_credits == 200


def test_place_when_the_folder_is_copied(tmp_path: Path, sqlite_template: Path) -> None:
    """However faithfully a folder is copied, the database in the copy has another place; moving it changes nothing."""
    home = tmp_path / "home"
    home.mkdir()
    shutil.copy(sqlite_template, home / "studio.db")
    first = Database(f"sqlite:///{home / 'studio.db'}")
    here = identity.place(first)
    assert identity.place(first) == here
    first.dispose()
    shutil.copytree(home, tmp_path / "copy")
    home.rename(tmp_path / "moved")

    copy, moved = (Database(f"sqlite:///{tmp_path / name / 'studio.db'}") for name in ("copy", "moved"))
    assert identity.place(moved) == here
    assert identity.place(copy) != here
    for database in (copy, moved):
        database.dispose()


@pytest.mark.both_databases
def test_start_when_the_database_is_from_the_past(site: Installation, ana: Member, journal: Journal) -> None:
    """What the journal knows to be sent is never sent again: answers count, and without one it is uncertain."""
    accepted, refused, later, unknown, unsent = (create_generation(db.default(), ana).id for _ in range(5))
    advance(db.default(), accepted, DISPATCHED)
    noted(journal, accepted, JOB)
    noted(journal, refused, errors.ContentRefused(detail="no"))
    noted(journal, later, LATER)
    noted(journal, unknown)

    assert recovery.at_start(site).replayed == 2
    assert stand(accepted) == (Status.PROCESSING, Stage.WAITING, "j-1")
    assert stand(unknown) == (Status.UNCERTAIN, Stage.SUBMITTING, None)
    for generation_id in (refused, later, unsent):  # the vendor surely has nothing of these
        assert stand(generation_id) == (Status.PENDING, Stage.QUEUED, None)


@pytest.mark.both_databases
def test_start_when_a_copy_was_made_amid_a_submit(site: Installation, ana: Member, journal: Journal) -> None:
    """An order that was being sent when the copy was made gets the answer that came afterwards."""
    outcomes: list[answers.Outcome] = [JOB, errors.ContentRefused(detail="no"), LATER]
    rows = [create_generation(db.default(), ana).id for _ in outcomes]
    for generation_id, outcome in zip(rows, outcomes, strict=True):
        noted(journal, generation_id, outcome)
        advance(db.default(), generation_id, DISPATCHED, SUBMITTING, attempt=1)
    recovery.at_start(site)

    assert [stand(generation_id)[:2] for generation_id in rows] == [
        (Status.PROCESSING, Stage.WAITING),
        (Status.FAILED, Stage.FINALIZED),
        (Status.PENDING, Stage.QUEUED),
    ]


@pytest.mark.both_databases
@pytest.mark.parametrize("with_person", [False, True])
def test_start_when_orders_have_vanished(site: Installation, ana: Member, journal: Journal, with_person: bool) -> None:
    """An order that the database has lost is put back as it was ordered, its price held, under its own key."""
    kept = create_generation(db.default(), ana, prompt="a kept lake") if not with_person else None
    lost = create_generation(db.default(), ana, prompt="a lost lake", idempotency_key="one")
    send = noted(journal, lost.id, JOB)
    vanish(lost.id, with_person=with_person)

    assert recovery.at_start(site) == recovery.Recovered(was_put_back=False, uncertain=0, replayed=1)
    assert recovery.at_start(site).replayed == 0
    assert stand(lost.id) == (Status.PROCESSING, Stage.WAITING, "j-1")
    found = load_generation(lost.id)
    assert (found.spec, found.quote, found.attempt) == (lost.spec, lost.quote, send.attempt)
    assert found.created_at == lost.created_at
    with db.write_session() as session:
        person = session.get_one(User, found.user_id)
        assert person.email == ana.email
        held_credits = ledger.balance(session, person.id).held_credits
        assert held_credits == lost.credits * (1 if kept is None else 2)
        order = build_order(lost.project_id, prompt="a lost lake")
        ana = members.at_work(session, person)
        again = submit(session, ana, order, configured=CONFIGURED, quota_bytes=QUOTA_BYTES, idempotency_key="one")
    assert again.id == lost.id


def test_start_when_the_sample_company_was_removed(site: Installation, ana: Member, journal: Journal) -> None:
    """An order that was made in it went with it: neither it nor its person comes back."""
    lost = create_generation(db.default(), ana, prompt="a sample lake")
    with db.write_session() as session:
        session.execute(update(Workspace).where(Workspace.id == ana.workspace_id).values(is_sample=True))
    noted(journal, lost.id, JOB)
    vanish(lost.id, with_person=True)

    assert recovery.at_start(site) == recovery.Recovered(was_put_back=False, uncertain=0, replayed=0)
    with db.read_session() as session:
        assert session.get(Generation, lost.id) is None
        assert session.scalar(select(User).where(User.email == ana.email)) is None


def test_start_when_a_lost_order_was_repeated(site: Installation, ana: Member, journal: Journal) -> None:
    """A repetition under the same key that came before the loss was noticed stands for the order, and is not sent."""
    lost = create_generation(db.default(), ana, idempotency_key="one")
    noted(journal, lost.id, JOB)
    vanish(lost.id)
    again = create_generation(db.default(), ana, project_id=lost.project_id, idempotency_key="one")
    recovery.at_start(site)

    assert stand(again.id) == (Status.PROCESSING, Stage.WAITING, "j-1")
    recovery.at_start(site)
    with db.read_session() as session:
        assert session.scalars(select(Generation.id)).all() == [again.id]


def test_start_when_a_lost_order_was_sent_twice(site: Installation, ana: Member, journal: Journal) -> None:
    """A repetition that another machine has sent already is a second purchase, and the first is put back beside it."""
    lost = create_generation(db.default(), ana, idempotency_key="one")
    noted(journal, lost.id, JOB)
    vanish(lost.id)
    again = create_generation(db.default(), ana, project_id=lost.project_id, idempotency_key="one")
    advance(db.default(), again.id, DISPATCHED, SUBMITTING, WAITING, attempt=1, provider_job_id="j-2")
    recovery.at_start(site)

    assert stand(again.id)[2] == "j-2"
    assert stand(lost.id)[2] == "j-1"


def test_start_when_a_lost_order_was_never_taken(site: Installation, ana: Member, journal: Journal) -> None:
    """An order that vanished and that its provider surely does not have is left alone: nothing was bought."""
    lost = create_generation(db.default(), ana)
    noted(journal, lost.id, LATER)
    vanish(lost.id)

    assert recovery.at_start(site).replayed == 0


def test_start_when_the_journal_has_forgotten(site: Installation, ana: Member, journal: Journal) -> None:
    """Where the database is older than what the journal remembers, everything that waits is uncertain."""
    ended, newest, waits = (create_generation(db.default(), ana).id for _ in range(3))
    noted(journal, ended, JOB)
    with db.read_session() as session:
        assert journal.prune(identity.of(session), set, limit_bytes=0) == 1
    with db.write_session() as session:
        session.execute(text("UPDATE generation_events SET at = :at"), {"at": "2020-01-01 00:00:00.000000"})
    noted(journal, newest, JOB)

    assert recovery.at_start(site) == recovery.Recovered(was_put_back=False, uncertain=3, replayed=1)
    assert stand(waits)[0] is Status.UNCERTAIN
    assert stand(newest) == (Status.PROCESSING, Stage.WAITING, "j-1")


def test_start_when_it_is_another_installation(site: Installation, ana: Member, journal: Journal) -> None:
    """What another installation has sent from the same folder is none of ours."""
    row = create_generation(db.default(), ana)
    send = noted(journal, row.id)
    with journal.sending(replace(send, installation_id="another", generation_id="g-2")):
        pass
    journal.settled(send)
    vanish(row.id)
    with db.write_session() as session:
        session.execute(text("UPDATE installation SET id = 'third'"))

    assert recovery.at_start(site).replayed == 0


@respx.mock
def test_submit_when_it_was_sent_before(ana: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker asks the journal before it sends, so that a database exchanged under it buys nothing twice."""
    monkeypatch.setenv("MODELSLAB_API_KEY", "k")
    site = installations.reopen()
    row = create_generation(db.default(), ana, model_id="seedance-t2v")
    noted(recovery.open_journal(site.settings), row.id, JOB)
    advance(db.default(), row.id, DISPATCHED)
    tasks.submit(row.id)  # respx knows no address, so that a call would fail

    assert stand(row.id) == (Status.PROCESSING, Stage.WAITING, "j-1")


@respx.mock
def test_submit_when_it_cannot_be_noted(ana: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is sent that the journal cannot note: the order goes back into the line."""
    monkeypatch.setenv("MODELSLAB_API_KEY", "k")
    site = installations.reopen()
    row = create_generation(db.default(), ana, model_id="seedance-t2v")
    advance(db.default(), row.id, DISPATCHED)
    (site.settings.data_dir / "journal" / f"{row.id}.sending").mkdir()  # no file can be made in its place
    tasks.submit(row.id)

    found = load_generation(row.id)
    assert (found.status, found.stage, found.error_code) == (Status.PENDING, Stage.QUEUED, "provider_busy")
    assert found.error is not None
    assert found.error.code == "cannot_note_send"


@pytest.mark.both_databases
def test_answer_of_a_dead_process_is_taken_up(site: Installation, ana: Member, journal: Journal) -> None:
    """Answers whose process died before they were written are carried out, also after it was called uncertain."""
    outcomes: list[answers.Outcome | None] = [JOB, LATER, errors.ContentRefused(detail="no"), None]
    rows = [create_generation(db.default(), ana).id for _ in outcomes]
    for generation_id, outcome in zip(rows, outcomes, strict=True):
        advance(db.default(), generation_id, DISPATCHED)
        with db.read_session() as session:
            row = load_generation(generation_id)
            send = recovery.send_of(session, row, identity.of(session), "https://vendor.example")
        advance(db.default(), generation_id, SUBMITTING, attempt=1)
        with journal.sending(send):
            recovery.take_up(site, journal)
            assert stand(generation_id)[1] is Stage.SUBMITTING
            if outcome is not None:
                answers.keep(journal, send, outcome)
    recovery.take_up(site, journal)
    recovery.take_up(site, journal)

    assert [stand(generation_id) for generation_id in rows] == [
        (Status.PROCESSING, Stage.WAITING, "j-1"),
        (Status.PENDING, Stage.QUEUED, None),
        (Status.FAILED, Stage.FINALIZED, None),
        (Status.UNCERTAIN, Stage.SUBMITTING, None),
    ]
    assert journal.unsettled(journal.find(rows[0]).installation_id) == []  # type: ignore[union-attr]


def test_lease_of_a_living_process(site: Installation, ana: Member, journal: Journal) -> None:
    """While a process of this machine has an order in hand, its lease does not run out for want of the database."""
    row = create_generation(db.default(), ana)
    advance(db.default(), row.id, DISPATCHED, SUBMITTING, attempt=1, next_at=utc_now())
    with db.read_session() as session:
        send = recovery.send_of(session, row, identity.of(session), "https://vendor.example")
    with journal.sending(send):
        recovery.take_up(site, journal)
        assert (load_generation(row.id).next_at or utc_now()) > utc_now()


@pytest.mark.parametrize(
    "outcome",
    [
        JOB,
        LATER,
        errors.ProviderRateLimited(),
        errors.BadKey(detail="who?"),
        errors.InvalidInput(field="prompt", detail="\ud800"),
        errors.SubmitUncertain(detail="ReadTimeout"),
    ],
)
def test_outcome_as_it_is_kept(journal: Journal, ana: Member, outcome: answers.Outcome) -> None:
    """An answer that is read back from the journal means what it meant."""
    row = create_generation(db.default(), ana)
    noted(journal, row.id, outcome)
    send = journal.find(row.id)
    assert send is not None
    found = answers.from_json(send.outcome)

    assert (type(found), answers.taken(found)) == (type(outcome), send.taken)
    if isinstance(outcome, ProviderJob):
        assert found == outcome
    else:
        assert isinstance(found, errors.ProviderError)
        assert (found.code, found.message, found.detail) == (outcome.code, outcome.message, outcome.detail)


@pytest.mark.both_databases
def test_answer_that_no_database_takes(site: Installation, ana: Member, journal: Journal) -> None:
    """An answer with values that cannot be written leaves it uncertain, the job id where an administrator looks."""
    row = create_generation(db.default(), ana)
    with db.read_session() as session:
        send = recovery.send_of(session, row, identity.of(session), "https://vendor.example")
    advance(db.default(), row.id, DISPATCHED, SUBMITTING, attempt=1)
    with journal.sending(send):
        answers.record(journal, send, ProviderJob("j-77\ud800", {}))

    assert stand(row.id)[:2] == (Status.UNCERTAIN, Stage.SUBMITTING)
    assert "j-77" in (load_generation(row.id).error_detail or "")


def test_order_that_is_put_back_counts_against_budgets(site: Installation, ana: Member, journal: Journal) -> None:
    """What was sent cannot be refused any more: it counts in its month although a budget stops, and leaves it again."""
    lost = create_generation(db.default(), ana)
    noted(journal, lost.id, JOB)
    vanish(lost.id)
    with db.write_session() as session:
        budgets.set_limit(
            session, ana, BudgetScope.WORKSPACE, ana.workspace_id, credits=lost.credits - 1, mode=BudgetMode.STOP
        )

    recovery.at_start(site)

    row = load_generation(lost.id)
    assert (row.status, row.budget_month) == (Status.PROCESSING, lost.budget_month)
    [found] = standings(ana)
    assert (found.taken_credits, found.month) == (lost.credits, lost.budget_month)
    with db.write_session() as session:
        locked = lifecycle.locked(session, lost.id)
        assert locked is not None
        assert lifecycle.fail(session, locked, errors.GenerationFailed())
    [found] = standings(ana)
    assert found.taken_credits == 0
    assert broken_rules() == []


def standings(person: Member) -> Sequence[limits.Limit]:
    """The budgets that an order of this person counts against now."""
    with db.read_session() as session:
        return limits.of_order(
            session, workspace_id=person.workspace_id, project_id=None, user_id=person.id, at=utc_now()
        )
