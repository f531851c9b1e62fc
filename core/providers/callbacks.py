"""Addresses that vendors call when a job has moved; a call makes us look sooner, and may tell which job it is.

Each generation has an address of its own that carries our signature, which nobody can guess. Where the vendor signs
its calls, too, one that is not signed is not read (`core.generations.call_keys`). Looks stay the truth: a call that
never comes, comes twice or comes late changes nothing.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from core import config, errors, signing
from core.providers import kept, storable
from core.providers.contract import LINK_AT_PROVIDER, Provider
from core.providers.models import VideoModel
from core.providers.vendor_calls import JobNotice, VendorCall

CALLBACK_PATH = f"{config.API_PATH}/hooks"
"""Where the API takes the calls."""

SIGNATURE_CHARS = 24
"""144 bits: enough that nobody guesses it, and short enough for a vendor's field."""


def callback_url(public_url: str, generation_id: str, *, secret: bytes) -> str:
    """The address a vendor is given for one generation; empty when the installation cannot be reached from outside."""
    if not public_url:
        return ""
    signature = signing.signature(_said(generation_id), secret)[:SIGNATURE_CHARS]
    return f"{public_url.rstrip('/')}{CALLBACK_PATH}/{generation_id}/{signature}"


def check(generation_id: str, signature: str, *, secrets: Sequence[bytes]) -> None:
    """Return if `callback_url` made this with one of the secrets; else NotFound, which says nothing of what exists."""
    if not signing.is_signed(_said(generation_id), signature, secrets, chars=SIGNATURE_CHARS):
        raise errors.NotFound


def received(raw: bytes, *, headers: Mapping[str, str], query: Mapping[str, str]) -> VendorCall:
    """A call as it came; one whose body is no JSON object has an empty one."""
    return VendorCall(_told(raw), raw, {name.lower(): value for name, value in headers.items()}, dict(query))


def read_notice(provider: type[Provider], model: VideoModel, call: VendorCall, *, key: str) -> JobNotice | None:
    """What a call of a vendor tells, made fit to be stored; None when it tells nothing that can be used."""
    notice = provider.parse_notice(call, model)
    if notice is None or storable.job_id(notice.job_id) is None:
        return None
    link = notice.video_url
    if link is not None and (link.startswith("data:") or kept.redact_text(link, key) != link):
        return JobNotice(notice.job_id, LINK_AT_PROVIDER)
    return JobNotice(notice.job_id, storable.link(link))


def _told(raw: bytes) -> Mapping[str, Any]:
    """A call's JSON object; empty for what is none."""
    try:
        told = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _said(generation_id: str) -> str:
    return f"hook\n{generation_id}"
