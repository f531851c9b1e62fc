"""fal. Shapes marked "docs" follow the vendor's documentation."""

import json
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx

from core import config, errors
from core.files import download
from core.providers import registry
from core.providers.contract import JobState, JobStatus, ProviderJob, SourceImage, VideoSource
from tests.providers import calls
from tests.simulators import running

QUEUE = "https://queue.fal.run"
KLING = f"{QUEUE}/fal-ai/kling-video/v2.5-turbo/pro"
REQUEST_ID = "764cabcf-b745-4b3e-ae38-1200304cf45b"
JOB_ID = f"fal-ai/kling-video|{REQUEST_ID}"
PLACE = f"{QUEUE}/fal-ai/kling-video/requests/{REQUEST_ID}"
LINK = "https://v3.fal.media/files/panda/a.mp4"
IMAGE = SourceImage(b"\xff\xd8")
IMAGE_URI = "data:image/jpeg;base64,/9g="
ACCEPTED = {
    "status": "IN_QUEUE",
    "request_id": REQUEST_ID,
    "response_url": "https://elsewhere.example/requests/1",
    "status_url": "https://elsewhere.example/requests/1/status",
    "cancel_url": "https://elsewhere.example/requests/1/cancel",
}
COMPLETED = {"status": "COMPLETED", "request_id": REQUEST_ID, "metrics": {"inference_time": 71.3}}
RESULT = {"video": {"url": LINK, "content_type": "video/mp4"}, "seed": 1}


_request = partial(calls.request, "fal-kling-2.5-turbo")
_run = partial(calls.run, "fal")
_submit = partial(calls.run, "fal", "generate_video")
_look = partial(calls.run, "fal", "check_status", JOB_ID)


def _mistake(reason: str, *place: str) -> dict[str, Any]:
    """Docs: the body of a model error."""
    return {"detail": [{"loc": ["body", *place], "msg": "no", "type": reason, "url": "https://docs.fal.ai/errors"}]}


@respx.mock
def test_submit_when_the_order_cannot_be_written() -> None:
    """What breaks before anything was sent is no doubt about a job: the order fails, and its credits go back."""
    broken = replace(registry.model("fal-kling-2.5-turbo"), options={"no_such_option": 1})
    with pytest.raises(errors.ModelUnavailable) as told:
        _submit(_request(model=broken))
    assert "no_such_option" in told.value.detail
    assert not respx.calls


@respx.mock
@pytest.mark.parametrize(
    ("changed", "path", "wanted"),
    [
        (
            {"negative_prompt": "rain"},
            "fal-ai/kling-video/v2.5-turbo/pro/text-to-video",
            {"duration": "5", "aspect_ratio": "16:9", "negative_prompt": "rain"},
        ),
        (
            {"start_image": IMAGE, "end_image": IMAGE, "duration_seconds": 10},
            "fal-ai/kling-video/v2.5-turbo/pro/image-to-video",
            {"duration": "10", "image_url": IMAGE_URI, "tail_image_url": IMAGE_URI},
        ),
        (
            {"model_id": "fal-veo-3.1-fast", "resolution": "4K", "generate_audio": True},
            "fal-ai/veo3.1/fast",
            {
                "duration": "8s",
                "aspect_ratio": "16:9",
                "resolution": "4k",
                "generate_audio": True,
                "auto_fix": False,
            },
        ),
        (
            {"model_id": "fal-veo-3.1-fast", "start_image": IMAGE, "aspect_ratio": "9:16", "duration_seconds": 4},
            "fal-ai/veo3.1/fast/image-to-video",
            {
                "duration": "4s",
                "aspect_ratio": "9:16",
                "resolution": "720p",
                "generate_audio": False,
                "image_url": IMAGE_URI,
            },
        ),
        (
            {"model_id": "fal-hailuo-2.3", "enhance_prompt": True},
            "fal-ai/minimax/hailuo-2.3/standard/text-to-video",
            {"duration": "6", "prompt_optimizer": True},
        ),
        (
            {"model_id": "fal-hailuo-2.3", "start_image": IMAGE},
            "fal-ai/minimax/hailuo-2.3/standard/image-to-video",
            {"duration": "6", "prompt_optimizer": False, "image_url": IMAGE_URI},
        ),
    ],
)
def test_submit_sends_the_documented_fields(changed: dict[str, Any], path: str, wanted: dict[str, Any]) -> None:
    """Each model (docs: model pages) gets its own path, by text or by image, and only the fields it lists."""
    route = respx.post(f"{QUEUE}/{path}").respond(json=ACCEPTED)
    job = _submit(calls.request(**{"model_id": "fal-kling-2.5-turbo"} | changed))
    sent = route.calls.last.request
    assert json.loads(sent.content) == {"prompt": "a lake"} | wanted
    assert sent.headers["authorization"] == f"Key {calls.KEY}"
    assert job == ProviderJob("|".join(("/".join(path.split("/")[:2]), REQUEST_ID)), ACCEPTED)


def test_end_image_alone_is_refused_before_anything_is_sent() -> None:
    """The vendor only takes an end image with a start image."""
    with pytest.raises(errors.InvalidInput) as caught:
        _submit(_request(end_image=IMAGE))
    assert caught.value.field == "startImagePath"


@respx.mock
@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (401, {"detail": "Invalid Key"}, errors.BadKey),
        (403, {"detail": "Access denied"}, errors.BadKey),
        # seen: the vendor's issues
        (
            403,
            {"detail": "User is locked. Reason: Exhausted balance. Top up your balance at fal.ai/dashboard/billing."},
            errors.ProviderOutOfCredits,
        ),
        (403, {"detail": "User is locked. Reason: TOP_UP."}, errors.ProviderOutOfCredits),
        (402, {"detail": "Payment required"}, errors.ProviderOutOfCredits),
        (404, {"detail": "Application 'kling-video' not found"}, errors.ModelUnavailable),
        (422, _mistake("content_policy_violation", "prompt"), errors.ContentRefused),  # docs
        (422, _mistake("feature_not_supported"), errors.InvalidInput),  # docs
        (400, {"detail": "Bad request", "error_type": "bad_request"}, errors.InvalidInput),  # docs: request errors
    ],
)
def test_submit_refused(status: int, body: dict[str, Any], expected: type[errors.ProviderError]) -> None:
    """The vendor's refusals, by HTTP status, by type and by text."""
    respx.post(f"{KLING}/text-to-video").respond(status, json=body)
    with pytest.raises(expected) as caught:
        _submit(_request())
    assert type(caught.value) is expected


@respx.mock
@pytest.mark.parametrize(
    ("reason", "theirs", "ours"),
    [
        ("string_too_long", "prompt", "prompt"),
        ("one_of", "duration", "duration"),
        ("one_of", "aspect_ratio", "aspectRatio"),
        ("image_too_small", "image_url", "startImagePath"),
        ("image_load_error", "tail_image_url", "endImagePath"),
        ("file_too_large", "something", "startImagePath"),
        ("greater_than", "seed", None),
    ],
)
def test_submit_refused_for_a_field(reason: str, theirs: str, ours: str | None) -> None:
    """A model error's `loc` (docs) is turned into our name of the field."""
    respx.post(f"{KLING}/text-to-video").respond(422, json=_mistake(reason, theirs))
    with pytest.raises(errors.InvalidInput) as caught:
        _submit(_request())
    assert caught.value.field == ours


@respx.mock
@pytest.mark.parametrize(
    ("answer", "delay"),
    [
        (httpx.Response(429, json={"detail": "x"}, headers={"Retry-After": "9"}), 9),
        (httpx.Response(429, html="<html>"), 10),
        (httpx.Response(503, json={"detail": "x"}, headers={"Retry-After": "7"}), 7),
    ],
)
def test_submit_when_told_to_come_back(answer: httpx.Response, delay: float) -> None:
    """An explicit "later" is repeatable, with its delay."""
    respx.post(f"{KLING}/text-to-video").mock(return_value=answer)
    with pytest.raises(errors.ProviderRateLimited) as caught:
        _submit(_request())
    assert caught.value.retry_after_seconds == delay


@respx.mock
@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(500, json={"detail": "Internal Server Error"}),
        httpx.Response(500, json={"request_id": REQUEST_ID}),
        httpx.Response(503, json={"detail": "x", "error_type": "runner_scheduling_failure"}),
        httpx.Response(504, json={"detail": "Request timed out", "error_type": "request_timeout"}),
        httpx.Response(408, json={"detail": "x"}),
        httpx.Response(409, json={"detail": "x"}),
        httpx.Response(502, html="<html>"),
        httpx.Response(200, text='{"request_id": "764'),
        httpx.Response(200, json={"status": "IN_QUEUE"}),
    ],
)
def test_submit_without_a_verdict(answer: httpx.Response) -> None:
    """A gateway's reply, a cut body or one without an id leaves it open whether there is a job."""
    respx.post(f"{KLING}/text-to-video").mock(return_value=answer)
    with pytest.raises(errors.SubmitUncertain):
        _submit(_request())


@respx.mock
@pytest.mark.parametrize(
    ("http", "body", "state", "unknown"),
    [
        (202, {"status": "IN_QUEUE", "queue_position": 3}, JobState.QUEUED, None),
        (202, {"status": "IN_PROGRESS", "logs": []}, JobState.RUNNING, None),
        (200, {"status": "Paused"}, JobState.RUNNING, "Paused"),
    ],
)
def test_look_at_a_job_under_way(http: int, body: dict[str, Any], state: JobState, unknown: str | None) -> None:
    """Looks go to the app's path at the configured host, never to the address of the reply, and carry the key."""
    route = respx.get(f"{PLACE}/status").respond(http, json=body)
    status = _look()
    assert (status.state, status.unknown_word, status.response) == (state, unknown, body)
    assert route.calls.last.request.headers["authorization"] == f"Key {calls.KEY}"


@respx.mock
@pytest.mark.parametrize(
    ("result", "state", "unknown"),
    [
        (RESULT, JobState.SUCCEEDED, None),
        ({"video": LINK}, JobState.SUCCEEDED, None),
        ({"images": []}, JobState.RUNNING, "completed without a link"),
    ],
)
def test_look_at_a_completed_job(result: dict[str, Any], state: JobState, unknown: str | None) -> None:
    """A completed job's clip is in its result, which the same look asks for."""
    respx.get(f"{PLACE}/status").respond(json=COMPLETED)
    respx.get(PLACE).respond(json=result)
    status = _look()
    assert (status.state, status.unknown_word) == (state, unknown)
    assert status.video_url == (LINK if state is JobState.SUCCEEDED else None)


@respx.mock
@pytest.mark.parametrize(
    ("http", "result", "expected"),
    [
        (422, _mistake("content_policy_violation", "prompt"), errors.ContentRefused),
        (422, _mistake("no_media_generated"), errors.GenerationFailed),
        (504, _mistake("generation_timeout"), errors.GenerationFailed),
        (400, _mistake("downstream_service_error"), errors.GenerationFailed),
        (500, _mistake("downstream_service_unavailable"), errors.GenerationFailed),
        (500, _mistake("internal_server_error"), errors.GenerationFailed),
        (422, _mistake("image_too_large", "image_url"), errors.InvalidInput),
        (422, _mistake("feature_not_supported"), errors.InvalidInput),
        (503, {"detail": "gone", "error_type": "runner_disconnected"}, errors.GenerationFailed),
        (504, {"detail": "Request timed out", "error_type": "request_timeout"}, errors.GenerationFailed),
        (422, {"detail": "Could not generate"}, errors.GenerationFailed),
        (400, {"detail": "The content was flagged by a content checker"}, errors.ContentRefused),
        (404, {"detail": "Request not found"}, errors.ExpiredAtProvider),
    ],
)
def test_look_at_a_job_that_completed_badly(
    http: int, result: dict[str, Any], expected: type[errors.ProviderError]
) -> None:
    """There is no word for failure (docs): the result's errors say that and why."""
    respx.get(f"{PLACE}/status").respond(json=COMPLETED)
    respx.get(PLACE).respond(http, json=result)
    status = _look()
    assert status.state is JobState.FAILED
    assert type(status.error) is expected


@respx.mock
@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"error": "Runner died", "error_type": "runner_server_error"}, errors.GenerationFailed),
        ({"error": "Invalid status code: 422", "error_type": None}, errors.GenerationFailed),
        ({"error": "content_policy_violation"}, errors.ContentRefused),
    ],
)
def test_look_when_only_the_status_tells_the_error(said: dict[str, Any], expected: type[errors.ProviderError]) -> None:
    """A completed job whose status carries an error has failed, whatever its result looks like."""
    respx.get(f"{PLACE}/status").respond(json=COMPLETED | said)
    respx.get(PLACE).respond(502, html="<html>")
    status = _look()
    assert status.state is JobState.FAILED
    assert type(status.error) is expected


@respx.mock
@pytest.mark.parametrize(
    ("said", "http"), [({"error_type": "client_cancelled", "error": "x"}, 200), ({"error": None}, 499)]
)
def test_look_at_a_cancelled_job(said: dict[str, Any], http: int) -> None:
    """A job stopped on request is completed too (docs: request errors, 499)."""
    respx.get(f"{PLACE}/status").respond(json=COMPLETED | said)
    respx.get(PLACE).respond(http, json={"detail": "x"})
    assert _look().state is JobState.CANCELLED


@respx.mock
def test_look_at_a_job_the_vendor_does_not_know() -> None:
    """A request the vendor has no record of cannot be fetched any more."""
    respx.get(f"{PLACE}/status").respond(404, json={"detail": "Request not found"})
    status = _look()
    assert status.state is JobState.FAILED
    assert "no longer knows" in str(status.error)


@respx.mock
@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (httpx.Response(401, json={"detail": "Invalid Key"}), errors.BadKey),
        (httpx.Response(403, json={"detail": "User is locked."}), errors.ProviderOutOfCredits),
        (httpx.Response(403, json={"detail": "Account under moderation"}), errors.BadKey),
        (httpx.Response(429, json={"detail": "x"}), errors.ProviderRateLimited),
        (httpx.Response(502, html="<html>"), errors.ProviderUnavailable),
        (httpx.Response(404, html="<html>"), errors.UnreadableReply),
        (httpx.Response(200, html="<html>"), errors.UnreadableReply),
    ],
)
@pytest.mark.parametrize("of_result", [False, True])
def test_look_that_tells_nothing_about_the_job(
    answer: httpx.Response, expected: type[errors.ProviderError], of_result: bool
) -> None:
    """Trouble with either half of a look is raised, and leaves the job as it was."""
    respx.get(f"{PLACE}/status").mock(return_value=httpx.Response(200, json=COMPLETED) if of_result else answer)
    respx.get(PLACE).mock(return_value=answer)
    with pytest.raises(expected) as caught:
        _look()
    assert type(caught.value) is expected


@respx.mock
def test_look_when_the_result_does_not_arrive() -> None:
    """A result lost on the way is asked for again by the next look."""
    respx.get(f"{PLACE}/status").respond(json=COMPLETED)
    respx.get(PLACE).mock(side_effect=httpx.ReadTimeout("slow"))
    with pytest.raises(errors.ProviderUnavailable):
        _look()


@respx.mock
@pytest.mark.parametrize(
    ("http", "word", "state"),
    [
        (200, "OK", JobState.CANCELLED),
        (202, "CANCELLATION_REQUESTED", JobState.RUNNING),
        (404, "NOT_FOUND", JobState.SUCCEEDED),
        (400, "ALREADY_COMPLETED", JobState.SUCCEEDED),
    ],
)
def test_cancel(http: int, word: str, state: JobState) -> None:
    """Each of the documented words: only what is off the queue is cancelled, and a clip already made is taken."""
    route = respx.put(f"{PLACE}/cancel").respond(http, json={"status": word})
    respx.get(f"{PLACE}/status").respond(json=COMPLETED)
    respx.get(PLACE).respond(json=RESULT)
    assert _run("cancel", JOB_ID).state is state
    assert route.called


@respx.mock
def test_cancel_of_a_job_that_is_gone() -> None:
    """Only when a look does not know it either it is over; until then it may be a clip that was made and billed."""
    respx.put(f"{PLACE}/cancel").respond(404, json={"status": "NOT_FOUND"})
    respx.get(f"{PLACE}/status").respond(404, json={"detail": "Request not found"})
    assert _run("cancel", JOB_ID).state is JobState.CANCELLED


GATEWAY_PAGE = "<html><head><title>502 Bad Gateway</title></head><body><hr><center>nginx</center></body></html>"
KNOWN_AS = {"x-fal-request-id": JOB_ID.partition("|")[2]}


@respx.mock
@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (httpx.Response(502, html=GATEWAY_PAGE), errors.ProviderUnavailable),
        (httpx.Response(503, html=GATEWAY_PAGE), errors.ProviderUnavailable),
        (httpx.Response(504, html=GATEWAY_PAGE), errors.SubmitUncertain),
        (httpx.Response(502, html="<html>Bad gateway</html>"), errors.SubmitUncertain),
    ],
)
def test_submit_that_a_gateway_answered(answer: httpx.Response, expected: type[errors.ProviderError]) -> None:
    """Its own client takes nginx' page without the queue's header for "never reached" (docs: Python client)."""
    route = respx.post(f"{KLING}/text-to-video").mock(return_value=answer)
    with pytest.raises(errors.ProviderError) as caught:
        _submit(_request())
    assert type(caught.value) is expected
    assert route.call_count == 1


@respx.mock
@pytest.mark.parametrize("status", [200, 500, 502, 504])
def test_submit_whose_answer_is_lost_but_for_its_id(status: int) -> None:
    """The header names the request: the job is asked about, found, and waited for; the order is not sent again."""
    answer = httpx.Response(status, html=GATEWAY_PAGE, headers=KNOWN_AS)
    route = respx.post(f"{KLING}/text-to-video").mock(return_value=answer)
    look = respx.get(f"{PLACE}/status").respond(202, json={"status": "IN_QUEUE"})
    job: ProviderJob = _submit(_request())
    assert job.id == JOB_ID
    assert (route.call_count, look.call_count) == (1, 1)


@respx.mock
@pytest.mark.parametrize(
    "look", [httpx.Response(404, json={"detail": "Request not found"}), httpx.Response(502), httpx.ReadTimeout("slow")]
)
def test_submit_whose_id_nobody_knows(look: httpx.Response | Exception) -> None:
    """What is not found, or cannot be asked about, stays uncertain."""
    respx.post(f"{KLING}/text-to-video").mock(return_value=httpx.Response(502, html=GATEWAY_PAGE, headers=KNOWN_AS))
    respx.get(f"{PLACE}/status").mock(side_effect=[look])
    with pytest.raises(errors.SubmitUncertain):
        _submit(_request())


@respx.mock
def test_a_job_id_cannot_lead_elsewhere() -> None:
    """Whatever a request id holds, it stays one step of the path."""
    route = respx.get(url__regex=r".*").respond(202, json={"status": "IN_QUEUE"})
    _run("check_status", "fal-ai/kling-video|../../x?y#z")
    assert route.calls.last.request.url.raw_path == b"/fal-ai/kling-video/requests/..%2F..%2Fx%3Fy%23z/status"


@pytest.mark.process
def test_simulator_serves_a_whole_life(tmp_path: Path) -> None:
    """Against the simulator a clip is made and arrives; one that is asked to stop ends cancelled."""
    with running("fal", seconds=0.2) as base_url:
        job: ProviderJob = _submit(_request(start_image=IMAGE), base_url=base_url)
        link = _settled(base_url, job).video_url or ""
        fetched = download.fetch(VideoSource(link), tmp_path / "clip", allow=frozenset({config.host_port(base_url)}))
        stopped: ProviderJob = _submit(_request(prompt="[sim:never]"), base_url=base_url)
        assert _run("cancel", stopped.id, base_url=base_url).state is JobState.RUNNING
        assert _run("cancel", stopped.id, base_url=base_url).state is JobState.CANCELLED
    assert fetched.path.stat().st_size > 0


@pytest.mark.process
def test_simulator_breaks_as_told() -> None:
    """Each fault of the simulator meets the error it stands for; a lost answer leaves one job behind."""
    refused = {"429": errors.ProviderRateLimited, "badkey": errors.BadKey, "nocredit": errors.ProviderOutOfCredits}
    lost = dict.fromkeys(("500", "502html", "reset", "hang"), errors.SubmitUncertain)
    with running("fal", seconds=0.1) as base_url:
        for kind, expected in (refused | lost).items():
            with pytest.raises(expected):
                _run("generate_video", _request(prompt=f"[sim:{kind}]"), base_url=base_url)
        for kind, failure in (("nsfw", errors.ContentRefused), ("fail", errors.GenerationFailed)):
            job: ProviderJob = _run("generate_video", _request(prompt=f"[sim:{kind}]"), base_url=base_url)
            assert type(_settled(base_url, job).error) is failure
        submits = httpx.get(f"{base_url}/_sim/calls").json()["submits"]
    made = [submit["kind"] for submit in submits if submit["job_id"]]
    assert made == ["502html", "reset", "hang", "nsfw", "fail"]


def _settled(base_url: str, job: ProviderJob) -> JobStatus:
    """The job's status once it is over."""
    status: JobStatus = _run("check_status", job.id, base_url=base_url)
    while status.state in (JobState.QUEUED, JobState.RUNNING):
        time.sleep(0.05)
        status = _run("check_status", job.id, base_url=base_url)
    return status
