import base64
import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import httpx
import psutil
import pytest
from PIL import Image

from tests.studio.running import ROOT, studio


def body(**changes: Any) -> dict[str, Any]:
    """A small job of one second, with changes."""
    small = {"reference": "g-1", "prompt": "a lake", "width": 128, "height": 72, "seconds": 1, "audio": True}
    return small | changes


def until(client: httpx.Client, job_id: str, *statuses: str) -> dict[str, Any]:
    """Wait for a status; progress must never fall meanwhile."""
    end = time.monotonic() + 60
    before = 0.0
    while True:
        job: dict[str, Any] = client.get(f"/v1/jobs/{job_id}").json()
        assert job["progress"] >= before
        before = job["progress"]
        if job["status"] in statuses:
            return job
        assert time.monotonic() < end, job
        time.sleep(0.05)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """The client of one studio for all tests that leave nothing in it."""
    with studio(tmp_path_factory.mktemp("studio")) as (client, _):
        yield client


def test_job_from_submit_to_file(tmp_path: Path) -> None:
    """A job is drawn with progress, its file is served in ranges, and the same reference is the same job."""
    with studio(tmp_path) as (client, _):
        first = client.post("/v1/jobs", json=body())
        job = until(client, first.json()["id"], "succeeded")
        again = client.post("/v1/jobs", json=body(prompt="another"))
        part = client.get(job["video_url"], headers={"Range": "bytes=4-7"})
        whole = client.get(job["video_url"])
        found = client.get("/v1/jobs", params={"reference": "g-1"}).json()["jobs"]
        nothing = client.get("/v1/jobs", params={"reference": "g-2"}).json()["jobs"]

    assert (first.status_code, job["progress"]) == (201, 1.0)
    assert again.json()["id"] == job["id"]
    assert (part.status_code, part.content) == (206, b"ftyp")
    assert [one["id"] for one in found] == [job["id"]]
    assert nothing == []
    with av.open(io.BytesIO(whole.content)) as clip:
        assert (clip.streams.video[0].width, clip.streams.video[0].height) == (128, 72)


def test_job_with_images(tmp_path: Path) -> None:
    """Start and end image reach the renderer."""
    file = io.BytesIO()
    Image.new("RGB", (200, 200), "crimson").save(file, "JPEG")
    image = base64.b64encode(file.getvalue()).decode()
    with studio(tmp_path) as (client, _):
        job = client.post("/v1/jobs", json=body(start_image=image, end_image=image)).json()
        assert until(client, job["id"], "succeeded", "failed")["status"] == "succeeded"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"seconds": 17}, "seconds"),
        ({"seconds": 1.5}, "seconds"),
        ({"width": 129}, "width"),
        ({"height": 0}, "height"),
        ({"prompt": None}, "prompt"),
        ({"reference": ""}, "reference"),
        ({"start_image": "not base64!"}, "start_image"),
    ],
)
def test_job_when_it_cannot_be_made(shared: httpx.Client, changes: dict[str, Any], field: str) -> None:
    """What cannot be drawn is refused by its field."""
    reply = shared.post("/v1/jobs", json=body(**changes))

    assert reply.status_code == 422
    assert reply.json()["error"]["field"] == field


def test_job_when_image_is_broken(tmp_path: Path) -> None:
    """A renderer that fails ends the job with its sentence."""
    broken = base64.b64encode(b"no picture").decode()
    with studio(tmp_path) as (client, _):
        job = client.post("/v1/jobs", json=body(start_image=broken)).json()
        ended = until(client, job["id"], "failed")

    assert ended["error"]["message"]


def test_every_route_when_key_is_wrong(tmp_path: Path) -> None:
    """Without the key nothing is told or done."""
    with studio(tmp_path) as (client, _):
        client.headers["Authorization"] = "Bearer other"
        for method, path in (
            ("POST", "/v1/jobs"),
            ("GET", "/v1/jobs"),
            ("GET", "/v1/jobs/x"),
            ("GET", "/v1/files/x.mp4"),
        ):
            assert client.request(method, path, json=body()).status_code == 401


def test_cancel_when_drawing(tmp_path: Path) -> None:
    """Cancelling ends the renderer at once; what waits behind it goes on; what is finished stays finished."""
    with studio(tmp_path) as (client, process):
        long = client.post("/v1/jobs", json=body(reference="long", width=1280, height=720, seconds=16)).json()
        short = client.post("/v1/jobs", json=body(reference="short")).json()
        until(client, long["id"], "running")
        assert client.post(f"/v1/jobs/{long['id']}/cancel").json()["status"] == "cancelled"
        until(client, short["id"], "succeeded")
        assert client.post(f"/v1/jobs/{short['id']}/cancel").json()["status"] == "succeeded"
        assert psutil.Process(process.pid).children() == []


def test_studio_killed_while_drawing(tmp_path: Path) -> None:
    """A killed studio takes its renderer along; the next one draws what was unfinished and knows what was done."""
    with studio(tmp_path) as (client, process):
        done = client.post("/v1/jobs", json=body(reference="done")).json()
        until(client, done["id"], "succeeded")
        half = client.post("/v1/jobs", json=body(reference="half", width=640, height=360, seconds=3)).json()
        until(client, half["id"], "running")
        renderers = psutil.Process(process.pid).children()
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert len(renderers) == 1
    assert not psutil.wait_procs(renderers, timeout=10)[1]

    with studio(tmp_path) as (client, _):
        assert client.get(f"/v1/jobs/{done['id']}").json()["status"] == "succeeded"
        assert until(client, half["id"], "succeeded")["reference"] == "half"


def test_studio_ends_with_its_parent(tmp_path: Path) -> None:
    """When the parent is gone, seen by the closed pipe, the studio ends."""
    with studio(tmp_path) as (_, process):
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(10) == 1


def test_studio_without_a_key(tmp_path: Path) -> None:
    """Without a key it does not start, and says so."""
    command = [sys.executable, "-m", "studio", "--port", "1", "--folder", str(tmp_path)]
    environ = {name: value for name, value in os.environ.items() if name != "DEMO_API_KEY"}
    ended = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False, timeout=30)

    assert ended.returncode == 2
    assert "DEMO_API_KEY" in ended.stderr
