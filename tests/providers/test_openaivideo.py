"""Servers that speak OpenAI's `/v1/videos`, as instances that a file names: vLLM, SGLang, LiteLLM, relays."""

import asyncio
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from core import errors, vendors_file
from core.providers import registry
from core.providers.contract import JobState, Provider, ReportedCost, SourceImage, VideoRequest
from core.providers.testing import (
    BASE_URL,
    ODD_WORD,
    PROMPT,
    Answer,
    Listing,
    ProviderContract,
    VendorScript,
    broken_rules,
)

MODEL = """
[[vendor.NAME.model]]
id = "NAME-wan"
name = "Wan 2.2 5B"
upstream_id = "Wan-AI/Wan2.2-TI2V-5B"
description = "On our own GPUs."
default_seconds = 5
durations = { from = 3, to = 8 }
resolutions = ["720p"]
aspect_ratios = ["16:9", "9:16"]
sizes = { "720p 16:9" = [1280, 704], "720p 9:16" = [704, 1280] }
start_image = true
negative_prompt = true
seed = true
frame_rates = [16, 24]
prices = [{ since = 2026-11-28, credits_per_second = { any = 0 } }]
costs = [{ since = 2026-11-28, source = "own machine", sure = "derived", per_gpu_second = 333 }]
"""
VLLM = '[vendor.NAME]\nkind = "openaivideo"\nbase_url = "http://gpu1:8000"\nmax_in_flight = 2\n' + (
    'options = { body = "multipart", can_cancel = true, lists_prompts = true }\n'
)
RELAY = '[vendor.NAME]\nkind = "openaivideo"\nbase_url = "https://relay.example/openai"\nneeds_key = true\n'


def instance(folder: Path, text: str, name: str) -> type[Provider]:
    """The class of an instance that a file names."""
    file = folder / "vendors.toml"
    file.write_text((text + MODEL).replace("NAME", name), "utf-8")
    known = registry.make()
    vendors_file.add(known, file)
    return known.provider_class(name)


JOB = {"id": "video_68d7", "object": "video", "status": "in_progress", "progress": 40, "created_at": 1795262400}
CONTENT = f"{BASE_URL}/v1/videos/video_68d7/content"


def listed(**changes: Any) -> Answer:
    """A list with one job, as vLLM-Omni shows it."""
    item = JOB | {"prompt": PROMPT, "seconds": "5", "size": "1280x704"} | changes
    return Answer(json={"object": "list", "data": [item], "has_more": False})


def refused(status: int, code: str | None, said: str = "no", **more: Any) -> Answer:
    """An error in OpenAI's shape."""
    return Answer(status, {"error": {"message": said, "type": "invalid_request_error", "code": code, **more}})


RELAY_SCRIPT = VendorScript(
    submits=r"POST /v1/videos",
    looks=r"GET /v1/videos/[^/]+",
    tries_key=r"GET /v1/models",
    accepted=Answer(200, JOB | {"status": "queued"}),
    job_id="video_68d7",
    vendor_id="video_68d7",
    under_way=[
        ([Answer(json=JOB | {"status": "queued", "progress": 0})], JobState.QUEUED),
        ([Answer(json=JOB)], JobState.RUNNING),
        ([Answer(json=JOB | {"status": "processing", "progress": "40%"})], JobState.RUNNING),
    ],
    succeeded=[Answer(json=JOB | {"status": "completed", "progress": 100, "usage": {"cost": 0.35}})],
    video_url=CONTENT,
    unknown_word=[Answer(json=JOB | {"status": ODD_WORD})],
    failures=[
        ([Answer(json=JOB | {"status": "failed", "error": {"code": "oom", "message": "no"}})], errors.GenerationFailed),
        (
            [Answer(json=JOB | {"status": "failed", "error": {"code": "moderation_blocked", "message": "no"}})],
            errors.ContentRefused,
        ),
    ],
    lost=[refused(404, "not_found")],
    look_errors=[(refused(401, "invalid_api_key"), errors.BadKey)],
    refusals=[
        (refused(401, "invalid_api_key"), errors.BadKey, None),
        (refused(429, "insufficient_quota"), errors.ProviderOutOfCredits, None),
        (refused(404, "model_not_found"), errors.ModelUnavailable, None),
        (refused(400, None, "The model `x` does not exist"), errors.ModelUnavailable, None),
        (refused(400, "content_policy_violation"), errors.ContentRefused, None),
        (refused(400, "invalid_value", param="seconds"), errors.InvalidInput, "duration"),
        (Answer(502, text="<html>Bad Gateway</html>"), errors.SubmitUncertain, None),
        (Answer(500, JOB), errors.SubmitUncertain, None),
    ],
    delays=[(Answer(429, {"error": {"code": "rate_limit"}}, headers={"retry-after": "7"}), 7)],
    cost=ReportedCost(Decimal("0.35"), "USD"),
    key_accepted=Answer(json={"object": "list", "data": []}),
    key_refused=[refused(401, "invalid_api_key")],
    file_needs_key=True,
    takes_webhooks=False,
)


def key_or_none(sent: httpx.Request, key: str) -> bool:
    """An own server may have a key or none."""
    return sent.headers.get("authorization") in (f"Bearer {key}", None)


OWN_SCRIPT = VendorScript(
    needs_key=False,
    has_key=key_or_none,
    submits=RELAY_SCRIPT.submits,
    looks=RELAY_SCRIPT.looks,
    stops=r"DELETE /v1/videos/[^/]+",
    tries_key=RELAY_SCRIPT.tries_key,
    searches=r"GET /v1/videos",
    accepted=RELAY_SCRIPT.accepted,
    job_id=RELAY_SCRIPT.job_id,
    vendor_id=RELAY_SCRIPT.vendor_id,
    under_way=RELAY_SCRIPT.under_way,
    succeeded=[Answer(json=JOB | {"status": "completed", "progress": 100})],
    video_url=CONTENT,
    unknown_word=RELAY_SCRIPT.unknown_word,
    failures=RELAY_SCRIPT.failures,
    lost=RELAY_SCRIPT.lost,
    refusals=RELAY_SCRIPT.refusals,
    cancels=[
        (
            [Answer(json=JOB), Answer(json={"id": "video_68d7", "deleted": True}), refused(404, None)],
            JobState.CANCELLED,
        ),
        ([Answer(json=JOB | {"status": "completed"})], JobState.SUCCEEDED),
        ([Answer(json=JOB), refused(409, None), Answer(json=JOB)], JobState.RUNNING),
    ],
    key_accepted=RELAY_SCRIPT.key_accepted,
    key_refused=RELAY_SCRIPT.key_refused,
    listings=[
        Listing(listed(), exact=("video_68d7",)),
        Listing(
            listed(prompt="another"),
        ),
        Listing(listed(prompt=None), candidates=("video_68d7",)),
        Listing(Answer(json={"object": "list", "data": []})),
    ],
    unreadable_lists=[Answer(json={"data": [{"id": 5}]}), Answer(json={"data": {}})],
    file_needs_key=True,
    takes_webhooks=False,
)


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory) -> type[Provider]:
    """A relay with a key, below a path."""
    return instance(tmp_path_factory.mktemp("relay"), RELAY, "relay")


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> type[Provider]:
    """vLLM-Omni on an own machine."""
    return instance(tmp_path_factory.mktemp("own"), VLLM, "gpu1")


def _made(text: str, name: str) -> type[Provider]:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        return instance(Path(folder), text, name)


class TestRelay(ProviderContract):
    provider = _made(RELAY.replace("/openai", ""), "relay")
    script = RELAY_SCRIPT


class TestOwnServer(ProviderContract):
    provider = _made(VLLM.replace("http://gpu1:8000", "https://gpu1.example"), "gpu1")
    script = OWN_SCRIPT


def test_contract_holds_without_a_key(own: type[Provider]) -> None:
    """An own server with no key is not sent an empty one."""
    assert broken_rules(own, OWN_SCRIPT, only=("it_works_without_a_key",)) == {}


def request(provider: type[Provider], **changes: Any) -> VideoRequest:
    """An order."""
    values: dict[str, Any] = {
        "reference": "r1",
        "model": provider.models[0],
        "prompt": PROMPT,
        "resolution": "720p",
        "duration_seconds": 5,
        "aspect_ratio": "16:9",
    }
    return VideoRequest(**values | changes)


def sent(provider: type[Provider], wanted: VideoRequest, *, key: str = "") -> httpx.Request:
    """What goes to the server for an order."""
    seen: list[httpx.Request] = []

    def answer(asked: httpx.Request) -> httpx.Response:
        asked.read()
        seen.append(asked)
        return httpx.Response(200, json=JOB)

    async def once() -> None:
        async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
            await provider(client=client, key=key).generate_video(wanted)

    asyncio.run(once())
    return seen[0]


def test_order_is_json_below_the_path_of_a_relay(relay: type[Provider]) -> None:
    """Seconds are a text, the size is the model's own, and the path of the address stays."""
    order = sent(relay, request(relay, seed=7, fps=24, negative_prompt="rain"), key="k")

    assert str(order.url) == "https://relay.example/openai/v1/videos"
    assert order.headers["authorization"] == "Bearer k"
    assert json.loads(order.content) == {
        "prompt": PROMPT,
        "seconds": "5",
        "size": "1280x704",
        "model": "Wan-AI/Wan2.2-TI2V-5B",
        "negative_prompt": "rain",
        "seed": 7,
        "fps": 24,
    }


@pytest.mark.parametrize("end", ["/v1", "/v1/"])
def test_address_may_end_as_openais_library_wants_it(tmp_path: Path, end: str) -> None:
    """People copy the address from other programs, where `/v1` belongs to it."""
    provider = instance(tmp_path, RELAY.replace("/openai", f"/openai{end}"), "relay")

    assert str(sent(provider, request(provider)).url) == "https://relay.example/openai/v1/videos"


@pytest.mark.parametrize(
    "said",
    [
        "/v1/videos: Invalid model name passed in model=veo-9. Call `/v1/models` to view available models.",
        "The model `veo-9` does not exist.",
    ],
)
def test_model_that_a_server_does_not_have_is_no_fault_of_the_order(relay: type[Provider], said: str) -> None:
    """Nobody can change an order so that it goes through: an administrator has to look."""
    refusal = {"error": {"message": said, "type": "invalid_request_error", "param": "None", "code": "400"}}

    async def order() -> None:
        answer = httpx.Response(400, json=refusal)
        async with httpx.AsyncClient(transport=httpx.MockTransport(lambda _: answer)) as client:
            await relay(client=client, key="k").generate_video(request(relay))

    with pytest.raises(errors.ModelUnavailable):
        asyncio.run(order())


def test_order_with_an_image_is_a_form(relay: type[Provider]) -> None:
    """The image is a file of the form, everything else a plain field of it."""
    order = sent(relay, request(relay, start_image=SourceImage(b"\xff\xd8\xff picture")), key="k")
    body = order.content

    assert order.headers["content-type"].startswith("multipart/form-data")
    assert b'name="input_reference"; filename="start.jpg"' in body
    assert b'name="seconds"\r\n' in body
    assert b'name="prompt"; filename' not in body


def test_own_server_always_gets_a_form_and_no_key(own: type[Provider]) -> None:
    """vLLM-Omni takes forms only; without a key no header is sent."""
    order = sent(own, request(own))

    assert str(order.url) == "http://gpu1:8000/v1/videos"
    assert order.headers["content-type"].startswith("multipart/form-data")
    assert "authorization" not in order.headers


def test_cost_of_a_gateway_is_read_from_its_header(relay: type[Provider]) -> None:
    """LiteLLM tells what a call cost beside the body."""

    async def look() -> Any:
        answer = httpx.Response(200, json=JOB | {"status": "completed"}, headers={"x-litellm-response-cost": "0.4"})
        async with httpx.AsyncClient(transport=httpx.MockTransport(lambda _: answer)) as client:
            return await relay(client=client, key="k").check_status("video_68d7")

    assert asyncio.run(look()).cost == ReportedCost(Decimal("0.4"), "USD")


@pytest.mark.parametrize(("told", "cost"), [("0.4", Decimal("0.4")), ("0.0", None), ("None", None), (None, None)])
def test_cost_of_a_gateway_comes_with_the_answer_to_the_order(
    relay: type[Provider], told: str | None, cost: Decimal | None
) -> None:
    """LiteLLM prices the call that orders; a look is free there, which says nothing of the clip."""

    async def order_and_look() -> Any:
        def answer(asked: httpx.Request) -> httpx.Response:
            if asked.method == "POST":
                headers = {} if told is None else {"x-litellm-response-cost": told}
                return httpx.Response(200, json=JOB | {"status": "queued"}, headers=headers)
            headers = {"x-litellm-response-cost": "0.0"}
            return httpx.Response(200, json=JOB | {"status": "completed"}, headers=headers)

        async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
            provider = relay(client=client, key="k")
            return await provider.generate_video(request(relay)), await provider.check_status("video_68d7")

    job, status = asyncio.run(order_and_look())
    assert job.cost == (None if cost is None else ReportedCost(cost, "USD"))
    assert status.cost is None


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('body = "multipart"', 'body = "xml"', "line 5, vendor.gpu1.options.body: It must be one of"),
        (
            "can_cancel = true",
            'can_cancel = "yes"',
            "line 5, vendor.gpu1.options.can_cancel: It must be true or false.",
        ),
        ("can_cancel = true", "can_stop = true", "line 5, vendor.gpu1.options.can_stop: There is no such option"),
        (
            "start_image = true",
            "start_image = true\nend_image = true",
            "line 7, vendor.gpu1.model[0]: This kind takes one",
        ),
        ("seed = true", "audio = true", "vendor.gpu1.model[0].options.sound_field: It needs"),
        ("seed = true", "options = { extra = 5 }", "vendor.gpu1.model[0].options.extra: It must be a table."),
    ],
)
def test_slip_in_the_file_is_told(tmp_path: Path, old: str, new: str, told: str) -> None:
    """What this kind cannot do is told at the start, with its place."""
    file = tmp_path / "vendors.toml"
    text = (VLLM + MODEL).replace("NAME", "gpu1")
    assert old in text
    file.write_text(text.replace(old, new, 1), "utf-8")

    with pytest.raises(vendors_file.BadVendorsFile) as wrong:
        vendors_file.add(registry.make(), file)

    assert told in str(wrong.value)
