"""The demo as a person starts it: one command, everything brought along, nothing left behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import httpx
import psutil
import pytest

from tests.system.app import API, ROOT, audit, running

pytestmark = pytest.mark.process


def test_clip_from_order_to_download(tmp_path: Path) -> None:
    """One command serves page and API; an order becomes a real MP4 at its price; the end leaves nothing running."""
    with running(tmp_path) as app:
        assert httpx.get(f"http://127.0.0.1:{app.port}/", trust_env=False).status_code == 200
        first = app.client.get("/credits")
        before = first.json()
        assert first.headers["ratelimit-policy"] == '"token";q=600;w=60', "the app's own Redis counts requests"
        assert app.client.get("/media/%0A").headers["content-type"] == "application/json"
        quoted = app.client.post(
            "/estimate-credits", json={"modelId": "demo-film", "resolution": "720p", "duration": 5}
        ).json()["estimate"]["total"]
        generation_id = app.order(duration=5, aspectRatio="16:9", generateAudio=True)
        status = app.until_ended(generation_id)
        assert status["status"] == "completed", status
        whole = app.client.get(f"/download/{generation_id}")
        part = app.client.get(f"/download/{generation_id}", headers={"Range": "bytes=0-99"})
        linked = httpx.get(status["videoUrl"], headers={"Range": "bytes=0-99"}, trust_env=False)
        after = app.client.get("/credits").json()
        checked = audit(app)
        family = app.family()

    path = tmp_path / "clip.mp4"
    path.write_bytes(whole.content)
    with av.open(path) as clip:
        video, sound = clip.streams.video[0], clip.streams.audio[0]
        assert (video.codec_context.name, video.width, video.height, video.pix_fmt) == ("h264", 1280, 720, "yuv420p")
        assert sound.codec_context.name == "aac"
        assert clip.duration is not None
        assert abs(clip.duration / 1_000_000 - 5) < 0.4
    assert (part.status_code, part.content) == (206, whole.content[:100])
    assert (linked.status_code, linked.content) == (206, whole.content[:100])
    assert before != after
    assert str(quoted + 10) in checked.stdout or checked.returncode == 0
    assert checked.returncode == 0, checked.stdout
    assert not psutil.wait_procs(family, timeout=20)[1]


def test_app_killed_in_the_middle(tmp_path: Path) -> None:
    """A killed app takes everything it started along; the next one finishes what was under way, once."""
    with running(tmp_path) as app:
        generation_id = app.order(duration=8)
        end = time.monotonic() + 30
        # Killed while it is sent, it would rightly be uncertain for some minutes; that is tried with the other kills.
        while app.client.get(f"/generations/{generation_id}/status").json()["status"]["progress"] == 0:
            assert time.monotonic() < end
            time.sleep(0.1)
        family = app.family()
        app.process.send_signal(signal.SIGKILL)
        app.process.wait()
    assert len(family) >= 5
    assert not psutil.wait_procs(family, timeout=30)[1]

    with running(tmp_path) as app:
        assert app.until_ended(generation_id)["status"] == "completed"
        checked = audit(app)
    assert checked.returncode == 0, checked.stdout


def test_app_started_twice_on_one_folder(tmp_path: Path) -> None:
    """A second app on the same folder does not start, and says what to do."""
    with running(tmp_path) as app:
        command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(app.port + 1)]
        second = subprocess.run(
            command, cwd=ROOT, env=app.environ, capture_output=True, text=True, check=False, timeout=60
        )

    assert second.returncode != 0
    assert "DATA_DIR" in second.stdout + second.stderr


def test_app_on_an_open_address(tmp_path: Path) -> None:
    """Without sign-in the app refuses to listen to the world, and answers no other host name."""
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.address", "0.0.0.0"]  # noqa: S104 -- it must be refused
    environ = os.environ | {"DATA_DIR": str(tmp_path / "other")}
    refused = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False, timeout=60)
    assert refused.returncode != 0
    assert "AUTH_MODE" in refused.stdout + refused.stderr

    with running(tmp_path) as app:
        foreign = httpx.get(
            f"http://127.0.0.1:{app.port}{API}/health", headers={"Host": "evil.example"}, trust_env=False
        )
    assert foreign.status_code == 403


def test_parts_killed_one_by_one(tmp_path: Path) -> None:
    """Whatever part of the running demo is killed, it comes back and the next clip is made."""
    with running(tmp_path) as app:
        for process in app.family():
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue
        generation_id = app.order()
        assert app.until_ended(generation_id)["status"] == "completed"
