import pytest

from core import errors, projects
from core.db import Database
from core.models import User
from tests.orders import completed, ordered


@pytest.mark.parametrize("name", ["", "   ", "x" * 121, "a\x00b", "\ud800"])
def test_create_when_name_is_unusable(database: Database, person: User, name: str) -> None:
    """A project needs a name that a table can hold."""
    with pytest.raises(errors.InvalidRequest) as raised, database.session() as session:
        projects.create(session, person, name=name)

    assert list(raised.value.fields) == ["name"]


def test_browse_when_there_are_clips(database: Database, person: User) -> None:
    """The list shows counts, what is under way and the newest poster, last changed first."""
    done = completed(database, person)
    live = ordered(database, person)
    with database.session(read_only=True) as session:
        first, second = projects.browse(session, person)

    assert (first.id, first.generation_count, first.in_flight_count, first.cover_key) == (live.project_id, 1, 1, None)
    assert (second.generation_count, second.in_flight_count, second.cover_key) == (1, 0, done.thumbnail_key)


def test_browse_when_searched(database: Database, person: User) -> None:
    """Search finds parts of a name in either case; its signs are plain characters."""
    with database.session() as session:
        for name in ("Spring 50% off", "Summer"):
            projects.create(session, person, name=name)

    def found(search: str) -> list[str]:
        with database.session(read_only=True) as session:
            return [project.name for project in projects.browse(session, person, search=search)]

    assert found("sum") == ["Summer"]
    assert found("%") == ["Spring 50% off"]
    assert found("_") == []


def test_change_when_archived(database: Database, person: User) -> None:
    """An archived project leaves the list, keeps its place in the archive, and can come back."""
    with database.session() as session:
        project = projects.create(session, person, name=" A   name ")
        projects.change(session, person, project.id, archived=True, description=" Old ")
    with database.session(read_only=True) as session:
        assert projects.browse(session, person) == []
        kept = projects.browse(session, person, archived=True)[0]
    assert (kept.name, kept.description) == ("A name", "Old")

    with database.session() as session:
        projects.change(session, person, project.id, archived=False)
        assert len(projects.browse(session, person)) == 1


def test_delete_when_it_has_clips(database: Database, person: User) -> None:
    """A project with charges on record is not deleted; an empty one is."""
    row = ordered(database, person)
    with pytest.raises(errors.Conflict), database.session() as session:
        projects.delete(session, person, row.project_id)
    with database.session() as session:
        empty = projects.create(session, person, name="Empty")
        projects.delete(session, person, empty.id)
        with pytest.raises(errors.NotFound):
            projects.get(session, person, empty.id)
