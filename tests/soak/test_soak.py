"""Many clips on one installation for as long as it takes, calm and under kills; run by `make soak`, at night.

`SOAK_CLIPS` says how many. What grows with the clips, is left behind or does not add up shows only in numbers.
"""

import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from core.db.enums import Status
from tests import simulators
from tests.system.installation import Installation, installed, kill_tree

CLIPS = int(os.environ.get("SOAK_CLIPS", "1500"))
SECONDS_A_CLIP = 10.0
"""More than any machine needs, so that a soak that stands still ends."""
GROWTH_BYTES = 100 * 1024**2
"""How much more memory a worker's processes may hold after all clips than after the first tenth."""

pytestmark = [pytest.mark.process, pytest.mark.both_databases, pytest.mark.timeout(0)]


@pytest.fixture
def vendor() -> Iterator[str]:
    """A ModelsLab stand-in whose jobs take a second and that takes any number at once."""
    with simulators.running("modelslab", seconds=1, limit=10 * CLIPS) as url:
        yield url


def _memory_bytes(process_id: int) -> int:
    parent = psutil.Process(process_id)
    return sum(each.memory_full_info().pss for each in [parent, *parent.children(recursive=True)])


def _left_behind(site: Installation) -> list[str]:
    """Files that are being worked on, though nothing is; locks of living processes aside."""
    incoming = Path(site.environ["DATA_DIR"], "incoming")
    return [path.name for path in incoming.rglob("*") if path.is_file() and path.name != "lock"]


def _check(site: Installation, ids: set[str]) -> None:
    submits = site.submits()
    assert set(submits) <= ids
    assert [each for each, count in submits.items() if count > 1] == [], "bought twice"
    site.until(lambda: _left_behind(site) == [], "nothing is left behind", seconds=180)  # what was killed is swept
    site.check_books()


def test_many_clips(vendor: str, database_url: str) -> None:
    """All are delivered, none is bought twice, the books balance, memory stays, and nothing is left lying about."""
    with installed(vendor, database_url) as site:
        site.start_redis()
        worker = site.start_worker()
        ids: set[str] = set()
        first_bytes = 0
        for tenth in range(10):
            ids |= {site.order(f"lake {tenth} {number}") for number in range(CLIPS // 10)}
            site.until(site.settled, f"tenth {tenth}", seconds=60 + CLIPS // 10 * SECONDS_A_CLIP)
            first_bytes = first_bytes or _memory_bytes(worker.pid)
        assert {row.status for row in site.rows()} == {Status.COMPLETED}
        assert _memory_bytes(worker.pid) - first_bytes < GROWTH_BYTES
        _check(site, ids)


def test_many_clips_under_kills(vendor: str, database_url: str) -> None:
    """The worker is killed again and again: all come to an end, most are delivered, and nothing is bought twice."""
    with installed(vendor, database_url) as site:
        site.start_redis()
        ids = {site.order(f"lake {number}") for number in range(CLIPS)}
        worker = site.start_worker()
        for _ in range(CLIPS // 25):
            time.sleep(random.uniform(1, 10))
            kill_tree(worker)
            worker = site.start_worker()
        site.until(site.settled, "all are settled", seconds=60 + CLIPS * SECONDS_A_CLIP)
        delivered = sum(row.status is Status.COMPLETED for row in site.rows())
        assert delivered >= CLIPS * 0.9
        _check(site, ids)
