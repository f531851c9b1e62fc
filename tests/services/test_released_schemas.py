"""Filled databases of schemas that installations have, brought to the newest one while what is old still writes."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import MetaData, insert, select, text, update

from core.db import Database, migrating
from core.db.schema import Standing
from core.ids import new_id
from tests.factories import upgrades
from tests.factories.books import broken_rules
from tests.fixtures import schemas


def test_migrations_of_kept_schemas_stay() -> None:
    """What an installation has run is never changed: it would have run something else than the next one."""
    assert schemas.kept()
    for revision in schemas.kept():
        assert schemas.read(revision)["migrations"] == schemas.digest(revision), (
            f"a migration up to {revision} has changed, which installations have run as it was: write a further one"
        )


DEADLOCK = "40P01"


@pytest.fixture
def untouched(database: Database, tmp_path: Path) -> Iterator[Database]:
    """A database without any table."""
    if database.engine.dialect.name == "postgresql":
        with database.engine.begin() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
        yield database
    else:
        found = Database(f"sqlite:///{tmp_path / 'old.db'}")
        yield found
        found.dispose()


def write_as_before(database: Database, known: MetaData) -> str:
    """A clip and an event of it, by the columns that there were; its id."""
    clips, events = known.tables["generations"], known.tables["generation_events"]
    with database.engine.begin() as connection:
        clip = dict(connection.execute(select(clips).where(clips.c.status == "completed").limit(1)).one()._mapping)
        clip |= {"id": new_id(), "idempotency_key": None, "prompt": "written meanwhile"}
        connection.execute(insert(clips), [clip])
        connection.execute(update(clips).where(clips.c.id == clip["id"]).values(favourite=True))
        event = dict(connection.execute(select(events).limit(1)).one()._mapping)
        del event["id"]
        connection.execute(insert(events), [{**event, "generation_id": clip["id"]}])
    return str(clip["id"])


@pytest.mark.both_databases
@pytest.mark.parametrize("revision", schemas.kept())
def test_upgrade_of_a_kept_schema(untouched: Database, revision: str) -> None:
    """No row is lost or changed, rules hold as before, and who writes as before meanwhile and afterwards goes on."""
    kept = schemas.read(revision)
    with untouched.engine.begin() as connection:
        migrating.upgrade(connection, revision)
        schemas.fill(connection, kept["rows"])
        known = schemas.tables(connection)
    with untouched.engine.connect() as connection:
        before = upgrades.dump(connection, known)
    assert sum(map(len, before.values())) > 100

    written, done, failures = [write_as_before(untouched, known)], threading.Event(), list[Exception]()

    def go_on() -> None:
        while not done.wait(0.05):
            try:
                written.append(write_as_before(untouched, known))
            except Exception as failure:
                if getattr(getattr(failure, "orig", None), "sqlstate", None) == DEADLOCK:
                    continue  # with the migration; nothing was written, and who is told so comes back
                failures.append(failure)
                return

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        untouched.migrate()
    finally:
        done.set()
        thread.join()
    written.append(write_as_before(untouched, known))

    assert failures == []
    assert untouched.standing() is Standing.CURRENT
    with untouched.engine.begin() as connection:
        clips, events = known.tables["generations"], known.tables["generation_events"]
        assert set(connection.scalars(select(clips.c.id).where(clips.c.id.in_(written)))) == set(written)
        connection.execute(events.delete().where(events.c.generation_id.in_(written)))
        connection.execute(clips.delete().where(clips.c.id.in_(written)))
        after = upgrades.dump(connection, known)
    assert {name: rows for name, rows in after.items() if rows != before[name]} == {}
    assert broken_rules(untouched) == kept["broken"]
