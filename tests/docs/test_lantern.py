import asyncio
import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from core import errors
from core.providers.base import Provider
from core.providers.contract import JobState, VideoRequest
from tests.docs.documents import DOCS, ROOT, blocks, prose
from tests.docs.lantern import MODELS, Lantern

REQUEST = VideoRequest(
    reference="reference-1",
    model=MODELS[0],
    prompt="a harbour at night",
    resolution="1080p",
    duration_seconds=10,
    aspect_ratio="9:16",
)


def call(answer: Callable[[httpx.Request], httpx.Response], coroutine: str, *arguments: Any) -> Any:
    """What a coroutine of the example returns when the vendor answers so."""

    async def once() -> Any:
        async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
            return await getattr(Lantern(client=client, key="key-4711"), coroutine)(*arguments)

    return asyncio.run(once())


def test_document_shows_the_very_program() -> None:
    """The page on adding a provider has tests/docs/lantern.py as it is: copy it there after a change."""
    (shown,) = (block for block in blocks(DOCS / "how-to" / "add-a-provider.md") if "lantern.py" in block.words)

    assert shown.text == (ROOT / "tests" / "docs" / "lantern.py").read_text(encoding="utf-8")


def test_document_names_what_there_is() -> None:
    """Each name in the tables of attributes and coroutines is one of a provider, each error one of ours."""
    text = prose(DOCS / "how-to" / "add-a-provider.md")
    sections = dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL))
    rows = re.findall(r"^\| (`[^|]+) \|", sections["Attributes of the class"] + sections["Coroutines"], re.MULTILINE)
    named = {word for row in rows for word in re.findall(r"`(\w+)`", row)}
    raised = re.findall(r"`([A-Z][a-z]+[A-Z]\w+)`", sections["Coroutines"] + sections["What a submit means"])

    assert len(named) >= 15
    assert {word for word in named if word not in Provider.__annotations__ and not hasattr(Provider, word)} == set()
    assert len(raised) >= 12
    assert [word for word in raised if not hasattr(errors, word)] == []


def test_example_fulfils_the_contract() -> None:
    """Every test that holds all providers holds the example, too."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-n",
        "0",
        "-q",
        "-p",
        "tests.docs.with_lantern",
        "-p",
        "no:cacheprovider",
    ]
    command += ["-k", "lantern", "tests/providers/test_contract.py"]

    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)

    assert ran.returncode == 0, ran.stdout + ran.stderr
    passed = re.search(r"(\d+) passed", ran.stdout)
    assert passed is not None
    assert int(passed[1]) >= 20


def test_order_sends_what_the_vendor_lists() -> None:
    """The order is one POST with the vendor's words and our key, and its id comes back."""

    def vendor(request: httpx.Request) -> httpx.Response:
        assert request.headers["authorization"] == "Bearer key-4711"
        assert (request.method, request.url.path) == ("POST", "/v1/videos")
        assert request.read() == (
            b'{"model":"glow-1","prompt":"a harbour at night","seconds":10,"width":1080,"height":1920}'
        )
        return httpx.Response(201, json={"id": "j1", "status": "queued"})

    assert call(vendor, "generate_video", REQUEST).id == "j1"


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (401, {}, errors.BadKey),
        (402, {}, errors.ProviderOutOfCredits),
        (422, {"error": {"code": "refused"}}, errors.ContentRefused),
        (422, {"error": {"code": "invalid", "field": "seconds"}}, errors.InvalidInput),
        (429, {}, errors.ProviderRateLimited),
        (503, {}, errors.SubmitUncertain),
    ],
)
def test_order_refused(status: int, body: dict[str, Any], expected: type[errors.ProviderError]) -> None:
    """Each refusal of the vendor is the error that says what follows."""
    with pytest.raises(expected):
        call(lambda _: httpx.Response(status, json=body), "generate_video", REQUEST)


@pytest.mark.parametrize(
    ("body", "state"),
    [
        ({"status": "queued"}, JobState.QUEUED),
        ({"status": "running", "progress": 0.4}, JobState.RUNNING),
        ({"status": "done", "url": "https://files.lantern.example/j1.mp4"}, JobState.SUCCEEDED),
        ({"status": "done"}, JobState.RUNNING),
        ({"status": "polishing"}, JobState.RUNNING),
        ({"status": "failed"}, JobState.FAILED),
    ],
)
def test_look(body: dict[str, Any], state: JobState) -> None:
    """The vendor's words are ours; one that is not known, and success without a link, is waited on."""
    assert call(lambda _: httpx.Response(200, json=body), "check_status", "j1").state is state
