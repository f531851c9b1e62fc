from datetime import date

import pytest

from core import errors
from core.db import Database
from core.db.enums import WorkspaceRole
from core.usage import saved_views
from core.usage.dimensions import Dimension, Interval
from core.usage.exploration import Measure
from core.usage.views import Unit, View, Whose
from core.workspaces.access import Member
from tests.factories import workspaces
from tests.factories.users import create_member

VIEW = View(
    period="last-month",
    by=(Dimension.TAG, Dimension.OUTCOME),
    over=Interval.WEEK,
    measure=Measure.RETURNED,
    unit=Unit.IDR,
    whose=Whose.MINE,
)


@pytest.fixture
def team(database: Database, person: Member) -> tuple[Member, Member]:
    """A manager and somebody who only looks, in a team."""
    ben = create_member(database, "ben@example.org")
    manager, viewer = workspaces.create_team(database, (person, WorkspaceRole.MANAGER), (ben, WorkspaceRole.VIEWER))
    return manager, viewer


def keep(database: Database, member: Member, name: str, *, view: View = VIEW, shared: bool = False) -> str:
    """The id of a view that was kept."""
    with database.write_session() as session:
        return saved_views.create(session, member, name=name, view=view, shared=shared).id


@pytest.mark.parametrize(
    "view", [VIEW, View(), View(since=date(2026, 1, 1), until=date(2026, 1, 9), by=(Dimension.MODEL,), model_id="veo3")]
)
def test_view_is_kept_as_it_was(database: Database, person: Member, view: View) -> None:
    """What comes back asks the same; a period by name stays a name."""
    view_id = keep(database, person, "Mine", view=view)
    with database.read_session() as session:
        assert View.from_json(saved_views.get(session, person, view_id).asked) == view


def test_view_of_another_release() -> None:
    """Words that this one does not know are what is usual."""
    assert View.from_json({"by": "colour", "over": "hour", "measure": "likes", "since": "soon"}) == View()


@pytest.mark.both_databases
def test_shared_views(database: Database, team: tuple[Member, Member]) -> None:
    """A shared one is seen by the workspace and changed by its person alone; one that is not is nobody else's."""
    manager, viewer = team
    shared, own = keep(database, manager, "Ours", shared=True), keep(database, manager, "Mine")
    with database.read_session() as session:
        assert [row.name for row in saved_views.list_visible(session, viewer)] == ["Ours"]
        assert [row.name for row in saved_views.list_visible(session, manager)] == ["Mine", "Ours"]
        assert saved_views.get(session, viewer, shared).name == "Ours"
        with pytest.raises(errors.NotFound):
            saved_views.get(session, viewer, own)
    with database.write_session() as session, pytest.raises(errors.NotFound):
        saved_views.update(session, viewer, shared, name="Theirs")
    with database.write_session() as session, pytest.raises(errors.NotFound):
        saved_views.delete(session, viewer, shared)
    with database.write_session() as session:
        saved_views.update(session, manager, shared, name="All of ours", shared=False)
    with database.read_session() as session:
        assert saved_views.list_visible(session, viewer) == []


def test_what_cannot_be_kept(database: Database, team: tuple[Member, Member]) -> None:
    """A name twice, no name, what is shared by who only looks, and everybody's figures for who does not see them."""
    manager, viewer = team
    keep(database, manager, "Mine")
    keep(database, viewer, "Mine")
    with pytest.raises(errors.Conflict):
        keep(database, manager, " mine ")
    with pytest.raises(errors.InvalidRequest):
        keep(database, manager, "  ")
    with pytest.raises(errors.Forbidden):
        keep(database, viewer, "Ours", shared=True)
    with pytest.raises(errors.Forbidden):
        keep(database, manager, "All", view=View(whose=Whose.ALL))


def test_view_that_is_deleted(database: Database, person: Member) -> None:
    """It is gone."""
    view_id = keep(database, person, "Mine")
    with database.write_session() as session:
        saved_views.delete(session, person, view_id)
    with database.read_session() as session, pytest.raises(errors.NotFound):
        saved_views.get(session, person, view_id)
