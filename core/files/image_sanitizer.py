"""Takes in an image a person uploads: refuses what is not one, and keeps nothing of the file but its pixels.

What comes out is a JPEG of our own making, so metadata, places, scripts behind the picture and files that are two
things at once cannot get further than this module. It decodes nothing itself: that is done in a process of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core import errors
from core.files import isolated
from core.messages import Message, message

MAX_UPLOAD_BYTES = 10 * 1024 * 1024
MAX_PIXELS = 40_000_000
MAX_SIDE = 4096
MIN_SIDE = 32

MEMORY_BYTES = 1024**3
"""What decoding one image may take; one of `MAX_PIXELS` takes 200 to 400 MB, as WebP up to 700 (measured)."""
SECONDS = 60


@dataclass(frozen=True, slots=True)
class CleanImage:
    """An upright sRGB JPEG without metadata; `notes` are sentences on what was changed, for the person."""

    data: bytes = field(repr=False)
    width: int
    height: int
    notes: tuple[Message, ...] = ()

    def facts(self) -> Mapping[str, Any]:
        """All but the data, as JSON."""
        return {"width": self.width, "height": self.height, "notes": [note.to_json() for note in self.notes]}

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any], data: bytes) -> "CleanImage":
        """An image from its `facts` and its data."""
        notes = tuple(filter(None, (Message.from_json(note) for note in facts["notes"])))
        return cls(data, facts["width"], facts["height"], notes)


def clean(data: bytes) -> CleanImage:
    """Check an upload and make a clean image of it.

    What stands beside the pixels and cannot be read is left out with a note. Raises errors.TooLarge beyond
    `MAX_UPLOAD_BYTES`, else errors.MediaRejected with the reason `empty`, `svg`, `html`, `not_an_image`,
    `unsupported_format`, `too_many_pixels`, `too_small`, `animated`, `damaged` (pixels are missing) or `unreadable`;
    errors.RateLimited when too many others wait.
    """
    if not data:
        raise errors.MediaRejected(message("file_empty"), reason="empty")
    if len(data) > MAX_UPLOAD_BYTES:
        raise errors.TooLarge(message("image_too_large", limit_mb=MAX_UPLOAD_BYTES // 1024**2))
    _refuse_markup(data)
    facts, jpeg = isolated.run("core.files.image_cleaning:work", data, memory_bytes=MEMORY_BYTES, seconds=SECONDS)
    return CleanImage.from_facts(facts, jpeg)


def _refuse_markup(data: bytes) -> None:
    """Text that a browser might run, under whatever name it came."""
    start = data[:1024].lstrip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n").lower()
    if not start.startswith(b"<"):
        return
    if b"<svg" in data[:4096].lower():
        raise errors.MediaRejected(message("image_is_svg"), reason="svg")
    raise errors.MediaRejected(message("image_is_html"), reason="html")
