"""The copy of a kept image that goes along with an order: as its vendor takes images, whatever was uploaded."""

import io
import math

from PIL import Image, ImageOps

from core import errors
from core.messages import message

_QUALITIES = (90, 85, 80, 70)
_LAST_QUALITIES = (55, 40, 25, 10)
_SMALLER = 0.8
_LEAST_SIDE = 16


def fitted(
    jpeg: bytes,
    frame: tuple[int, int],
    *,
    max_bytes: int,
    min_side: int = 0,
    max_side: int | None = None,
    max_ratio: float | None = None,
    is_exact: bool = False,
) -> bytes:
    """A JPEG (of our own making) that still fills a frame of (width, height) pixels; as it is where that fits already.

    No side is shorter than `min_side` or longer than `max_side`, none more than `max_ratio` times the other: it is
    enlarged, made smaller, and cut in the middle. The file is no larger than `max_bytes`: quality goes first, then
    size, then more of the quality. With `is_exact` it has the very size of the frame, cut where its shape is another.
    The same image and limits give the same bytes, by which a vendor's list of jobs is searched. Raises
    errors.MediaRejected when the kept file is damaged.
    """
    try:
        image = Image.open(io.BytesIO(jpeg), formats=("JPEG",))
        own = image.size
        ratio = _least(max_ratio, max_side and min_side and max_side / min_side)
        part = own if is_exact else _cut(own, ratio)
        size = frame if is_exact else _cut(_size(part, frame, min_side=min_side, max_side=max_side), ratio)
        if size != own:
            image.draft(None, size)  # decoded at a half or a quarter where that is enough
        image.load()
    except OSError as failure:
        raise errors.MediaRejected(message("image_damaged"), reason="damaged", detail=repr(failure)) from failure
    if size == own and part == own:
        if len(jpeg) <= max_bytes:
            return jpeg
        fitting: Image.Image = image
    elif is_exact or part != own:
        fitting = ImageOps.fit(image, size, Image.Resampling.LANCZOS)
    else:
        fitting = image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    least_side = min(size) if is_exact else max(min_side, _LEAST_SIDE)
    return _compressed(fitting, max_bytes, least_side=least_side, max_ratio=ratio)


def _compressed(image: Image.Image, max_bytes: int, *, least_side: int, max_ratio: float | None) -> bytes:
    """A JPEG of at most `max_bytes`, made smaller only as long as no side gets shorter than `least_side`."""
    while True:
        can_shrink = min(image.size) * _SMALLER >= least_side
        for quality in _QUALITIES if can_shrink else _QUALITIES + _LAST_QUALITIES:
            target = io.BytesIO()
            image.save(target, "JPEG", quality=quality, subsampling="4:2:0")
            if target.tell() <= max_bytes:
                return target.getvalue()
        if not can_shrink:
            return target.getvalue()
        smaller = round(image.width * _SMALLER), round(image.height * _SMALLER)
        image = image.resize(_cut(smaller, max_ratio), Image.Resampling.LANCZOS)


def _cut(own: tuple[int, int], max_ratio: float | None) -> tuple[int, int]:
    """The largest part, (width, height), of which no side is more than `max_ratio` times the other."""
    if max_ratio is None:
        return own
    longest = max(1, math.floor(min(own) * max_ratio))
    return min(own[0], longest), min(own[1], longest)


def _size(own: tuple[int, int], frame: tuple[int, int], *, min_side: int, max_side: int | None) -> tuple[int, int]:
    """The smallest (width, height) in proportion that covers the frame within the limits; enlarged only for them."""
    scale = min(1.0, max(frame[0] / own[0], frame[1] / own[1]))
    scale = max(scale, min_side / min(own))
    if max_side is not None:
        scale = min(scale, max_side / max(own))
    return max(1, round(own[0] * scale)), max(1, round(own[1] * scale))


def _least(*limits: float | None) -> float | None:
    """The strictest of the limits that there are; 0 is none."""
    return min((limit for limit in limits if limit), default=None)
