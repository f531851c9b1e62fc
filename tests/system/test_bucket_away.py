"""What is under way while the store of files is stopped and started again is completed: one charge, one file."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.db.enums import Stage, Status
from tests import simulators
from tests.fixtures.object_stores import SeaweedFS
from tests.system.installation import Installation, installed

pytestmark = pytest.mark.process

ORDERS = 3


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SeaweedFS]:
    """A store of its own."""
    found = SeaweedFS(tmp_path / "seaweedfs")
    yield found
    found.stop()


@pytest.fixture
def site(server: SeaweedFS) -> Iterator[Installation]:
    """An installation whose files lie there, with Redis and a vendor whose jobs take two seconds."""
    environ = server.variables | {"STORAGE_URL": server.url()}
    with simulators.running("modelslab", seconds=2, limit=1000) as url, installed(url, environ=environ) as found:
        found.start_redis()
        yield found


def test_collect_while_the_store_is_stopped(site: Installation, server: SeaweedFS, tmp_path: Path) -> None:
    """What is finished at its vendor is tried again, and comes home when the store is back; nothing is refunded."""
    log = tmp_path / "worker.log"
    site.start_worker(log=log)
    first = site.order("before the outage")
    site.until(lambda: site.row(first).status is Status.COMPLETED, "the first is done")
    waiting = [site.order(f"while it goes on {n}") for n in range(ORDERS)]
    for generation_id in waiting:
        site.until_stage(generation_id, Stage.WAITING, Stage.READY_TO_DOWNLOAD, Stage.DOWNLOADING)
    server.stop()
    site.until(lambda: all(site.row(each).collect_attempt >= 2 for each in waiting), "each was tried twice")
    rows = [site.row(each) for each in waiting]
    assert {row.status for row in rows} == {Status.PROCESSING}
    assert all("HTTP error" in (row.error_detail or "") for row in rows)
    server.start()
    site.until(site.settled, "all are at their end")
    assert {row.status for row in site.rows()} == {Status.COMPLETED}

    assert all(count == 1 for count in site.submits().values())
    assert len(site.submits()) == ORDERS + 1
    site.until(lambda: all(row.preview_key for row in site.rows()), "previews are made")
    expected = {key for row in site.rows() for key in (row.output_key, row.thumbnail_key, row.preview_key)}
    assert {found.key for found in site.storage().files()} == expected
    site.check_books()
    assert "Traceback" not in log.read_text()


def test_start_while_the_store_is_stopped(site: Installation, server: SeaweedFS, tmp_path: Path) -> None:
    """Workers start all the same, say so once, and work when it is back; a wrong bucket stops the start."""
    log = tmp_path / "worker.log"
    server.stop()
    worker = site.start_worker(log=log)
    waiting = site.order("ordered meanwhile")
    site.until(lambda: site.row(waiting).collect_attempt >= 1, "it was tried")
    server.start()
    site.until(lambda: site.row(waiting).status is Status.COMPLETED, "it is done")
    assert worker.poll() is None
    assert "The store of files does not answer" in log.read_text()
    site.check_books()

    site.environ["STORAGE_URL"] = "s3://no-such-bucket/media"
    wrong = site.start_worker(log=tmp_path / "wrong.log")
    end = time.monotonic() + 90
    while wrong.poll() is None:
        assert time.monotonic() < end, "it did not end"
        time.sleep(0.1)
    assert wrong.returncode != 0
    assert "STORAGE_URL: s3://no-such-bucket/media is not there." in (tmp_path / "wrong.log").read_text()
