"""Takes the file out of a data URL (RFC 2397), piece by piece."""

import base64
import re
from collections.abc import Callable
from urllib.parse import unquote_to_bytes

from core import errors
from core.messages import message

_PIECE_CHARS = 1024 * 1024
_SPACE = re.compile(r"\s+")
_OTHER_ALPHABET = str.maketrans("-_", "+/")


def unpack(address: str, write: Callable[[bytes], None], *, max_bytes: int) -> str | None:
    """Hand the bytes to `write`; the media type, where the address names one. Raises errors.DownloadFailed."""
    about, _, text = address.removeprefix("data:").partition(",")
    kind, *options = about.lower().split(";")
    total = 0
    for piece in _base64(text) if "base64" in options else [unquote_to_bytes(text)]:
        total += len(piece)
        if total > max_bytes:
            raise _broken(f"it has more than {max_bytes} bytes")
        write(piece)
    if not total:
        raise _broken("it is empty")
    return kind.strip() or None


def _base64(text: str) -> "list[bytes] | map[bytes]":
    clean = _SPACE.sub("", text).translate(_OTHER_ALPHABET).rstrip("=")
    clean += "=" * (-len(clean) % 4)
    return map(_decoded, (clean[start : start + _PIECE_CHARS] for start in range(0, len(clean), _PIECE_CHARS)))


def _decoded(piece: str) -> bytes:
    try:
        return base64.b64decode(piece, validate=True)
    except ValueError as failure:
        raise _broken(str(failure)) from None


def _broken(why: str) -> errors.DownloadFailed:
    detail = f"the clip in the provider's reply cannot be used: {why}"
    return errors.DownloadFailed(message("cannot_fetch_from_there"), retryable=False, detail=detail)
