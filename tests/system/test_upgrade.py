"""Upgrades with real processes: this version works on while the next one changes the schema, and starts on it again."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from core.db import schema
from core.db.enums import ENDED_STATUSES, Status
from tests import postgres, simulators
from tests.conftest import POSTGRESQL, SQLITE
from tests.system.app import ROOT, App
from tests.system.installation import Installation, installed, kill_tree
from tests.system.next_release import EXPANDED, NEEDING, NextRelease

pytestmark = pytest.mark.process

LONG_SECONDS = 240
AT_ONCE = 3


@pytest.fixture(scope="module")
def coming(tmp_path_factory: pytest.TempPathFactory) -> NextRelease:
    """The next release, which only expands."""
    return NextRelease(tmp_path_factory.mktemp("expanding"))


@pytest.fixture(scope="module")
def needing(tmp_path_factory: pytest.TempPathFactory) -> NextRelease:
    """Two releases on: its second migration needs what the first leaves to be filled in."""
    return NextRelease(tmp_path_factory.mktemp("needing"), needs=True)


@contextmanager
def ordering(site: Installation) -> Iterator[list[str]]:
    """Somebody who orders whenever fewer than three clips are under way; the ids so far. No order may be refused."""
    done, ids, failures = threading.Event(), list[str](), list[Exception]()

    def order() -> None:
        while not done.wait(0.2):
            try:
                if sum(row.status not in ENDED_STATUSES for row in site.rows()) < AT_ONCE:
                    ids.append(site.order(f"a lake, {len(ids)}"))
            except Exception as failure:
                failures.append(failure)
                return

    thread = threading.Thread(target=order)
    thread.start()
    try:
        yield ids
    finally:
        done.set()
        thread.join()
    assert failures == []


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", [SQLITE, POSTGRESQL])
def test_upgrade_while_the_version_before_works(coming: NextRelease, kind: str) -> None:
    """Nobody notices it: every order is made once, old processes start again on the new schema, rows are filled in."""
    with ExitStack() as stack:
        address = stack.enter_context(postgres.migrated()) if kind != SQLITE else None
        url = stack.enter_context(simulators.running("modelslab", seconds=0.5, limit=1000))
        site = stack.enter_context(installed(url, address))
        site.start_redis()
        worker = site.start_worker()
        if address:
            web = App(Path(site.environ["DATA_DIR"]), environ=_of_web(site))
        with ordering(site) as ids:
            site.until(lambda: len(ids) > AT_ONCE, "one is made", seconds=LONG_SECONDS)
            moved = coming.admin(site.environ, "migrate")
            assert moved.returncode == 0, moved.stderr
            assert f"is at {EXPANDED}" in moved.stdout
            assert "shades is being filled in by dispatchers" in moved.stdout
            before = len(ids)
            kill_tree(worker)
            site.start_worker()
            site.until(lambda: len(ids) > before + AT_ONCE, "more are made", seconds=LONG_SECONDS)
            if address:
                assert web.client.get("/health").json()["database"] is True
                web.stop()
                again = App(Path(site.environ["DATA_DIR"]), environ=_of_web(site))
                stack.callback(again.stop)
                again.sign_in()
                assert again.client.get("/projects").status_code == 200
            told = site.admin("migrate", "--check")
            assert (told.returncode, "can work with, too" in told.stdout) == (0, True), told
        site.until(site.settled, "all are done", seconds=LONG_SECONDS)

        process = subprocess.Popen(
            coming.command(str(coming.root / "worker.py"), "--role", "dispatcher"),
            env=coming.environ(site.environ),
            cwd=coming.root,
        )
        site.workers.append(process)
        site.until(lambda: not unfinished(site), "rows are filled in", seconds=LONG_SECONDS)

        assert {row.status for row in site.rows()} <= {Status.COMPLETED, Status.UNCERTAIN}
        assert set(shades(site)) == {"a"}
        assert set(site.submits().values()) == {1}
        site.check_books()


def _of_web(site: Installation) -> dict[str, str]:
    return {name: site.environ[name] for name in ("DATABASE_URL", "REDIS_URL", "MODELSLAB_BASE_URL", "DEMO_BASE_URL")}


def unfinished(site: Installation) -> int:
    """How many backfills are not done."""
    with site.database.read_session() as session:
        return session.scalar(text("SELECT count(*) FROM backfills WHERE done_at IS NULL")) or 0


def shades(site: Installation) -> list[str | None]:
    """What was filled in, of all clips."""
    with site.database.read_session() as session:
        return list(session.scalars(text("SELECT shade FROM generations")))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", [SQLITE, POSTGRESQL])
def test_filling_in_when_it_is_killed(needing: NextRelease, kind: str) -> None:
    """Killed in a batch, and once more: nothing of that batch is done, nothing is done twice, and what needs it waits.

    A version that was skipped is made up for by the command.
    """
    coming = needing
    with ExitStack() as stack:
        address = stack.enter_context(postgres.migrated()) if kind != SQLITE else None
        site = stack.enter_context(installed("http://127.0.0.1:9", address))
        ids = sorted(site.order(f"a lake, {number}") for number in range(10))

        refused = coming.admin(site.environ, "migrate")
        assert refused.returncode == 2
        assert f"cannot be brought to the schema {NEEDING} before shades is filled in" in refused.stderr
        for killed_at, filled in ((ids[4], 3), (ids[7], 6)):
            died = coming.admin({**site.environ, "DIES_AT": killed_at}, "migrate", "--backfill")
            assert died.returncode == -9, died.stderr
            assert sorted(filter(None, shades(site))) == ["a"] * filled
        at_once = [
            subprocess.Popen(
                coming.command("-m", "core.admin", "migrate", "--backfill"),
                env=coming.environ(site.environ),
                cwd=coming.root,
            )
            for _ in range(1 if kind == SQLITE else 2)
        ]
        assert [process.wait(LONG_SECONDS) for process in at_once] == [0] * len(at_once)

        with site.database.read_session() as session:
            assert session.scalar(text("SELECT version_num FROM alembic_version")) == NEEDING
        assert shades(site) == ["a"] * 10


@pytest.mark.timeout(600)
def test_upgrade_of_tables_in_use(coming: NextRelease, tmp_path: Path) -> None:
    """A migration that does not get its table lets others go on and tries again; an index that broke off is healed.

    Then PostgreSQL's own program carries out the same from the SQL that is written down.
    """
    with postgres.server() as server:
        for name in ("one", "two"):
            with psycopg.connect(server.format("postgres"), autocommit=True) as operator:
                operator.execute(f"CREATE DATABASE {name}")
            postgres.with_tables(server.format(name))
        environ = {"DATA_DIR": str(tmp_path), "DATABASE_URL": server.format("one"), "PATH": str(postgres.programs())}

        with psycopg.connect(server.format("one")) as holder:
            holder.execute("LOCK TABLE generations IN ACCESS SHARE MODE")
            moving = subprocess.Popen(
                coming.command("-m", "core.admin", "migrate"),
                env=coming.environ(environ),
                cwd=coming.root,
                stderr=subprocess.PIPE,
                text=True,
            )
            assert moving.stderr is not None
            assert "a table is in use" in moving.stderr.readline()
            holder.rollback()
            holder.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            holder.execute("SELECT 1 FROM heartbeats")  # an old snapshot, for which the index has to wait
            _break_off_the_index(server.format("one"))
            moving.communicate(timeout=LONG_SECONDS)
        broken = coming.admin(environ, "migrate", "--check")
        assert (broken.returncode, "ix_generations_shade" in broken.stderr) == (2, True), broken
        healed = coming.admin(environ, "migrate")
        assert healed.returncode == 0, healed.stderr

        written = coming.admin(environ | {"DATABASE_URL": server.format("two")}, "migrate", "--sql")
        assert written.returncode == 0, written.stderr
        psql = [str(postgres.programs() / "psql"), "-v", "ON_ERROR_STOP=1", "-d", server.format("two")]
        ran = subprocess.run(psql, input=written.stdout, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr

        assert _described(server.format("one")) == _described(server.format("two"))
        again = subprocess.run(psql, input=written.stdout, capture_output=True, text=True, check=False)
        assert "this database is not at" in again.stderr


def _break_off_the_index(address: str) -> None:
    """End whoever makes it, once PostgreSQL has it."""
    end = time.monotonic() + LONG_SECONDS
    with psycopg.connect(address, autocommit=True) as operator:
        while not operator.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_progress_create_index "
            "WHERE index_relid IN (SELECT indexrelid FROM pg_index WHERE NOT indisvalid)"
        ).fetchall():
            assert time.monotonic() < end, "nobody makes the index"
            time.sleep(0.05)


def _described(address: str) -> object:
    """Everything that a schema consists of, and what it promises."""
    with psycopg.connect(address) as connection:
        return [
            connection.execute(statement).fetchall()
            for statement in (
                "SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns "
                "WHERE table_schema = 'public' ORDER BY 1, 2",
                "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1",
                "SELECT conrelid::regclass::text, conname, convalidated FROM pg_constraint ORDER BY 1, 2",
                "SELECT * FROM schema_promises ORDER BY 1",
                "SELECT version_num FROM alembic_version",
                "SELECT name, last_id, done_at IS NULL FROM backfills",
            )
        ]


@pytest.mark.timeout(600)
def test_start_on_other_schemas(tmp_path: Path) -> None:
    """An older schema of PostgreSQL stays as it is and the sentence says the command; a too new one is refused."""
    with postgres.database() as address:
        environ = environment(tmp_path, address)
        ended = _run(("worker.py",), environ)
        assert (ended.returncode, "python -m core.admin migrate" in ended.stderr) == (2, True), ended
        assert "has no schema yet" in ended.stderr
        waited = _run(("-m", "core.admin", "migrate", "--wait", "1"), environ)
        assert (waited.returncode, "not ready after 1 seconds" in waited.stderr) == (2, True), waited
        wait = [sys.executable, "-m", "core.admin", "migrate", "--wait", str(LONG_SECONDS)]
        with subprocess.Popen(wait, env=environ, cwd=ROOT, stdout=subprocess.PIPE, text=True) as waiting:
            assert _run(("-m", "core.admin", "migrate"), environ).returncode == 0
            assert f"at {schema.newest_revision()}" in waiting.communicate(timeout=LONG_SECONDS)[0]
        assert waiting.returncode == 0

        with psycopg.connect(address, autocommit=True) as operator:
            operator.execute("INSERT INTO schema_promises VALUES ('9001', '9001')")
            operator.execute("UPDATE alembic_version SET version_num = '9001'")
        refused = _run(("-m", "core.admin", "uncertain"), environ)
        assert refused.returncode == 2
        assert "its schema 9001 needs a version that knows at least 9001" in refused.stderr


def environment(folder: Path, address: str) -> dict[str, str]:
    """The variables of an installation of this version."""
    return os.environ | {
        "DATA_DIR": str(folder / "data"),
        "DATABASE_URL": address,
        "REDIS_URL": "redis://127.0.0.1:1",
        "PYTHONPATH": str(ROOT),
    }


def _run(program: tuple[str, ...], environ: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *program], env=environ, cwd=ROOT, capture_output=True, text=True, check=False, timeout=240
    )
