"""Replicate. Shapes marked "docs" follow the vendor's documentation or its Python SDK."""

import json
import time
from dataclasses import replace
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx

from core import config, errors
from core.catalog import rules
from core.files import download
from core.providers import registry
from core.providers.contract import (
    JobState,
    JobStatus,
    ProviderJob,
    ReportedUse,
    SourceImage,
    UseUnit,
    VideoSource,
)
from tests.factories.generations import build_spec
from tests.providers import calls
from tests.simulators import running

API = "https://api.replicate.com"
SEEDANCE = f"{API}/v1/models/bytedance/seedance-1-pro/predictions"
KLING = f"{API}/v1/models/kwaivgi/kling-v2.5-turbo-pro/predictions"
JOB_ID = "gm3qorzdhgbfurvjtvhg6dckhu"
LOOK = f"{API}/v1/predictions/{JOB_ID}"
LINK = "https://replicate.delivery/xezq/a/tmp.mp4"
SMALL, LARGE = SourceImage(b"\xff\xd8"), SourceImage(b"\xff\xd8" + b"0" * 256_000)
SMALL_URL = "data:image/jpeg;base64,/9g="
STARTING = {
    "id": JOB_ID,
    "model": "bytedance/seedance-1-pro",
    "version": "hidden",
    "status": "starting",
    "input": {"prompt": "a lake"},
    "output": None,
    "error": None,
    "logs": "",
    "data_removed": False,
    "created_at": "2026-11-21T12:00:00.000Z",
    "urls": {"get": LOOK, "cancel": f"{LOOK}/cancel"},
}
"""Docs: the prediction object."""
SUCCEEDED = STARTING | {"status": "succeeded", "output": LINK, "metrics": {"predict_time": 63.2}}
FAILED = STARTING | {"status": "failed"}


_request = partial(calls.request, "replicate-seedance-1-pro")
_run = partial(calls.run, "replicate")
_submit = partial(calls.run, "replicate", "generate_video")
_look = partial(calls.run, "replicate", "check_status", JOB_ID)


def test_svd_needs_a_start_image_and_makes_four_seconds() -> None:
    """Stable Video Diffusion makes nothing from text alone, and only the four seconds its 25 frames last."""
    svd = registry.model("svd")
    wanted = build_spec("svd", duration_seconds=4)
    assert not rules.check(svd, replace(wanted, start_image_key="images/ab/x.jpg"))
    assert set(rules.check(svd, wanted)) == {"startImagePath"}
    assert (svd.default_seconds, svd.max_seconds) == (4, 4)
    assert any("4.17" in sentence for sentence in svd.limits)


@respx.mock
def test_submit_to_an_official_model() -> None:
    """A submit names the model in the path, sends what it lists (docs: model page) and does not block for it."""
    route = respx.post(SEEDANCE).respond(201, json=STARTING)
    job = _submit(_request(duration_seconds=12, resolution="1080p", aspect_ratio="4:3"))
    sent = route.calls.last.request
    wanted = {"prompt": "a lake", "duration": 12, "resolution": "1080p", "aspect_ratio": "4:3"}
    assert json.loads(sent.content) == {"input": wanted}
    assert sent.headers["authorization"] == f"Bearer {calls.KEY}"
    assert "prefer" not in sent.headers
    assert job == ProviderJob(JOB_ID, STARTING)


@respx.mock
def test_submit_leaves_out_what_the_model_has_no_field_for() -> None:
    """Kling (docs: model page) has no resolution, and names its images otherwise than Seedance."""
    route = respx.post(KLING).respond(201, json=STARTING)
    _run(
        "generate_video",
        calls.request("replicate-kling-2.5-turbo-pro", negative_prompt="rain", start_image=SMALL, end_image=SMALL),
    )
    wanted = {"prompt": "a lake", "negative_prompt": "rain", "duration": 5, "aspect_ratio": "16:9"}
    assert json.loads(route.calls.last.request.content)["input"] == wanted | {
        "start_image": SMALL_URL,
        "end_image": SMALL_URL,
    }


@respx.mock
def test_submit_to_a_version() -> None:
    """A model that is not official is asked for by version; its length is a number of frames."""
    route = respx.post(f"{API}/v1/predictions").respond(201, json=STARTING)
    _submit(calls.request("svd", start_image=SMALL))
    assert json.loads(route.calls.last.request.content) == {
        "version": "3f0457e4619daac51203dedb472816fd4af51f3149fa7a9e0b5ffcf1b8172438",
        "input": {
            "video_length": "25_frames_with_svd_xt",
            "frames_per_second": 6,
            "sizing_strategy": "crop_to_16_9",
            "input_image": SMALL_URL,
        },
    }


@respx.mock
def test_submit_uploads_large_images_first() -> None:
    """An image over 256 kB (docs: input files) goes up as multipart `content` (docs: SDK) and is named by address."""
    address = f"{API}/v1/files/abc"
    upload = respx.post(f"{API}/v1/files").respond(201, json={"id": "abc", "urls": {"get": address}})
    route = respx.post(SEEDANCE).respond(201, json=STARTING)
    _submit(_request(start_image=SMALL, end_image=LARGE))
    assert b'name="content"; filename="image.jpeg"' in upload.calls.last.request.content
    wanted = json.loads(route.calls.last.request.content)["input"]
    assert (wanted["image"], wanted["last_frame_image"]) == (SMALL_URL, address)


@respx.mock
@pytest.mark.parametrize(
    "broken",
    [
        httpx.ReadTimeout("slow"),
        httpx.ConnectError("refused"),
        httpx.Response(502, html="<html>"),
        httpx.Response(201, json={}),
        httpx.Response(201, json={"urls": "none"}),
        httpx.Response(404, json={"detail": "no"}),
    ],
)
def test_upload_trouble_may_be_repeated(broken: httpx.Response | Exception) -> None:
    """An upload costs nothing, so whatever breaks there is temporary and nothing is submitted."""
    respx.post(f"{API}/v1/files").mock(side_effect=[broken])
    submit = respx.post(SEEDANCE).respond(201, json=STARTING)
    with pytest.raises(errors.ProviderUnavailable):
        _submit(_request(start_image=LARGE))
    assert not submit.called


@respx.mock
def test_upload_refused() -> None:
    """A refused image is the person's image to change, the one it was."""
    respx.post(f"{API}/v1/files").respond(413, json={"detail": "too large"})
    with pytest.raises(errors.InvalidInput) as caught:
        _submit(_request(start_image=SMALL, end_image=LARGE))
    assert caught.value.field == "endImagePath"


def test_end_image_alone_is_refused_before_anything_is_sent() -> None:
    """The vendor only takes an end image with a start image."""
    with pytest.raises(errors.InvalidInput) as caught:
        _submit(_request(end_image=SMALL))
    assert caught.value.field == "startImagePath"


@respx.mock
@pytest.mark.parametrize(
    ("status", "body"),
    [
        (201, STARTING),
        (200, STARTING),
        (202, STARTING | {"status": "processing"}),
        (201, {"id": JOB_ID}),
        (201, FAILED),
    ],
)
def test_submit_accepted(status: int, body: dict[str, Any]) -> None:
    """Any 2xx with an id is an accepted job, one that failed at once as well: the next look tells why."""
    respx.post(SEEDANCE).respond(status, json=body)
    assert _submit(_request()).id == JOB_ID


@respx.mock
@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (401, {"title": "Unauthenticated", "detail": "You did not pass a valid token"}, errors.BadKey),
        (403, {"detail": "Forbidden"}, errors.BadKey),
        (402, {"title": "Insufficient credit", "status": 402}, errors.ProviderOutOfCredits),
        (404, {"detail": "The requested resource could not be found."}, errors.ModelUnavailable),
        (422, {"title": "Invalid version or not permitted", "status": 422}, errors.ModelUnavailable),
        (422, {"title": "Input validation failed", "detail": "- input is required"}, errors.InvalidInput),
        (400, {"detail": "flagged as sensitive (E005)"}, errors.ContentRefused),
    ],
)
def test_submit_refused(status: int, body: dict[str, Any], expected: type[errors.ProviderError]) -> None:
    """The vendor's refusals (docs: problem details), by HTTP status and by text."""
    respx.post(SEEDANCE).respond(status, json=body)
    with pytest.raises(expected) as caught:
        _submit(_request())
    assert type(caught.value) is expected


@respx.mock
def test_submit_to_an_address_that_is_not_the_vendors() -> None:
    """A 404 page is no word on the model: it is the address that is wrong."""
    respx.post(SEEDANCE).respond(404, html="<html>")
    with pytest.raises(errors.ProviderError) as caught:
        _submit(_request())
    assert type(caught.value) is errors.ProviderError


@respx.mock
@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("prompt", "prompt"),
        ("duration", "duration"),
        ("resolution", "resolution"),
        ("aspect_ratio", "aspectRatio"),
        ("image", "startImagePath"),
        ("last_frame_image", "endImagePath"),
        ("seed", None),
    ],
)
def test_submit_refused_for_a_field(theirs: str, ours: str | None) -> None:
    """A validation message names the place as `input.NAME`, which is turned into our name of the field."""
    detail = f"- input.{theirs}: Must be something else\n"
    respx.post(SEEDANCE).respond(422, json={"title": "Input validation failed", "detail": detail, "status": 422})
    with pytest.raises(errors.InvalidInput) as caught:
        _submit(_request())
    assert caught.value.field == ours


@respx.mock
@pytest.mark.parametrize(
    ("answer", "delay"),
    [
        # docs: rate limits
        (httpx.Response(429, json={"detail": "Request was throttled. Your rate limit resets in ~30s."}), 30),
        (httpx.Response(429, json={"detail": "Your rate limit resets in 2 minutes."}), 120),
        (httpx.Response(429, json={"detail": "resets in ~30s"}, headers={"Retry-After": "9"}), 9),
        (httpx.Response(429, html="<html>"), 30),
        (httpx.Response(503, html="<html>", headers={"Retry-After": "9"}), 9),
    ],
)
def test_submit_when_told_to_come_back(answer: httpx.Response, delay: float) -> None:
    """An explicit "later" is repeatable, with its delay: the header's first, then the text's."""
    respx.post(SEEDANCE).mock(return_value=answer)
    with pytest.raises(errors.ProviderRateLimited) as caught:
        _submit(_request())
    assert caught.value.retry_after_seconds == delay


@respx.mock
@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(500, json={"title": "Internal server error", "status": 500}),
        httpx.Response(500, json={"id": JOB_ID}),
        httpx.Response(502, html="<html>"),
        httpx.Response(503, json={"detail": "unavailable"}),
        httpx.Response(504, json={"detail": "Your rate limit resets in ~30s."}),
        httpx.Response(201, text='{"id": "gm3'),
        httpx.Response(201, json={"status": "starting"}),
        httpx.Response(409, json={"detail": "conflict"}),
    ],
)
def test_submit_without_a_verdict(answer: httpx.Response) -> None:
    """A gateway's reply, a cut body or one without an id leaves it open whether there is a job."""
    respx.post(SEEDANCE).mock(return_value=answer)
    with pytest.raises(errors.SubmitUncertain):
        _submit(_request())


@respx.mock
@pytest.mark.parametrize(
    ("body", "state", "link", "unknown"),
    [
        (STARTING, JobState.QUEUED, None, None),
        (STARTING | {"status": "processing"}, JobState.RUNNING, None, None),
        (STARTING | {"status": "Warming"}, JobState.RUNNING, None, "Warming"),
        (SUCCEEDED, JobState.SUCCEEDED, LINK, None),
        (SUCCEEDED | {"output": [LINK, "https://x.example/2"]}, JobState.SUCCEEDED, LINK, None),
        (SUCCEEDED | {"output": {"seed": 1, "video": LINK}}, JobState.SUCCEEDED, LINK, None),
        (SUCCEEDED | {"output": {"videos": [LINK]}}, JobState.SUCCEEDED, LINK, None),
        (SUCCEEDED | {"output": None}, JobState.RUNNING, None, "succeeded without a link"),
        (STARTING | {"status": "canceled"}, JobState.CANCELLED, None, None),
        (STARTING | {"status": "aborted"}, JobState.CANCELLED, None, None),  # docs: deadline before the start
    ],
)
def test_look(body: dict[str, Any], state: JobState, link: str | None, unknown: str | None) -> None:
    """The lifecycle's words and every shape of an output are read; an unknown word keeps waiting."""
    route = respx.get(LOOK).respond(json=body)
    status = _look()
    assert (status.state, status.video_url, status.unknown_word) == (state, link, unknown)
    assert status.progress is None
    assert route.calls.last.request.headers["authorization"] == f"Bearer {calls.KEY}"


@respx.mock
@pytest.mark.parametrize(
    ("metrics", "used"),
    [
        ({"predict_time": 63.2}, ReportedUse(Decimal("63.2"), UseUnit.GPU_SECONDS)),
        ({"predict_time": 0}, ReportedUse(Decimal(0), UseUnit.GPU_SECONDS)),
        ({"predict_time": -1}, None),
        ({"predict_time": 1e300}, None),
        ({"predict_time": True}, None),
        ({"predict_time": "long"}, None),
        ({}, None),
        ("fast", None),
    ],
)
@pytest.mark.parametrize("word", ["succeeded", "failed", "canceled"])
def test_look_tells_how_long_the_job_ran(word: str, metrics: object, used: ReportedUse | None) -> None:
    """Whatever the end, since it is billed; what no job can have run is left out."""
    respx.get(LOOK).respond(json=SUCCEEDED | {"status": word, "metrics": metrics})
    assert _look().use == used


@respx.mock
@pytest.mark.parametrize(
    ("error", "expected", "words"),
    [
        ("The input or output was flagged as sensitive. (E005)", errors.ContentRefused, "content policy"),
        ("NSFW content detected in all outputs", errors.ContentRefused, "content policy"),
        ("CUDA out of memory (E1001)", errors.GenerationFailed, "memory"),  # docs: error codes
        ("Director: E6716 failed to start", errors.GenerationFailed, "start this model"),  # docs
        ("E1000: unknown", errors.GenerationFailed, "no name"),  # docs
        ("Input validation error: input.image could not be read", errors.InvalidInput, "Start image"),
        ("something else", errors.GenerationFailed, "could not make this clip"),
        (None, errors.GenerationFailed, "could not make this clip"),
        ({"code": "E005"}, errors.ContentRefused, "content policy"),
    ],
)
def test_look_at_a_failed_job(error: object, expected: type[errors.ProviderError], words: str) -> None:
    """A failed prediction is a FAILED status whose error says to the person why."""
    respx.get(LOOK).respond(json=FAILED | {"error": error})
    status = _look()
    assert status.state is JobState.FAILED
    assert type(status.error) is expected
    assert words in str(status.error)


@respx.mock
def test_look_when_the_clip_is_deleted() -> None:
    """An hour after the end (docs: data retention) the clip is gone for good, which the sentence says."""
    respx.get(LOOK).respond(json=SUCCEEDED | {"output": None, "data_removed": True})
    status = _look()
    assert status.state is JobState.FAILED
    assert isinstance(status.error, errors.ExpiredAtProvider)


@respx.mock
def test_look_at_a_job_the_vendor_does_not_know() -> None:
    """A prediction the vendor has no record of cannot be fetched any more."""
    respx.get(LOOK).respond(404, json={"detail": "The requested resource could not be found."})
    status = _look()
    assert status.state is JobState.FAILED
    assert "no longer knows" in str(status.error)


@respx.mock
@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (httpx.Response(401, json={"title": "Unauthenticated"}), errors.BadKey),
        (httpx.Response(402, json={"title": "Insufficient credit"}), errors.ProviderOutOfCredits),
        (httpx.Response(429, json={"detail": "resets in ~5s"}), errors.ProviderRateLimited),
        (httpx.Response(500, json={"detail": "x"}), errors.ProviderUnavailable),
        (httpx.Response(404, html="<html>"), errors.UnreadableReply),
        (httpx.Response(200, html="<html>"), errors.UnreadableReply),
        (httpx.Response(200, json={"status": 200}), errors.UnreadableReply),
    ],
)
def test_look_that_tells_nothing_about_the_job(answer: httpx.Response, expected: type[errors.ProviderError]) -> None:
    """Trouble with the look is raised, and leaves the job as it was."""
    respx.get(LOOK).mock(return_value=answer)
    with pytest.raises(expected) as caught:
        _look()
    assert type(caught.value) is expected


@respx.mock
@pytest.mark.parametrize(("word", "state"), [("canceled", JobState.CANCELLED), ("processing", JobState.RUNNING)])
def test_cancel(word: str, state: JobState) -> None:
    """Cancelling returns the prediction as it then stands."""
    route = respx.post(f"{LOOK}/cancel").respond(200, json=STARTING | {"status": word})
    assert _run("cancel", JOB_ID).state is state
    assert route.called


@respx.mock
def test_cancel_of_a_job_that_is_over() -> None:
    """Whatever the vendor answers to a stop that came too late, the clip it made is taken."""
    respx.post(f"{LOOK}/cancel").respond(422, json={"detail": "already finished"})
    respx.get(LOOK).respond(json=SUCCEEDED)
    assert _run("cancel", JOB_ID).video_url == LINK


@respx.mock
def test_check_key() -> None:
    """The account tells whether the token is good (docs: account); trouble on the way tells nothing about it."""
    route = respx.get(f"{API}/v1/account")
    route.respond(200, json={"type": "organization", "username": "acme"})
    _run("check_key")
    assert route.calls.last.request.headers["authorization"] == f"Bearer {calls.KEY}"
    for answer, expected in (
        (httpx.Response(401, json={"title": "Unauthenticated"}), errors.BadKey),
        (httpx.Response(503, html="<html>"), errors.ProviderUnavailable),
    ):
        route.mock(return_value=answer)
        with pytest.raises(expected):
            _run("check_key")


@pytest.mark.parametrize(
    ("url", "base_url", "sent"),
    [
        (LINK, "", True),
        ("https://replicate.delivery/a.mp4", "", True),
        ("https://api.replicate.com/v1/files/a", "", True),
        ("http://127.0.0.1:9003/files/a.mp4", "http://127.0.0.1:9003", True),
        ("http://127.0.0.1:9004/files/a.mp4", "http://127.0.0.1:9003", False),
        ("http://replicate.delivery/a.mp4", "", False),
        ("https://replicate.delivery.example.com/a.mp4", "", False),
        ("https://evilreplicate.com/a.mp4", "", False),
        ("https://replicate.com@example.com/a.mp4", "", False),
        ("https://example.com/a.mp4", "", False),
        ("https://[bad/a.mp4", "", False),
    ],
)
def test_token_goes_to_the_vendors_hosts_only(url: str, base_url: str, sent: bool) -> None:
    """A file is fetched with the token from the vendor and the configured address, and without it elsewhere."""
    source: VideoSource = _run("video_source", JOB_ID, url, base_url=base_url)
    assert source == VideoSource(url, {"Authorization": f"Bearer {calls.KEY}"} if sent else {})


@pytest.mark.process
def test_simulator_serves_a_whole_life(tmp_path: Path) -> None:
    """Against the simulator a clip is made from an uploaded image and arrives; one that is stopped stays stopped."""
    with running("replicate", seconds=0.2) as base_url:
        fetched = {}
        for kind in ("ok", "expired"):
            order = _request(prompt=f"[sim:{kind}]", start_image=LARGE)
            job: ProviderJob = _run("generate_video", order, base_url=base_url)
            status = _settled(base_url, job)
            source: VideoSource = _run("video_source", job.id, status.video_url, base_url=base_url)
            allow = frozenset({config.host_port(base_url)})
            if kind == "expired":
                with pytest.raises(errors.OutputExpired):
                    download.fetch(source, tmp_path / kind, allow=allow)
                source = _run("video_source", job.id, _settled(base_url, job).video_url, base_url=base_url)
            fetched[kind] = download.fetch(source, tmp_path / kind, allow=allow)
        endless = calls.request("replicate-seedance-1-pro", prompt="[sim:never] a lake")
        stopped: ProviderJob = _run("generate_video", endless, base_url=base_url)
        assert _run("cancel", stopped.id, base_url=base_url).state is JobState.CANCELLED
        assert _run("check_status", stopped.id, base_url=base_url).state is JobState.CANCELLED
    assert fetched["ok"].sha256 == fetched["expired"].sha256


@pytest.mark.process
def test_simulator_breaks_as_told() -> None:
    """Each fault of the simulator meets the error it stands for; a lost answer leaves one job behind."""
    refused = {"429": errors.ProviderRateLimited, "badkey": errors.BadKey, "nocredit": errors.ProviderOutOfCredits}
    lost = dict.fromkeys(("500", "502html", "reset", "hang"), errors.SubmitUncertain)
    with running("replicate", seconds=0.1) as base_url:
        for kind, expected in (refused | lost).items():
            with pytest.raises(expected):
                _run("generate_video", _request(prompt=f"[sim:{kind}]"), base_url=base_url)
        for kind, failure in (("nsfw", errors.ContentRefused), ("fail", errors.GenerationFailed)):
            job: ProviderJob = _run("generate_video", _request(prompt=f"[sim:{kind}]"), base_url=base_url)
            assert type(_settled(base_url, job).error) is failure
        _run("check_key", base_url=base_url)
        with pytest.raises(errors.BadKey):
            _run("check_key", base_url=base_url, key="bad-key")
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
