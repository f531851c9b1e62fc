"""A Redis of the demo's kind for tests, on a socket of its own."""

import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core import embedded, queue


@contextmanager
def server() -> Iterator[str]:
    """Start it; yields its address."""
    with tempfile.TemporaryDirectory(prefix="q-", dir="/tmp") as name:
        socket = Path(name) / "r.sock"
        process = subprocess.Popen(embedded.redis_command(socket))
        url = f"unix://{socket}"
        try:
            end = time.monotonic() + 20
            while not queue.ping(url):
                assert time.monotonic() < end, "Redis did not start"
                time.sleep(0.02)
            yield url
        finally:
            queue.connection(url).close()
            queue.connection.cache_clear()
            process.terminate()
            process.wait(10)
