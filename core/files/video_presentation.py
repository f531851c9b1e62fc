"""How a video file is shown: upright, in square pixels, for the span that its edits leave, in colours that are known.

The one description that facts, posters, previews, last pictures and re-encoded files follow; it writes no file. What it
says was compared with what Chromium shows of the same files.
"""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeAlias, cast

import av
import numpy as np
from av.container import InputContainer
from av.sidedata.sidedata import Type as SideData
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, Interpolation
from av.video.stream import VideoStream
from PIL import Image

from core.files import sniff, video_reader, wide_colours

Pixels: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"

MAX_SECONDS = 600
_MOST_PACKETS = 1_000_000
_HD_LINES = 720
_MOST_PIXEL_ASPECT = 8
"""Pixels that claim to be wider or higher than this are taken for square: no vendor means it."""

_BT709, _BT601, _BT601_PAL, _BT2020 = 1, 6, 5, 9
_FAMILY = {_BT709: (1, 1), _BT601: (6, 6), _BT601_PAL: (6, 5), _BT2020: (14, 9)}
"""Matrix -> (transfer, primaries) that go with it (ITU-T H.273); players ignore a matrix that stands alone."""
_MATRICES = frozenset({_BT709, 4, _BT601_PAL, _BT601, 7, _BT2020})
_TRANSFERS = frozenset({1, 4, 5, 6, 7, 8, 11, 13, 14, 15, 16, 18})
_PRIMARIES = frozenset({1, 4, 5, 6, 7, 8, 9, 11, 12, 22})
"""What is believed of a file's own words; the rest is reserved, of no use for a moving picture, or nonsense."""
_SCALER_MATRIX = {
    _BT709: Colorspace.ITU709,
    _BT601: Colorspace.ITU601,
    _BT601_PAL: Colorspace.ITU601,
    _BT2020: Colorspace.BT2020,
}
_EXACT = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT


@dataclass(frozen=True, slots=True)
class Turn:
    """One of the eight ways a picture can be turned: first its diagonal, then left for right, then up for down."""

    transposed: bool = False
    mirrored: bool = False
    upended: bool = False

    def applied(self, pixels: Pixels) -> Pixels:
        """The pixels (rows, columns, ...) as they are shown."""
        turned = pixels.swapaxes(0, 1) if self.transposed else pixels
        return np.ascontiguousarray(turned[:: -1 if self.upended else 1, :: -1 if self.mirrored else 1])

    def of_size(self, width: int, height: int) -> tuple[int, int]:
        """A size before the turn as it is after it, and the other way round."""
        return (height, width) if self.transposed else (width, height)


@dataclass(frozen=True, slots=True)
class Colours:
    """What the numbers in a picture mean, as code points of ITU-T H.273; nothing is unspecified."""

    matrix: int
    transfer: int
    primaries: int
    full_range: bool


@dataclass(frozen=True, slots=True)
class Presentation:
    """A video as it is shown.

    `width` and `height` in square pixels, upright; `seconds` is how long a player plays, to the end of the picture or
    of the sound, whichever comes later. `last_key` is when, in ticks of the stream, the last group of pictures that is
    shown begins. `frame_rate` is the average.
    """

    width: int
    height: int
    seconds: float
    frame_rate: float
    turn: Turn
    colours: Colours
    pixel_format: str
    last_key: int

    def fitted(self, most_width: int | None = None) -> tuple[int, int]:
        """(width, height), both even, `most_width` wide at most and never larger than shown, in proportion."""
        width = self.width if most_width is None else min(most_width, self.width)
        width = max(2, width // 2 * 2)
        if width == self.width // 2 * 2:
            return width, max(2, self.height // 2 * 2)
        return width, max(2, round(self.height * width / self.width / 2) * 2)

    def picture(self, frame: VideoFrame, size: tuple[int, int] | None = None) -> Image.Image:
        """A decoded frame as an upright sRGB picture of this size (width, height), else of its own."""
        width, height = self.turn.of_size(*(size or (self.width, self.height)))
        _name(frame, self.colours)
        is_wide = wide_colours.is_wide(self.colours.transfer, self.colours.primaries)
        kind = "rgb48le" if is_wide else "rgb24"
        pixels: Pixels = frame.reformat(width=width, height=height, format=kind, interpolation=_EXACT).to_ndarray()
        if is_wide:
            pixels = wide_colours.to_srgb(pixels, self.colours.transfer, self.colours.primaries)
        return Image.fromarray(self.turn.applied(pixels))

    def for_encoder(self, frame: VideoFrame, size: tuple[int, int]) -> VideoFrame:
        """A decoded frame upright in 8-bit 4:2:0 of this even size (width, height), in `encoded_colours`, same time."""
        width, height = self.turn.of_size(*size)
        _name(frame, self.colours)
        flat = frame.reformat(
            width=width,
            height=height,
            format="yuv420p",
            dst_colorspace=_SCALER_MATRIX[self.encoded_colours.matrix],
            dst_color_range=ColorRange.MPEG,
            interpolation=_EXACT,
        )
        shown = flat
        if self.turn != Turn():
            planes = flat.to_ndarray()
            chroma = planes[height:].reshape(2, height // 2, width // 2)
            turned = [self.turn.applied(plane) for plane in (planes[:height], chroma[0], chroma[1])]
            shown = VideoFrame.from_ndarray(
                np.concatenate([plane.ravel() for plane in turned]).reshape(size[1] * 3 // 2, size[0]), format="yuv420p"
            )
        shown.pts, shown.time_base, shown.duration = frame.pts, frame.time_base, frame.duration
        shown.pict_type = 0  # the source's own choice of key frames would bind the encoder
        _name(shown, self.encoded_colours)
        return shown

    @property
    def encoded_colours(self) -> Colours:
        """Those of a re-encoded file: its own, as far as players know them, in limited range."""
        own = self.colours
        if own.matrix in _SCALER_MATRIX:
            return Colours(own.matrix, own.transfer, own.primaries, full_range=False)
        return Colours(_BT709, own.transfer, own.primaries, full_range=False)

    def prepare(self, out: VideoStream, size: tuple[int, int]) -> None:
        """Make an encoder's stream ready for `for_encoder`: size, pixels, and colours by their names."""
        out.width, out.height = size
        out.pix_fmt, out.thread_count = "yuv420p", 2
        out.codec_context.sample_aspect_ratio = Fraction(1)
        colours = self.encoded_colours
        context = out.codec_context
        context.colorspace, context.color_trc, context.color_primaries = (
            colours.matrix,
            colours.transfer,
            colours.primaries,
        )
        context.color_range = ColorRange.MPEG


def of(path: Path) -> Presentation:
    """How this file is shown, by all of its packets and its first picture. Raises errors.MediaRejected."""
    with video_reader.opened(path) as (source, stream):
        played = _Walk(source, stream, path.stat().st_size)
    with video_reader.opened(path, for_few=True) as (source, stream):
        first = next(source.decode(stream), None)
        if first is None:
            raise sniff.rejected("no_frames")
        turn = _turn(first)
        width, height = turn.of_size(*_in_square_pixels(first, stream))
        if width * height > video_reader.MAX_PIXELS:
            raise sniff.rejected("too_many_pixels", f"{width} × {height}")
        return Presentation(
            width=width,
            height=height,
            seconds=played.seconds,
            frame_rate=float(stream.average_rate or 0) or played.frames / played.picture_seconds,
            turn=turn,
            colours=_colours(first, stream),
            pixel_format=first.format.name,
            last_key=played.last_key,
        )


@dataclass
class _Extent:
    """Where the packets of a stream begin and end, in seconds."""

    start: float = float("inf")
    end: float = float("-inf")

    def include(self, start: float, end: float) -> None:
        self.start, self.end = min(self.start, start), max(self.end, end)

    @property
    def seconds(self) -> float:
        return max(0.0, self.end - self.start)


class _Walk:
    """One pass over all packets: span, number of frames and last key frame, measured rather than believed.

    FFmpeg follows the edit lists of an MP4 and marks what they leave out; it is needed to decode, and never shown.
    """

    def __init__(self, source: InputContainer, stream: VideoStream, size_bytes: int) -> None:
        self.frames = 0
        keys: list[int] = []
        last_shown = 0
        picture, played, everything = _Extent(), _Extent(), _Extent()
        for count, packet in enumerate(_packets(source)):
            outside = packet.pos is not None and packet.pos + packet.size > size_bytes
            if packet.is_corrupt or outside or count > _MOST_PACKETS:
                raise sniff.rejected("corrupt", f"packet {count}")
            moment = packet.pts if packet.pts is not None else packet.dts
            base = packet.time_base  # made anew at each look
            if moment is None or base is None:
                continue
            is_picture = packet.stream.index == stream.index
            if is_picture and packet.is_keyframe:
                keys.append(moment)
            if packet.is_discard:
                continue
            start = moment * base.numerator / base.denominator
            end = (moment + (packet.duration or 0)) * base.numerator / base.denominator
            everything.include(start, end)
            if is_picture or packet.stream.type == "audio":
                played.include(start, end)
            if is_picture:
                last_shown = max(moment, last_shown) if self.frames else moment
                self.frames += 1
                picture.include(start, end)
        if not self.frames:
            raise sniff.rejected("no_frames")
        if not picture.seconds:  # a single picture, of which nothing says how long it is shown
            end = picture.start + 1 / float(stream.average_rate or 24)
            picture.include(picture.start, end)
            played.include(picture.start, end)
        self.picture_seconds = picture.seconds
        self.seconds = played.end - min(0.0, played.start)
        self.last_key = max((key for key in keys if key <= last_shown), default=last_shown)
        if self.seconds > MAX_SECONDS:
            raise sniff.rejected("too_long", f"{self.seconds:.1f} s")
        if stream.duration is not None and stream.time_base is not None:
            _accept_length(picture.seconds, float(stream.duration * stream.time_base))
        if source.duration is not None:
            _accept_length(everything.seconds, source.duration / av.time_base)


def _packets(source: InputContainer) -> "Iterator[av.Packet[Any]]":
    """All that hold something: the end mark of a stream does not."""
    return (packet for packet in source.demux() if packet.size)


def _accept_length(measured_seconds: float, stated_seconds: float) -> None:
    if measured_seconds < stated_seconds - max(0.5, 0.05 * stated_seconds):
        raise sniff.rejected("truncated", f"{measured_seconds:.2f} of {stated_seconds:.2f} s")


def _turn(frame: VideoFrame) -> Turn:
    """By the display matrix (ISO 14496-12, 6.2.2): a point (x, y) is shown at (a·x + c·y, b·x + d·y)."""
    beside = cast("Mapping[Any, Any]", frame.side_data)  # PyAV's types know two kinds only
    if SideData.DISPLAYMATRIX not in beside:
        return Turn()
    a, b, _, c, d = struct.unpack_from("=5i", bytes(beside[SideData.DISPLAYMATRIX]))
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return Turn(mirrored=a < 0, upended=d < 0)
    return Turn(transposed=True, mirrored=c < 0, upended=b < 0)


def _in_square_pixels(frame: VideoFrame, stream: VideoStream) -> tuple[int, int]:
    """(width, height) of a frame before it is turned; it only ever grows, as in browsers."""
    aspect = stream.sample_aspect_ratio or stream.codec_context.sample_aspect_ratio or Fraction(1)
    if not Fraction(1, _MOST_PIXEL_ASPECT) <= aspect <= _MOST_PIXEL_ASPECT:
        aspect = Fraction(1)
    if aspect >= 1:
        return round(frame.width * aspect), frame.height
    return frame.width, round(frame.height / aspect)


def _colours(frame: VideoFrame, stream: VideoStream) -> Colours:
    """What the file says of its colours; what it does not say is BT.709 from 720 lines on, else BT.601."""
    context = stream.codec_context

    def said(name: str, known: frozenset[int]) -> int | None:
        return next((value for value in (getattr(frame, name), getattr(context, name)) if value in known), None)

    matrix = said("colorspace", _MATRICES) or (_BT709 if frame.height >= _HD_LINES else _BT601)
    transfer, primaries = _FAMILY.get(matrix, _FAMILY[_BT709])
    return Colours(
        matrix=matrix,
        transfer=said("color_trc", _TRANSFERS) or transfer,
        primaries=said("color_primaries", _PRIMARIES) or primaries,
        full_range=ColorRange.JPEG in (frame.color_range, context.color_range) or frame.format.name.startswith("yuvj"),
    )


def _name(frame: VideoFrame, colours: Colours) -> None:
    """Write on a frame what its colours are, for scaler and encoder."""
    frame.colorspace, frame.color_trc, frame.color_primaries = colours.matrix, colours.transfer, colours.primaries
    frame.color_range = ColorRange.JPEG if colours.full_range else ColorRange.MPEG
