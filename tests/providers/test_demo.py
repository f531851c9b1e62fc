"""The demo provider: every answer of the studio, and one clip made by the real one."""

import base64
import json
import time
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx

from core import errors
from core.clock import utc_now
from core.providers.adapters.demo import Demo
from core.providers.contract import JobMatches, JobState, JobStatus, ProviderJob, SourceImage
from tests.providers import calls
from tests.studio.running import KEY as STUDIO_KEY
from tests.studio.running import studio

ADDRESS = "http://127.0.0.1:8710"
JOBS = f"{ADDRESS}/v1/jobs"
JOB_ID = "0123456789abcdef01234567"
RUNNING = {"id": JOB_ID, "status": "running", "progress": 0.4, "video_url": None, "error": None}


_request = partial(calls.request, "demo-film", aspect_ratio="9:16")
_run = partial(calls.run, "demo")


def _find(reference: str, **where: str) -> JobMatches:
    found: JobMatches = _run(
        "find_submitted_job", _request(reference=reference), since=utc_now(), until=utc_now(), **where
    )
    return found


def _refusal(code: str, **more: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": "no", **more}}


@respx.mock
def test_submit() -> None:
    """An order says everything the studio needs, in its own words, with the key in the header only."""
    route = respx.post(JOBS).respond(201, json=RUNNING | {"status": "queued"})
    image = SourceImage(b"\xff\xd8\xff jpeg")
    job: ProviderJob = _run("generate_video", _request(start_image=image, generate_audio=True))

    assert job.id == JOB_ID
    sent = route.calls.last.request
    assert sent.headers["authorization"] == f"Bearer {calls.KEY}"
    assert json.loads(sent.content) == {
        "reference": "01JREFERENCE",
        "prompt": "a lake",
        "width": 720,
        "height": 1280,
        "seconds": 5,
        "start_image": base64.b64encode(image.data).decode(),
        "end_image": None,
        "audio": True,
    }
    assert calls.KEY not in repr(job)


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (401, _refusal("unauthorized"), errors.BadKey),
        (413, _refusal("too_large"), errors.InvalidInput),
        (422, _refusal("invalid_order", field="prompt"), errors.InvalidInput),
        (429, {}, errors.ProviderRateLimited),
        (503, _refusal("cannot_store"), errors.ProviderUnavailable),
        (503, {}, errors.SubmitUncertain),
        (500, {}, errors.SubmitUncertain),
        (404, {}, errors.ProviderError),
        (201, {"id": 5}, errors.SubmitUncertain),
        (201, {"id": "../x"}, errors.SubmitUncertain),
        (201, {"id": ""}, errors.SubmitUncertain),
    ],
)
@respx.mock
def test_submit_when_there_is_no_job(status: int, body: dict[str, Any], error: type[errors.ProviderError]) -> None:
    """A refusal is what it says; whatever gives no verdict is uncertain."""
    respx.post(JOBS).respond(status, json=body)
    with pytest.raises(errors.ProviderError) as caught:
        _run("generate_video", _request())

    assert type(caught.value) is error


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("prompt", "prompt"),
        ("seconds", "duration"),
        ("width", "resolution"),
        ("end_image", "endImagePath"),
        ("new", None),
    ],
)
@respx.mock
def test_submit_when_a_field_is_refused(theirs: str, ours: str | None) -> None:
    """The refused field is named as our form names it."""
    respx.post(JOBS).respond(422, json=_refusal("invalid_order", field=theirs))
    with pytest.raises(errors.InvalidInput) as caught:
        _run("generate_video", _request())

    assert caught.value.field == ours


@pytest.mark.parametrize(
    ("changed", "state", "progress"),
    [
        ({"status": "queued", "progress": 0}, JobState.QUEUED, 0),
        ({}, JobState.RUNNING, 0.4),
        ({"progress": None}, JobState.RUNNING, None),
        ({"progress": 7}, JobState.RUNNING, 1),
        ({"status": "succeeded", "progress": 1, "video_url": f"{ADDRESS}/v1/files/x.mp4"}, JobState.SUCCEEDED, 1),
        ({"status": "failed"}, JobState.FAILED, 0.4),
        ({"status": "cancelled"}, JobState.CANCELLED, 0.4),
        ({"status": "dreaming"}, JobState.RUNNING, None),
    ],
)
@respx.mock
def test_look(changed: dict[str, Any], state: JobState, progress: float | None) -> None:
    """Every word of the studio is read, with its own progress; an unknown one keeps the wait."""
    respx.get(f"{JOBS}/{JOB_ID}").respond(200, json=RUNNING | changed)
    status: JobStatus = _run("check_status", JOB_ID)

    assert (status.state, status.progress) == (state, progress)
    assert (status.error is not None) is (state is JobState.FAILED)
    assert (status.video_url is not None) is (state is JobState.SUCCEEDED)
    assert status.unknown_word == ("dreaming" if changed.get("status") == "dreaming" else None)


@respx.mock
def test_look_at_a_job_the_studio_does_not_know() -> None:
    """A job that is gone has failed for good, and a person is told so."""
    respx.get(f"{JOBS}/{JOB_ID}").respond(404, json=_refusal("unknown_job"))
    status: JobStatus = _run("check_status", JOB_ID)

    assert status.state is JobState.FAILED
    assert isinstance(status.error, errors.GenerationFailed)
    assert "no longer knows" in str(status.error)


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (401, {}, errors.BadKey),
        (404, {"detail": "Not Found"}, errors.UnreadableReply),
        (429, {}, errors.ProviderRateLimited),
        (500, {}, errors.ProviderUnavailable),
        (200, {"status": 5}, errors.UnreadableReply),
        (200, {"status": "succeeded", "video_url": None}, errors.UnreadableReply),
    ],
)
@respx.mock
def test_look_that_tells_nothing(status: int, body: dict[str, Any], error: type[errors.ProviderError]) -> None:
    """What is not about the job is no verdict on it: also a 404 of something that is not the studio."""
    respx.get(f"{JOBS}/{JOB_ID}").respond(status, json=body)
    with pytest.raises(errors.ProviderError) as caught:
        _run("check_status", JOB_ID)

    assert type(caught.value) is error


@respx.mock
def test_find() -> None:
    """A reference finds its job or nothing; an answer in no shape we know is neither."""
    route = respx.get(JOBS, params={"reference": "r 1"})
    route.respond(200, json={"jobs": [RUNNING]})
    assert _find("r 1") == JobMatches(exact=[ProviderJob(JOB_ID, RUNNING)])
    route.respond(200, json={"jobs": []})
    assert _find("r 1") == JobMatches()
    for unreadable in ({}, {"jobs": [{"id": 5}]}):
        route.respond(200, json=unreadable)
        with pytest.raises(errors.UnreadableReply):
            _find("r 1")


@respx.mock
def test_video_source() -> None:
    """The file is fetched where the studio is now, with the key."""
    source = _run("video_source", JOB_ID, "http://127.0.0.1:1/v1/files/old.mp4")

    assert source.url == f"{ADDRESS}/v1/files/{JOB_ID}.mp4"
    assert source.headers == {"Authorization": f"Bearer {calls.KEY}"}


def test_model_is_honest() -> None:
    """The form says that no AI draws this and what is not honoured; each setting it offers can be ordered."""
    (model,) = Demo.models

    assert "not by an AI" in model.description
    assert any("negative prompt" in sentence for sentence in model.limits)
    for resolution in model.resolutions:
        for ratio in model.aspect_ratios:
            request = _request(resolution=resolution, aspect_ratio=ratio, duration_seconds=model.durations[-1])
            assert max(request.frame_size) <= 3840


@pytest.mark.process
def test_against_the_studio(tmp_path: Path) -> None:
    """The provider and the real studio understand each other, from order to file, cancel and look-up included."""
    with studio(tmp_path) as (client, _):
        where = {"base_url": str(client.base_url), "key": STUDIO_KEY}
        job: ProviderJob = _run("generate_video", _request(duration_seconds=1), **where)
        again: ProviderJob = _run("generate_video", _request(duration_seconds=1), **where)
        assert job.id == again.id == _find("01JREFERENCE", **where).exact[0].id
        other: ProviderJob = _run("generate_video", _request(reference="other"), **where)
        assert _run("cancel", other.id, **where).state is JobState.CANCELLED

        end = time.monotonic() + 120
        while (status := _run("check_status", job.id, **where)).state is not JobState.SUCCEEDED:
            assert status.error is None
            assert time.monotonic() < end
            time.sleep(0.1)
        source = _run("video_source", job.id, status.video_url, **where)

        file = httpx.get(source.url, headers=dict(source.headers))
        assert file.content[4:8] == b"ftyp"
        assert _run("check_status", "unknown", **where).state is JobState.FAILED
