from typing import Any

import pytest
from sqlalchemy import JSON, Column, Integer, MetaData, String, Table, Text, event, func, select, text, update

from core import db, errors
from core.audit import runs
from core.clock import utc_now
from core.db.enums import ErasureState, Role
from core.db.tables import (
    Account,
    AuditLogEntry,
    ClosedPeriod,
    Erasure,
    Generation,
    LedgerEntry,
    Project,
    Upload,
    UsageDay,
    User,
    Workspace,
    WorkspaceMember,
)
from core.db.types import Base, table_of
from core.generations import lifecycle, unresolved
from core.installation import Installation
from core.personal_data import columns, requests, steps
from core.worker import bulk_archives
from core.workspaces import merging, people
from core.workspaces.access import Member
from tests.factories import installations, packs, personal
from tests.factories.books import broken_rules
from tests.factories.generations import (
    DISPATCHED,
    DOWNLOADING,
    READY_TO_DOWNLOAD,
    SUBMITTING,
    WAITING,
    advance,
    build_output,
    create_completed,
    create_generation,
    load_generation,
    lose_submit,
)
from tests.factories.personal import EMAIL, Furnished, found_in_files, found_in_tables, furnish
from tests.factories.users import create_member, ensure_member
from tests.factories.workspaces import create_admin
from tests.postgres import restricted


@pytest.fixture
def world(site: Installation) -> Furnished:
    """Somebody of whom something stands everywhere."""
    return furnish(site)


def ask(world: Furnished) -> None:
    """Ask for it, and let nobody wait."""
    with db.write_session() as session:
        requests.ask(session, world.root, world.gone.id, email=EMAIL)
        requests.begin_now(session, world.gone.id)


def state(user_id: str) -> ErasureState:
    """How far it is."""
    with db.read_session() as session:
        return session.get_one(Erasure, user_id).state


def why_it_waits(world: Furnished) -> str:
    """The code of what keeps the erasure back, as administrators read it."""
    with db.read_session() as session:
        found = requests.standing(session, world.root, world.gone.id)
    assert found is not None
    assert found.error is not None
    return found.error.code


def figures() -> list[str]:
    """All that money is told by, without the names in it."""
    with db.read_session() as session:
        entry, day = LedgerEntry, UsageDay
        booked = (entry.account_id, entry.kind, entry.amount_credits, entry.generation_id, entry.available_after)
        of_clips = (Generation.id, Generation.user_id, Generation.credits, Generation.status, Generation.project_id)
        return [
            repr(row)
            for query in (
                select(entry.id, *booked, entry.created_at).order_by(entry.id),
                select(*table_of(day).columns).order_by(*table_of(day).primary_key.columns),
                select(*of_clips).order_by(Generation.id),
                select(Account.id, Account.available_credits, Account.held_credits).order_by(Account.id),
                select(Project.id, Project.spent_credits).order_by(Project.id),
            )
            for row in session.execute(query)
        ]


def unknown(table: Table) -> set[str]:
    """Columns of a table that can hold a text, and of which nothing is said."""
    known = columns.known(table.name)
    return set() if known is None else personal.texts_of(table) - known


def test_new_column_is_not_forgotten() -> None:
    """A column that somebody adds, to a new table or to one that is known, is found."""
    added = Column("remark", Text), Column("details", JSON), Column("size", Integer), Column("its_id", String(36))
    assert unknown(Table("widgets", MetaData(), *added)) == {"remark", "details"}
    assert unknown(Table("ledger_entries", MetaData(), Column("remark", Text), Column("actor", Text))) == {"remark"}


@pytest.mark.parametrize("table", Base.metadata.sorted_tables, ids=lambda table: table.name)
def test_every_text_is_thought_of(table: Any) -> None:
    """A column that can hold a text is one of which `core.personal_data.columns` says what becomes of it."""
    forgotten = unknown(table)
    assert not forgotten, (
        f"say in core/personal_data/columns.py what becomes of {table.name}: {', '.join(sorted(forgotten))}"
    )
    for said in (columns.SCANNED, columns.BY_HAND, columns.WITHOUT_WORDS):
        assert set(said.get(table.name, ())) <= set(table.columns.keys())


@pytest.mark.both_databases
def test_nothing_of_a_person_is_left_but_the_books(site: Installation, world: Furnished) -> None:
    """Not one planted word in any table or file, the same figures, and every rule holds; what is a team's stays."""
    assert found_in_tables().keys() >= {
        *("users.email", "workspaces.name", "generations.prompt", "ledger_entries.actor", "audit_log.target"),
        *("closed_periods.closed_by", "catalogue_changes.author", "notices.body", "clip_notes.text"),
    }
    assert broken_rules() == []
    ask(world)
    before = figures()

    steps.work_down(site)

    assert state(world.gone.id) is ErasureState.DONE
    assert found_in_tables() == {}
    bulk_archives.remove_expired(site)
    root = site.storage.folder
    assert root is not None
    team_files = [key for key in found_in_files(root) if world.team_clip.id not in key]
    assert team_files == []
    assert figures() == before
    assert broken_rules() == []
    packs.pack(db.default())  # it compares its totals with the ledger
    with db.read_session() as session:
        person = session.get_one(User, world.gone.id)
        assert (person.email, person.name, person.role) == (f"erased-{person.id}", "", Role.USER)
        assert person.erased_at is not None
        own, of_team = (session.get_one(Generation, row.id) for row in (world.own_clip, world.team_clip))
        assert (own.prompt, of_team.prompt) == ("", "")
        assert own.purged_at is not None
        assert of_team.deleted_at is None
        assert of_team.output_key is not None
        assert site.storage.exists(of_team.output_key)
        left = {row.id: row.storage_bytes for row in session.scalars(select(Workspace))}
        assert left[world.gone.id] == 0
        acts = session.scalars(select(AuditLogEntry.action).where(AuditLogEntry.target_id == world.gone.id)).all()
        assert {"person.erasure_asked", "person.erased"} <= set(map(str, acts))
        assert session.scalar(select(func.count()).where(WorkspaceMember.user_id == world.gone.id)) == 0


def test_killed_at_every_commit(site: Installation, world: Furnished) -> None:
    """Whatever step the process ends in, another one goes on; the end is the same, and nothing is done twice."""
    ask(world)
    before, count, deaths = figures(), 0, 0

    def die(_session: object) -> None:
        nonlocal count, deaths
        count += 1
        if count % 3 == 0:
            deaths += 1
            raise SystemExit

    for _life in range(300):
        event.listen(db.WriteSession, "before_commit", die)
        try:
            steps.work_down(site)
        except SystemExit:
            pass
        else:
            break
        finally:
            event.remove(db.WriteSession, "before_commit", die)
        with db.write_session() as session:  # its lease lapses
            live = Erasure.next_at.is_not(None)
            session.execute(update(Erasure).where(live).values(next_at=utc_now()))
    assert deaths > 10
    assert state(world.gone.id) is ErasureState.DONE
    assert found_in_tables() == {}
    assert figures() == before
    assert broken_rules() == []


def test_it_waits_for_what_is_under_way(site: Installation, world: Furnished) -> None:
    """A clip that a vendor makes ends first, an unclear one by a decision; an order that was not sent is cancelled."""
    unclear = lose_submit(db.default(), create_waiting(world.team).id)
    making = create_waiting(world.team)
    advance(db.default(), making.id, DISPATCHED, SUBMITTING, WAITING)
    ask(world)
    steps.work_down(site)
    assert state(world.gone.id) is ErasureState.WAITING
    assert why_it_waits(world) == "erase_waits_for_decision"
    with db.read_session() as session:
        waiting = select(func.count()).where(Generation.user_id == world.gone.id, Generation.status == "pending")
        assert session.scalar(waiting) == 0

    with db.write_session() as session:
        unresolved.release_hold(session, world.root, unclear.id)
    row = advance(db.default(), making.id, READY_TO_DOWNLOAD, DOWNLOADING)
    with db.write_session() as session:
        assert lifecycle.complete(session, row, build_output(row.id))
    with db.write_session() as session:
        requests.begin_now(session, world.gone.id)
    steps.work_down(site)

    assert state(world.gone.id) is ErasureState.DONE
    assert found_in_tables() == {}
    assert broken_rules() == []
    assert load_generation(making.id).credits == making.credits


def create_waiting(member: Member) -> Generation:
    """An order of a planted prompt."""
    return create_generation(db.default(), member, prompt=f"a late {personal.WORD}")


def test_whoever_may_not_be_erased(site: Installation) -> None:
    """Not oneself, not with another address, not by others than administrators, and nobody twice."""
    root, eve = create_admin(db.default()), create_member(db.default(), "eve@example.org")

    def refused(kind: type[errors.AppError], actor: Member, who: Member, email: str) -> None:
        with pytest.raises(kind), db.write_session() as session:
            requests.ask(session, actor, who.id, email=email)

    refused(errors.Conflict, root, root, root.email)
    refused(errors.Forbidden, eve, root, root.email)
    refused(errors.InvalidRequest, root, eve, "ewe@example.org")
    with db.read_session() as session:
        assert requests.plan(session, root, eve.id).email == "eve@example.org"
    with db.write_session() as session:
        first = requests.ask(session, root, eve.id, email="eve@example.org")
    with db.write_session() as session:
        assert requests.ask(session, root, eve.id, email="eve@example.org") == first
        requests.begin_now(session, eve.id)
    with pytest.raises(errors.Conflict), db.write_session() as session:
        people.reactivate(session, root, eve.id)
    steps.work_down(site)
    with db.read_session() as session, pytest.raises(errors.Conflict):
        requests.plan(session, root, eve.id)


def test_somebody_erased_can_come_anew(site: Installation, world: Furnished) -> None:
    """The same address is another person then, who finds nothing of before."""
    ask(world)
    steps.work_down(site)

    with db.write_session() as session:
        anew = ensure_member(session, EMAIL)

    assert anew.id != world.gone.id
    with db.read_session() as session:
        assert session.scalar(select(func.count()).where(Generation.user_id == anew.id)) == 0


@pytest.mark.both_databases
def test_months_are_sealed_anew_and_still_guarded(site: Installation, world: Furnished) -> None:
    """The chain holds over what stands there now, the log says so, and a later change is found; none is sealed over."""
    create_completed(db.default(), world.colleague)
    with db.read_session() as session:
        before = session.get_one(ClosedPeriod, "2026-09").hash
    ask(world)
    steps.work_down(site)

    with db.read_session() as session:
        now = session.get_one(ClosedPeriod, "2026-09")
        assert now.hash != before
        [told] = session.scalars(select(AuditLogEntry).where(AuditLogEntry.action == "period.sealed_anew"))
        assert (told.before, told.after) == ({"hash": before}, {"month": "2026-09", "hash": now.hash})
    with db.write_session() as session:
        first = session.scalar(select(func.min(LedgerEntry.id)))
        session.execute(update(LedgerEntry).where(LedgerEntry.id == first).values(reason="altered"))
    with db.read_session() as session:
        assert "closed_periods" in [found.code for found in runs.run(session) if not found.holds]


def test_books_that_differ_are_not_sealed_over(site: Installation, world: Furnished) -> None:
    """Somebody has to look into them first; until then it waits, and says why."""
    with db.write_session() as session:
        first = session.scalar(select(func.min(LedgerEntry.id)))
        session.execute(update(LedgerEntry).where(LedgerEntry.id == first).values(reason="altered"))
    ask(world)
    steps.work_down(site)

    assert state(world.gone.id) is ErasureState.BOOKS
    assert why_it_waits(world) == "erase_books_differ"


@pytest.mark.both_databases
def test_log_takes_no_other_change(site: Installation, world: Furnished) -> None:
    """Outside of an erasure the database refuses any, and within one all but names."""
    change = text("UPDATE audit_log SET target = 'x'")
    with pytest.raises(Exception, match="never changed"), db.write_session() as session:
        session.execute(change)
    with db.write_session() as session:
        values: dict[str, Any] = {"asked_by": "root", "state": ErasureState.NAMES, "next_at": utc_now()}
        session.add(Erasure(user_id=world.gone.id, **values))
    with pytest.raises(Exception, match="never changed"), db.write_session() as session:
        session.execute(text("UPDATE audit_log SET action = 'x'"))
    with pytest.raises(Exception, match="stays as it is"), db.write_session() as session:
        session.execute(text("UPDATE catalogue_changes SET model_id = 'x'"))


def test_both_addresses_of_one_person_go(site: Installation, world: Furnished) -> None:
    """Who was merged into somebody is erased with them; what was their own workspace is a team's, and stays."""
    other = create_member(db.default(), "z.quillfeather@example.com", credits=5_000)
    clip = create_completed(db.default(), other, prompt=f"another {personal.WORD}")
    with db.write_session() as session:
        merging.merge(session, world.root, gone_id=other.id, into_id=world.gone.id)
    ask(world)
    steps.work_down(site)

    assert {state(world.gone.id), state(other.id)} == {ErasureState.DONE}
    assert found_in_tables() == {}
    assert load_generation(clip.id).deleted_at is None
    assert broken_rules() == []


def test_file_that_a_team_has_too_stays(site: Installation, world: Furnished) -> None:
    """The same bytes have the same key, and the team's picture is not the person's to take along."""
    with db.write_session() as session:
        own = session.scalars(select(Upload).where(Upload.workspace_id == world.gone.id)).one()
        values = {name: getattr(own, name) for name in ("kind", "storage_key", "original_sha256", "size_bytes")}
        session.add(
            Upload(
                **values,
                workspace_id=world.team.workspace_id,
                user_id=world.colleague.id,
                name="a drum",
                file_name="drum.jpg",
                width=1,
                height=1,
            )
        )
    ask(world)
    steps.work_down(site)

    assert site.storage.exists(own.storage_key)


@pytest.mark.only_postgresql
def test_role_that_may_not_change_the_log(site: Installation, world: Furnished, database_url: str) -> None:
    """It does all that it may, says what is missing, and the owner's role does the rest."""
    ask(world)
    with pytest.MonkeyPatch.context() as environ:
        environ.setenv("DATABASE_URL", restricted(database_url))
        steps.work_down(installations.reopen())
        assert state(world.gone.id) is ErasureState.NAMES
        assert why_it_waits(world) == "role_may_not_erase"
    installations.reopen()
    with db.write_session() as session:
        requests.begin_now(session, world.gone.id)
    steps.work_down(site)
    assert state(world.gone.id) is ErasureState.DONE
