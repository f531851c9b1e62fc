"""Short-lived signed tokens by which an element of a page speaks for its person, who has no API token to send."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from core import errors, signing

LIFETIME_SECONDS = 3600


class Holder(NamedTuple):
    """Whose token it is, where they are at work, in which language, and by which session of a browser.

    The session is empty where nobody signs in; else the token ends with it, which whoever checks it has to ask.
    """

    user_id: str
    workspace_id: str
    language: str
    session_id: str


def sign(purpose: str, holder: Holder, *, secret: bytes, now: datetime) -> str:
    """A token of an hour for one purpose; it is good for no other."""
    said = ".".join((str(signing.expiry(now, LIFETIME_SECONDS)), *holder))
    return f"{said}.{signing.signature(_signed(purpose, said), secret)}"


def check(purpose: str, token: str, *, secrets: Sequence[bytes], now: datetime) -> Holder:
    """Who has a token that `sign` made for this purpose; Unauthorized for others and when it is over."""
    said, _, signature = token.rpartition(".")
    if not signing.is_signed(_signed(purpose, said), signature, secrets):
        raise errors.Unauthorized
    expires, *holder = said.split(".")
    if now.timestamp() >= int(expires):
        raise errors.Unauthorized
    return Holder(*holder)


def _signed(purpose: str, said: str) -> str:
    return f"{purpose}\n{said}"
