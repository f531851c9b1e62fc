"""How tests run, and fixtures that many share: databases of both kinds, a person, an installation of its own."""

import logging
import os
import shutil
import uuid
from collections.abc import Generator, Iterator
from pathlib import Path

import psycopg
import pytest
from _pytest.terminal import TerminalReporter
from hypothesis import HealthCheck, settings

from core import logs
from core.db import Database
from core.installation import Installation
from core.providers import registry
from core.workspaces.access import Member
from tests import postgres
from tests.factories import installations
from tests.factories.users import create_member

for name, examples in {"dev": 10, "ci": 60, "nightly": 1_000}.items():
    settings.register_profile(
        name,
        max_examples=examples,
        deadline=None,  # a busy machine is no fault
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
        print_blob=name != "dev",
    )
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))

LEFT_OUT = "not postgres and not process"
"""What bare `pytest` leaves out of its shelves (`testpaths`); who names files or folders gets all they hold."""

MEMORY = Path("/dev/shm")  # noqa: S108 -- pytest makes folders below that are its user's alone
"""Files in memory: a commit waits until the disk has it (6 ms where this was measured), and tests commit often."""
if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > 2 * 10**9:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))

SQLITE = "sqlite"
POSTGRESQL = pytest.param("postgresql", marks=pytest.mark.postgres)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where the tests of the data layer run."""
    parser.addoption(
        "--everywhere", action="store_true", help="run every test that takes a database on SQLite and on PostgreSQL"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Bare `pytest` is the quick run."""
    if is_bare(config) and not config.option.markexpr:
        config.option.markexpr = LEFT_OUT


@pytest.fixture(autouse=True)
def own_lines() -> Iterator[None]:
    """What one test binds to lines of the log, and how it has them written, is nothing to the next."""
    logs.begin()
    yield
    for name in logs.OURS:
        logging.getLogger(name).setLevel(logging.NOTSET)
    root = logging.getLogger()
    for handler in [each for each in root.handlers if type(each).__module__ == logs.__name__]:
        root.removeHandler(handler)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that its machine cannot run skips itself and says why; where `CI` is set, that is a failure."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("CI"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, which CI does not allow: {report.longrepr}"
    return report


def is_bare(config: pytest.Config) -> bool:
    """Whether nobody named a file or a folder."""
    return config.args_source is pytest.Config.ArgsSource.TESTPATHS


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One process more than there are cores, since some tests wait; none beside this one for a single file or test."""
    if len(config.args) == 1 and ".py" in config.args[0]:
        return 0
    return len(os.sched_getaffinity(0)) + 1


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A database is SQLite unless a test is marked `both_databases` or `only_postgresql`."""
    if "database_url" not in metafunc.fixturenames:
        return
    marked = metafunc.definition.get_closest_marker
    if marked("only_postgresql"):
        metafunc.parametrize("database_url", [POSTGRESQL], indirect=True)
    elif marked("both_databases") or metafunc.config.getoption("--everywhere"):
        metafunc.parametrize("database_url", [SQLITE, POSTGRESQL], indirect=True)


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
        postgres.with_tables(address.format("empty"))
        yield address


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database, of the kind that the test's mark asks for."""
    if getattr(request, "param", SQLITE) == SQLITE:
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
    """An empty database, of the kind that the test's mark asks for."""
    found = Database(database_url)
    yield found
    found.dispose()


@pytest.fixture
def person(database: Database) -> Member:
    """Somebody with 10,000 credits."""
    return create_member(database)


@pytest.fixture
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sqlite_template: Path) -> Iterator[Installation]:
    """A demo installation of its own without keys of vendors: all in a fresh folder."""
    for name in (
        *("DATABASE_URL", "REDIS_URL", "STORAGE_URL", "SECRET_KEY", "AUTH_MODE"),
        *(provider.key_variable() for provider in registry.providers()),
    ):
        monkeypatch.delenv(name, raising=False)
    data = tmp_path / "data"
    data.mkdir()
    shutil.copy(sqlite_template, data / "studio.db")
    monkeypatch.setenv("DATA_DIR", str(data))
    with installations.opened() as found:
        yield found


@pytest.fixture
def site(installation: Installation, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Installation:
    """An installation on a database of the kind that the test's mark asks for."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    return installations.reopen()


def pytest_terminal_summary(terminalreporter: TerminalReporter, config: pytest.Config) -> None:
    """Say what was left out, and print the tables that tests recorded (`record_property("table", ...)`)."""
    if is_bare(config) and config.option.markexpr == LEFT_OUT:
        ran = {Path(each).name for each in config.getini("testpaths")}
        shelves = sorted(each.name for each in Path(__file__).parent.iterdir() if any(each.glob("test_*.py")))
        others = ", ".join(name for name in shelves if name not in ran)
        terminalreporter.section("left out")
        terminalreporter.write_line(f"Shelves: {others}; PostgreSQL; what starts processes.")
        terminalreporter.write_line("One of them: `pytest tests/pages`. All: `make test-all`, or `.ci/run` as CI does.")
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        if not isinstance(report, pytest.TestReport) or report.when != "call":
            continue
        for name, table in report.user_properties:
            if name == "table":
                terminalreporter.section(report.nodeid)
                terminalreporter.write_line(str(table))
