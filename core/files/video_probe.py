"""Looks into video files for what they really are; trusts nothing a file says of itself, and writes nothing."""

import itertools
from pathlib import Path

from av.container import InputContainer
from av.video.stream import VideoStream

from core.files import sniff, video_presentation, video_reader
from core.files.video_presentation import Presentation
from core.providers import contract

MAX_BYTES = 2 * 1024**3
_WEB_VIDEO = {"mp4": frozenset({"h264", "vp9", "av1"}), "webm": frozenset({"vp8", "vp9", "av1"})}
_WEB_AUDIO = {"mp4": frozenset({"aac", "opus", None}), "webm": frozenset({"opus", None})}
_WEB_PIXELS = frozenset({"yuv420p", "yuvj420p"})
_LAST_GROUP_FRAMES = 300


def verify(path: Path) -> contract.VideoFacts:
    """The facts of `examine`, which raises the same."""
    return examine(path)[0]


def examine(path: Path) -> tuple[contract.VideoFacts, Presentation]:
    """What this video really is, and how it is shown; MediaRejected if it is none, damaged, cut short or too large.

    Every packet is read, the first frame and the first from the last key frame on are decoded. Damage inside a packet
    elsewhere is not seen: that takes a full decode, ten seconds for a short 4K clip. Reasons: `empty`, `html`, `json`,
    `playlist`, `image`, `not_a_video`, `too_large`, `too_long`, `too_many_pixels`, `no_video`, `no_frames`,
    `unsupported_codec`, `corrupt`, `truncated`, `undecodable`.
    """
    size_bytes = path.stat().st_size
    if size_bytes > MAX_BYTES:
        raise sniff.rejected("too_large", f"{size_bytes} bytes")
    shown = video_presentation.of(path)
    with video_reader.opened(path, for_few=True) as (source, stream):
        _decode_last_group(source, stream, shown.last_key)
        audio_codec = video_reader.audio_codec(source)
        video_codec = stream.codec_context.codec.canonical_name
    kind = sniff.container_of_file(path)
    facts = contract.VideoFacts(
        width=shown.width,
        height=shown.height,
        duration_seconds=round(shown.seconds, 3),
        frame_rate=round(shown.frame_rate, 3),
        video_codec=video_codec,
        pixel_format=shown.pixel_format,
        audio_codec=audio_codec,
        container=kind,
        size_bytes=size_bytes,
        web_safe=video_codec in _WEB_VIDEO.get(kind, ())
        and audio_codec in _WEB_AUDIO.get(kind, ())
        and shown.pixel_format in _WEB_PIXELS,
    )
    return facts, shown


def _decode_last_group(source: InputContainer, stream: VideoStream, last_key: int) -> None:
    source.seek(last_key, stream=stream)
    if not any(True for _ in itertools.islice(source.decode(stream), _LAST_GROUP_FRAMES)):
        raise sniff.rejected("undecodable", "nothing after the last key frame")
