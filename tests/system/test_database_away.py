"""What is under way while the database is stopped and started again goes on, and the log stays short."""

import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from core.db.enums import Stage, Status
from tests import postgres, simulators
from tests.system import app
from tests.system.installation import Installation, installed

pytestmark = [pytest.mark.process, pytest.mark.timeout(900)]

AWAY_SECONDS = 12
PARTS = 3
"""The dispatcher, the one that submits and the one that collects: each speaks for itself."""


@pytest.fixture
def server() -> Iterator[postgres.Server]:
    """A PostgreSQL with an empty database."""
    with postgres.stoppable() as found:
        with psycopg.connect(found.address.format("postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE empty")
        yield found


@pytest.fixture
def site(server: postgres.Server) -> Iterator[Installation]:
    """An installation on it, with Redis and a vendor whose jobs take two seconds."""
    with (
        simulators.running("modelslab", seconds=2, limit=1000) as url,
        installed(url, database_url=server.address.format("empty")) as found,
    ):
        found.start_redis()
        yield found


def test_everything_while_postgresql_is_stopped(site: Installation, server: postgres.Server, tmp_path: Path) -> None:
    """One line a process when the database goes, one when it is back, and what was under way is completed.

    Meanwhile the API says when to come back, and answers again by itself.
    """
    log, web_log = tmp_path / "worker.log", tmp_path / "web.log"
    site.start_worker(log=log)
    with app.running(Path(site.environ["DATA_DIR"]), environ=site.environ, log=web_log) as web:
        _stop_in_the_middle(site, server, log, web)
        said = web_log.read_text()
        assert "Traceback" not in said
        lines = [line for line in said.splitlines() if "the database" in line]
        assert ["used again" in line for line in lines] == [False, True], said


def _stop_in_the_middle(site: Installation, server: postgres.Server, log: Path, web: app.App) -> None:
    first = site.order("before the outage")
    site.until(lambda: site.row(first).status is Status.COMPLETED, "the first is done")
    waiting = [site.order(f"while it goes on {n}") for n in range(3)]
    for generation_id in waiting:
        site.until_stage(generation_id, Stage.WAITING)
    said_before = log.read_text()
    server.stop()
    end = time.monotonic() + AWAY_SECONDS
    while time.monotonic() < end:
        answer = web.client.get("/projects")
        assert answer.status_code == 503
        assert answer.json()["error"]["code"] == "database_unavailable"
        assert int(answer.headers["Retry-After"]) > 0
        time.sleep(1)
    assert web.client.get("/health").status_code == 503
    server.start()
    site.until(lambda: web.client.get("/projects").status_code == 200, "the API answers again")
    site.until(lambda: all(site.row(row_id).status is Status.COMPLETED for row_id in waiting), "the others are done")
    last = site.order("after the outage")
    site.until(lambda: site.row(last).status is Status.COMPLETED, "the last is done")

    said = log.read_text().removeprefix(said_before)
    assert "Traceback" not in said
    lines = [line for line in said.splitlines() if "the database" in line]
    assert 2 <= len(lines) <= 2 * PARTS, said
    assert len(said.splitlines()) < 20, said
    assert all(count == 1 for count in site.submits().values())
    site.check_books()
