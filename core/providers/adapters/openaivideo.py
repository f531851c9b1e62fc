"""Any server that speaks OpenAI's `/v1/videos`: a company's gateway, a relay, own GPUs; each an instance of this kind.

Facts come from the documentation of vLLM-Omni (videos API), SGLang, LiteLLM (proxy, videos) and new-api, and from
OpenAI's own library. They differ in small things, which an instance's and a model's options name; everything that is
read is read in all the ways that one of them writes it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import httpx

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
    ProviderJob,
    ReportedCost,
    VideoRequest,
    VideoSource,
)
from core.providers.http import ACCOUNT_RULES, Call, ErrorRules, Reply, Rule
from core.providers.models import VideoModel
from core.providers.vendor_calls import JobNotice, VendorCall

BODIES = ("auto", "json", "multipart")
COST_HEADER = "x-litellm-response-cost"
"""LiteLLM's proxy: what a call cost, in dollars. The order's has the price of the clip; looks are free, and say 0."""
JOBS_A_PAGE, SEARCH_PAGES = 100, 5
_OPTIONS: Mapping[str, type] = {
    "body": str,
    "can_cancel": bool,
    "lists_prompts": bool,
    "file": str,
    "headers": dict,
}
_MODEL_OPTIONS: Mapping[str, type] = {
    "extra": dict,
    "image_field": str,
    "sound_field": str,
    "size_field": str,
    "seconds_field": str,
}
_CONTENT = http.code(r"content_policy_violation|moderation_blocked|content_filter|sensitive_content\w*") | http.text(
    r"content polic|moderation|safety system|nsfw|flagged"
)
_NO_MODEL = http.code("model_not_found") | http.text(
    r"model.{0,80}(not found|does not exist|not available|no access)|invalid model name"
)
_ABOUT_THE_REQUEST = (Rule(_CONTENT, errors.ContentRefused), Rule(_NO_MODEL, errors.ModelUnavailable))


class OpenAIVideo(Adapter):
    """The common core of the dialect. A lost order is found where the list shows prompts, as vLLM-Omni's does."""

    name = "openaivideo"
    display_name = "OpenAI-compatible server"
    models = ()
    default_base_url = "http://127.0.0.1:8000"  # where vLLM and SGLang listen unless they are told otherwise
    needs_key = False
    takes_base_path = True
    can_check_key = True
    min_poll_seconds = 2.0
    cancel_note = N_("A job that has not ended is removed at the server; what it has made by then is lost.")

    lookup_pages = SEARCH_PAGES
    status_route = "GET /v1/videos/{job_id}"
    cancel_route = "DELETE /v1/videos/{job_id}"
    key_route = "GET /v1/models"
    STOPPABLE = frozenset({JobState.QUEUED, JobState.RUNNING})  # later it would delete the clip
    WAITING = dict.fromkeys(
        ("queued", "pending", "created", "submitted", "not_start"), JobState.QUEUED
    ) | dict.fromkeys(("in_progress", "processing", "running", "generating"), JobState.RUNNING)
    DONE = frozenset({"completed", "succeeded", "success", "done"})
    FAILED = frozenset({"failed", "failure", "error", "incomplete"})
    CANCELLED = frozenset({"cancelled", "canceled"})
    FIELDS = {
        "prompt": "prompt",
        "negative_prompt": "negativePrompt",
        "seconds": "duration",
        "size": "resolution",
        "width": "resolution",
        "height": "resolution",
        "input_reference": "startImagePath",
        "image_reference": "startImagePath",
        "seed": "seed",
        "fps": "fps",
    }
    ERROR_FIELDS = ("error", "message", "detail", "fail_reason")
    default_retry_seconds = 10
    refusals = ErrorRules(
        Rule(
            http.code("insufficient_quota|billing_hard_limit_reached|insufficient_user_quota"),
            errors.ProviderOutOfCredits,
        ),
        *ACCOUNT_RULES,
        *_ABOUT_THE_REQUEST,
    )
    failures = ErrorRules(*_ABOUT_THE_REQUEST)

    def __init__(self, *, client: httpx.AsyncClient, key: str, base_url: str = "") -> None:
        super().__init__(client=client, key=key, base_url=base_url)
        self._base_url = self._base_url.removesuffix("/v1")  # OpenAI's own library wants it in the address

    # What a file of vendors may say.

    @classmethod
    def class_data(cls, options: Mapping[str, Any]) -> Mapping[str, Any]:
        """A server says by its options whether it can stop a job, and whether its list shows prompts."""
        return {
            "can_cancel": options.get("can_cancel") is True,
            "supports_lookup": options.get("lists_prompts") is True,
        }

    @classmethod
    def option_error(cls) -> BadFact | None:
        """Names and types of the options."""
        return (
            model_files.wrong_option(cls.options, _OPTIONS)
            or _not_among(cls.options, "body", BODIES)
            or _not_among(cls.options, "file", ("link", "content"))
            or _no_texts(cls.options, "headers")
        )

    @classmethod
    def model_error(cls, model: VideoModel) -> BadFact | None:
        """Names and types of a model's options; what the dialect has no place for."""
        if model.end_image or model.reference_images:
            return BadFact("This kind takes one start image and nothing else.")
        if model.audio and "sound_field" not in model.options:
            return BadFact(
                "It needs the name of the field that switches sound on, or `always_audio`.", "options.sound_field"
            )
        wrong = model_files.wrong_option(model.options, _MODEL_OPTIONS)
        return BadFact(wrong.sentence, f"options.{wrong.field}") if wrong else None

    # Orders.

    def submit_call(self, request: VideoRequest) -> Call:
        """One video: the dialect's fields, then the model's own `extra` as it stands."""
        options, image = request.model.options, request.start_image
        wanted: dict[str, Any] = {
            "prompt": request.prompt,
            options.get("seconds_field", "seconds"): str(request.duration_seconds),
            options.get("size_field", "size"): "{}x{}".format(*request.frame_size),
        }
        if request.model.upstream_id:
            wanted["model"] = request.model.upstream_id
        if request.negative_prompt:
            wanted["negative_prompt"] = request.negative_prompt
        wanted |= {name: value for name in ("seed", "fps") if (value := getattr(request, name)) is not None}
        if "sound_field" in options:
            wanted[options["sound_field"]] = request.generate_audio
        wanted |= options.get("extra", {})
        field, body = options.get("image_field", "input_reference"), self.options.get("body", "auto")
        if body == "multipart" or (body == "auto" and image):
            files = {name: ("", _as_field(value), "text/plain; charset=utf-8") for name, value in wanted.items()}
            if image:
                files[field] = ("start.jpg", image.data, image.media_type)
            return Call("POST", "/v1/videos", files=files)
        if image:
            wanted[field] = image.data_url
        return Call("POST", "/v1/videos", json=wanted)

    def parse_accepted(self, reply: Reply, request: VideoRequest) -> str:
        """`id`, or new-api's older `task_id`."""
        body = reply.body or {}
        value = body.get("id") or body.get("task_id")
        accepted = reply.status < 300 and reply.status_word not in self.FAILED
        return value if accepted and isinstance(value, str) else ""

    def parse_order_cost(self, reply: Reply) -> ReportedCost | None:
        """LiteLLM's header, which it computes for the call that orders."""
        return _priced_call(reply)

    def with_key(self, call: Call) -> Call:
        """With the headers that a gateway wants besides, such as LiteLLM's `custom-llm-provider`."""
        return super().with_key(replace(call, headers={**self.options.get("headers", {}), **call.headers}))

    # Looks.

    def parse_status(self, reply: Reply) -> JobStatus | None:
        """How it stands; a job that has run out at the server is lost."""
        if reply.body is not None and reply.status < 300 and reply.status_word in ("expired", "deleted"):
            return self.expired(reply)
        status = super().parse_status(reply)
        if status and status.cost is None and (cost := _priced_call(reply)):
            return replace(status, cost=cost)
        return status

    def parse_link(self, body: Mapping[str, Any]) -> str | None:
        """Where a reply says so, else the endpoint of the content."""
        output, unsigned = body.get("output"), body.get("unsigned_urls")
        found = None
        if self.options.get("file") != "content":
            found = clip_links.clip_address(
                body.get("url"), body.get("video_url"), *_first(output), *_first(body.get("urls")), *_first(unsigned)
            )
        job_id = body.get("id") or body.get("task_id")
        if found or not isinstance(job_id, str) or not job_id:
            return found
        return f"{self._base_url}/v1/videos/{self.job_path(job_id)}/content"

    def parse_progress(self, body: Mapping[str, Any]) -> float | None:
        """Percent, new-api's with the sign."""
        value = body.get("progress")
        share = http.number(value.removesuffix("%") if isinstance(value, str) else value)
        return None if share is None else min(1.0, share / 100)

    def parse_cost(self, body: Mapping[str, Any]) -> ReportedCost | None:
        """`usage.cost` in dollars, which relays in the manner of OpenRouter give."""
        usage = body.get("usage")
        return _cost(usage.get("cost")) if isinstance(usage, Mapping) else None

    async def video_source(self, job_id: str, video_url: str) -> VideoSource:
        """With the key where the file lies at the server itself."""
        is_own = video_url.startswith(f"{self._base_url}/")
        return VideoSource(video_url, self.auth_headers() if is_own else {})

    @classmethod
    def parse_notice(cls, call: VendorCall, model: VideoModel) -> JobNotice | None:
        """Events in OpenAI's manner hold the job as `data`; others send what a look answers."""
        told = call.body.get("data") if isinstance(call.body.get("data"), Mapping) else call.body
        value = told.get("id") or told.get("task_id") if isinstance(told, Mapping) else None
        return JobNotice(value) if isinstance(value, str) and value else None

    # The list.

    def lookup_call(self, request: VideoRequest, *, since: datetime, until: datetime, page: str) -> Call:
        """The newest jobs first."""
        query: dict[str, str | int] = {"limit": JOBS_A_PAGE, "order": "desc"}
        return Call("GET", "/v1/videos", params=query | ({"after": page} if page else {}))

    def parse_list(self, reply: Reply, request: VideoRequest, *, since: datetime, until: datetime) -> ListPage | None:
        """Jobs of the time with the same prompt, length and size, as far as an item tells them."""
        since, until = self.search_window(since, until)
        items = self.listed_items((reply.body or {}).get("data"))
        if reply.status != 200 or items is None:
            return None
        made = [http.number(item.get("created_at")) for item in items]
        jobs = [
            ListedJob(ProviderJob(item["id"], kept.redact(item, key=self._key)), self._is_ours(item, request))
            for item, at in zip(items, made, strict=True)
            if at is None or since.timestamp() <= at <= until.timestamp()
        ]
        older = any(at is not None and at < since.timestamp() for at in made)
        more = (reply.body or {}).get("has_more") is True and items and not older
        return ListPage([job for job in jobs if job.is_ours is not False], items[-1]["id"] if more else "")

    def _is_ours(self, item: Mapping[str, Any], request: VideoRequest) -> bool | None:
        told = {
            "prompt": request.prompt,
            "seconds": str(request.duration_seconds),
            "size": "{}x{}".format(*request.frame_size),
        }
        if any(name in item and item[name] is not None and str(item[name]) != value for name, value in told.items()):
            return False
        return True if item.get("prompt") is not None else None

    # Errors.

    def error_codes(self, reply: Reply) -> Sequence[str]:
        """`error.code` and `error.type`."""
        error = (reply.body or {}).get("error")
        found = (error.get("code"), error.get("type")) if isinstance(error, Mapping) else ()
        return [each for each in found if isinstance(each, str)]

    def refused_names(self, reply: Reply) -> list[str]:
        """`error.param`."""
        error = (reply.body or {}).get("error")
        param = error.get("param") if isinstance(error, Mapping) else None
        return [*super().refused_names(reply), *([param] if isinstance(param, str) else [])]

    def is_key_accepted(self, reply: Reply) -> bool:
        """The list of models; a server without one has at least understood the key."""
        return reply.status == 200 or (reply.status in (404, 405) and reply.body is not None)


def _as_field(value: Any) -> bytes:
    text = value if isinstance(value, str) else json.dumps(value)
    return text.encode()


def _first(value: Any) -> tuple[Any, ...]:
    """The first of a list, as its address where it is an object."""
    if not isinstance(value, list) or not value:
        return ()
    return (value[0].get("url"),) if isinstance(value[0], Mapping) else (value[0],)


def _cost(value: Any) -> ReportedCost | None:
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return ReportedCost(amount, "USD") if amount.is_finite() and amount >= 0 else None


def _priced_call(reply: Reply) -> ReportedCost | None:
    """What a gateway says that a call cost; one that cost nothing says nothing of the clip."""
    cost = _cost(reply.headers.get(COST_HEADER))
    return cost if cost is not None and cost.amount else None


def _not_among(options: Mapping[str, Any], name: str, words: Sequence[str]) -> BadFact | None:
    return None if options.get(name, words[0]) in words else BadFact(f"It must be one of {', '.join(words)}.", name)


def _no_texts(options: Mapping[str, Any], name: str) -> BadFact | None:
    table = options.get(name, {})
    return None if all(isinstance(each, str) for each in table.values()) else BadFact("Its values must be texts.", name)
