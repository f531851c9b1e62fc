"""Makes of a fetched file what is delivered: playable everywhere, marked where that is wished, signed last.

Whatever goes wrong with mark or signature is told and keeps no paid clip back.
"""

import hashlib
import logging
import threading
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from core import errors, installation
from core.db import availability
from core.db.tables import Generation
from core.files import content_credentials
from core.files.content_credentials import NotSigned, Provenance, Unsigned
from core.files.credentials_report import Report
from core.files.signing_certificate import UnusableKey
from core.generations import signing_keys
from core.providers import registry
from core.providers.contract import VideoFacts

if TYPE_CHECKING:
    from core.files.video_presentation import Presentation

log = logging.getLogger(__name__)

SUFFIXES = (".safe.mp4", ".marked.mp4", ".signed.mp4")
"""What may lie beside the fetched file while it is worked on."""
_EXAMINING = threading.Lock()
_RE_ENCODING = threading.Lock()
"""One at a time, since FFmpeg takes up to a gigabyte; who need not be re-encoded waits for no one who must."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A file to deliver, with its poster (WebP) and what was found in it.

    `key` is the same for every time that the same file is fetched for the same clip, though each signature is another.
    `report` is None for one that is not signed, and `unsigned` then says why. `is_unmarked` is whether a mark that was
    wished is not there.
    """

    path: Path
    key: str
    sha256: str
    facts: VideoFacts
    poster: bytes
    report: Report | None
    unsigned: Unsigned | None
    is_unmarked: bool


def prepare(row: Generation, fetched: Path, *, sha256: str, installation_id: str, now: datetime) -> Delivery:
    """What is to be delivered of a fetched file with this SHA-256, beside it on the disk.

    Raises errors.MediaRejected for what is no video that can be shown, errors.StorageUnavailable, and the database's
    own errors while it is away.
    """
    from core.files import video_derivatives, video_probe  # large, and only this needs them

    path, content_sha256, is_marked = fetched, sha256, False
    with _EXAMINING:
        facts, shown = video_probe.examine(fetched)
    is_safe = facts.web_safe and facts.container == "mp4"
    if row.visible_mark:
        marked = _marked(row, fetched, facts, is_safe=is_safe)
        if marked is not None:
            path, facts, shown, is_marked = *marked, True
    if not is_marked and not is_safe:
        path = fetched.with_suffix(".safe.mp4")
        with _RE_ENCODING:
            video_derivatives.make_web_safe(fetched, path)
        with _EXAMINING:
            facts, shown = video_probe.examine(path)
    with _EXAMINING:
        poster = video_derivatives.poster(path, shown)
    if path != fetched:
        content_sha256 = _digest(path)
    provenance = Provenance(
        generation_id=row.id,
        installation_id=installation_id,
        provider=registry.provider_class(row.provider).display_name,
        model_id=row.model_id,
        model_name=row.model_name,
        made_at=now,
        is_ai=registry.provider_class(row.provider).uses_ai,
        is_re_encoded=path != fetched,
        is_marked=is_marked,
    )
    delivery = Delivery(
        path=path,
        key=content_sha256[:16],
        sha256=content_sha256,
        facts=facts,
        poster=poster,
        report=None,
        unsigned=None,
        is_unmarked=row.visible_mark and not is_marked,
    )
    try:
        return _signed(delivery, fetched, provenance)
    except NotSigned as failure:
        log.warning("%s is delivered without content credentials: %s", row.id, failure)
        return replace(delivery, unsigned=failure.reason)


def clean_up(fetched: Path) -> None:
    """Remove the fetched file and everything that was made of it."""
    for path in (fetched, *(fetched.with_suffix(suffix) for suffix in SUFFIXES)):
        path.unlink(missing_ok=True)


def _marked(
    row: Generation, fetched: Path, facts: VideoFacts, *, is_safe: bool
) -> "tuple[Path, VideoFacts, Presentation] | None":
    """The file with the visible mark, its facts and how it is shown; None when it cannot be put in."""
    from core.files import video_derivatives, video_probe

    path = fetched.with_suffix(".marked.mp4")
    try:
        with _RE_ENCODING:
            if is_safe:
                video_derivatives.put_mark(fetched, path)
            else:
                video_derivatives.make_web_safe(fetched, path, marked=True)
        with _EXAMINING:
            found, shown = video_probe.examine(path)
    except Exception:
        log.exception("%s is delivered without the visible mark", row.id)
        with suppress(OSError):
            path.unlink(missing_ok=True)
        return None
    if not found.web_safe or abs(found.duration_seconds - facts.duration_seconds) > _SAME_SECONDS:
        log.warning("%s is delivered without the visible mark: with it, it is %s", row.id, found)
        return None
    return path, found, shown


_SAME_SECONDS = 0.25
"""So much longer or shorter may a file be for its mark."""


def _signed(delivery: Delivery, fetched: Path, provenance: Provenance) -> Delivery:
    """The delivery with a signed file. Raises NotSigned, and the database's own errors while it is away."""
    from core.files import video_probe

    path = fetched.with_suffix(".signed.mp4")
    here = installation.current()
    try:
        key = signing_keys.for_signing(here.database, here.settings)
        with _EXAMINING:
            report = content_credentials.sign(delivery.path, path, provenance, key, fetched=fetched)
            facts = video_probe.verify(path)
        sha256 = _digest(path)
    except UnusableKey as broken:
        raise NotSigned(Unsigned(broken.reason), broken.detail) from broken
    except errors.StorageUnavailable as full:
        raise NotSigned(Unsigned.NO_ROOM, full.detail) from full
    except NotSigned:
        raise
    except Exception as failure:
        if availability.is_away(failure):
            raise
        log.exception("signing %s broke", provenance.generation_id)
        raise NotSigned(Unsigned.FAILED, repr(failure)) from failure
    if facts != replace(delivery.facts, size_bytes=facts.size_bytes):
        raise NotSigned(Unsigned.FAILED, f"signed, the file is another one: {facts}")
    return replace(delivery, path=path, facts=facts, sha256=sha256, report=report)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
