"""Addresses that vendors call when a job has moved; a call only makes us look sooner, so nothing it says is trusted.

Each generation has an address of its own that carries our signature, which nobody can guess; that does for every
vendor what their own signatures (or the lack of them) would do, without keeping their secrets. Polling stays the
truth: a call that never comes, comes twice or comes late changes nothing.
"""

import base64
import hashlib
import hmac

from core import errors

HOOK_PATH = "/api/apps/video-generator/hooks"
"""Where the API takes the calls."""


def address(public_url: str, generation_id: str, *, secret: bytes) -> str:
    """The address a vendor is given for one generation; empty when the installation cannot be reached from outside."""
    if not public_url:
        return ""
    return f"{public_url.rstrip('/')}{HOOK_PATH}/{generation_id}/{_signature(generation_id, secret)}"


def check(generation_id: str, signature: str, *, secret: bytes) -> None:
    """Return if `address` made this; else NotFound, which says nothing about what exists."""
    if not hmac.compare_digest(_signature(generation_id, secret).encode(), signature.encode("utf-8", "replace")):
        raise errors.NotFound


def _signature(generation_id: str, secret: bytes) -> str:
    digest = hmac.digest(secret, b"hook\n" + generation_id.encode("utf-8", "replace"), hashlib.sha256)
    return base64.urlsafe_b64encode(digest[:18]).decode()
