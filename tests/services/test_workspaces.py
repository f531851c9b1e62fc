import pytest
from sqlalchemy import select

from core import errors
from core.audit_log import acts
from core.billing import ledger
from core.db import Database
from core.db.enums import EntryKind, WorkspaceKind, WorkspaceRole
from core.db.tables import AuditLogEntry
from core.workspaces import credits as credit_bookings
from core.workspaces import members, workspaces
from core.workspaces.access import Member
from tests.factories.books import broken_rules
from tests.factories.generations import create_completed, create_generation
from tests.factories.users import create_member
from tests.factories.workspaces import create_admin, create_team_of, join, now
from tests.said import codes


@pytest.fixture
def root(database: Database) -> Member:
    """An administrator."""
    return create_admin(database)


@pytest.fixture
def ana(database: Database) -> Member:
    """Somebody with 10,000 credits."""
    return create_member(database)


def last_act(database: Database) -> AuditLogEntry:
    """The newest row of the log of acts."""
    with database.read_session() as session:
        return session.scalars(select(AuditLogEntry).order_by(AuditLogEntry.id.desc()).limit(1)).one()


def test_team_is_made_with_account_and_manager(database: Database, root: Member, ana: Member) -> None:
    """It is empty, its first manager is at work in it, who made it is not, and the log tells of it."""
    with database.write_session() as session:
        team = workspaces.create(session, root, name="  Film   unit ", manager_email="ANA@example.org")

    there = now(database, ana, team.id)
    assert there.roles[team.id] is WorkspaceRole.MANAGER
    with pytest.raises(errors.NotFound):
        now(database, root, team.id)
    with database.read_session() as session:
        found = workspaces.overview(session, there, team.id)
    assert (found.name, found.kind, found.role) == ("Film unit", WorkspaceKind.TEAM, WorkspaceRole.MANAGER)
    assert (found.member_count, found.available_credits, found.spent_credits) == (1, 0, 0)
    act = last_act(database)
    assert (act.action, act.workspace_id, act.after) == (
        "workspace.made",
        team.id,
        {"name": "Film unit", "manager": "ana@example.org"},
    )


@pytest.mark.parametrize(
    ("name", "manager", "field"),
    [
        (" ", None, "name"),
        ("x" * 121, None, "name"),
        ("x\x00", None, "name"),
        ("Film", "nobody@example.org", "managerEmail"),
    ],
)
def test_team_that_cannot_be_made(database: Database, root: Member, name: str, manager: str | None, field: str) -> None:
    """What is wrong is said on its field."""
    with database.write_session() as session, pytest.raises(errors.InvalidRequest) as refused:
        workspaces.create(session, root, name=name, manager_email=manager)

    assert set(refused.value.fields) == {field}


def test_only_administrators_make_teams_and_list_all(database: Database, ana: Member) -> None:
    """Others may neither."""
    with database.write_session() as session:
        with pytest.raises(errors.Forbidden):
            workspaces.create(session, ana, name="Mine")
        with pytest.raises(errors.Forbidden):
            workspaces.list_all(session, ana)


def test_list_own_begins_with_the_personal_one(database: Database, root: Member, ana: Member) -> None:
    """Then come teams by name; what a person is not in is not among them."""
    for name in ("Zebra", "apes"):
        create_team_of(database, ana, name=name)
    create_team_of(database, root, name="Others")

    with database.read_session() as session:
        found = workspaces.list_own(session, now(database, ana))

    assert [each.name for each in found] == ["ana", "apes", "Zebra"]
    assert [each.available_credits for each in found] == [10_000, 10_000, 10_000]


def test_list_all_pages_and_figures(database: Database, root: Member, ana: Member) -> None:
    """Every workspace once, by name, with its people, its balance and what it has spent."""
    team = create_team_of(database, ana, name="Film")
    join(database, ana, team, create_member(database, "ben@example.org"))
    there = now(database, ana, team)
    spent = create_completed(database, there).credits
    held = create_generation(database, there).credits

    pages, after = [], None
    with database.read_session() as session:
        while page := workspaces.list_all(session, root, after_id=after, limit=2):
            pages.append([each.name for each in page])
            after = page[-1].id
        [film] = workspaces.list_all(session, root, search="FIL")

    assert pages == [["ana", "ben"], ["Film", "root"]]
    assert (film.member_count, film.available_credits, film.held_credits, film.spent_credits) == (
        2,
        10_000 - spent - held,
        held,
        spent,
    )


def test_rename_and_archive(database: Database, root: Member, ana: Member) -> None:
    """A manager may; an archived team is nowhere to be seen and refuses changes until an administrator restores it."""
    team = create_team_of(database, ana)
    there = now(database, ana, team)
    with database.write_session() as session:
        workspaces.rename(session, there, team, name="Stills")
        workspaces.archive(session, there, team)
    assert last_act(database).action == "workspace.archived"

    assert team not in now(database, ana).roles
    with database.write_session() as session:
        with pytest.raises(errors.NotFound):
            workspaces.restore(session, root, "0" * 36)
        with pytest.raises(errors.Forbidden):
            workspaces.restore(session, ana, team)
        with pytest.raises(errors.Conflict) as refused:
            members.add(session, root, team, email="root@example.org", role=WorkspaceRole.VIEWER)
        assert codes(refused.value.message) == {"workspace_archived"}
        assert [each.name for each in workspaces.list_all(session, root, archived=True)] == ["Stills"]
        workspaces.restore(session, root, team)
    assert now(database, ana, team).roles[team] is WorkspaceRole.MANAGER


def test_archived_team_finishes_what_is_under_way(database: Database, root: Member, ana: Member) -> None:
    """Its clips go on, its credits stay, and the books are right."""
    team = create_team_of(database, ana)
    there = now(database, ana, team)
    create_generation(database, there)
    with database.write_session() as session:
        workspaces.archive(session, there, team)

    with pytest.raises(errors.NotFound):
        now(database, ana, team)
    assert broken_rules(database) == []


def test_personal_workspace_stays(database: Database, root: Member, ana: Member) -> None:
    """It is neither renamed nor archived, by nobody."""
    with database.write_session() as session:
        for who in (root, ana):
            with pytest.raises(errors.Conflict):
                workspaces.rename(session, who, ana.id, name="Mine")
            with pytest.raises(errors.Conflict):
                workspaces.archive(session, who, ana.id)


def test_grant_books_and_tells(database: Database, root: Member, ana: Member) -> None:
    """Credits and corrections are booked once, to a team as to a person, and written down."""
    team = create_team_of(database, ana, credits=0)
    with database.write_session() as session:
        for _ in range(2):
            booked = credit_bookings.grant(session, root, team, credits=500, reason="Campaign", grant_id="a")
        taken = credit_bookings.grant(session, root, team, credits=-200, reason="Too much", grant_id="b")
        assert ledger.balance(session, team).available_credits == 300

    assert (booked.entry.kind, booked.entry.amount_credits, booked.workspace_name) == (EntryKind.GRANT, 500, "Film")
    assert (taken.entry.kind, taken.entry.amount_credits) == (EntryKind.ADJUST, -200)
    with database.read_session() as session:
        told = session.execute(
            select(AuditLogEntry.action, AuditLogEntry.after).where(AuditLogEntry.action.startswith("credits."))
        )
        assert [tuple(row) for row in told] == [
            ("credits.granted", {"credits": 500, "reason": "Campaign"}),
            ("credits.adjusted", {"credits": -200, "reason": "Too much"}),
        ]


def test_only_administrators_grant(database: Database, ana: Member) -> None:
    """A manager books no credits to the own team, and sees no list of what was booked to others."""
    team = create_team_of(database, ana)
    there = now(database, ana, team)
    with database.write_session() as session:
        with pytest.raises(errors.Forbidden):
            credit_bookings.grant(session, there, team, credits=500, reason="Campaign")
        with pytest.raises(errors.Forbidden):
            credit_bookings.list_bookings(session, there)


def test_transfer_from_ones_own(database: Database, root: Member, ana: Member) -> None:
    """Everybody may give of their own to a team of theirs; both rows say who and why, and the books are right."""
    team = create_team_of(database, ana)
    there = now(database, ana, team)
    with database.write_session() as session:
        for _ in range(2):
            gone, come = credit_bookings.transfer(
                session, there, from_id=ana.id, to_id=team, credits=400, reason="For the film", transfer_id="t"
            )

    assert (gone.entry.amount_credits, gone.workspace_id, gone.entry.available_after) == (-400, ana.id, 9_600)
    assert (come.entry.amount_credits, come.workspace_id, come.entry.available_after) == (400, team, 10_400)
    assert {(each.entry.actor, each.entry.reason) for each in (gone, come)} == {("ana@example.org", "For the film")}
    assert broken_rules(database) == []
    with database.read_session() as session:
        assert [workspaces.overview(session, root, each).spent_credits for each in (ana.id, team)] == [0, 0]
        told = session.execute(
            select(AuditLogEntry.workspace_id, AuditLogEntry.after).where(AuditLogEntry.action == "credits.transferred")
        ).all()
    assert {row.workspace_id for row in told} == {ana.id, team}
    assert told[0].after == {"credits": 400, "reason": "For the film", "from": "ana", "to": "Film"}
    sentence = acts.said_of_kept("credits.transferred", None, told[0].after)
    assert str(sentence) == "Transferred 400 credits from ana to Film"


def test_transfer_that_is_not_theirs_to_make(database: Database, root: Member, ana: Member) -> None:
    """Nobody takes from a team, or gives to where they are not; administrators may do both."""
    ben = create_member(database, "ben@example.org")
    team = create_team_of(database, ana)
    there = now(database, ana, team)

    def move(session: object, who: Member, from_id: str, to_id: str) -> None:
        credit_bookings.transfer(session, who, from_id=from_id, to_id=to_id, credits=1, reason="Take")  # type: ignore[arg-type]  # one of the block

    with database.write_session() as session:
        with pytest.raises(errors.Forbidden):
            move(session, there, team, ana.id)
        with pytest.raises(errors.NotFound):
            move(session, there, ana.id, ben.id)
        with pytest.raises(errors.NotFound):
            move(session, ben, ben.id, team)
        with pytest.raises(errors.InvalidRequest):
            move(session, root, team, team)
        move(session, root, team, ben.id)
        assert ledger.balance(session, ben.id).available_credits == 10_001


def test_bookings_are_listed_newest_first(database: Database, root: Member, ana: Member) -> None:
    """All that people booked, and no movement of a clip, a keyset page at a time; of one workspace where asked."""
    team = create_team_of(database, ana, credits=0)
    there = now(database, ana, team)
    with database.write_session() as session:
        credit_bookings.grant(session, root, team, credits=500, reason="One")
        credit_bookings.transfer(session, there, from_id=ana.id, to_id=team, credits=5, reason="Two")
    create_generation(database, there)

    with database.read_session() as session:
        first = credit_bookings.list_bookings(session, root, limit=2)
        rest = credit_bookings.list_bookings(session, root, before_id=first[-1].entry.id)
        of_team = credit_bookings.list_bookings(session, root, workspace_id=team)

    assert [(each.workspace_name, each.entry.amount_credits) for each in (*first, *rest)] == [
        ("Film", 5),
        ("ana", -5),
        ("Film", 500),
        ("ana", 10_000),
    ]
    assert [each.entry.amount_credits for each in of_team] == [5, 500]
