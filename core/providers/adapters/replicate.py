"""Replicate: predictions by official model name, by version for models without one.

Facts come from the vendor's documentation (prediction lifecycle, rate limits, error codes, HTTP API), from its Python
SDK and from the input schemas on its model pages (replicate.com/OWNER/NAME/versions/VERSION/api).
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import httpx

from core import errors
from core.messages import N_, Source
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

LARGEST_DATA_URL_BYTES = 256_000
"""Input files page: up to 256 kB as a data URL, larger ones by address."""

SEARCH_BEFORE, SEARCH_AFTER = timedelta(minutes=5), timedelta(minutes=10)
"""How long before and after our own times its prediction may be dated: clocks differ, and a worker may wake late."""
SEARCH_PAGES = 10

_END_NEEDS_START = N_("An end image needs a start image too.")
_SHAPE_OF_IMAGE = N_("With a start image the clip takes the image's shape, whatever the aspect ratio says.")
_NO_SIZE = N_("The vendor offers no choice of size: a clip has 720 lines or more, as it decides.")

MODELS = (
    VideoModel(
        id="svd",
        name="Stable Video Diffusion",
        provider="replicate",
        # A community model, so it is asked for by version; the hash is the one public clients name.
        upstream_id="stability-ai/stable-video-diffusion:"
        "3f0457e4619daac51203dedb472816fd4af51f3149fa7a9e0b5ffcf1b8172438",
        description=N_("Brings one still image to life for four seconds."),
        default_seconds=4,
        durations=(4,),
        resolutions=("720p",),
        aspect_ratios=("16:9",),
        text_to_video=False,
        start_image=True,
        typical_seconds=120,
        limits=(
            N_("The prompt is not sent: the model moves the start image by itself."),
            N_("Clips have 25 frames at 6 a second, so 4.17 seconds."),
            N_("The vendor makes 1024 x 576 pixels here; the image is cropped to 16:9."),
        ),
    ),
    VideoModel(
        id="replicate-seedance-1-pro",
        name="Seedance 1 Pro",
        provider="replicate",
        # Model page, version a5fd5508: duration 2 to 12, three resolutions, image and last_frame_image.
        upstream_id="bytedance/seedance-1-pro",
        description=N_("Several shots in one clip, from text or between two frames."),
        default_seconds=5,
        durations=tuple(range(2, 13)),
        resolutions=("480p", "720p", "1080p"),
        aspect_ratios=("16:9", "9:16", "1:1", "4:3"),  # of the vendor's; 21:9 and others have no frame size with us
        start_image=True,
        end_image=True,
        end_image_needs_start=True,
        typical_seconds=90,
        limits=(_END_NEEDS_START, _SHAPE_OF_IMAGE),
    ),
    VideoModel(
        id="replicate-kling-2.5-turbo-pro",
        name="Kling 2.5 Turbo Pro",
        provider="replicate",
        # Model page, version 18f41bfc: duration 5 or 10, three ratios, start_image and end_image, no resolution.
        upstream_id="kwaivgi/kling-v2.5-turbo-pro",
        description=N_("Smooth motion and camera moves, from text or between two frames."),
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
)


@dataclass(frozen=True, slots=True)
class _Inputs:
    """How one model names what it takes ("" where it takes none), and what is always sent with it."""

    prompt: str = "prompt"
    start_image: str = ""
    end_image: str = ""
    always: Mapping[str, Any] = field(default_factory=dict)


_INPUTS: Mapping[str, _Inputs] = {
    "svd": _Inputs(
        prompt="",
        start_image="input_image",
        always={
            "video_length": "25_frames_with_svd_xt",
            "frames_per_second": 6,
            "sizing_strategy": "crop_to_16_9",
        },
    ),
    "replicate-seedance-1-pro": _Inputs(start_image="image", end_image="last_frame_image"),
    "replicate-kling-2.5-turbo-pro": _Inputs(start_image="start_image", end_image="end_image"),
}

_WAITING: Mapping[str, JobState] = {"starting": JobState.QUEUED, "processing": JobState.RUNNING}
_STOPPED = frozenset({"canceled", "aborted"})
_ENDED = frozenset({"succeeded", "failed"}) | _STOPPED

_CONTENT = re.compile(
    r"\bE005\b|flagged as sensitive|nsfw|content polic|content filter|safety|moderation|prohibited", re.I
)
_NO_MODEL = re.compile(r"invalid version|(version|model).{0,60}(not found|not exist|disabled|no longer)", re.I)
_BAD_INPUT = re.compile(r"^\s*input validation (error|failed)", re.I)
_RESETS_IN = re.compile(r"resets? in\s+~?\s*(\d{1,6})\s*(s|m)", re.I)
_FILE_PATH = re.compile(r"/v1/files/[\w-]+")
_INPUT_FIELD = re.compile(r"\binput\.(\w+)")
_FIELDS: Mapping[str, str] = {
    "prompt": "prompt",
    "negative_prompt": "negativePrompt",
    "duration": "duration",
    "resolution": "resolution",
    "aspect_ratio": "aspectRatio",
    "input_image": "startImagePath",
    "image": "startImagePath",
    "start_image": "startImagePath",
    "last_frame_image": "endImagePath",
    "end_image": "endImagePath",
}
_FAILURES: Mapping[str, Source] = {
    "E1001": N_("The provider ran out of memory on this clip. Nothing was charged; choose a smaller or shorter one."),
    "E6716": N_("The provider could not start this model in time. Nothing was charged; try again later."),
    "E1000": N_("The provider met an error it has no name for. Nothing was charged; try again later."),
}
"""Error codes page: code in the text of a failed prediction -> our sentence."""

_DELETED = N_("The provider has deleted the finished clip, so it cannot be fetched. Nothing was charged; try again.")
_NO_LINK = "succeeded without a link"


class Replicate(base.Provider):
    """replicate.com. It keeps no reference of ours, but lists what was sent, so that a lost submit can be found."""

    name = "replicate"
    display_name = "Replicate"
    models = MODELS
    default_base_url = "https://api.replicate.com"
    min_poll_seconds = 5.0  # its Python client waits half a second; for jobs of minutes this is kinder
    max_requests_per_second = 45.0  # same page: 3000 a minute, less a margin
    can_check_key = True
    can_cancel = True
    supports_lookup = True
    cancel_note = N_("Stopping works at any time. What the job has already run is billed to us, not to you.")

    async def generate_video(self, request: VideoRequest) -> ProviderJob:
        """Upload what is too large to go along, then submit once."""
        if request.end_image and not request.start_image:
            raise errors.InvalidInput(_END_NEEDS_START, field="startImagePath")
        start = await self._image(request.start_image, ours="startImagePath")
        end = await self._image(request.end_image, ours="endImagePath")
        path, body = _submission(request, start, end)
        if request.webhook_url:
            body |= {"webhook": request.webhook_url, "webhook_events_filter": ["completed"]}
        answer = await self._order("POST", path, json=body)
        if job_id := _job_id(answer):
            return ProviderJob(job_id, answer.redacted)
        raise _submit_verdict(answer)

    async def check_status(self, job_id: str) -> JobStatus:
        """Look at a prediction."""
        return _status(await self._look("GET", f"/v1/predictions/{quote(job_id, safe='')}"))

    async def cancel(self, job_id: str) -> JobStatus:
        """Ask for the stop. Whatever the vendor answers to one that is over already, a look then tells the truth."""
        answer = await self._look("POST", f"/v1/predictions/{quote(job_id, safe='')}/cancel")
        if answer.status < 300 and answer.status_word:
            return _status(answer)
        return await self.check_status(job_id)

    async def find_submitted_job(self, request: VideoRequest, *, since: datetime, until: datetime) -> JobMatches:
        """Predictions made about then from this request (HTTP API, predictions.list; filters as in its Python SDK).

        The list is newest first; a vendor that ignores the filters is read until it is older than what we look for.
        """
        since, until = since - SEARCH_BEFORE, until + SEARCH_AFTER
        query = {"created_after": since.isoformat(), "created_before": until.isoformat()}
        sure: list[ProviderJob] = []
        possible: list[ProviderJob] = []
        for _ in range(SEARCH_PAGES):
            answer = await self._look("GET", "/v1/predictions", params=query)
            body = answer.body or {}
            items = body.get("results")
            if answer.status != 200 or not isinstance(items, list):
                raise base.look_verdict(answer, _verdict)
            for item in items:
                if not isinstance(item, Mapping) or not isinstance(job_id := item.get("id"), str):
                    raise errors.UnreadableReply(detail=answer.detail)
                if since <= (_created(item) or since) <= until and (same := await self._is(item, request)) is not False:
                    job = ProviderJob(job_id, http.redact(item, key=self._key))
                    (sure if same else possible).append(job)
            cursor = _cursor(body.get("next"))
            if not cursor or any((_created(item) or since) < since for item in items):
                return JobMatches(sure, possible)
            query |= {"cursor": cursor}
        return JobMatches(sure, possible, complete=False)

    async def check_key(self) -> None:
        """Ask whose token it is (HTTP API, GET /v1/account): free, and only a valid one may."""
        await self._try_key("/v1/account")

    async def video_source(self, job_id: str, video_url: str) -> VideoSource:
        """The documentation wants the token on file requests; it goes to the vendor's own hosts and nowhere else."""
        return VideoSource(video_url, self._headers() if self._is_vendors(video_url) else {})

    async def _image(self, image: SourceImage | None, *, ours: str) -> str | None:
        """A small image as a data URL, a larger one as the address of an upload. Free, so it may be repeated.

        `ours` is our name of the field, for a refused one.
        """
        if image is None:
            return None
        if len(image.data) <= LARGEST_DATA_URL_BYTES:
            return image.data_url
        name = f"image.{image.media_type.rpartition('/')[2]}"
        answer = await self._look("POST", "/v1/files", files={"content": (name, image.data, image.media_type)})
        urls = (answer.body or {}).get("urls")
        address = http.web_address(urls.get("get")) if isinstance(urls, Mapping) else None
        if answer.status < 300 and address:
            return address
        raise base.upload_error(answer, _submit_verdict(answer), field=ours)

    async def _is(self, item: Mapping[str, Any], request: VideoRequest) -> bool | None:
        """Whether a listed prediction is this request; None when that cannot be told, as after an hour (retention)."""
        if webhook := item.get("webhook"):  # in the JavaScript SDK's Prediction; ours has the reference in it
            return request.reference in str(webhook)
        name, _, version = request.model.upstream_id.partition(":")
        if item.get("source") == "web" or (item.get("model") or name) != name:
            return False
        if version and item.get("version") not in (version, "hidden", None):
            return False
        theirs, images = item.get("input"), _INPUTS[request.model.id]
        if not isinstance(theirs, Mapping) or item.get("data_removed") is True:
            return None
        ours: Mapping[str, Any] = _submission(request, None, None)[1]["input"]
        same: list[bool | None] = [_same(theirs[name], ours[name]) if name in theirs else None for name in ours]
        for name, image in ((images.start_image, request.start_image), (images.end_image, request.end_image)):
            if image is None:
                same.append(not theirs.get(name))
            elif False not in same:
                same.append(await self._is_image(theirs.get(name), image))
        return False if False in same else None if None in same else True

    async def _is_image(self, address: Any, image: SourceImage) -> bool | None:
        """Whether an image of a prediction is ours: by the data URL itself, by the checksum of an uploaded file."""
        if not isinstance(address, str):
            return None
        if address.startswith("data:"):
            return address == image.data_url
        path = address.removeprefix(self._base_url)
        if not _FILE_PATH.fullmatch(path):
            return None
        sums = ((await self._look("GET", path)).body or {}).get("checksums")
        theirs = sums.get("sha256") if isinstance(sums, Mapping) else None
        return theirs == hashlib.sha256(image.data).hexdigest() if isinstance(theirs, str) else None

    def _is_vendors(self, address: str) -> bool:
        try:
            url, own = httpx.URL(address), httpx.URL(self._base_url)
        except httpx.InvalidURL:
            return False
        if (url.scheme, url.host, url.port) == (own.scheme, own.host, own.port):
            return True
        of_vendor = any(
            url.host == host or url.host.endswith(f".{host}") for host in ("replicate.com", "replicate.delivery")
        )
        return url.scheme == "https" and of_vendor


def _submission(request: VideoRequest, start: str | None, end: str | None) -> tuple[str, dict[str, Any]]:
    """Path and body for a request. What the model has no choice of is not sent: it has no field for it."""
    model, names = request.model, _INPUTS[request.model.id]
    wanted = dict(names.always)
    if names.prompt:
        wanted[names.prompt] = request.prompt
    if request.negative_prompt:
        wanted["negative_prompt"] = request.negative_prompt
    if len(model.durations) > 1:
        wanted["duration"] = request.duration_seconds
    if len(model.resolutions) > 1:
        wanted["resolution"] = request.resolution
    if len(model.aspect_ratios) > 1:
        wanted["aspect_ratio"] = request.aspect_ratio
    if start is not None:
        wanted[names.start_image] = start
    if end is not None:
        wanted[names.end_image] = end
    name, _, version = model.upstream_id.partition(":")
    if version:
        return "/v1/predictions", {"version": version, "input": wanted}
    return f"/v1/models/{name}/predictions", {"input": wanted}


def _same(theirs: Any, ours: Any) -> bool:
    """Whether two values of an input field say the same; spaces and the kind of a number may have been changed."""
    return bool(theirs == ours) or str(theirs).split() == str(ours).split()


def _created(item: Mapping[str, Any]) -> datetime | None:
    """When a prediction was made; None when it cannot be read."""
    try:
        found = datetime.fromisoformat(str(item.get("created_at")))
    except ValueError:
        return None
    return found if found.tzinfo else None


def _cursor(following: Any) -> str:
    """Where the list goes on; of the address only this is used, since the key would go wherever it points."""
    try:
        return httpx.URL(following).params.get("cursor", "") if isinstance(following, str) else ""
    except httpx.InvalidURL:
        return ""


def _job_id(answer: Reply) -> str:
    """The id of an accepted prediction; "" when none was."""
    value = (answer.body or {}).get("id")
    accepted = answer.status < 300 or answer.status_word in _WAITING or answer.status_word in _ENDED
    return value if accepted and isinstance(value, str) else ""


def _messages(answer: Reply) -> str:
    """Everything an error reply says (RFC 7807-like: title and detail), or a failed prediction's `error`."""
    body = answer.body or {}
    said = (body.get(name) for name in ("title", "detail", "error"))
    return "\n".join(item if isinstance(item, str) else json.dumps(item) for item in said if item)


def _submit_verdict(answer: Reply) -> errors.ProviderError:
    """What a reply to a submit that names no job means; uncertain unless it plainly says that nothing was accepted."""
    return _verdict(answer) if answer.is_refusal else errors.SubmitUncertain(detail=answer.detail)


def _verdict(answer: Reply) -> errors.ProviderError:
    """The error for a refusal, by the HTTP status and, where that says too little, by the text."""
    said, status, detail = _messages(answer), answer.status, answer.detail
    if busy := _busy(answer):
        return busy
    if status == 402:
        return errors.ProviderOutOfCredits(detail=detail)
    if status == 401:
        return errors.BadKey(detail=detail)
    if _CONTENT.search(said):
        return errors.ContentRefused(detail=detail)
    if (status == 404 and answer.body is not None) or _NO_MODEL.search(said):
        return errors.ModelUnavailable(detail=detail)
    if status == 403:
        return errors.BadKey(detail=detail)
    if status in (400, 413, 415, 422):
        return errors.InvalidInput(field=_field(said), detail=detail)
    return errors.ProviderError(detail=detail)


def _busy(answer: Reply) -> errors.ProviderRateLimited | None:
    """The explicit "come back later", with its delay; None when the reply does not say so."""
    if not answer.is_busy:
        return None
    delay = answer.retry_after_seconds
    if delay is None and (stated := _RESETS_IN.search(_messages(answer))):
        delay = float(stated[1]) * (60 if stated[2].lower() == "m" else 1)
    return errors.ProviderRateLimited(retry_after_seconds=30 if delay is None else delay, detail=answer.detail)


def _field(said: str) -> str | None:
    """Our name of the first field a validation message names as `input.NAME`."""
    return next((_FIELDS[name] for name in _INPUT_FIELD.findall(said) if name in _FIELDS), None)


def _status(answer: Reply) -> JobStatus:
    """Read a look. Raises what concerns the look and not the job."""
    body, word, detail = answer.body, answer.status_word, answer.detail
    if body is not None and answer.status < 300 and word:
        if word in _WAITING:
            return JobStatus(_WAITING[word], response=answer.redacted)
        if word in _STOPPED:
            return JobStatus(JobState.CANCELLED, response=answer.redacted)
        if word == "failed":
            return base.failed(_job_error(_messages(answer), detail), answer)
        if word != "succeeded":
            return JobStatus(
                JobState.RUNNING, unknown_word=str(answer.redacted["status"])[:60], response=answer.redacted
            )
        if link := _link(body.get("output")):
            return JobStatus(JobState.SUCCEEDED, video_url=link, response=answer.redacted)
        if body.get("data_removed") is True:  # an hour after the end, outputs are gone (data retention page)
            return base.failed(errors.GenerationFailed(_DELETED, detail=detail), answer)
        return JobStatus(JobState.RUNNING, unknown_word=_NO_LINK, response=answer.redacted)
    if answer.status == 404 and body is not None:
        return base.failed(errors.GenerationFailed(base.LOST, detail=detail), answer)
    raise base.look_verdict(answer, _verdict)


def _job_error(said: str, detail: str) -> errors.ProviderError:
    """Why a prediction failed; its `error` is plain text with a code in it at most.

    E005 and "flagged as sensitive" are on no page of the vendor and widely seen in replies.
    """
    if _CONTENT.search(said):
        return errors.ContentRefused(detail=detail)
    if _BAD_INPUT.search(said):
        return errors.InvalidInput(field=_field(said), detail=detail)
    sentence = next((sentence for code, sentence in _FAILURES.items() if re.search(rf"\b{code}\b", said)), None)
    return errors.GenerationFailed(sentence, detail=detail)


def _link(output: Any) -> str | None:
    """Where the clip lies: `output` is an address, a list of them or an object, as each model's schema has it."""
    if isinstance(output, Mapping):
        output = list(output.values())
    candidates = output if isinstance(output, list) else [output]
    for candidate in candidates:
        found = _link(candidate) if isinstance(candidate, list | Mapping) else http.web_address(candidate)
        if found:
            return found
    return None
