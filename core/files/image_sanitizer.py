"""Takes in an image a person uploads: refuses what is not one, and keeps nothing of the file but its pixels.

What comes out is a JPEG of our own making, so metadata, places, scripts behind the picture and files that are two
things at once cannot get further than this module.
"""

import io
import threading
from dataclasses import dataclass, field

from PIL import ExifTags, Image, ImageCms, ImageOps, UnidentifiedImageError

from core import errors
from core.messages import Message, message

MAX_UPLOAD_BYTES = 10 * 1024 * 1024
MAX_PIXELS = 40_000_000
MAX_SIDE = 4096
MIN_SIDE = 32

_FORMATS = ("JPEG", "PNG", "WEBP")
_ORIENTATION_UPRIGHT = (None, 1)
_decoding = threading.BoundedSemaphore(2)  # 40 million pixels take 120 MB and more while they are worked on


@dataclass(frozen=True, slots=True)
class CleanImage:
    """An upright sRGB JPEG without metadata; `notes` are sentences on what was changed, for the person."""

    data: bytes = field(repr=False)
    width: int
    height: int
    notes: tuple[Message, ...] = ()


def clean(data: bytes) -> CleanImage:
    """Check an upload and make a clean image of it.

    Raises errors.TooLarge beyond `MAX_UPLOAD_BYTES`, else errors.MediaRejected with the reason `empty`, `svg`, `html`,
    `not_an_image`, `unsupported_format`, `too_many_pixels`, `too_small`, `animated` or `damaged`. Two run at a time;
    others wait.
    """
    if not data:
        raise errors.MediaRejected(message("file_empty"), reason="empty")
    if len(data) > MAX_UPLOAD_BYTES:
        raise errors.TooLarge(message("image_too_large", limit_mb=MAX_UPLOAD_BYTES // 1024**2))
    _refuse_markup(data)
    with _decoding:
        try:
            return _cleaned(data)
        except errors.AppError:
            raise
        except (Image.DecompressionBombError, Image.DecompressionBombWarning):
            raise _too_many_pixels() from None
        except Exception as failure:
            # A decoder fed with a damaged file may raise anything; whatever it is, the file is at fault.
            raise errors.MediaRejected(
                message("image_damaged"),
                reason="damaged",
                detail=f"{type(failure).__name__}: {failure}",
            ) from failure


def _refuse_markup(data: bytes) -> None:
    """Text that a browser might run, under whatever name it came."""
    start = data[:1024].lstrip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n").lower()
    if not start.startswith(b"<"):
        return
    if b"<svg" in data[:4096].lower():
        raise errors.MediaRejected(message("image_is_svg"), reason="svg")
    raise errors.MediaRejected(message("image_is_html"), reason="html")


def _too_many_pixels() -> errors.MediaRejected:
    most = MAX_PIXELS // 1_000_000
    return errors.MediaRejected(message("image_has_too_many_pixels", limit=most), reason="too_many_pixels")


def _opened(data: bytes) -> Image.Image:
    """The image with its header read and nothing decoded yet; only the three decoders we want can run."""
    try:
        image = Image.open(io.BytesIO(data), formats=_FORMATS)
    except UnidentifiedImageError:
        other = data[:6] in (b"GIF87a", b"GIF89a") or data[:4] in (b"II*\0", b"MM\0*", b"%!PS") or data[:2] == b"BM"
        other = other or data[4:8] == b"ftyp"  # HEIC and AVIF
        reason = "unsupported_format" if other else "not_an_image"
        raise errors.MediaRejected(message("image_format"), reason=reason) from None
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise _too_many_pixels()
    if min(width, height) < MIN_SIDE:
        raise errors.MediaRejected(
            message("image_too_small", width=width, height=height, limit=MIN_SIDE),
            reason="too_small",
        )
    # Phones write JPEGs with a second picture inside (depth, HDR); Pillow names them MPO. Their first one is the photo.
    if image.format != "MPO" and getattr(image, "n_frames", 1) > 1:
        raise errors.MediaRejected(message("image_animated"), reason="animated")
    return image


def _cleaned(data: bytes) -> CleanImage:
    notes: list[Message] = []
    image = _opened(data)
    image.load()

    exif = image.getexif()
    if exif.get_ifd(ExifTags.IFD.GPSInfo):
        notes.append(message("location_removed"))
    if exif.get(ExifTags.Base.Orientation) not in _ORIENTATION_UPRIGHT:
        image = ImageOps.exif_transpose(image)
        notes.append(message("turned_upright"))

    see_through = image.has_transparency_data
    pixels = _srgb(_eight_bit(image), image.info.get("icc_profile"), notes)
    if see_through:
        notes.append(message("transparency_is_white"))
    if max(pixels.size) > MAX_SIDE:
        pixels.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS, reducing_gap=2.0)
        notes.append(message("made_smaller", width=pixels.width, height=pixels.height))

    pixels.info = {}  # Pillow would write a JPEG comment from here
    target = io.BytesIO()
    pixels.save(target, "JPEG", quality=92, subsampling=0)
    return CleanImage(target.getvalue(), pixels.width, pixels.height, tuple(notes))


def _eight_bit(image: Image.Image) -> Image.Image:
    """The image in a mode with 8 bits a channel: L, RGB, RGBA or CMYK."""
    if image.mode.startswith("I"):
        # Pillow's own conversion clips 16-bit grey to white instead of scaling it.
        import numpy as np  # for this rare kind of picture alone

        grey = np.asarray(image).astype(np.uint32) // 257
        return Image.fromarray(grey.astype(np.uint8))
    if image.has_transparency_data:
        return image.convert("RGBA")
    return image if image.mode in ("L", "RGB", "CMYK") else image.convert("RGB")


def _srgb(image: Image.Image, profile: bytes | None, notes: list[Message]) -> Image.Image:
    """The image as RGB in sRGB, with transparent parts on white."""
    alpha = image.getchannel("A") if image.mode == "RGBA" else None
    colours = image.convert("RGB") if alpha is not None else image
    if profile:
        try:
            own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            if "srgb" not in ImageCms.getProfileDescription(own).lower():
                converted = ImageCms.profileToProfile(colours, own, ImageCms.createProfile("sRGB"), outputMode="RGB")
                colours = converted if converted is not None else colours
                notes.append(message("colours_converted"))
        except (ImageCms.PyCMSError, OSError, ValueError):
            notes.append(message("colours_unreadable"))
    colours = colours.convert("RGB")
    if alpha is None:
        return colours
    white = Image.new("RGB", colours.size, "white")
    white.paste(colours, mask=alpha)
    return white
