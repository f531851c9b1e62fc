import time
from pathlib import Path

import psycopg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import insert, inspect, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from core import errors
from core.db import Database, indexes, migrating, partitions, update_where
from core.db.enums import Scope
from core.db.schema import alembic_config, newest_revision
from core.db.server import PING_AFTER_SECONDS
from core.db.tables import ApiToken, Generation, GenerationTag, Project, User
from core.db.types import Base
from core.generations import commands, lifecycle, queries
from core.generations.list_filter import ListFilter
from core.identity import users
from core.ids import new_id
from core.messages import message
from core.projects import projects
from core.workspaces.access import Member
from tests.factories.generations import DISPATCHED, SUBMITTING, advance, create_generation, load_generation
from tests.factories.users import ensure_member

pytestmark = pytest.mark.both_databases  # what a connection may do is the database's own


def test_migrations_when_compared_with_the_models(database: Database) -> None:
    """The migrations make exactly the tables that the models describe, and beside them words and months."""

    def is_ours(name: str | None, _kind: str, _parents: object) -> bool:
        of_words = ("generation_words", "ix_generations_words")
        return name is None or not (name.startswith(of_words) or partitions.is_one(name))

    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "include_name": is_ours})
        assert compare_metadata(context, Base.metadata) == []
        names = {name for name in inspect(connection).get_table_names() if is_ours(name, "table", None)}
        assert names == {*Base.metadata.tables, "alembic_version"}


def test_migrate_when_up_to_date(database: Database) -> None:
    """Migrating again changes nothing."""
    database.migrate()


def test_session_when_the_block_raises(database: Database, person: Member) -> None:
    """A block that raises leaves nothing behind."""

    def half() -> None:
        with database.write_session() as session:
            projects.create(session, person, name="Half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half()

    with database.read_session() as session:
        assert session.scalars(select(Project)).all() == []


def test_rows_stay_readable_after_their_session(database: Database, person: Member) -> None:
    """What was read can be looked at when the unit of work is over."""
    with database.read_session() as session:
        user = session.scalars(select(User)).one()

    assert (user.email, user.name) == (person.email, person.user.name)


def test_look_when_something_is_committed_meanwhile(database: Database, person: Member) -> None:
    """Each statement of a look stands by itself: the next one sees what was committed after the one before."""
    names = select(Project.name)
    with database.read_connection() as connection:
        assert connection.scalars(names).all() == []
        with database.write_session() as session:
            projects.create(session, person, name="Lakes")
        assert connection.scalars(names).all() == ["Lakes"]


def test_session_after_a_look(database: Database, person: Member) -> None:
    """A connection that was used for a look takes back what a session that raises has done, like any other."""
    with database.read_connection() as connection:
        connection.scalar(select(User.id))

    def half() -> None:
        with database.write_session() as session:
            projects.create(session, person, name="Half")
            session.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half()

    with database.read_connection() as connection:
        assert connection.scalars(select(Project.id)).all() == []


@pytest.mark.only_postgresql
def test_connection_when_its_server_has_ended_it(database: Database, database_url: str, person: Member) -> None:
    """After a while without use connections are looked at before they are given out: a restart is not noticed."""
    with database.read_connection() as first, database.read_connection() as second:
        assert first.scalar(select(User.id)) == second.scalar(select(User.id))
    with psycopg.connect(database_url, autocommit=True) as operator:
        operator.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    time.sleep(PING_AFTER_SECONDS + 0.1)

    with database.read_session() as one, database.read_session() as two:
        assert one.scalar(select(User.id)) == two.scalar(select(User.id)) == person.id


def test_sqlite_settings(tmp_path: Path) -> None:
    """SQLite runs in WAL, waits for its lock, and holds foreign keys."""
    database = Database(f"sqlite:///{tmp_path / 'x.db'}")
    with database.engine.connect() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "foreign_keys", "busy_timeout", "synchronous")
        }
    database.dispose()

    assert found == {"journal_mode": "wal", "foreign_keys": 1, "busy_timeout": 30_000, "synchronous": 2}


def test_upgrade_when_there_is_data_of_the_first_schema(tmp_path: Path) -> None:
    """What was spent is counted to its project, old tokens keep their reach, and old prompts can be searched."""
    database = Database(f"sqlite:///{tmp_path / 'old.db'}")
    with database.engine.begin() as connection:
        command.upgrade(alembic_config(connection), "0001")
        for table, values in _FIRST_ROWS:
            names, marks = ", ".join(values), ", ".join(f":{name}" for name in values)
            connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({marks})"), values)  # noqa: S608 -- our own

    database.migrate()

    with database.read_session() as session:
        project = session.scalars(select(Project)).one()
        token = session.scalars(select(ApiToken)).one()
        words = text("SELECT generation_id FROM generation_words WHERE generation_words MATCH 'lighthouse'")
        found = session.scalars(words).all()
    database.dispose()
    assert (project.spent_credits, token.scope, found) == (50, Scope.ADMIN, ["g"])


def test_upgrade_when_sentences_are_texts_alone(database: Database, person: Member) -> None:
    """Rows of the schema before keep their words and have no message; what comes after them has both."""
    row = advance(database, create_generation(database, person).id, DISPATCHED, SUBMITTING)
    with database.write_session() as session:
        lifecycle.fail(session, row, errors.ContentRefused())
    with database.engine.begin() as connection:
        command.downgrade(alembic_config(connection), "0004")

    database.migrate()

    with database.read_session() as session:
        failed = session.get_one(Generation, row.id)
        story = queries.details(session, failed)
    assert (failed.error, failed.error_message) == (None, errors.ContentRefused.sentence)
    assert [event.message for event in story.events] == [None] * 4
    assert story.events[-1].what == f"Failed; {row.credits} credits returned. {errors.ContentRefused.sentence}"
    assert [(entry.message, entry.reason) for entry in story.entries] == [
        (None, "Reserved at submit"),
        (None, errors.ContentRefused.sentence),
    ]
    later = create_generation(database, person)
    with database.write_session() as session:
        commands.cancel(session, person, later.id)
        last = queries.details(session, later).events[-1]
    assert (last.message, last.what) == (message("cancelled", credits=50), "Cancelled; 50 credits returned")


def test_upgrade_when_prices_had_to_be_positive(database: Database, person: Member) -> None:
    """Rows stay as they were, and a clip may cost nothing; a negative price is refused as before."""
    row = create_generation(database, person)
    with database.engine.begin() as connection:
        command.downgrade(alembic_config(connection), "0005")
    free, wrong = (update(Generation).values(credits=credits) for credits in (0, -1))
    with pytest.raises(IntegrityError), database.engine.begin() as connection:
        connection.execute(free)

    database.migrate()

    assert load_generation(row.id, database).credits == row.credits
    with database.engine.begin() as connection:
        connection.execute(free)
    with pytest.raises(IntegrityError), database.engine.begin() as connection:
        connection.execute(wrong)


_AT = "2026-01-01 00:00:00.000000"
_FIRST_ROWS: tuple[tuple[str, dict[str, object]], ...] = (
    (
        "users",
        {"id": "u", "email": "a@b", "name": "a", "role": "user", "storage_bytes": 0, "created_at": _AT},
    ),
    ("api_tokens", {"id": "t", "user_id": "u", "name": "", "token_hash": "x", "created_at": _AT}),
    (
        "projects",
        {
            "id": "p",
            "user_id": "u",
            "name": "p",
            "description": "",
            "generation_count": 1,
            "created_at": _AT,
            "updated_at": _AT,
        },
    ),
    (
        "usage_days",
        {
            "day": "2026-01-01",
            "user_id": "u",
            "project_id": "p",
            "provider": "demo",
            "model_id": "demo-film",
            "completed": 1,
            "failed": 0,
            "cancelled": 0,
            "settled_credits": 50,
            "released_credits": 0,
            "video_seconds": 5,
            "estimated_cost_idr": 909,
        },
    ),
    (
        "generations",
        {
            "id": "g",
            "user_id": "u",
            "project_id": "p",
            "request_hash": "h",
            "provider": "demo",
            "model_id": "demo-film",
            "model_name": "Demo",
            "prompt": "A Lighthouse at dusk",
            "negative_prompt": "",
            "resolution": "720p",
            "duration_seconds": 5,
            "aspect_ratio": "16:9",
            "generate_audio": 0,
            "enhance_prompt": 0,
            "credits": 50,
            "quote": "{}",
            "status": "cancelled",
            "stage": "ended",
            "version": 1,
            "attempt": 0,
            "collect_attempt": 0,
            "progress": 0,
            "progress_is_estimate": 1,
            "provider_cost_is_estimate": 1,
            "stored_bytes": 0,
            "created_at": _AT,
            "updated_at": _AT,
        },
    ),
)


def test_reading_refuses_writes(database: Database) -> None:
    """What is opened for reading cannot change anything: the database itself refuses, and nothing is changed."""
    with database.write_session() as session:
        user = ensure_member(session, "ana@example.org", signup_credits=0)
        project = projects.create(session, user, name="Spring")
    rename = update(Project).where(Project.id == project.id).values(name="Autumn")

    with database.read_session() as reading, pytest.raises(DBAPIError):
        reading.execute(rename)
    with database.read_session() as reading:
        reading.get_one(Project, project.id).name = "Autumn"
        with pytest.raises(DBAPIError):
            reading.flush()
    with database.read_connection() as connection, pytest.raises(DBAPIError):
        connection.execute(rename)

    with database.read_session() as reading:
        assert reading.get_one(Project, project.id).name == "Spring"


def test_update_where_counts_what_it_changed(database: Database) -> None:
    """An update says how many rows met its conditions, so that who lost a race knows."""
    with database.write_session() as session:
        user = ensure_member(session, "ana@example.org", signup_credits=0)
        project = projects.create(session, user, name="Spring")
        assert update_where(session, Project, Project.id == project.id, Project.name == "Spring", name="May") == 1
        assert update_where(session, Project, Project.id == project.id, Project.name == "Spring", name="June") == 0


def test_newest_revision_is_the_one_alembic_knows() -> None:
    """The newest file of the migrations is the one head of their chain."""
    heads = ScriptDirectory.from_config(alembic_config()).get_heads()

    assert heads == [newest_revision()]


@pytest.mark.only_postgresql
def test_indexes_when_some_are_missing(database: Database, person: Member) -> None:
    """What a migration has left for afterwards, or what came to no end, is made at a start, and nothing else is."""
    with database.engine.begin() as connection:
        connection.execute(text("DROP INDEX ix_generations_due"))
        connection.execute(
            text("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix_generations_live'::regclass")
        )
    create_generation(database, person)
    database.migrate()

    with database.engine.connect() as connection:
        names = "('ix_generations_due', 'ix_generations_live')"
        found = (
            connection.execute(
                text(f"SELECT indexdef FROM pg_indexes WHERE indexname IN {names} ORDER BY indexname")  # noqa: S608 -- our own
            )
            .scalars()
            .all()
        )
        valid = connection.scalar(text("SELECT bool_and(indisvalid) FROM pg_index"))
    assert len(found) == 2
    assert all("stage" in definition and "WHERE" in definition for definition in found)
    assert valid


def test_index_of_a_migration(database: Database) -> None:
    """On SQLite a migration makes its index at once; on PostgreSQL it is left for afterwards."""
    with database.engine.begin() as connection:
        operations = Operations(MigrationContext.configure(connection))
        indexes.create(operations, "ix_try", "generations", ["stage", "id"], where="stage <> 'ended'")
        made = {str(index["name"]) for index in inspect(connection).get_indexes("generations")}

    assert ("ix_try" in made) == (database.engine.dialect.name == "sqlite")


def test_upgrade_to_one_normal_form(database: Database, person: Member) -> None:
    """What was written before is found in any spelling; a start that is killed in the middle has changed nothing."""
    create_generation(database, person, prompt="Zu\u0308rich हिन्दी")
    with database.write_session() as session:
        projects.create(session, person, name="Cafe\u0301")
    with database.engine.begin() as connection:
        command.downgrade(alembic_config(connection), "0005")
        assert "prompt_words" not in {column["name"] for column in inspect(connection).get_columns("generations")}
        only = connection.scalar(text("SELECT id FROM generations"))
        tags = [{"id": only, "user": person.id, "tag": tag} for tag in ("cafe\u0301", "caf\u00e9", "u\u0308ber")]
        connection.execute(
            text("INSERT INTO generation_tags (generation_id, user_id, tag) VALUES (:id, :user, :tag)"), tags
        )
        connection.execute(text("UPDATE users SET email = :email"), {"email": "jose\u0301@example.org"})

    def killed() -> None:
        with database.engine.begin() as connection:
            migrating.upgrade(connection)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        killed()
    with database.engine.connect() as connection:
        assert "prompt_words" not in {column["name"] for column in inspect(connection).get_columns("generations")}
    database.migrate()

    with database.read_session() as reading:
        for asked in ("zurich", "Zürich", "हिन्दी", "हिन्द"):
            assert len(queries.list_page(reading, person, ListFilter(text=asked)).rows) == 1
        assert [found.name for found in projects.list_page(reading, person, search="CAFE")] == ["Cafe\u0301"]
        assert set(reading.scalars(select(GenerationTag.tag))) == {"caf\u00e9", "\u00fcber"}
        assert users.get(reading, "Jos\u00e9@example.org").id == person.id


def test_upgrade_of_many_rows(database: Database, person: Member) -> None:
    """Every row is carried over where there are more than are written at a time."""
    made = create_generation(database, person, prompt="first")
    read = inspect(made).dict  # what is left until it is asked for is empty in what was just ordered
    kept = {column.name: read[column.name] for column in Generation.__table__.columns if column.name in read}
    rows = [kept | {"id": new_id(), "prompt": f"Ñandú {number}"} for number in range(2500)]
    with database.write_session() as session:
        session.execute(insert(Generation), rows)
    with database.engine.begin() as connection:
        command.downgrade(alembic_config(connection), "0005")
    database.migrate()

    with database.read_session() as reading:
        words = reading.scalars(select(Generation.prompt_words).where(Generation.prompt != "first"))
        assert sorted(words) == sorted(f"nandu {number}" for number in range(2500))


@pytest.mark.both_databases
def test_errors_hold_nothing_that_was_written(database: Database) -> None:
    """What the database refuses is told without the values it was asked with, which may be a prompt."""
    with pytest.raises(DBAPIError) as refused, database.read_session() as session:
        session.execute(text("SELECT nothing FROM nowhere WHERE prompt = :prompt"), {"prompt": "a secret film"})
    assert "secret" not in str(refused.value)
