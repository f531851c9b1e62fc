"""What grows for ever in partitions of a month: how tables become them, how months come and go. PostgreSQL's alone."""

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from alembic import command
from sqlalchemy import Connection, MetaData, delete, func, insert, inspect, select, text, update
from sqlalchemy import table as sql_table
from sqlalchemy.exc import DBAPIError

from core import audit_log, ids
from core.audit_log import Act
from core.db import Database, indexes, migrating, partitions
from core.db.enums import Stage, Status
from core.db.schema import alembic_config
from core.db.tables import AuditLogEntry, Generation, GenerationEvent, WebhookDelivery
from core.notifications import webhooks
from core.workspaces.access import Member
from tests.factories.generations import create_completed
from tests.factories.upgrades import dump

pytestmark = pytest.mark.only_postgresql  # SQLite has its tables whole

BEFORE = "0044"
APP = "studio_app_of_partitions"
NEXT_YEAR = datetime(datetime.now(UTC).year + 1, 6, 15, tzinfo=UTC)
LONG_AGO = datetime(2020, 3, 1, tzinfo=UTC)


@pytest.fixture
def filled(database: Database, person: Member) -> Database:
    """With rows in all three tables."""
    create_completed(database, person)
    with database.write_session() as session:
        address = webhooks.ValidUrl("https://hooks.example.org/studio")
        endpoint = webhooks.create(session, person, address, key=b"the installation's key")
        webhooks.send_test(session, person, endpoint.id)
        audit_log.record(session, person.user, Act.SIGN_IN_SUCCEEDED)
    return database


@pytest.fixture
def app_role(database: Database) -> Iterator[str]:
    """A role that owns nothing and may append to the audit log, as docs/how-to/read-the-audit-log.md has it."""
    with database.engine.begin() as connection:
        connection.execute(text(f"CREATE ROLE {APP}"))
        for statement in (
            "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {}",
            "GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {}",
            "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {}",
            "REVOKE UPDATE, DELETE, TRUNCATE ON audit_log FROM {}",
        ):
            connection.execute(text(statement.format(APP)))
    yield APP
    with database.engine.begin() as connection:
        connection.execute(text(f"DROP OWNED BY {APP}"))
        connection.execute(text(f"DROP ROLE {APP}"))


def downgrade(database: Database) -> MetaData:
    """Back to whole tables; all that there is."""
    known = MetaData()
    with database.engine.begin() as connection:
        command.downgrade(alembic_config(connection), BEFORE)
        known.reflect(connection)
    return known


def contents(database: Database, known: MetaData) -> dict[str, list[str]]:
    """Every row of these tables."""
    with database.engine.connect() as connection:
        return dump(connection, known)


def whole(database: Database) -> dict[str, tuple[object, ...]]:
    """What stands on each of the tables: columns, keys, indexes, references, checks, triggers, and its sequence."""
    found = dict[str, tuple[object, ...]]()
    with database.engine.connect() as connection:
        look = inspect(connection)
        for table in partitions.KEYS:
            triggers = text("SELECT tgname FROM pg_trigger WHERE tgrelid = to_regclass(:table) AND NOT tgisinternal")
            sequence = text("SELECT pg_get_serial_sequence(:table, 'id')")
            found[table] = (
                [
                    (each["name"], str(each["type"]), each["nullable"], each["default"])
                    for each in look.get_columns(table)
                ],
                sorted((str(each["name"]), str(each["column_names"])) for each in look.get_indexes(table)),
                sorted(str(sorted(each.items(), key=str)) for each in look.get_foreign_keys(table)),
                sorted((str(each["name"]), each["sqltext"]) for each in look.get_check_constraints(table)),
                sorted(connection.scalars(triggers, {"table": table})),
                connection.scalar(sequence, {"table": table}),
            )
    return found


def only_since(database: Database, month: datetime) -> None:
    """Let what was there before be there since a month, so that there is room for months before it."""
    with database.engine.begin() as connection:
        for table, written in partitions.KEYS.items():
            [name] = [each for each in partitions.names(connection, table) if "_before_" in each]
            connection.execute(text(f"ALTER TABLE {table} DETACH PARTITION {name}"))
            upto = datetime.strptime(f"{name[-7:]} +0000", "%Y_%m %z")
            bounds = f"FOR VALUES FROM ('{written(month)}') TO ('{written(upto)}')"
            connection.execute(text(f"ALTER TABLE {table} ATTACH PARTITION {name} {bounds}"))


def make(database: Database, table: str, month: datetime) -> str:
    """A month as it was made at its time."""
    name = f"{table}_{month:%Y_%m}"
    bounds = [partitions.KEYS[table](each) for each in (month, (month + timedelta(days=31)).replace(day=1))]
    with database.engine.begin() as connection:
        made = f"CREATE TABLE {name} PARTITION OF {table} FOR VALUES FROM ('{bounds[0]}') TO ('{bounds[1]}')"
        connection.execute(text(made))
    return name


def entry_of(moment: datetime) -> dict[str, object]:
    """An entry of the audit log, as it is inserted."""
    return {"at": moment, "actor": "a", "noun": "session", "action": "x", "address": "", "target": ""}


def newest(connection: Connection, table: str) -> str:
    """The partition of the last month that there is."""
    return max(name for name in partitions.names(connection, table) if "_before_" not in name and "_20" in name)


def count(connection: Connection, name: str) -> int:
    """How many rows a table has."""
    return connection.scalar(select(func.count()).select_from(sql_table(name))) or 0


def test_upgrade_of_filled_tables(filled: Database) -> None:
    """No row is lost or changed, and all that stood on a table stands on it; there, back and there again."""
    known = downgrade(filled)
    rows, stands = contents(filled, known), whole(filled)
    assert all(rows[table] for table in partitions.KEYS)
    for _ in range(2):
        filled.migrate()
        assert contents(filled, known) == rows
        assert whole(filled) == stands
        with filled.engine.connect() as connection:
            for table in partitions.KEYS:
                last = datetime.now(UTC).replace(day=1) + timedelta(days=31 * partitions.AHEAD)
                assert newest(connection, table) >= f"{table}_{last:%Y_%m}"
        downgrade(filled)
        assert contents(filled, known) == rows
        assert whole(filled) == stands
    filled.migrate()


def test_upgrade_where_a_clock_was_far_ahead(filled: Database) -> None:
    """What was written with a date of a month to come is no less there, and has its place."""
    downgrade(filled)
    with filled.engine.begin() as connection:
        connection.execute(text("ALTER TABLE audit_log DISABLE TRIGGER audit_log_is_kept"))
        connection.execute(update(AuditLogEntry).values(at=NEXT_YEAR))
        connection.execute(text("ALTER TABLE audit_log ENABLE TRIGGER audit_log_is_kept"))
        connection.execute(update(GenerationEvent).values(at=NEXT_YEAR))
        connection.execute(update(WebhookDelivery).values(id=ids.lowest_at(NEXT_YEAR)))
    known = MetaData()
    known.reflect(filled.engine)
    rows = contents(filled, known)

    filled.migrate()

    assert contents(filled, known) == rows
    with filled.engine.connect() as connection:
        for table in partitions.KEYS:
            assert count(connection, f"{table}_other") == len(rows[table])


def test_upgrade_of_a_large_table(filled: Database) -> None:
    """It is looked through beforehand, so that nothing is read under the lock; who is killed in between comes again."""
    downgrade(filled)
    [script] = migrating.pending(BEFORE)
    for _ in range(2):
        for statement in migrating.beforehand(script):
            with filled.engine.begin() as connection:
                connection.execute(text(statement.replace("64 * 1024 * 1024", "0")))
    with filled.engine.connect() as connection:
        checked = connection.scalars(text("SELECT convalidated FROM pg_constraint WHERE conname ~ '^before_2'")).all()
        assert checked == [True, True, True]
    with filled.engine.connect() as connection:
        said = list[str]()
        driver = connection.connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        driver.add_notice_handler(lambda notice: said.append(str(notice.message_primary)))
        connection.execute(text("SET client_min_messages = debug1"))
        connection.commit()
        migrating.upgrade(connection)
    proven = [line for line in said if "is implied by existing constraints" in line]
    assert len([line for line in proven if "_before_" in line]) == len(partitions.KEYS)
    with filled.engine.connect() as connection:
        assert connection.scalars(text("SELECT conname FROM pg_constraint WHERE conname ~ '^before_2'")).all() == []


def test_upgrade_where_large_tables_do_not_fit(filled: Database) -> None:
    """A row of a far month is found beforehand; what was begun is undone, and the migration moves that row."""
    downgrade(filled)
    with filled.engine.begin() as connection:
        connection.execute(update(GenerationEvent).values(at=NEXT_YEAR))
    [script] = migrating.pending(BEFORE)
    for statement in migrating.beforehand(script):
        with filled.engine.begin() as connection:
            connection.execute(text(statement.replace("64 * 1024 * 1024", "0")))
    with filled.engine.connect() as connection:
        left = connection.scalars(
            text("SELECT conrelid::regclass::text FROM pg_constraint WHERE conname ~ '^before_2' ORDER BY 1")
        ).all()
        assert left == ["audit_log", "webhook_deliveries"]

    filled.migrate()

    with filled.engine.connect() as connection:
        assert count(connection, "generation_events_other") > 0


def test_upgrade_where_a_view_reads_a_table(filled: Database) -> None:
    """It would go on reading what was there before and nothing new: that is said, and nothing has changed."""
    known = downgrade(filled)
    rows = contents(filled, known)
    with filled.engine.begin() as connection:
        connection.execute(text("CREATE VIEW steps AS SELECT at FROM generation_events"))

    with pytest.raises(DBAPIError, match="the view steps reads generation_events"):
        filled.migrate()

    assert contents(filled, known) == rows
    with filled.engine.begin() as connection:
        connection.execute(text("DROP VIEW steps"))
    filled.migrate()


def test_upgrade_with_a_role_that_may_only_append(filled: Database, app_role: str) -> None:
    """It may the same as before on each table, and nothing on a partition, where nobody has taken it away."""
    rights = text(
        "SELECT relname, privilege_type FROM pg_class, aclexplode(relacl) "
        "WHERE pg_get_userbyid(grantee) = :role AND relname = ANY(:tables) ORDER BY 1, 2"
    )
    downgrade(filled)
    chosen = {"role": app_role, "tables": list(partitions.KEYS)}
    with filled.engine.connect() as connection:
        before = connection.execute(rights, chosen).all()
    assert ("audit_log", "INSERT") in before
    assert ("audit_log", "DELETE") not in before

    filled.migrate()

    with filled.engine.connect() as connection:
        assert connection.execute(rights, chosen).all() == before
        made = [
            name for table in partitions.KEYS for name in partitions.names(connection, table) if "before" not in name
        ]
        assert len(made) >= 2 * len(partitions.KEYS)
        assert connection.execute(rights, {"role": app_role, "tables": made}).all() == []
    with filled.engine.begin() as connection:
        connection.execute(text(f"SET LOCAL ROLE {app_role}"))
        connection.execute(insert(AuditLogEntry), [entry_of(datetime.now(UTC))])


def test_upgrade_of_what_nobody_may_remove(filled: Database) -> None:
    """Each entry of the log is kept in its partition as it was in the table, also in one that is made later."""
    with filled.engine.connect() as connection:
        last = newest(connection, "audit_log")
    for statement in ("DELETE FROM audit_log", "UPDATE audit_log SET actor = 'x'"):
        with pytest.raises(DBAPIError, match="an entry of the audit log"), filled.engine.begin() as connection:
            connection.execute(text(statement))
    with filled.engine.begin() as connection:
        month = datetime.strptime(f"{last[-7:]} +0000", "%Y_%m %z")
        connection.execute(insert(AuditLogEntry), [entry_of(month)])
    with pytest.raises(DBAPIError, match="is kept for 30 days"), filled.engine.begin() as connection:
        connection.execute(delete(sql_table(last)))


def test_months_when_seen_to_again(filled: Database) -> None:
    """What is there stays as it is, whoever comes, and however many do at once."""
    with filled.engine.connect() as connection:
        before = {table: partitions.names(connection, table) for table in partitions.KEYS}

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(partitions.keep, [filled.engine] * 8)) == [[]] * 8

    with filled.engine.connect() as connection:
        assert {table: partitions.names(connection, table) for table in partitions.KEYS} == before


def test_months_when_nobody_has_made_them_in_time(filled: Database) -> None:
    """What was written meanwhile is there all the time, and gets into its month when that is made."""
    with filled.engine.begin() as connection:
        made = {table: newest(connection, table) for table in partitions.KEYS}
        for table, last in made.items():
            connection.execute(text(f"DROP TABLE {last}"))
            month = datetime.strptime(f"{last[-7:]} +0000", "%Y_%m %z") + timedelta(days=3)
            if table == "audit_log":
                connection.execute(insert(AuditLogEntry), [entry_of(month)])
        connection.execute(update(GenerationEvent).values(at=month))
        connection.execute(update(WebhookDelivery).values(id=ids.lowest_at(month)))
        counts = {table: count(connection, f"{table}_other") for table in made}
        assert all(counts.values())

    assert partitions.keep(filled.engine) == []

    with filled.engine.connect() as connection:
        for table, last in made.items():
            assert count(connection, f"{table}_other") == 0
            assert count(connection, last) == counts[table]


def test_months_that_are_over(filled: Database) -> None:
    """One that is empty goes, one with a row stays, and so does one that has only just ended."""
    present = datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    only_since(filled, present)
    over = {make(filled, table, LONG_AGO) for table in partitions.KEYS}
    just_over = {make(filled, table, (present - timedelta(days=1)).replace(day=1)) for table in partitions.KEYS}
    with filled.engine.begin() as connection:
        connection.execute(update(GenerationEvent).values(at=LONG_AGO))

    partitions.keep(filled.engine)

    with filled.engine.connect() as connection:
        left = {name for table in partitions.KEYS for name in partitions.names(connection, table)}
    assert left & over == {"generation_events_2020_03"}
    assert left >= just_over


def test_months_where_the_table_is_anothers(filled: Database, app_role: str) -> None:
    """The process says which tables lack months, and goes on: rows have their place until the owner migrates."""
    with filled.engine.begin() as connection:
        connection.execute(text(f"DROP TABLE {newest(connection, 'audit_log')}"))
    given = filled.engine.url.set(username=app_role)
    with filled.engine.begin() as connection:
        connection.execute(text(f"ALTER ROLE {app_role} LOGIN"))
    theirs = Database(given.render_as_string(hide_password=False))
    try:
        assert partitions.keep(theirs.engine) == ["audit_log"]
        with theirs.engine.connect() as connection:
            assert partitions.lacking(connection) == ["audit_log"]
    finally:
        theirs.dispose()
    assert partitions.keep(filled.engine) == []
    with filled.engine.connect() as connection:
        assert partitions.lacking(connection) == []


def test_months_while_the_table_is_in_use(filled: Database) -> None:
    """Whoever is in the middle of something is not waited for, and nobody behind waits for long."""
    with filled.engine.begin() as connection:
        connection.execute(text(f"DROP TABLE {newest(connection, 'generation_events')}"))
    with filled.engine.connect() as busy:
        busy.execute(text("LOCK TABLE generation_events IN ACCESS SHARE MODE"))
        before = partitions.names(busy, "generation_events")
        partitions.keep(filled.engine)
        assert partitions.names(busy, "generation_events") == before
    partitions.keep(filled.engine)
    with filled.engine.connect() as connection:
        assert len(partitions.names(connection, "generation_events")) == len(before) + 1


def test_months_while_clips_move(filled: Database) -> None:
    """Whoever moves clips waits for a moment and is never the one who has to begin again."""
    with filled.read_session() as session:
        [clip] = session.scalars(select(Generation.id)).all()
    done, failures = threading.Event(), list[Exception]()

    def go_on() -> None:
        try:
            while not done.is_set():
                with filled.write_session() as session:
                    session.execute(update(Generation).where(Generation.id == clip).values(favourite=True))
                    session.add(step(clip))
                    session.flush()
        except Exception as failure:
            failures.append(failure)

    threads = [threading.Thread(target=go_on) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(5):
            with filled.engine.begin() as connection:
                last = newest(connection, "generation_events")
                connection.execute(text("LOCK TABLE generations IN ACCESS EXCLUSIVE MODE"))
                connection.execute(text(f"DROP TABLE {last}"))
            end = time.monotonic() + 60
            while last not in present(filled):
                assert time.monotonic() < end, "the month is not made"
                partitions.keep(filled.engine)
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert failures == []


def present(database: Database) -> Sequence[str]:
    """The months of the timeline that there are."""
    with database.engine.connect() as connection:
        return partitions.names(connection, "generation_events")


def step(generation_id: str) -> GenerationEvent:
    """One more step of a clip."""
    return GenerationEvent(generation_id=generation_id, status=Status.COMPLETED, stage=Stage.FINALIZED, what="again")


def test_index_of_a_partitioned_table(filled: Database) -> None:
    """One that is missing is made in each partition while everything goes on, and the table has it then."""
    name = "ix_audit_log_noun"
    with filled.engine.begin() as connection:
        connection.execute(text(f"DROP INDEX {name}"))
        assert indexes.missing(connection) == [name]

    indexes.complete(filled.engine)

    with filled.engine.connect() as connection:
        assert indexes.missing(connection) == []
        held = text("SELECT count(*) FROM pg_inherits WHERE inhparent = to_regclass(:name)")
        assert connection.scalar(held, {"name": name}) == len(partitions.names(connection, "audit_log"))


def test_look_at_a_delivery(filled: Database) -> None:
    """It is looked for in the month that its id tells, and nowhere else."""
    with filled.engine.connect() as connection:
        [found] = connection.scalars(select(WebhookDelivery.id)).all()
        look = text("EXPLAIN SELECT * FROM webhook_deliveries WHERE id = :id")
        plan = "\n".join(connection.scalars(look, {"id": found}))
    assert "webhook_deliveries_before_" in plan
    assert "webhook_deliveries_other" not in plan
