import dataclasses

import pytest
from sqlalchemy import event, update

from core import errors
from core.clock import utc_now
from core.db import Database
from core.db.enums import SourceKind, Status
from core.db.tables import Generation, Upload
from core.generations import batches, commands, lineage
from core.generations.lineage import Lineage, Relation
from core.generations.submit import submit
from core.workspaces.access import Member
from tests.factories.generations import (
    CONFIGURED,
    QUOTA_BYTES,
    build_order,
    create_completed,
    create_generation,
    load_generation,
)
from tests.factories.projects import create_project
from tests.factories.users import create_member

FRAME = "images/ab/frame.jpg"


def of(database: Database, member: Member, generation_id: str) -> Lineage:
    """The lineage of a clip."""
    with database.read_connection() as reader:
        return lineage.of(reader, member, generation_id)


def order(
    database: Database,
    member: Member,
    project_id: str,
    *,
    extends_id: str | None = None,
    final_of_id: str | None = None,
    **changes: object,
) -> str:
    """The id of a new order."""
    wanted = dataclasses.replace(build_order(project_id, **changes), final_of_id=final_of_id)
    with database.write_session() as session:
        made = submit(session, member, wanted, configured=CONFIGURED, quota_bytes=QUOTA_BYTES, extends_id=extends_id)
        return made.id


def bring_frame(database: Database, member: Member, generation_id: str) -> None:
    """An image that is a picture of a clip."""
    with database.write_session() as session:
        session.add(
            Upload(
                workspace_id=member.workspace_id,
                user_id=member.id,
                storage_key=FRAME,
                original_sha256="a" * 64,
                file_name="frame.jpg",
                size_bytes=1,
                width=1280,
                height=720,
                source_generation_id=generation_id,
            )
        )


@pytest.mark.both_databases
def test_lineage_of_a_clip_in_the_middle(database: Database, person: Member) -> None:
    """What it was made from comes nearest first, what was made from it oldest first, each with how and how far."""
    first = create_completed(database, person)
    bring_frame(database, person, first.id)
    from_frame = order(database, person, first.project_id, start_image_key=FRAME, model_id="demo-film")
    extended = order(database, person, first.project_id, extends_id=from_frame)
    final = order(database, person, first.project_id, final_of_id=extended)
    with database.write_session() as session:
        commands.cancel(session, person, extended)
    with database.write_session() as session:
        again = commands.retry(session, person, extended, configured=CONFIGURED, quota_bytes=QUOTA_BYTES).id

    found = of(database, person, extended)
    assert [(each.id, each.relation, each.steps) for each in found.ancestors] == [
        (from_frame, Relation.EXTENSION, 1),
        (first.id, Relation.FRAME, 2),
    ]
    assert found.ancestors[1].thumbnail_key == first.thumbnail_key
    assert [(each.id, each.relation) for each in found.successors] == [
        (final, Relation.DRAFT),
        (again, Relation.RETRY),
    ]
    assert (found.takes, found.is_cut) == ([], False)
    assert {each.status for each in found.successors} == {Status.PENDING}
    assert load_generation(final, database).source_kind is SourceKind.DRAFT


@pytest.mark.both_databases
def test_lineage_tells_takes(database: Database, person: Member) -> None:
    """Clips of one press stand together, the clip itself among them; a deleted one does not."""
    project = create_project(database, person)
    with database.write_session() as session:
        orders = [build_order(project.id) for _ in range(3)]
        rows = batches.submit_batch(session, person, orders, configured=CONFIGURED, quota_bytes=QUOTA_BYTES)
    ids = [row.id for row in rows]
    with database.write_session() as session:
        session.execute(update(Generation).where(Generation.id == ids[1]).values(deleted_at=utc_now()))

    assert [each.id for each in of(database, person, ids[0]).takes] == [ids[0], ids[2]]


def test_lineage_leaves_out_what_is_out_of_reach(database: Database, person: Member) -> None:
    """A clip of another workspace, or one that was deleted, is not told; what lies behind a deleted one is."""
    ben = create_member(database, "ben@example.org")
    theirs = create_completed(database, ben)
    first = create_completed(database, person)
    second = order(database, person, first.project_id, extends_id=first.id)
    third = order(database, person, first.project_id, extends_id=second)
    with database.write_session() as session:
        values = {"source_id": theirs.id, "source_kind": SourceKind.FRAME, "deleted_at": utc_now()}
        session.execute(update(Generation).where(Generation.id == second).values(**values))

    assert [each.id for each in of(database, person, third).ancestors] == [first.id]
    assert of(database, ben, theirs.id).successors == []
    for hidden in (second, theirs.id):
        with pytest.raises(errors.NotFound):
            of(database, person, hidden)


def test_lineage_goes_round_in_no_circle_and_has_an_end(database: Database, person: Member) -> None:
    """Rows that point at each other are told once; hundreds of successors are cut, and that is said."""
    one, other = create_completed(database, person), create_completed(database, person)
    with database.write_session() as session:
        session.execute(update(Generation).where(Generation.id == one.id).values(extends_id=other.id))
        session.execute(update(Generation).where(Generation.id == other.id).values(extends_id=one.id))
    assert [each.id for each in of(database, person, one.id).ancestors] == [other.id, one.id]

    for _ in range(lineage.MAX_SUCCESSORS + 2):
        order(database, person, one.project_id, extends_id=other.id)
    found = of(database, person, other.id)
    assert (len(found.successors), found.is_cut) == (lineage.MAX_SUCCESSORS, True)


def test_lineage_costs_two_statements(database: Database, person: Member) -> None:
    """However many relatives there are."""
    first = create_completed(database, person)
    for _ in range(5):
        order(database, person, first.project_id, extends_id=first.id)
    asked: list[str] = []
    event.listen(database.read_engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    with database.read_connection() as reader:
        lineage.of(reader, person, first.id)

    assert len([each for each in asked if "SELECT" in each]) == 2


def test_final_of_a_clip_that_is_not_theirs(database: Database, person: Member) -> None:
    """It is refused as if it were not there."""
    theirs = create_generation(database, create_member(database, "ben@example.org"))
    project = create_project(database, person)
    with pytest.raises(errors.NotFound):
        order(database, person, project.id, final_of_id=theirs.id)
