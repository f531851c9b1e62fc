"""Answers that any vendor may give, whatever it documents: broken networks, gateways, redirects, careless echoes."""

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import httpx

from core import errors
from core.providers.testing.script import BASE_URL, FOREIGN, KEY, Answer, Answers
from core.providers.testing.stage import Played, leaks

GATEWAY = "<html><head><title>502 Bad Gateway</title></head></html>"
NEVER_SENT: Sequence[Exception] = [
    failure(f"broken while {KEY} was on its way")
    for failure in (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
]
SENT_AND_LOST: Sequence[Exception] = [
    failure(f"broken while {KEY} was on its way")
    for failure in (
        httpx.ReadTimeout,
        httpx.WriteTimeout,
        httpx.ReadError,
        httpx.WriteError,
        httpx.CloseError,
        httpx.RemoteProtocolError,
        TimeoutError,
    )
]
NO_OBJECT = [Answer(200, text=text) for text in ("", "<html>", "[]", "null", "17", '{"status": ')] + [Answer(200, {})]
OUTAGES = [
    *(Answer(status, text=GATEWAY) for status in (500, 502, 503, 504, 520, 524)),
    Answer(500, {}),
    Answer(500, {"detail": "Internal Server Error"}),
    Answer(500, {"message": "Server Error"}),
    Answer(504, {"message": "Endpoint request timed out"}),
    Answer(502, {"status": "Bad Gateway"}),
]
MOVED, SEE_OTHER = (
    [
        Answer(status, headers={"Location": target}, text="")
        for status in statuses
        for target in (f"{FOREIGN}/v1/jobs", f"{BASE_URL}/v1/jobs", "/v1/jobs", "https://[", "")
    ]
    for statuses in ((301, 302, 307, 308), (303,))
)
"""Redirects: nothing was done here; and one that may be the answer to what was done (RFC 9110, 15.4.4)."""
REDIRECTS = MOVED + SEE_OTHER
BUSY = [
    Answer(429, {}, headers={"Retry-After": "17"}),
    Answer(429, text=GATEWAY, headers={"Retry-After": "17"}),
    Answer(503, {}, headers={"Retry-After": "17"}),
    Answer(503, text=GATEWAY, headers={"Retry-After": "17"}),
]
OF_A_LOOK = (
    errors.BadKey,
    errors.ProviderOutOfCredits,
    errors.ProviderRateLimited,
    errors.ProviderUnavailable,
    errors.UnreadableReply,
    errors.ReplyTooLarge,
    errors.ProviderMoved,
)
"""What a look, a stop or a search may raise; a job that failed is none of it."""


def raised(played: Played, *expected: type[errors.ProviderError], after: object) -> errors.ProviderError:
    """The error of an exchange, which must be exactly one of these."""
    names = " or ".join(each.__name__ for each in expected)
    assert isinstance(played.error, errors.ProviderError), f"{after}: {played.result!r} instead of {names}"
    assert type(played.error) in expected, f"{after}: {played.error!r} instead of {names}"
    return played.error


def changed(answer: Answer, change: Any) -> Answer:
    """An answer with every value of its JSON passed through `change`."""

    def walk(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: walk(item) for name, item in value.items()}
        return [walk(item) for item in value] if isinstance(value, list) else change(value)

    return Answer(answer.status, walk(answer.json), answer.text, answer.headers)


def replaced(answers: Answers, old: str, new: Any) -> list[Answer]:
    """Answers where a value stands for another, also where it is only a part of a text."""

    def change(value: Any) -> Any:
        if str(value) == old and not isinstance(value, bool):
            return new
        return value.replace(old, str(new or "")) if isinstance(value, str) else value

    return [changed(answer, change) for answer in answers]


def poisoned(answers: Answers, *, but: str = "") -> list[Answer]:
    """Answers whose addresses all lead to a foreign host, but for one."""

    def change(value: Any) -> Any:
        if isinstance(value, str) and value.startswith(("http://", "https://")) and value != but:
            return FOREIGN + "/" + value.split("/", 3)[-1]
        return value

    return [changed(answer, change) for answer in answers]


def echoing(answer: Answer) -> Answer:
    """An answer of a vendor that quotes our request: the key as it is, in addresses, as a name, in text."""
    if not isinstance(answer.json, dict):
        return Answer(answer.status, answer.json, f"{answer.text} {KEY}", answer.headers)
    said = {"url": f"{FOREIGN}/look?key={quote(KEY, safe='')}&page=2", "headers": [f"Bearer {KEY}"], KEY: {"a": KEY}}
    texts = {name: f"{value} {KEY}" for name, value in answer.json.items() if _is_prose(name, value)}
    return Answer(answer.status, answer.json | texts | {"debug": said}, answer.text, answer.headers)


def echoes(status: int) -> list[Answer]:
    """What careless vendors say with any status."""
    quoted = {"status": "error", "detail": f"no {KEY}", "message": f"no {KEY}", KEY: 1, "error": KEY}
    return [Answer(status, quoted), Answer(status, text=f"<html>{quote(KEY)} {KEY}</html>")]


def bloated(answer: Answer) -> Answer:
    """An answer with what a database refuses, and a string that is really a file."""
    odd = {"file": "A" * 100_000, "nul": "a\x00b", "half": "\ud800", "nan": float("nan")}
    return Answer(answer.status, (answer.json or {}) | odd, answer.text, answer.headers)


def assert_bounded(played: Played, *, after: object) -> None:
    """What is kept of an answer can be stored and is no file."""
    found = (played.result, played.error, getattr(played.result, "error", None))
    for each in found:
        assert len(str(getattr(each, "detail", ""))) <= 3000, f"{after}: a detail without end"
        response = getattr(each, "response", {})
        kept = json.dumps(response, allow_nan=False, ensure_ascii=False)
        assert len(kept.encode()) <= 20_000, f"{after}: a whole file is kept"
        assert "\\u0000" not in kept, f"{after}: a NUL is kept"
    assert not leaks(played.kept)


def _is_prose(name: str, value: Any) -> bool:
    return isinstance(value, str) and name in ("message", "messege", "detail", "error", "title", "logs")
