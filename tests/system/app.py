"""A running app for tests that need the real thing: one command, a data folder, a client with a token."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any

import httpx
import psutil

ROOT = Path(__file__).parents[2]
API = "/api/apps/video-generator"


class App:
    """A running `streamlit run app.py`, with further options of Streamlit and variables, and a client with a token.

    What it and all that it starts say goes to `output`, if that is given.
    """

    def __init__(
        self,
        folder: Path,
        *,
        port: int | None = None,
        options: Sequence[str] = (),
        environ: Mapping[str, str] = MappingProxyType({}),
        output: IO[bytes] | None = None,
    ) -> None:
        self.port = port or free_port()
        cleared = ("REDIS_URL", "DATABASE_URL", "STORAGE_URL", "DEMO_BASE_URL")
        self.environ = {name: value for name, value in os.environ.items() if name not in cleared}
        self.environ |= {"DATA_DIR": str(folder), **environ}
        command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(self.port), *options]
        self.process = subprocess.Popen(command, cwd=ROOT, env=self.environ, stdout=output, stderr=output)
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}{API}", trust_env=False, timeout=60)
        try:
            self.until_healthy()
        except BaseException:
            self.stop()
            raise

    def until_healthy(self) -> None:
        """Wait until the API answers, however busy the machine is."""
        end = time.monotonic() + 120
        while True:
            assert self.process.poll() is None, "the app ended at its start"
            try:
                if self.client.get("/health").status_code == 200:
                    return
            except httpx.TransportError:
                pass
            assert time.monotonic() < end, "the app did not answer"
            time.sleep(0.2)

    def until_working(self) -> None:
        """Wait until its workers answer; until then pages may say that nobody works."""
        end = time.monotonic() + 120
        while self.client.get("/health").json().get("worker") is not True:
            assert time.monotonic() < end, "no worker answered"
            time.sleep(0.2)

    def sign_in(self) -> None:
        """Make a token as the README says, and use it."""
        self.client.headers["Authorization"] = f"Bearer {self.admin('token', 'demo@localhost').splitlines()[-1]}"

    def admin(self, *arguments: str) -> str:
        """Run `python -m core.admin` beside it, as an operator would; what it prints."""
        command = [sys.executable, "-m", "core.admin", *arguments]
        return subprocess.run(command, cwd=ROOT, env=self.environ, stdout=subprocess.PIPE, text=True, check=True).stdout

    def order(self, **changes: Any) -> str:
        """Order one small demo clip; its id."""
        project = self.client.post("/projects", json={"name": "Lakes"}).json()["project"]
        wanted = {"projectId": project["id"], "modelId": "demo-film", "prompt": "a lake at dusk"}
        wanted |= {"resolution": "720p", "duration": 2, "aspectRatio": "1:1"} | changes
        answer = self.client.post("/generate", json=wanted)
        assert answer.status_code == 202, answer.text
        found: str = answer.json()["generation"]["id"]
        return found

    def until_ended(self, generation_id: str) -> dict[str, Any]:
        """Wait for the end; progress must never fall meanwhile."""
        end = time.monotonic() + 120
        before = 0
        while True:
            status: dict[str, Any] = self.client.get(f"/generations/{generation_id}/status").json()["status"]
            assert status["progress"] >= before
            before = status["progress"]
            if status["status"] in ("completed", "failed", "cancelled"):
                return status
            assert time.monotonic() < end, status
            time.sleep(0.3)

    def family(self) -> list[psutil.Process]:
        """Everything the app has started."""
        found: list[psutil.Process] = psutil.Process(self.process.pid).children(recursive=True)
        return found

    def stop(self) -> None:
        """End it politely."""
        self.client.close()
        self.process.terminate()
        self.process.wait(30)


def free_port() -> int:
    """A port on loopback that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        found: int = free.getsockname()[1]
        return found


@contextmanager
def running(
    folder: Path,
    *,
    port: int | None = None,
    options: Sequence[str] = (),
    environ: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[App]:
    """The app on a data folder, on a free port unless one is named."""
    app = App(folder, port=port, options=options, environ=environ)
    try:
        app.sign_in()
        app.until_working()
        yield app
    finally:
        if app.process.poll() is None:
            app.stop()


def audit(app: App) -> "subprocess.CompletedProcess[str]":
    """Run the audit as an operator would."""
    command = [sys.executable, "-m", "core.audit"]
    return subprocess.run(command, cwd=ROOT, env=app.environ, capture_output=True, text=True, check=False)
