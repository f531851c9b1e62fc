"""A filled database of before bulk jobs, brought to this one: nothing is lost, and pictures of clips are known."""

import hashlib

import pytest
from alembic import command
from sqlalchemy import MetaData, inspect, select

from core.db import Database
from core.db.enums import SourceKind
from core.db.schema import alembic_config
from core.db.tables import Upload
from core.generations import lineage
from core.generations.lineage import Relation
from core.generations.submit import submit
from core.workspaces.access import Member
from tests.factories.books import broken_rules
from tests.factories.generations import CONFIGURED, QUOTA_BYTES, build_order, create_completed, load_generation
from tests.factories.upgrades import dump, revision_before

pytestmark = pytest.mark.both_databases  # each has its own way to change a table

FRAME, OTHER = "images/ab/frame.jpg", "images/ab/other.jpg"


def image(member: Member, key: str, identity: bytes) -> Upload:
    """An image as it is kept."""
    return Upload(
        workspace_id=member.workspace_id,
        user_id=member.id,
        storage_key=key,
        original_sha256=hashlib.sha256(identity).hexdigest(),
        file_name="lake.jpg",
        size_bytes=0,
        width=1280,
        height=720,
    )


def test_upgrade_of_clips_that_go_on_from_others(database: Database, person: Member) -> None:
    """Only the picture of the clip itself knows it afterwards; new clips of it do, too; all that was there stays."""
    first = create_completed(database, person)
    with database.write_session() as session:
        session.add(image(person, FRAME, f"last frame, as shown, of {first.output_key}".encode()))
        session.add(image(person, OTHER, b"from outside"))
        session.flush()
        for key in (FRAME, OTHER):
            order = build_order(first.project_id, start_image_key=key)
            settings = {"configured": CONFIGURED, "quota_bytes": QUOTA_BYTES}
            submit(session, person, order, extends_id=first.id, **settings)  # type: ignore[arg-type]  # of their names
    with database.engine.begin() as connection:
        command.downgrade(alembic_config(connection), revision_before(connection, "0021"))
    known = MetaData()
    with database.engine.connect() as connection:
        assert "bulk_jobs" not in inspect(connection).get_table_names()
        known.reflect(connection)
        kept = dump(connection, known)

    database.migrate()

    with database.engine.connect() as connection:
        assert dump(connection, known) == kept
    with database.write_session() as session:
        sources = {row.storage_key: row.source_generation_id for row in session.scalars(select(Upload))}
        order = build_order(first.project_id, start_image_key=FRAME)
        later = submit(session, person, order, configured=CONFIGURED, quota_bytes=QUOTA_BYTES).id
    assert sources == {FRAME: first.id, OTHER: None}
    row = load_generation(later, database)
    assert (row.source_id, row.source_kind) == (first.id, SourceKind.FRAME)
    with database.read_connection() as reader:
        found = lineage.of(reader, person, first.id).successors
    assert [each.relation for each in found] == [Relation.EXTENSION, Relation.EXTENSION, Relation.FRAME]
    assert broken_rules(database) == []
