"""Makes what a vendor says fit for either database, in one place: figures, texts, addresses and ids beyond all reason.

What cannot be kept is None here; the template of the adapters decides what that means.
"""

import re
from decimal import Decimal
from typing import Any

import httpx

MOST_COST = 10**9
"""In any currency; with six places a good deal below NUMERIC(18, 6) and, in millionths, what sums of them can hold."""
LINK_LIMIT_CHARS = 16_000
JOB_ID_LIMIT_CHARS = 200
MAX_PORT = 65535

_HOST = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(%[\w.-]+)?")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_PLACES = Decimal("0.000001")


def text(value: str) -> str:
    """A text without what PostgreSQL or UTF-8 has no place for: NUL and lone surrogates."""
    return value.encode("utf-8", "replace").decode().replace("\x00", "")


def cost(amount: Decimal) -> Decimal | None:
    """An amount as the column has it; None for one that no clip can cost."""
    if not amount.is_finite() or not 0 <= amount <= MOST_COST:
        return None
    return amount.quantize(_PLACES)


def link(value: Any) -> str | None:
    """The value, if it is an http(s) address that can be asked for; else None."""
    if not isinstance(value, str) or len(value) > LINK_LIMIT_CHARS or _BAD_ESCAPE.search(value):
        return None
    try:
        url = httpx.URL(value)
        named = url.host  # a name that claims to be written in Punycode is read back here
    except (httpx.InvalidURL, ValueError):
        return None
    usable = url.scheme in ("http", "https") and named and _HOST.fullmatch(url.raw_host.decode("ascii", "replace"))
    return value if usable and (url.port or 1) <= MAX_PORT and value.isprintable() else None


def job_id(value: str) -> str | None:
    """The value, if it can be kept as the id of a job; else None."""
    return value if 0 < len(value) <= JOB_ID_LIMIT_CHARS and value.isprintable() else None
