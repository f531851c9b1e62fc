"""ModelsLab: v7 for what v7 serves, v6 for Text-to-Video Ultra.

Facts come from the vendor's public documentation (docs-v2 repository, 2026-05: error codes, rate limits, video
OpenAPI; model pages; its Python and command-line clients) and from replies seen in public code that uses it.
Which errors arrive as HTTP 200 is not documented, so a body is always read before the HTTP status.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from core import errors
from core.providers import clip_links, http, model_files
from core.providers.adapter import Adapter
from core.providers.contract import JobState, JobStatus, LiveModel, SourceImage, VideoRequest
from core.providers.http import ABOUT_US, Call, ErrorRules, Reply, Rule
from core.providers.models import VideoModel
from core.providers.vendor_calls import JobNotice, VendorCall

_BAD_KEY = http.text(r"(invalid|wrong|missing) api.?key|api.?key (is )?(required|invalid)|unauthenticated")
_NO_CREDITS = http.text(r"insufficient (credits?|balance)|monthly limit exceeded|subscription|out of credits")
_RATE = http.text(r"rate limit|too many requests|queued requests")
_CONTENT = http.text(r"nsfw|safety|content polic|sensitive|prohibited|moderat")
_NO_MODEL = http.text(r"model.{0,60}(not found|not available|no longer|retired|deprecated|does ?n.t exist)")
_BAD_IMAGE = http.text(r"unable to fetch image|init_image")
_BAD_INPUT = http.text(r"is required|must be|may not be|invalid (value|parameter|input|api request)")
_NO_JOB = re.compile(r"(request|video) not found", re.I)
_ABOUT_THE_REQUEST = (  # recognised by their text alone: the vendor has no codes for them
    Rule(_CONTENT, errors.ContentRefused),
    Rule(_NO_MODEL, errors.ModelUnavailable),
    Rule(_BAD_IMAGE, errors.InvalidInput, field="startImagePath"),
)


ULTRA_FRAMES_PER_SECOND = 16
ULTRA_MOST_LINES = 480
"""text2video_ultra, OpenAPI of the video API: `fps` and `resolution` at most this."""


class ModelsLab(Adapter):
    """modelslab.com. The key travels in the JSON body of every call, and in the query of one that has no body.

    A lost submit cannot be searched for: the vendor documents no list of jobs, and tells `track_id` in webhooks only.
    Its list of models is a search among tens of thousands, so each model is asked about by its id.
    """

    name = "modelslab"
    display_name = "ModelsLab"
    models, catalogue = model_files.beside(__file__)
    default_base_url = "https://modelslab.com"
    min_poll_seconds = 5.0  # what the vendor's samples wait
    can_check_key = True
    can_look_up_models = True
    max_in_flight = 5  # rate limits page: 5 queued requests on the smallest plan, over all endpoints

    key_route = "POST /api/wallet_balance"  # general API, wallet balance page
    RETRY_FIELD = "retry_after"
    WAITING = {"processing": JobState.RUNNING, "queued": JobState.QUEUED}
    DONE = frozenset({"success"})
    FAILED = frozenset({"error", "failed"})
    NO_LINK = None  # documented: the file follows its `success`
    FIELDS = {"negative_prompt": "negativePrompt", "aspect_ratio": "aspectRatio", "num_frames": "duration"} | {
        name: name for name in ("prompt", "duration", "resolution")
    }
    refusals = ErrorRules(
        Rule(http.status(429) | http.HAS_DELAY | _RATE, errors.ProviderRateLimited),
        Rule(_BAD_KEY, errors.BadKey),
        Rule(_NO_CREDITS | http.status(402), errors.ProviderOutOfCredits),
        *_ABOUT_THE_REQUEST,
        Rule(http.status(401, 403), errors.BadKey),
        Rule(_BAD_INPUT, errors.InvalidInput),
        Rule(http.status(503), errors.ProviderUnavailable),
        Rule(http.status(404), errors.ProviderError),
    )
    failures = ErrorRules(*_ABOUT_THE_REQUEST)

    def with_key(self, call: Call) -> Call:
        """The key in the body, and in no header."""
        if call.method == "GET":
            return replace(call, params={**(call.params or {}), "key": self._key})
        return replace(call, json={"key": self._key, **(call.json or {})})

    def upload_call(self, image: SourceImage) -> Call:
        """An upload (kept there for 24 hours)."""
        return Call("POST", "/api/v6/base64_to_url", json={"base64_string": image.data_url})

    def parse_upload(self, reply: Reply) -> str | None:
        """The address of the image."""
        return _link((reply.body or {}).get("output")) if reply.status_word == "success" else None

    def submit_call(self, request: VideoRequest) -> Call:
        """Only fields that the vendor lists."""
        model = request.model
        body: dict[str, Any] = {"model_id": model.upstream_id, "prompt": request.prompt, "track_id": request.reference}
        if request.webhook_url:
            body["webhook"] = request.webhook_url
        if request.negative_prompt:
            body["negative_prompt"] = request.negative_prompt
        if _is_ultra(model):
            body |= {
                "resolution": min(*request.frame_size, ULTRA_MOST_LINES),
                "fps": ULTRA_FRAMES_PER_SECOND,
                "num_frames": request.duration_seconds * ULTRA_FRAMES_PER_SECOND + 1,  # as its default: 81 for 5 s
                "portrait": request.aspect_ratio == "9:16",
            }
            return Call("POST", "/api/v6/video/text2video_ultra", json=body)
        body["aspect_ratio"] = request.aspect_ratio
        if model.options.get("sends_duration", True):
            body["duration"] = str(request.duration_seconds)  # text on the model pages
        if len(model.resolutions) > 1:
            body["resolution"] = request.resolution
        if model.audio:
            body["generate_audio"] = request.generate_audio  # on at the vendor unless it is told
        if model.prompt_enhancement:
            body["enhance_prompt"] = request.enhance_prompt  # same
        if request.start_image is None:
            return Call("POST", "/api/v7/video-fusion/text-to-video", json=body)
        body["init_image"] = request.start_image.uploaded
        return Call("POST", "/api/v7/video-fusion/image-to-video", json=body)

    def parse_accepted(self, reply: Reply, request: VideoRequest) -> str:
        """The job's id; v6 jobs are asked about elsewhere than v7 jobs, so theirs says which they are."""
        word, job_id = reply.status_word, _job_id(reply.body or {})
        accepted = word in self.WAITING or word in self.DONE or (reply.status < 300 and word not in self.FAILED)
        if not job_id or not accepted:
            return ""
        return f"v6:{job_id}" if _is_ultra(request.model) else job_id

    @classmethod
    def parse_notice(cls, call: VendorCall, model: VideoModel) -> JobNotice | None:
        """Webhooks page: the body of a look."""
        job_id = _job_id(call.body)
        if not job_id:
            return None
        done = call.body.get("output") if call.body.get("status") == "success" else None
        link = clip_links.clip_address(*_several(done))
        return JobNotice(f"v6:{job_id}" if _is_ultra(model) else job_id, link)

    def status_call(self, job_id: str) -> Call:
        """At an address of our own making: the one in the reply is not trusted with the key."""
        folder = "/api/v6/video/fetch" if job_id.startswith("v6:") else "/api/v7/video-fusion/fetch"
        return Call("POST", f"{folder}/{quote(job_id.removeprefix('v6:'), safe='')}")

    def parse_status(self, reply: Reply) -> JobStatus | None:
        """By the word first. `error` may also be about the look: the key, the queue, an outage."""
        word, facts = reply.status_word, self.facts(reply)
        if word in ("", *self.FAILED) and _NO_JOB.search(facts.text):
            return self.lost(reply)
        if word == "failed" and self.refusals.first(facts, among=(errors.ProviderRateLimited,)):
            return None
        about_the_look = reply.status >= 500 or self.refusals.first(facts, among=ABOUT_US)
        if word == "error" and about_the_look and not self.failures.first(facts):
            return None
        known = word in self.WAITING or word in self.DONE or word in self.FAILED
        return self.status_of(word, reply) if known or (word and reply.status < 400) else None

    def parse_link(self, body: Mapping[str, Any]) -> str | None:
        """`output` and its mirror; `future_links` are addresses without a file behind them yet."""
        return clip_links.clip_address(*_several(body.get("output")), *_several(body.get("proxy_links")))

    def is_key_accepted(self, reply: Reply) -> bool:
        """By the word: a refusal may come as HTTP 200."""
        return reply.status_word == "success"

    def live_model_call(self, model: VideoModel) -> Call:
        """Usage and models page: details of one model."""
        return Call("GET", f"/api/v6/model-search/{quote(model.upstream_id, safe='')}")

    def parse_live_model(self, reply: Reply, model: VideoModel) -> LiveModel | None:
        """Its command-line client: the details may stand under `data`, and have a `model_id`."""
        body = reply.body or {}
        found = body["data"] if isinstance(body.get("data"), Mapping) else body
        if reply.status >= 300 or not isinstance(found.get("model_id"), str) or not found["model_id"]:
            return None
        name = found.get("model_name") or found.get("name")
        return LiveModel(model.upstream_id, name if isinstance(name, str) else "")

    def is_model_gone(self, reply: Reply) -> bool:
        """Also by its words, which may come as HTTP 200."""
        said = _NO_MODEL.holds(self.facts(reply)) and (reply.status < 300 or reply.status == 404)
        return super().is_model_gone(reply) or said

    def error_text(self, reply: Reply) -> str:
        """It spells the field `messege` at times (error codes page)."""
        body = reply.body or {}
        return http.texts(body.get("message") or body.get("messege") or body.get("error"))

    def retry_delay(self, reply: Reply) -> float | None:
        """The stated one, else the one in the text."""
        stated = super().retry_delay(reply)
        return http.delay_in_text(self.error_text(reply)) if stated is None else stated

    def refused_names(self, reply: Reply) -> list[str]:
        """The fields a validation message speaks of."""
        said = self.error_text(reply)
        return [name for name in self.FIELDS if re.search(rf"\b{name}\b", said, re.I)]

    def is_refusal(self, reply: Reply) -> bool:
        """Also by the word."""
        return reply.is_refusal or reply.status_word in self.FAILED

    def is_about_us(self, reply: Reply) -> bool:
        """Also by the word."""
        return super().is_about_us(reply) or reply.status_word in self.FAILED


def _job_id(body: Mapping[str, Any]) -> str:
    """The job's id as text: `id` (a number in replies, text in the docs) or the tail of `fetch_result`; else ""."""
    value = body.get("id")
    if isinstance(value, int | str) and not isinstance(value, bool) and value:
        return str(value)
    return str(body.get("fetch_result") or "").partition("/fetch/")[2]


def _link(value: Any) -> str | None:
    """The first address in an `output`."""
    return next(filter(None, map(http.web_address, _several(value))), None)


def _several(value: Any) -> Sequence[Any]:
    """An `output`, which may be a list, a single text, "" or missing."""
    return value if isinstance(value, list) else [value]


def _is_ultra(model: VideoModel) -> bool:
    """Whether a model is asked for at the older path of its own."""
    return bool(model.options.get("endpoint") == "ultra")
