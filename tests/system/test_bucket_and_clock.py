"""One machine's clock is seven hours off, so that the bucket refuses it: others fetch, and nothing is lost by it."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from core.db.enums import Stage, Status
from tests import postgres, simulators
from tests.fixtures.moved_clock import IS_POSSIBLE, WHY_NOT, Clock
from tests.fixtures.object_stores import SeaweedFS
from tests.system.app import free_port
from tests.system.installation import Installation, installed

pytestmark = [
    pytest.mark.process,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not IS_POSSIBLE, reason=WHY_NOT),
]

OFF = -7 * 3600


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    """The clock of the machine that is off."""
    return Clock(tmp_path)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Installation]:
    """An installation on PostgreSQL whose files lie in a bucket, with Redis and a vendor."""
    server = SeaweedFS(tmp_path / "seaweedfs")
    try:
        environ = server.variables | {"STORAGE_URL": server.url()}
        with (
            postgres.migrated() as address,
            simulators.running("modelslab", seconds=1, limit=1000) as url,
            installed(url, database_url=address, environ=environ) as found,
        ):
            found.start_redis()
            yield found
    finally:
        server.stop()


def asked(port: int, path: str) -> httpx.Response:
    """What a process says of itself; 502 while it says nothing."""
    try:
        return httpx.get(f"http://127.0.0.1:{port}{path}", trust_env=False, timeout=30)
    except httpx.TransportError:
        return httpx.Response(502, json={})


def is_ready(port: int, status: int) -> bool:
    """Whether it says so of its readiness."""
    return asked(port, "/ready").status_code == status


def is_well(port: int) -> bool:
    """Whether it need not be started anew."""
    return asked(port, "/health").status_code == 200


def said_to_wait_for(port: int) -> str:
    """What it waits for; empty while it says nothing of it."""
    return str(asked(port, "/ready").json().get("waitsFor", ""))


def test_clock_of_one_collector_is_off(site: Installation, clock: Clock, tmp_path: Path) -> None:
    """It says why once, takes no clip and stays up; another one fetches each at its first try, before and after."""
    log, port = tmp_path / "wrong.log", free_port()
    clock.set(OFF)
    for role in ("dispatcher", "submit"):
        site.start_worker("--role", role)
    right = dict(site.environ)
    site.environ |= clock.environ
    wrong = site.start_worker("--role", "collect", "--health-port", str(port), log=log)
    site.environ = right
    site.until(lambda: bool(said_to_wait_for(port)), "it says why it waits")
    assert "7:00:00 behind the database's" in said_to_wait_for(port)
    assert is_well(port)

    first = site.order("the first")
    site.until_stage(first, Stage.READY_TO_DOWNLOAD)
    site.start_worker("--role", "collect")
    site.until(lambda: site.row(first).status is Status.COMPLETED, "the other one fetches it")

    clock.set(0)
    site.until(lambda: is_ready(port, 200), "it works once its clock is right")
    clock.set(OFF)  # and while it runs: it sees that before it takes anything
    site.until(lambda: is_ready(port, 503), "it sees that its clock was set")
    more = [site.order(f"a lake {n}") for n in range(4)]
    site.until(lambda: all(site.row(each).status is Status.COMPLETED for each in more), "the other one fetches all")
    assert {row.collect_attempt for row in site.rows()} == {1}
    assert wrong.poll() is None
    said = [line for line in log.read_text().splitlines() if "core.files.store_clock" in line]
    assert ["no clips are fetched here" in line for line in said] == [True, False, True], said
    site.check_books()
