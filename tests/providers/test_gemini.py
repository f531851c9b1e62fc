"""What only Google does: tags for frames, files apart from jobs, clips inside answers, haste told late."""

import base64
import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import httpx
import pytest
import respx

from core import errors
from core.catalog import catalogue
from core.catalog.records import Cost, PerSecondPrice
from core.providers import registry
from core.providers.contract import (
    LINK_AT_PROVIDER,
    JobState,
    JobStatus,
    MediaKind,
    ProviderJob,
    ReferenceMedia,
    ReportedCost,
    SourceImage,
)
from tests.providers import calls

ORDERS = "https://generativelanguage.googleapis.com/v1beta/interactions"
FILES = "https://generativelanguage.googleapis.com/v1beta/files"
JOB = {"id": "v1_ChdQdHU2", "model": "gemini-omni-1.1-flash", "status": "in_progress"}
FILE = f"{FILES}/abc-123:download?alt=media"
IMAGE, OTHER = SourceImage(b"\xff\xd8 one"), SourceImage(b"\xff\xd8 two")


def ordered(**changed: Any) -> dict[str, Any]:
    """The body of an order."""
    route = respx.post(ORDERS).respond(json=JOB)
    assert calls.run("gemini", "generate_video", calls.request("gemini-omni-1.2-flash", **changed)).id == JOB["id"]
    sent = route.calls.last.request
    assert (sent.headers["x-goog-api-key"], calls.KEY in str(sent.url)) == (calls.KEY, False)
    body: dict[str, Any] = json.loads(sent.content)
    return body


def done(*content: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A completed job with this in it."""
    return JOB | {"status": "completed", "steps": [{"type": "model_output", "content": list(content)}]} | more


def looked(body: dict[str, Any], status: int = 200) -> JobStatus:
    """What a look makes of an answer."""
    respx.get(f"{ORDERS}/{JOB['id']}").respond(status, json=body)
    found: JobStatus = calls.run("gemini", "check_status", JOB["id"])
    return found


@respx.mock
def test_an_order_of_text() -> None:
    """It runs in the background, or Google would make and bill it within the call; lengths are texts."""
    body = ordered(duration_seconds=15, resolution="4K", aspect_ratio="9:16")
    assert body == {
        "model": "gemini-omni-1.2-flash",
        "input": [{"type": "text", "text": "a lake"}],
        "response_format": {
            "type": "video",
            "resolution": "4k",
            "aspect_ratio": "9:16",
            "duration": "15s",
            "delivery": "uri",
        },
        "generation_config": {"video_config": {"task": "text_to_video"}},
        "background": True,
        "store": True,
    }


@respx.mock
@pytest.mark.parametrize(
    ("changed", "task", "images", "prompt"),
    [
        ({"start_image": IMAGE}, "image_to_video", [IMAGE], "a lake"),
        (
            {"start_image": IMAGE, "end_image": OTHER},
            "image_to_video",
            [IMAGE, OTHER],
            "[# Sources <FIRST_FRAME>@Image1 <LAST_FRAME>@Image2] a lake",
        ),
        (
            {"references": (ReferenceMedia(MediaKind.IMAGE, "", OTHER), ReferenceMedia(MediaKind.IMAGE, "", IMAGE))},
            "reference_to_video",
            [OTHER, IMAGE],
            "a lake",
        ),
    ],
)
def test_an_order_with_images(changed: dict[str, Any], task: str, images: list[SourceImage], prompt: str) -> None:
    """Two frames are told apart by tags in the prompt, references by the task."""
    body = ordered(**changed)
    assert body["generation_config"]["video_config"] == {"task": task}
    *pictures, words = body["input"]
    assert [base64.b64decode(each["data"]) for each in pictures] == [each.data for each in images]
    assert words["text"] == prompt


@respx.mock
def test_a_lost_answer_is_not_sent_again() -> None:
    """Google knows no idempotency, and lists nothing to look in."""
    route = respx.post(ORDERS).mock(side_effect=httpx.ReadTimeout("slow"))
    with pytest.raises(errors.SubmitUncertain):
        calls.run("gemini", "generate_video", calls.request("gemini-omni-1.2-flash"))
    assert route.call_count == 1
    assert not registry.provider_class("gemini").supports_lookup


@respx.mock
def test_an_accepted_order_that_found_no_room() -> None:
    """Too many at once may be told by the first look: the job has an id, so that it is never ordered again."""
    respx.post(ORDERS).respond(json=JOB)
    job = calls.run("gemini", "generate_video", calls.request("gemini-omni-1.2-flash"))
    assert isinstance(job, ProviderJob)
    with pytest.raises(errors.ProviderRateLimited) as caught:
        looked({"error": {"code": "too_many_requests", "message": "Please retry in 1m3.397s."}}, 429)
    assert caught.value.retry_after_seconds == 63.397
    status = looked(JOB | {"status": "failed", "errors": [{"code": "too_many_requests", "message": "Please retry"}]})
    assert type(status.error) is errors.GenerationFailed
    assert "too busy" in str(status.error)


@respx.mock
@pytest.mark.parametrize(
    ("video", "link"),
    [
        ({"data": base64.b64encode(b"a clip").decode()}, LINK_AT_PROVIDER),
        ({"uri": "https://elsewhere.example/a.mp4"}, "https://elsewhere.example/a.mp4"),
        ({"uri": f"{FILES}/../models", "data": "QUFB"}, f"{FILES}/../models"),
    ],
)
def test_a_clip_that_is_no_file_at_google(video: dict[str, str], link: str) -> None:
    """It needs no second look, and nothing of an address goes into a call of ours that is no name of a file."""
    status = looked(done({"type": "video", "mime_type": "video/mp4"} | video))
    assert (status.state, status.video_url) == (JobState.SUCCEEDED, link)
    assert "QUFB" not in repr(status.response)
    assert len(respx.calls) == 1


@respx.mock
def test_a_clip_inside_the_answer_is_given_when_it_is_fetched() -> None:
    """What is not kept is asked for again, as the file itself."""
    inside = base64.b64encode(b"a clip").decode()
    respx.get(f"{ORDERS}/{JOB['id']}").respond(json=done({"type": "video", "data": inside}))
    assert calls.run("gemini", "video_link", JOB["id"]) == f"data:video/mp4;base64,{inside}"


@respx.mock
@pytest.mark.parametrize(
    ("state", "expected", "word"),
    [
        ("PROCESSING", JobState.RUNNING, None),
        ("PENDING_SCAN", JobState.RUNNING, "PENDING_SCAN"),
        ("ACTIVE", JobState.SUCCEEDED, None),
        ("FAILED", JobState.FAILED, None),
    ],
)
def test_a_file_is_not_there_at_once(state: str, expected: JobState, word: str | None) -> None:
    """A completed job whose file is still in the making is waited for."""
    route = respx.get(f"{FILES}/abc-123").respond(json={"name": "files/abc-123", "state": state})
    status = looked(done({"type": "video", "uri": FILE}))
    assert (status.state, status.unknown_word) == (expected, word)
    assert status.video_url == (FILE if expected is JobState.SUCCEEDED else None)
    assert route.call_count == 1


@respx.mock
def test_a_stop_that_came_too_late_looks_at_the_file() -> None:
    """Google answers with the completed job, whose file may not be there yet."""
    finished = done({"type": "video", "uri": FILE})
    respx.post(f"{ORDERS}/{JOB['id']}/cancel").respond(json=finished)
    respx.get(f"{ORDERS}/{JOB['id']}").respond(json=finished)
    respx.get(f"{FILES}/abc-123").respond(json={"state": "PROCESSING"})
    assert calls.run("gemini", "cancel", JOB["id"]).state is JobState.RUNNING


@pytest.mark.parametrize(
    ("url", "with_key"),
    [
        (FILE, True),
        ("https://own.example:8443/v1beta/files/a", True),
        ("https://own.example/v1beta/files/a", False),
        ("http://generativelanguage.googleapis.com/v1beta/files/a", False),
        ("https://storage.googleapis.com/a.mp4", False),
        ("https://generativelanguage.googleapis.com.elsewhere.example/a", False),
    ],
)
def test_the_key_goes_to_the_api_alone(url: str, with_key: bool) -> None:
    """To our address of it and to the vendor's own, and to no other host of Google's."""
    source = calls.run("gemini", "video_source", "v1_x", url, base_url="https://own.example:8443")
    assert (source.url, source.headers) == (url, {"x-goog-api-key": calls.KEY} if with_key else {})


def _usage(video: Any, output: int) -> dict[str, Any]:
    by_kind = [{"modality": "text", "tokens": 10}, {"modality": "VIDEO", "tokens": video}]
    return {"total_input_tokens": 1000, "total_output_tokens": output, "output_tokens_by_modality": by_kind}


@respx.mock
@pytest.mark.parametrize(
    ("more", "cost"),
    [
        ({"usage": _usage(57_920, 57_930)}, "1.01519"),  # ten seconds of Omni 1.1 in 720p: 1.0136 and a little
        ({"usage": _usage(57_920, 57_930), "model": "gemini-omni-9"}, None),
        ({"usage": _usage(0, 10)}, None),
        ({"usage": _usage(57_920, 10)}, None),
        ({"usage": _usage("many", 57_930)}, None),
        ({"usage": {"total_input_tokens": 1000}}, None),
        ({"usage": []}, None),
        ({}, None),
    ],
)
def test_cost_of_a_clip(more: dict[str, Any], cost: str | None) -> None:
    """Never a part of it: without a count of the video's tokens there is no figure, so that the estimate stays."""
    status = looked(done({"type": "video", "uri": "https://elsewhere.example/a.mp4"}, **more))
    assert status.cost == (ReportedCost(Decimal(cost), "USD") if cost else None)


@respx.mock
def test_cost_of_a_failed_job() -> None:
    """What was read and said before it failed is billed, too."""
    failed = JOB | {"status": "failed", "usage": {"total_input_tokens": 1000, "total_output_tokens": 100}}
    assert looked(failed).cost == ReportedCost(Decimal("0.0024"), "USD")


@respx.mock
def test_cost_of_a_clip_that_was_thrown_away() -> None:
    """A file that is gone was made and billed all the same."""
    respx.get(f"{FILES}/abc-123").respond(404, json={"error": {"code": 404, "message": "no", "status": "NOT_FOUND"}})
    status = looked(done({"type": "video", "uri": FILE}, usage=_usage(57_920, 57_930)))
    assert type(status.error) is errors.ExpiredAtProvider
    assert status.cost == ReportedCost(Decimal("1.01519"), "USD")


@pytest.mark.parametrize(
    ("options", "is_right"),
    [
        ({}, True),
        ({"input": 1, "text": 2, "video": 3}, True),
        ({"video": 3}, False),
        ({"input": 1, "text": 2, "video": 3, "sound": 4}, False),
        ({"input": 1, "text": 2, "video": "3"}, False),
    ],
)
def test_rates_that_a_file_gives(options: dict[str, Any], is_right: bool) -> None:
    """A part of the rates would make a part of the cost."""
    model = replace(registry.model("gemini-omni-1.1-flash"), options=options)
    assert (registry.provider_class("gemini").model_error(model) is None) is is_right


def test_prices_cover_the_costs() -> None:
    """Each size is sold at 2.75 times what Google takes for it, rounded up to whole credits of Rp 50."""
    for model in registry.provider_class("gemini").models:
        entry = catalogue.shipped().entries[model.id]
        price, cost = entry.prices[0], entry.costs[0]
        assert isinstance(price, PerSecondPrice)
        assert isinstance(cost, Cost)
        for size in model.resolutions:
            exact = Decimal(cost.per_second[size]) * 16_500 * Decimal("2.75") / 50 / 10**6
            assert 0 <= price.credits_per_second[size] - exact < 1, f"{model.id} {size}"
