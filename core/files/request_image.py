"""The copy of a kept image that goes along with an order: no larger than the clip and the vendor have use for."""

import io

from PIL import Image, ImageOps

from core import errors
from core.messages import message

_QUALITIES = (90, 85, 80, 70)
_SMALLER = 0.8
_LEAST_SIDE = 16


def fitted(
    jpeg: bytes, frame: tuple[int, int], *, max_bytes: int, max_side: int | None = None, is_exact: bool = False
) -> bytes:
    """A JPEG (of our own making) that still fills a frame of (width, height) pixels; as it is where that fits already.

    No side is longer than `max_side`, the file no larger than `max_bytes`: quality goes first, then size. With
    `is_exact` it has the very size of the frame, cut in the middle where its shape is another. The same image and
    limits give the same bytes, by which a vendor's list of jobs is searched. Raises errors.MediaRejected when the kept
    file is damaged.
    """
    try:
        image = Image.open(io.BytesIO(jpeg), formats=("JPEG",))
        own = image.size
        size = _size(own, frame, max_side)
        if size != own:
            image.draft(None, size)  # decoded at a half or a quarter where that is enough
        image.load()
    except OSError as failure:
        raise errors.MediaRejected(message("image_damaged"), reason="damaged", detail=repr(failure)) from failure
    if is_exact and own != frame:
        fitting = ImageOps.fit(image, frame, Image.Resampling.LANCZOS)
    elif size != own:
        fitting = image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    elif len(jpeg) <= max_bytes:
        return jpeg
    else:
        fitting = image
    while True:
        for quality in _QUALITIES:
            target = io.BytesIO()
            fitting.save(target, "JPEG", quality=quality, subsampling="4:2:0")
            if target.tell() <= max_bytes:
                return target.getvalue()
        if is_exact or min(fitting.size) * _SMALLER < _LEAST_SIDE:
            return target.getvalue()
        fitting = fitting.resize(
            (round(fitting.width * _SMALLER), round(fitting.height * _SMALLER)), Image.Resampling.LANCZOS
        )


def _size(own: tuple[int, int], frame: tuple[int, int], max_side: int | None) -> tuple[int, int]:
    """The smallest (width, height) in proportion that covers the frame, within `max_side`; never larger than it is."""
    scale = min(1.0, max(frame[0] / own[0], frame[1] / own[1]))
    if max_side is not None:
        scale = min(scale, max_side / max(own))
    return max(1, round(own[0] * scale)), max(1, round(own[1] * scale))
