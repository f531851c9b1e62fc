"""What the contract suite has to be told about a vendor: its answers, as its documentation shows them."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from core import errors
from core.providers.contract import JobState, ReportedCost, SourceImage

KEY = "key/of+the=test&4711"
"""Holds marks that addresses and HTML escape."""
BASE_URL = "https://own.vendor.test:8443"
FOREIGN = "https://elsewhere.example"
"""A host that is nobody's: whatever points there must not be followed."""
REFERENCE, PROMPT, NEGATIVE = "01JREFERENCE", "a lake between two hills", "heavy rain"
WEBHOOK_URL = "https://studio.example/hooks/01JREFERENCE/s"
SENT_AT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
"""When the request was sent that lookups search for."""
IMAGE = SourceImage(b"\xff\xd8\xff a small picture")
ODD_WORD = "Upscaling"
"""The status word that no vendor has; `unknown_word` uses it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer: a JSON body, or text where `json` is None."""

    status: int = 200
    json: Any = None
    text: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self) -> httpx.Response:
        """As httpx has it; JSON may hold what only a careless vendor sends."""
        content = self.text if self.json is None else json.dumps(self.json)
        return httpx.Response(self.status, content=content.encode("utf-8", "replace"), headers=dict(self.headers))


Answers = Sequence[Answer]
"""What the calls of one exchange are answered with, in order; the last one again and again."""
Answering = Answer | Answers | Exception | Callable[[httpx.Request], Answer | Exception]


@dataclass(frozen=True, slots=True)
class Listing:
    """A vendor's list of jobs, and what a search for the suite's default order must make of it.

    With `image` the order had this start image.
    """

    answer: Answering
    exact: tuple[str, ...] = ()
    candidates: tuple[str, ...] = ()
    complete: bool = True
    image: SourceImage | None = None


def bearer(sent: httpx.Request, key: str) -> bool:
    """Whether a call carries the key as most vendors want it."""
    return bool(sent.headers.get("authorization") == f"Bearer {key}")


@dataclass(frozen=True, kw_only=True)
class VendorScript:
    """One vendor. Calls are recognised by a regular expression over "METHOD /path", the path as it is sent, quoted.

    `has_key` tells whether a call carries the key where the vendor wants it. `looks_of` is where the jobs of one model
    are asked about, by model id, where that is not the same for all. `look_errors` are answers to a look that are about
    us and not the job. `vendor_id` is the vendor's own id within
    `job_id`. `under_way` and `failures` pair answers to a look with what they mean; `refusals` an answer to a submit
    that names no job with the error and our name of the field, `delays` one with the seconds it asks for. `cost` and
    `not_kept` are of `succeeded`: what the job cost, and texts that must not be stored. `cancels` pairs the answers to
    a stop (and to the look after it) with the state, for a class that `can_cancel`. `file_hosts` are the hosts, and
    those below them, that may get the key when a file is fetched, besides the base address. `same_resolution` names
    models that make every resolution from the same order. `model_list` is an answer with the `models_listed`, by the
    vendor's ids; `unreadable_model_lists` are answers that list none. `model_shown` describes any of the models,
    `models_gone` are answers that say that there is none.
    """

    needs_key: bool = True
    has_key: Callable[[httpx.Request, str], bool] = bearer
    submits: str
    looks: str
    looks_of: Mapping[str, str] = field(default_factory=dict)
    stops: str = ""
    tries_key: str = ""
    searches: str = ""
    accepted: Answer
    job_id: str
    vendor_id: str = ""
    under_way: Sequence[tuple[Answers, JobState]]
    succeeded: Answers
    video_url: str
    unknown_word: Answers
    failures: Sequence[tuple[Answers, type[errors.ProviderError]]]
    lost: Answers
    look_errors: Sequence[tuple[Answer, type[errors.ProviderError]]] = ()
    refusals: Sequence[tuple[Answer, type[errors.ProviderError], str | None]]
    delays: Sequence[tuple[Answer, float]] = ()
    cost: ReportedCost | None = None
    not_kept: Sequence[str] = ()
    model_id: str = ""
    uploads: str = ""
    uploaded: Answer = Answer()
    uploaded_name: str = ""
    upload_from_bytes: int = 0
    cancels: Sequence[tuple[Answers, JobState]] = ()
    key_accepted: Answer | None = None
    key_refused: Sequence[Answer] = ()
    listings: Sequence[Listing] = ()
    unreadable_lists: Sequence[Answer] = ()
    file_hosts: tuple[str, ...] = ()
    file_needs_key: bool = False
    takes_webhooks: bool = True
    same_resolution: frozenset[str] = frozenset()
    lists_models: str = ""
    model_list: Answer | None = None
    models_listed: Sequence[str] = ()
    unreadable_model_lists: Sequence[Answer] = ()
    looks_up_models: str = ""
    model_shown: Answer | None = None
    models_gone: Sequence[Answer] = ()
