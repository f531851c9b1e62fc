"""Looks into video files and makes the small pictures and clips around them; trusts nothing a file says of itself."""

from dataclasses import dataclass
from pathlib import Path

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from core.files import sniff, video_reader
from core.providers import contract

MAX_BYTES = 2 * 1024**3
MAX_SECONDS = 600
_WEB_VIDEO = {"mp4": frozenset({"h264", "vp9", "av1"}), "webm": frozenset({"vp8", "vp9", "av1"})}
_WEB_AUDIO = {"mp4": frozenset({"aac", "opus", None}), "webm": frozenset({"opus", None})}
_WEB_PIXELS = frozenset({"yuv420p", "yuvj420p"})
_MOST_PACKETS = 1_000_000


def verify(path: Path) -> contract.VideoFacts:
    """What this video really is; errors.MediaRejected if it is none, is damaged, cut short or beyond the limits.

    Every packet is read, the first frame and the last key frame's group are decoded. Damage inside a packet elsewhere
    is not seen: that takes a full decode, ten seconds for a short 4K clip. Reasons: `empty`, `html`, `json`,
    `playlist`, `image`, `not_a_video`, `too_large`, `too_long`, `too_many_pixels`, `no_video`, `no_frames`,
    `unsupported_codec`, `corrupt`, `truncated`, `undecodable`.
    """
    size_bytes = path.stat().st_size
    if size_bytes > MAX_BYTES:
        raise sniff.rejected("too_large", f"{size_bytes} bytes")
    with video_reader.opened(path) as (source, stream):
        walk = _Walk(source, stream, size_bytes)
    with video_reader.opened(path) as (source, stream):
        frame = _decode_ends(source, stream, walk.last_key)
        audio_codec = video_reader.audio_codec(source)
        video_codec = stream.codec_context.codec.canonical_name
        frame_rate = float(stream.average_rate or 0) or walk.frames / walk.seconds
    kind = sniff.container_of_file(path)
    return contract.VideoFacts(
        width=frame.width,
        height=frame.height,
        duration_seconds=round(walk.seconds, 3),
        frame_rate=round(frame_rate, 3),
        video_codec=video_codec,
        pixel_format=frame.format.name,
        audio_codec=audio_codec,
        container=kind,
        size_bytes=size_bytes,
        web_safe=video_codec in _WEB_VIDEO.get(kind, ())
        and audio_codec in _WEB_AUDIO.get(kind, ())
        and frame.format.name in _WEB_PIXELS,
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
    """One pass over all packets: length, number of frames and last key frame, measured rather than believed."""

    def __init__(self, source: InputContainer, stream: VideoStream, size_bytes: int) -> None:
        self.frames = 0
        self.last_key = 0
        picture, everything = _Extent(), _Extent()
        for count, packet in enumerate(source.demux()):
            if packet.size == 0:
                continue  # the end mark of a stream
            outside = packet.pos is not None and packet.pos + packet.size > size_bytes
            if packet.is_corrupt or outside or count > _MOST_PACKETS:
                raise sniff.rejected("corrupt", f"packet {count}")
            moment = packet.pts if packet.pts is not None else packet.dts
            if moment is None or packet.time_base is None:
                continue
            start, end = float(moment * packet.time_base), float((moment + (packet.duration or 0)) * packet.time_base)
            everything.include(start, end)
            if packet.stream.index == stream.index:
                self.frames += 1
                picture.include(start, end)
                if packet.is_keyframe:
                    self.last_key = moment
        self.seconds = picture.seconds
        if not self.frames or not self.seconds:
            raise sniff.rejected("no_frames")
        if self.seconds > MAX_SECONDS:
            raise sniff.rejected("too_long", f"{self.seconds:.1f} s")
        if stream.duration is not None and stream.time_base is not None:
            _accept_length(picture.seconds, float(stream.duration * stream.time_base))
        if source.duration is not None:
            _accept_length(everything.seconds, source.duration / av.time_base)


def _accept_length(measured_seconds: float, stated_seconds: float) -> None:
    if measured_seconds < stated_seconds - max(0.5, 0.05 * stated_seconds):
        raise sniff.rejected("truncated", f"{measured_seconds:.2f} of {stated_seconds:.2f} s")


def _decode_ends(source: InputContainer, stream: VideoStream, last_key: int) -> VideoFrame:
    """Decode the first frame, which is returned, and what follows the last key frame."""
    first = next(source.decode(stream), None)
    if first is None:
        raise sniff.rejected("no_frames")
    source.seek(last_key, stream=stream)
    decoded = 0
    for _ in source.decode(stream):
        decoded += 1
        if decoded == _LAST_GROUP_FRAMES:
            break
    if not decoded:
        raise sniff.rejected("undecodable", "nothing after the last key frame")
    return first


_LAST_GROUP_FRAMES = 300
