"""A Redis of the demo's kind for tests, on a socket of its own."""

import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.redis import connection as redis_connection
from core.worker import local_stack


@contextmanager
def server() -> Iterator[str]:
    """Start it; yields its address."""
    with tempfile.TemporaryDirectory(prefix="q-", dir="/tmp") as name:
        socket = Path(name) / "r.sock"
        process = subprocess.Popen(local_stack.redis_command(socket))
        url = f"unix://{socket}"
        try:
            end = time.monotonic() + 20
            with redis_connection.connect(url) as connection:
                while not redis_connection.ping(connection):
                    assert time.monotonic() < end, "Redis did not start"
                    time.sleep(0.02)
            yield url
        finally:
            process.terminate()
            process.wait(10)
