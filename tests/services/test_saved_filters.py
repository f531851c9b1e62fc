from datetime import UTC, datetime

import pytest

from core import errors
from core.db import Database
from core.db.enums import Status, WorkspaceRole
from core.files.findings import FindingKind
from core.generations import review, saved_filters
from core.generations.filters import KeptFilter
from core.generations.list_filter import ListFilter, ReviewStatus
from core.generations.review import Changes
from core.projects import projects
from core.workspaces.access import Member
from tests.factories.generations import create_completed
from tests.factories.projects import create_project
from tests.factories.users import create_member
from tests.factories.workspaces import create_team

EVERYTHING = ListFilter(
    everywhere=True,
    statuses=(Status.COMPLETED, Status.FAILED),
    model_id="demo-film",
    text="lake",
    until=datetime(2026, 11, 1, tzinfo=UTC),
    favourite=False,
    verdict=ReviewStatus.UNDECIDED,
    findings=(FindingKind.BLACK,),
    oldest_first=True,
)


@pytest.fixture
def team(database: Database, person: Member) -> list[Member]:
    """A manager, a maker and a viewer of one workspace."""
    people = [person, create_member(database, "ben@example.org"), create_member(database, "cleo@example.org")]
    roles = (WorkspaceRole.MANAGER, WorkspaceRole.MAKER, WorkspaceRole.VIEWER)
    return create_team(database, *zip(people, roles, strict=True))


def save(database: Database, member: Member, chosen: ListFilter, *, name: str = "Mine", shared: bool = False) -> str:
    """The id of a filter that was saved."""
    with database.write_session() as session:
        return saved_filters.create(session, member, name=name, kept=KeptFilter(chosen), shared=shared).id


def opened(database: Database, member: Member, filter_id: str) -> saved_filters.Opened:
    """A saved filter as it is used."""
    with database.read_session() as session:
        return saved_filters.open_it(session, member, filter_id)


@pytest.mark.both_databases
def test_saved_filter_comes_back_as_it_was(database: Database, person: Member) -> None:
    """Every field of it, through the database."""
    assert opened(database, person, save(database, person, EVERYTHING)) == saved_filters.Opened(KeptFilter(EVERYTHING))


def test_saved_days_move_with_the_calendar() -> None:
    """The last seven days are those before the day on which somebody looks."""
    kept = KeptFilter.from_json(KeptFilter(ListFilter(since=datetime(2020, 1, 1, tzinfo=UTC)), days=7).to_json())

    assert kept.by_now(datetime(2026, 11, 21, 9, 30, tzinfo=UTC)).since == datetime(2026, 11, 15, tzinfo=UTC)


def test_days_of_a_kept_filter_begin_by_its_clock() -> None:
    """Seven days of Jakarta begin seven hours before those of UTC, and a day of a changed clock is no fault."""
    of_jakarta = KeptFilter.from_json(KeptFilter(ListFilter(), days=7, zone="Asia/Jakarta").to_json())
    begun = of_jakarta.by_now(datetime(2026, 11, 20, 20, tzinfo=UTC)).since
    assert begun == datetime(2026, 11, 14, 17, tzinfo=UTC)  # there it is the 21st already
    of_berlin = KeptFilter(ListFilter(), days=2, zone="Europe/Berlin")
    assert of_berlin.by_now(datetime(2026, 10, 25, 12, tzinfo=UTC)).since == datetime(2026, 10, 23, 22, tzinfo=UTC)
    assert KeptFilter.from_json({"days": 7, "zone": "Nowhere/Atlantis"}).zone == "UTC"


def test_kept_filter_of_another_release() -> None:
    """Names and words that are not known ask for nothing; the rest holds."""
    kept = {"text": "lake", "statuses": ["melted"], "colour": "red", "days": "x", "favourite": "yes"}
    assert KeptFilter.from_json(kept) == KeptFilter(ListFilter(text="lake"))


def test_saved_filter_of_what_is_gone(database: Database, person: Member) -> None:
    """A project, a tag, a person and a model that are no longer there are left out, and told; it opens all the same."""
    project = create_project(database, person)
    clip = create_completed(database, person)
    with database.write_session() as session:
        review.update(session, person, clip.id, Changes(tags=["night"]))
    filters = [
        save(database, person, ListFilter(text="lake", project_id=project.id), name="project"),
        save(database, person, ListFilter(text="lake", tag="night"), name="tag"),
        save(database, person, ListFilter(text="lake", maker_id="0" * 36), name="maker"),
        save(database, person, ListFilter(text="lake", model_id="old-model"), name="model"),
    ]
    assert opened(database, person, filters[1]).gone == ()
    with database.write_session() as session:
        projects.delete(session, person, project.id)
        review.update(session, person, clip.id, Changes(tags=[]))

    found = [opened(database, person, each) for each in filters]
    assert {each.kept.filter for each in found} == {ListFilter(text="lake")}
    assert [each.gone[0].code for each in found] == [
        "filter_project_gone",
        "filter_tag_gone",
        "filter_maker_gone",
        "filter_model_gone",
    ]


@pytest.mark.both_databases
def test_filters_are_seen_by_whom_they_are_for(database: Database, team: list[Member]) -> None:
    """One's own by name, then those that others of the workspace share; nobody outside sees one."""
    manager, maker, viewer = team
    save(database, manager, EVERYTHING, name="secret")
    shared = save(database, manager, EVERYTHING, name="for all", shared=True)
    save(database, viewer, EVERYTHING, name="own")
    with database.read_session() as session:
        seen = {one.email: [row.name for row in saved_filters.list_visible(session, one)] for one in team}
        assert list(seen.values()) == [["for all", "secret"], ["for all"], ["own", "for all"]]
        with pytest.raises(errors.NotFound):
            saved_filters.get(session, create_outsider(database), shared)
    with database.write_session() as session, pytest.raises(errors.NotFound):
        saved_filters.update(session, maker, shared, name="taken over")


def create_outsider(database: Database) -> Member:
    """Somebody of no team."""
    return create_member(database, "dan@example.org")


def test_viewer_shares_nothing(database: Database, team: list[Member]) -> None:
    """Who only looks keeps filters of their own, and changes nothing for others."""
    viewer = team[2]
    own = save(database, viewer, EVERYTHING)
    with database.write_session() as session:
        with pytest.raises(errors.Forbidden):
            saved_filters.create(session, viewer, name="x", kept=KeptFilter(EVERYTHING), shared=True)
        with pytest.raises(errors.Forbidden):
            saved_filters.update(session, viewer, own, shared=True)
        saved_filters.delete(session, viewer, own)
        assert saved_filters.list_visible(session, viewer) == []


@pytest.mark.parametrize(
    ("name", "refused", "code"),
    [("", errors.InvalidRequest, "saved_filter_name_missing"), ("MINE ", errors.Conflict, "saved_filter_name_taken")],
)
def test_filter_when_its_name_cannot_be(
    database: Database, person: Member, name: str, refused: type[errors.AppError], code: str
) -> None:
    """A name is there, and is one's own once, however it is written."""
    save(database, person, EVERYTHING, name="Mine")
    with database.write_session() as session, pytest.raises(refused) as why:
        saved_filters.create(session, person, name=name, kept=KeptFilter(ListFilter()))
    told = why.value.fields["name"] if isinstance(why.value, errors.InvalidRequest) else why.value.message
    assert told.code == code
