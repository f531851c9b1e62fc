"""BytePlus ModelArk: ByteDance's own Seedance models, by tasks whose tokens it counts.

Facts come from its API reference for video generation (create, retrieve, list and delete a task; callbacks), its page
of error codes, its list of models and its Python SDK.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from core import errors
from core.messages import N_
from core.providers import clip_links, http, kept, model_files
from core.providers.adapter import Adapter
from core.providers.contract import (
    BadFact,
    JobState,
    JobStatus,
    ListedJob,
    ListPage,
    MediaKind,
    ProviderJob,
    ReportedUse,
    SourceImage,
    UseUnit,
    VideoRequest,
)
from core.providers.http import ACCOUNT_RULES, Call, ErrorRules, Reply, Rule
from core.providers.models import VideoModel
from core.providers.vendor_calls import JobNotice, VendorCall

TASKS = "/api/v3/contents/generations/tasks"
JOBS_A_PAGE = 500
"""List page: the most of a page. They are of the last seven days, so one page holds the hour around an order."""
LARGEST_LIST_BYTES = 16 * 1024**2
LEAST_EXPIRY_SECONDS, MOST_EXPIRY_SECONDS = 3600, 259_200
"""Create page: the bounds of `execution_expires_after`."""

_REAL_PERSON = N_(
    "The provider refuses images of real people whom it has not been allowed to show. Use another image; "
    "nothing was charged."
)
_NOT_IN_TIME = N_("The provider did not make this clip in time. Nothing was charged; try again later.")
_ABOUT_THE_REQUEST = (
    Rule(http.code(r"\w+\.PrivacyInformation"), errors.ContentRefused, _REAL_PERSON),
    Rule(http.code(r"\w*(SensitiveContentDetected|RiskDetection)(\.\w+)?"), errors.ContentRefused),
    Rule(
        http.code(r"ModelNotOpen|InvalidEndpointOrModel(\.\w+)?|InvalidEndpoint(\.\w+)?|UnsupportedModel"),
        errors.ModelUnavailable,
    ),
)


class BytePlus(Adapter):
    """ark.ap-southeast.bytepluses.com. A lost order is found by the identifier that it shows again in its list.

    Models have to be activated in its console first. A task that has ended must never be deleted: that removes it.
    """

    name = "byteplus"
    display_name = "BytePlus ModelArk"
    models, catalogue = model_files.beside(__file__)
    default_base_url = "https://ark.ap-southeast.bytepluses.com"
    min_poll_seconds = 5.0
    can_check_key = True
    can_cancel = True
    supports_lookup = True
    cancel_note = N_("It can be stopped only while it waits at the provider; once it runs it arrives and is charged.")

    status_route = f"GET {TASKS}/{{job_id}}"
    cancel_route = f"DELETE {TASKS}/{{job_id}}"
    key_route = f"GET {TASKS}?page_num=1&page_size=1"
    STOPPABLE = frozenset({JobState.QUEUED})  # one that runs is not stopped, one that has ended would be removed
    WAITING = {"queued": JobState.QUEUED, "running": JobState.RUNNING}
    DONE = frozenset({"succeeded"})
    FAILED = frozenset({"failed"})
    CANCELLED = frozenset({"cancelled"})
    NO_LINK = "succeeded without a link"
    ERROR_FIELDS = ("error", "message")
    FIELDS = {
        "text": "prompt",
        "duration": "duration",
        "resolution": "resolution",
        "ratio": "aspectRatio",
        "generate_audio": "generateAudio",
        "seed": "seed",
        "first_frame": "startImagePath",
        "last_frame": "endImagePath",
        "reference_image": "references",
        "reference_audio": "references",
        "audio_url": "references",
        "image_url": "startImagePath",
    }
    refusals = ErrorRules(
        Rule(http.code(r"AccountOverdue(Error)?|InsufficientBalance"), errors.ProviderOutOfCredits),
        # A free trial that is used up is told like haste, by 429.
        Rule(http.code("QuotaExceeded") & http.text("trial|free"), errors.ProviderOutOfCredits),
        *ACCOUNT_RULES,
        *_ABOUT_THE_REQUEST,
    )
    failures = ErrorRules(*_ABOUT_THE_REQUEST)

    def submit_call(self, request: VideoRequest) -> Call:
        """One task. Sound is on unless it is told; what the models of a generation refuse is not sent to them."""
        model = request.model
        follows_image = request.start_image is not None and model.options.get("follows_image") is True
        expiry_seconds = min(max(model.deadline_seconds, LEAST_EXPIRY_SECONDS), MOST_EXPIRY_SECONDS)
        body: dict[str, Any] = {
            "model": model.upstream_id,
            "content": _content(request),
            "resolution": request.resolution.lower(),
            "ratio": "adaptive" if follows_image else request.aspect_ratio,
            "duration": request.duration_seconds,
            "watermark": False,
            "execution_expires_after": expiry_seconds,
            "safety_identifier": identifier(request.reference),
        }
        if model.audio:
            body["generate_audio"] = request.generate_audio
        if request.seed is not None:
            body["seed"] = request.seed
        if request.webhook_url:
            body["callback_url"] = request.webhook_url
        return Call("POST", TASKS, json=body)

    def parse_accepted(self, reply: Reply, request: VideoRequest) -> str:
        """The task's `id`; also any answer that shows a task on its way."""
        value = (reply.body or {}).get("id")
        known = reply.status_word in self.WAITING
        return value if (reply.status < 300 or known) and isinstance(value, str) else ""

    def parse_status(self, reply: Reply) -> JobStatus | None:
        """`expired`: it was not made within the time that the order gave it."""
        if reply.status < 300 and reply.status_word == "expired":
            return self.failed(reply, errors.GenerationFailed(_NOT_IN_TIME, detail=reply.detail))
        return super().parse_status(reply)

    def parse_link(self, body: Mapping[str, Any]) -> str | None:
        """`content.video_url`, good for a day."""
        content = body.get("content")
        return clip_links.clip_address(content.get("video_url")) if isinstance(content, Mapping) else None

    def parse_use(self, body: Mapping[str, Any]) -> ReportedUse | None:
        """`usage.completion_tokens`, by which it is billed; a task that has failed shows none."""
        usage = body.get("usage")
        stated = usage.get("completion_tokens") if isinstance(usage, Mapping) else None
        return ReportedUse(Decimal(str(stated)), UseUnit.TOKENS) if http.number(stated) is not None else None

    @classmethod
    def parse_notice(cls, call: VendorCall, model: VideoModel) -> JobNotice | None:
        """Create page: a callback holds what a look answers."""
        job_id, content = call.body.get("id"), call.body.get("content")
        if not isinstance(job_id, str) or not job_id:
            return None
        done = content if call.body.get("status") == "succeeded" and isinstance(content, Mapping) else {}
        return JobNotice(job_id, clip_links.clip_address(done.get("video_url")))

    @classmethod
    def model_error(cls, model: VideoModel) -> BadFact | None:
        """The one option, and that videos are not taken: the vendor wants an address of its own for them."""
        if set(model.options) - {"follows_image"} or not isinstance(model.options.get("follows_image", False), bool):
            return BadFact("There is one option, `follows_image`: true or false.", "options")
        if model.reference_videos:
            return BadFact("This kind takes images and sounds as references, and no videos.")
        return None

    # The list.

    def lookup_call(self, request: VideoRequest, *, since: datetime, until: datetime, page: str) -> Call:
        """The newest tasks of all models: its filter wants the name of the endpoint, which need not be the model's."""
        params: dict[str, str | int] = {"page_num": 1, "page_size": JOBS_A_PAGE}
        return Call("GET", TASKS, params=params, max_reply_bytes=LARGEST_LIST_BYTES)

    def parse_list(self, reply: Reply, request: VideoRequest, *, since: datetime, until: datetime) -> ListPage | None:
        """Tasks with our identifier; of those that show none, the ones of that time and of the same settings.

        One page is read. It has shown all of that time when the rest of the list, by its order, is older.
        """
        items = self.listed_items((reply.body or {}).get("items"))
        if reply.status != 200 or items is None:
            return None
        earliest, latest = (at.timestamp() for at in self.search_window(since, until))
        made = [http.number(item.get("created_at")) for item in items]
        jobs = [
            ListedJob(ProviderJob(item["id"], kept.redact(item, key=self._key)), ours)
            for item, at in zip(items, made, strict=True)
            if (ours := _is_ours(item, request, in_time=at is None or earliest <= at <= latest)) is not False
        ]
        total = http.number((reply.body or {}).get("total"))
        is_whole = total is not None and total <= len(items)
        return ListPage(jobs, "" if is_whole or self.rest_is_older(made, earliest) else "2")

    # Errors.

    def error_codes(self, reply: Reply) -> Sequence[str]:
        """`error.code`, of a refusal and of a task that has failed."""
        return [code for code in (_error(reply).get("code"),) if isinstance(code, str) and code]

    def refused_names(self, reply: Reply) -> list[str]:
        """`error.param`, its last part first, then the names that the message speaks of."""
        param, said = _error(reply).get("param"), self.error_text(reply)
        parts = param.replace("[", ".").replace("]", "").split(".") if isinstance(param, str) else []
        return [*reversed(parts), *(name for name in self.FIELDS if name in said)]


def identifier(reference: str) -> str:
    """What an order is marked with: at most 64 letters, and by the vendor's wish a hash."""
    return hashlib.sha256(reference.encode()).hexdigest()[:32]


def _content(request: VideoRequest) -> list[dict[str, Any]]:
    """The prompt, then the images with their roles: frames or references; then sounds that it refers to."""
    found: list[dict[str, Any]] = [{"type": "text", "text": request.prompt}]
    images: list[tuple[str, SourceImage | None]] = [
        ("first_frame", request.start_image),
        ("last_frame", request.end_image),
        *(("reference_image", each.image) for each in request.references if each.kind is MediaKind.IMAGE),
    ]
    found += [
        {"type": "image_url", "image_url": {"url": image.data_url}, "role": role} for role, image in images if image
    ]
    found += [
        {"type": "audio_url", "audio_url": {"url": each.media.data_url}, "role": "reference_audio"}
        for each in request.references
        if each.kind is MediaKind.SOUND
    ]
    return found


def _error(reply: Reply) -> Mapping[str, Any]:
    error = (reply.body or {}).get("error")
    return error if isinstance(error, Mapping) else {}


def _is_ours(item: Mapping[str, Any], request: VideoRequest, *, in_time: bool) -> bool | None:
    """Whether a listed task is this order; None where it shows no identifier and looks like it.

    Its model says nothing: an order may name an endpoint, of which the list shows the model.
    """
    if theirs := item.get("safety_identifier"):
        return bool(theirs == identifier(request.reference))
    wanted = {
        "resolution": request.resolution.lower(),
        "duration": request.duration_seconds,
        "generate_audio": request.generate_audio,
    }
    differs = any(item.get(name) not in (None, value) for name, value in wanted.items())
    return None if in_time and not differs else False
