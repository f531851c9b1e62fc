"""fal: jobs in its queue, submitted to a model's own path and asked about at the app's.

Facts come from the vendor's documentation (queue, cancel, model errors, request errors, files), its Python client and
the model pages (fal.ai/models/MODEL/llms.txt). It has no word for failure: a job is COMPLETED, its result an error.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any
from urllib.parse import quote

from core import errors
from core.messages import N_
from core.providers import call_signatures, clip_links, http, model_files
from core.providers.adapter import Adapter
from core.providers.contract import BadFact, JobState, JobStatus, VideoRequest
from core.providers.http import ACCOUNT_RULES, HAS_CODE, Call, ErrorRules, Reply, Rule
from core.providers.models import VideoModel
from core.providers.vendor_calls import JobNotice, VendorCall

REQUEST_ID = "x-fal-request-id"
KEYS_HOST = "https://rest.fal.ai"
_IS_ID = re.compile(r"[\w-]{8,100}", re.A)
_GATEWAY = re.compile("nginx", re.I)
_NO_CREDITS = http.text(r"\blocked\b|exhausted|balance|insufficient (funds|credits?)")
_CONTENT = http.text(r"content_policy|content polic|content checker|nsfw|flagged|safety|moderation|prohibited")
_NOTHING_MADE = N_(
    "The provider made no clip from this. Nothing was charged; change the prompt or the image and try again."
)
_BY_CODE = (  # model errors and request errors pages
    Rule(http.code("content_policy_violation") | _CONTENT, errors.ContentRefused),
    Rule(http.code("no_media_generated"), errors.GenerationFailed, _NOTHING_MADE),
    Rule(http.code(r"generation_timeout|downstream_service_\w+|internal_(server_)?error"), errors.GenerationFailed),
    Rule(http.code(r"(request|startup)_timeout|runner_\w+"), errors.GenerationFailed),
    Rule(http.HAS_MISTAKES, errors.InvalidInput),  # image_*, file_*, one_of, feature_not_supported
)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """How one model differs from the others at the vendor, from its `options`; paths follow its `upstream_id`."""

    text_path: str = "/text-to-video"
    image_path: str = "/image-to-video"
    duration_unit: str = ""
    ratio_with_image: bool = False
    end_image: str = ""
    enhancement: str = ""
    always_with_text: Mapping[str, bool] = field(default_factory=dict)


class Fal(Adapter):
    """fal.ai. The addresses in its replies are not followed: ours are made from the app's path and the request id.

    No call of the queue is both free and closed to a wrong key, so keys are not tried beforehand.

    A lost submit is not searched for: the queue lists nothing, and the platform API's list at another host
    (models/requests/by-endpoint) tells only how requests ended, so that one missing there may be under way.
    Models are listed by that platform API, too, and so at none of our addresses.
    """

    name = "fal"
    display_name = "fal"
    models, catalogue = model_files.beside(__file__)
    default_base_url = "https://queue.fal.run"
    min_poll_seconds = 3.0  # its client looks ten times a second; for jobs of minutes this is kinder
    max_requests_per_second = 9.0  # an earlier FAQ: 10 a second an account, less a margin; today's names no figure
    can_cancel = True
    cancel_note = N_(
        "A job still in the provider's queue is removed at no cost; a running one is asked to stop and may not."
    )

    signs_calls = True
    auth_scheme = "Key"
    status_route = "GET /{job_id}/status"
    result_route = "GET /{job_id}"  # which alone says how a completed job ended
    cancel_route = "PUT /{job_id}/cancel"
    # Taken off the queue; a running job only gets a signal. `not_found` may also be a job that is over: a look tells.
    CANCEL_ANSWERS = {
        "ok": JobState.CANCELLED,
        "cancellation_requested": JobState.RUNNING,
    }
    WAITING = {"in_queue": JobState.QUEUED, "in_progress": JobState.RUNNING}
    DONE = frozenset({"completed"})
    NO_LINK = "completed without a link"
    FIELDS = {
        "prompt": "prompt",
        "negative_prompt": "negativePrompt",
        "duration": "duration",
        "resolution": "resolution",
        "aspect_ratio": "aspectRatio",
        "image_url": "startImagePath",
        "tail_image_url": "endImagePath",
        "generate_audio": "generateAudio",
        "prompt_optimizer": "enhancePrompt",
    }
    ERROR_FIELDS = ("detail", "error", "message")
    CODE_FIELD = "error_type"
    default_retry_seconds = 10
    refusals = ErrorRules(
        # Seen in the vendor's issues: 403 "User is locked. Reason: Exhausted balance."
        Rule(http.status(401, 403) & _NO_CREDITS, errors.ProviderOutOfCredits),
        *ACCOUNT_RULES,
        Rule(http.status(403) & ~HAS_CODE, errors.BadKey),
        Rule(http.status(404) & http.IS_JSON, errors.ModelUnavailable),
        *_BY_CODE,
        Rule(http.status(403), errors.InvalidInput),
    )
    failures = ErrorRules(*_BY_CODE)

    @classmethod
    def model_error(cls, model: VideoModel) -> BadFact | None:
        """Names of the options."""
        unknown = model_files.unknown_option(model.options, [each.name for each in fields(Endpoint)])
        return BadFact(unknown.sentence, f"options.{unknown.field}") if unknown else None

    def submit_call(self, request: VideoRequest) -> Call:
        """What the model has no choice of is not sent: it has no field for it. Images go along as data URIs."""
        model, endpoint, image = request.model, Endpoint(**request.model.options), request.start_image
        duration = f"{request.duration_seconds}{endpoint.duration_unit}"
        body: dict[str, Any] = {"prompt": request.prompt, "duration": duration}
        if request.negative_prompt:
            body["negative_prompt"] = request.negative_prompt
        if len(model.resolutions) > 1:
            body["resolution"] = request.resolution.lower()  # the vendor writes 4k
        if len(model.aspect_ratios) > 1 and (endpoint.ratio_with_image or not image):
            body["aspect_ratio"] = request.aspect_ratio
        if not image:
            body |= endpoint.always_with_text
        if model.audio:
            body["generate_audio"] = request.generate_audio  # on at the vendor unless it is told
        if endpoint.enhancement:
            body[endpoint.enhancement] = request.enhance_prompt  # same
        if image:
            body["image_url"] = image.data_url
        if request.end_image:
            body[endpoint.end_image] = request.end_image.data_url
        path = model.upstream_id + (endpoint.image_path if image else endpoint.text_path)
        query = {"fal_webhook": request.webhook_url} if request.webhook_url else None
        # Queue page: seconds until it must have been started, so that nothing begins that nobody waits for.
        headers = {"X-Fal-Request-Timeout": str(model.deadline_seconds)}
        return Call("POST", f"/{path}", json=body, params=query, headers=headers)

    def parse_accepted(self, reply: Reply, request: VideoRequest) -> str:
        """The id as "owner/app|request id": status, result and cancel know no more of the path (queue page)."""
        value = (reply.body or {}).get("request_id")
        if not (reply.status < 300 or reply.status_word in self.WAITING) or not isinstance(value, str) or not value:
            return ""
        return _job_id(request.model, value)

    def hinted_job(self, reply: Reply, request: VideoRequest) -> str:
        """The request's id in the header that its own client tells the queue from a gateway by."""
        value = reply.headers.get(REQUEST_ID, "")
        return _job_id(request.model, value) if _IS_ID.fullmatch(value) else ""

    def classify_submit_error(self, reply: Reply) -> errors.ProviderError:
        """Also a gateway's page, as its own client reads it: from nginx and without the queue's header, so not sent on.

        Not 504: a gateway may give up after it has passed the order on.
        """
        if reply.status in (502, 503) and REQUEST_ID not in reply.headers and _GATEWAY.search(reply.text):
            return errors.ProviderUnavailable(detail=reply.detail)
        return super().classify_submit_error(reply)

    def job_path(self, job_id: str) -> str:
        """Below the app."""
        app, _, request_id = job_id.rpartition("|")
        return f"{quote(app)}/requests/{quote(request_id, safe='')}"

    def parse_result(self, status: Reply, result: Reply) -> JobStatus | None:
        """By its result, and by the status's own error where the result says nothing."""
        codes = self.error_codes(result)
        if "client_cancelled" in (*self.error_codes(status), *codes) or result.status == 499:
            return JobStatus(JobState.CANCELLED, response=status.redacted)
        about_us = result.status in (401, 402, 403, 429) and not codes
        if result.status >= 400 and not about_us and self.failures.first(self.facts(result)):
            return self.failed(result, self.classify_failure(result))
        if self.error_codes(status) or self.error_text(status):
            return self.failed(status, self.classify_failure(status))
        if result.status < 300 and result.body is not None:
            return self.status_of(status.status_word, result)
        if result.status in (400, 422) and result.body is not None:
            return self.failed(result, self.classify_failure(result))
        return self.expired(result) if self.is_lost(result) else None

    def parse_link(self, body: Mapping[str, Any]) -> str | None:
        """Model pages: `video`, a file object with its `url`."""
        return _link(body)

    @classmethod
    def parse_notice(cls, call: VendorCall, model: VideoModel) -> JobNotice | None:
        """Webhooks page: `request_id`, `status` OK or ERROR, and the result as `payload`."""
        value, result = call.body.get("request_id"), call.body.get("payload")
        if not isinstance(value, str) or not _IS_ID.fullmatch(value):
            return None
        done = result if call.body.get("status") == "OK" and isinstance(result, Mapping) else {}
        return JobNotice(_job_id(model, value), _link(done))

    @classmethod
    def is_signed(cls, call: VendorCall, keys: Sequence[str], now: datetime) -> bool:
        """Webhooks page: Ed25519 over request, account, time and the body's SHA-256, a line each."""
        parts = [call.headers.get(f"x-fal-webhook-{name}", "") for name in ("request-id", "user-id", "timestamp")]
        said = "\n".join([*parts, hashlib.sha256(call.raw).hexdigest()]).encode()
        signature = call.headers.get("x-fal-webhook-signature", "")
        return call_signatures.is_fresh(parts[-1], now) and call_signatures.is_ed25519(said, signature, keys)

    def call_keys_call(self) -> Call:
        """Webhooks page: public keys, at a host of their own."""
        return Call("GET", "/.well-known/jwks.json", host=KEYS_HOST)

    def refused_names(self, reply: Reply) -> list[str]:
        """Image trouble that names no field is the start image's."""
        about_files = any(code.startswith(("image_", "file_", "unsupported_image")) for code in self.error_codes(reply))
        return [*super().refused_names(reply), *["image_url"] * about_files]


def _job_id(model: VideoModel, request_id: str) -> str:
    """As "owner/app|request id"."""
    return f"{'/'.join(model.upstream_id.split('/')[:2])}|{request_id}"


def _link(body: Mapping[str, Any]) -> str | None:
    video = body.get("video")
    return clip_links.clip_address(video.get("url") if isinstance(video, Mapping) else video)
