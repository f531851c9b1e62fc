import csv
import io
from dataclasses import replace
from datetime import date

import pytest

from core import errors
from core.db import Database
from core.db.enums import Role, WorkspaceRole
from core.usage import export, reports
from core.usage.reports import Group, UsageQuery
from core.workspaces.access import Member
from tests.factories import histories
from tests.factories.histories import Ended
from tests.factories.projects import create_project
from tests.factories.users import create_member
from tests.factories.workspaces import create_team

pytestmark = pytest.mark.both_databases  # names are put together by SQL

DAY = date(2026, 11, 21)
CHOSEN = UsageQuery(DAY, DAY)
Team = tuple[Member, Member]


@pytest.fixture
def team(database: Database) -> Team:
    """Ana and Ben at work in a team; Ana is an analyst."""
    people = create_member(database, role=Role.ANALYST), create_member(database, "ben@example.org")
    ana, ben = create_team(database, *((one, WorkspaceRole.MAKER) for one in people), name="Lakes")
    return ana, ben


def book(database: Database, member: Member, project_id: str, clips: int) -> None:
    """So many clips of one person in a project."""
    with database.write_session() as session:
        histories.book(session, member, [Ended(DAY, project_id, "demo-film")] * clips)


def found(database: Database, member: Member, chosen: UsageQuery, *groups: Group) -> list[reports.Row]:
    """The rows, with the names beside them."""
    with database.read_session() as session:
        return list(reports.with_names(session, reports.aggregate(session, member, chosen, groups), groups))


def test_usage_of_a_team_by_person(database: Database, team: Team) -> None:
    """Everybody in a workspace sees who spent what in it, and nothing of what they spent elsewhere."""
    ana, ben = team
    project = create_project(database, ana).id
    book(database, ana, project, 1)
    book(database, ben, project, 3)
    own = ben.moved_to(ben.id)
    book(database, own, create_project(database, own).id, 5)

    rows = found(database, ben, CHOSEN, Group.USER)

    assert {row.beside["user_name"]: row.figures.completed for row in rows} == {"ana": 1, "ben": 3}
    [mine] = found(database, ben, replace(CHOSEN, user_id=ben.id))
    assert mine.figures.completed == 3


def test_usage_by_workspace_is_for_analysts(database: Database, team: Team) -> None:
    """Figures of all workspaces stand beside each other for who may see everybody's; nobody else sees another's."""
    ana, ben = team
    book(database, ben, create_project(database, ben).id, 2)
    own = ben.moved_to(ben.id)
    book(database, own, create_project(database, own).id, 1)
    everybody = replace(CHOSEN, everybody=True)

    rows = found(database, ana, everybody, Group.WORKSPACE)

    assert {row.beside["workspace_name"]: row.figures.completed for row in rows} == {"Lakes": 2, "ben": 1}
    with pytest.raises(errors.Forbidden):
        found(database, ben, everybody, Group.WORKSPACE)
    [row] = found(database, ben, CHOSEN, Group.WORKSPACE)
    assert (row.keys["workspace_id"], row.figures.completed) == (ben.workspace_id, 2)


def test_projects_of_one_name_are_told_apart(database: Database, team: Team) -> None:
    """By workspace and owner, and by number where both are the same; whichever are asked for."""
    ana, ben = team
    own = ana.moved_to(ana.id)
    first, second, bens, alone = (create_project(database, one, "Spring").id for one in (ana, ana, ben, own))

    with database.read_session() as session:
        together = reports.project_labels(session, ana, [first, second, bens, alone], everybody=False)
        for one in (first, second, bens, alone):
            assert reports.project_labels(session, ana, [one], everybody=True) == {one: together[one]}
        assert reports.project_labels(session, ben, [alone, bens], everybody=False) == {bens: together[bens]}

    told = {(label.name, label.place, label.owner, label.workspace, label.shares_name) for label in together.values()}
    assert told == {
        ("Spring", 1, "ana", "Lakes", True),
        ("Spring", 2, "ana", "Lakes", True),
        ("Spring", 1, "ben", "Lakes", True),
        ("Spring", 1, "ana", None, False),
    }


def test_file_tells_whose_behind_the_columns_that_were_there(database: Database, team: Team) -> None:
    """Workspace, owner and maker follow the figures, so that columns stay where they were."""
    ana, ben = team
    book(database, ben, create_project(database, ana, "Spring").id, 1)
    groups = (Group.PROJECT, Group.USER)

    written = b"".join(export.usage(found(database, ana, CHOSEN, *groups), groups)).decode("utf-8-sig")

    [head, line, total] = csv.reader(io.StringIO(written))
    assert head[:4] == ["project_id", "project", "user_id", "user"]
    assert head[-3:] == ["workspace", "owner", "maker"]
    assert line[-3:] == ["Lakes", "ana", "ben"]
    assert total[-3:] == ["", "", ""]
    assert len(line) == len(total) == len(head)
    with_workspace = (Group.WORKSPACE, *groups)
    written = b"".join(export.usage(found(database, ana, CHOSEN, *with_workspace), with_workspace)).decode("utf-8-sig")
    head = next(csv.reader(io.StringIO(written)))
    assert len(set(head)) == len(head)
