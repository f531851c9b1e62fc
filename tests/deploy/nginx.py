"""Our files of nginx, filled in for a test and started."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.system.app import ROOT

FILES = ROOT / "deploy" / "nginx"


def configured(folder: Path, *, port: int, nodes: Sequence[int]) -> Path:
    """The files as they are in the container, with paths below `folder`, and ports of loopback."""
    values = {
        "STUDIO_SERVERS": " ".join(f"server 127.0.0.1:{node} max_fails=1 fail_timeout=5s;" for node in nodes),
        "STUDIO_RESOLVER": "127.0.0.1",
        "STUDIO_LISTEN": f"127.0.0.1:{port}",
        "STUDIO_SERVER_NAME": "_",
        "STUDIO_EXTRA": str(folder / "extra"),
        "STUDIO_ACCESS_LOG": str(folder / "access.log"),
    }
    template = (FILES / "studio.conf.template").read_text(encoding="utf-8")
    for name, value in values.items():
        assert f"${{{name}}}" in template
        template = template.replace(f"${{{name}}}", value)
    assert "${STUDIO" not in template
    (folder / "studio.conf").write_text(template, encoding="utf-8")
    frame = (FILES / "nginx.conf").read_text(encoding="utf-8").replace("/tmp/", f"{folder}/")  # noqa: S108 -- the container's
    frame = frame.replace("/dev/stderr", f"{folder}/error.log")
    (folder / "nginx.conf").write_text(frame, encoding="utf-8")
    return folder / "nginx.conf"


@contextmanager
def running(folder: Path, *, port: int, nodes: Sequence[int]) -> Iterator[None]:
    """Nginx before these nodes, while the block runs."""
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    assert program is not None, "nginx is not installed"
    conf = configured(folder, port=port, nodes=nodes)
    account = "user root; " if os.geteuid() == 0 else ""  # in the container nobody is root
    command = [program, "-c", str(conf), "-p", str(folder), "-g", f"{account}daemon off; worker_processes 1;"]
    conf.write_text(conf.read_text(encoding="utf-8").replace("worker_processes auto;\n", ""), encoding="utf-8")
    with subprocess.Popen(command) as process:
        end = time.monotonic() + 60
        try:
            while True:
                try:
                    httpx.get(f"http://127.0.0.1:{port}/", trust_env=False)
                    break
                except httpx.TransportError:
                    assert process.poll() is None, (folder / "error.log").read_text(encoding="utf-8")
                    assert time.monotonic() < end
                    time.sleep(0.05)
            yield
        finally:
            process.terminate()
