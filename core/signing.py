"""Signs what an address or a short-lived token says, so that nobody else can say it; pure.

What is signed begins with a line that names its kind, so that the signature of one kind is none of another.
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime

STEP_SECONDS = 15 * 60
"""Expiry times are rounded up to this, so that a page drawn again carries the same links and the cache is hit."""


def signature(said: str, secret: bytes) -> str:
    """HMAC-SHA256 in base64url, 43 characters. ValueError without a secret."""
    if not secret:
        raise ValueError("signing without a secret")
    digest = hmac.digest(secret, said.encode("utf-8", "replace"), hashlib.sha256)
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def is_signed(said: str, given: str, secrets: Sequence[bytes], *, chars: int | None = None) -> bool:
    """Whether one of the secrets has made this signature, or its first `chars`; while a key changes there are two."""
    return any(is_same(signature(said, secret)[:chars], given) for secret in secrets)


def is_same(right: str, given: str) -> bool:
    """Whether a signature is the right one, in a time that tells nothing about how near it was."""
    # Compared as bytes: compare_digest refuses text with characters beyond ASCII.
    return hmac.compare_digest(right.encode(), given.encode("utf-8", "replace"))


def expiry(now: datetime, lifetime_seconds: int) -> int:
    """When something that is signed now ends, at least `lifetime_seconds` from now; seconds since 1970."""
    soonest = int(now.timestamp()) + lifetime_seconds
    return -(-soonest // STEP_SECONDS) * STEP_SECONDS
