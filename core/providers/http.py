"""What goes to a vendor and what comes back: calls, replies read without trusting them, and what an error means.

A reply may be JSON or not and may ask for a delay; what is kept of it holds nothing of the key. It sends nothing.
"""

import email.utils
import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx

from core import errors
from core.messages import Source
from core.providers import storable
from core.providers.kept import READ_CHARS, redact, redact_text, truncate
from core.providers.transport import MAX_REPLY_BYTES, TOTAL_SECONDS, ReplyTooLarge
from core.redaction import redactor, shown_address

SEARCHED_BYTES = 50_000
"""Of a reply up to this size it is asked once whether the key is in it at all."""
MOVED = frozenset({301, 302, 307, 308})
"""HTTP statuses that say that nothing was done here, and where to ask; 303 may be the answer to what was done."""
REFUSED = frozenset({400, 401, 402, 403, 404, 405, 413, 415, 422})
"""HTTP statuses that say by themselves that nothing was accepted."""

_TRY_AGAIN = re.compile(r"try again (?:in|after)\s+(?:about\s+)?(\d{1,6})\s*(seconds?|secs?|s|minutes?|mins?)\b", re.I)


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request to a vendor: the path below its base address, and what goes along besides the key.

    `host` is another address of the vendor's own (scheme and host) that the path is below, where the key does not go;
    empty: the base address.
    """

    method: str
    path: str
    json: Mapping[str, Any] | None = None
    params: Mapping[str, str | int] | None = None
    files: Mapping[str, tuple[str, bytes, str]] | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    max_reply_bytes: int = MAX_REPLY_BYTES
    total_seconds: float = TOTAL_SECONDS
    host: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back. `body` is its JSON object as sent (None when it is none), for decisions only.

    `redacted` and `text` are the same for log and admins: without the key, long strings cut.
    `retry_after_seconds` is the Retry-After header, None without one; `moved_to` where a redirect points, as it may be
    shown. `headers` are for decisions only, too.
    """

    status: int
    body: Mapping[str, Any] | None = field(repr=False)
    redacted: Mapping[str, Any]
    text: str
    retry_after_seconds: float | None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    moved_to: str = ""

    @property
    def detail(self) -> str:
        """One line for log and admins."""
        return f"HTTP {self.status}: {self.text}"

    @property
    def status_word(self) -> str:
        """The body's `status`, in small letters; "" where it is no text, as in errors that give the HTTP number."""
        value = (self.body or {}).get("status")
        return value.lower() if isinstance(value, str) else ""

    @property
    def mistakes(self) -> list[Mapping[str, Any]]:
        """The list of a validation reply of FastAPI's kind: `detail` as objects with `loc`, `msg` and `type`."""
        found = (self.body or {}).get("detail")
        return [item for item in found if isinstance(item, Mapping)] if isinstance(found, list) else []

    @property
    def is_busy(self) -> bool:
        """Whether the status says to come back later."""
        return self.status == 429 or (self.status == 503 and self.retry_after_seconds is not None)

    @property
    def is_refusal(self) -> bool:
        """Whether the status alone says that nothing was accepted."""
        return self.status in REFUSED or self.is_busy


def read(response: httpx.Response, *, key: str) -> Reply:
    """A response whose body has been read; never raises, whatever the body is."""
    retry_after_seconds, moved_to = _retry_after(response.headers), _moved_to(response, key)
    if len(response.content) <= SEARCHED_BYTES and not redactor(key).finds(response.content.decode("utf-8", "replace")):
        key = ""  # spares looking for it in each part
    try:
        body = json.loads(response.content)
        kept = redact(body, key=key)
    except (ValueError, RecursionError):
        body = kept = None
    if not isinstance(body, dict):
        text = response.content[: 4 * READ_CHARS].decode("utf-8", "replace")
        shown = redact(text, key=key)
        return Reply(response.status_code, None, {}, shown, retry_after_seconds, response.headers, moved_to)
    text = truncate(json.dumps(kept, ensure_ascii=False))
    return Reply(response.status_code, body, kept, text, retry_after_seconds, response.headers, moved_to)


def _moved_to(response: httpx.Response, key: str) -> str:
    location = response.headers.get("location", "")
    if not response.is_redirect:
        return ""
    with suppress(httpx.InvalidURL, ValueError, RuntimeError):  # the last for a response without a request
        location = str(response.request.url.join(location))
    return storable.text(redact_text(shown_address(location), key))


def delay_in_text(text: str) -> float | None:
    """Seconds of a "try again in 5 minutes" (up to 30 minutes were seen at ModelsLab); None when it has none."""
    found = _TRY_AGAIN.search(text)
    if found is None:
        return None
    return float(found[1]) * (60 if found[2].lower().startswith("m") else 1)


def number(value: Any) -> float | None:
    """A JSON number, or one written as text, that is finite and not negative; else None."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if 0 <= found < float("inf") else None


def moment(value: Any) -> datetime | None:
    """A moment written as text (ISO 8601); None for what is none, or says no zone."""
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return found if found.tzinfo else None


def web_address(value: Any) -> str | None:
    """The value if it is meant as an http(s) address; else None. Whether it can be one, `storable.link` tells."""
    return value if isinstance(value, str) and value.startswith(("https://", "http://")) else None


def _retry_after(headers: httpx.Headers) -> float | None:
    """Retry-After as seconds; a date counts from the reply's own Date, since providers have no clock."""
    value = headers.get("retry-after", "")
    if (seconds := number(value)) is not None:
        return seconds
    try:
        until = email.utils.parsedate_to_datetime(value)
        return max(0.0, (until - email.utils.parsedate_to_datetime(headers.get("date", ""))).total_seconds())
    except (ValueError, TypeError):
        return None


def texts(*values: Any) -> str:
    """What several fields of an error reply say, as one text; what is no text is written as JSON."""
    return "\n".join(value if isinstance(value, str) else json.dumps(value) for value in values if value)


NOTHING_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)
"""httpx errors after which the request has surely not reached the other side."""


def broken_submit(failure: httpx.HTTPError | TimeoutError, *, key: str) -> errors.ProviderError:
    """What a broken exchange during a submit means: not sent (safe to repeat) or uncertain (never repeated)."""
    if isinstance(failure, NOTHING_SENT):
        return broken_poll(failure, key=key)
    if isinstance(failure, ReplyTooLarge):
        return errors.ReplyTooLarge(detail=_broken(failure, key))
    return errors.SubmitUncertain(detail=_broken(failure, key))


def broken_poll(failure: httpx.HTTPError | TimeoutError, *, key: str) -> errors.ProviderError:
    """What a broken exchange that orders nothing means: try again later, nothing was changed by it."""
    if isinstance(failure, ReplyTooLarge):
        return errors.ReplyTooLarge(detail=_broken(failure, key))
    if isinstance(failure, httpx.DecodingError):
        return errors.UnreadableReply(detail=_broken(failure, key))
    return errors.ProviderUnavailable(detail=_broken(failure, key))


def _broken(failure: Exception, key: str) -> str:
    return storable.text(redact_text(repr(failure), key))


@dataclass(frozen=True, slots=True)
class ErrorFacts:
    """What rules look at: an error reply, its sentences as one text, its machine-readable codes, the delay it asks.

    `names` are the vendor's own of the input fields it is about.
    """

    reply: Reply
    text: str = ""
    codes: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    delay_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """A test of an error reply; conditions combine with `&`, `|` and `~`."""

    holds: Callable[[ErrorFacts], bool]

    def __and__(self, other: "Condition") -> "Condition":
        return Condition(lambda facts: self.holds(facts) and other.holds(facts))

    def __or__(self, other: "Condition") -> "Condition":
        return Condition(lambda facts: self.holds(facts) or other.holds(facts))

    def __invert__(self) -> "Condition":
        return Condition(lambda facts: not self.holds(facts))


def status(*numbers: int) -> Condition:
    """The HTTP status is one of these."""
    return Condition(lambda facts: facts.reply.status in numbers)


def text(pattern: str) -> Condition:
    """What the reply says matches, in capitals or not."""
    compiled = re.compile(pattern, re.I)
    return Condition(lambda facts: compiled.search(facts.text) is not None)


def code(pattern: str) -> Condition:
    """One of its codes is this from beginning to end."""
    compiled = re.compile(pattern)
    return Condition(lambda facts: any(compiled.fullmatch(found) for found in facts.codes))


def about(name: str) -> Condition:
    """It is about the vendor's field of this name."""
    return Condition(lambda facts: name in facts.names)


HAS_CODE = Condition(lambda facts: bool(facts.codes))
HAS_DELAY = Condition(lambda facts: facts.delay_seconds is not None)
HAS_MISTAKES = Condition(lambda facts: bool(facts.reply.mistakes))
IS_JSON = Condition(lambda facts: facts.reply.body is not None)
IS_BUSY = Condition(lambda facts: facts.reply.is_busy)


@dataclass(frozen=True, slots=True)
class Rule:
    """One row: what an error reply means when the condition holds; `field` is ours, where that is always the same."""

    when: Condition
    error: type[errors.ProviderError]
    sentence: Source | None = None
    field: str | None = None


ABOUT_US = (errors.BadKey, errors.ProviderOutOfCredits, errors.ProviderRateLimited)
"""Meanings that a look may have: they concern our account and not the job."""


class ErrorRules:
    """Rows in the order they are tried; the first that holds is the meaning."""

    def __init__(self, *rules: Rule) -> None:
        self._rules = rules

    def first(
        self, facts: ErrorFacts, *, among: tuple[type[errors.ProviderError], ...] = (errors.ProviderError,)
    ) -> Rule | None:
        """The first row that holds, of those with one of these meanings; None where there is none."""
        return next((rule for rule in self._rules if issubclass(rule.error, among) and rule.when.holds(facts)), None)

    def __add__(self, other: "ErrorRules") -> "ErrorRules":
        return ErrorRules(*self._rules, *other._rules)


ACCOUNT_RULES = (
    Rule(IS_BUSY, errors.ProviderRateLimited),
    Rule(status(402), errors.ProviderOutOfCredits),
    Rule(status(401), errors.BadKey),
)
"""What is about us and says more than any text; a vendor whose texts are matched puts them in front of its own rows."""

DEFAULT_RULES = ErrorRules(
    *ACCOUNT_RULES,
    Rule(status(404) & IS_JSON, errors.ModelUnavailable),
    Rule(status(403), errors.BadKey),
    Rule(status(400, 413, 415, 422), errors.InvalidInput),
)
"""What a refusal means by its HTTP status, where no row of the vendor's says otherwise."""
