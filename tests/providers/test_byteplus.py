"""BytePlus ModelArk. Shapes are those of its API reference for video generation."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx

from core import errors, vendors_file
from core.providers import registry
from core.providers.adapters.byteplus import identifier
from core.providers.contract import (
    JobMatches,
    JobState,
    MediaKind,
    ReferenceMedia,
    ReportedUse,
    SourceImage,
    SourceMedia,
    UseUnit,
    VideoSource,
)
from tests.providers import calls

TASKS = "https://ark.ap-southeast.bytepluses.com/api/v3/contents/generations/tasks"
JOB_ID = "cgt-20261121200000-6bbjd"
LOOK = f"{TASKS}/{JOB_ID}"
LINK = "https://ark-content.example/a.mp4?X-Tos-Expires=86400"
IMAGE, DATA_URL = SourceImage(b"\xff\xd8"), "data:image/jpeg;base64,/9g="
TASK = {"id": JOB_ID, "model": "dreamina-seedance-2-0-260128", "status": "queued"}
SUCCEEDED = TASK | {"status": "succeeded", "content": {"video_url": LINK}, "usage": {"completion_tokens": 108900}}
MARK = identifier("01JREFERENCE")
PLAIN = {
    "resolution": "720p",
    "ratio": "16:9",
    "duration": 5,
    "generate_audio": False,
    "watermark": False,
    "execution_expires_after": 3600,
    "safety_identifier": MARK,
}
SENT = datetime(2026, 11, 21, 12, tzinfo=UTC)

_request = partial(calls.request, "byteplus-seedance-2.0")
_run = partial(calls.run, "byteplus")
_submit = partial(calls.run, "byteplus", "generate_video")
_look = partial(calls.run, "byteplus", "check_status", JOB_ID)


VOICE = SourceMedia(b"a voice", "audio/mpeg")


def _picture(role: str) -> dict[str, Any]:
    if role == "reference_audio":
        return {"type": "audio_url", "audio_url": {"url": VOICE.data_url}, "role": role}
    return {"type": "image_url", "image_url": {"url": DATA_URL}, "role": role}


@respx.mock
@pytest.mark.parametrize(
    ("model_id", "changed", "images", "wanted"),
    [
        ("byteplus-seedance-2.0", {}, [], {}),
        ("byteplus-seedance-2.0", {"generate_audio": True}, [], {"generate_audio": True}),
        (
            "byteplus-seedance-2.0",
            {"resolution": "4K", "aspect_ratio": "21:9"},
            [],
            {"resolution": "4k", "ratio": "21:9"},
        ),
        (
            "byteplus-seedance-2.0",
            {"start_image": IMAGE, "end_image": IMAGE},
            ["first_frame", "last_frame"],
            {},
        ),
        (
            "byteplus-seedance-2.0",
            {"references": (ReferenceMedia(MediaKind.IMAGE, "", IMAGE),) * 2},
            ["reference_image", "reference_image"],
            {},
        ),
        (
            "byteplus-seedance-2.0",
            {
                "references": (
                    ReferenceMedia(MediaKind.SOUND, "", VOICE),
                    ReferenceMedia(MediaKind.IMAGE, "", IMAGE),
                )
            },
            ["reference_image", "reference_audio"],
            {},
        ),
        (
            "byteplus-seedance-2.5",
            {"start_image": IMAGE},
            ["first_frame"],
            {"ratio": "adaptive", "execution_expires_after": 7200},
        ),
        ("byteplus-seedance-2.5", {}, [], {"execution_expires_after": 7200}),
        ("byteplus-seedance-1.5-pro", {"seed": 7}, [], {"seed": 7}),
        (
            "byteplus-seedance-2.0",
            {"webhook_url": "https://studio.example/hooks/1"},
            [],
            {"callback_url": "https://studio.example/hooks/1"},
        ),
    ],
)
def test_submit(model_id: str, changed: dict[str, Any], images: list[str], wanted: dict[str, Any]) -> None:
    """Sound is on and marks are shown unless told otherwise; a task ends by itself when nobody waits any more."""
    route = respx.post(TASKS).respond(json={"id": JOB_ID})
    assert _submit(calls.request(model_id, **changed)).id == JOB_ID
    assert json.loads(route.calls.last.request.content) == {
        "model": registry.model(model_id).upstream_id,
        "content": [{"type": "text", "text": "a lake"}, *map(_picture, images)],
        **PLAIN,
        **wanted,
    }


def test_orders_are_marked_each_with_its_own() -> None:
    """A mark is a hash, of at most 64 letters, and another for each order."""
    assert identifier("01JANOTHER") != MARK
    assert "01JREFERENCE" not in MARK
    assert len(MARK) <= 64


@respx.mock
def test_real_people_are_spoken_of() -> None:
    """Who is refused for a face is told so, and not to change the prompt."""
    error = {"code": "InputImageSensitiveContentDetected.PrivacyInformation", "message": "may contain real person"}
    respx.post(TASKS).respond(400, json={"error": error})
    with pytest.raises(errors.ContentRefused) as caught:
        _submit(_request(start_image=IMAGE))
    assert "real people" in str(caught.value)


@respx.mock
@pytest.mark.parametrize(
    ("error", "field"),
    [
        ({"code": "InvalidParameter", "param": "resolution"}, "resolution"),
        ({"code": "InvalidParameter.UnsupportedImageFormat", "param": "content[2].image_url.url"}, "startImagePath"),
        ({"code": "InvalidParameter", "message": "role reference_image: image too small"}, "references"),
        ({"code": "InvalidParameter", "message": "the last_frame is too large"}, "endImagePath"),
        ({"code": "InvalidParameter", "param": "watermark"}, None),
        ({"code": "InvalidParameter", "param": None, "message": None}, None),
    ],
)
def test_submit_refused_for_a_field(error: dict[str, Any], field: str | None) -> None:
    """What is named by `param`, else by the message."""
    respx.post(TASKS).respond(400, json={"error": error})
    with pytest.raises(errors.InvalidInput) as caught:
        _submit(_request())
    assert caught.value.field == field


@respx.mock
@pytest.mark.parametrize(
    ("code", "said", "expected"),
    [
        ("RateLimitExceeded.EndpointRPMExceeded", "too many", errors.ProviderRateLimited),
        ("QuotaExceeded", "more than 120 tasks wait", errors.ProviderRateLimited),
        ("QuotaExceeded", "Your free trial quota is used up", errors.ProviderOutOfCredits),
    ],
)
def test_submit_when_it_is_too_much(code: str, said: str, expected: type[errors.ProviderError]) -> None:
    """A queue that is full empties by itself, a trial that is over does not."""
    respx.post(TASKS).respond(429, json={"error": {"code": code, "message": said}})
    with pytest.raises(expected) as caught:
        _submit(_request())
    assert type(caught.value) is expected


@respx.mock
@pytest.mark.parametrize(
    ("body", "state", "link"),
    [
        (TASK, JobState.QUEUED, None),
        (TASK | {"status": "running"}, JobState.RUNNING, None),
        (SUCCEEDED, JobState.SUCCEEDED, LINK),
        (SUCCEEDED | {"content": None}, JobState.RUNNING, None),
        (SUCCEEDED | {"content": {"video_url": ""}}, JobState.RUNNING, None),
        (TASK | {"status": "cancelled"}, JobState.CANCELLED, None),
        (TASK | {"status": "expired"}, JobState.FAILED, None),
        (TASK | {"status": "failed", "error": {"code": "OutputVideoRiskDetection"}}, JobState.FAILED, None),
    ],
)
def test_look(body: dict[str, Any], state: JobState, link: str | None) -> None:
    """The vendor's words; a clip without an address is waited for."""
    respx.get(LOOK).respond(json=body)
    status = _look()
    assert (status.state, status.video_url) == (state, link)


@respx.mock
def test_look_at_a_task_that_was_not_made_in_time() -> None:
    """Nobody says that the job was lost: the vendor knows it and has given it up."""
    respx.get(LOOK).respond(json=TASK | {"status": "expired"})
    error = _look().error
    assert type(error) is errors.GenerationFailed
    assert "in time" in str(error)


@respx.mock
@pytest.mark.parametrize(
    ("body", "tokens"),
    [
        (SUCCEEDED, 108900),
        (SUCCEEDED | {"usage": {"completion_tokens": "108900"}}, 108900),
        (SUCCEEDED | {"usage": {"completion_tokens": None}}, None),
        (SUCCEEDED | {"usage": {"completion_tokens": -5}}, None),
        (SUCCEEDED | {"usage": None}, None),
        (TASK | {"status": "failed", "error": {}, "usage": {"completion_tokens": 40}}, 40),
        (TASK | {"status": "failed", "error": {}}, None),
    ],
)
def test_tokens_are_told(body: dict[str, Any], tokens: int | None) -> None:
    """What it has counted is known, of a job without a clip too; what it has not stays estimated."""
    respx.get(LOOK).respond(json=body)
    status = _look()
    assert status.use == (None if tokens is None else ReportedUse(Decimal(tokens), UseUnit.TOKENS))
    assert status.cost is None


def test_file_needs_no_key() -> None:
    """The address is signed, and its host is not the API's."""
    assert _run("video_source", JOB_ID, LINK) == VideoSource(LINK)


@respx.mock
def test_a_task_that_has_ended_is_never_deleted() -> None:
    """Its record, and the way to its clip, would be gone; one that runs cannot be stopped."""
    delete = respx.delete(LOOK).respond(json={})
    respx.get(LOOK).mock(
        side_effect=[httpx.Response(200, json=body) for body in (SUCCEEDED, TASK | {"status": "running"})]
    )
    assert [_run("cancel", JOB_ID).state for _ in range(2)] == [JobState.SUCCEEDED, JobState.RUNNING]
    assert not delete.called


@respx.mock
def test_a_task_that_waited_and_is_gone_was_stopped() -> None:
    """A day after the stop, or where a stop removes it, the vendor does not know it."""
    delete = respx.delete(LOOK).respond(json={})
    gone = httpx.Response(404, json={"error": {"code": "ResourceNotFound"}})
    respx.get(LOOK).mock(side_effect=[httpx.Response(200, json=TASK), gone])
    assert _run("cancel", JOB_ID).state is JobState.CANCELLED
    assert delete.call_count == 1


def _found(*items: dict[str, Any], total: int | None = None, status: int = 200) -> JobMatches:
    """What a list of these tasks says of an order."""
    body = {"items": items, "total": len(items) if total is None else total}
    respx.get(TASKS).respond(status, json=body)
    found: JobMatches = _run("find_submitted_job", _request(), since=SENT, until=SENT + timedelta(seconds=9))
    return found


def _listed(job_id: str, *, minutes: float = 0, **more: Any) -> dict[str, Any]:
    made = {"created_at": int(SENT.timestamp() + 60 * minutes), "status": "running"}
    return {"id": job_id, "model": "dreamina-seedance-2-0-260128", **made, **more}


@respx.mock
def test_a_lost_order_is_found_by_its_mark() -> None:
    """Nothing else counts for what is marked: not the time, since clocks differ, and not the settings."""
    found = _found(
        _listed("theirs", safety_identifier=identifier("01JANOTHER")),
        _listed("ours", minutes=-90, safety_identifier=MARK),
        _listed("of-a-person", safety_identifier="user-17"),
    )
    assert ([job.id for job in found.exact], found.candidates, found.complete) == (["ours"], (), True)


@respx.mock
def test_unmarked_tasks_may_be_ours() -> None:
    """What shows no mark is told apart by time, size, length and sound, and is for a person to decide."""
    found = _found(
        _listed("alike", resolution="720p", duration=5, generate_audio=False),
        _listed("endpoint", model="ep-20261121-abcde"),
        _listed("loud", generate_audio=True),
        _listed("long", duration=15),
        _listed("large", resolution="1080p"),
        _listed("early", minutes=-6),
        _listed("late", minutes=11),
    )
    assert (found.exact, [job.id for job in found.candidates]) == ((), ["alike", "endpoint"])


@respx.mock
@pytest.mark.parametrize(
    ("minutes", "total", "complete"),
    [
        ([], 0, True),
        ([20, 5], 2, True),
        ([20, -20], 900, True),  # the rest is older still
        ([20, 15], 900, False),
        ([-20, 20], 900, False),  # nobody knows where the rest belongs
        ([-20, -40, -30], 900, False),
    ],
)
def test_a_list_proves_absence_only_when_it_reaches_far_enough(
    minutes: list[float], total: int, complete: bool
) -> None:
    """Credits go back only when everything of that time was seen."""
    found = _found(*(_listed(f"t{at}", minutes=at, safety_identifier="x") for at in minutes), total=total)
    assert (found.exact, found.candidates, found.complete) == ((), (), complete)


@respx.mock
def test_a_search_asks_for_one_large_page_of_everything() -> None:
    """The vendor's filter goes by endpoints, so that filtering by model could hide a job."""
    _found()
    assert dict(respx.calls.last.request.url.params) == {"page_num": "1", "page_size": "500"}


MAINLAND = """
[vendor.ark]
kind = "byteplus"
base_url = "https://ark.cn-beijing.volces.com"

[[vendor.ark.model]]
id = "ark-seedance"
name = "Seedance"
upstream_id = "doubao-seedance-2-0-260128"
description = "In mainland China."
default_seconds = 5
durations = [5]
resolutions = ["720p"]
aspect_ratios = ["16:9"]
options = { follows_image = true }
prices = [{ since = 2026-11-29, credits_per_second = { any = 140 } }]
"""


def test_mainland_is_an_instance(tmp_path: Path) -> None:
    """The service of mainland China is the same at another address, with models of its own."""
    file = tmp_path / "vendors.toml"
    file.write_text(MAINLAND, "utf-8")
    known = registry.make()
    vendors_file.add(known, file)
    ark = known.provider_class("ark")
    assert (ark.default_base_url, ark.supports_lookup) == ("https://ark.cn-beijing.volces.com", True)
    assert [model.upstream_id for model in ark.models] == ["doubao-seedance-2-0-260128"]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("options = { follows = true }", "follows_image"),
        ('options = { follows_image = "yes" }', "follows_image"),
        ("reference_videos = 1", "images and sounds as references"),
    ],
)
def test_slip_in_the_file_is_told(tmp_path: Path, line: str, told: str) -> None:
    """An option that there is not, and what this kind does not send, end the start."""
    file = tmp_path / "vendors.toml"
    file.write_text(MAINLAND.replace("options = { follows_image = true }", line), "utf-8")
    with pytest.raises(vendors_file.BadVendorsFile) as wrong:
        vendors_file.add(registry.make(), file)
    assert told in str(wrong.value)
