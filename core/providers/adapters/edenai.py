"""Eden AI: the v3 asynchronous jobs, which pass a request on to other vendors and report what it cost.

Facts come from the vendor's documentation and OpenAPI (docs repository, 2026-06 to 2026-08) and from its public
adapters. Two generations of its own documents name the job id and the status words differently; both are read.
"""

import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import quote

from core import errors
from core.messages import N_
from core.providers import base, http
from core.providers.contract import (
    JobState,
    JobStatus,
    ProviderJob,
    ReportedCost,
    SourceImage,
    VideoModel,
    VideoRequest,
)
from core.providers.http import Reply

_NO_NEGATIVE_PROMPT = N_("Takes no negative prompt: the vendor's request has no field for one.")
_SIZE_IS_A_WISH = N_("Size and length are passed on as a wish; the clip may arrive in the nearest the model makes.")
_NOT_LISTED = N_("The vendor's present list of video models does not name this one; it may be refused.")

MODELS = (
    VideoModel(
        id="runway-gen3",
        name="Runway Gen-3",
        provider="edenai",
        # Uncertain: named by earlier clients of the vendor, found in no revision of its list of video models.
        upstream_id="runwayml/gen3a_turbo",
        description=N_("Stylised, film-like movement."),
        default_seconds=10,
        durations=(5, 10),
        resolutions=("720p",),
        aspect_ratios=("16:9", "9:16"),
        start_image=True,
        prompt_limit_chars=1000,
        typical_seconds=120,
        limits=(_NOT_LISTED, _SIZE_IS_A_WISH, _NO_NEGATIVE_PROMPT),
    ),
    VideoModel(
        id="kling-2.5",
        name="Kling 2.5",
        provider="edenai",
        # Uncertain: the vendor's list of video models has no Kling; the name is Kling's own for this model.
        upstream_id="kling/kling-v2-5-turbo",
        description=N_("Strong motion and faces, from text or from a first frame."),
        default_seconds=5,
        durations=(5, 10),
        resolutions=("720p", "1080p"),
        aspect_ratios=("16:9", "9:16", "1:1"),
        start_image=True,
        typical_seconds=150,
        limits=(_NOT_LISTED, _SIZE_IS_A_WISH, _NO_NEGATIVE_PROMPT),
    ),
    VideoModel(
        id="nova-reel",
        name="Amazon Nova Reel",
        provider="edenai",
        upstream_id="amazon/amazon.nova-reel-v1:0",
        description=N_("Calm product shots and landscapes."),
        default_seconds=6,
        durations=(6,),
        resolutions=("720p",),
        aspect_ratios=("16:9",),
        start_image=True,
        prompt_limit_chars=512,  # Amazon's own limit for a single shot
        typical_seconds=120,
        limits=(N_("The start image should be 1280 x 720; another size may be refused."), _NO_NEGATIVE_PROMPT),
    ),
)

_WAITING: Mapping[str, JobState] = {
    "pending": JobState.QUEUED,
    "queued": JobState.QUEUED,
    "processing": JobState.RUNNING,
    "running": JobState.RUNNING,
}
_DONE = frozenset({"success", "succeeded", "finished"})
_FAILED = frozenset({"fail", "failed", "error", "timeout error"})

_CONTENT = re.compile(r"nsfw|safety|content polic|content filter|sensitive|prohibited|moderat|responsible ai", re.I)
_NO_MODEL = re.compile(r"invalid.?model|model.{0,60}(not found|not available|no longer|not supported|does not)", re.I)
_FIELDS = {"text": "prompt", "duration": "duration", "dimension": "resolution", "file": "startImagePath"}
_NO_LINK = "finished without a link"


class EdenAI(base.Provider):
    """edenai.run, API v3. Cancelling is not offered: the vendor deletes a job's record, not provably its work.

    A lost submit cannot be searched for: its list of jobs (OpenAPI, GET /v3/universal-ai/async) has neither their input
    nor the parameters we send along, so that one job cannot be told from another.
    """

    name = "edenai"
    display_name = "Eden AI"
    models = MODELS
    default_base_url = "https://api.edenai.run"
    min_poll_seconds = 5.0  # what the vendor's samples wait
    max_requests_per_second = 9.0  # rate limits page: 10 a second an account, less a margin
    can_check_key = True

    async def generate_video(self, request: VideoRequest) -> ProviderJob:
        """Upload the start image if there is one, then submit once."""
        file_id = await self._upload(request.start_image) if request.start_image else None
        width, height = request.frame_size
        wanted: dict[str, Any] = {
            "text": request.prompt,
            "duration": request.duration_seconds,
            "dimension": f"{width}x{height}",
        }
        if file_id is not None:
            wanted["file"] = file_id
        body: dict[str, Any] = {
            "model": f"video/generation_async/{request.model.upstream_id}",
            "input": wanted,
            "user_webhook_parameters": {"reference": request.reference},
        }
        if request.webhook_url:
            body["webhook_receiver"] = request.webhook_url
        answer = await self._order("POST", "/v3/universal-ai/async", json=body)
        if job_id := _job_id(answer):
            return ProviderJob(job_id, _without_files(answer.redacted))
        raise _submit_verdict(answer)

    async def check_status(self, job_id: str) -> JobStatus:
        """Look at a job; the reply may carry the whole clip, which is left aside."""
        answer = await self._look("GET", f"/v3/universal-ai/async/{quote(job_id, safe='')}")
        return _status(answer)

    async def check_key(self) -> None:
        """List no more than one job (OpenAPI, GET /v3/universal-ai/async): free, and only a valid token may."""
        await self._try_key("/v3/universal-ai/async", params={"limit": 1})

    async def _upload(self, image: SourceImage) -> str:
        """The id of an uploaded image (kept there for a week). Free, so any failure may simply be repeated."""
        extension = image.media_type.rpartition("/")[2]
        files = {"file": (f"start.{extension}", image.data, image.media_type)}
        answer = await self._look("POST", "/v3/upload", files=files)
        file_id = (answer.body or {}).get("file_id")
        if answer.status < 300 and isinstance(file_id, str) and file_id:
            return file_id
        raise base.upload_error(answer, _submit_verdict(answer), field="startImagePath")


def _job_id(answer: Reply) -> str:
    """`public_id` (OpenAPI) or `job_id` (webhooks, older pages) of an accepted job; "" when none was."""
    body = answer.body or {}
    value = body.get("public_id") or body.get("job_id")
    accepted = answer.status < 300 or answer.status_word in _WAITING or answer.status_word in _DONE
    return value if accepted and isinstance(value, str) else ""


def _messages(answer: Reply) -> str:
    """Everything the reply says about what went wrong, in its several shapes, as one text."""
    body = answer.body or {}
    said = [body.get(name) for name in ("error_code", "detail", "error", "message")]
    said += [result.get("error") for result in _results(body)]
    return " ".join(item if isinstance(item, str) else json.dumps(item) for item in said if item)


def _has_verdict(answer: Reply) -> bool:
    """Whether an error reply is the vendor's own; a gateway's or framework's says nothing about the job."""
    body = answer.body or {}
    error = body.get("error")
    own_shape = isinstance(error, Mapping) if answer.status >= 500 else bool(error)
    return own_shape or bool(body.get("error_code")) or answer.status_word in _FAILED


def _submit_verdict(answer: Reply) -> errors.ProviderError:
    """What a reply to a submit that names no job means; uncertain unless it plainly says that nothing was accepted."""
    down = answer.status == 503 and "detail" in (answer.body or {})
    refused = answer.is_refusal or _has_verdict(answer) or down
    return _verdict(answer) if refused else errors.SubmitUncertain(detail=answer.detail)


def _verdict(answer: Reply) -> errors.ProviderError:
    """The error for a refusal, by the vendor's code first, its text second and the HTTP status third."""
    code, said = str((answer.body or {}).get("error_code") or ""), _messages(answer)
    status, detail = answer.status, answer.detail
    if busy := _busy(answer):
        return busy
    if code == "INSUFFICIENT_CREDIT" or status == 402 or "insufficient credit" in said.lower():
        return errors.ProviderOutOfCredits(detail=detail)
    if code == "UNAUTHORIZED" or status == 401:
        return errors.BadKey(detail=detail)
    if error := _about_the_request(said, detail):
        return error
    if status == 403:
        return errors.BadKey(detail=detail)
    if status in (400, 413, 415, 422):
        return _invalid_input(answer)
    if status == 503:
        return errors.ProviderUnavailable(detail=detail)
    return errors.ProviderError(detail=detail)


def _busy(answer: Reply) -> errors.ProviderRateLimited | None:
    """The explicit "come back later", with its delay; None when the reply does not say so."""
    body = answer.body or {}
    in_body = http.number(body.get("retry_after"))
    stated = [answer.retry_after_seconds if answer.status in (429, 503) else None, in_body]
    delay = next((seconds for seconds in stated if seconds is not None), None)
    if delay is None and answer.status != 429 and body.get("error_code") != "RATE_LIMITED":
        return None
    return errors.ProviderRateLimited(retry_after_seconds=2 if delay is None else delay, detail=answer.detail)


def _about_the_request(said: str, detail: str) -> errors.ProviderError | None:
    """Refusals that are about what was asked; the text is the upstream vendor's own."""
    if _CONTENT.search(said):
        return errors.ContentRefused(detail=detail)
    if _NO_MODEL.search(said):
        return errors.ModelUnavailable(detail=detail)
    return None


def _invalid_input(answer: Reply) -> errors.ProviderError:
    """A validation reply; FastAPI's kind names the place (`loc`) of each mistake."""
    mistakes = (answer.body or {}).get("detail")
    places = [item.get("loc") for item in mistakes if isinstance(item, dict)] if isinstance(mistakes, list) else []
    names = [str(place[-1]) for place in places if isinstance(place, list) and place]
    if "model" in names:
        return errors.ModelUnavailable(detail=answer.detail)
    field = next((_FIELDS[name] for name in names if name in _FIELDS), None)
    return errors.InvalidInput(field=field, detail=answer.detail)


def _status(answer: Reply) -> JobStatus:
    """Read a look. Raises what concerns the look and not the job."""
    body, word, detail = answer.body, answer.status_word, answer.detail
    if body is not None and answer.status < 300 and word:
        kept = _without_files(answer.redacted)
        if word in _WAITING:
            return JobStatus(_WAITING[word], response=kept)
        if word in _FAILED or (word in _DONE and _all_failed(body)):
            error = _about_the_request(_messages(answer), detail) or errors.GenerationFailed(detail=detail)
            return JobStatus(JobState.FAILED, error=error, cost=_cost(body), response=kept)
        if word in _DONE and (link := _link(body)):
            return JobStatus(JobState.SUCCEEDED, video_url=link, cost=_cost(body), response=kept)
        unknown = _NO_LINK if word in _DONE else str(answer.redacted["status"])[:60]
        return JobStatus(JobState.RUNNING, unknown_word=unknown, response=kept)
    if answer.status == 404 and body is not None:
        return JobStatus(
            JobState.FAILED, error=errors.GenerationFailed(base.LOST, detail=detail), response=answer.redacted
        )
    raise _busy(answer) or base.look_verdict(answer, _verdict)


def _results(body: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The job's result: `output` itself, or older pages' `results`, plain or by upstream vendor."""
    for holder in (body.get("output"), body.get("results")):
        if isinstance(holder, Mapping):
            yield holder
            yield from (item for item in holder.values() if isinstance(item, Mapping))


def _link(body: Mapping[str, Any]) -> str | None:
    """Where the clip lies; `video` is a link with some upstream vendors and the file itself with others."""
    for result in _results(body):
        if link := http.web_address(result.get("video_resource_url")) or http.web_address(result.get("video")):
            return link
    return None


def _all_failed(body: Mapping[str, Any]) -> bool:
    """In the older shape a finished job may still have failed at its upstream vendor."""
    words = [str(result["final_status"]).lower() for result in _results(body) if "final_status" in result]
    return bool(words) and all(word in _FAILED for word in words)


def _cost(body: Mapping[str, Any]) -> ReportedCost | None:
    """The vendor's price for the job in US dollars; text in its OpenAPI, a number on some of its pages."""
    try:
        amount = Decimal(str(body["cost"]))
    except (KeyError, InvalidOperation):
        return None
    return ReportedCost(amount, "USD") if amount.is_finite() and amount >= 0 else None


def _without_files(kept: Mapping[str, Any]) -> dict[str, Any]:
    """The reply without clips inside it."""
    clean: dict[str, Any] = {}
    for name, value in kept.items():
        if isinstance(value, Mapping):
            clean[name] = _without_files(value)
        elif name == "video" and isinstance(value, str) and not http.web_address(value):
            clean[name] = f"({len(value)} characters)" if value else ""
        else:
            clean[name] = value
    return clean
