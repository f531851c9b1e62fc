"""Eden AI v3. Shapes marked "docs" follow the vendor's documentation and OpenAPI."""

import json
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Any

import httpx
import pytest
import respx

from core import errors
from core.catalog import rules
from core.providers import registry
from core.providers.contract import JobState, ProviderJob, ReportedCost, SourceImage
from tests.factories.generations import build_spec
from tests.providers import calls

JOBS = "https://api.edenai.run/v3/universal-ai/async"
UPLOAD = "https://api.edenai.run/v3/upload"
JOB_ID = "550e8400-e29b-41d4-a716-446655440000"
LINK = "https://d1.cloudfront.net/a.mp4?Expires=1"
PROCESSING = {
    "public_id": JOB_ID,
    "status": "processing",
    "cost": "0",
    "provider": "amazon",
    "feature": "video",
    "subfeature": "generation_async",
    "model": "amazon.nova-reel-v1:0",
    "created_at": "2026-06-10T12:00:00Z",
    "output": None,
    "error": None,
}
"""Docs: UniversalAIAsyncResponse of the OpenAPI document."""
SUCCESS = PROCESSING | {
    "status": "success",
    "cost": "0.48",
    "output": {"video": "QUFBQQ==", "video_resource_url": LINK, "usage": None},
}


_request = partial(calls.request, "nova-reel")
_run = partial(calls.run, "edenai")
_submit = partial(calls.run, "edenai", "generate_video")
_look = partial(calls.run, "edenai", "check_status", JOB_ID)


def test_worked_example_is_feasible() -> None:
    """Kling 2.5 makes 1080p for 10 s with a start image; what it does not honour stands in its limits."""
    kling = registry.model("kling-2.5")
    wanted = build_spec("kling-2.5", resolution="1080p", duration_seconds=10, start_image_key="images/ab/x.jpg")
    assert not rules.check(kling, wanted)
    assert "negativePrompt" in rules.check(kling, replace(wanted, negative_prompt="rain"))
    assert any("negative prompt" in sentence for sentence in kling.limits)
    assert any("Size" in sentence for sentence in kling.limits)


@respx.mock
@pytest.mark.parametrize(
    ("model_id", "model"),
    [
        ("nova-reel", "video/generation_async/amazon/amazon.nova-reel-v1:0"),
        ("kling-2.5", "video/generation_async/kling/kling-v2-5-turbo"),
        ("runway-gen3", "video/generation_async/runwayml/gen3a_turbo"),
    ],
)
def test_submit_sends_the_documented_fields(model_id: str, model: str) -> None:
    """A submit (docs: UniversalAIAsyncBody) names feature, vendor and model in one string and answers 202."""
    route = respx.post(JOBS).respond(202, json=PROCESSING)
    request = calls.request(model_id, aspect_ratio="16:9")
    job = _submit(request)
    sent = route.calls.last.request
    assert json.loads(sent.content) == {
        "model": model,
        "input": {"text": "a lake", "duration": request.duration_seconds, "dimension": "1280x720"},
        "user_webhook_parameters": {"reference": "01JREFERENCE"},
    }
    assert sent.headers["authorization"] == f"Bearer {calls.KEY}"
    assert job == ProviderJob(JOB_ID, PROCESSING)


@respx.mock
def test_submit_with_a_start_image_uploads_it_first() -> None:
    """The image goes up as multipart `file` (docs: upload) and its id is passed on."""
    upload = respx.post(UPLOAD).respond(json={"file_id": "f-1", "file_name": "start.jpeg", "file_size": 2})
    route = respx.post(JOBS).respond(202, json=PROCESSING)
    _run(
        "generate_video",
        calls.request("kling-2.5", resolution="1080p", duration_seconds=10, start_image=SourceImage(b"\xff\xd8")),
    )
    sent = upload.calls.last.request
    assert sent.headers["content-type"].startswith("multipart/form-data")
    assert b'name="file"; filename="start.jpeg"' in sent.content
    assert b"Content-Type: image/jpeg\r\n\r\n\xff\xd8\r\n" in sent.content
    wanted = json.loads(route.calls.last.request.content)["input"]
    assert wanted == {"text": "a lake", "duration": 10, "dimension": "1920x1080", "file": "f-1"}


@respx.mock
@pytest.mark.parametrize(
    "broken",
    [
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("gone"),
        httpx.ConnectError("refused"),
        httpx.Response(502, html="<html>"),
        httpx.Response(200, json={}),
        httpx.Response(500, json={"error": {"message": "storage"}}),
    ],
)
def test_upload_trouble_may_be_repeated(broken: httpx.Response | Exception) -> None:
    """An upload costs nothing, so whatever breaks there is temporary and nothing is submitted."""
    respx.post(UPLOAD).mock(side_effect=[broken])
    submit = respx.post(JOBS).respond(202, json=PROCESSING)
    with pytest.raises(errors.ProviderUnavailable):
        _submit(_request(start_image=SourceImage(b"\xff\xd8")))
    assert not submit.called


@respx.mock
def test_upload_refused() -> None:
    """A refused image (docs: 413) is the person's start image to change."""
    respx.post(UPLOAD).respond(413, json={"detail": "File too large"})
    with pytest.raises(errors.InvalidInput) as caught:
        _submit(_request(start_image=SourceImage(b"\xff\xd8")))
    assert caught.value.field == "startImagePath"


@respx.mock
@pytest.mark.parametrize(
    ("status", "body"),
    [
        (202, PROCESSING),
        (202, {"job_id": JOB_ID, "status": "pending"}),  # docs: webhooks page and older guides
        (202, PROCESSING | {"status": "fail", "error": {"message": "x"}}),  # it has an id: the next look tells why
        (202, {"public_id": JOB_ID}),
        (500, PROCESSING),  # the body is read before the HTTP status
    ],
)
def test_submit_accepted(status: int, body: dict[str, Any]) -> None:
    """Either name of the id makes an accepted job."""
    respx.post(JOBS).respond(status, json=body)
    assert _submit(_request()).id == JOB_ID


@respx.mock
@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (
            401,
            {"detail": "Invalid or missing authentication token", "error_code": "UNAUTHORIZED"},
            errors.BadKey,
        ),  # docs
        (403, {"error": {"type": "forbidden", "message": "no"}}, errors.BadKey),  # docs: v2 errors
        (
            402,
            {"detail": "...", "error_code": "INSUFFICIENT_CREDIT", "required_credits": 500, "available_credits": 200},
            errors.ProviderOutOfCredits,
        ),  # docs
        (402, {"error": "Insufficient credits"}, errors.ProviderOutOfCredits),  # docs: buying credits
        (400, {"detail": "Unknown", "error_code": "INVALID_MODEL"}, errors.ModelUnavailable),  # docs
        (
            422,
            {"detail": [{"loc": ["body", "model"], "msg": "bad", "type": "x"}]},
            errors.ModelUnavailable,
        ),  # docs: OpenAPI
        (422, {"detail": "text is too long"}, errors.InvalidInput),  # docs: detail may be text
        (400, {"detail": "Blocked by our content policy"}, errors.ContentRefused),  # guessed: no documented text
        (502, {"detail": "Provider failed", "error_code": "PROVIDER_ERROR"}, errors.ProviderError),  # docs: 502
        (503, {"detail": "Service temporarily unavailable"}, errors.ProviderUnavailable),
        (404, {"detail": "Not Found"}, errors.ProviderError),
    ],
)
def test_submit_refused(status: int, body: dict[str, Any], expected: type[errors.ProviderError]) -> None:
    """The vendor's own refusals, by code, by text and by HTTP status."""
    respx.post(JOBS).respond(status, json=body)
    with pytest.raises(expected) as caught:
        _submit(_request())
    assert type(caught.value) is expected


@respx.mock
@pytest.mark.parametrize(
    ("place", "field"),
    [
        ("text", "prompt"),
        ("duration", "duration"),
        ("dimension", "resolution"),
        ("file", "startImagePath"),
        ("seed", None),
    ],
)
def test_submit_refused_for_a_field(place: str, field: str | None) -> None:
    """A validation error (docs: FastAPI's list with `loc`) is turned into our name of the field."""
    respx.post(JOBS).respond(422, json={"detail": [{"loc": ["body", "input", place], "msg": "bad", "type": "x"}]})
    with pytest.raises(errors.InvalidInput) as caught:
        _submit(_request())
    assert caught.value.field == field


@respx.mock
@pytest.mark.parametrize(
    ("answer", "delay"),
    [
        # docs: 429 with a fraction of a second
        (httpx.Response(429, json={"detail": "x", "error_code": "RATE_LIMITED", "retry_after": 1.5}), 1.5),
        (httpx.Response(429, json={"detail": "x"}, headers={"Retry-After": "9"}), 9),
        (httpx.Response(429, html="<html>"), 2),
        (httpx.Response(503, html="<html>", headers={"Retry-After": "9"}), 9),
    ],
)
def test_submit_when_told_to_come_back(answer: httpx.Response, delay: float) -> None:
    """An explicit "later" is repeatable, with its delay."""
    respx.post(JOBS).mock(return_value=answer)
    with pytest.raises(errors.ProviderRateLimited) as caught:
        _submit(_request())
    assert caught.value.retry_after_seconds == delay


@respx.mock
@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(500, json={"detail": "Internal Server Error"}),  # the framework's, not the vendor's
        httpx.Response(502, json={"error": "Bad Gateway"}),
        httpx.Response(503, json={"message": "Service Unavailable"}),  # a gateway's timeout looks like this
        httpx.Response(504, json={"message": "Endpoint request timed out"}),
        httpx.Response(502, html="<html>"),
        httpx.Response(202, text='{"public_id": "550e'),
        httpx.Response(202, json={"status": "processing"}),
    ],
)
def test_submit_without_a_verdict(answer: httpx.Response) -> None:
    """A gateway's reply, a cut body or one without an id leaves it open whether there is a job."""
    respx.post(JOBS).mock(return_value=answer)
    with pytest.raises(errors.SubmitUncertain):
        _submit(_request())


@respx.mock
@pytest.mark.parametrize(
    ("body", "state", "link", "unknown"),
    [
        (PROCESSING, JobState.RUNNING, None, None),
        (PROCESSING | {"status": "pending"}, JobState.QUEUED, None, None),  # docs: older guides
        (SUCCESS, JobState.SUCCEEDED, LINK, None),
        (
            {"job_id": JOB_ID, "status": "finished", "results": {"video_resource_url": LINK}},
            JobState.SUCCEEDED,
            LINK,
            None,
        ),
        # docs: the older shape, by vendor and with its own spelling of success
        (
            {"status": "finished", "results": {"amazon": {"final_status": "sucess", "video_resource_url": LINK}}},
            JobState.SUCCEEDED,
            LINK,
            None,
        ),
        (PROCESSING | {"status": "success", "output": {"video": LINK}}, JobState.SUCCEEDED, LINK, None),
        (
            PROCESSING | {"status": "success", "output": {"video": "QUFB"}},
            JobState.RUNNING,
            None,
            "finished without a link",
        ),
        (PROCESSING | {"status": "Upscaling"}, JobState.RUNNING, None, "Upscaling"),
    ],
)
def test_look(body: dict[str, Any], state: JobState, link: str | None, unknown: str | None) -> None:
    """Both vocabularies are read; done needs a link; an unknown word keeps waiting."""
    route = respx.get(f"{JOBS}/{JOB_ID}").respond(json=body)
    status = _look()
    assert (status.state, status.video_url, status.unknown_word) == (state, link, unknown)
    assert status.progress is None
    assert route.calls.last.request.headers["authorization"] == f"Bearer {calls.KEY}"


@respx.mock
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (PROCESSING | {"status": "fail", "error": {"message": "Provider failed"}}, errors.GenerationFailed),  # docs
        (PROCESSING | {"status": "failed", "error": "Timeout"}, errors.GenerationFailed),  # docs: older guides
        (PROCESSING | {"status": "Timeout error"}, errors.GenerationFailed),  # docs: v2 list
        (PROCESSING | {"status": "fail", "error": {"message": "violates our content policy"}}, errors.ContentRefused),
        (
            PROCESSING | {"status": "fail", "error": {"message": "The model is no longer available"}},
            errors.ModelUnavailable,
        ),
        # docs: the older shape, where finished is not yet success
        (
            {"status": "finished", "results": {"amazon": {"final_status": "fail", "error": {"message": "no"}}}},
            errors.GenerationFailed,
        ),
    ],
)
def test_look_at_a_failed_job(body: dict[str, Any], expected: type[errors.ProviderError]) -> None:
    """A job that ended badly is a FAILED status with the error for the person."""
    respx.get(f"{JOBS}/{JOB_ID}").respond(json=body)
    status = _look()
    assert status.state is JobState.FAILED
    assert type(status.error) is expected


@respx.mock
def test_look_at_a_job_that_is_gone() -> None:
    """Results are deleted after a week (docs: data retention); a 404 of the vendor's then ends the job."""
    respx.get(f"{JOBS}/{JOB_ID}").respond(404, json={"detail": "Job not found"})
    assert _look().state is JobState.FAILED


@respx.mock
@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (httpx.Response(401, json={"detail": "x", "error_code": "UNAUTHORIZED"}), errors.BadKey),
        (httpx.Response(402, json={"error": "Insufficient credits"}), errors.ProviderOutOfCredits),
        (httpx.Response(429, json={"detail": "x", "retry_after": 1.5}), errors.ProviderRateLimited),
        (httpx.Response(500, json={"detail": "Internal Server Error"}), errors.ProviderUnavailable),
        (httpx.Response(502, html="<html>"), errors.ProviderUnavailable),
        (httpx.Response(404, html="<html>"), errors.UnreadableReply),
        (httpx.Response(200, html="<html>"), errors.UnreadableReply),
    ],
)
def test_look_that_failed_itself(answer: httpx.Response, expected: type[errors.ProviderError]) -> None:
    """What concerns our key, our haste or an outage says nothing about the job and is raised."""
    respx.get(f"{JOBS}/{JOB_ID}").mock(return_value=answer)
    with pytest.raises(expected):
        _look()


@respx.mock
@pytest.mark.parametrize(
    ("cost", "expected"),
    [
        ("3.2", Decimal("3.2")),  # docs: OpenAPI
        (0.1, Decimal("0.1")),  # docs: some examples; not 0.1000000000000000055
        (0, Decimal(0)),
        ("NaN", None),
        ("-1", None),
        ("free", None),
        (None, None),
    ],
)
def test_look_reports_the_cost(cost: Any, expected: Decimal | None) -> None:
    """The cost is the vendor's decimal figure in dollars, or none when it is not a figure."""
    respx.get(f"{JOBS}/{JOB_ID}").respond(json=SUCCESS | {"cost": cost})
    assert _look().cost == (None if expected is None else ReportedCost(expected, "USD"))


@respx.mock
@pytest.mark.parametrize("size", [8, 5_000_000])
def test_look_leaves_the_clip_in_the_reply_aside(size: int) -> None:
    """`output.video` may hold the whole clip (docs: OpenAPI); it is read past and never kept."""
    output = {"video": "Q" * size, "video_resource_url": LINK}
    respx.get(f"{JOBS}/{JOB_ID}").respond(json=SUCCESS | {"output": output})
    status = _look()
    assert status.video_url == LINK
    assert "QQQ" not in json.dumps(dict(status.response))
    assert status.response["output"]["video_resource_url"] == LINK
