"""What waits in the workspaces that somebody manages, and of those of everybody: whose rows each of them sees."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, update

from core import errors
from core.clock import utc_now
from core.db import Database
from core.db.enums import BudgetMode, BudgetScope, Status, WorkspaceRole
from core.db.tables import Budget, BudgetMonth, Generation, Workspace
from core.generations import under_way, unresolved
from core.generations.under_way import Wanted
from core.insights import attention, nearly_used_up
from core.insights.attention import EVERYTHING, Attention
from core.installation import Installation
from core.usage import budgets
from core.workspaces.access import Charge, Member
from tests.factories.generations import (
    DISPATCHED,
    SUBMITTING,
    WAITING,
    advance,
    create_generation,
    lose_submit,
    rewrite,
)
from tests.factories.users import create_member
from tests.factories.workspaces import create_admin, create_team, create_team_of

pytestmark = pytest.mark.both_databases


def waits(database: Database, charge: Charge, **marks: int) -> Attention:
    """What waits now."""
    with database.read_connection() as reader:
        return attention.waiting(reader, charge, **marks)


def team(database: Database, name: str) -> tuple[Member, Member]:
    """The manager and a maker of a team."""
    people = (
        (create_member(database, f"boss-{name}@example.org"), WorkspaceRole.MANAGER),
        (create_member(database, f"eve-{name}@example.org"), WorkspaceRole.MAKER),
    )
    boss, eve = create_team(database, *people, name=name)
    return boss, eve


def be_late(database: Database, person: Member) -> Generation:
    """A clip that its provider has had for two hours."""
    row = create_generation(database, person)
    advance(database, row.id, DISPATCHED, SUBMITTING, WAITING)
    then = utc_now() - timedelta(hours=2)
    with database.write_session() as session:
        rewrite(session, Generation.id == row.id, submitted_at=then, created_at=then)
    return row


def test_charge_is_what_somebody_manages(database: Database) -> None:
    """Their own workspace and the teams that they manage; the whole installation is for who runs it."""
    boss, eve = team(database, "Lakes")
    assert set(Charge.of_manager(boss).workspace_ids or ()) == {boss.id, boss.workspace_id}
    assert Charge.of_manager(eve).workspace_ids == (eve.id,)
    for person in (boss, eve):
        with pytest.raises(errors.Forbidden):
            Charge.of_operator(person)
    root = create_admin(database)
    assert Charge.of_operator(root).is_everything
    confined = Member(root.user, root.workspace_id, root.roles, is_confined=True)
    with pytest.raises(errors.Forbidden):
        Charge.of_operator(confined)


def test_managers_see_what_waits_in_their_workspaces_and_nothing_else(database: Database) -> None:
    """Unclear and late clips of everybody there, with whose they are; who runs the installation sees all of it."""
    (boss, eve), (other, zoe) = team(database, "Lakes"), team(database, "Hills")
    unclear = lose_submit(database, create_generation(database, eve).id)
    late = be_late(database, eve)
    lose_submit(database, create_generation(database, zoe).id)
    be_late(database, zoe)

    found = waits(database, Charge.of_manager(boss))
    assert (found.unclear_clips, [one.id for one in found.line.late], found.count) == (1, [late.id], 2)
    assert waits(database, Charge.of_manager(other)).count == 2
    assert waits(database, Charge.of_manager(eve)) == Attention(0, ())
    everything = waits(database, EVERYTHING)
    assert (everything.unclear_clips, len(everything.line.late)) == (2, 2)

    with database.read_session() as session:
        [case] = unresolved.cases_of(session, Charge.of_manager(boss))
        assert len(unresolved.cases_of(session, EVERYTHING)) == 2
        assert unresolved.cases_of(session, Charge.of_manager(eve)) == []
    assert (case.row.id, case.workspace) == (unclear.id, "Lakes")
    assert "eve-lakes@example.org" in case.person


def test_who_manages_nothing_waits_for_nothing(database: Database) -> None:
    """An empty charge covers no row."""
    _boss, eve = team(database, "Lakes")
    lose_submit(database, create_generation(database, eve).id)
    be_late(database, eve)
    assert waits(database, Charge(()), quota_bytes=1, low_credits=10**9) == Attention(0, ())
    with database.read_session() as session:
        assert under_way.counts(session, Charge(())) == []
        assert under_way.page(session, Charge(()), limit=10) == []


def test_budgets_that_are_nearly_used_up(database: Database) -> None:
    """From 80 % on for managers, and where they are used up for who runs the installation, too."""
    boss, eve = team(database, "Lakes")
    clip = create_generation(database, eve)  # 50 credits
    for credits, mode, percent, stops in (
        (63, BudgetMode.STOP, None, False),
        (62, BudgetMode.STOP, 80, False),
        (51, BudgetMode.WARN, 98, False),
        (50, BudgetMode.WARN, 100, False),
        (50, BudgetMode.STOP, 100, True),
        (40, BudgetMode.WARN, 125, False),
    ):
        with database.write_session() as session:
            budgets.set_limit(session, boss, BudgetScope.PROJECT, clip.project_id, credits=credits, mode=mode)
        found = waits(database, Charge.of_manager(boss))
        told = [(one.percent, one.is_stopped, one.taken_credits, one.subject_id) for one in found.budgets]
        assert told == ([] if percent is None else [(percent, stops, 50, clip.project_id)]), credits
        assert found.count == len(told)
        assert len(waits(database, EVERYTHING).budgets) == ((percent or 0) >= 100)
    assert waits(database, Charge.of_manager(eve)).budgets == ()


def test_budgets_are_of_the_month_of_their_workspace(database: Database) -> None:
    """It is December in Jakarta while it is November in UTC: what November took says nothing of December."""
    jakarta, utc = (create_team_of(database, create_member(database, f"{n}@example.org"), name=n) for n in "ab")
    with database.write_session() as session:
        session.execute(update(Workspace).where(Workspace.id == jakarta).values(time_zone="Asia/Jakarta"))
        for team_id in (jakarta, utc):
            key = {"workspace_id": team_id, "scope": BudgetScope.WORKSPACE, "subject_id": team_id}
            session.execute(insert(Budget).values(**key, limit_credits=100, mode=BudgetMode.STOP))
            session.execute(insert(BudgetMonth).values(**key, month="2026-11", taken_credits=100))

    def found(at: datetime) -> set[str]:
        with database.read_connection() as reader:
            return {one.workspace_id for one in nearly_used_up.budgets(reader, EVERYTHING, at, percent=80)}

    assert found(datetime(2026, 11, 30, 16, 59, tzinfo=UTC)) == {jakarta, utc}
    assert found(datetime(2026, 11, 30, 17, 0, tzinfo=UTC)) == {utc}
    assert found(datetime(2026, 12, 1, 0, 0, tzinfo=UTC)) == set()


def test_storage_that_is_nearly_full_waits(database: Database) -> None:
    """From 90 % of the quota on; of teams that are out of use nothing is told."""
    boss, _eve = team(database, "Lakes")
    for kept, is_told in ((89, False), (90, True), (120, True)):
        with database.write_session() as session:
            session.execute(update(Workspace).where(Workspace.id == boss.workspace_id).values(storage_bytes=kept))
        for charge in (Charge.of_manager(boss), EVERYTHING):
            told = [(one.workspace_id, one.percent) for one in waits(database, charge, quota_bytes=100).storages]
            assert told == ([(boss.workspace_id, kept)] if is_told else [])
    with database.write_session() as session:
        session.execute(update(Workspace).values(archived_at=utc_now()))
    assert waits(database, EVERYTHING, quota_bytes=100).storages == ()


def test_few_credits_wait_where_there_is_work(database: Database) -> None:
    """Of a workspace that nobody works in nothing is told, however little it has; others' balances are no manager's."""
    boss, eve = team(database, "Lakes")
    mine = Charge.of_manager(boss)
    assert waits(database, mine, low_credits=20_000).few_credits == ()
    clip = create_generation(database, eve)
    assert [one.workspace_id for one in waits(database, mine, low_credits=20_000).few_credits] == [boss.workspace_id]
    assert waits(database, mine, low_credits=9_950).few_credits == ()
    assert waits(database, EVERYTHING, low_credits=20_000).few_credits == ()
    assert waits(database, Charge.of_manager(eve), low_credits=20_000).few_credits == ()
    with database.write_session() as session:
        old = utc_now() - timedelta(days=31)
        rewrite(session, Generation.id == clip.id, created_at=old)
    assert waits(database, mine, low_credits=20_000).few_credits == ()


def test_settings_say_what_is_much_and_little(database: Database, installation: Installation) -> None:
    """Quota and low balance are those of the installation; a manager is told nothing of its disk."""
    settings = installation.settings
    boss, eve = team(database, "Lakes")
    create_generation(database, eve)
    with database.write_session() as session:
        session.execute(update(Workspace).values(storage_bytes=settings.storage_quota_bytes))
    with database.read_connection() as reader:
        found = attention.look(reader, settings, Charge.of_manager(boss))
    assert len(found.storages) == 2
    assert not found.is_disk_nearly_full


def test_queue_of_everybody_and_of_a_manager(database: Database) -> None:
    """The oldest first, a page at a time, whose and where; a manager has those of their workspaces."""
    (boss, eve), (_other, zoe) = team(database, "Lakes"), team(database, "Hills")
    rows = [create_generation(database, person) for person in (eve, zoe, eve)]
    late = be_late(database, zoe)
    with database.read_session() as session:
        ids = []
        after = ""
        while found := under_way.page(session, EVERYTHING, after_id=after, limit=2):
            ids += [one.id for one in found]
            after = found[-1].id
        assert ids == [late.id, *(row.id for row in rows)]
        mine = under_way.page(session, Charge.of_manager(boss), limit=10)
        assert [(one.id, one.workspace, one.person) for one in mine] == [
            (row.id, "Lakes", "eve-lakes") for row in (rows[0], rows[2])
        ]
        assert [(one.status, one.count) for one in under_way.counts(session, Charge.of_manager(boss))] == [
            (Status.PENDING, 2)
        ]
        with pytest.raises(errors.NotFound):
            under_way.page(session, Charge.of_manager(boss), after_id=rows[1].id, limit=10)


@pytest.mark.parametrize(
    ("wanted", "number"),
    [
        (Wanted(), 3),
        (Wanted(status=Status.PROCESSING), 1),
        (Wanted(provider="demo"), 3),
        (Wanted(provider="modelslab"), 0),
        (Wanted(words="hills"), 2),
        (Wanted(words=" EVE "), 1),
        (Wanted(words="zoe", status=Status.PENDING), 1),
        (Wanted(words="%"), 0),
    ],
)
def test_queue_is_narrowed_down(database: Database, wanted: Wanted, number: int) -> None:
    """By provider, state, and words in the names of person, workspace and project."""
    (_boss, eve) = team(database, "Lakes")
    people = (create_member(database, "zoe@example.org"), WorkspaceRole.MAKER)
    [zoe] = create_team(database, people, name="Hills")
    create_generation(database, eve)
    create_generation(database, zoe)
    be_late(database, zoe)
    with database.read_session() as session:
        assert len(under_way.page(session, EVERYTHING, wanted, limit=10)) == number
