"""A provider of another package: found by its entry point, its models offered and priced, a clip made; no fork."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.fixtures.serving import served
from tests.simulators.vendor import make_clip
from tests.system.app import ROOT, audit, running

pytestmark = pytest.mark.process


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A folder with the package as pip would install it: its modules, its data, and the name of its entry point."""
    folder = tmp_path / "installed"
    (folder / "lantern_vendor").mkdir(parents=True)
    (folder / "lantern_vendor" / "__init__.py").write_text("", "utf-8")
    for name in ("lantern.py", "lantern.toml"):
        shutil.copy(ROOT / "tests" / "docs" / name, folder / "lantern_vendor" / name)
    described = folder / "lantern_vendor-1.0.dist-info"
    described.mkdir()
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: lantern-vendor\nVersion: 1.0\n", "utf-8")
    entry = "[ai_video_generator.providers]\nlantern = lantern_vendor.lantern:Lantern\n"
    (described / "entry_points.txt").write_text(entry, "utf-8")
    return folder


class LanternServer(ThreadingHTTPServer):
    """The vendor: every job is done at the second look, and its file lies here."""

    def __init__(self, clip: bytes) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.clip, self.orders, self.looks = clip, list[dict[str, object]](), 0


class _Answers(BaseHTTPRequestHandler):
    server: LanternServer

    def do_POST(self) -> None:
        assert self.headers["authorization"] == "Bearer key-of-lantern"
        self.server.orders.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        self._say(201, json.dumps({"id": "j1", "status": "queued"}).encode())

    def do_GET(self) -> None:
        if self.path == "/clip.mp4":
            return self._say(200, self.server.clip, "video/mp4")
        self.server.looks += 1
        done = self.server.looks > 1
        body = {"id": "j1", "status": "done" if done else "running", "progress": 0.5}
        if done:
            body["url"] = f"http://127.0.0.1:{self.server.server_address[1]}/clip.mp4"
        return self._say(200, json.dumps(body).encode())

    def _say(self, status: int, body: bytes, media_type: str = "application/json") -> None:
        self.send_response(status)
        self.send_header("content-type", media_type)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def vendor(tmp_path: Path) -> Iterator[LanternServer]:
    """The running vendor."""
    clip = tmp_path / "clip.mp4"
    make_clip(clip)
    with served(LanternServer(clip.read_bytes())) as server:
        yield server


def test_package_outside_the_repository_makes_a_clip(tmp_path: Path, package: Path, vendor: LanternServer) -> None:
    """Its models stand in the list with their price; an order is sent once, delivered, and charged as was shown."""
    environ = {
        "PYTHONPATH": f"{package}{os.pathsep}{os.environ.get('PYTHONPATH', '')}".rstrip(os.pathsep),
        "LANTERN_API_KEY": "key-of-lantern",
        "LANTERN_BASE_URL": f"http://127.0.0.1:{vendor.server_address[1]}",
    }
    with running(tmp_path / "data", environ=environ) as app:
        [model] = [each for each in app.client.get("/models").json()["models"] if each["id"] == "lantern-glow"]
        wanted = {"modelId": "lantern-glow", "resolution": "720p", "duration": 5, "aspectRatio": "21:9"}
        priced = app.client.post("/estimate-credits", json={k: v for k, v in wanted.items() if k != "aspectRatio"})
        ended = app.until_ended(app.order(**wanted))
        charged = app.client.get("/generations").json()["generations"][0]["creditUsed"]
        checked = audit(app)

    assert model["configured"]
    assert ended["status"] == "completed", ended
    assert [(order["width"], order["height"]) for order in vendor.orders] == [(1680, 720)]
    assert charged == priced.json()["estimate"]["total"] == 5 * 46
    assert checked.returncode == 0, checked.stdout


def test_package_that_is_broken_ends_the_start(tmp_path: Path, package: Path) -> None:
    """One sentence names the package, and no traceback follows."""
    (package / "lantern_vendor" / "lantern.toml").write_text("[[model]]\nid = 5\n", "utf-8")
    environ = os.environ | {"PYTHONPATH": str(package), "DATA_DIR": str(tmp_path / "data")}

    ended = subprocess.run(
        [sys.executable, "-m", "core.admin", "uncertain"],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert ended.returncode == 2
    assert "The provider 'lantern' of the package lantern-vendor cannot be loaded" in ended.stderr
    assert "model[0].id" in ended.stderr
    assert "Traceback" not in ended.stderr
