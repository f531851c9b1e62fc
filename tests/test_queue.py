import itertools
import subprocess
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core import embedded, queue


@pytest.fixture(scope="module")
def redis() -> Iterator[str]:
    """A Redis of the demo's kind, on a socket of its own."""
    with tempfile.TemporaryDirectory(prefix="q-", dir="/tmp") as name:
        socket = Path(name) / "r.sock"
        process = subprocess.Popen(embedded.redis_command(socket))
        url = f"unix://{socket}"
        end = time.monotonic() + 20
        while not queue.ping(url):
            assert time.monotonic() < end, "Redis did not start"
            time.sleep(0.02)
        yield url
        queue.connection(url).close()
        queue.connection.cache_clear()
        process.terminate()
        process.wait(10)


def test_enqueue_when_repeated(redis: str) -> None:
    """A generation is queued once a version, however often it is handed over."""
    for version in (1, 1, 2):
        queue.enqueue(redis, queue.SUBMIT, "g-1", version)

    assert queue.length(redis, queue.SUBMIT) == 2
    assert queue.length(redis, queue.COLLECT) == 0


def test_reserve_when_many_call_at_once(redis: str) -> None:
    """Calls are booked one after the other at the provider's pace, whoever asks; another provider is not held up."""
    with ThreadPoolExecutor(8) as threads:
        waits = sorted(threads.map(lambda _: queue.reserve_call(redis, "acme", 2.0), range(8)))

    gaps = [late - early for early, late in itertools.pairwise(waits)]
    assert waits[0] == pytest.approx(0, abs=0.01)
    assert all(0.35 < gap < 0.65 for gap in gaps), waits
    assert queue.reserve_call(redis, "other", 2.0) == pytest.approx(0, abs=0.01)


def test_everything_when_redis_is_away() -> None:
    """An outage is reported at once, by one error."""
    away = "redis://127.0.0.1:9/0"

    assert not queue.ping(away)
    with pytest.raises(queue.Unreachable):
        queue.enqueue(away, queue.SUBMIT, "g-1", 1)
    with pytest.raises(queue.Unreachable):
        queue.length(away, queue.SUBMIT)
    with pytest.raises(queue.Unreachable):
        queue.reserve_call(away, "acme", 1.0)
