"""Tells what container a file is by its first bytes, whatever its name and its server say; it opens nothing."""

from pathlib import Path

from core import errors
from core.messages import message

HEAD_BYTES = 4096
"""So much of a file's beginning decides."""

_FIRST_BOXES = frozenset({b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot"})
_IMAGE_BRANDS = frozenset({b"heic", b"heix", b"mif1", b"msf1", b"avif"})
_IMAGE_STARTS = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM")


def rejected(reason: str, detail: str = "") -> errors.MediaRejected:
    """The error for a broken rule, to be raised."""
    return errors.MediaRejected(message("not_a_video"), reason=reason, detail=detail)


def is_image(head: bytes) -> bool:
    """Whether a file begins as an image does."""
    is_named = head[4:8] == b"ftyp" and head[8:12] in _IMAGE_BRANDS
    return is_named or head.startswith(_IMAGE_STARTS) or head[8:12] == b"WEBP"


def container_of_file(path: Path) -> str:
    """The container of a file, by its first bytes; see `container_of`."""
    with path.open("rb") as file:
        return container_of(file.read(HEAD_BYTES))


def container_of(head: bytes) -> str:
    """`mp4`, `mov`, `webm` or `matroska`; errors.MediaRejected for any other beginning."""
    if head[4:8] in _FIRST_BOXES:
        brand = head[8:12] if head[4:8] == b"ftyp" else b"qt  "
        if brand in _IMAGE_BRANDS:
            raise rejected("image", "HEIF or AVIF")
        return "mov" if brand == b"qt  " else "mp4"
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return "webm" if b"webm" in head[:64] else "matroska"
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if not text:
        raise rejected("empty")
    if text.startswith(b"<"):
        raise rejected("html")
    if text.startswith((b"{", b"[")):
        raise rejected("json")
    if text.startswith(b"#EXTM3U"):
        raise rejected("playlist")
    if is_image(head):
        raise rejected("image")
    raise rejected("not_a_video")
