"""Google Gemini: video by the Omni models through the Interactions API, in the background.

Facts come from Google's Python SDK (python-genai, 2026-08), its pages on webhooks and files, and from public clients
that have seen what it really answers (2026-07 to 2026-11). It lists no jobs and knows no idempotency.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import httpx

from core import errors
from core.messages import N_
from core.providers import call_signatures, clip_links, http, model_files
from core.providers.adapter import Adapter
from core.providers.contract import (
    BadFact,
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

LOOK_SECONDS = 120.0
"""How long a look may take: the answer may hold the whole clip, and large answers are read one after another."""
FRAMES = "[# Sources <FIRST_FRAME>@Image1 <LAST_FRAME>@Image2] "
"""Before the prompt: which of two images is which; one alone is the first frame by the task."""
RATES = frozenset({"input", "text", "video"})
"""Options of a model: millionths of a dollar for a million tokens of each kind."""
MILLION = 10**6

_BAD_KEY = http.text(r"api.?key (not valid|expired|not found|is invalid)|API_KEY_INVALID")
_NO_CREDIT = http.text(
    r"credits? (are|is|has been) (depleted|exhausted)|prepay|spend(ing)? (cap|limit)|enable billing"
    r"|billing (account|is|has|not)|limit: 0\b"
)
_BUSY = http.code(r"too_many_requests|RESOURCE_EXHAUSTED|rate_limit_exceeded")
_CONTENT = http.text(
    r"\bsafety\b|content polic|usage polic|polic(y|ies) violat|violates|prohibited|blocked|responsible ai|\bRAI\b"
    r"|sensitive|nsfw|harmful"
    r"|(can't|cannot|can not|unable to|not able to|not allowed to) (generate|create|make|help|fulfil)"
)
_NO_MODEL = http.text(r"model.{0,80}(not found|not exist|not available|not supported|no longer|deprecated|shut down)")
_NO_ROOM = N_("The provider was too busy to make this clip. Nothing was charged; try again later.")
_RETRY_IN = re.compile(r"retry in\s+(?:(\d+)h)?(?:(\d+)m(?!s))?(?:([\d.]+)s)?", re.I)
_GONE = re.compile(r"may not exist|not found|expired", re.I)
_FILE = re.compile(r"/v1beta/files/([\w-]{1,100})(?::download)?")
_IS_ID = re.compile(r"[\w-]{4,190}", re.A)


class Gemini(Adapter):
    """ai.google.dev. The result is a file at Google for two days, or lies in the answer itself; both are taken.

    A lost submit cannot be searched for: only Google's own call to our address tells its job.
    """

    name = "gemini"
    display_name = "Google Gemini"
    models, catalogue = model_files.beside(__file__)
    default_base_url = "https://generativelanguage.googleapis.com"
    min_poll_seconds = 10.0  # clips take 45 to 80 seconds, and each look counts for the quota
    can_check_key = True
    can_list_models = True
    signs_calls = True
    can_cancel = True
    cancel_note = N_("Stopping works until the clip is made. What Google has begun may be billed to us, not to you.")

    status_route = "GET /v1beta/interactions/{job_id}"
    cancel_route = "POST /v1beta/interactions/{job_id}/cancel"
    key_route = "GET /v1beta/models?pageSize=1"
    live_models_route = "GET /v1beta/models?pageSize=1000"
    max_look_bytes = 64 * 1024**2
    WAITING = {"queued": JobState.QUEUED, "in_progress": JobState.RUNNING}
    DONE = frozenset({"completed"})
    FAILED = frozenset({"failed", "incomplete", "budget_exceeded"})
    CANCELLED = frozenset({"cancelled"})
    NO_LINK = "completed without a video"
    FILE_FIELDS = frozenset({"data", "signature"})
    ERROR_FIELDS = ("error", "errors", "message")
    FIELDS = {
        "duration": "duration",
        "resolution": "resolution",
        "aspect_ratio": "aspectRatio",
        "image": "startImagePath",
        "prompt": "prompt",
    }
    refusals = ErrorRules(
        Rule(_BAD_KEY, errors.BadKey),
        Rule(http.status(400, 402, 403, 429) & _NO_CREDIT, errors.ProviderOutOfCredits),
        *ACCOUNT_RULES,
        Rule(_BUSY, errors.ProviderRateLimited),
        Rule(http.status(400, 422) & _CONTENT, errors.ContentRefused),
        Rule(http.status(400, 404) & _NO_MODEL, errors.ModelUnavailable),
    )
    failures = ErrorRules(
        Rule(_BUSY, errors.GenerationFailed, _NO_ROOM),
        Rule(_CONTENT, errors.ContentRefused),
        Rule(_NO_MODEL, errors.ModelUnavailable),
    )

    @classmethod
    def model_error(cls, model: VideoModel) -> BadFact | None:
        """A model's options are its rates: all or none."""
        if not model.options:
            return None
        if model.options.keys() != RATES or not all(type(rate) is int for rate in model.options.values()):
            return BadFact(f"They are whole numbers named {', '.join(sorted(RATES))}.", "options")
        return None

    def auth_headers(self) -> Mapping[str, str]:
        """The key has a header of its own."""
        return {"x-goog-api-key": self._key} if self._key else {}

    # Orders.

    def submit_call(self, request: VideoRequest) -> Call:
        """In the background, which needs `store`; sound cannot be chosen, so nothing is said of it."""
        frames = [image for image in (request.start_image, request.end_image) if image]
        pictures = [each.image for each in request.references if each.kind is MediaKind.IMAGE]
        task = "image_to_video" if frames else "reference_to_video" if pictures else "text_to_video"
        prompt = (FRAMES if request.start_image and request.end_image else "") + request.prompt
        body: dict[str, Any] = {
            "model": request.model.upstream_id,
            "input": [*map(_picture, frames or pictures), {"type": "text", "text": prompt}],
            "response_format": {
                "type": "video",
                "resolution": request.resolution.lower(),
                "aspect_ratio": request.aspect_ratio,
                "duration": f"{request.duration_seconds}s",
                "delivery": "uri",  # what is larger than 4 MB need not come inside the answer; it may all the same
            },
            "generation_config": {"video_config": {"task": task}},
            "background": True,
            "store": True,
        }
        if request.webhook_url:
            body["webhook_config"] = {"uris": [request.webhook_url], "user_metadata": {"reference": request.reference}}
        return Call("POST", "/v1beta/interactions", json=body)

    def parse_accepted(self, reply: Reply, request: VideoRequest) -> str:
        """The `id`, also of one that has ended at once: the next look tells why."""
        value = (reply.body or {}).get("id")
        return value if reply.status < 300 and isinstance(value, str) else ""

    # Looks.

    def status_call(self, job_id: str) -> Call:
        """With time for a whole clip."""
        return replace(super().status_call(job_id), total_seconds=LOOK_SECONDS)

    def parse_link(self, body: Mapping[str, Any]) -> str | None:
        """The `uri` of the video, else its `data`."""
        videos = list(_videos(body))
        address = clip_links.clip_address(*(each.get("uri") for each in videos))
        return address or next((f"data:video/mp4;base64,{each['data']}" for each in videos if _is_file(each)), None)

    def has_failed(self, body: Mapping[str, Any]) -> bool:
        """One that is completed with words in the place of a video was refused."""
        return bool(_said(body)) and not any(_videos(body))

    def result_call(self, job_id: str, reply: Reply) -> Call | None:
        """A file is there some time after its job is completed, so its state is asked for."""
        if reply.status >= 300 or reply.status_word not in self.DONE:
            return None
        link = clip_links.clip_address(*(each.get("uri") for each in _videos(reply.body or {})))
        named = _FILE.fullmatch(httpx.URL(link).path) if link and self._is_googles(link) else None
        return Call("GET", f"/v1beta/files/{quote(named[1], safe='')}") if named else None

    def parse_result(self, reply: Reply, result: Reply) -> JobStatus | None:
        """Files API: ACTIVE, PROCESSING or FAILED; a file is kept for two days, and then there is none."""
        said = self.error_text(result)
        if result.body is not None and (result.status == 404 or (result.status == 403 and _GONE.search(said))):
            return self.failed(reply, errors.ExpiredAtProvider(detail=result.detail))
        state = (result.body or {}).get("state")
        if result.status >= 300 or not isinstance(state, str):
            return None
        if state == "ACTIVE":
            return self.parse_status(reply)
        if state == "FAILED":
            return self.failed(reply, errors.GenerationFailed(detail=result.detail))
        unknown = None if state == "PROCESSING" else str(result.redacted.get("state"))[:60]
        return JobStatus(JobState.RUNNING, unknown_word=unknown, response=self.kept(reply))

    def parse_cancelled(self, reply: Reply) -> JobStatus | None:
        """One that was completed before the stop came is looked at, since its file may not be there yet."""
        return None if self.result_call("", reply) else super().parse_cancelled(reply)

    def parse_cost(self, body: Mapping[str, Any]) -> ReportedCost | None:
        """Tokens by kind at the model's rates; Google names no amount."""
        rates = next((model.options for model in self.models if model.upstream_id == body.get("model")), {})
        usage = body.get("usage")
        if not rates.keys() >= RATES or not isinstance(usage, Mapping):
            return None
        of_video = _tokens(usage, "output_tokens_by_modality", "video")
        of_input, of_output = (
            http.number(usage.get("total_input_tokens")),
            http.number(usage.get("total_output_tokens")),
        )
        if of_input is None or of_output is None or of_video > of_output or (of_video == 0 and any(_videos(body))):
            return None
        counts = {"input": of_input, "text": of_output - of_video, "video": of_video}
        micro = sum(int(count) * rates[kind] for kind, count in counts.items())
        return ReportedCost(Decimal(micro) / MILLION / MILLION, "USD")

    async def video_source(self, job_id: str, video_url: str) -> VideoSource:
        """Files at Google's API are given to the key that made them, and to no other host."""
        return VideoSource(video_url, self.auth_headers() if self._is_googles(video_url) else {})

    @classmethod
    def parse_notice(cls, call: VendorCall, model: VideoModel) -> JobNotice | None:
        """Webhooks page: an event with the interaction's id as `data`, and no link to a clip."""
        data = call.body.get("data")
        value = data.get("id") if isinstance(data, Mapping) else None
        return JobNotice(value) if isinstance(value, str) and _IS_ID.fullmatch(value) else None

    @classmethod
    def is_signed(cls, call: VendorCall, keys: Sequence[str], now: datetime) -> bool:
        """Webhooks page: calls to an address that an order names carry a token (RS256), by Google's public keys."""
        return call_signatures.is_signed_token(call.headers.get("webhook-signature", ""), keys, now)

    def call_keys_call(self) -> Call:
        """Webhooks page: public keys."""
        return Call("GET", "/.well-known/jwks.json")

    def parse_live_models(self, reply: Reply) -> Sequence[LiveModel]:
        """Those of all its models that make video."""
        listed = (reply.body or {}).get("models")
        items = listed if reply.status == 200 and isinstance(listed, list) else []
        named = [item for item in items if isinstance(item, Mapping) and isinstance(item.get("name"), str)]
        found = [(item["name"].removeprefix("models/"), item.get("displayName")) for item in named]
        return [LiveModel(each, shown if isinstance(shown, str) else "") for each, shown in found if "-omni-" in each]

    # Errors.

    def error_text(self, reply: Reply) -> str:
        """Also what a job's steps say, errors and words of the model."""
        return http.texts(super().error_text(reply), *_said(reply.body or {}))

    def error_codes(self, reply: Reply) -> Sequence[str]:
        """`code` and `status` of `error`, and of each of a job's `errors` and steps."""
        body = reply.body or {}
        listed = body.get("errors")
        found = [
            body.get("error"),
            *(listed if isinstance(listed, list) else []),
            *(s.get("error") for s in _steps(body)),
        ]
        codes = [each.get(name) for each in found if isinstance(each, Mapping) for name in ("code", "status")]
        return [each.rpartition("/")[2] for each in codes if isinstance(each, str) and each]

    def is_about_us(self, reply: Reply) -> bool:
        """Also a bad key, which is a 400, and haste, which the answer to a look may tell with any status."""
        facts = self.facts(reply)
        return super().is_about_us(reply) or (reply.status == 400 and _BAD_KEY.holds(facts)) or _BUSY.holds(facts)

    def retry_delay(self, reply: Reply) -> float | None:
        """The header's, else the one in the sentence: "Please retry in 23.397s."."""
        delay, stated = super().retry_delay(reply), _RETRY_IN.search(super().error_text(reply))
        if delay is not None or stated is None or not any(stated.groups()):
            return delay
        hours, minutes, seconds = (http.number(each) or 0.0 for each in stated.groups())
        return 3600 * hours + 60 * minutes + seconds

    def refused_names(self, reply: Reply) -> list[str]:
        """The fields that a message speaks of."""
        said = self.error_text(reply).lower()
        return [name for name in self.FIELDS if re.search(rf"\b{name}s?\b", said)]

    def _is_googles(self, address: str) -> bool:
        """Whether an address is at the API itself, ours or the vendor's own."""
        return clip_links.is_at(address, self._base_url, self.default_base_url)


def _picture(image: SourceImage) -> dict[str, Any]:
    _, _, data = image.data_url.partition(",")
    return {"type": "image", "mime_type": image.media_type, "data": data}


def _steps(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What the model has put out; the thoughts and the input before it are none of it."""
    steps = body.get("steps")
    found = [each for each in steps if isinstance(each, Mapping)] if isinstance(steps, list) else []
    return [step for step in found if step.get("type") == "model_output"]


def _content(body: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for step in _steps(body):
        items = step.get("content")
        yield from (each for each in items if isinstance(each, Mapping)) if isinstance(items, list) else ()


def _videos(body: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Its videos; some answers also have the last one at the top."""
    yield from (each for each in _content(body) if each.get("type") == "video")
    if isinstance(last := body.get("output_video"), Mapping):
        yield last


def _is_file(video: Mapping[str, Any]) -> bool:
    return isinstance(data := video.get("data"), str) and bool(data)


def _said(body: Mapping[str, Any]) -> list[str]:
    """Errors and words in the steps."""
    wrong = [error.get("message") for step in _steps(body) if isinstance(error := step.get("error"), Mapping)]
    words = [each.get("text") for each in _content(body) if each.get("type") == "text"]
    return [each for each in (*wrong, *words) if isinstance(each, str) and each]


def _tokens(usage: Mapping[str, Any], field: str, kind: str) -> float:
    """How many tokens of one kind there are."""
    parts = usage.get(field)
    found = [each for each in parts if isinstance(each, Mapping)] if isinstance(parts, list) else []
    return sum(http.number(each.get("tokens")) or 0 for each in found if str(each.get("modality")).lower() == kind)
