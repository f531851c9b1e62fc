import pytest

from core.db import Database
from core.db.enums import Status, WorkspaceRole
from core.generations import queries, review
from core.generations.list_filter import ListFilter, ReviewStatus
from core.generations.queries import Count
from core.generations.review import Changes
from core.workspaces.access import Member
from tests.factories.generations import create_completed, create_generation
from tests.factories.projects import create_project
from tests.factories.users import create_member
from tests.factories.workspaces import create_team


def count(database: Database, member: Member, chosen: ListFilter) -> Count:
    """What is told of a filter."""
    with database.read_connection() as reader:
        return queries.count(reader, member, chosen)


FILTERS = (
    ListFilter(),
    ListFilter(everywhere=True),
    ListFilter(oldest_first=True),
    ListFilter(statuses=(Status.COMPLETED,)),
    ListFilter(statuses=(Status.PENDING, Status.PROCESSING)),
    ListFilter(favourite=True),
    ListFilter(favourite=False),
    ListFilter(verdict=ReviewStatus.KEPT),
    ListFilter(verdict=ReviewStatus.UNDECIDED, statuses=(Status.COMPLETED,)),
    ListFilter(tag="Night"),
    ListFilter(tag="night", favourite=True),
    ListFilter(model_id="demo-film", favourite=True),
    ListFilter(provider="demo"),
    ListFilter(text="lake"),
    ListFilter(text="lake", verdict=ReviewStatus.KEPT),
    ListFilter(text="nowhere"),
    ListFilter(everywhere=True, favourite=True),
    ListFilter(everywhere=True, text="lake"),
)


@pytest.mark.both_databases
def test_count_is_that_of_the_listing(database: Database, person: Member) -> None:
    """Whatever is asked for, as many clips are told as a listing shows, deleted ones and others' left out."""
    project = create_project(database, person)
    clips = [create_completed(database, person, project_id=project.id) for _ in range(4)]
    create_generation(database, person, project_id=project.id, prompt="a lake that waits")
    create_completed(database, create_member(database, "ben@example.org"))
    [in_team] = create_team(database, (person, WorkspaceRole.MAKER))
    create_completed(database, in_team, prompt="a lake of the team")
    person = Member(person.user, person.workspace_id, in_team.roles)
    with database.write_session() as session:
        review.update(session, person, clips[0].id, Changes(favourite=True, add_tags=["night"]))
        review.update(session, person, clips[1].id, Changes(verdict=ReviewStatus.KEPT, add_tags=["night"]))

    for chosen in (*FILTERS, ListFilter(project_id=project.id), ListFilter(project_id=project.id, tag="night")):
        with database.read_connection() as reader:
            listed = len(queries.list_page(reader, person, chosen, limit=100).rows)
        assert count(database, person, chosen) == Count(listed), chosen
