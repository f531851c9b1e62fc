"""What the studio shows of a project: presses with their takes, newest first, and the models used lately."""

from collections.abc import Sequence

import pytest
from sqlalchemy import update

from core import errors
from core.db import Database
from core.db.tables import Generation
from core.generations import presses, queries
from core.generations.presses import MAX_TAKES, Press
from core.workspaces.access import Member
from tests.factories.generations import create_generation
from tests.factories.projects import create_project
from tests.factories.users import create_member


def ordered_together(database: Database, person: Member, project_id: str, batch_id: str, number: int) -> list[str]:
    """So many takes of one press; their ids in the order in which they were ordered."""
    ids = [create_generation(database, person, project_id=project_id).id for _take in range(number)]
    with database.write_session() as session:
        session.execute(update(Generation).where(Generation.id.in_(ids)).values(batch_id=batch_id))
    return ids


def look(database: Database, person: Member, project_id: str, limit: int = 9) -> Sequence[Press]:
    """The newest presses of a project."""
    with database.read_session() as session:
        return presses.newest(session, person, project_id, limit=limit)


def told(found: Sequence[Press]) -> list[tuple[str, list[str]]]:
    """Ids of presses, each with those of its takes."""
    return [(press.id, [take.id for take in press.takes]) for press in found]


def test_takes_of_a_press_stand_together(database: Database, person: Member) -> None:
    """Newest press first, its takes in the order of the press; an order alone is a press of one."""
    project = create_project(database, person)
    several = ordered_together(database, person, project.id, "batch-a", 3)
    alone = create_generation(database, person, project_id=project.id).id
    create_generation(database, person, project_id=create_project(database, person, "Another").id)

    assert told(look(database, person, project.id)) == [(alone, [alone]), ("batch-a", several)]
    assert told(look(database, person, project.id, limit=1)) == [(alone, [alone])]


def test_deleted_take_is_left_out(database: Database, person: Member) -> None:
    """What was deleted is not on the stage, and a press of nothing else neither."""
    project = create_project(database, person)
    first, second = ordered_together(database, person, project.id, "batch-a", 2)
    gone = create_generation(database, person, project_id=project.id)
    with database.write_session() as session:
        changed = update(Generation).where(Generation.id.in_([first, gone.id]))
        session.execute(changed.values(deleted_at=gone.created_at))

    assert told(look(database, person, project.id)) == [("batch-a", [second])]


def test_press_that_is_not_read_whole_is_left_out(database: Database, person: Member) -> None:
    """A press is shown with all its takes or not at all."""
    project = create_project(database, person)
    ordered_together(database, person, project.id, "oldest", 4)
    ordered_together(database, person, project.id, "newest", MAX_TAKES - 2)

    assert [press.id for press in look(database, person, project.id)] == ["newest"]


def test_project_of_somebody_else(database: Database, person: Member) -> None:
    """It is not there."""
    stranger = create_member(database, "eve@example.org")
    project = create_project(database, person)
    with pytest.raises(errors.NotFound):
        look(database, stranger, project.id)


def test_models_used_lately(database: Database, person: Member) -> None:
    """The last one first, each once, and only one's own."""
    stranger = create_member(database, "eve@example.org")
    project = create_project(database, person)
    for model_id in ("kling-2.5", "demo-film", "kling-2.5"):
        create_generation(database, person, project_id=project.id, model_id=model_id)
    with database.read_session() as session:
        assert queries.recent_models(session, person, limit=5) == ["kling-2.5", "demo-film"]
        assert queries.recent_models(session, person, limit=1) == ["kling-2.5"]
        assert queries.recent_models(session, stranger, limit=5) == []
