"""`python worker.py` while what it needs is away, and when it is told to stop."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from redis import Redis

from core.db.enums import Status
from tests import simulators
from tests.system.app import ROOT, free_port
from tests.system.installation import Installation, installed

pytestmark = pytest.mark.process


@pytest.fixture
def site() -> Iterator[Installation]:
    """An installation with Redis, and no worker yet."""
    with simulators.running("modelslab", seconds=1, limit=1000) as url, installed(url) as found:
        found.start_redis()
        yield found


def test_start_while_the_database_is_away(tmp_path: Path) -> None:
    """The worker says once that it waits, starts no part that could only fail, and ends when told to."""
    address = f"postgresql://somebody:secret@127.0.0.1:{free_port()}/studio"
    environ = os.environ | {"DATA_DIR": str(tmp_path), "DATABASE_URL": address, "REDIS_URL": "redis://127.0.0.1:9"}
    command = [sys.executable, str(ROOT / "worker.py")]
    with subprocess.Popen(command, env=environ, cwd=ROOT, stderr=subprocess.PIPE, text=True) as worker:
        assert worker.stderr is not None
        first = worker.stderr.readline()
        time.sleep(5)  # four tries more
        children = psutil.Process(worker.pid).children()
        worker.send_signal(signal.SIGTERM)
        rest = worker.stderr.read()

    assert "the database cannot be used" in first
    assert "secret" not in first
    assert rest == ""
    assert children == []


def test_parts_while_redis_is_away(site: Installation) -> None:
    """No part ends because Redis is away; they go on when it is back."""
    worker = site.start_worker()
    first = site.order("first")
    site.until(lambda: site.row(first).status is Status.COMPLETED, "the first is done")
    parts = psutil.Process(worker.pid).children()
    site.kill_redis()
    time.sleep(3)  # an outage that every part notices
    site.start_redis()
    second = site.order("second")
    site.until(lambda: site.row(second).status is Status.COMPLETED, "the second is done")

    assert psutil.Process(worker.pid).children() == parts


def test_idle_worker_is_one_for_rq(site: Installation) -> None:
    """A worker that has nothing to do registers with RQ once, and not anew each round."""
    site.start_worker("--role", "submit")
    with Redis(unix_socket_path=str(site.socket)) as client:
        site.until(lambda: client.scard("rq:workers") == 1, "it is registered")
        before = client.smembers("rq:workers")
        time.sleep(25)  # longer than a rest
        assert client.smembers("rq:workers") == before


def test_stop_in_the_middle_of_a_submit(site: Installation) -> None:
    """Told to stop, several times even, a worker first brings the order that it sends to its end."""
    site.start_worker("--role", "dispatcher")
    submitter = site.start_worker("--role", "submit")
    ids = [site.order(f"lake {n}") for n in range(4)]
    site.until(lambda: any(row.attempt for row in site.rows()), "one is being sent")
    for _ in range(3):
        submitter.terminate()
        time.sleep(0.1)
    submitter.wait(60)

    assert submitter.returncode == 0
    assert all(row.status is not Status.UNCERTAIN for row in site.rows())
    site.start_worker("--role", "submit")
    site.start_worker("--role", "collect")
    site.until(site.settled, "all are done")
    assert site.submits() == dict.fromkeys(ids, 1)
