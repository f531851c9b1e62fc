"""Memory of the idle demo: proportional set size of each of its processes, as Linux counts it (`smaps_rollup`).

`python -m benchmarks.memory [FOLDER]` starts the demo of a checkout (this one by default) in a folder of its own, opens
its first page's address once, lets it rest and prints a line a process. Shared pages count in parts, so lines add up.
"""

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
import psutil

ROOT = Path(__file__).parents[1]
REST_SECONDS = 20.0


def pss_bytes(pid: int) -> int:
    """Proportional set size of one process."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    raise ValueError(f"no Pss of process {pid}")


def label(process: psutil.Process) -> str:
    """What a process is for, from its command line."""
    return " ".join(Path(word).name if word.startswith("/") else word for word in process.cmdline())[:70]


def main() -> None:
    """Start, rest, print, end."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT)
    parser.add_argument("--rest", type=float, default=REST_SECONDS, metavar="SECONDS")
    options = parser.parse_args()
    with socket.socket() as free, tempfile.TemporaryDirectory() as data:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
        command += ["--server.headless", "true"]
        app = subprocess.Popen(  # noqa: S603 -- the demo itself
            command, cwd=options.folder, env={**os.environ, "DATA_DIR": data}, stdout=subprocess.DEVNULL
        )
        try:
            _wait_until_ready(f"http://127.0.0.1:{port}")
            time.sleep(options.rest)
            root = psutil.Process(app.pid)
            sizes = [(pss_bytes(each.pid), label(each)) for each in (root, *root.children(recursive=True))]
        finally:
            app.terminate()
            app.wait(timeout=60)
    for size, name in sorted(sizes, reverse=True):
        print(f"{size / 1024**2:8.1f} MB  {name}")
    print(f"{sum(size for size, _name in sizes) / 1024**2:8.1f} MB  together")


def _wait_until_ready(address: str) -> None:
    end = time.monotonic() + 120
    while time.monotonic() < end:
        try:
            if httpx.get(f"{address}/api/apps/video-generator/health", timeout=5).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.5)
    raise TimeoutError(f"{address} does not answer")


if __name__ == "__main__":
    main()
