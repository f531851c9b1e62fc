import html
import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import httpx
import pytest

from core.providers import http

KEY = "key-of-the-test"


def _read(content: bytes, status: int = 200, **headers: str) -> http.Reply:
    return http.read(httpx.Response(status, content=content, headers=headers), key=KEY)


@pytest.mark.parametrize(
    "content", [b"", b"<html>", b"[1]", b"\xff\xfe", b"[" * 100_000, b'{"a":' * 900 + b"1" + b"}" * 900]
)
def test_read_when_the_body_is_no_usable_object(content: bytes) -> None:
    """Whatever a body is, reading it never raises, and what is no usable JSON object counts as none."""
    assert _read(content).body is None


def test_kept_holds_neither_the_key_nor_what_a_database_refuses() -> None:
    """The kept form has no key (in names or values), no NUL, no lone surrogate, no NaN, no string that is a file."""
    body = {KEY: [f"a {KEY} b"], "nul": "a\x00b", "half": "\ud800", "nan": float("nan"), "file": "A" * 10_000}
    answer = _read(json.dumps(body).encode())
    kept = json.dumps(dict(answer.redacted), allow_nan=False, ensure_ascii=False)
    assert KEY not in kept + answer.detail
    assert "\x00" not in kept
    assert kept.encode()
    assert len(kept) < 3000
    assert answer.body is not None
    assert answer.body["file"] == "A" * 10_000  # decisions are made on what was sent


@pytest.mark.parametrize(
    "written",
    [quote, quote_plus, html.escape, lambda key: quote(key, safe="").lower(), lambda key: json.dumps(key)[1:-1]],
)
def test_a_key_is_found_however_it_is_escaped(written: Callable[[str], str]) -> None:
    """A key with marks in it is blacked out as a whole where an address, a page or JSON text has it escaped."""
    key = 'id:a+b/c=<d>&"e'
    answer = http.read(httpx.Response(502, content=f"<html>look?key={written(key)}&page=2".encode()), key=key)
    assert answer.text == "<html>look?key=***&page=2"


def test_text_of_a_page_is_cut_and_has_no_key() -> None:
    """A body that is not JSON is kept as the beginning of its text, without the key even where the cut falls."""
    answer = _read(f"<html>{KEY}".encode() + b"x" * 100_000)
    assert KEY not in answer.detail
    assert len(answer.detail) < 3000


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "17"}, 17),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:30 GMT", "date": "Wed, 21 Oct 2026 07:28:00 GMT"}, 30),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:30 GMT"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-3"}, None),
        ({}, None),
    ],
)
def test_retry_after_header(headers: dict[str, str], seconds: float | None) -> None:
    """Retry-After is read as seconds or as a date against the reply's own Date (RFC 9110, 10.2.3)."""
    assert _read(b"{}", 429, **headers).retry_after_seconds == seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Please try again in 30 minutes.", 1800),
        ("try again in 1 minute", 60),
        ("Too many requests, Try again after 45 seconds", 45),
        ("Please try again later", None),
        ("", None),
    ],
)
def test_delay_in_text(text: str, seconds: float | None) -> None:
    """Only a stated delay counts: a bare "try again later" is what vendors say about any failure."""
    assert http.delay_in_text(text) == seconds
