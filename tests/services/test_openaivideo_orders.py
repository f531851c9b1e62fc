"""Orders to a server that speaks OpenAI's videos, and what a server that breaks or refuses leaves of them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from core import db
from core.db.enums import Status
from core.db.tables import Generation
from core.generations import commands
from core.installation import Installation
from core.worker import tasks
from core.workspaces.access import Member
from tests import simulators
from tests.factories import vendor_orders as vendors
from tests.factories.books import broken_rules
from tests.factories.generations import load_generation
from tests.factories.users import create_member

pytestmark = pytest.mark.process
FILE = """
[vendor.wan]
kind = "openaivideo"
base_url = "{address}"
options = {{ can_cancel = true, lists_prompts = true }}

[[vendor.wan.model]]
id = "wan-5b"
name = "Wan"
upstream_id = "Wan-AI/Wan2.2-TI2V-5B-Diffusers"
description = "On our own GPUs."
default_seconds = 2
durations = {{ from = 2, to = 5 }}
resolutions = ["720p"]
aspect_ratios = ["16:9"]
prices = [{{ since = 2026-11-01, credits_per_second = {{ "720p" = 3 }} }}]
"""


@pytest.fixture
def server(installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A server at a private address; Redis is away."""
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:9/0")
    with simulators.running("openaivideo", seconds=0.5) as address:
        file = tmp_path / "vendors.toml"
        file.write_text(FILE.format(address=address), "utf-8")
        with vendors.named_by(file):
            yield address


@pytest.fixture
def ana(server: str) -> Member:
    """Somebody with credits."""
    return create_member(db.default(), credits=1000)


def order(ana: Member, prompt: str) -> str:
    """An order that a worker is to send."""
    return vendors.ordered(ana, model_id="wan-5b", prompt=prompt, duration_seconds=2)


def sound(generation_id: str) -> Generation:
    """A row as it is now, the books being right."""
    assert broken_rules() == []
    return load_generation(generation_id)


@pytest.mark.parametrize("kind", ["ok", "look429", "look500", "oddword", "drop", "502html", "reset"])
def test_clip_is_completed_once(server: str, ana: Member, kind: str) -> None:
    """Also where looks or the download break, or the answer to the order is lost."""
    generation_id = order(ana, f"a lake [sim:{kind}]")
    vendors.carried_through(generation_id)
    submits: list[Any] = httpx.get(f"{server}/_sim/calls").json()["submits"]

    row = sound(generation_id)
    assert (row.status, row.credits, len(submits)) == (Status.COMPLETED, 6, 1)


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("badkey", "provider_bad_key"),
        ("nocredit", "provider_out_of_credits"),
        ("nsfwsubmit", "content_refused"),
        ("gone", "model_unavailable"),
        ("badinput", "provider_invalid_input"),
        ("nsfw", "content_refused"),
        ("fail", "generation_failed"),
        ("nojob", "generation_failed"),
    ],
)
def test_what_was_refused_or_broke_is_said(ana: Member, kind: str, code: str) -> None:
    """Each by its own code, with the hold given back."""
    generation_id = order(ana, f"a lake [sim:{kind}]")
    vendors.carried_through(generation_id)

    row = sound(generation_id)
    assert (row.status, row.error_code) == (Status.FAILED, code)


def test_job_is_deleted_when_it_is_cancelled(server: str, ana: Member) -> None:
    """It is gone at the server, and the hold goes back."""
    generation_id = order(ana, "a lake [sim:never]")
    tasks.submit(generation_id)
    with db.write_session() as session:
        commands.cancel(session, ana, generation_id)
    vendors.looked_at(generation_id)

    row = sound(generation_id)
    assert row.status is Status.CANCELLED
    assert httpx.get(f"{server}/v1/videos/{row.provider_job_id}").status_code == 404
