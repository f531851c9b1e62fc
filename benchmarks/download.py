"""Fetches 200 MB over loopback with core.download and with curl in turn; prints both rates and the memory it took.

Run: python -m benchmarks.download [megabytes]. Takes a few seconds and ends by itself.
"""

import os
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from core.files import download
from core.providers import contract

ROUNDS = 5


def serve(listener: socket.socket, path: Path) -> None:
    """Answer every request with the file, by sendfile, until the listener is closed."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nContent-Length: {path.stat().st_size}\r\n"
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection, path.open("rb") as file:
            connection.recv(65536)
            connection.sendall(f"{head}Connection: close\r\n\r\n".encode())
            connection.sendfile(file)


def seconds_of(work: Callable[[], object]) -> float:
    """How long it takes."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def fetch(host_port: str, target: Path) -> None:
    """The product's way."""
    source = contract.VideoSource(f"http://{host_port}/clip.mp4")
    download.fetch(source, target, allow=frozenset({host_port}))


def run(*command: str | Path) -> None:
    """A command that must succeed, its output thrown away."""
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - words of this file


def main() -> None:
    """Measure and print."""
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    curl = shutil.which("curl")
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as listener:
        source, target = Path(folder, "source.mp4"), Path(folder, "target.mp4")
        block = os.urandom(1_000_000)
        with source.open("wb") as file:
            for _ in range(megabytes):
                file.write(block)
        server = os.fork()  # a process of its own, so that it shares no interpreter lock with what is measured
        if server == 0:
            stop = threading.Timer(120, os._exit, (1,))
            stop.daemon = True
            stop.start()
            serve(listener, source)
            os._exit(0)
        try:
            host_port = f"127.0.0.1:{listener.getsockname()[1]}"
            url = f"http://{host_port}/clip.mp4"
            before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            runs: dict[str, list[float]] = {
                name: [] for name in ("core.files.download", "curl", "curl, then sha256sum")
            }
            for _ in range(ROUNDS):
                runs["core.files.download"].append(seconds_of(lambda: fetch(host_port, target)))
                if curl:
                    runs["curl"].append(seconds_of(lambda: run(curl, "-sfo", target, url)))
                    hashed = seconds_of(lambda: run("sha256sum", target))
                    runs["curl, then sha256sum"].append(runs["curl"][-1] + hashed)
            grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib
        finally:
            os.kill(server, signal.SIGTERM)
            os.waitpid(server, 0)
    print(f"{megabytes} MB over loopback, median of {ROUNDS}; ours includes SHA-256, fsync, limits and rename")
    ours = statistics.median(runs["core.files.download"])
    for name, times in runs.items():
        if times:
            middle = statistics.median(times)
            print(f"{name:22}{megabytes / middle:7.0f} MB/s   ours is {middle / ours:.2f} times as fast")
    print(f"peak memory    {grown_kib / 1024:+7.1f} MiB for {megabytes} MB")


if __name__ == "__main__":
    main()
