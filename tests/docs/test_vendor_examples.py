"""The worked examples of connecting servers: what stands in the document is connected, checked, and makes a clip."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
import httpx
import pytest

from core import db
from core.db.enums import Status
from core.installation import Installation
from tests import simulators
from tests.docs.documents import blocks
from tests.docs.test_examples import HOW_TO, commands, run
from tests.factories import vendor_orders
from tests.factories.books import broken_rules
from tests.factories.users import create_member

pytestmark = pytest.mark.process
COMFYUI, OPENAI = HOW_TO / "connect-comfyui.md", HOW_TO / "connect-an-openai-video-server.md"


def written(document: Path, folder: Path, addresses: Mapping[str, str]) -> Path:
    """The files of a document in a folder, with the addresses of stand-ins; its file of vendors."""
    for block in blocks(document):
        if block.language in ("toml", "json") and block.words:
            text = block.text
            for shown, real in addresses.items() if block.language == "toml" else ():
                assert shown in text
                text = text.replace(shown, real)
            file = folder / block.words[0]
            file.parent.mkdir(exist_ok=True)
            file.write_text(text, "utf-8")
    return folder / "vendors.toml"


@contextmanager
def standing_in(kind: str, *shown: str) -> Iterator[dict[str, str]]:
    """Stand-ins for the servers that a document shows, by the address it shows."""
    if not shown:
        yield {}
        return
    with simulators.running(kind, seconds=0.5) as real, standing_in(kind, *shown[1:]) as others:
        yield {shown[0]: real, **others}


def orders(address: str) -> list[dict[str, Any]]:
    """What a stand-in was sent."""
    found: list[dict[str, Any]] = httpx.get(f"{address}/_sim/calls").json()["submits"]
    return found


@pytest.fixture(autouse=True)
def without_redis(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work is carried along by the test."""
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:9/0")


def test_comfyui(tmp_path: Path, installation: Installation) -> None:
    """Two machines answer the check; a clip is ordered for nothing, made by the workflow of the page, and is here."""
    with standing_in("comfyui", "http://10.0.0.7:8188", "http://10.0.0.8:8188") as addresses:
        file = written(COMFYUI, tmp_path, addresses)
        (check,) = commands(COMFYUI)
        printed = run(check, tmp_path, DATA_DIR=str(tmp_path / "data"))
        with vendor_orders.named_by(file):
            person = create_member(db.default(), credits=10)
            wanted = {"model_id": "gpus-wan-2.2-5b", "duration_seconds": 2, "negative_prompt": "rain", "seed": 7}
            row = vendor_orders.carried_through(vendor_orders.ordered(person, aspect_ratio="9:16", **wanted))
            clip = installation.storage.read_bytes(str(row.output_key))
        sent = [order for address in addresses.values() for order in orders(address)]

    assert "gpus: it answers\n  gpus-wan-2.2-5b: available" in printed
    assert (row.status, row.credits, row.provider_job_id) == (Status.COMPLETED, 0, row.id)
    assert float(row.provider_cost or 0) == pytest.approx(0.5 * 333 / 10**6, abs=1e-6)
    assert broken_rules() == []
    (tmp_path / "clip.mp4").write_bytes(clip)
    with av.open(tmp_path / "clip.mp4") as found:
        assert found.streams.video
    (graph,) = (order["body"]["prompt"] for order in sent)
    assert graph["6"]["inputs"]["text"] == "a lake at dusk"
    assert graph["7"]["inputs"]["text"] == "rain"
    assert graph["3"]["inputs"]["seed"] == 7
    assert [graph["55"]["inputs"][name] for name in ("width", "height", "length")] == [704, 1280, 49]


def test_openai_video_server(tmp_path: Path, installation: Installation) -> None:
    """The machine answers the check; a clip is ordered for nothing, by a form with fields of the page, and is here."""
    with standing_in("openaivideo", "http://10.0.0.7:8000") as addresses:
        file = written(OPENAI, tmp_path, addresses)
        (check,) = commands(OPENAI)
        printed = run(check, tmp_path, DATA_DIR=str(tmp_path / "data"))
        with vendor_orders.named_by(file):
            person = create_member(db.default(), credits=10)
            wanted = {"model_id": "wan-2.2-5b", "duration_seconds": 2, "negative_prompt": "rain", "seed": 7}
            row = vendor_orders.carried_through(vendor_orders.ordered(person, **wanted))
            size_bytes = len(installation.storage.read_bytes(str(row.output_key)))
        (sent,) = orders(*addresses.values())

    assert "wan: it answers\n  wan-2.2-5b: available" in printed
    assert (row.status, row.credits) == (Status.COMPLETED, 0)
    assert size_bytes > 1000
    assert broken_rules() == []
    assert sent["body"] == {
        "prompt": "a lake at dusk",
        "seconds": "2",
        "size": "1280x704",
        "model": "Wan-AI/Wan2.2-TI2V-5B-Diffusers",
        "negative_prompt": "rain",
        "seed": "7",
        "num_inference_steps": "40",
        "guidance_scale": "5.0",
        "files": [],
    }


@pytest.mark.parametrize("kind", ["502html", "reset", "noid"])
def test_openai_video_server_that_loses_an_answer(tmp_path: Path, installation: Installation, kind: str) -> None:
    """As the page says of a list with prompts: the job is found there, and nothing is sent again."""
    with standing_in("openaivideo", "http://10.0.0.7:8000") as addresses:
        with vendor_orders.named_by(written(OPENAI, tmp_path, addresses)):
            person = create_member(db.default(), credits=10)
            prompt = f"a lake [sim:{kind}]"
            row = vendor_orders.carried_through(
                vendor_orders.ordered(person, model_id="wan-2.2-5b", duration_seconds=2, prompt=prompt)
            )
        assert len(orders(*addresses.values())) == 1

    assert row.status is Status.COMPLETED
    assert broken_rules() == []
