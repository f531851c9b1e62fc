"""Finds the way to a clip in a vendor's reply: an address, or the clip itself, written as text."""

import base64
import re
from typing import Any

import httpx

from core.providers import storable
from core.providers.http import web_address


def clip_address(*values: Any) -> str | None:
    """The first value that leads to a clip: a usable http(s) address, else a data URL, else one meant as an address."""
    for leads in (storable.link, _data_url, web_address):
        if found := next(filter(None, map(leads, values)), None):
            return found
    return None


def is_at(address: str, *places: str) -> bool:
    """Whether an address has the scheme, host and port of one of these; False for what cannot be one."""
    try:
        found, *known = (httpx.URL(each) for each in (address, *places))
    except httpx.InvalidURL:
        return False
    return any((found.scheme, found.host, found.port) == (each.scheme, each.host, each.port) for each in known)


def clip_in_text(value: Any) -> str | None:
    """A data URL of a text that is a whole video in base64; None for any other value."""
    if not isinstance(value, str) or len(value) < _HEAD_CHARS or not _starts_a_video(value[:_HEAD_CHARS]):
        return None
    return f"data:;base64,{value}"


def _data_url(value: Any) -> str | None:
    return value if isinstance(value, str) and _DATA_URL.match(value) else None


_DATA_URL = re.compile(r"data:(video/|application/(octet-stream|mp4))?[^,]{0,100},.", re.I)
_HEAD_CHARS = 16


def _starts_a_video(text: str) -> bool:
    """Whether base64 begins with a box of MP4 or with the mark of Matroska and WebM."""
    try:
        head = base64.b64decode(text, altchars=b"-_" if "-" in text or "_" in text else None)
    except ValueError:
        return False
    return head[4:8] in (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide") or head.startswith(b"\x1a\x45\xdf\xa3")
