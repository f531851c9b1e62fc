"""OpenRouter: video jobs of many makers behind one API, which reports what each has cost.

Facts come from the vendor's documentation and TypeScript SDK (2026-08), its skill for agents, and its list of video
models of 2026-08-21 (as kept in TanStack/ai). It has no stop, no list of jobs, no client reference, no idempotency.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import httpx

from core import errors
from core.providers import call_signatures, clip_links, http, model_files
from core.providers.adapter import Adapter
from core.providers.adapters import openrouter_prices
from core.providers.contract import (
    JobState,
    JobStatus,
    LiveModel,
    MediaKind,
    ReportedCost,
    SourceImage,
    VideoRequest,
    VideoSource,
)
from core.providers.http import ACCOUNT_RULES, Call, ErrorRules, Reply, Rule
from core.providers.models import VideoModel
from core.providers.vendor_calls import JobNotice, VendorCall

_CONTENT = http.text(r"moderation|content polic|usage polic|policy violation|flagged|safety|sensitive|nsfw|prohibited")
_NO_MODEL = http.text(
    r"no endpoints found|not a valid model|model.{0,60}(not found|not available|does not exist|no longer)"
)
_ABOUT_THE_REQUEST = (Rule(_CONTENT, errors.ContentRefused), Rule(_NO_MODEL, errors.ModelUnavailable))
_IS_ID = re.compile(r"[\w.:-]{1,150}", re.A)
_CENTURY = 10**5
"""More than this many dollars is no price of a clip."""


class OpenRouter(Adapter):
    """openrouter.ai. A lost submit cannot be searched for: only the vendor's own call to our address tells its job.

    Such a call may carry a signature of the workspace's secret (X-OpenRouter-Signature). It is not looked at: each
    address is secret and signed by us, and whatever a call says of a job is asked again with our key.
    """

    name = "openrouter"
    display_name = "OpenRouter"
    models, catalogue = model_files.beside(__file__)
    default_base_url = "https://openrouter.ai"
    min_poll_seconds = 10.0  # video guide: every 10 to 30 seconds
    can_check_key = True
    can_list_models = True
    signs_calls = True

    status_route = "GET /api/v1/videos/{job_id}"
    key_route = "GET /api/v1/key"  # SDK: limit and use of the key that asks
    live_models_route = "GET /api/v1/videos/models"
    WAITING = {"pending": JobState.QUEUED, "in_progress": JobState.RUNNING}
    DONE = frozenset({"completed"})
    FAILED = frozenset({"failed"})
    CANCELLED = frozenset({"cancelled"})
    NO_LINK = "completed without a link"
    ERROR_FIELDS = ("error", "message")
    FIELDS = {
        "prompt": "prompt",
        "duration": "duration",
        "resolution": "resolution",
        "size": "resolution",
        "aspect_ratio": "aspectRatio",
        "frame_images": "startImagePath",
        "generate_audio": "generateAudio",
        "seed": "seed",
        "input_references": "references",
    }
    refusals = ErrorRules(
        *ACCOUNT_RULES,
        Rule(http.status(400, 403, 422) & _CONTENT, errors.ContentRefused),  # 403: an input that was flagged
        Rule(http.status(400, 404) & _NO_MODEL, errors.ModelUnavailable),
    )
    failures = ErrorRules(*_ABOUT_THE_REQUEST)

    def submit_call(self, request: VideoRequest) -> Call:
        """Length, size and shape always, sound only where there is a choice, which is on unless it is told."""
        model = request.model
        body: dict[str, Any] = {
            "model": model.upstream_id,
            "prompt": request.prompt,
            "duration": request.duration_seconds,
            "resolution": request.resolution,
            "aspect_ratio": request.aspect_ratio,
        }
        if model.audio:
            body["generate_audio"] = request.generate_audio
        if request.seed is not None:
            body["seed"] = request.seed
        frames = [("first_frame", request.start_image), ("last_frame", request.end_image)]
        if given := [{**_picture(image), "frame_type": kind} for kind, image in frames if image]:
            body["frame_images"] = given
        if pictures := [_picture(each.image) for each in request.references if each.kind is MediaKind.IMAGE]:
            body["input_references"] = pictures  # left out by the vendor where there are frames
        if request.webhook_url.startswith("https:"):  # it refuses an order with another one
            body["callback_url"] = request.webhook_url
        return Call("POST", "/api/v1/videos", json=body)

    def parse_accepted(self, reply: Reply, request: VideoRequest) -> str:
        """A 202 with the job's `id`; also any answer that shows a job on its way."""
        value = (reply.body or {}).get("id")
        known = reply.status_word in self.WAITING
        return value if (reply.status < 300 or known) and isinstance(value, str) else ""

    def parse_status(self, reply: Reply) -> JobStatus | None:
        """`expired` is an end of its own, after which there is no clip."""
        if reply.status < 300 and reply.status_word == "expired":
            return self.lost(reply)
        return super().parse_status(reply)

    def parse_link(self, body: Mapping[str, Any]) -> str | None:
        """`unsigned_urls` lasts as long as the job and needs the key; `urls`, on newer pages, is signed for a while."""
        return _link(body, self._base_url)

    def has_failed(self, body: Mapping[str, Any]) -> bool:
        """One that is completed with an error in the place of a clip was refused."""
        return bool(body.get("error")) and self.parse_link(body) is None

    @classmethod
    def parse_notice(cls, call: VendorCall, model: VideoModel) -> JobNotice | None:
        """Webhook page: `data` is the job."""
        job = call.body.get("data")
        if not isinstance(job, Mapping) or not isinstance(job.get("id"), str) or not _IS_ID.fullmatch(job["id"]):
            return None
        return JobNotice(job["id"], _link(job, cls.default_base_url) if job.get("status") == "completed" else None)

    @classmethod
    def is_signed(cls, call: VendorCall, keys: Sequence[str], now: datetime) -> bool:
        """Webhook page: time and HMAC in one header; the secret stands in the settings of the workspace there."""
        return call_signatures.is_timed_hmac(call.headers.get("x-openrouter-signature", ""), keys, call.raw, now)

    def parse_cost(self, body: Mapping[str, Any]) -> ReportedCost | None:
        """`usage.cost` in dollars; null, or the fee alone, where the maker was paid by a key of our own."""
        usage = body.get("usage")
        stated = usage.get("cost") if isinstance(usage, Mapping) and usage.get("is_byok") is not True else None
        amount = http.number(stated)
        return None if amount is None or amount > _CENTURY else ReportedCost(Decimal(str(stated)), "USD")

    async def video_source(self, job_id: str, video_url: str) -> VideoSource:
        """The job's own content is fetched at our address of the vendor with the key, all else as it is without."""
        path = f"{self.status_call(job_id).path}/content"
        try:
            url = httpx.URL(video_url)
        except httpx.InvalidURL:
            return VideoSource(video_url)
        if url.raw_path.partition(b"?")[0].decode() != path:
            return VideoSource(video_url)
        index = url.params.get("index", "0")
        return VideoSource(f"{self._base_url}{path}?index={quote(index, safe='')}", self.auth_headers())

    def parse_live_models(self, reply: Reply) -> Sequence[LiveModel]:
        """The list's `data`."""
        listed = (reply.body or {}).get("data")
        items = listed if reply.status == 200 and isinstance(listed, list) else []
        return [_live_model(item) for item in items if isinstance(item, Mapping) and isinstance(item.get("id"), str)]

    def refused_names(self, reply: Reply) -> list[str]:
        """The fields that a message speaks of."""
        return self.fields_in(self.error_text(reply))


def _picture(image: SourceImage) -> dict[str, Any]:
    """An image as an order has it (guide: a data URL will do)."""
    return {"type": "image_url", "image_url": {"url": image.data_url}}


def _link(body: Mapping[str, Any], base_url: str) -> str | None:
    """The first usable address; one without a host is the vendor's own."""
    lists = [found for name in ("unsigned_urls", "urls") if isinstance(found := body.get(name), list)]
    values = [each for found in lists for each in found]
    return clip_links.clip_address(
        *(f"{base_url}{each}" if isinstance(each, str) and each.startswith("/api/") else each for each in values)
    )


def _live_model(item: Mapping[str, Any]) -> LiveModel:
    skus, resolutions = item.get("pricing_skus"), item.get("supported_resolutions")
    prices = {str(name): str(figure) for name, figure in skus.items()} if isinstance(skus, Mapping) else {}
    sizes = [each for each in resolutions if isinstance(each, str)] if isinstance(resolutions, list) else []
    name = item.get("name")
    return LiveModel(
        item["id"],
        name if isinstance(name, str) else "",
        prices,
        openrouter_prices.cost(prices, sizes, has_sound=item.get("generate_audio") is True),
    )
