"""The visible mark of clips that were made by AI: a small label in the lower right corner of every picture."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from av.video.frame import VideoFrame
from PIL import Image, ImageDraw, ImageFont

Levels: TypeAlias = "np.ndarray[Any, np.dtype[np.uint8]]"
Shares: TypeAlias = "np.ndarray[Any, np.dtype[np.floating[Any]]]"

TEXT = "AI"
_HEIGHT_SHARE = 0.05
"""Of the shorter side of the picture."""
_LEAST_HEIGHT = 14
_MARGIN_SHARE = 0.025
_GROUND, _LETTERS = 0, 255
_OPACITY = 0.72
_SMOOTHING = 4
"""It is drawn so many times larger and scaled down."""


@dataclass(frozen=True)
class VisibleMark:
    """The mark for pictures of one even size, in 8-bit 4:2:0 of limited range."""

    width: int
    height: int

    def painted(self, frame: VideoFrame) -> VideoFrame:
        """The picture with the mark in it; its time and its colours stay, and `frame` is not changed."""
        planes = np.asarray(frame.to_ndarray(), np.uint8)
        grey, opacity = self._label
        rows, columns = grey.shape
        top, left = self._place
        luma = planes[: self.height]
        _blend(luma[top : top + rows, left : left + columns], 16 + grey * 219 / 255, opacity)
        chroma = planes[self.height :].reshape(2, self.height // 2, self.width // 2)
        thin = opacity.reshape(rows // 2, 2, columns // 2, 2).mean(axis=(1, 3))
        for plane in chroma:
            corner = plane[top // 2 : (top + rows) // 2, left // 2 : (left + columns) // 2]
            _blend(corner, np.full_like(thin, 128), thin)
        marked = VideoFrame.from_ndarray(planes, format="yuv420p")
        marked.pts, marked.time_base, marked.duration = frame.pts, frame.time_base, frame.duration
        marked.pict_type = frame.pict_type
        marked.colorspace, marked.color_range = frame.colorspace, frame.color_range
        marked.color_trc, marked.color_primaries = frame.color_trc, frame.color_primaries
        return marked

    @cached_property
    def _place(self) -> tuple[int, int]:
        """Row and column of its upper left corner, both even."""
        rows, columns = self._label[0].shape
        margin = round(min(self.width, self.height) * _MARGIN_SHARE)
        return max(0, self.height - rows - margin) // 2 * 2, max(0, self.width - columns - margin) // 2 * 2

    @cached_property
    def _label(self) -> tuple[Shares, Shares]:
        """Brightness from 0 to 255 and opacity from 0 to 1, of an even size that the picture has room for."""
        most_rows, most_columns = self.height // 2 * 2, self.width // 2 * 2
        rows = min(max(_LEAST_HEIGHT, round(min(self.width, self.height) * _HEIGHT_SHARE)) // 2 * 2, most_rows)
        columns = min(round(rows * 1.6) // 2 * 2, most_columns)
        large = (columns * _SMOOTHING, rows * _SMOOTHING)
        shape, letters = Image.new("L", large, 0), Image.new("L", large, 0)
        ImageDraw.Draw(shape).rounded_rectangle((0, 0, large[0] - 1, large[1] - 1), large[1] // 4, 255)
        font = ImageFont.load_default(size=large[1] * 0.72)
        ImageDraw.Draw(letters).text((large[0] / 2, large[1] / 2), TEXT, 255, font, anchor="mm", stroke_width=2)
        ground, text = (
            np.asarray(each.resize((columns, rows), Image.Resampling.BOX), np.float32) / 255
            for each in (shape, letters)
        )
        grey = _GROUND + (_LETTERS - _GROUND) * text
        return grey.astype(np.float32), np.maximum(ground * _OPACITY, text).astype(np.float32)


def _blend(plane: Levels, with_: Shares, opacity: Shares) -> None:
    """Lay something over a part of a plane, in place."""
    plane[...] = (plane * (1 - opacity) + with_ * opacity + 0.5).astype(np.uint8)
