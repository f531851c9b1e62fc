"""MiniMax: its own H3 video model, by tasks of the second version of its video API.

Facts come from its API reference (create, query, list and delete a task; callbacks; prices, as of 2026-08 to 2026-10)
and from Vercel's AI SDK (2026-08). It keeps no reference of ours and knows no idempotency.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
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
    ReportedCost,
    SourceImage,
    VideoRequest,
)
from core.providers.http import ACCOUNT_RULES, Call, ErrorRules, Reply, Rule
from core.providers.models import VideoModel
from core.providers.vendor_calls import JobNotice, VendorCall

TASKS = "/v2/query/video_generation"
JOBS_A_PAGE = 100
LARGEST_LIST_BYTES = 16 * 1024**2
FIRST_MOMENT, LAST_MOMENT = 1.5e9, 5e9
"""Between these a number is a moment in seconds; what lies outside says nothing of when a task was made."""
CHALLENGE_CHARS = 500
MILLION = 10**6

_BUSY = http.code(r"rate_limit_error|overloaded_error|1002|1039")
_BAD_KEY = http.code(r"authorized_error|1004|2049")
_NO_CREDIT = http.code(r"insufficient_balance_error|1008")
_ABOUT_US = _BUSY | _BAD_KEY | _NO_CREDIT
_REFUSED = _ABOUT_US | http.code(r"bad_request_error|unprocessable_entity_error|1026|1027|2013")
_CONTENT = http.code(r"unprocessable_entity_error|1026|1027") | http.text(
    r"sensitive|content polic|moderation|nsfw|prohibited|violates"
)
_NO_MODEL = http.text(r"model.{0,60}(not found|not exist|not support|not available|no access|no longer|invalid)")
_NUMBER = re.compile(r"\((\d{4})\)\s*$")
_IS_ID = re.compile(r"\w[\w-]{3,150}", re.A)


class MiniMax(Adapter):
    """minimax.io; the mainland's keys work at api.minimaxi.com alone, which is then the address.

    A lost order is searched for in the list of the last seven days. That shows neither prompt nor anything of ours, so
    it never proves whose a task is; that none was made, it can.
    """

    name = "minimax"
    display_name = "MiniMax"
    models, catalogue = model_files.beside(__file__)
    default_base_url = "https://api.minimax.io"
    min_poll_seconds = 10.0  # what its guide recommends
    max_in_flight = 30  # rate limits page: tasks at once, and 300 calls a minute, less a margin
    max_requests_per_second = 4.5
    can_check_key = True
    can_cancel = True
    supports_lookup = True
    cancel_note = N_("Only a job that still waits in the queue is stopped; one that runs is finished and charged.")

    status_route = f"GET {TASKS}/{{job_id}}"
    cancel_route = "DELETE /v2/video_generation/{job_id}"
    key_route = f"GET {TASKS}?page_num=1&page_size=1"
    STOPPABLE = frozenset({JobState.QUEUED})  # later it is refused, and at last it would delete the record
    CANCEL_ANSWERS = {"cancelled": JobState.CANCELLED}
    WAITING = {"queued": JobState.QUEUED, "running": JobState.RUNNING}
    DONE = frozenset({"succeeded"})
    FAILED = frozenset({"failed"})
    CANCELLED = frozenset({"cancelled"})
    NO_LINK = "succeeded without a link"
    ERROR_FIELDS = ("error", "base_resp", "message")
    FIELDS = {
        "duration": "duration",
        "resolution": "resolution",
        "ratio": "aspectRatio",
        "first_frame": "startImagePath",
        "last_frame": "endImagePath",
        "reference_image": "references",
        "image_url": "startImagePath",
        "prompt": "prompt",
        "text": "prompt",
    }
    refusals = ErrorRules(
        Rule(_BUSY, errors.ProviderRateLimited),
        Rule(_NO_CREDIT, errors.ProviderOutOfCredits),
        Rule(_BAD_KEY, errors.BadKey),
        *ACCOUNT_RULES,
        Rule(~http.status(403) & _CONTENT, errors.ContentRefused),
        Rule(http.status(200, 400, 404) & _NO_MODEL, errors.ModelUnavailable),
        Rule(http.status(200) & http.code(r"bad_request_error|2013"), errors.InvalidInput),
    )
    failures = ErrorRules(Rule(_CONTENT, errors.ContentRefused), Rule(_NO_MODEL, errors.ModelUnavailable))

    @classmethod
    def model_error(cls, model: VideoModel) -> BadFact | None:
        """A model's options are its rates in millionths of a dollar: all or none."""
        if not model.options:
            return None
        plain = {name: rate for name, rate in model.options.items() if name != "second"}
        second = model.options.get("second")
        numbers = [*plain.values(), *(second.values() if isinstance(second, Mapping) else [None])]
        if plain.keys() != {"image", "free_images"} or not all(type(each) is int for each in numbers):
            return BadFact(
                "They are `second`, a table of whole numbers by size, and `image` and `free_images`.", "options"
            )
        return None

    # Orders.

    def submit_call(self, request: VideoRequest) -> Call:
        """With a frame the clip has its shape, and the vendor takes no other; sound comes with every clip."""
        frames = [("first_frame", request.start_image), ("last_frame", request.end_image)]
        pictures = [_picture(role, image) for role, image in frames if image]
        pictures += [_picture("reference_image", each.image) for each in request.references if _is_image(each.kind)]
        body: dict[str, Any] = {
            "model": request.model.upstream_id,
            "content": [{"type": "text", "text": request.prompt}, *pictures],
            "resolution": request.resolution.upper(),
            "duration": request.duration_seconds,
        }
        if not (request.start_image or request.end_image):
            body["ratio"] = request.aspect_ratio
        if request.webhook_url:
            body["callback_url"] = request.webhook_url
        return Call("POST", "/v2/video_generation", json=body)

    def parse_accepted(self, reply: Reply, request: VideoRequest) -> str:
        """`task_id`."""
        value = (reply.body or {}).get("task_id")
        return value if reply.status < 300 and isinstance(value, str) else ""

    # Looks.

    def parse_status(self, reply: Reply) -> JobStatus | None:
        """The task stands under `task`; one that has `expired` has no clip any more."""
        of_task = _of_task(reply)
        if of_task is None or reply.status >= 300 or not of_task.status_word:
            return self.lost(reply) if self.is_lost(reply) else None
        if of_task.status_word == "expired":
            return self.lost(of_task)
        return self.status_of(of_task.status_word, of_task)

    def is_lost(self, reply: Reply) -> bool:
        """Tasks older than a week are unknown, too."""
        is_unknown = reply.status == 400 and "invalid task_id" in self.error_text(reply).lower()
        return is_unknown or super().is_lost(reply)

    def parse_link(self, body: Mapping[str, Any]) -> str | None:
        """`content.url`, which every look renews."""
        return _link(body)

    def parse_cost(self, body: Mapping[str, Any]) -> ReportedCost | None:
        """Seconds that were read and made at the rate of the size, and the images beyond those that are free."""
        rates = next((model.options for model in self.models if model.upstream_id == body.get("model")), {})
        usage, a_second = body.get("usage"), rates.get("second", {}).get(body.get("resolution"))
        if a_second is None or not isinstance(usage, Mapping):
            return None
        made, read = http.number(usage.get("output_seconds")), http.number(usage.get("input_seconds", 0))
        images = http.number(usage.get("input_image_count", 0))
        if made is None or read is None or images is None or (made == 0 and _link(body)):
            return None
        micro = Decimal(str(made + read)) * a_second
        micro += Decimal(str(max(0.0, images - rates["free_images"]))) * rates["image"]
        return ReportedCost(micro / MILLION, "USD")

    @classmethod
    def parse_notice(cls, call: VendorCall, model: VideoModel) -> JobNotice | None:
        """Create page: what a look answers."""
        task = call.body.get("task")
        value = task.get("id") if isinstance(task, Mapping) else None
        if not isinstance(task, Mapping) or not isinstance(value, str) or not _IS_ID.fullmatch(value):
            return None
        return JobNotice(value, _link(task) if task.get("status") == "succeeded" else None)

    @classmethod
    def callback_answer(cls, body: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Create page: before it calls it sends a `challenge`, and wants it back within three seconds."""
        value = body.get("challenge")
        is_usable = isinstance(value, str) and 0 < len(value) <= CHALLENGE_CHARS and value.isprintable()
        return {"challenge": value} if is_usable else None

    # The list.

    def lookup_call(self, request: VideoRequest, *, since: datetime, until: datetime, page: str) -> Call:
        """One page; it has no filter of time, and one of models that it did not know would hide tasks."""
        query = {"page_num": 1, "page_size": JOBS_A_PAGE}
        return Call("GET", TASKS, params=query, max_reply_bytes=LARGEST_LIST_BYTES)

    def parse_list(self, reply: Reply, request: VideoRequest, *, since: datetime, until: datetime) -> ListPage | None:
        """Tasks of that time with the same settings.

        The page has shown all of that time when it is the whole list, or when the rest is, by its order, older.
        """
        body = reply.body or {}
        items, total = self.listed_items(body.get("items")), http.number(body.get("total"))
        if reply.status != 200 or items is None or total is None:
            return None
        earliest, latest = (at.timestamp() for at in self.search_window(since, until))
        made = [_made_at(item) for item in items]
        jobs = [
            ListedJob(ProviderJob(item["id"], kept.redact(item, key=self._key)), is_ours=None)
            for item, at in zip(items, made, strict=True)
            if (at is None or earliest <= at <= latest) and _may_be(item, request)
        ]
        return ListPage(jobs, "" if total <= len(items) or self.rest_is_older(made, earliest) else "2")

    # Errors.

    def is_refusal(self, reply: Reply) -> bool:
        """Also its own words for a refusal, with whatever status they come."""
        return reply.is_refusal or _REFUSED.holds(self.facts(reply))

    def is_about_us(self, reply: Reply) -> bool:
        """Also by its own words."""
        return super().is_about_us(reply) or _ABOUT_US.holds(self.facts(reply))

    def error_codes(self, reply: Reply) -> Sequence[str]:
        """The type of an error, its number, which may stand at the end of the message, and that of older calls."""
        body = reply.body or {}
        error, older = (
            found if isinstance(found := body.get(each), Mapping) else {} for each in ("error", "base_resp")
        )
        message = error.get("message")
        ending = _NUMBER.search(message) if isinstance(message, str) else None
        found = [error.get("type"), error.get("code"), ending and ending[1], older.get("status_code")]
        return [str(each) for each in found if isinstance(each, str | int) and not isinstance(each, bool) and each]

    def refused_names(self, reply: Reply) -> list[str]:
        """The fields that a message speaks of."""
        return self.fields_in(self.error_text(reply))


def _of_task(reply: Reply) -> Reply | None:
    """An answer as if its task were all of it; None where it has none."""
    task, redacted = (reply.body or {}).get("task"), reply.redacted.get("task")
    if not isinstance(task, Mapping):
        return None
    return replace(reply, body=task, redacted=redacted if isinstance(redacted, Mapping) else {})


def _is_image(kind: MediaKind) -> bool:
    return kind is MediaKind.IMAGE


def _picture(role: str, image: SourceImage) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": image.data_url}, "role": role}


def _link(task: Mapping[str, Any]) -> str | None:
    content = task.get("content")
    return clip_links.clip_address(content.get("url")) if isinstance(content, Mapping) else None


def _made_at(item: Mapping[str, Any]) -> float | None:
    """When a task was made, in seconds; None where that cannot be told."""
    at = http.number(item.get("created_at"))
    return at if at is not None and FIRST_MOMENT <= at <= LAST_MOMENT else None


def _may_be(item: Mapping[str, Any], request: VideoRequest) -> bool:
    """Whether a task may be the order's: nothing that it tells of its settings is another."""
    told: dict[str, Any] = {
        "model": request.model.upstream_id,
        "resolution": request.resolution.upper(),
        "duration": request.duration_seconds,
        "task_type": "generation",
    }
    if not (request.start_image or request.end_image):
        told["ratio"] = request.aspect_ratio
    return all(item.get(name) in (value, None, "") for name, value in told.items())
