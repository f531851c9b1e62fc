"""fal: jobs in its queue, submitted to a model's own path and asked about at the app's.

Facts come from the vendor's documentation (queue, cancel, model errors, request errors, files), its Python client and
the model pages (fal.ai/models/MODEL/llms.txt). It has no word for failure: a job is COMPLETED, its result an error.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from core import errors
from core.messages import N_
from core.providers import base, http
from core.providers.contract import JobState, JobStatus, ProviderJob, VideoModel, VideoRequest
from core.providers.http import Reply

_END_NEEDS_START = N_("An end image needs a start image too.")
_SHAPE_OF_IMAGE = N_("With a start image the clip takes the image's shape, whatever the aspect ratio says.")
_NO_SIZE = N_("The vendor offers no choice of size: a clip has 720 lines or more, as it decides.")

MODELS = (
    VideoModel(
        id="fal-kling-2.5-turbo",
        name="Kling 2.5 Turbo Pro (fal)",
        provider="fal",
        # fal.ai/docs kling-video-v2.5-turbo-pro: duration "5" or "10", three ratios, tail_image_url, no resolution.
        upstream_id="fal-ai/kling-video/v2.5-turbo/pro",
        description=N_("Fluid motion and close obedience to the prompt."),
        default_seconds=5,
        durations=(5, 10),
        resolutions=("720p",),
        aspect_ratios=("16:9", "9:16", "1:1"),
        start_image=True,
        end_image=True,
        end_image_needs_start=True,
        negative_prompt=True,
        typical_seconds=150,
        limits=(_END_NEEDS_START, _SHAPE_OF_IMAGE, _NO_SIZE),
    ),
    VideoModel(
        id="fal-veo-3.1-fast",
        name="Google Veo 3.1 Fast",
        provider="fal",
        # fal.ai/docs veo3.1-fast: duration "4s", "6s" or "8s", 720p to 4k, 16:9 or 9:16, sound on unless switched off.
        upstream_id="fal-ai/veo3.1/fast",
        description=N_("Google's quick model with sound, up to 4K."),
        default_seconds=8,
        durations=(4, 6, 8),
        resolutions=("720p", "1080p", "4K"),
        aspect_ratios=("16:9", "9:16"),
        start_image=True,
        negative_prompt=True,
        audio=True,
        typical_seconds=90,
        limits=(N_("A start image of another shape than the aspect ratio is cropped."),),
    ),
    VideoModel(
        id="fal-hailuo-2.3",
        name="MiniMax Hailuo 2.3",
        provider="fal",
        # Model page, hailuo-2.3/standard: duration "6" or "10", prompt_optimizer, no ratio and no resolution.
        upstream_id="fal-ai/minimax/hailuo-2.3/standard",
        description=N_("Expressive people and physical motion."),
        default_seconds=6,
        durations=(6, 10),
        resolutions=("720p",),
        aspect_ratios=("16:9",),
        start_image=True,
        prompt_enhancement=True,
        typical_seconds=180,
        limits=(N_("The vendor makes 768 lines here: a 720p clip arrives a little larger."), _SHAPE_OF_IMAGE),
    ),
)


@dataclass(frozen=True, slots=True)
class _Endpoint:
    """How one model differs from the others at the vendor; paths follow its `upstream_id`."""

    text_path: str = "/text-to-video"
    image_path: str = "/image-to-video"
    duration_unit: str = ""
    ratio_with_image: bool = False
    end_image: str = ""
    enhancement: str = ""


_ENDPOINTS: Mapping[str, _Endpoint] = {
    "fal-kling-2.5-turbo": _Endpoint(end_image="tail_image_url"),
    "fal-veo-3.1-fast": _Endpoint(text_path="", duration_unit="s", ratio_with_image=True),
    "fal-hailuo-2.3": _Endpoint(enhancement="prompt_optimizer"),
}

_WAITING: Mapping[str, JobState] = {"in_queue": JobState.QUEUED, "in_progress": JobState.RUNNING}
_DONE = "completed"
_CANCELLED = "client_cancelled"

_NO_CREDITS = re.compile(r"\blocked\b|exhausted|balance|insufficient (funds|credits?)", re.I)
_CONTENT = re.compile(r"content_policy|content polic|content checker|nsfw|flagged|safety|moderation|prohibited", re.I)
_NOT_TO_BLAME = re.compile(
    r"^(generation_timeout|downstream_service_\w+|internal_(server_)?error|(request|startup)_timeout|runner_\w+)$"
)
"""Model errors and request errors pages: types that say the vendor failed, not the request."""
_FIELDS: Mapping[str, str] = {
    "prompt": "prompt",
    "negative_prompt": "negativePrompt",
    "duration": "duration",
    "resolution": "resolution",
    "aspect_ratio": "aspectRatio",
    "image_url": "startImagePath",
    "tail_image_url": "endImagePath",
    "generate_audio": "generateAudio",
    "prompt_optimizer": "enhancePrompt",
}
_NOTHING_MADE = N_(
    "The provider made no clip from this. Nothing was charged; change the prompt or the image and try again."
)
_NO_LINK = "completed without a link"


class Fal(base.Provider):
    """fal.ai. The addresses in its replies are not followed: ours are made from the app's path and the request id.

    No call of the queue is both free and closed to a wrong key, so keys are not tried beforehand.

    A lost submit is not searched for: the queue lists nothing, and the platform API's list at another host
    (models/requests/by-endpoint) tells only how requests ended, so that one missing there may be under way.
    """

    name = "fal"
    display_name = "fal"
    models = MODELS
    default_base_url = "https://queue.fal.run"
    min_poll_seconds = 3.0  # its client looks ten times a second; for jobs of minutes this is kinder
    max_requests_per_second = 9.0  # an earlier FAQ: 10 a second an account, less a margin; today's names no figure
    can_cancel = True
    cancel_note = N_(
        "A job still in the provider's queue is removed at no cost; a running one is asked to stop and may not."
    )

    async def generate_video(self, request: VideoRequest) -> ProviderJob:
        """Submit once; images go along as data URIs."""
        if request.end_image and not request.start_image:
            raise errors.InvalidInput(_END_NEEDS_START, field="startImagePath")
        path, body = _submission(request)
        query = {"fal_webhook": request.webhook_url} if request.webhook_url else {}
        answer = await self._order("POST", f"/{path}", json=body, params=query)
        if request_id := _request_id(answer):
            return ProviderJob(f"{_app(path)}|{request_id}", answer.redacted)
        raise _submit_verdict(answer)

    async def check_status(self, job_id: str) -> JobStatus:
        """Look at a job; one that is completed is asked for its result at once, which alone says how it ended."""
        place = _place(job_id)
        answer = await self._look("GET", f"{place}/status")
        if answer.status < 300 and answer.status_word == _DONE:
            return _ended(answer, await self._look("GET", place))
        return _waiting(answer)

    async def cancel(self, job_id: str) -> JobStatus:
        """Ask for the stop. A running job only gets a signal, so the next look tells whether it heeded it."""
        answer = await self._look("PUT", f"{_place(job_id)}/cancel")
        word = answer.status_word
        if word in ("ok", "not_found"):  # taken off the queue, or no longer there to be charged
            return JobStatus(JobState.CANCELLED, response=answer.redacted)
        if word == "cancellation_requested":
            return JobStatus(JobState.RUNNING, response=answer.redacted)
        return await self.check_status(job_id)

    def _headers(self) -> Mapping[str, str]:
        return {"Authorization": f"Key {self._key}"}


def _submission(request: VideoRequest) -> tuple[str, dict[str, Any]]:
    """Path and body for a request. What the model has no choice of is not sent: it has no field for it."""
    model, endpoint = request.model, _ENDPOINTS[request.model.id]
    with_image = request.start_image is not None
    wanted: dict[str, Any] = {
        "prompt": request.prompt,
        "duration": f"{request.duration_seconds}{endpoint.duration_unit}",
    }
    if request.negative_prompt:
        wanted["negative_prompt"] = request.negative_prompt
    if len(model.resolutions) > 1:
        wanted["resolution"] = request.resolution.lower()  # the vendor writes 4k
    if len(model.aspect_ratios) > 1 and (endpoint.ratio_with_image or not with_image):
        wanted["aspect_ratio"] = request.aspect_ratio
    if model.audio:
        wanted["generate_audio"] = request.generate_audio  # on at the vendor unless it is told
    if endpoint.enhancement:
        wanted[endpoint.enhancement] = request.enhance_prompt  # same
    if request.start_image is not None:
        wanted["image_url"] = request.start_image.data_url
    if request.end_image is not None:
        wanted[endpoint.end_image] = request.end_image.data_url
    return model.upstream_id + (endpoint.image_path if with_image else endpoint.text_path), wanted


def _app(path: str) -> str:
    """Owner and app of a path: status, result and cancel know no more of it (queue page)."""
    return "/".join(path.split("/")[:2])


def _place(job_id: str) -> str:
    """Where a job, kept as "owner/app|request id", is asked about."""
    app, _, request_id = job_id.rpartition("|")
    return f"/{quote(app)}/requests/{quote(request_id, safe='')}"


def _request_id(answer: Reply) -> str:
    """The id of an accepted request; "" when none was."""
    value = (answer.body or {}).get("request_id")
    accepted = answer.status < 300 or answer.status_word in _WAITING
    return value if accepted and isinstance(value, str) else ""


def _mistakes(answer: Reply) -> Iterator[Mapping[str, Any]]:
    """The typed errors of a model (`detail` as a list); none where `detail` is text."""
    details = (answer.body or {}).get("detail")
    if isinstance(details, list):
        yield from (item for item in details if isinstance(item, Mapping))


def _messages(answer: Reply) -> str:
    """Everything a reply says about what went wrong, as one text."""
    body = answer.body or {}
    said = [body.get(name) for name in ("detail", "error", "message") if isinstance(body.get(name), str)]
    said += [mistake.get("msg") for mistake in _mistakes(answer)]
    return " ".join(item if isinstance(item, str) else json.dumps(item) for item in said if item)


def _types(answer: Reply) -> list[str]:
    """Every machine-readable reason a reply gives: of model errors, request errors and completed jobs."""
    reasons = [mistake.get("type") for mistake in _mistakes(answer)] + [(answer.body or {}).get("error_type")]
    return [reason for reason in reasons if isinstance(reason, str) and reason]


def _submit_verdict(answer: Reply) -> errors.ProviderError:
    """What a reply to a submit that names no job means; uncertain unless it plainly says that nothing was accepted."""
    return _verdict(answer) if answer.is_refusal else errors.SubmitUncertain(detail=answer.detail)


def _verdict(answer: Reply) -> errors.ProviderError:
    """The error for a refusal: the account first, then what was asked."""
    status, detail = answer.status, answer.detail
    if busy := _busy(answer):
        return busy
    # Seen in the vendor's issues: 403 "User is locked. Reason: Exhausted balance."
    if status == 402 or (status in (401, 403) and _NO_CREDITS.search(_messages(answer))):
        return errors.ProviderOutOfCredits(detail=detail)
    if status in (401, 403) and not _types(answer):
        return errors.BadKey(detail=detail)
    if status == 404 and answer.body is not None:
        return errors.ModelUnavailable(detail=detail)
    if status in (400, 403, 413, 415, 422):
        return _about_the_request(answer) or errors.InvalidInput(detail=detail)
    return errors.ProviderError(detail=detail)


def _busy(answer: Reply) -> errors.ProviderRateLimited | None:
    """The explicit "come back later", with its delay; None when the reply does not say so."""
    delay = answer.retry_after_seconds
    if not answer.is_busy:
        return None
    return errors.ProviderRateLimited(retry_after_seconds=10 if delay is None else delay, detail=answer.detail)


def _about_the_request(answer: Reply) -> errors.ProviderError | None:
    """What the types of an error say about the job; None where it gives none and its text says nothing either."""
    types, detail = _types(answer), answer.detail
    if "content_policy_violation" in types or _CONTENT.search(_messages(answer)):
        return errors.ContentRefused(detail=detail)
    if "no_media_generated" in types:
        return errors.GenerationFailed(_NOTHING_MADE, detail=detail)
    if any(_NOT_TO_BLAME.match(reason) for reason in types):
        return errors.GenerationFailed(detail=detail)
    if any(True for _ in _mistakes(answer)):  # the rest are about input: image_*, file_*, one_of, feature_not_supported
        return errors.InvalidInput(field=_field(answer), detail=detail)
    return None


def _field(answer: Reply) -> str | None:
    """Our name of the field that the first understandable `loc` names; image trouble without one is the start image."""
    for mistake in _mistakes(answer):
        place = mistake.get("loc")
        names = [str(name) for name in place] if isinstance(place, list) else []
        if found := next((_FIELDS[name] for name in reversed(names) if name in _FIELDS), None):
            return found
    about_files = any(reason.startswith(("image_", "file_", "unsupported_image")) for reason in _types(answer))
    return "startImagePath" if about_files else None


def _waiting(answer: Reply) -> JobStatus:
    """Read a look at a job that is not completed. Raises what concerns the look and not the job."""
    word, detail = answer.status_word, answer.detail
    if answer.status < 300 and word:
        if word in _WAITING:
            return JobStatus(_WAITING[word], response=answer.redacted)
        return JobStatus(JobState.RUNNING, unknown_word=str(answer.redacted["status"])[:60], response=answer.redacted)
    if answer.status == 404 and answer.body is not None:
        return base.failed(errors.GenerationFailed(base.LOST, detail=detail), answer)
    raise base.look_verdict(answer, _verdict)


def _ended(status: Reply, result: Reply) -> JobStatus:
    """How a completed job ended: by its result, and by the status's own error where the result says nothing."""
    if _CANCELLED in _types(status) or _CANCELLED in _types(result) or result.status == 499:
        return JobStatus(JobState.CANCELLED, response=status.redacted)
    about_us = result.status in (401, 402, 403, 429) and not _types(result)
    if result.status >= 400 and not about_us and (error := _about_the_request(result)):
        return base.failed(error, result)
    if _types(status) or _messages(status):
        error = _about_the_request(status) or errors.GenerationFailed(detail=status.detail)
        return base.failed(error, status)
    if result.status < 300 and result.body is not None:
        if link := _link(result.body):
            return JobStatus(JobState.SUCCEEDED, video_url=link, response=result.redacted)
        return JobStatus(JobState.RUNNING, unknown_word=_NO_LINK, response=result.redacted)
    if result.status == 404 and result.body is not None:
        return base.failed(errors.GenerationFailed(base.LOST, detail=result.detail), result)
    if result.status in (400, 422) and result.body is not None:
        return base.failed(errors.GenerationFailed(detail=result.detail), result)
    raise base.look_verdict(result, _verdict)


def _link(body: Mapping[str, Any]) -> str | None:
    """Where the clip lies (model pages: `video`, a file object with its `url`)."""
    video = body.get("video")
    return http.web_address(video.get("url") if isinstance(video, Mapping) else video)
