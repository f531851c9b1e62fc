import pytest
from sqlalchemy import event

from core.db import Database
from core.db.enums import WorkspaceRole
from core.db.tables import User
from core.workspaces import profiles
from tests.factories.generations import create_generation
from tests.factories.users import create_member
from tests.factories.workspaces import create_team

pytestmark = pytest.mark.both_databases  # names are put together by SQL


def test_names_of_people_with_one_name(database: Database) -> None:
    """Who shares a name with somebody, or has none, is called by their address; everybody else by their name."""
    ana, ben, eve = (create_member(database, f"{name}@example.org") for name in ("ana", "ben", "eve"))
    other = create_member(database, "ana@example.com")
    with database.write_session() as session:
        session.get_one(User, eve.id).name = ""

    with database.read_session() as session:
        found = profiles.people(session, [ana.id, ben.id, eve.id])

    assert {profile.name for profile in found.values()} == {"ana@example.org", "ben", "eve@example.org"}
    assert other.id not in found


def test_names_of_many_are_one_look(database: Database) -> None:
    """However many people stand on a page, their names are asked for once."""
    people = [create_member(database, f"p{number}@example.org").id for number in range(30)]
    asked: list[str] = []
    event.listen(database.read_engine, "before_cursor_execute", lambda *given: asked.append(given[2]))

    with database.read_session() as session:
        found = profiles.people(session, [*people, *people])

    assert set(found) == set(people)
    assert sum("users" in statement for statement in asked) == 1


def test_names_of_workspaces_are_told_apart(database: Database) -> None:
    """A personal workspace is called as its person, the second team of a name has a number, whatever is beside it."""
    ana, ben = create_member(database), create_member(database, "ben@example.org")
    (first,) = create_team(database, (ana, WorkspaceRole.MAKER), name="Lakes")
    (second,) = create_team(database, (ana, WorkspaceRole.MAKER), name="lakes")

    with database.read_session() as session:
        together = profiles.workspace_names(session, [ben.id, first.workspace_id, second.workspace_id])
        alone = profiles.workspace_names(session, [second.workspace_id])

    assert together == {ben.id: "ben", first.workspace_id: "Lakes", second.workspace_id: "lakes (2)"}
    assert alone == {second.workspace_id: "lakes (2)"}


def test_makers_are_those_who_made_something(database: Database) -> None:
    """Whose clips stand in a workspace is told by name, also of who has left; everywhere counts every workspace."""
    ana, ben = create_member(database), create_member(database, "ben@example.org")
    in_team = create_team(database, (ana, WorkspaceRole.MAKER), (ben, WorkspaceRole.MAKER))
    for person in (*in_team, in_team[1], ben):
        create_generation(database, person)

    with database.read_session() as session:
        team = profiles.makers(session, in_team[0], everywhere=False)
        everywhere = profiles.makers(session, in_team[0], everywhere=True)
        own = profiles.makers(session, in_team[0].moved_to(ana.id), everywhere=False)

    assert [profile.name for profile in team.values()] == ["ana", "ben"]
    assert everywhere == team
    assert own == {}
