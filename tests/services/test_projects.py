import pytest
from sqlalchemy import insert

from core import errors
from core.db import Database
from core.db.tables import UsageDay
from core.generations import commands
from core.projects import projects
from core.usage import budgets
from core.workspaces.access import Member
from tests.factories.generations import create_completed, create_generation


@pytest.mark.parametrize("name", ["", "   ", "x" * 121, "a\x00b", "\ud800"])
def test_create_when_name_is_unusable(database: Database, person: Member, name: str) -> None:
    """A project needs a name that a table can hold."""
    with pytest.raises(errors.InvalidRequest) as raised, database.write_session() as session:
        projects.create(session, person, name=name)

    assert list(raised.value.fields) == ["name"]


def test_browse_when_there_are_clips(database: Database, person: Member) -> None:
    """The list shows counts, what is under way and the newest poster, last changed first."""
    done = create_completed(database, person)
    live = create_generation(database, person)
    with database.read_session() as session:
        first, second = projects.list_page(session, person)

    assert (first.id, first.generation_count, first.in_flight_count, first.cover_keys) == (live.project_id, 1, 1, ())
    assert (second.generation_count, second.in_flight_count, second.cover_keys) == (1, 0, (done.thumbnail_key,))
    assert (first.in_flight_credits, first.spent_credits) == (live.credits, 0)
    assert (second.in_flight_credits, second.spent_credits) == (0, done.credits)


@pytest.mark.both_databases
def test_browse_when_a_project_has_many_posters(database: Database, person: Member) -> None:
    """The cover is made of the newest four, newest first; a deleted clip gives none."""
    with database.write_session() as session:
        project = projects.create(session, person, name="Lakes")
    rows = [create_completed(database, person, project_id=project.id) for _ in range(6)]
    with database.write_session() as session:
        commands.delete(session, person, rows[5].id)
    with database.read_session() as session:
        [found] = projects.list_page(session, person)

    assert found.cover_keys == tuple(row.thumbnail_key for row in rows[4:0:-1])


def test_browse_when_there_is_a_budget(database: Database, person: Member) -> None:
    """A project with a budget tells what was charged in it this month, and only this month."""
    done = create_completed(database, person)
    with database.write_session() as session:
        budgets.set_project(session, person, done.project_id, credits=80)
        long_ago = {"day": "2020-02-29", "workspace_id": person.id, "user_id": person.id, "project_id": done.project_id}
        session.execute(insert(UsageDay).values(**long_ago, provider="demo", model_id="demo-film", settled_credits=7))
    with database.read_session() as session:
        [found] = projects.list_page(session, person)

    assert (found.monthly_budget_credits, found.month_credits) == (80, done.credits)


@pytest.mark.both_databases
def test_browse_when_searched(database: Database, person: Member) -> None:
    """Search finds parts of a name in either case; its signs are plain characters."""
    with database.write_session() as session:
        for name in ("Spring 50% off", "Summer"):
            projects.create(session, person, name=name)

    def found(search: str) -> list[str]:
        with database.read_session() as session:
            return [project.name for project in projects.list_page(session, person, search=search)]

    assert found("sum") == ["Summer"]
    assert found("%") == ["Spring 50% off"]
    assert found("_") == []


def test_change_when_archived(database: Database, person: Member) -> None:
    """An archived project leaves the list, keeps its place in the archive, and can come back."""
    with database.write_session() as session:
        project = projects.create(session, person, name=" A   name ")
        projects.update(session, person, project.id, archived=True, description=" Old ")
    with database.read_session() as session:
        assert projects.list_page(session, person) == []
        kept = projects.list_page(session, person, archived=True)[0]
    assert (kept.name, kept.description) == ("A name", "Old")

    with database.write_session() as session:
        projects.update(session, person, project.id, archived=False)
        assert len(projects.list_page(session, person)) == 1


def test_delete_when_it_has_clips(database: Database, person: Member) -> None:
    """A project with charges on record is not deleted; an empty one is."""
    row = create_generation(database, person)
    with pytest.raises(errors.Conflict), database.write_session() as session:
        projects.delete(session, person, row.project_id)
    with database.write_session() as session:
        empty = projects.create(session, person, name="Empty")
        projects.delete(session, person, empty.id)
        with pytest.raises(errors.NotFound):
            projects.get(session, person, empty.id)


@pytest.mark.parametrize("search", ["Zürich", "zu\u0308rich", "ZURICH", "urich", "फिल्म"])
def test_browse_when_searched_in_another_spelling(database: Database, person: Member, search: str) -> None:
    """A name is found however it is composed, with or without its marks, on both databases; also a changed one."""
    with database.write_session() as session:
        made = projects.create(session, person, name="Before")
        projects.create(session, person, name="Other")
        projects.update(session, person, made.id, name="Zürich फ़िल्म")
    with database.read_session() as reading:
        assert [row.id for row in projects.list_page(reading, person, search=search)] == [made.id]


def test_browse_by_name_in_every_script(database: Database, person: Member) -> None:
    """Names stand in the order of their letters without marks, the same on both databases."""
    for name in ("Zebra", "ähre", "apfel", "Öl", "Ort"):
        with database.write_session() as session:
            projects.create(session, person, name=name)
    with database.read_session() as reading:
        rows = projects.list_page(reading, person, sort=projects.Sort.NAME)
        after = projects.list_page(reading, person, sort=projects.Sort.NAME, after_id=rows[1].id)
    assert [row.name for row in rows] == ["ähre", "apfel", "Öl", "Ort", "Zebra"]
    assert [row.name for row in after] == ["Öl", "Ort", "Zebra"]
