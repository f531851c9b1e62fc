import asyncio
import importlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from core import errors
from core.providers import http
from core.providers.adapter import Adapter
from core.providers.contract import JobState, VideoRequest
from core.providers.testing import ODD_WORD, Answer, ProviderContract, VendorScript, broken_rules
from tests.docs.documents import DOCS, ROOT, blocks, prose
from tests.docs.lantern import Lantern

PAGE = DOCS / "how-to" / "add-a-provider.md"
REQUEST = VideoRequest(
    reference="reference-1",
    model=Lantern.models[0],
    prompt="a harbour at night",
    resolution="1080p",
    duration_seconds=5,
    aspect_ratio="9:16",
)

CLIP = "https://files.lantern.example/j1.mp4"
JOB = {"id": "j1", "status": "queued", "progress": 0}
SCRIPT = VendorScript(
    submits=r"POST /v1/videos",
    looks=r"GET /v1/videos/[^/]+",
    accepted=Answer(201, JOB),
    job_id="j1",
    vendor_id="j1",
    under_way=[
        ([Answer(200, JOB)], JobState.QUEUED),
        ([Answer(200, JOB | {"status": "running", "progress": 0.4})], JobState.RUNNING),
    ],
    succeeded=[Answer(200, JOB | {"status": "done", "progress": 1, "url": CLIP})],
    video_url=CLIP,
    unknown_word=[Answer(200, JOB | {"status": ODD_WORD})],
    failures=[
        ([Answer(200, JOB | {"status": "failed", "error": "out of memory"})], errors.GenerationFailed),
        ([Answer(200, JOB | {"status": "failed", "code": "refused"})], errors.ContentRefused),
    ],
    lost=[Answer(404, {"code": "unknown_job"})],
    refusals=[
        (Answer(402, {"code": "no_funds"}), errors.ProviderOutOfCredits, None),
        (Answer(404, {"code": "unknown_model"}), errors.ModelUnavailable, None),
        (Answer(422, {"code": "refused"}), errors.ContentRefused, None),
        (Answer(422, {"code": "invalid", "field": "seconds"}), errors.InvalidInput, "duration"),
        (Answer(500, JOB), errors.SubmitUncertain, None),
    ],
    takes_webhooks=False,
)


class TestLantern(ProviderContract):
    provider = Lantern
    script = SCRIPT


def call(answer: Callable[[httpx.Request], httpx.Response], coroutine: str, *arguments: Any) -> Any:
    """What a coroutine of the example returns when the vendor answers so."""

    async def once() -> Any:
        async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
            return await getattr(Lantern(client=client, key="key-4711"), coroutine)(*arguments)

    return asyncio.run(once())


def test_document_shows_the_very_program() -> None:
    """The page on adding a provider has lantern.py and lantern.toml as they are: copy them there after a change."""
    for name in ("lantern.py", "lantern.toml"):
        (shown,) = (block for block in blocks(PAGE) if name in block.words)
        assert shown.text == (ROOT / "tests" / "docs" / name).read_text(encoding="utf-8")


def test_document_shows_the_very_script() -> None:
    """The script on the page is that of this file, letter for letter."""
    (shown,) = (block for block in blocks(PAGE) if "test_lantern.py" in block.words)

    assert "ProviderContract" in shown.text
    assert shown.text in Path(__file__).read_text(encoding="utf-8")


def test_document_names_what_there_is() -> None:
    """Each name in the first column of a table is one of an adapter, each condition and error one of ours."""
    text = prose(PAGE)
    rows = re.findall(r"^\| (`[^|]+) \|", text, re.MULTILINE)
    named = {word for row in rows for word in re.findall(r"`(\w+)`", row)}
    sections = dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL))
    raised = re.findall(r"`([A-Z][a-z]+[A-Z]\w+)`", sections["What the coroutines promise"])
    raised += re.findall(r"`([A-Z][a-z]+[A-Z]\w+)`", sections["What a submit means"])

    conditions = re.findall(r"`http\.(\w+)`", text)

    assert len(named) >= 40
    assert {word for word in named if not hasattr(Lantern, word)} == set()
    assert conditions
    assert [word for word in conditions if not hasattr(http, word)] == []
    assert len(raised) >= 12
    assert [word for word in raised if not hasattr(errors, word)] == []


def test_document_names_every_hook() -> None:
    """What the template calls and a vendor may answer for is on the page."""
    text = prose(PAGE)
    made = re.compile("(submit|upload|status|result|cancel|key|lookup)_call|parse_|(is|has)_")
    hooks = [name for name in dir(Adapter) if made.match(name)]

    assert len(hooks) >= 20
    assert [name for name in hooks if f"`{name}`" not in text] == []


def test_example_is_written_as_a_package_outside_would(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under a name of its own, as it stands on the page, it keeps the rules that are read from an adapter's text."""
    (shown,) = (block for block in blocks(PAGE) if "lantern.py" in block.words)
    (tmp_path / "lantern_of_the_page.py").write_text(shown.text, encoding="utf-8")
    (described,) = (block for block in blocks(PAGE) if "lantern.toml" in block.words)
    (tmp_path / "lantern_of_the_page.toml").write_text(described.text, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)

    provider = importlib.import_module("lantern_of_the_page").Lantern

    assert broken_rules(provider, SCRIPT, only=("it_knows_http_only",)) == {}


def test_order_sends_what_the_vendor_lists() -> None:
    """The order is one POST with the vendor's words and our key, and its id comes back."""

    def vendor(request: httpx.Request) -> httpx.Response:
        assert request.headers["authorization"] == "Bearer key-4711"
        assert (request.method, request.url.path) == ("POST", "/v1/videos")
        assert request.read() == (
            b'{"model":"glow-1","prompt":"a harbour at night","seconds":5,"width":1080,"height":1920}'
        )
        return httpx.Response(201, json={"id": "j1", "status": "queued"})

    assert call(vendor, "generate_video", REQUEST).id == "j1"


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (401, {}, errors.BadKey),
        (402, {}, errors.ProviderOutOfCredits),
        (422, {"code": "refused"}, errors.ContentRefused),
        (422, {"code": "invalid", "field": "seconds"}, errors.InvalidInput),
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
