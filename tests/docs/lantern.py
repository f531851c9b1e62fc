"""Lantern, a made-up vendor: one call that orders, one that looks, bearer keys, errors as codes."""

from collections.abc import Mapping

from core import errors
from core.providers import base, http
from core.providers.contract import JobState, JobStatus, ProviderJob, VideoModel, VideoRequest
from core.providers.http import Reply

MODELS = (
    VideoModel(
        id="lantern-glow",
        name="Lantern Glow",
        provider="lantern",
        upstream_id="glow-1",  # https://lantern.example/docs/models
        description="Quiet scenes with little movement.",
        default_seconds=5,
        durations=(5, 10),
        resolutions=("720p", "1080p"),
        aspect_ratios=("16:9", "9:16"),
        limits=("It makes no sound.",),
    ),
)

STATES = {
    "queued": JobState.QUEUED,
    "running": JobState.RUNNING,
    "done": JobState.SUCCEEDED,
    "failed": JobState.FAILED,
}
FIELDS = {"prompt": "prompt", "seconds": "duration", "width": "resolution", "height": "resolution"}
"""The vendor's name of a field -> ours."""


class Lantern(base.Provider):
    """https://lantern.example/docs/api, read in November 2026."""

    name = "lantern"
    display_name = "Lantern"
    models = MODELS
    default_base_url = "https://api.lantern.example"
    min_poll_seconds = 3
    max_in_flight = 4

    async def generate_video(self, request: VideoRequest) -> ProviderJob:
        """Order one clip."""
        width, height = request.frame_size
        body = {
            "model": request.model.upstream_id,
            "prompt": request.prompt,
            "seconds": request.duration_seconds,
            "width": width,
            "height": height,
        }
        answer = await self._order("POST", "/v1/videos", json=body)
        if answer.status == 201 and (job_id := _job_id(answer)):
            return ProviderJob(job_id, answer.redacted)
        raise _submit_verdict(answer)

    async def check_status(self, job_id: str) -> JobStatus:
        """How the job stands; one that the vendor no longer knows has failed for good."""
        answer = await self._look("GET", f"/v1/videos/{job_id}")
        if answer.status == 404:
            return base.failed(errors.GenerationFailed(base.LOST, detail=answer.detail), answer)
        if answer.status != 200 or not answer.status_word:
            raise base.look_verdict(answer, _submit_verdict)
        body = answer.body or {}
        state = STATES.get(answer.status_word, JobState.RUNNING)
        video_url = http.web_address(body.get("url"))
        if state is JobState.FAILED:
            return base.failed(errors.GenerationFailed(detail=answer.detail), answer)
        if answer.status_word not in STATES or (state is JobState.SUCCEEDED and video_url is None):
            word = http.redact(answer.status_word, key=self._key)
            return JobStatus(JobState.RUNNING, unknown_word=word, response=answer.redacted)
        return JobStatus(state, http.number(body.get("progress")), video_url, response=answer.redacted)


def _job_id(answer: Reply) -> str:
    """The id, if it can stand in an address; else empty."""
    found = (answer.body or {}).get("id")
    return found if isinstance(found, str) and found.isascii() and found.isalnum() else ""


def _submit_verdict(answer: Reply) -> errors.ProviderError:
    """What an answer without a job means; uncertain unless the vendor itself says that it took nothing."""
    error = (answer.body or {}).get("error")
    told = error if isinstance(error, Mapping) else {}
    if answer.is_busy:
        delay = answer.retry_after_seconds
        return errors.ProviderRateLimited(retry_after_seconds=30 if delay is None else delay, detail=answer.detail)
    if answer.status == 401:
        return errors.BadKey(detail=answer.detail)
    if answer.status == 402:
        return errors.ProviderOutOfCredits(detail=answer.detail)
    if told.get("code") == "refused":
        return errors.ContentRefused(detail=answer.detail)
    if answer.is_refusal:
        return errors.InvalidInput(field=FIELDS.get(str(told.get("field"))), detail=answer.detail)
    return errors.SubmitUncertain(detail=answer.detail)
