"""Pictures and videos made from a clip as it is shown: poster, last frame, hover preview, a file for every browser."""

import io
import os
import tempfile
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from PIL import Image, ImageStat

from core.files import sniff, video_presentation, video_reader, visible_mark
from core.files.sound_track import Copied, Encoded, Silence, SoundTrack
from core.files.video_presentation import Presentation

POSTER_WIDTH = 480
PREVIEW_WIDTH = 320
SAMPLE_RATE = 12
SAMPLE_SECONDS = 3
_MOST_TAIL_FRAMES = 20_000
"""Beyond any clip that a vendor makes in one group; each is decoded, so there is an end."""


def poster(path: Path, shown: Presentation | None = None) -> bytes:
    """A WebP, 480 pixels wide at most: the first frame of the first 3 seconds that is neither dark, white nor flat.

    `shown` is how this very file is shown, where that is known. Raises errors.MediaRejected.
    """
    shown = shown or video_presentation.of(path)
    best: VideoFrame | None = None
    best_contrast = -1.0
    with video_reader.opened(path, for_few=True) as (source, stream):
        for _, frame in _sampled(source, stream):
            grey = ImageStat.Stat(shown.picture(frame, (64, 36)).convert("L"))
            contrast, mean = grey.stddev[0], grey.mean[0]
            if contrast > best_contrast:
                best, best_contrast = frame, contrast
            if 20 < mean < 236 and contrast >= 14:
                best = frame
                break
        if best is None:
            raise sniff.rejected("no_frames")
        picture = shown.picture(best, shown.fitted(POSTER_WIDTH))
    target = io.BytesIO()
    picture.save(target, "WEBP", quality=80)
    return target.getvalue()


def last_frame(path: Path) -> bytes:
    """The last picture that is shown of a verified video, as a JPEG in full size, to go on from.

    Only what follows the last key frame is decoded. Raises errors.MediaRejected, also when that is more than
    `_MOST_TAIL_FRAMES`.
    """
    shown = video_presentation.of(path)
    last: VideoFrame | None = None
    with video_reader.opened(path) as (source, stream):
        source.seek(shown.last_key, stream=stream)
        for count, frame in enumerate(source.decode(stream)):
            if count == _MOST_TAIL_FRAMES:
                raise sniff.rejected("too_long", f"more than {count} frames after the last key frame")
            last = frame
        if last is None:
            raise sniff.rejected("no_frames")
        picture = shown.picture(last)
    return _full_size(picture)


def last_frame_work(path: bytes) -> tuple[Mapping[str, Any], bytes]:
    """`last_frame` of the file with this name, as `core.files.isolated` runs it."""
    return {}, last_frame(Path(os.fsdecode(path)))


def frame_at(path: Path, at_ms: int) -> bytes:
    """The picture of a verified video that a player shows at this time, as a JPEG in full size.

    A player's clock begins with the file's, or with what is shown first where that is before it. Only what follows the
    key frame before is decoded. Raises errors.MediaRejected, also when that is more than `_MOST_TAIL_FRAMES`.
    """
    shown = video_presentation.of(path)
    with video_reader.opened(path) as (source, stream):
        frame = _shown_at(source, stream, at_ms)
        if frame is None:
            raise sniff.rejected("no_frames")
        return _full_size(shown.picture(frame))


def frame_work(given: bytes) -> tuple[Mapping[str, Any], bytes]:
    """`frame_at` of "milliseconds, end of line, file name", as `core.files.isolated` runs it."""
    at_ms, _, path = given.partition(b"\n")
    return {}, frame_at(Path(os.fsdecode(path)), int(at_ms))


def _shown_at(source: InputContainer, stream: VideoStream, at_ms: int) -> VideoFrame | None:
    """The last frame that begins by then; the first of all where none does."""
    rate, tick = float(stream.average_rate or 24), stream.time_base or Fraction(1, 90_000)
    begins = min(Fraction(0), Fraction(source.start_time or 0, av.time_base))
    wanted = begins + Fraction(2 * at_ms + 1, 2000)  # half a millisecond of grace: times are rounded to whole ones
    for seeks in (True, False):
        # A seek that lands behind what is wanted, as in files with a wrong index, is answered from the beginning.
        source.seek(int(wanted / tick) if seeks else int(begins / tick), stream=stream)
        found: VideoFrame | None = None
        for count, frame in enumerate(source.decode(stream)):
            if count == _MOST_TAIL_FRAMES:
                raise sniff.rejected("too_long", f"more than {count} frames after a key frame")
            moment = frame.pts * tick if frame.pts is not None else Fraction(count / rate)
            if moment > wanted:
                if found is None and not seeks:
                    found = frame
                break
            found = frame
        if found is not None:
            return found
    return None


def _full_size(picture: Image.Image) -> bytes:
    target = io.BytesIO()
    picture.save(target, "JPEG", quality=95, subsampling=0)
    return target.getvalue()


def preview(path: Path) -> bytes:
    """A small silent H.264 MP4 of the beginning: 320 pixels wide, 12 frames a second, 3 seconds at most.

    Raises errors.MediaRejected.
    """
    shown = video_presentation.of(path)
    size = shown.fitted(PREVIEW_WIDTH)
    with tempfile.TemporaryDirectory() as folder, video_reader.opened(path) as (source, stream):
        target = Path(folder, "preview.mp4")
        # A real file: FFmpeg moves the index to the front by opening its output a second time.
        with av.open(str(target), "w", format="mp4", options={"movflags": "+faststart"}) as sink:
            out = sink.add_stream("libx264", rate=SAMPLE_RATE, options={"preset": "veryfast", "crf": "28"})
            shown.prepare(out, size)
            for tick, frame in _sampled(source, stream):
                small = shown.for_encoder(frame, size)
                small.pts, small.time_base, small.duration = tick, Fraction(1, SAMPLE_RATE), 1
                sink.mux(out.encode(small))
            sink.mux(out.encode(None))
        if not target.exists():  # FFmpeg makes the file with its first packet
            raise sniff.rejected("no_frames")
        return target.read_bytes()


def make_web_safe(path: Path, target: Path, *, marked: bool = False) -> None:
    """Re-encode as H.264 and AAC in an MP4 with its index in front, at `target`, whole or not at all.

    For what `verify` calls not web safe: browsers play HEVC as sound without a picture and say nothing (measured).
    With `marked` every picture carries the visible mark. Raises errors.MediaRejected.
    """
    _re_encode(path, target, crf=20, marked=marked, copies_sound=False)


def put_mark(path: Path, target: Path) -> None:
    """Write a web-safe MP4 to `target` with the visible mark in every picture, its sound as it is, or not at all.

    Of a quality at which one does not see that it was encoded twice. Raises errors.MediaRejected.
    """
    _re_encode(path, target, crf=16, marked=True, copies_sound=True)


def _re_encode(path: Path, target: Path, *, crf: int, marked: bool, copies_sound: bool) -> None:
    shown = video_presentation.of(path)
    size = shown.fitted()
    mark = visible_mark.VisibleMark(*size) if marked else None
    draft = target.with_name(f".{target.name}.draft")
    try:
        with (
            video_reader.opened(path) as (source, stream),
            av.open(str(draft), "w", format="mp4", options={"movflags": "+faststart"}) as sink,
        ):
            rate = stream.average_rate or Fraction(24)
            picture = sink.add_stream("libx264", rate=rate, options={"preset": "veryfast", "crf": str(crf)})
            shown.prepare(picture, size)
            picture.codec_context.time_base = stream.time_base or Fraction(1, 90_000)
            heard = None if video_reader.audio_codec(source) in (None, "unknown") else source.streams.audio[0]
            sound: SoundTrack = Silence()
            if heard is not None:
                sound = Copied(sink, heard) if copies_sound else Encoded(sink)
            for packet in source.demux(*filter(None, (stream, heard))):
                if packet.stream.type == "audio":
                    sound.take(packet)
                    continue
                for frame in packet.decode():
                    if isinstance(frame, VideoFrame):
                        upright = shown.for_encoder(frame, size)
                        sink.mux(picture.encode(mark.painted(upright) if mark else upright))
            sink.mux(picture.encode(None))
            sound.end()
        if not draft.exists():
            raise sniff.rejected("no_frames")
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


def _sampled(source: InputContainer, stream: VideoStream) -> Iterator[tuple[int, VideoFrame]]:
    """(tick, frame): the frames nearest to the ticks of 1/12 second, over the first 3 seconds."""
    rate = float(stream.average_rate or 24)
    start: float | None = None
    due = 0
    for index, frame in enumerate(source.decode(stream)):
        moment = frame.time if frame.pts is not None else index / rate
        start = moment if start is None else start
        tick = int((moment - start) * SAMPLE_RATE + 1e-6)
        if tick >= SAMPLE_RATE * SAMPLE_SECONDS or index > 240 * SAMPLE_SECONDS:
            return
        if tick >= due:
            due = tick + 1
            yield tick, frame
