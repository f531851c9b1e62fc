"""Kling. Shapes are those of its guide, as the Vercel AI SDK and Comfy's types have it."""

import json
from functools import partial
from typing import Any

import httpx
import pytest
import respx

from core import errors
from core.providers.contract import JobState, SourceImage
from core.providers.testing.script import SENT_AT
from tests.providers import calls

API = "https://api-singapore.klingai.com"
TEXT, WITH_IMAGE = f"{API}/v1/videos/text2video", f"{API}/v1/videos/image2video"
IMAGE = SourceImage(b"\xff\xd8")
TASK = {"task_id": "867", "task_status": "submitted", "task_info": {"external_task_id": "01JREFERENCE"}}
PLAIN = {
    "model_name": "kling-v3",
    "prompt": "a lake",
    "duration": "5",
    "mode": "std",
    "external_task_id": "01JREFERENCE",
    "sound": "off",
}

_request = partial(calls.request, "kling-3.0")
_run = partial(calls.run, "kling")
_submit = partial(calls.run, "kling", "generate_video")
_find = partial(calls.run, "kling", "find_submitted_job", since=SENT_AT, until=SENT_AT)


def said(data: Any, code: int = 0) -> dict[str, Any]:
    """A reply's body."""
    return {"code": code, "message": "SUCCEED", "request_id": "r", "data": data}


@respx.mock
@pytest.mark.parametrize(
    ("changed", "wanted"),
    [
        ({}, {"aspect_ratio": "16:9"}),
        ({"generate_audio": True}, {"aspect_ratio": "16:9", "sound": "on"}),
        ({"resolution": "1080p"}, {"aspect_ratio": "16:9", "mode": "pro"}),
        ({"resolution": "4K", "duration_seconds": 15}, {"aspect_ratio": "16:9", "mode": "4k", "duration": "15"}),
        ({"negative_prompt": "rain"}, {"aspect_ratio": "16:9", "negative_prompt": "rain"}),
        ({"start_image": IMAGE}, {"image": "/9g="}),
        ({"start_image": IMAGE, "end_image": IMAGE}, {"image": "/9g=", "image_tail": "/9g="}),
        (
            {"webhook_url": "https://studio.example/hooks/1"},
            {"aspect_ratio": "16:9", "callback_url": "https://studio.example/hooks/1?place=t2v"},
        ),
    ],
)
def test_submit(changed: dict[str, Any], wanted: dict[str, Any]) -> None:
    """A quality makes each resolution, lengths are texts, an image is bare base64 and gives the shape."""
    place = "i2v" if "start_image" in changed else "t2v"
    route = respx.post(WITH_IMAGE if place == "i2v" else TEXT).respond(json=said(TASK))
    assert _submit(_request(**changed)).id == f"{place}:867"
    assert json.loads(route.calls.last.request.content) == PLAIN | wanted


@respx.mock
@pytest.mark.parametrize(
    ("model_id", "changed", "wanted"),
    [
        ("kling-3.0-turbo", {}, {"model_name": "kling-3.0-turbo", "sound": "on"}),
        ("kling-2.6-pro", {"resolution": "1080p"}, {"model_name": "kling-v2-6", "sound": "off", "mode": "pro"}),
    ],
)
def test_submit_to_other_models(model_id: str, changed: dict[str, Any], wanted: dict[str, Any]) -> None:
    """What always has sound is ordered with it."""
    route = respx.post(TEXT).respond(json=said(TASK))
    _submit(calls.request(model_id, **changed))
    assert json.loads(route.calls.last.request.content) == PLAIN | {"aspect_ratio": "16:9"} | wanted


@respx.mock
@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, json=said(TASK, code=5000)),
        httpx.Response(200, json=said({})),
        httpx.Response(200, json={"code": 0, "data": {"task_id": 867}}),
        httpx.Response(503, json=said(None, code=1302)),
        httpx.Response(504, html="<html>"),
        httpx.ReadTimeout("slow"),
    ],
)
def test_submit_without_a_verdict(answer: httpx.Response | Exception) -> None:
    """The server's own trouble says nothing about the task, whatever else is in its answer."""
    route = respx.post(TEXT).mock(side_effect=[answer])
    with pytest.raises(errors.SubmitUncertain):
        _submit(_request())
    assert route.call_count == 1


@respx.mock
@pytest.mark.parametrize(("job_id", "url"), [("t2v:867", TEXT), ("i2v:867", WITH_IMAGE), ("867", TEXT)])
def test_look_where_it_was_ordered(job_id: str, url: str) -> None:
    """A task is unknown at the other place."""
    respx.get(f"{url}/867").respond(json=said(TASK))
    assert _run("check_status", job_id).state is JobState.QUEUED


@respx.mock
@pytest.mark.parametrize(
    ("task", "error"),
    [
        ({"task_status": "failed", "task_status_msg": "risk control system"}, errors.ContentRefused),
        ({"task_status": "failed"}, errors.GenerationFailed),
        ({"task_status": "succeed", "task_status_msg": "Blocked by policy"}, errors.ContentRefused),
    ],
)
def test_look_at_a_failed_task(task: dict[str, Any], error: type[errors.ProviderError]) -> None:
    """Refused with a word of success is refused all the same."""
    respx.get(f"{TEXT}/867").respond(json=said(TASK | task))
    status = _run("check_status", "t2v:867")
    assert (status.state, type(status.error)) == (JobState.FAILED, error)


@respx.mock
def test_search_reads_the_whole_list() -> None:
    """Where our id is not known by itself, page after page is read before an order counts as not there."""
    respx.get(f"{TEXT}/01JREFERENCE").respond(404, json=said(None, code=1203))
    pages = {"1": [{**TASK, "task_info": {"external_task_id": f"other-{number}"}} for number in range(500)], "2": []}
    respx.get(TEXT).mock(side_effect=lambda asked: httpx.Response(200, json=said(pages[asked.url.params["pageNum"]])))
    found = _find(_request())
    assert (found.exact, found.candidates, found.complete) == ((), (), True)


@respx.mock
def test_search_in_a_list_that_is_too_long() -> None:
    """An order that may be further back is not said to be missing."""
    respx.get(f"{TEXT}/01JREFERENCE").respond(404, json=said(None, code=1203))
    others = [{**TASK, "task_info": {"external_task_id": f"other-{number}"}} for number in range(500)]
    respx.get(TEXT).respond(json=said(others))
    assert not _find(_request()).complete


@respx.mock
def test_search_when_the_vendor_is_in_trouble() -> None:
    """A broken look by our id is not proof of absence."""
    respx.get(f"{TEXT}/01JREFERENCE").respond(500, json=said(None, code=5000))
    with pytest.raises(errors.ProviderUnavailable):
        _find(_request())
