"""Kling: tasks that carry our own id, so that a lost order is found by one exact look.

Facts come from the vendor's guide as the Vercel AI SDK and Comfy's types have it (2026-08), and from mirrors of it.
It has no stop, no seed and no frame rate; what a task cost it tells in units of resource packs, not in money.
"""

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import quote

from core import errors
from core.providers import clip_links, http, kept, model_files
from core.providers.adapter import Adapter
from core.providers.contract import (
    NEXT_NUMBER,
    JobState,
    JobStatus,
    ListedJob,
    ListPage,
    ProviderJob,
    SourceImage,
    VideoRequest,
)
from core.providers.http import ACCOUNT_RULES, Call, ErrorRules, Reply, Rule
from core.providers.models import VideoModel
from core.providers.vendor_calls import JobNotice, VendorCall

MODES = {"720p": "std", "1080p": "pro", "4K": "4k"}
"""A quality of the vendor's makes one resolution."""
PLACES = {"t2v": "text2video", "i2v": "image2video"}
"""A task is asked about where it was ordered, so its id begins with the place: "t2v:867…"."""
TASKS_A_PAGE, SEARCH_PAGES = 500, 11
LARGEST_LIST_BYTES = 8_000_000
"""A page of tasks; one with its prompts and links takes up to 10 kB."""
_IS_ID = re.compile(r"[\w-]{1,100}", re.A)
_UNKNOWN_TASK = "1203"
_CONTENT = http.code("130[01]") | http.text(r"risk control|sensitive|polic(y|ies)|moderation|prohibited|nsfw")
_NO_MODEL = http.text(r"model.{0,60}(not (found|exist|available|supported)|no longer|offline)")


class Kling(Adapter):
    """The API at klingai.com, with an API key; the older pair of access key and secret is not taken.

    Calls of the vendor's do not say which of the two places a task is asked about at, so our address says it. Nobody
    documents what an id that is sent twice does, so nothing is ever sent twice.
    """

    name = "kling"
    display_name = "Kling"
    models, catalogue = model_files.beside(__file__)
    default_base_url = "https://api-singapore.klingai.com"
    min_poll_seconds = 5.0
    can_check_key = True
    supports_lookup = True
    lookup_pages = SEARCH_PAGES

    status_route = "GET /v1/videos/{job_id}"
    key_route = "GET /account/costs?start_time=0&end_time=1"  # what was spent
    WAITING = {"submitted": JobState.QUEUED, "processing": JobState.RUNNING}
    DONE = frozenset({"succeed"})
    FAILED = frozenset({"failed"})
    NO_LINK = "succeed without a link"
    FIELDS = {
        "prompt": "prompt",
        "negative_prompt": "negativePrompt",
        "duration": "duration",
        "mode": "resolution",
        "aspect_ratio": "aspectRatio",
        "image": "startImagePath",
        "image_tail": "endImagePath",
        "sound": "generateAudio",
    }
    default_retry_seconds = 30
    refusals = ErrorRules(
        Rule(http.code("110[12]"), errors.ProviderOutOfCredits),  # in arrears; the pack is used up or has expired
        Rule(http.code("130[23]"), errors.ProviderRateLimited),
        Rule(_CONTENT, errors.ContentRefused),
        Rule(http.code("100[0-4]|1100|1103|1304"), errors.BadKey),
        Rule(_NO_MODEL, errors.ModelUnavailable),
        Rule(http.code("120[0-3]"), errors.InvalidInput),
        *ACCOUNT_RULES,
    )
    failures = ErrorRules(Rule(_CONTENT, errors.ContentRefused), Rule(_NO_MODEL, errors.ModelUnavailable))

    # Orders.

    def submit_call(self, request: VideoRequest) -> Call:
        """Text alone, or with images as bare base64, which then give the shape."""
        start, end, model = request.start_image, request.end_image, request.model
        body: dict[str, Any] = {
            "model_name": model.upstream_id,
            "prompt": request.prompt,
            "duration": str(request.duration_seconds),
            "mode": MODES[request.resolution],
            "external_task_id": request.reference,
        }
        if request.negative_prompt:
            body["negative_prompt"] = request.negative_prompt
        if model.audio or model.always_audio:
            body["sound"] = "on" if model.always_audio or request.generate_audio else "off"
        if start:
            body["image"] = _bare(start)
        else:
            body["aspect_ratio"] = request.aspect_ratio
        if end:
            body["image_tail"] = _bare(end)
        if request.webhook_url:
            body["callback_url"] = f"{request.webhook_url}?place={_place(request)}"
        return Call("POST", f"/v1/videos/{PLACES[_place(request)]}", json=body)

    def parse_accepted(self, reply: Reply, request: VideoRequest) -> str:
        """`data.task_id`, where the code says that all is well."""
        value = _task(reply).get("task_id")
        accepted = reply.status < 300 and _code(reply) in ("", "0")
        return f"{_place(request)}:{value}" if accepted and isinstance(value, str) and value else ""

    def is_refusal(self, reply: Reply) -> bool:
        """The code tells more than the status; those from 5000 on are the server's own trouble."""
        return reply.is_refusal or (reply.status < 500 and _code(reply).startswith("1"))

    # Looks.

    def job_path(self, job_id: str) -> str:
        """Where it was ordered; an id without a place is asked about as one made from text."""
        place, _, task = job_id.rpartition(":")
        return f"{PLACES.get(place, PLACES['t2v'])}/{quote(task, safe='')}"

    def parse_status(self, reply: Reply) -> JobStatus | None:
        """The word stands in `data`."""
        word = _task(reply).get("task_status")
        if reply.status < 300 and isinstance(word, str) and word:
            status = self.status_of(word.lower(), reply)
            shown = reply.redacted.get("data")
            if status.unknown_word and status.unknown_word != self.NO_LINK and isinstance(shown, Mapping):
                status = replace(status, unknown_word=str(shown.get("task_status"))[:60])
            return status
        return self.lost(reply) if self.is_lost(reply) else None

    def is_lost(self, reply: Reply) -> bool:
        """404, or the code of a task that there is not."""
        return super().is_lost(reply) or (reply.status < 500 and _code(reply) == _UNKNOWN_TASK)

    def parse_link(self, body: Mapping[str, Any]) -> str | None:
        """The first of the clips; kept for 30 days."""
        return _link(_mapping(body.get("data")).get("task_result"))

    def has_failed(self, body: Mapping[str, Any]) -> bool:
        """One that has succeeded with a message in the place of a clip was refused."""
        return bool(_mapping(body.get("data")).get("task_status_msg")) and self.parse_link(body) is None

    @classmethod
    def parse_notice(cls, call: VendorCall, model: VideoModel) -> JobNotice | None:
        """Callback page: the task, as a look has it in `data`, and no link is taken of one that has not succeeded."""
        place, task = call.query.get("place", ""), call.body.get("task_id")
        if place not in PLACES or not isinstance(task, str) or not _IS_ID.fullmatch(task):
            return None
        done = call.body.get("task_result") if call.body.get("task_status") == "succeed" else None
        return JobNotice(f"{place}:{task}", _link(done))

    # The list.

    def lookup_call(self, request: VideoRequest, *, since: datetime, until: datetime, page: str) -> Call:
        """First the task of our own id; then, to be sure that it is not there, the whole list."""
        if not page:
            return self.status_call(f"{_place(request)}:{request.reference}")
        query: dict[str, str | int] = {"pageNum": int(page), "pageSize": TASKS_A_PAGE}
        path = f"/v1/videos/{PLACES[_place(request)]}"
        return Call("GET", path, params=query, max_reply_bytes=LARGEST_LIST_BYTES)

    def parse_list(self, reply: Reply, request: VideoRequest, *, since: datetime, until: datetime) -> ListPage | None:
        """Only the task with our id is ours; one that shows none may be."""
        if self.is_lost(reply) and _code(reply):  # a page of something else that is 404 tells nothing
            return ListPage(next_page="1")
        data = (reply.body or {}).get("data")
        if reply.status != 200 or _code(reply) not in ("", "0"):
            return None
        if isinstance(data, Mapping):
            found = self._listed(data, request)
            return ListPage([found]) if found else None
        if not isinstance(data, list):
            return None
        jobs = [self._listed(item, request) for item in data]
        if not all(jobs):
            return None
        more = NEXT_NUMBER if len(data) >= TASKS_A_PAGE else ""
        return ListPage([job for job in jobs if job and job.is_ours is not False], more)

    def _listed(self, item: Any, request: VideoRequest) -> ListedJob | None:
        task = item.get("task_id") if isinstance(item, Mapping) else None
        if not isinstance(task, str) or not task:
            return None
        told = _mapping(item.get("task_info")).get("external_task_id")
        ours = told == request.reference if isinstance(told, str) else None
        return ListedJob(ProviderJob(f"{_place(request)}:{task}", kept.redact(item, key=self._key)), ours)

    # Errors.

    def error_codes(self, reply: Reply) -> Sequence[str]:
        """The body's `code`, a number."""
        return [code] if (code := _code(reply)) else []

    def error_text(self, reply: Reply) -> str:
        """The message of the call, and the task's own."""
        return http.texts((reply.body or {}).get("message"), _task(reply).get("task_status_msg"))

    def refused_names(self, reply: Reply) -> list[str]:
        """The fields that a message speaks of."""
        words = set(self.error_text(reply).replace("`", " ").replace("'", " ").replace(":", " ").split())
        return [name for name in self.FIELDS if name in words]

    def is_key_accepted(self, reply: Reply) -> bool:
        """Whether the question was understood."""
        return reply.status == 200 and _code(reply) == "0"


def _place(request: VideoRequest) -> str:
    return "i2v" if request.start_image else "t2v"


def _link(result: Any) -> str | None:
    videos = _list(_mapping(result).get("videos"))
    return clip_links.clip_address(*(_mapping(each).get("url") for each in videos))


def _bare(image: SourceImage) -> str:
    return base64.b64encode(image.data).decode()


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else ()


def _task(reply: Reply) -> Mapping[str, Any]:
    return _mapping((reply.body or {}).get("data"))


def _code(reply: Reply) -> str:
    value = (reply.body or {}).get("code")
    return "" if isinstance(value, bool) or not isinstance(value, int | str) else str(value)
