"""The pixel work of taking in an image: decode it, set it upright, in sRGB, on white, and write a plain JPEG.

`core.files.image_sanitizer` runs this in a process of its own, since foreign bytes are decoded here.
"""

import io
import os
import warnings
from collections.abc import Mapping
from typing import Any

from PIL import ExifTags, Image, ImageCms, ImageFile

from core import errors
from core.files import image_parts
from core.files.image_sanitizer import MAX_PIXELS, MAX_SIDE, MIN_SIDE, CleanImage
from core.messages import Message, message

LARGE_PIXELS = 16_000_000
"""Of images with more pixels than this, one is decoded at a time."""

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF's orientation -> what sets the picture upright; 1 is upright, and any other value means nothing."""


def work(data: bytes) -> tuple[Mapping[str, Any], bytes]:
    """`cleaned`, as `core.files.isolated` runs it."""
    image = cleaned(data)
    return image.facts(), image.data


def cleaned(data: bytes) -> CleanImage:
    """A clean image of an upload. Raises errors.MediaRejected, for the reasons that `image_sanitizer.clean` tells."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of what is said below, or need not be said
            return _cleaned(_parts(data))
    except (errors.AppError, MemoryError):
        raise
    except Image.DecompressionBombError:
        raise _too_many_pixels() from None
    except Exception as failure:
        # A decoder fed with a damaged file may raise anything; whatever it is, the file is at fault.
        detail = f"{type(failure).__name__}: {failure}"
        raise errors.MediaRejected(message("image_damaged"), reason="damaged", detail=detail) from failure


def _parts(data: bytes) -> image_parts.Parts:
    parts = image_parts.parts_of(data)
    if parts is None:
        kind = image_parts.other_kind(data)
        if kind is None:
            raise errors.MediaRejected(message("image_format"), reason="not_an_image")
        raise errors.MediaRejected(message("image_of_other_kind", kind=kind), reason="unsupported_format")
    if parts.animated:
        raise errors.MediaRejected(message("image_animated"), reason="animated")
    return parts


def _too_many_pixels() -> errors.MediaRejected:
    most = MAX_PIXELS // 1_000_000
    return errors.MediaRejected(message("image_has_too_many_pixels", limit=most), reason="too_many_pixels")


def _cleaned(parts: image_parts.Parts) -> CleanImage:
    notes: list[Message] = []
    orientation, is_damaged = _look_beside(parts.exif, notes)
    image = _decoded(parts)
    pixels, was_see_through = _on_white(_eight_bit(image))
    del image  # as early as can be: each holds 160 MB at worst
    is_too_wide = max(pixels.size) > MAX_SIDE
    if is_too_wide:
        pixels.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS, reducing_gap=2.0)
    if orientation in _TURNS:
        pixels = pixels.transpose(_TURNS[orientation])
        notes.append(message("turned_upright"))
    pixels = _srgb(pixels, parts.profile, notes)
    if was_see_through:
        notes.append(message("transparency_is_white"))
    if is_too_wide:
        notes.append(message("made_smaller", width=pixels.width, height=pixels.height))
    if parts.damaged or is_damaged:
        notes.append(message("side_data_left_out"))

    pixels.info = {}  # Pillow would write a JPEG comment from here
    target = io.BytesIO()
    pixels.save(target, "JPEG", quality=92, subsampling=0)
    return CleanImage(target.getvalue(), pixels.width, pixels.height, tuple(notes))


def _look_beside(block: bytes, notes: list[Message]) -> tuple[int, bool]:
    """(EXIF's orientation, whether the block is damaged); a place in it is noted, since it goes."""
    if not block:
        return 0, False
    exif = Image.Exif()
    with warnings.catch_warnings(record=True) as complaints:
        warnings.simplefilter("always")
        try:
            exif.load(block)
            orientation = exif.get(ExifTags.Base.Orientation)
            if exif.get_ifd(ExifTags.IFD.GPSInfo):
                notes.append(message("location_removed"))
        except Exception:  # a damaged block may make it raise anything, and the picture is whole
            return 0, True
    return orientation if isinstance(orientation, int) else 0, bool(complaints)


def _opened(kind: str, pixels: bytes) -> ImageFile.ImageFile:
    """The image with its header read and nothing decoded yet; only this one decoder can run."""
    image: ImageFile.ImageFile = Image.open(io.BytesIO(pixels), formats=(kind,))
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise _too_many_pixels()
    if min(width, height) < MIN_SIDE:
        too_small = message("image_too_small", width=width, height=height, limit=MIN_SIDE)
        raise errors.MediaRejected(too_small, reason="too_small")
    image.draft(None, (MAX_SIDE, MAX_SIDE))  # a JPEG of twice the side and more is decoded smaller
    return image


def _decoded(parts: image_parts.Parts) -> Image.Image:
    """All pixels; a JPEG whose end mark alone is missing has them."""
    image = _opened(parts.kind, parts.pixels)
    if image.width * image.height > LARGE_PIXELS:
        _wait_for_turn_of_large()
    try:
        image.load()
        image.fp = None  # a WebP lies there once more, unpacked
    except OSError:
        if parts.kind != "JPEG" or not image_parts.is_without_end(parts.pixels):
            raise
        # What is missing would be read out of the filler, so that two fillers would give two pictures.
        image, other = (_opened("JPEG", image_parts.ended(parts.pixels, bytes([n]) * 64)) for n in (0x00, 0xAA))
        strips = [(0, top, image.width, min(top + 256, image.height)) for top in range(0, image.height, 256)]
        if any(image.crop(strip).tobytes() != other.crop(strip).tobytes() for strip in strips):
            raise
    return image


def _wait_for_turn_of_large() -> None:
    """Until no other process on this machine decodes a large image; the turn ends with this process."""
    import fcntl  # not on every system, and for large images alone

    turn = os.open(__file__, os.O_RDONLY)
    fcntl.flock(turn, fcntl.LOCK_EX)


def _eight_bit(image: Image.Image) -> Image.Image:
    """The image in a mode with 8 bits a channel: L, LA, RGB, RGBA or CMYK."""
    if image.mode.startswith("I"):
        # Pillow's own conversion clips 16-bit grey to white instead of scaling it.
        import numpy as np  # for this rare kind of picture alone

        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    is_grey = image.mode in ("1", "L", "LA")
    if image.has_transparency_data:
        wanted = "LA" if is_grey else "RGBA"
    else:
        wanted = "CMYK" if image.mode == "CMYK" else "L" if is_grey else "RGB"
    return image if image.mode == wanted else image.convert(wanted)  # a conversion to the same would be a copy


def _on_white(image: Image.Image) -> tuple[Image.Image, bool]:
    """The image with its transparent parts on white, and whether it had any."""
    if image.mode not in ("LA", "RGBA"):
        return image, False
    alpha = image.getchannel("A")
    white = Image.new(image.mode.removesuffix("A"), image.size, "white")
    white.paste(image if white.mode == "RGB" else image.convert("L"), mask=alpha)
    return white, alpha.getextrema()[0] < 255  # type: ignore[operator]  # one channel has one lowest value


def _srgb(image: Image.Image, profile: bytes, notes: list[Message]) -> Image.Image:
    """The image as RGB in sRGB."""
    if profile:
        try:
            own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            if "srgb" not in ImageCms.getProfileDescription(own).lower():
                converted = ImageCms.profileToProfile(image, own, ImageCms.createProfile("sRGB"), outputMode="RGB")
                image = converted if converted is not None else image
                notes.append(message("colours_converted"))
        except (ImageCms.PyCMSError, OSError, ValueError):
            notes.append(message("colours_unreadable"))
    return image.convert("RGB")
