"""Takes image files apart: the pixels in a plain file of their own, and what stands beside them; it decodes nothing.

Decoders get only the parts that pixels need, so nothing that stands beside them can spoil or burden the picture. What
is damaged beside the pixels is left out, as viewers do.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

MAX_SIDE_BYTES = 8 * 1024**2
"""A colour profile or EXIF block larger than this, unpacked, is taken for damaged."""

_PNG_START = b"\x89PNG\r\n\x1a\n"
_PALETTE = 3
_PNG_PIXELS = frozenset({b"IHDR", b"PLTE", b"IDAT"})
_JPEG_END = b"\xff\xd9"
_EXIF_START, _PROFILE_START = b"Exif\0\0", b"ICC_PROFILE\0"
_JFIF_LEAST, _ADOBE_LEAST = 14, 12
_FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


@dataclass(frozen=True, slots=True)
class Parts:
    """An image in parts; `pixels` is a file of the format `kind` (JPEG, PNG, WEBP) with nothing beside the picture.

    `profile` and `exif` are raw and may be nonsense. `damaged`: something beside the pixels had to be left out.
    """

    kind: str
    pixels: bytes = field(repr=False)
    profile: bytes = field(default=b"", repr=False)
    exif: bytes = field(default=b"", repr=False)
    animated: bool = False
    damaged: bool = False


def parts_of(data: bytes) -> Parts | None:
    """The parts of a JPEG, PNG or WebP, by its first bytes; None for anything else. Raises ValueError for rubbish."""
    if data.startswith(b"\xff\xd8\xff"):
        return _jpeg(data)
    if data.startswith(_PNG_START):
        return _png(data)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _webp(data)
    return None


def other_kind(data: bytes) -> str | None:
    """What an image (or a file often taken for one) is that is none of the three, in everyday words; None: unknown."""
    if data[4:8] == b"ftyp":
        return _ISO_BRANDS.get(data[8:12], "MP4")
    return next((name for start, name in _STARTS if data.startswith(start)), None)


_ISO_BRANDS = dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"), "HEIC") | {
    b"avif": "AVIF",
    b"avis": "AVIF",
    b"qt  ": "MOV",
    b"crx ": "CR3",
    b"jxl ": "JPEG XL",
}
_STARTS = (
    (b"GIF8", "GIF"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"BM", "BMP"),
    (b"%PDF", "PDF"),
    (b"%!PS", "PostScript"),
    (b"8BPS", "Photoshop"),
    (b"\0\0\x01\0", "ICO"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\0\0\0\x0cJXL ", "JPEG XL"),
    (b"\0\0\0\x0cjP  ", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
)


# JPEG (ITU-T T.81, annex B).


def is_without_end(jpeg: bytes) -> bool:
    """Whether all scans have begun and no end mark follows the last one, as in a file cut a few bytes short."""
    if jpeg.find(_JPEG_END, max(0, jpeg.rfind(b"\xff\xda"))) >= 0:
        return False
    lacking: set[tuple[int, int]] = set()
    for marker, body, _ in _segments(jpeg):
        if marker in _FRAME_HEADERS and len(body) >= 6:
            lacking = {(component, place) for component in body[6::3] for place in range(64)}
        elif marker == 0xDA and body:
            count = body[0]
            first, last, bits = (*body[1 + 2 * count :], 0, 0, 0)[:3]
            if bits & 15 == 0:  # the last bit of these coefficients
                lacking -= {
                    (component, place) for component in body[1 : 1 + 2 * count : 2] for place in range(first, last + 1)
                }
    return not lacking


def ended(jpeg: bytes, filler: bytes) -> bytes:
    """A JPEG that was cut short, ended with `filler` in the place of what may be missing."""
    return jpeg.rstrip(b"\xff") + filler + _JPEG_END


def _jpeg(data: bytes) -> Parts:
    """By its segments up to the first scan; of the application's own, two are needed to read the colours right."""
    kept, exif = [b"\xff\xd8"], b""
    profile: list[bytes] = []
    for marker, body, at in _segments(data):
        if marker == 0xDA:
            icc = _joined(profile)
            return Parts("JPEG", b"".join((*kept, data[at:])), icc or b"", exif, damaged=icc is None)
        if 0xE0 <= marker <= 0xEF or marker == 0xFE:
            if marker == 0xE1 and body.startswith(_EXIF_START) and not exif:
                exif = body
            elif marker == 0xE2 and body.startswith(_PROFILE_START):
                profile.append(body[len(_PROFILE_START) :])
            if (marker == 0xE0 and body.startswith(b"JFIF\0") and len(body) >= _JFIF_LEAST) or (
                marker == 0xEE and body.startswith(b"Adobe") and len(body) >= _ADOBE_LEAST
            ):
                kept.append(_segment(marker, body))
            continue
        kept.append(_segment(marker, body))
    raise ValueError("a JPEG without a scan")


def _segments(data: bytes) -> Iterator[tuple[int, bytes, int]]:
    """(marker, body, where it begins), up to the end mark."""
    at = 2
    while at + 4 <= len(data):
        if data[at] != 0xFF:  # viewers look for the next marker, too
            at = data.find(b"\xff", at)
            if at < 0:
                return
            continue
        marker = data[at + 1]
        if marker in (0x00, 0x01, 0xD8, 0xFF) or 0xD0 <= marker <= 0xD7:
            at += 1 if marker in (0x00, 0xFF) else 2
            continue
        if marker == 0xD9:
            return
        (size,) = struct.unpack_from(">H", data, at + 2)
        yield marker, data[at + 4 : at + 2 + size], at
        at += 2 + max(2, size)


def _segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def _joined(pieces: list[bytes]) -> bytes | None:
    """A profile from its numbered pieces (ICC.1, annex B.4); b"" without one, None when they do not belong together."""
    if not pieces:
        return b""
    if any(len(piece) < 2 or piece[1] != len(pieces) for piece in pieces):
        return None
    if sorted(piece[0] for piece in pieces) != list(range(1, len(pieces) + 1)):
        return None
    return b"".join(piece[2:] for piece in sorted(pieces))


# PNG (W3C, third edition).


def _png(data: bytes) -> Parts:
    """By its chunks: kept are header, palette, pixels and transparency; texts are not even unpacked."""
    parts = Parts("PNG", b"")
    kept: list[bytes] = [_PNG_START]
    colour_type, palette_entries, transparency = -1, 0, b""
    for kind, body, whole in _chunks(data):
        if kind == b"IEND":
            break
        if kind in _PNG_PIXELS:
            if kind == b"IHDR" and len(body) == 13:
                colour_type = body[9]
            elif kind == b"PLTE":
                if colour_type != _PALETTE:
                    continue  # a mere proposal, which nobody needs
                palette_entries = len(body) // 3
            kept.append(_chunk(kind, body) if whole or kind == b"IDAT" else _broken(kind))
        elif not whole:
            parts = replace(parts, damaged=True)
        elif kind == b"acTL":
            parts = replace(parts, animated=len(body) < 4 or struct.unpack_from(">I", body)[0] > 1)
        elif kind == b"tRNS" and not transparency:
            if _is_transparency(body, colour_type, palette_entries):
                transparency = _chunk(kind, body)
                kept.append(transparency)
            else:
                parts = replace(parts, damaged=True)
        elif kind == b"iCCP":
            profile = _unpacked(body)
            parts = replace(parts, profile=profile or b"", damaged=parts.damaged or profile is None)
        elif kind == b"eXIf":
            parts = replace(parts, exif=_EXIF_START + body)
    return replace(parts, pixels=b"".join((*kept, _chunk(b"IEND", b""))))


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes, bool]]:
    """(kind, body, whether its checksum holds); the last one may be cut short."""
    at = len(_PNG_START)
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        body = data[at + 8 : at + 8 + size]
        checksum = data[at + 8 + size : at + 12 + size]
        yield kind, body, checksum == struct.pack(">I", zlib.crc32(kind + body))
        at += 12 + size


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _broken(kind: bytes) -> bytes:
    raise ValueError(f"the chunk {kind!r} is damaged")


def _is_transparency(body: bytes, colour_type: int, palette_entries: int) -> bool:
    """Whether tRNS fits the picture; where it does not, viewers pass over it."""
    match colour_type:
        case 0:
            return len(body) == 2
        case 2:
            return len(body) == 6
        case 3:  # _PALETTE
            return 0 < len(body) <= palette_entries
        case _:
            return False


def _unpacked(body: bytes) -> bytes | None:
    """The profile in an iCCP chunk; None when it cannot be unpacked, or is larger than any real one."""
    name, _, packed = body.partition(b"\0")
    if not name or not packed:
        return None
    unpacker = zlib.decompressobj()
    try:
        profile = unpacker.decompress(packed[1:], MAX_SIDE_BYTES)
    except zlib.error:
        return None
    return profile if unpacker.eof else None


# WebP (RFC 9649).


def _webp(data: bytes) -> Parts:
    """By its chunks; a still picture becomes the shortest file that holds it."""
    chunks: dict[bytes, bytes] = {}
    frames = 0
    damaged = False
    at = 12
    while at + 8 <= len(data):
        kind, size = struct.unpack_from("<4sI", data, at)
        body = data[at + 8 : at + 8 + size]
        if len(body) < size and kind not in (b"VP8 ", b"VP8L", b"ALPH"):
            damaged = True
        else:
            chunks.setdefault(kind, body)
        frames += kind == b"ANMF"
        at += 8 + size + size % 2
    profile, exif = chunks.get(b"ICCP", b""), _exif_block(chunks.get(b"EXIF", b""))
    if frames:
        return Parts("WEBP", data, profile, exif, animated=frames > 1, damaged=damaged)
    picture = next((kind for kind in (b"VP8 ", b"VP8L") if kind in chunks), None)
    if picture is None:
        raise ValueError("a WebP without a picture")
    inner: list[tuple[bytes, bytes]] = [(picture, chunks[picture])]
    if picture == b"VP8 " and b"ALPH" in chunks and len(chunks.get(b"VP8X", b"")) == 10:
        has_alpha_only = struct.pack("<I", 0x10) + chunks[b"VP8X"][4:]
        inner = [(b"VP8X", has_alpha_only), (b"ALPH", chunks[b"ALPH"]), *inner]
    body = b"".join(kind + struct.pack("<I", len(part)) + part + b"\0" * (len(part) % 2) for kind, part in inner)
    pixels = b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body
    return Parts("WEBP", pixels, profile, exif, damaged=damaged)


def _exif_block(body: bytes) -> bytes:
    return body if not body or body.startswith(_EXIF_START) else _EXIF_START + body
