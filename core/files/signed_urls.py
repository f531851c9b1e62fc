"""Short-lived signed links to stored files, for `<img>`, `<video>` and downloads, which cannot send a token; pure.

A link is `MEDIA_PATH/<key>?e=<expiry>&s=<signature>[&t=<API token's id>][&n=<download name>]`. Whoever has it may read
that one file until it expires, so links are made only for files the person may see. Where people sign in, a link that
was made for an API token ends with it, too, and any other needs the session of a browser beside it.
"""

import base64
import uuid
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from urllib.parse import quote_plus, urlencode

from core import config, errors, signing
from core.files import storage
from core.messages import message

MEDIA_PATH = f"{config.API_PATH}/media"
"""Where the app serves stored files."""

ARCHIVE_PATH = f"{config.API_PATH}/clips.zip"
"""Where the app packs several clips into one file."""

AHEAD = "a"
"""Behind a link that a page loads before anybody looks, so that it does not count as opened; no part of what is signed,
since it lets nobody see more."""

REFUSAL = message("link_expired")


def sign(
    key: str,
    *,
    secret: bytes,
    now: datetime,
    lifetime_seconds: int = 3600,
    download_name: str | None = None,
    token_id: str | None = None,
) -> str:
    """A path with query that `check` accepts for at least `lifetime_seconds`.

    With `download_name` the browser saves the file under that name instead of showing it; with `token_id` the link is
    that API token's. ValueError for a bad key.
    """
    return _signed(key, signing.expiry(now, lifetime_seconds), secret, download_name, token_id)


@lru_cache(maxsize=10_000)  # the same for a quarter of an hour, and asked for by each page that shows the picture
def _signed(key: str, expires: int, secret: bytes, download_name: str | None, token_id: str | None) -> str:
    storage.media_type_of(key)
    said = _said(key, expires, download_name, token_id)
    link = f"{MEDIA_PATH}/{key}?e={expires}&s={signing.signature(said, secret)}"
    link = f"{link}&t={quote_plus(token_id)}" if token_id else link
    return f"{link}&n={quote_plus(download_name)}" if download_name else link


def check(
    key: str,
    expires: int,
    signature: str,
    download_name: str | None,
    *,
    secrets: Sequence[bytes],
    now: datetime,
    token_id: str | None = None,
) -> None:
    """Return if `sign` made this link with one of the secrets and it has not expired; else raise errors.Forbidden."""
    said = _said(key, expires, download_name, token_id)
    if not signing.is_signed(said, signature, secrets) or now.timestamp() >= expires:
        raise errors.Forbidden(REFUSAL)


def sign_archive(
    user_id: str, ids: Sequence[str], *, secret: bytes, now: datetime, lifetime_seconds: int = 3600
) -> str:
    """A path with query that `check_archive` accepts for at least `lifetime_seconds`: these clips of this person."""
    expires = signing.expiry(now, lifetime_seconds)
    packed = b"".join(uuid.UUID(id_).bytes for id_ in ids)  # 22 characters an id in place of 37
    clips = base64.urlsafe_b64encode(packed).rstrip(b"=").decode()
    query = {
        "u": user_id,
        "c": clips,
        "e": str(expires),
        "s": signing.signature(_archive_said(user_id, clips, expires), secret),
    }
    return f"{ARCHIVE_PATH}?{urlencode(query)}"


def check_archive(
    user_id: str, clips: str, expires: int, signature: str, *, secrets: Sequence[bytes], now: datetime
) -> Sequence[str]:
    """The ids of the clips of a link that `sign_archive` made and that has not expired; else errors.Forbidden."""
    said = _archive_said(user_id, clips, expires)
    if not signing.is_signed(said, signature, secrets) or now.timestamp() >= expires:
        raise errors.Forbidden(REFUSAL)
    packed = base64.urlsafe_b64decode(clips + "=" * (-len(clips) % 4))
    return [str(uuid.UUID(bytes=packed[start : start + 16])) for start in range(0, len(packed), 16)]


def _archive_said(user_id: str, clips: str, expires: int) -> str:
    return f"archive-link\n{user_id}\n{clips}\n{expires}"


def _said(key: str, expires: int, download_name: str | None, token_id: str | None) -> str:
    """All that the link says; the name comes last as it may hold anything."""
    kind = f"media-link-of-token\n{token_id}" if token_id else "media-link"
    return f"{kind}\n{key}\n{expires}\n{download_name or ''}"
