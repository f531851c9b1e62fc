"""The demo provider: the studio on loopback (`studio/`), spoken to like any other vendor."""

import base64
from collections.abc import Mapping
from datetime import datetime

from core import errors
from core.messages import N_
from core.providers import base, http
from core.providers.contract import (
    JobMatches,
    JobState,
    JobStatus,
    ProviderJob,
    SourceImage,
    VideoModel,
    VideoRequest,
    VideoSource,
)
from core.providers.http import Reply

MODELS = (
    VideoModel(
        id="demo-film",
        name="Demo Film",
        provider="demo",
        upstream_id="demo-film",
        description=N_("Drawn on this computer from words of the prompt, not by an AI. Needs no key, takes seconds."),
        default_seconds=5,
        durations=tuple(range(1, 17)),
        resolutions=("720p", "1080p", "4K"),
        aspect_ratios=("16:9", "9:16", "1:1"),
        start_image=True,
        end_image=True,
        ignores_negative_prompt=True,
        audio=True,
        typical_seconds=10,
        deadline_seconds=1800,
        limits=(
            N_("The negative prompt is ignored."),
            N_("The picture follows key words (places, weather, time of day, space), not the whole sentence."),
        ),
    ),
)

_STATES: Mapping[str, JobState] = {state.value: state for state in JobState}
_FIELDS = {
    "prompt": "prompt",
    "seconds": "duration",
    "width": "resolution",
    "height": "resolution",
    "start_image": "startImagePath",
    "end_image": "endImagePath",
}


class Demo(base.Provider):
    """The studio. An order repeated with the same reference meets the same job, so `find_submitted_job` is exact."""

    name = "demo"
    display_name = "Demo Studio"
    models = MODELS
    default_base_url = "http://127.0.0.1:8710"
    needs_key = False
    is_local = True
    min_poll_seconds = 0.5
    can_cancel = True
    supports_lookup = True
    cancel_note = N_("Cancelling is free and takes effect at once.")

    async def generate_video(self, request: VideoRequest) -> ProviderJob:
        """Order one clip."""
        width, height = request.frame_size
        body = {
            "reference": request.reference,
            "prompt": request.prompt,
            "width": width,
            "height": height,
            "seconds": request.duration_seconds,
            "start_image": _base64(request.start_image),
            "end_image": _base64(request.end_image),
            "audio": request.generate_audio,
        }
        answer = await self._order("POST", "/v1/jobs", json=body)
        if answer.status in (200, 201) and (job_id := _job_id(answer.body)):
            return ProviderJob(job_id, answer.redacted)
        raise _submit_verdict(answer)

    async def check_status(self, job_id: str) -> JobStatus:
        """How the job stands; one the studio does not know has failed for good."""
        return self._status(await self._look("GET", f"/v1/jobs/{job_id}"))

    async def video_source(self, job_id: str, video_url: str) -> VideoSource:
        """The file at the studio's present address: after a restart it listens on another port."""
        return VideoSource(f"{self._base_url}/v1/files/{job_id}.mp4", {"Authorization": f"Bearer {self._key}"})

    async def cancel(self, job_id: str) -> JobStatus:
        """Stop the job; one that is already at its end stays as it is."""
        return self._status(await self._look("POST", f"/v1/jobs/{job_id}/cancel"))

    async def find_submitted_job(self, request: VideoRequest, *, since: datetime, until: datetime) -> JobMatches:
        """The job ordered with this reference; the studio keeps it, so that nothing has to be guessed."""
        answer = await self._look("GET", "/v1/jobs", params={"reference": request.reference})
        jobs = (answer.body or {}).get("jobs")
        if answer.status != 200 or not isinstance(jobs, list):
            raise _look_error(answer)
        for job in jobs:
            if job_id := _job_id(job):
                return JobMatches(exact=[ProviderJob(job_id, http.redact(job, key=self._key))])
        if jobs:  # something is there that we cannot read, which is not the same as nothing
            raise errors.UnreadableReply(detail=answer.detail)
        return JobMatches()

    def _status(self, answer: Reply) -> JobStatus:
        if answer.status == 404 and _error_code(answer) == "unknown_job":
            lost = N_(
                "The studio no longer knows this job, so the clip cannot be fetched. Nothing was charged; try again."
            )
            error = errors.GenerationFailed(lost, detail=answer.detail)
            return JobStatus(JobState.FAILED, error=error, response=answer.redacted)
        body = answer.body or {}
        word = body.get("status")
        if answer.status != 200 or not isinstance(word, str) or not word:
            raise _look_error(answer)
        if word not in _STATES:
            unknown = http.redact(word, key=self._key)[:60]
            return JobStatus(JobState.RUNNING, unknown_word=unknown, response=answer.redacted)
        state = _STATES[word]
        video_url = http.web_address(body.get("video_url"))
        if state is JobState.SUCCEEDED and video_url is None:
            raise errors.UnreadableReply(detail=answer.detail)
        share = http.number(body.get("progress"))
        return JobStatus(
            state,
            progress=None if share is None else min(1.0, share),
            video_url=video_url,
            error=errors.GenerationFailed(detail=answer.detail) if state is JobState.FAILED else None,
            response=answer.redacted,
        )


def _base64(image: SourceImage | None) -> str | None:
    return base64.b64encode(image.data).decode() if image else None


def _job_id(body: object) -> str:
    """The id in a job, if it can stand in a path; else empty."""
    found = body.get("id") if isinstance(body, Mapping) else None
    return found if isinstance(found, str) and found.isalnum() and found.isascii() and len(found) <= 100 else ""


def _error_code(answer: Reply) -> str:
    error = (answer.body or {}).get("error")
    return str(error.get("code", "")) if isinstance(error, Mapping) else ""


def _submit_verdict(answer: Reply) -> errors.ProviderError:
    """What a submit that gave no job means; uncertain unless the studio itself says that it took nothing."""
    error = (answer.body or {}).get("error")
    if answer.status in (413, 422):
        field = error.get("field") if isinstance(error, Mapping) else None
        return errors.InvalidInput(field=_FIELDS.get(str(field)), detail=answer.detail)
    said_no = bool(_error_code(answer))
    if answer.status in (401, 403, 429) or (answer.status == 503 and said_no):
        return _look_error(answer)
    if answer.status in (400, 404, 405):
        return errors.ProviderError(detail=answer.detail)
    return errors.SubmitUncertain(detail=answer.detail)


def _look_error(answer: Reply) -> errors.ProviderError:
    """Why a look told nothing about the job."""
    if answer.status in (401, 403):
        return errors.BadKey(detail=answer.detail)
    if answer.status == 429:
        delay = answer.retry_after_seconds
        return errors.ProviderRateLimited(retry_after_seconds=30 if delay is None else delay, detail=answer.detail)
    if answer.status >= 500:
        return errors.ProviderUnavailable(detail=answer.detail)
    return errors.UnreadableReply(detail=answer.detail)
