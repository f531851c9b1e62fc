"""ModelsLab. Shapes marked "docs" follow the vendor's documentation, "seen" ones replies quoted in public code."""

import json
from functools import partial
from typing import Any

import httpx
import pytest
import respx

from core import errors
from core.providers import registry
from core.providers.contract import JobState, SourceImage
from tests.providers import calls

HOST = "https://modelslab.com"
T2V = f"{HOST}/api/v7/video-fusion/text-to-video"
I2V = f"{HOST}/api/v7/video-fusion/image-to-video"
ULTRA = f"{HOST}/api/v6/video/text2video_ultra"
UPLOAD = f"{HOST}/api/v6/base64_to_url"
FETCH = f"{HOST}/api/v7/video-fusion/fetch/155262350"
CLIP = "https://pub-1.r2.dev/generations/a.mp4"
PROCESSING = {
    "status": "processing",
    "tip": "...",
    "eta": 10,
    "message": "Try to fetch request after seconds estimated",
    "fetch_result": FETCH,
    "id": 155262350,
    "output": [],
    "future_links": [CLIP],
    "meta": {"model_id": "veo3", "prompt": "a lake"},
}
"""Seen: the reply to a v7 submit."""
GATEWAY_PAGE = "<!DOCTYPE html><html><title>modelslab.com | 524: A timeout occurred</title></html>"


JOB_ID = "155262350"
_request = partial(calls.request, "veo3")
_run = partial(calls.run, "modelslab")
_submit = partial(calls.run, "modelslab", "generate_video")
_look = partial(calls.run, "modelslab", "check_status", JOB_ID)


def _sent(route: respx.Route) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(route.calls.last.request.content)
    return body


@respx.mock
def test_submit_sends_what_the_model_page_lists() -> None:
    """A v7 submit carries the key in its body (docs: authentication), text for the length (docs: veo3-fast page)."""
    route = respx.post(T2V).respond(json=PROCESSING)
    request = _request(negative_prompt="rain", generate_audio=True, aspect_ratio="9:16")
    job = _submit(request)
    assert _sent(route) == {
        "key": calls.KEY,
        "model_id": "veo3",
        "prompt": "a lake",
        "negative_prompt": "rain",
        "duration": "8",
        "aspect_ratio": "9:16",
        "generate_audio": True,
        "enhance_prompt": False,
        "track_id": "01JREFERENCE",
    }
    assert "authorization" not in route.calls.last.request.headers
    assert job.id == "155262350"
    assert job.response["meta"] == PROCESSING["meta"]


@respx.mock
@pytest.mark.parametrize(
    ("seconds", "ratio", "frames", "portrait"),
    [(3, "16:9", 49, False), (8, "9:16", 129, True), (10, "16:9", 161, False)],
)
def test_submit_ultra_counts_frames(seconds: int, ratio: str, frames: int, portrait: bool) -> None:
    """text2video_ultra (docs: video OpenAPI) has no length and no ratio; frames and `portrait` stand in for them."""
    route = respx.post(ULTRA).respond(json=PROCESSING)
    job = _submit(calls.request("text-to-video-ultra", duration_seconds=seconds, aspect_ratio=ratio))
    sent = _sent(route)
    assert (sent["num_frames"], sent["fps"], sent["portrait"]) == (frames, 16, portrait)
    assert (sent["model_id"], sent["resolution"], sent["track_id"]) == ("wan2.2", 480, "01JREFERENCE")
    assert "duration" not in sent
    assert "aspect_ratio" not in sent
    assert job.id == "v6:155262350"


@respx.mock
@pytest.mark.parametrize(
    ("model_id", "upstream"), [("veo2", "veo2"), ("wan-2.2-t2v", "wan2.2"), ("seedance-t2v", "seedance-t2v")]
)
def test_submit_names_the_vendor_s_model(model_id: str, upstream: str) -> None:
    """What v7 serves goes to v7 under the vendor's own name, without fields the model does not know."""
    route = respx.post(T2V).respond(json=PROCESSING)
    _submit(calls.request(model_id))
    assert _sent(route)["model_id"] == upstream
    assert "generate_audio" not in _sent(route)
    assert ("enhance_prompt" in _sent(route)) is (model_id == "veo2")


@respx.mock
def test_submit_with_a_start_image_uploads_it_first() -> None:
    """The image goes up as a data URI (docs: base64-to-url, {status, id, output}) and its address is passed on."""
    upload = respx.post(UPLOAD).respond(json={"status": "success", "id": 7, "output": ["https://cdn.example/i.jpg"]})
    route = respx.post(I2V).respond(json=PROCESSING)
    _submit(_request(start_image=SourceImage(b"\xff\xd8")))
    assert _sent(upload) == {"key": calls.KEY, "base64_string": "data:image/jpeg;base64,/9g="}
    assert _sent(route)["init_image"] == "https://cdn.example/i.jpg"


@respx.mock
@pytest.mark.parametrize(
    "broken",
    [
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("gone"),
        httpx.ConnectError("refused"),
        httpx.Response(502, html=GATEWAY_PAGE),
        httpx.Response(200, text="not json"),
        httpx.Response(200, json={"status": "success", "output": []}),
        httpx.Response(500, json={"status": "error", "message": "Internal Server Error"}),
    ],
)
def test_upload_trouble_may_be_repeated(broken: httpx.Response | Exception) -> None:
    """An upload costs nothing, so whatever breaks there is temporary and nothing is submitted."""
    respx.post(UPLOAD).mock(side_effect=[broken])
    submit = respx.post(I2V).respond(json=PROCESSING)
    with pytest.raises(errors.ProviderUnavailable):
        _submit(_request(start_image=SourceImage(b"\xff\xd8")))
    assert not submit.called


@respx.mock
@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            httpx.Response(422, json={"status": "error", "message": "The file may not be greater than 5 MB"}),
            "startImagePath",
        ),
        (httpx.Response(413, html="<html>413 Request Entity Too Large</html>"), "startImagePath"),
    ],
)
def test_upload_refused(answer: httpx.Response, expected: str) -> None:
    """A refused image (docs: at most 5 MB) is the person's start image to change."""
    respx.post(UPLOAD).mock(return_value=answer)
    with pytest.raises(errors.InvalidInput) as caught:
        _submit(_request(start_image=SourceImage(b"\xff\xd8")))
    assert caught.value.field == expected


@respx.mock
@pytest.mark.parametrize(
    ("status", "body", "job_id"),
    [
        (200, PROCESSING, "155262350"),
        (200, PROCESSING | {"id": "155262350"}, "155262350"),  # docs: webhook and error pages show text
        (200, {"status": "queued", "id": 9}, "9"),  # seen
        (200, {"status": "success", "id": 9, "output": [CLIP], "generationTime": 45.2}, "9"),  # docs: done at once
        (200, {"status": "warming up", "id": 9}, "9"),  # a word of the future
        (500, PROCESSING, "155262350"),  # the body is read before the HTTP status
        (200, PROCESSING | {"id": None}, "155262350"),  # from fetch_result
    ],
)
def test_submit_accepted(status: int, body: dict[str, Any], job_id: str) -> None:
    """Whatever names a job and refuses nothing is an accepted job, its id as text."""
    respx.post(T2V).respond(status, json=body)
    assert _submit(_request()).id == job_id


@respx.mock
@pytest.mark.parametrize(
    ("status", "body", "headers", "delay"),
    [
        # docs: rate limits page
        (
            429,
            {
                "status": "error",
                "message": "Rate limit exceeded. Maximum 5 queued requests allowed.",
                "retry_after": 30,
            },
            {},
            30,
        ),
        # seen: only the text says how long
        (200, {"status": "error", "message": "Too many requests. Please try again in 30 minutes"}, {}, 1800),
        (429, {"status": "error", "messege": "try again in 20 seconds"}, {}, 20),
        (429, {"status": "error", "message": "slow down"}, {"Retry-After": "7"}, 7),
        (503, {"status": "error", "message": "Service Unavailable"}, {"Retry-After": "11"}, 11),
        (200, {"status": "error", "message": "Rate limit exceeded"}, {}, 30),
    ],
)
def test_submit_when_told_to_come_back(
    status: int, body: dict[str, Any], headers: dict[str, str], delay: float
) -> None:
    """An explicit "later" is repeatable, with the delay from the header, the body or the text."""
    respx.post(T2V).respond(status, json=body, headers=headers)
    with pytest.raises(errors.ProviderRateLimited) as caught:
        _submit(_request())
    assert caught.value.retry_after_seconds == delay


@respx.mock
@pytest.mark.parametrize("status", [200, 0])
@pytest.mark.parametrize(
    ("code", "said", "expected"),
    [
        (401, {"message": "Invalid API key"}, errors.BadKey),  # docs: authentication
        (401, {"message": "API key required"}, errors.BadKey),  # docs: authentication
        (
            402,
            {"message": "Insufficient credits. Please add more credits to continue."},
            errors.ProviderOutOfCredits,
        ),  # docs
        (402, {"message": "Your monthly limit exceeded, upgrade subscription"}, errors.ProviderOutOfCredits),  # seen
        (404, {"message": "Model not found: veo3"}, errors.ModelUnavailable),  # docs: error codes
        (400, {"message": "Unable to fetch image from provided URL"}, errors.InvalidInput),  # docs: error codes
        (400, {"message": "prompt is required"}, errors.InvalidInput),  # docs: error codes
        (400, {"messege": "prompt is required"}, errors.InvalidInput),  # docs: the note on the spelling
        (400, {"message": {"prompt": ["The prompt field is required."]}}, errors.InvalidInput),  # the framework's kind
        (400, {"message": "Invalid API Request", "tip": "1. Make sure..."}, errors.InvalidInput),  # seen
        (400, {"message": "NSFW content detected"}, errors.ContentRefused),  # guessed: no documented text
        (500, {"message": "Internal Server Error"}, errors.ProviderError),  # docs: error codes
    ],
)
def test_submit_refused(status: int, code: int, said: dict[str, Any], expected: type[errors.ProviderError]) -> None:
    """A refusal means the same whether it comes with its HTTP status or as a 200 (seen in every public client)."""
    respx.post(T2V).respond(status or code, json={"status": "error", **said})
    with pytest.raises(expected) as caught:
        _submit(_request())
    assert type(caught.value) is expected
    assert next(iter(said)) in caught.value.detail


@respx.mock
@pytest.mark.parametrize(
    ("said", "field"),
    [
        ("prompt is required", "prompt"),
        ("negative_prompt may not be greater than 500 characters", "negativePrompt"),
        ("duration must be 8", "duration"),
        ("aspect_ratio must be one of 16:9, 9:16", "aspectRatio"),
        ("something is required", None),
    ],
)
def test_submit_refused_for_a_field(said: str, field: str | None) -> None:
    """A validation message (docs: error codes) is turned into our name of the field where it names one."""
    respx.post(T2V).respond(400, json={"status": "error", "message": said})
    with pytest.raises(errors.InvalidInput) as caught:
        _submit(_request())
    assert caught.value.field == field


@respx.mock
@pytest.mark.parametrize(
    ("status", "expected"),
    [(401, errors.BadKey), (403, errors.BadKey), (402, errors.ProviderOutOfCredits), (429, errors.ProviderRateLimited)],
)
def test_submit_refused_by_a_page(status: int, expected: type[errors.ProviderError]) -> None:
    """These HTTP statuses say by themselves that nothing was accepted, also without a JSON body."""
    respx.post(T2V).respond(status, html="<html>no</html>")
    with pytest.raises(expected):
        _submit(_request())


@respx.mock
def test_submit_when_the_vendor_is_down_and_says_so() -> None:
    """A 503 of the vendor's own making (docs: error codes) is repeatable."""
    respx.post(T2V).respond(503, json={"status": "error", "message": "Service Unavailable"})
    with pytest.raises(errors.ProviderUnavailable):
        _submit(_request())


@respx.mock
@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(502, html=GATEWAY_PAGE),
        httpx.Response(503, html=GATEWAY_PAGE),
        httpx.Response(504, html=GATEWAY_PAGE),
        httpx.Response(524, html=GATEWAY_PAGE),  # seen: Cloudflare in front of the vendor
        httpx.Response(
            524, json={"status": 524, "title": "A timeout occurred", "retry_after": 120}
        ),  # Cloudflare's JSON
        httpx.Response(504, html=GATEWAY_PAGE, headers={"Retry-After": "60"}),
        httpx.Response(500, json={"message": "Server Error"}),  # the framework's, not the vendor's
        httpx.Response(200, text='{"status": "proc'),
        httpx.Response(200, json={"status": "processing"}),
        httpx.Response(200, json={"status": "success", "output": [CLIP]}),
    ],
)
def test_submit_without_a_verdict(answer: httpx.Response) -> None:
    """A page of a gateway, a cut body or a reply without an id leaves it open whether there is a job."""
    respx.post(T2V).mock(return_value=answer)
    with pytest.raises(errors.SubmitUncertain):
        _submit(_request())


@respx.mock
@pytest.mark.parametrize(
    ("body", "state", "link"),
    [
        (PROCESSING, JobState.RUNNING, None),  # with future_links already there
        (PROCESSING | {"status": "queued"}, JobState.QUEUED, None),  # seen
        (
            {"status": "success", "id": 1, "output": [CLIP], "proxy_links": ["https://x.example/b"]},
            JobState.SUCCEEDED,
            CLIP,
        ),
        ({"status": "success", "id": 1, "output": CLIP}, JobState.SUCCEEDED, CLIP),  # seen: text instead of a list
        ({"status": "success", "id": 1, "output": [], "proxy_links": [CLIP]}, JobState.SUCCEEDED, CLIP),
        ({"status": "success", "id": 1, "output": "", "future_links": [CLIP]}, JobState.RUNNING, None),  # seen
        ({"status": "success", "id": 1, "output": []}, JobState.RUNNING, None),
        ({"status": "success", "id": 1, "output": ["file:///etc/passwd"]}, JobState.RUNNING, None),
    ],
)
def test_look(body: dict[str, Any], state: JobState, link: str | None) -> None:
    """Done is `success` with an address in `output` or its mirror; a future link is never one."""
    route = respx.post(FETCH).respond(json=body)
    status = _look()
    assert (status.state, status.video_url, status.progress) == (state, link, None)
    assert status.unknown_word is None
    assert _sent(route) == {"key": calls.KEY}


@respx.mock
def test_look_asks_where_the_job_was_submitted() -> None:
    """v6 jobs are asked about at v6; nothing in an id leads elsewhere on the host."""
    route = respx.post(f"{HOST}/api/v6/video/fetch/155262350").respond(json=PROCESSING)
    assert _run("check_status", "v6:155262350").state is JobState.RUNNING
    odd = respx.post(url__regex=r".*/fetch/.*wallet.*").respond(json=PROCESSING)
    _run("check_status", "../../wallet?x")
    assert odd.calls.last.request.url.raw_path == b"/api/v7/video-fusion/fetch/..%2F..%2Fwallet%3Fx"
    assert route.call_count == 1


@respx.mock
def test_look_when_the_word_is_new() -> None:
    """An unknown word keeps the job waiting and is handed on to be logged."""
    respx.post(FETCH).respond(json={"status": "Upscaling", "id": 1})
    status = _look()
    assert (status.state, status.unknown_word) == (JobState.RUNNING, "Upscaling")


@respx.mock
@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        # seen: an id the vendor does not know
        (
            200,
            {"status": "failed", "id": "", "message": "Request not found", "output": "", "tip": "..."},
            errors.JobLost,
        ),
        (404, {"status": "error", "message": "Video not found"}, errors.JobLost),  # docs: video OpenAPI
        (
            200,
            {"status": "failed", "id": "1", "message": "Generation failed", "track_id": "x"},
            errors.GenerationFailed,
        ),  # docs
        (200, {"status": "error", "message": "Something went wrong"}, errors.GenerationFailed),  # docs: OpenAPI's word
        (200, {"status": "failed", "message": "Blocked by safety filter"}, errors.ContentRefused),  # guessed text
        (200, {"status": "failed", "message": "Model not found: veo3"}, errors.ModelUnavailable),
        (200, {"status": "error", "messege": "Unable to fetch image from provided URL"}, errors.InvalidInput),
    ],
)
def test_look_at_a_failed_job(status: int, body: dict[str, Any], expected: type[errors.ProviderError]) -> None:
    """A job that ended badly is a FAILED status with the error for the person, not an exception."""
    respx.post(FETCH).respond(status, json=body)
    found = _look()
    assert found.state is JobState.FAILED
    assert type(found.error) is expected


@respx.mock
@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (httpx.Response(200, json={"status": "error", "message": "Invalid API key"}), errors.BadKey),
        (httpx.Response(401, json={"message": "Unauthenticated."}), errors.BadKey),
        (httpx.Response(200, json={"status": "error", "message": "Insufficient credits"}), errors.ProviderOutOfCredits),
        (httpx.Response(429, json={"status": "error", "message": "Rate limit exceeded"}), errors.ProviderRateLimited),
        (
            httpx.Response(200, json={"status": "failed", "message": "try again in 2 minutes"}),
            errors.ProviderRateLimited,
        ),
        (httpx.Response(500, json={"status": "error", "message": "Server Error"}), errors.ProviderUnavailable),
        (httpx.Response(502, html=GATEWAY_PAGE), errors.ProviderUnavailable),
        (httpx.Response(524, json={"status": 524, "title": "A timeout occurred"}), errors.ProviderUnavailable),
        (httpx.Response(200, html="<html>challenge</html>"), errors.UnreadableReply),
        (httpx.Response(404, html="<html>404</html>"), errors.UnreadableReply),
    ],
)
def test_look_that_failed_itself(answer: httpx.Response, expected: type[errors.ProviderError]) -> None:
    """What concerns our key, our haste or an outage says nothing about the job and is raised."""
    respx.post(FETCH).mock(return_value=answer)
    with pytest.raises(expected):
        _look()


@respx.mock
def test_response_is_kept_without_the_key() -> None:
    """A vendor that echoes the request's parameters (docs: `meta`) does not get our key into what is kept."""
    respx.post(T2V).respond(json=PROCESSING | {"meta": {"key": calls.KEY, "prompt": "a lake"}})
    job = _submit(_request())
    assert calls.KEY not in repr(job)
    assert job.response["meta"]["prompt"] == "a lake"


@respx.mock
def test_base_url_replaces_the_host_only() -> None:
    """With a base URL of one's own, vendor paths are appended to it, with or without a slash at its end."""
    route = respx.post("http://127.0.0.1:9001/api/v7/video-fusion/text-to-video").respond(json=PROCESSING)
    _submit(_request(), base_url="http://127.0.0.1:9001/")
    assert route.called


@respx.mock
def test_submit_when_the_schema_has_no_length() -> None:
    """Seedance's schema (docs: model schema) lists prompt, aspect_ratio and resolution: no length and no sound."""
    route = respx.post(T2V).respond(json=PROCESSING)
    _submit(calls.request("seedance-t2v", resolution="480p", aspect_ratio="4:3"))
    assert _sent(route) == {
        "key": calls.KEY,
        "model_id": "seedance-t2v",
        "prompt": "a lake",
        "aspect_ratio": "4:3",
        "resolution": "480p",
        "track_id": "01JREFERENCE",
    }


@pytest.mark.parametrize("model_id", ["veo3", "veo2"])
def test_models_of_veo_offer_what_their_pages_list(model_id: str) -> None:
    """No resolution, no image and two shapes: what a vendor does not list is not sold."""
    model = registry.model(model_id)
    assert (model.resolutions, model.aspect_ratios) == (("720p",), ("16:9", "9:16"))
    assert not model.start_image
    assert not model.end_image
