"""Fixtures that many tests share: databases of both kinds, a person, an installation in a folder of its own."""

import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from _pytest.terminal import TerminalReporter

from core.db import Database
from core.db.tables import User
from core.identity import users
from core.installation import Installation
from tests import installed, postgres


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite file to copy from."""
    path = tmp_path_factory.mktemp("template") / "empty.db"
    database = Database(f"sqlite:///{path}")
    database.migrate()
    database.dispose()
    return path


@pytest.fixture(scope="session")
def postgres_address() -> Iterator[str]:
    """A running PostgreSQL with a migrated template database."""
    with postgres.server() as address:
        with psycopg.connect(address.format("postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE empty")
        database = Database(address.format("empty"))
        database.migrate()
        database.dispose()
        yield address


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database; the test runs once on each kind."""
    if request.param == "sqlite":
        path = tmp_path / "test.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    address = request.getfixturevalue("postgres_address")
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(address.format("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE empty")
        yield address.format(name)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An empty database of each kind."""
    found = Database(database_url)
    yield found
    found.dispose()


@pytest.fixture
def person(database: Database) -> User:
    """Somebody with 10,000 credits."""
    with database.write_session() as session:
        return users.ensure(session, "ana@example.org", signup_credits=10_000)


@pytest.fixture
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sqlite_template: Path) -> Iterator[Installation]:
    """A demo installation of its own: settings, database, storage and caches, in a fresh folder."""
    for name in ("DATABASE_URL", "REDIS_URL", "STORAGE_URL", "SECRET_KEY", "AUTH_MODE"):
        monkeypatch.delenv(name, raising=False)
    data = tmp_path / "data"
    data.mkdir()
    shutil.copy(sqlite_template, data / "studio.db")
    monkeypatch.setenv("DATA_DIR", str(data))
    with installed.opened() as found:
        yield found


@pytest.fixture
def site(installation: Installation, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Installation:
    """An installation on each kind of database."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    return installed.reopen()


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Print the tables that tests have recorded (`record_property("table", ...)`), each under its test."""
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        if not isinstance(report, pytest.TestReport) or report.when != "call":
            continue
        for name, table in report.user_properties:
            if name == "table":
                terminalreporter.section(report.nodeid)
                terminalreporter.write_line(str(table))
