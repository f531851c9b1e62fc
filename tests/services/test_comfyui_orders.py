"""Orders to ComfyUI servers, from the hold to the clip, and what a server that breaks or starts anew leaves of them."""

import io
import json
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from sqlalchemy import update

from core import db
from core.clock import utc_now
from core.db.enums import Stage, Status
from core.db.tables import Generation, Upload
from core.generations import commands, reconciliation
from core.insights import circuit_breaker
from core.installation import Installation
from core.worker import tasks
from core.workspaces.access import Member
from tests import simulators
from tests.factories import vendor_orders as vendors
from tests.factories.books import broken_rules
from tests.factories.generations import load_generation
from tests.factories.users import create_member

pytestmark = pytest.mark.process
GRAPH: dict[str, Any] = {
    "3": {"class_type": "KSampler", "inputs": {"seed": 1, "latent_image": ["55", 0]}},
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a cat"}},
    "55": {"class_type": "EmptyHunyuanLatentVideo", "inputs": {"width": 640, "height": 352, "length": 121}},
    "58": {"class_type": "SaveVideo", "inputs": {"filename_prefix": "video/ComfyUI", "video": ["57", 0]}},
}
FILE = """
[vendor.gpus]
kind = "comfyui"
base_url = "{first}"
options = {{ servers = ["{second}"], micro_dollars_per_gpu_second = 500_000 }}

[[vendor.gpus.model]]
id = "gpus-wan"
name = "Wan"
description = "On our own GPUs."
default_seconds = 2
durations = {{ from = 2, to = 5 }}
resolutions = ["720p"]
aspect_ratios = ["16:9"]
options = {{ workflow = "wan.json", fps = 16, inputs = {{ prompt = "6.text", seed = "3.seed", frames = "55.length" }} }}
prices = [{{ since = 2026-11-01, credits_per_second = {{ "720p" = 3 }} }}]

[[vendor.gpus.model]]
id = "gpus-picture"
name = "Wan from a picture"
description = "On our own GPUs."
default_seconds = 2
durations = [2]
resolutions = ["720p"]
aspect_ratios = ["16:9"]
start_image = true
text_to_video = false
options = {{ workflow = "picture.json", inputs = {{ prompt = "6.text", start_image = "60.image" }} }}
prices = [{{ since = 2026-11-01, credits_per_second = {{ "720p" = 3 }} }}]
"""


def workflows(folder: Path) -> None:
    """The files that the models name."""
    picture = {"60": {"class_type": "LoadImage", "inputs": {"image": "example.png"}}}
    (folder / "wan.json").write_text(json.dumps(GRAPH), "utf-8")
    (folder / "picture.json").write_text(json.dumps(GRAPH | picture), "utf-8")


@pytest.fixture(autouse=True)
def without_redis(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work is carried along by the test."""
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:9/0")


@pytest.fixture
def servers(installation: Installation, tmp_path: Path) -> Iterator[list[str]]:
    """Two servers of one vendor, at private addresses."""
    workflows(tmp_path)
    with simulators.running("comfyui", seconds=1) as first, simulators.running("comfyui", seconds=1) as second:
        file = tmp_path / "vendors.toml"
        file.write_text(FILE.format(first=first, second=second), "utf-8")
        with vendors.named_by(file):
            yield [first, second]


@pytest.fixture
def ana(servers: list[str]) -> Member:
    """Somebody with credits."""
    return create_member(db.default(), credits=1000)


def order(ana: Member, prompt: str = "a lake", **changes: Any) -> str:
    """An order that a worker is to send."""
    wanted = {"model_id": "gpus-wan", "prompt": prompt, "duration_seconds": 2}
    return vendors.ordered(ana, **(wanted | changes))


def submits(address: str) -> list[dict[str, Any]]:
    """The orders that a server has got."""
    found: list[dict[str, Any]] = httpx.get(f"{address}/_sim/calls").json()["submits"]
    return found


def sound(generation_id: str) -> Generation:
    """A row as it is now, the books being right."""
    assert broken_rules() == []
    return load_generation(generation_id)


def later(generation_id: str, seconds: float) -> None:
    """Let it be so long ago that the row has changed."""
    with db.write_session() as session:
        moment = utc_now() - timedelta(seconds=seconds)
        session.execute(update(Generation).where(Generation.id == generation_id).values(updated_at=moment))


def test_orders_are_shared_by_the_servers_and_completed(servers: list[str], ana: Member) -> None:
    """The second goes to the free server; each clip is fetched where it was made, and the machine time is its cost."""
    first, second = order(ana), order(ana, "a hill")
    tasks.submit(first)
    tasks.submit(second)
    ready = [
        vendors.looked_at_until(each, lambda row: row.stage is Stage.READY_TO_DOWNLOAD) for each in (first, second)
    ]
    for row in ready:
        tasks.ingest(row.id)

    assert [len(submits(each)) for each in servers] == [1, 1]
    assert [row.provider_job_id for row in ready] == [first, f"{second}@{servers[1].partition('//')[2]}"]
    for generation_id in (first, second):
        row = sound(generation_id)
        assert (row.status, row.credits, row.provider_cost) == (Status.COMPLETED, 6, Decimal("0.500000"))


@pytest.mark.parametrize("kind", ["502html", "reset", "noid"])
def test_lost_answer_is_found_by_our_id(servers: list[str], ana: Member, kind: str) -> None:
    """The job that nobody answered for is found, completed and charged once; nothing is sent again."""
    generation_id = order(ana, f"a lake [sim:{kind}]")
    tasks.submit(generation_id)
    assert sound(generation_id).status is Status.UNCERTAIN

    row = vendors.looked_at_until(generation_id, lambda found: found.stage is Stage.READY_TO_DOWNLOAD)
    tasks.ingest(row.id)

    assert sound(generation_id).status is Status.COMPLETED
    assert sum(len(submits(each)) for each in servers) == 1


def test_lost_answer_of_a_server_that_started_anew(servers: list[str], ana: Member) -> None:
    """It has forgotten everything: after the time in which an order may still arrive the hold goes back."""
    generation_id = order(ana, "a lake [sim:502html]")
    tasks.submit(generation_id)
    httpx.post(f"{servers[0]}/_sim/restart")
    assert vendors.looked_at(generation_id).status is Status.UNCERTAIN

    later(generation_id, reconciliation.LATE_ARRIVAL_WINDOW.total_seconds() + 1)
    assert vendors.looked_at(generation_id).status is Status.FAILED

    assert "never got it, or has forgotten it" in str(sound(generation_id).error_message)
    assert sum(len(submits(each)) for each in servers) == 1


def test_job_of_a_server_that_started_anew(servers: list[str], ana: Member) -> None:
    """A job that is gone fails with its hold given back, and is not sent again."""
    generation_id = order(ana)
    tasks.submit(generation_id)
    httpx.post(f"{servers[0]}/_sim/restart")

    assert vendors.looked_at(generation_id).status is Status.FAILED
    assert "no longer knows this job" in str(sound(generation_id).error_message)
    assert sum(len(submits(each)) for each in servers) == 1


def test_waiting_and_running_jobs_are_stopped(servers: list[str], ana: Member) -> None:
    """One is taken out of the queue, one is interrupted; others go on, and the holds go back."""
    running, other, waiting = (order(ana, f"a lake [sim:never] {number}") for number in range(3))
    for each in (running, other, waiting):
        tasks.submit(each)
    for each in (waiting, running):
        with db.write_session() as session:
            commands.cancel(session, ana, each)
        vendors.looked_at_until(each, lambda row: row.status is Status.CANCELLED)

    assert vendors.looked_at(other).status is Status.PROCESSING
    assert sound(running).status is sound(waiting).status is Status.CANCELLED


@pytest.mark.parametrize(
    ("prompt", "code", "says"),
    [
        ("a lake [sim:fail]", "generation_failed", "graphics memory"),
        ("a lake [sim:early]", "generation_failed", "without a video file"),
        ("a lake [sim:badkey]", "provider_bad_key", "does not accept our key"),
    ],
)
def test_what_broke_is_said(ana: Member, prompt: str, code: str, says: str) -> None:
    """A person reads what it was; the hold goes back."""
    vendors.carried_through(generation_id := order(ana, prompt))
    row = sound(generation_id)

    assert (row.status, row.error_code) == (Status.FAILED, code)
    assert says in str(row.error_message)


def test_picture_goes_to_the_server_that_makes_the_clip(
    servers: list[str], ana: Member, installation: Installation
) -> None:
    """It is uploaded there and named in the workflow; the server would refuse a name that it does not have."""
    picture = io.BytesIO()
    Image.new("RGB", (320, 180), "teal").save(picture, "JPEG")
    installation.storage.put_bytes("images/ab/lake.jpg", picture.getvalue(), media_type="image/jpeg")
    with db.write_session() as session:
        session.add(
            Upload(
                workspace_id=ana.workspace_id,
                user_id=ana.id,
                storage_key="images/ab/lake.jpg",
                original_sha256="a" * 64,
                file_name="lake.png",
                size_bytes=700,
                width=320,
                height=180,
            )
        )
    tasks.submit(order(ana))
    row = vendors.carried_through(order(ana, model_id="gpus-picture", start_image_key="images/ab/lake.jpg"))

    assert sound(row.id).status is Status.COMPLETED
    (sent,) = submits(servers[1])
    assert sent["body"]["prompt"]["60"]["inputs"]["image"].startswith("ai-video-generator/")


def test_server_that_goes_away_takes_no_other_along(installation: Installation, tmp_path: Path) -> None:
    """Its job waits, orders go to the other one and are completed, and the vendor is not called in trouble."""
    ana = create_member(db.default(), credits=1000)
    workflows(tmp_path)
    file = tmp_path / "vendors.toml"
    with simulators.running("comfyui", seconds=0.5) as first, ExitStack() as leaving:
        second = leaving.enter_context(simulators.running("comfyui", seconds=60))
        file.write_text(FILE.format(first=first, second=second), "utf-8")
        with vendors.named_by(file):
            httpx.post(f"{first}/_sim/faults", json={"kind": "late"})
            busy, stranded = order(ana), order(ana, "a hill")
            tasks.submit(busy)
            tasks.submit(stranded)
            leaving.close()
            looks = [vendors.looked_at(stranded) for _ in range(circuit_breaker.FAILURES_TO_OPEN + 1)]
            later_one = vendors.carried_through(order(ana, "a river"))
            with db.read_session() as session:
                health = circuit_breaker.states(session).get("gpus")

    assert {row.status for row in looks} == {Status.PROCESSING}
    assert "@" in str(looks[-1].provider_job_id)
    assert later_one.status is Status.COMPLETED
    assert circuit_breaker.state(health) is circuit_breaker.State.OK
