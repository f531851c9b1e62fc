"""Replicate: predictions by official model name, by version for models without one.

Facts come from the vendor's documentation (prediction lifecycle, rate limits, error codes, HTTP API), from its Python
SDK and from the input schemas on its model pages (replicate.com/OWNER/NAME/versions/VERSION/api).
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import httpx

from core import errors
from core.messages import N_
from core.providers import call_signatures, clip_links, http, kept, model_files
from core.providers.adapter import Adapter
from core.providers.contract import (
    BadFact,
    Check,
    JobState,
    JobStatus,
    ListedJob,
    ListPage,
    LiveModel,
    ProviderJob,
    ReportedUse,
    SourceImage,
    UseUnit,
    VideoRequest,
    VideoSource,
)
from core.providers.http import ACCOUNT_RULES, Call, ErrorRules, Reply, Rule
from core.providers.models import VideoModel
from core.providers.vendor_calls import JobNotice, VendorCall

LARGEST_DATA_URL_BYTES = 256_000
"""Input files page: up to 256 kB as a data URL, larger ones by address."""

SEARCH_PAGES = 10
LARGEST_LIST_BYTES = 64 * 1024**2
"""A page of a hundred predictions, each with two images as data URLs."""

_CONTENT = http.text(
    # E005 and "flagged as sensitive" are on no page of the vendor and widely seen in replies.
    r"\bE005\b|flagged as sensitive|nsfw|content polic|content filter|safety|moderation|prohibited"
)
_NO_MODEL = http.text(r"invalid version|(version|model).{0,60}(not found|not exist|disabled|no longer)")
_RESETS_IN = re.compile(r"resets? in\s+~?\s*(\d{1,6})\s*(s|m)", re.I)
_IS_ID = re.compile(r"\w{8,100}", re.A)
_FILE_PATH = re.compile(r"/v1/files/[\w-]+")
_MEMORY = N_("The provider ran out of memory on this clip. Nothing was charged; choose a smaller or shorter one.")
_NO_START = N_("The provider could not start this model in time. Nothing was charged; try again later.")
_NO_NAME = N_("The provider met an error it has no name for. Nothing was charged; try again later.")


@dataclass(frozen=True, slots=True)
class Inputs:
    """How one model names what it takes ("" where it takes none), and what is always sent with it: its `options`."""

    prompt: str = "prompt"
    start_image: str = ""
    end_image: str = ""
    always: Mapping[str, Any] = field(default_factory=dict)


class Replicate(Adapter):
    """replicate.com. It keeps no reference of ours, but lists what was sent, so that a lost submit can be found."""

    name = "replicate"
    display_name = "Replicate"
    models, catalogue = model_files.beside(__file__)
    default_base_url = "https://api.replicate.com"
    min_poll_seconds = 5.0  # its Python client waits half a second; for jobs of minutes this is kinder
    max_requests_per_second = 45.0  # same page: 3000 a minute, less a margin
    can_check_key = True
    can_look_up_models = True
    can_cancel = True
    supports_lookup = True
    signs_calls = True
    cancel_note = N_("Stopping works at any time. What the job has already run is billed to us, not to you.")

    status_route = "GET /v1/predictions/{job_id}"
    cancel_route = "POST /v1/predictions/{job_id}/cancel"
    key_route = "GET /v1/account"  # HTTP API: whose token it is
    lookup_pages = SEARCH_PAGES
    WAITING = {"starting": JobState.QUEUED, "processing": JobState.RUNNING}
    DONE = frozenset({"succeeded"})
    FAILED = frozenset({"failed"})
    CANCELLED = frozenset({"canceled", "aborted"})
    NO_LINK = "succeeded without a link"
    ERROR_FIELDS = ("title", "detail", "error")
    FIELDS = {
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
    refusals = ErrorRules(
        *ACCOUNT_RULES,
        Rule(_CONTENT, errors.ContentRefused),
        Rule(_NO_MODEL, errors.ModelUnavailable),
    )
    failures = ErrorRules(  # plain text with a code in it at most (error codes page)
        Rule(_CONTENT, errors.ContentRefused),
        Rule(http.text(r"^\s*input validation (error|failed)"), errors.InvalidInput),
        Rule(http.text(r"\bE1001\b"), errors.GenerationFailed, _MEMORY),
        Rule(http.text(r"\bE6716\b"), errors.GenerationFailed, _NO_START),
        Rule(http.text(r"\bE1000\b"), errors.GenerationFailed, _NO_NAME),
    )

    def upload_call(self, image: SourceImage) -> Call | None:
        """An upload of what is too large to go along."""
        if len(image.data) <= LARGEST_DATA_URL_BYTES:
            return None
        name = f"image.{image.media_type.rpartition('/')[2]}"
        return Call("POST", "/v1/files", files={"content": (name, image.data, image.media_type)})

    def parse_upload(self, reply: Reply) -> str | None:
        """The file's address."""
        urls = (reply.body or {}).get("urls")
        return http.web_address(urls.get("get")) if reply.status < 300 and isinstance(urls, Mapping) else None

    @classmethod
    def model_error(cls, model: VideoModel) -> BadFact | None:
        """Names of the options."""
        unknown = model_files.unknown_option(model.options, [each.name for each in fields(Inputs)])
        return BadFact(unknown.sentence, f"options.{unknown.field}") if unknown else None

    def submit_call(self, request: VideoRequest) -> Call:
        """By name or by version."""
        names, wanted = Inputs(**request.model.options), _settings(request)
        for name, image in ((names.start_image, request.start_image), (names.end_image, request.end_image)):
            if image:
                wanted[name] = image.uploaded or image.data_url
        name, _, version = request.model.upstream_id.partition(":")
        body: dict[str, Any] = {"version": version, "input": wanted} if version else {"input": wanted}
        if request.webhook_url:
            body |= {"webhook": request.webhook_url, "webhook_events_filter": ["completed"]}
        # Prediction deadlines (changelog, 2025-10), 5 seconds to 24 hours: ends the meter when we stop waiting.
        headers = {"Cancel-After": f"{request.model.deadline_seconds}s"}
        path = "/v1/predictions" if version else f"/v1/models/{name}/predictions"
        return Call("POST", path, json=body, headers=headers)

    def parse_accepted(self, reply: Reply, request: VideoRequest) -> str:
        """The id of the prediction, also of one that is over at once: the next look tells why."""
        value, word = (reply.body or {}).get("id"), reply.status_word
        known = word in self.WAITING or word in self.DONE | self.FAILED | self.CANCELLED
        return value if (reply.status < 300 or known) and isinstance(value, str) else ""

    def parse_status(self, reply: Reply) -> JobStatus | None:
        """An hour after the end, outputs are gone (data retention page)."""
        status = super().parse_status(reply)
        if status and status.unknown_word == self.NO_LINK and (reply.body or {}).get("data_removed") is True:
            return self.expired(reply)
        return status

    def parse_link(self, body: Mapping[str, Any]) -> str | None:
        """`output` is an address, a list of them or an object, as each model's schema has it."""
        return clip_links.clip_address(*_leaves(body.get("output")))

    def parse_use(self, body: Mapping[str, Any]) -> ReportedUse | None:
        """`metrics.predict_time`: seconds on the GPU, which community models are billed by (billing page)."""
        metrics = body.get("metrics")
        ran = metrics.get("predict_time") if isinstance(metrics, Mapping) else None
        if not isinstance(ran, int | float) or isinstance(ran, bool):
            return None
        return ReportedUse(Decimal(str(ran)), UseUnit.GPU_SECONDS)

    @classmethod
    def parse_notice(cls, call: VendorCall, model: VideoModel) -> JobNotice | None:
        """Webhooks page: the prediction, as a look shows it."""
        value = call.body.get("id")
        if not isinstance(value, str) or not _IS_ID.fullmatch(value):
            return None
        done = call.body.get("output") if call.body.get("status") == "succeeded" else None
        return JobNotice(value, clip_links.clip_address(*_leaves(done)))

    @classmethod
    def is_signed(cls, call: VendorCall, keys: Sequence[str], now: datetime) -> bool:
        """Verify webhooks page: Standard Webhooks."""
        return call_signatures.is_standard_webhook(call, keys, now)

    def call_keys_call(self) -> Call:
        """HTTP API, webhooks.default.secret.get: the account's own secret."""
        return Call("GET", "/v1/webhooks/default/secret")

    def parse_call_keys(self, reply: Reply) -> Sequence[str]:
        """One secret, as `key`."""
        key = (reply.body or {}).get("key")
        return [key] if reply.status == 200 and isinstance(key, str) and key else []

    async def video_source(self, job_id: str, video_url: str) -> VideoSource:
        """The documentation wants the token on file requests; it goes to the vendor's own hosts and nowhere else."""
        return VideoSource(video_url, self.auth_headers() if self._is_vendors(video_url) else {})

    def lookup_call(self, request: VideoRequest, *, since: datetime, until: datetime, page: str) -> Call:
        """Predictions made about then, newest first (HTTP API, predictions.list; filters as in its Python SDK)."""
        since, until = self.search_window(since, until)
        query = {"created_after": since.isoformat(), "created_before": until.isoformat()}
        query |= {"cursor": page} if page else {}
        return Call("GET", "/v1/predictions", params=query, max_reply_bytes=LARGEST_LIST_BYTES)

    def parse_list(self, reply: Reply, request: VideoRequest, *, since: datetime, until: datetime) -> ListPage | None:
        """A vendor that ignores the filters is read until the list is older than what is looked for."""
        since, until = self.search_window(since, until)
        body = reply.body or {}
        items = self.listed_items(body.get("results"))
        if reply.status != 200 or items is None:
            return None
        created = [http.moment(item.get("created_at")) or since for item in items]
        jobs = [
            self._listed(item, ProviderJob(item["id"], kept.redact(item, key=self._key)), request)
            for item, at in zip(items, created, strict=True)
            if since <= at <= until
        ]
        return ListPage(jobs, "" if any(at < since for at in created) else _cursor(body.get("next")))

    def live_model_call(self, model: VideoModel) -> Call:
        """HTTP API, models.get; a model that is asked for by its version is there as long as that is."""
        name, _, version = model.upstream_id.partition(":")
        return Call("GET", f"/v1/models/{quote(name)}" + (f"/versions/{quote(version)}" if version else ""))

    def parse_live_model(self, reply: Reply, model: VideoModel) -> LiveModel | None:
        """A model has its `name`, a version its `id`; the vendor tells no prices there."""
        body, version = reply.body or {}, model.upstream_id.partition(":")[2]
        found = body.get("id") if version else body.get("name")
        if reply.status != 200 or not isinstance(found, str) or not found:
            return None
        return LiveModel(model.upstream_id, "" if version else found)

    def _listed(self, item: Mapping[str, Any], job: ProviderJob, request: VideoRequest) -> ListedJob:
        """Whether a prediction is this request; None when that cannot be told, as after an hour (retention)."""
        if webhook := item.get("webhook"):  # in the JavaScript SDK's Prediction; ours has the reference in it
            return ListedJob(job, request.reference in str(webhook))
        name, _, version = request.model.upstream_id.partition(":")
        if item.get("source") == "web" or (item.get("model") or name) != name:
            return ListedJob(job, is_ours=False)
        if version and item.get("version") not in (version, "hidden", None):
            return ListedJob(job, is_ours=False)
        theirs, ours, names = item.get("input"), _settings(request), Inputs(**request.model.options)
        if not isinstance(theirs, Mapping) or item.get("data_removed") is True:
            return ListedJob(job, is_ours=None)
        same: list[bool | None] = [_same(theirs[field], ours[field]) if field in theirs else None for field in ours]
        checks: list[Check] = []
        for name, image in ((names.start_image, request.start_image), (names.end_image, request.end_image)):
            found = theirs.get(name)
            path = found.removeprefix(self._base_url) if isinstance(found, str) else ""
            if image is None:
                same.append(not found)
            elif _FILE_PATH.fullmatch(path):
                checks.append(Check(Call("GET", path), _has_checksum(image)))
            else:
                same.append(found == image.data_url if str(found).startswith("data:") else None)
        return ListedJob(job, False if False in same else None if None in same else True, checks)

    def _is_vendors(self, address: str) -> bool:
        if clip_links.is_at(address, self._base_url):
            return True
        try:
            url = httpx.URL(address)
        except httpx.InvalidURL:
            return False
        return url.scheme == "https" and f".{url.host}".endswith((".replicate.com", ".replicate.delivery"))

    def retry_delay(self, reply: Reply) -> float | None:
        """The header's, else the one in the text (rate limits page)."""
        delay, stated = super().retry_delay(reply), _RESETS_IN.search(self.error_text(reply))
        if delay is not None or stated is None:
            return delay
        return float(stated[1]) * (60 if stated[2].lower() == "m" else 1)

    def refused_names(self, reply: Reply) -> list[str]:
        """Every `input.NAME` of a validation message."""
        return re.findall(r"\binput\.(\w+)", self.error_text(reply))


def _settings(request: VideoRequest) -> dict[str, Any]:
    """The input but for images. What the model has no choice of is not sent: it has no field for it."""
    model, names = request.model, Inputs(**request.model.options)
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
    return wanted


def _same(theirs: Any, ours: Any) -> bool:
    """Whether two values of an input field say the same; spaces and the kind of a number may have been changed."""
    return bool(theirs == ours) or str(theirs).split() == str(ours).split()


def _has_checksum(image: SourceImage) -> Callable[[Reply], bool | None]:
    """Reads a file's description: an upload has a new address each time, and the checksum of the same image."""
    ours = hashlib.sha256(image.data).hexdigest()

    def parse(reply: Reply) -> bool | None:
        sums = (reply.body or {}).get("checksums")
        theirs = sums.get("sha256") if isinstance(sums, Mapping) else None
        return theirs == ours if isinstance(theirs, str) else None

    return parse


def _cursor(following: Any) -> str:
    """Where the list goes on; of the address only this is used, since the key would go wherever it points."""
    try:
        return httpx.URL(following).params.get("cursor", "") if isinstance(following, str) else ""
    except httpx.InvalidURL:
        return ""


def _leaves(output: Any) -> Iterator[Any]:
    """Everything in an output that is no list and no object."""
    if isinstance(output, list | Mapping):
        for each in output.values() if isinstance(output, Mapping) else output:
            yield from _leaves(each)
    else:
        yield output
