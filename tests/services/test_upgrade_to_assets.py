"""A filled database of before there was a library, brought to this version: uploads are in it, clips know theirs."""

from typing import Any

import pytest
from alembic import command
from sqlalchemy import MetaData, insert, select

from core.assets import library
from core.clock import utc_now
from core.db import Database
from core.db.schema import alembic_config
from core.db.tables import Generation, GenerationUpload, Upload, Workspace
from core.spec import Reference
from tests.factories.assets import create_asset
from tests.factories.generations import create_completed, create_generation
from tests.factories.models import able_demo
from tests.factories.users import create_member

pytestmark = pytest.mark.both_databases  # each has its own way to change a table

BEFORE = "0021"


def go_back(database: Database) -> None:
    """To the schema of before."""
    with database.engine.begin() as connection:
        command.downgrade(alembic_config(connection), BEFORE)


def written_before(database: Database, person_id: str, number: int) -> None:
    """Uploads as the version before has written them, all of one picture's bytes but the last."""
    known = MetaData()
    known.reflect(database.engine, only=["uploads"])
    rows: list[dict[str, Any]] = [
        {
            "id": f"0197a3c2-5e1b-7c40-8f21-{place:012d}",
            "workspace_id": person_id,
            "user_id": person_id,
            "storage_key": f"images/ab/{place}.jpg",
            "original_sha256": f"{place:064d}",
            "file_name": f"Übung {place} " + "x" * 200,
            "size_bytes": 10,
            "width": 64,
            "height": 48,
            "created_at": utc_now(),
        }
        for place in range(number)
    ]
    with database.engine.begin() as connection:
        connection.execute(insert(known.tables["uploads"]), rows)


def test_upgrade_of_a_filled_database(database: Database) -> None:
    """Every upload is an asset by its name, without another byte; every clip is noted with each of its files once."""
    person = create_member(database)
    assets = [create_asset(database, person, f"{letter}.jpg") for letter in "abc"]
    keys = [asset.storage_key for asset in assets]
    twice = {"model_id": "kling-2.5", "duration_seconds": 5, "start_image_key": keys[0], "end_image_key": keys[0]}
    first = create_completed(database, person, **twice | {"end_image_key": None})
    with able_demo():
        referred = (Reference("image", "style", keys[1]), Reference("image", "subject", keys[1]))
        second = create_generation(database, person, references=referred, start_image_key=keys[2])
    create_completed(database, person)
    with database.read_session() as session:
        used = session.get_one(Workspace, person.id).storage_bytes
    go_back(database)
    written_before(database, person.id, 1200)

    database.migrate()

    with database.read_session() as session:
        noted = {(row.generation_id, row.storage_key) for row in session.scalars(select(GenerationUpload))}
        assert noted == {(first.id, keys[0]), (second.id, keys[1]), (second.id, keys[2])}
        assert session.get_one(Workspace, person.id).storage_bytes == used
        page = library.list_page(session, person, search="UBUNG 1199", limit=5)
        assert [(row.kind, row.file_name[:10], len(row.name)) for row in page.rows] == [("image", "Übung 1199", 120)]
        assert library.clip_counts(session, person, keys) == dict.fromkeys(keys, 1)
        assert session.get_one(Generation, second.id).references == referred


def test_downgrade_keeps_images(database: Database) -> None:
    """What the version before cannot use goes, with its bytes; images stay."""
    person = create_member(database)
    image, _sound = create_asset(database, person), create_asset(database, person, "voice.mp3", kind="sound")
    go_back(database)
    database.migrate()
    with database.read_session() as session:
        assert [row.id for row in session.scalars(select(Upload))] == [image.id]
        assert session.get_one(Workspace, person.id).storage_bytes == image.size_bytes
