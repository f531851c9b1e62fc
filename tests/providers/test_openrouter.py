"""OpenRouter. Shapes are those of its video guide, its SDK and its page on webhooks."""

import json
from decimal import Decimal
from functools import partial
from typing import Any

import httpx
import pytest
import respx

from core import errors
from core.providers import registry
from core.providers.contract import (
    JobState,
    LiveModel,
    MediaKind,
    ReferenceMedia,
    ReportedCost,
    SourceImage,
    VideoSource,
)
from tests.providers import calls

API = "https://openrouter.ai/api/v1"
SUBMIT, JOB_ID = f"{API}/videos", "job-abc123"
LOOK, CONTENT = f"{SUBMIT}/{JOB_ID}", f"{SUBMIT}/{JOB_ID}/content"
STORED = "https://storage.example/clips/a.mp4?signature=1"
IMAGE, PICTURE = SourceImage(b"\xff\xd8"), {"type": "image_url", "image_url": {"url": "data:image/jpeg;base64,/9g="}}
PENDING = {"id": JOB_ID, "polling_url": f"/api/v1/videos/{JOB_ID}", "status": "pending"}
COMPLETED = PENDING | {"status": "completed", "unsigned_urls": [f"{CONTENT}?index=0"]}
PLAIN = {"prompt": "a lake", "duration": 5, "resolution": "720p", "aspect_ratio": "16:9"}

_request = partial(calls.request, "openrouter-seedance-2.0")
_run = partial(calls.run, "openrouter")
_submit = partial(calls.run, "openrouter", "generate_video")
_look = partial(calls.run, "openrouter", "check_status", JOB_ID)
_source = partial(calls.run, "openrouter", "video_source", JOB_ID)


@respx.mock
@pytest.mark.parametrize(
    ("changed", "wanted"),
    [
        ({}, {"generate_audio": False}),
        ({"generate_audio": True, "seed": 0}, {"generate_audio": True, "seed": 0}),
        (
            {"start_image": IMAGE, "end_image": IMAGE},
            {
                "generate_audio": False,
                "frame_images": [PICTURE | {"frame_type": "first_frame"}, PICTURE | {"frame_type": "last_frame"}],
            },
        ),
        (
            {"references": (ReferenceMedia(MediaKind.IMAGE, "", IMAGE),)},
            {"generate_audio": False, "input_references": [PICTURE]},
        ),
        (
            {"webhook_url": "https://studio.example/hooks/1"},
            {"generate_audio": False, "callback_url": "https://studio.example/hooks/1"},
        ),
        ({"webhook_url": "http://studio.example/hooks/1"}, {"generate_audio": False}),
    ],
)
def test_submit(changed: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Length, size and shape always; silence is said, since sound is on unless it is told; calls go to https only."""
    route = respx.post(SUBMIT).respond(202, json=PENDING)
    assert _submit(_request(**changed)).id == JOB_ID
    assert json.loads(route.calls.last.request.content) == {"model": "bytedance/seedance-2.0", **PLAIN, **wanted}


@respx.mock
@pytest.mark.parametrize("model_id", ["openrouter-gen-4.5", "openrouter-grok-imagine-1.5"])
def test_submit_to_a_model_without_a_choice_of_sound(model_id: str) -> None:
    """Where the list does not say that sound can be chosen, nothing is said of it."""
    route = respx.post(SUBMIT).respond(202, json=PENDING)
    _submit(calls.request(model_id))
    assert json.loads(route.calls.last.request.content) == {"model": registry.model(model_id).upstream_id, **PLAIN}


@respx.mock
@pytest.mark.parametrize(
    ("body", "state", "link"),
    [
        (COMPLETED, JobState.SUCCEEDED, f"{CONTENT}?index=0"),
        (COMPLETED | {"unsigned_urls": [f"/api/v1/videos/{JOB_ID}/content"]}, JobState.SUCCEEDED, CONTENT),
        (COMPLETED | {"urls": [STORED]}, JobState.SUCCEEDED, f"{CONTENT}?index=0"),
        (COMPLETED | {"unsigned_urls": None, "urls": [STORED]}, JobState.SUCCEEDED, STORED),
        (COMPLETED | {"unsigned_urls": []}, JobState.RUNNING, None),
        (PENDING | {"status": "cancelled"}, JobState.CANCELLED, None),
    ],
)
def test_look(body: dict[str, Any], state: JobState, link: str | None) -> None:
    """The address that lasts comes before the one that is signed for a while."""
    respx.get(LOOK).respond(json=body)
    status = _look()
    assert (status.state, status.video_url) == (state, link)


@respx.mock
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (PENDING | {"status": "expired"}, errors.JobLost),
        (PENDING | {"status": "failed", "error": "Provider returned an error"}, errors.GenerationFailed),
        (PENDING | {"status": "failed", "error": {"message": "flagged by moderation"}}, errors.ContentRefused),
        (COMPLETED | {"unsigned_urls": [], "error": "Blocked: usage policy"}, errors.ContentRefused),
    ],
)
@pytest.mark.parametrize("cost", [None, 0.01])
def test_look_at_a_failed_job(body: dict[str, Any], expected: type[errors.ProviderError], cost: float | None) -> None:
    """What a job has cost that made no clip is known as well."""
    respx.get(LOOK).respond(json=body | {"usage": {"cost": cost}})
    status = _look()
    assert status.state is JobState.FAILED
    assert type(status.error) is expected
    assert status.cost == (ReportedCost(Decimal("0.01"), "USD") if cost else None)


@respx.mock
@pytest.mark.parametrize(
    ("usage", "amount"),
    [
        ({"cost": 0.762300, "is_byok": False}, "0.7623"),
        ({"cost": "0.7623"}, "0.7623"),
        ({"cost": 0}, "0"),
        ({"cost": 0.02, "is_byok": True}, None),
        ({"cost": None}, None),
        ({"cost": -1}, None),
        ({"cost": 1e12}, None),
        ({"cost": True}, None),
        ({"cost": "free"}, None),
        ({}, None),
        (None, None),
        ([0.5], None),
    ],
)
def test_cost(usage: object, amount: str | None) -> None:
    """Dollars; nothing is known where the maker was paid by a key of our own, and what is no price is none."""
    respx.get(LOOK).respond(json=COMPLETED | {"usage": usage})
    cost = _look().cost
    assert cost == (None if amount is None else ReportedCost(Decimal(amount), "USD"))


@pytest.mark.parametrize(
    ("link", "address", "has_key"),
    [
        (f"{CONTENT}?index=0", f"{CONTENT}?index=0", True),
        (CONTENT, f"{CONTENT}?index=0", True),
        (f"https://elsewhere.example/api/v1/videos/{JOB_ID}/content?index=1", f"{CONTENT}?index=1", True),
        (f"{SUBMIT}/job-of-another/content?index=0", f"{SUBMIT}/job-of-another/content?index=0", False),
        (STORED, STORED, False),
        ("https://[::1/x", "https://[::1/x", False),
    ],
)
def test_file(link: str, address: str, has_key: bool) -> None:
    """The key goes to the content of this job at the vendor's own address, and nowhere else."""
    headers = {"Authorization": f"Bearer {calls.KEY}"} if has_key else {}
    assert _source(link) == VideoSource(address, headers)


@respx.mock
@pytest.mark.parametrize(
    ("said", "field"),
    [
        ("duration: must be one of 4, 6, 8", "duration"),
        ("Unsupported resolution 480p", "resolution"),
        ("aspect_ratio 5:4 is not supported", "aspectRatio"),
        ("input_references[1] could not be read", "references"),
        ("something else", None),
    ],
)
def test_submit_refused_for_a_field(said: str, field: str | None) -> None:
    """A message that speaks of a parameter names the field of ours."""
    respx.post(SUBMIT).respond(400, json={"error": {"code": 400, "message": said}})
    with pytest.raises(errors.InvalidInput) as caught:
        _submit(_request())
    assert caught.value.field == field


@respx.mock
@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, json={"error": {"code": 502, "message": "Bad gateway"}}),
        httpx.Response(202, json={"status": "pending"}),
        httpx.Response(503, json={"error": {"code": 503, "message": "No provider is available"}}),
        httpx.Response(524, html="<html>"),
        httpx.ReadTimeout("slow"),
    ],
)
def test_submit_without_a_verdict(answer: httpx.Response | Exception) -> None:
    """Nothing is sent again where a job may have been begun: it could not be searched for."""
    route = respx.post(SUBMIT).mock(side_effect=[answer])
    with pytest.raises(errors.SubmitUncertain):
        _submit(_request())
    assert route.call_count == 1


@respx.mock
def test_submit_when_told_to_come_back() -> None:
    """A busy vendor is asked again after the time it says."""
    respx.post(SUBMIT).respond(
        429, json={"error": {"code": 429, "message": "Rate limit exceeded"}}, headers={"Retry-After": "7"}
    )
    with pytest.raises(errors.ProviderRateLimited) as caught:
        _submit(_request())
    assert caught.value.retry_after_seconds == 7


@respx.mock
def test_live_models() -> None:
    """A price name that is not known leaves its model unpriced, and what is no model is left out."""
    listed = [
        {"id": "runway/gen-4.5", "name": "Gen-4.5", "pricing_skus": {"duration_seconds": "0.12"}},
        {"id": "acme/moon", "supported_resolutions": ["720p"], "pricing_skus": {"cents_per_moon": "3"}},
        {"id": None},
        "acme/text",
    ]
    respx.get(f"{API}/videos/models").respond(json={"data": listed})
    priced, unpriced = _run("live_models")
    assert (priced.upstream_id, priced.name, priced.cost.per_second) == (
        "runway/gen-4.5",
        "Gen-4.5",
        {"any": 120_000},
    )
    assert unpriced == LiveModel("acme/moon", "", {"cents_per_moon": "3"}, None)
