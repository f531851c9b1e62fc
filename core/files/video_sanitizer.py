"""Takes in a short video that a person uploads: refuses what is not one, and keeps only its pictures and sound.

What comes out is an MP4 of our own making, so places, names and whatever else stands in the file get no further than
this module. It decodes nothing itself: that is done in a process of its own.
"""

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core import errors
from core.files import isolated
from core.messages import message

MAX_UPLOAD_BYTES = 32 * 1024 * 1024
MIN_SECONDS, MAX_SECONDS = 1, 15
"""What vendors take as a reference."""
MAX_SIDE = 2048

MEMORY_BYTES = 4 * 1024**3
SECONDS = 180
"""What decoding and encoding one may take; 15 seconds in Full HD take about ten on one core."""
_LATE_SECONDS = 0.5
"""So much longer than it should be a file may be without anybody noticing."""


@dataclass(frozen=True, slots=True)
class CleanVideo:
    """An upright H.264 MP4 without metadata, and a still picture of it (WebP)."""

    data: bytes = field(repr=False)
    poster: bytes = field(repr=False)
    width: int
    height: int
    seconds: float


def clean(data: bytes) -> CleanVideo:
    """Check an upload and make a clean video of it.

    Raises errors.TooLarge beyond `MAX_UPLOAD_BYTES`; errors.MediaRejected as `video_probe.verify`, and for what is too
    wide (`too_many_pixels`), `too_long` or `too_short`; errors.RateLimited when too many others wait.
    """
    if not data:
        raise errors.MediaRejected(message("file_empty"), reason="empty")
    if len(data) > MAX_UPLOAD_BYTES:
        raise errors.TooLarge(message("video_too_large", limit_mb=MAX_UPLOAD_BYTES // 1024**2))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / _GIVEN).write_bytes(data)
        work = "core.files.video_sanitizer:work"
        facts, poster = isolated.run(work, os.fsencode(folder), memory_bytes=MEMORY_BYTES, seconds=SECONDS)
        return CleanVideo((folder / _MADE).read_bytes(), poster, facts["width"], facts["height"], facts["seconds"])


def work(folder: bytes) -> tuple[Mapping[str, Any], bytes]:
    """Clean what was given in a folder of this name, as `core.files.isolated` runs it; answers with the still."""
    from core.files import video_derivatives, video_probe  # FFmpeg, which is loaded in a process of its own alone

    given, made = Path(os.fsdecode(folder)) / _GIVEN, Path(os.fsdecode(folder)) / _MADE
    try:
        facts = video_probe.verify(given)
    except errors.MediaRejected as refusal:
        raise errors.MediaRejected(message("video_format"), reason=refusal.reason, detail=refusal.detail) from refusal
    if max(facts.width, facts.height) > MAX_SIDE:
        too_wide = message("video_too_wide", width=facts.width, height=facts.height, limit=MAX_SIDE)
        raise errors.MediaRejected(too_wide, reason="too_many_pixels")
    check_seconds(facts.duration_seconds, at_least=MIN_SECONDS, at_most=MAX_SECONDS)
    video_derivatives.make_web_safe(given, made)
    facts = video_probe.verify(made)
    check_seconds(facts.duration_seconds, at_least=MIN_SECONDS, at_most=MAX_SECONDS)
    shown = {"width": facts.width, "height": facts.height, "seconds": facts.duration_seconds}
    return shown, video_derivatives.poster(made)


def check_seconds(seconds: float, *, at_least: float, at_most: float) -> None:
    """Return for a length within the bounds, else raise errors.MediaRejected."""
    if seconds > at_most + _LATE_SECONDS:
        raise errors.MediaRejected(message("video_too_long", seconds=seconds, limit=at_most), reason="too_long")
    if seconds < at_least:
        raise errors.MediaRejected(message("video_too_short", seconds=seconds, limit=at_least), reason="too_short")


_GIVEN, _MADE = "given", "made.mp4"
