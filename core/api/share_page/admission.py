"""What a browser keeps after the right password: a signed cookie that opens one link, dies with it and within hours."""

from collections.abc import Sequence
from datetime import datetime

from core import signing
from core.generations.share_visits import SharedSet

COOKIE = "share"
LIFETIME_SECONDS = 12 * 3600


def admission(shared: SharedSet, *, secret: bytes, now: datetime) -> str:
    """The value of the cookie for who knew the password."""
    expires = int(now.timestamp()) + LIFETIME_SECONDS
    return f"{expires}.{signing.signature(_said(shared, expires), secret)}"


def is_admitted(shared: SharedSet, cookie: str, *, secrets: Sequence[bytes], now: datetime) -> bool:
    """Whether a link needs no password of this browser: it has none, or the browser has shown it."""
    if shared.password_hash is None:
        return True
    expires, _, signature = cookie.partition(".")
    if not (expires.isascii() and expires.isdigit() and len(expires) < 16):
        return False
    return now.timestamp() < int(expires) and signing.is_signed(_said(shared, int(expires)), signature, secrets)


def _said(shared: SharedSet, expires: int) -> str:
    return f"share-link\n{shared.link_id}\n{shared.password_hash}\n{expires}"
