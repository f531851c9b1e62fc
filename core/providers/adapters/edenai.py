"""Eden AI: the v3 asynchronous jobs, which pass a request on to other vendors and report what it cost.

Facts come from the vendor's documentation and OpenAPI (docs repository, 2026-06 to 2026-08) and from its public
adapters. Two generations of its own documents name the job id and the status words differently; both are read.
"""

import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from core import errors
from core.providers import call_signatures, clip_links, http, kept, model_files
from core.providers.adapter import Adapter
from core.providers.contract import (
    JobState,
    ListedCost,
    ListedJob,
    ListPage,
    LiveModel,
    ProviderJob,
    ReportedCost,
    SourceImage,
    VideoRequest,
)
from core.providers.http import ACCOUNT_RULES, Call, ErrorRules, Reply, Rule
from core.providers.models import VideoModel
from core.providers.vendor_calls import JobNotice, VendorCall

_JOBS = "/v3/universal-ai/async"
_FEATURE = "video/generation_async"
MICRO = MILLION = 10**6
JOBS_A_PAGE, SEARCH_PAGES = 1000, 5
"""How many jobs a page of its list holds at most, and how many pages are read."""
_BUSY = http.IS_BUSY | http.HAS_DELAY | http.code("RATE_LIMITED")
_CONTENT = http.text(r"nsfw|safety|content polic|content filter|sensitive|prohibited|moderat|responsible ai")
_NO_MODEL = http.text(r"invalid.?model|model.{0,60}(not found|not available|no longer|not supported|does not)")
_ABOUT_THE_REQUEST = (Rule(_CONTENT, errors.ContentRefused), Rule(_NO_MODEL, errors.ModelUnavailable))


class EdenAI(Adapter):
    """edenai.run, API v3. Cancelling is not offered: the vendor deletes a job's record, not provably its work.

    A lost submit is searched for in its list of jobs (OpenAPI, list_async_jobs), newest first. That has neither their
    input nor the parameters we send along, so it never proves whose a job is; that none was made, it can.
    """

    name = "edenai"
    display_name = "Eden AI"
    models, catalogue = model_files.beside(__file__)
    default_base_url = "https://api.edenai.run"
    min_poll_seconds = 5.0  # what the vendor's samples wait
    max_requests_per_second = 9.0  # rate limits page: 10 a second an account, less a margin
    can_check_key = True
    can_list_models = True
    supports_lookup = True
    signs_calls = True

    lookup_pages = SEARCH_PAGES
    status_route = f"GET {_JOBS}/{{job_id}}"
    key_route = f"GET {_JOBS}?limit=1"  # OpenAPI: a list of no more than one job
    live_models_route = f"GET /v3/info/{_FEATURE}"
    WAITING = {
        "pending": JobState.QUEUED,
        "queued": JobState.QUEUED,
        "processing": JobState.RUNNING,
        "running": JobState.RUNNING,
    }
    DONE = frozenset({"success", "succeeded", "finished"})
    FAILED = frozenset({"fail", "failed", "error", "timeout error"})
    NO_LINK = "finished without a link"
    FILE_FIELDS = frozenset({"video"})  # the whole clip, where it is no link
    max_look_bytes = 64 * 1024**2
    ERROR_FIELDS = ("error_code", "detail", "error", "message")
    CODE_FIELD = "error_code"
    RETRY_FIELD = "retry_after"
    FIELDS = {"text": "prompt", "duration": "duration", "dimension": "resolution", "file": "startImagePath"}
    default_retry_seconds = 2
    refusals = ErrorRules(
        Rule(_BUSY, errors.ProviderRateLimited),
        Rule(http.code("INSUFFICIENT_CREDIT") | http.text("insufficient credit"), errors.ProviderOutOfCredits),
        Rule(http.code("UNAUTHORIZED"), errors.BadKey),
        *ACCOUNT_RULES,
        *_ABOUT_THE_REQUEST,
        Rule(http.status(400, 413, 415, 422) & http.about("model"), errors.ModelUnavailable),
        Rule(http.status(503), errors.ProviderUnavailable),
        Rule(http.status(404), errors.ProviderError),
    )
    failures = ErrorRules(*_ABOUT_THE_REQUEST)

    def upload_call(self, image: SourceImage) -> Call:
        """An upload (kept there for a week)."""
        name = f"start.{image.media_type.rpartition('/')[2]}"
        return Call("POST", "/v3/upload", files={"file": (name, image.data, image.media_type)})

    def parse_upload(self, reply: Reply) -> str:
        """The id of the file."""
        file_id = (reply.body or {}).get("file_id")
        return file_id if reply.status < 300 and isinstance(file_id, str) else ""

    def submit_call(self, request: VideoRequest) -> Call:
        """Feature, vendor and model in one string (OpenAPI, UniversalAIAsyncBody)."""
        dimension = "{}x{}".format(*request.frame_size)
        wanted = {"text": request.prompt, "duration": request.duration_seconds, "dimension": dimension}
        if request.start_image:
            wanted["file"] = request.start_image.uploaded
        body: dict[str, Any] = {
            "model": f"{_FEATURE}/{request.model.upstream_id}",
            "input": wanted,
            "user_webhook_parameters": {"reference": request.reference},
        }
        if request.webhook_url:
            body["webhook_receiver"] = request.webhook_url
        return Call("POST", _JOBS, json=body)

    def parse_accepted(self, reply: Reply, request: VideoRequest) -> str:
        """`public_id` (OpenAPI) or `job_id` (webhooks, older pages)."""
        body = reply.body or {}
        value = body.get("public_id") or body.get("job_id")
        accepted = reply.status < 300 or reply.status_word in self.WAITING or reply.status_word in self.DONE
        return value if accepted and isinstance(value, str) else ""

    def lookup_call(self, request: VideoRequest, *, since: datetime, until: datetime, page: str) -> Call:
        """Video jobs, as many a page as it gives."""
        query: dict[str, str | int] = {
            "feature": "video",
            "subfeature": "generation_async",
            "limit": JOBS_A_PAGE,
            "page": int(page or 1),
        }
        return Call("GET", _JOBS, params=query)

    def parse_list(self, reply: Reply, request: VideoRequest, *, since: datetime, until: datetime) -> ListPage | None:
        """Jobs of the same model made about then; read on until the list is older than what is looked for."""
        since, until = self.search_window(since, until)
        body = reply.body or {}
        items, page, pages = (
            self.listed_items(body.get("items"), id_field="public_id"),
            body.get("page"),
            body.get("total_pages"),
        )
        if reply.status != 200 or items is None or not (isinstance(page, int) and isinstance(pages, int)):
            return None
        made = [http.moment(item.get("created_at")) for item in items]
        jobs = [
            ListedJob(ProviderJob(item["public_id"], kept.redact(item, key=self._key)), is_ours=None)
            for item, at in zip(items, made, strict=True)
            if (at is None or since <= at <= until) and _may_be(item, request.model.upstream_id)
        ]
        is_over = page >= pages or any(at is not None and at < since for at in made)
        return ListPage(jobs, "" if is_over else str(page + 1))

    def parse_live_models(self, reply: Reply) -> Sequence[LiveModel]:
        """Listing models page: `models`, each with its whole name as `model` and its `pricing`; once names alone."""
        listed = (reply.body or {}).get("models")
        items = listed if reply.status == 200 and isinstance(listed, list) else []
        rows = [item if isinstance(item, Mapping) else {"model": item} for item in items]
        return [
            _live_model(row["model"].removeprefix(f"{_FEATURE}/"), row.get("pricing"))
            for row in rows
            if isinstance(row.get("model"), str) and row["model"]
        ]

    def parse_link(self, body: Mapping[str, Any]) -> str | None:
        """`video` is a link with some upstream vendors and the file itself with others."""
        return _link(body)

    @classmethod
    def parse_notice(cls, call: VendorCall, model: VideoModel) -> JobNotice | None:
        """Webhooks page: the body of a look."""
        value = call.body.get("public_id") or call.body.get("job_id")
        if not isinstance(value, str) or not value:
            return None
        return JobNotice(value, _link(call.body) if str(call.body.get("status")).lower() in cls.DONE else None)

    @classmethod
    def is_signed(cls, call: VendorCall, keys: Sequence[str], now: datetime) -> bool:
        """Webhooks page: RSA over the SHA-256, in hex, of the body with sorted names; they give the key on request."""
        canonical = json.dumps(call.body, sort_keys=True, indent=2, ensure_ascii=False).encode("utf-8", "replace")
        said = hashlib.sha256(canonical).hexdigest().encode()
        return call_signatures.is_rsa(said, call.headers.get("x-edenai-signature", ""), keys)

    def has_failed(self, body: Mapping[str, Any]) -> bool:
        """In the older shape a finished job may still have failed at its upstream vendor."""
        words = [str(result["final_status"]).lower() for result in _results(body) if "final_status" in result]
        return bool(words) and all(word in self.FAILED for word in words)

    def parse_cost(self, body: Mapping[str, Any]) -> ReportedCost | None:
        """The vendor's price for the job in US dollars; text in its OpenAPI, a number on some of its pages."""
        try:
            amount = Decimal(str(body["cost"]))
        except (KeyError, InvalidOperation):
            return None
        return ReportedCost(amount, "USD") if amount.is_finite() and amount >= 0 else None

    def error_text(self, reply: Reply) -> str:
        """What the vendor says and what its upstream vendors said, in their several shapes."""
        return http.texts(super().error_text(reply), *(result.get("error") for result in _results(reply.body or {})))

    def is_refusal(self, reply: Reply) -> bool:
        """Also an error of the vendor's own shape; a gateway's or framework's says nothing about the job."""
        body = reply.body or {}
        own_shape = isinstance(body.get("error"), Mapping) if reply.status >= 500 else bool(body.get("error"))
        has_verdict = own_shape or bool(body.get("error_code")) or reply.status_word in self.FAILED
        return reply.is_refusal or has_verdict or (reply.status == 503 and "detail" in body)

    def is_about_us(self, reply: Reply) -> bool:
        """Also by its body."""
        return super().is_about_us(reply) or _BUSY.holds(self.facts(reply))


def _live_model(upstream_id: str, pricing: Any) -> LiveModel:
    """A listed model; `pricing` is a price in dollars for a quantity of a unit."""
    stated = pricing if isinstance(pricing, Mapping) else {}
    prices = {str(name): str(value) for name, value in stated.items() if isinstance(value, str | int | float)}
    price, quantity = http.number(stated.get("price")), http.number(stated.get("price_unit_quantity", 1))
    if not price or not quantity:
        return LiveModel(upstream_id, prices=prices)
    micro = math.ceil(Decimal(str(price)) / Decimal(str(quantity)) * MICRO)
    match stated.get("price_unit_type"):
        case "second":
            cost = ListedCost(per_second={"any": micro})
        case "request":
            cost = ListedCost(per_call=micro)
        case "token" if quantity == MILLION:  # those that its vendor counts by frames; other vendors' are others
            cost = ListedCost(per_million_tokens={"any": math.ceil(Decimal(str(price)) * MICRO)})
        case _:
            return LiveModel(upstream_id, prices=prices)
    return LiveModel(upstream_id, prices=prices, cost=cost)


def _may_be(item: Mapping[str, Any], upstream_id: str) -> bool:
    """Whether a listed job may be of this model; a list that leaves the model out does not say that it is not."""
    provider, _, model = upstream_id.partition("/")
    return item.get("provider") in (provider, None) and item.get("model") in (model, upstream_id, "", None)


def _link(body: Mapping[str, Any]) -> str | None:
    found = [item.get(name) for item in _results(body) for name in ("video_resource_url", "video")]
    return clip_links.clip_address(*found) or next(filter(None, map(clip_links.clip_in_text, found)), None)


def _results(body: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The job's result: `output` itself, or older pages' `results`, plain or by upstream vendor."""
    for holder in (body.get("output"), body.get("results")):
        if isinstance(holder, Mapping):
            yield holder
            yield from (item for item in holder.values() if isinstance(item, Mapping))
