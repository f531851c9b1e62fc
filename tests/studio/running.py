"""A real studio in a process of its own, for tests of the studio and of its provider."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[2]
KEY = "studio-key-for-tests"


@contextmanager
def studio(folder: Path) -> Iterator[tuple[httpx.Client, "subprocess.Popen[bytes]"]]:
    """A real studio on a free port, and a client that has its key."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "studio", "--port", str(port), "--folder", str(folder)]
    environ = os.environ | {"DEMO_API_KEY": KEY}
    with subprocess.Popen([*command, "--end-with-parent"], cwd=ROOT, env=environ, stdin=subprocess.PIPE) as process:
        headers = {"Authorization": f"Bearer {KEY}"}
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, trust_env=False) as client:
            end = time.monotonic() + 20
            while True:
                try:
                    client.get("/health")
                    break
                except httpx.ConnectError:
                    assert time.monotonic() < end, "the studio did not start"
                    time.sleep(0.05)
            try:
                yield client, process
            finally:
                process.terminate()
