"""ModelsLab: v7 for what v7 serves, v6 for Text-to-Video Ultra.

Facts come from the vendor's public documentation (docs-v2 repository, 2026-05: error codes, rate limits, video
OpenAPI; model pages; its Python and command-line clients) and from replies seen in public code that uses it.
Which errors arrive as HTTP 200 is not documented, so a body is always read before the HTTP status.
"""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from core import errors
from core.messages import N_
from core.providers import base, http
from core.providers.contract import FRAME_SIZES, JobState, JobStatus, ProviderJob, SourceImage, VideoModel, VideoRequest
from core.providers.http import Reply

ULTRA_FRAMES_PER_SECOND = 16
ULTRA_MOST_LINES = 480
"""text2video_ultra, OpenAPI of the video API: `fps` and `resolution` at most this."""

_UNGUARANTEED = N_("Google has retired this model upstream; the vendor may refuse it or serve a successor.")

MODELS = (
    VideoModel(
        id="veo3",
        name="Google Veo 3",
        provider="modelslab",
        upstream_id="veo3",
        description=N_("Film-like clips with sound, from text or from a first frame."),
        default_seconds=8,
        durations=(8,),
        resolutions=("720p", "1080p"),
        aspect_ratios=("16:9", "9:16", "1:1"),
        start_image=True,
        negative_prompt=True,
        audio=True,
        prompt_enhancement=True,
        typical_seconds=120,
        limits=(N_("The vendor documents 16:9 and 9:16; a 1:1 clip may arrive in another shape."), _UNGUARANTEED),
    ),
    VideoModel(
        id="veo2",
        name="Google Veo 2",
        provider="modelslab",
        upstream_id="veo2",
        description=N_("Realistic movement without sound, from text or from a first frame."),
        default_seconds=8,
        durations=(8,),
        resolutions=("720p",),
        aspect_ratios=("16:9", "9:16"),
        start_image=True,
        negative_prompt=True,
        prompt_enhancement=True,
        typical_seconds=120,
        limits=(_UNGUARANTEED,),
    ),
    VideoModel(
        id="text-to-video-ultra",
        name="Text-to-Video Ultra",
        provider="modelslab",
        upstream_id="wan2.2",
        description=N_("An open model with any length from 3 to 10 seconds."),
        default_seconds=8,
        durations=tuple(range(3, 11)),
        resolutions=("480p", "720p"),
        aspect_ratios=("16:9", "9:16"),
        negative_prompt=True,
        typical_seconds=150,
        limits=(
            N_("The vendor makes 480 lines at most here: a 720p clip is made at 480 lines."),
            N_("Clips run at 16 frames a second."),
        ),
    ),
    VideoModel(
        id="wan-2.2-t2v",
        name="Wan 2.2 T2V",
        provider="modelslab",
        upstream_id="wan2.2",  # documented by the vendor; its pages name no "wan2.2-t2v"
        description=N_("Lively movement from text."),
        default_seconds=10,
        durations=(5, 10),
        resolutions=("480p", "720p"),
        aspect_ratios=("16:9", "9:16"),
        negative_prompt=True,
        typical_seconds=150,
        limits=(N_("The vendor documents no lengths for this model; a 10-second clip may arrive shorter."),),
    ),
    VideoModel(
        id="seedance-t2v",
        name="Seedance T2V",
        provider="modelslab",
        upstream_id="seedance-t2v",
        description=N_("Quick and inexpensive clips from text."),
        default_seconds=5,
        durations=(5, 10),
        resolutions=("480p", "720p"),
        aspect_ratios=("16:9", "4:3", "1:1"),  # of the vendor's four; 9:21 has no frame size with us
        typical_seconds=60,
        limits=(N_("The vendor documents no length for this model; a 10-second clip may arrive shorter."),),
    ),
)

_WORDS: Mapping[str, JobState] = {"processing": JobState.RUNNING, "queued": JobState.QUEUED}
_NO_WORDS = ("error", "failed")

_BAD_KEY = re.compile(r"(invalid|wrong|missing) api.?key|api.?key (is )?(required|invalid)|unauthenticated", re.I)
_NO_CREDITS = re.compile(r"insufficient (credits?|balance)|monthly limit exceeded|subscription|out of credits", re.I)
_RATE = re.compile(r"rate limit|too many requests|queued requests", re.I)
_CONTENT = re.compile(r"nsfw|safety|content polic|sensitive|prohibited|moderat", re.I)
_NO_MODEL = re.compile(r"model.{0,60}(not found|not available|no longer|retired|deprecated|does ?n.t exist)", re.I)
_BAD_IMAGE = re.compile(r"unable to fetch image|init_image", re.I)
_BAD_INPUT = re.compile(r"is required|must be|may not be|invalid (value|parameter|input|api request)", re.I)
_NO_JOB = re.compile(r"(request|video) not found", re.I)
_FIELDS = {"negative_prompt": "negativePrompt", "aspect_ratio": "aspectRatio", "num_frames": "duration"} | {
    name: name for name in ("prompt", "duration", "resolution")
}


class ModelsLab(base.Provider):
    """modelslab.com. The key travels in the JSON body of every call.

    A lost submit cannot be searched for: the vendor documents no list of jobs, and tells `track_id` in webhooks only.
    """

    name = "modelslab"
    display_name = "ModelsLab"
    models = MODELS
    default_base_url = "https://modelslab.com"
    min_poll_seconds = 5.0  # what the vendor's samples wait
    can_check_key = True
    max_in_flight = 5  # rate limits page: 5 queued requests on the smallest plan, over all endpoints

    async def generate_video(self, request: VideoRequest) -> ProviderJob:
        """Upload the start image if there is one, then submit once."""
        image_url = await self._upload(request.start_image) if request.start_image else None
        path, body = _submission(request, image_url)
        answer = await self._order("POST", path, json=body)
        job_id = _job_id(answer.body or {})
        word = answer.status_word
        if job_id and (word in _WORDS or word == "success" or (answer.status < 300 and word not in _NO_WORDS)):
            return ProviderJob(_with_version(job_id, path), answer.redacted)
        raise _submit_verdict(answer)

    async def check_status(self, job_id: str) -> JobStatus:
        """Ask at an address of our own making: the one in the reply is not trusted with the key."""
        answer = await self._look("POST", _fetch_path(job_id))
        return _status(answer)

    async def check_key(self) -> None:
        """Ask for the wallet's balance (general API, wallet balance page): free, and only a valid key gets it."""
        answer = await self._look("POST", "/api/wallet_balance")
        if answer.status_word != "success":
            verdict = _verdict(answer)
            raise verdict if isinstance(verdict, errors.BadKey) else errors.ProviderUnavailable(detail=answer.detail)

    async def _upload(self, image: SourceImage) -> str:
        """The address of an uploaded image (kept there for 24 hours). Free, so any failure may simply be repeated."""
        answer = await self._look("POST", "/api/v6/base64_to_url", json={"base64_string": image.data_url})
        if answer.status_word == "success" and (address := _link((answer.body or {}).get("output"))):
            return address
        raise base.upload_error(answer, _submit_verdict(answer), field="startImagePath")

    async def _send(self, method: str, path: str, **content: Any) -> Reply:
        content["json"] = {"key": self._key, **content.get("json", {})}
        return await super()._send(method, path, **content)

    def _headers(self) -> Mapping[str, str]:
        return {}


def _submission(request: VideoRequest, image_url: str | None) -> tuple[str, dict[str, Any]]:
    """Path and body (without the key) for a request; only fields that the vendor lists."""
    model = request.model
    body: dict[str, Any] = {"model_id": model.upstream_id, "prompt": request.prompt, "track_id": request.reference}
    if request.webhook_url:
        body["webhook"] = request.webhook_url
    if request.negative_prompt:
        body["negative_prompt"] = request.negative_prompt
    if model.id == "text-to-video-ultra":
        lines = min(FRAME_SIZES[request.resolution, request.aspect_ratio])
        return "/api/v6/video/text2video_ultra", body | {
            "resolution": min(lines, ULTRA_MOST_LINES),
            "fps": ULTRA_FRAMES_PER_SECOND,
            "num_frames": request.duration_seconds * ULTRA_FRAMES_PER_SECOND + 1,  # as its default: 81 for 5 s
            "portrait": request.aspect_ratio == "9:16",
        }
    body |= {
        "duration": str(request.duration_seconds),  # text on the model pages
        "aspect_ratio": request.aspect_ratio,
        "resolution": request.resolution,
    }
    if model.audio:
        body["generate_audio"] = request.generate_audio  # on at the vendor unless it is told
    if model.prompt_enhancement:
        body["enhance_prompt"] = request.enhance_prompt  # same
    if image_url is None:
        return "/api/v7/video-fusion/text-to-video", body
    return "/api/v7/video-fusion/image-to-video", body | {"init_image": image_url}


def _with_version(job_id: str, path: str) -> str:
    """v6 jobs are asked about elsewhere than v7 jobs, so their id says which they are."""
    return f"v6:{job_id}" if path.startswith("/api/v6/") else job_id


def _fetch_path(job_id: str) -> str:
    folder = "/api/v6/video/fetch" if job_id.startswith("v6:") else "/api/v7/video-fusion/fetch"
    return f"{folder}/{quote(job_id.removeprefix('v6:'), safe='')}"


def _job_id(body: Mapping[str, Any]) -> str:
    """The job's id as text: `id` (a number in replies, text in the docs) or the tail of `fetch_result`; else ""."""
    value = body.get("id")
    if isinstance(value, int | str) and not isinstance(value, bool) and value:
        return str(value)
    return str(body.get("fetch_result") or "").partition("/fetch/")[2]


def _message(answer: Reply) -> str:
    """What the vendor says, as text; it spells the field `messege` at times (error codes page)."""
    body = answer.body or {}
    said = body.get("message") or body.get("messege") or body.get("error") or ""
    return said if isinstance(said, str) else json.dumps(said)


def _link(value: Any) -> str | None:
    """The first address in an `output`, which may be a list, a single text, "" or missing."""
    candidates = value if isinstance(value, list) else [value]
    return next(filter(None, map(http.web_address, candidates)), None)


def _submit_verdict(answer: Reply) -> errors.ProviderError:
    """What a reply to a submit that names no job means; uncertain unless it plainly says that nothing was accepted."""
    refused = answer.status_word in _NO_WORDS or answer.is_refusal
    return _verdict(answer) if refused else errors.SubmitUncertain(detail=answer.detail)


def _verdict(answer: Reply) -> errors.ProviderError:
    """The error for a refusal, by its text first and by the HTTP status second."""
    said, status, detail = _message(answer), answer.status, answer.detail
    if busy := _busy(answer):
        return busy
    if _BAD_KEY.search(said):
        return errors.BadKey(detail=detail)
    if _NO_CREDITS.search(said) or status == 402:
        return errors.ProviderOutOfCredits(detail=detail)
    if error := _about_the_request(said, detail):
        return error
    if status in (401, 403):
        return errors.BadKey(detail=detail)
    if status in (400, 413, 415, 422) or _BAD_INPUT.search(said):
        return errors.InvalidInput(field=_field(said), detail=detail)
    if status == 503:
        return errors.ProviderUnavailable(detail=detail)
    return errors.ProviderError(detail=detail)


def _busy(answer: Reply) -> errors.ProviderRateLimited | None:
    """The explicit "come back later", with its delay; None when the reply does not say so."""
    said = _message(answer)
    in_body = http.number((answer.body or {}).get("retry_after"))
    stated = [answer.retry_after_seconds if answer.status in (429, 503) else None, in_body, http.delay_in_text(said)]
    delay = next((seconds for seconds in stated if seconds is not None), None)
    if delay is None and answer.status != 429 and not _RATE.search(said):
        return None
    return errors.ProviderRateLimited(retry_after_seconds=30 if delay is None else delay, detail=answer.detail)


def _about_the_request(said: str, detail: str) -> errors.ProviderError | None:
    """Refusals that are about what was asked, recognised by their text alone: the vendor has no codes for them."""
    if _CONTENT.search(said):
        return errors.ContentRefused(detail=detail)
    if _NO_MODEL.search(said):
        return errors.ModelUnavailable(detail=detail)
    if _BAD_IMAGE.search(said):
        return errors.InvalidInput(field="startImagePath", detail=detail)
    return None


def _field(said: str) -> str | None:
    """Our name of the field a validation message speaks of."""
    return next((ours for theirs, ours in _FIELDS.items() if re.search(rf"\b{theirs}\b", said, re.I)), None)


def _status(answer: Reply) -> JobStatus:
    """Read a look. Raises what concerns the look and not the job."""
    word, said = answer.status_word, _message(answer)
    if word == "success":
        body = answer.body or {}
        # future_links are addresses without a file behind them yet: only output and its mirror count.
        if link := _link(body.get("output")) or _link(body.get("proxy_links")):
            return JobStatus(JobState.SUCCEEDED, video_url=link, response=answer.redacted)
        return JobStatus(JobState.RUNNING, response=answer.redacted)
    if word in _WORDS:
        return JobStatus(_WORDS[word], response=answer.redacted)
    if _NO_JOB.search(said) and word in ("", *_NO_WORDS):
        return base.failed(errors.GenerationFailed(base.LOST, detail=answer.detail), answer)
    if word == "failed":
        if busy := _busy(answer):
            raise busy
        return base.failed(
            _about_the_request(said, answer.detail) or errors.GenerationFailed(detail=answer.detail), answer
        )
    if word == "error":
        return base.failed(_job_error(answer), answer)
    if word and answer.status < 400:
        return JobStatus(JobState.RUNNING, unknown_word=str(answer.redacted["status"])[:60], response=answer.redacted)
    if answer.status in (401, 402, 403, 429):
        raise _verdict(answer)
    if answer.status >= 500:
        raise errors.ProviderUnavailable(detail=answer.detail)
    raise errors.UnreadableReply(detail=answer.detail)


def _job_error(answer: Reply) -> errors.ProviderError:
    """What `status: error` to a look says about the job; raises when it is about the look (key, queue, outage)."""
    if error := _about_the_request(_message(answer), answer.detail):
        return error
    if answer.status >= 500:
        raise errors.ProviderUnavailable(detail=answer.detail)
    error = _verdict(answer)
    if isinstance(error, errors.BadKey | errors.ProviderOutOfCredits | errors.ProviderRateLimited):
        raise error
    return errors.GenerationFailed(detail=answer.detail)
