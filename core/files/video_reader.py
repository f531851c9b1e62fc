"""Opens a video file of unknown origin: only two demuxers and a handful of decoders can run, and nothing else is read.

Whatever FFmpeg stumbles over becomes errors.MediaRejected; a disk without room is not the file's fault.
"""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import av.logging
from av.container import InputContainer
from av.stream import Disposition
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from core import errors
from core.files import sniff

MAX_PIXELS = 8192 * 4608

_VIDEO_CODECS = frozenset({"h264", "hevc", "vp8", "vp9", "av1", "mpeg4", "prores"})
_AUDIO_DECODERS = "aac,mp3,mp3float,opus,libopus,vorbis,flac,ac3,pcm_s16le"
_DECODERS = ",".join((*sorted(_VIDEO_CODECS), "libvpx", "libvpx-vp9", "libdav1d", _AUDIO_DECODERS))

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS})

# FFmpeg's messages are switched off here. Never av.logging.set_level: its Python callback can deadlock with FFmpeg's
# decoder threads over the interpreter lock (measured: 4 hangs in 12 runs over 300 damaged files).
av.logging.set_libav_level(av.logging.PANIC)


@contextmanager
def opened(path: Path, *, for_few: bool = False) -> Iterator[tuple[InputContainer, VideoStream]]:
    """The file and its one picture stream, with nothing reachable beside it; trouble inside becomes MediaRejected.

    `for_few` is for who wants a picture or two: a decoder that works at several frames at once, as it does else, has
    begun with as many as the machine has cores before it gives the first. Measured, half of the CPU of a small clip.
    """
    demuxer = "mov" if sniff.container_of_file(path) in ("mp4", "mov") else "matroska"
    # Neither a list nor a reference inside the file can make FFmpeg open another one.
    options = {"protocol_whitelist": "file", "codec_whitelist": _DECODERS}
    try:
        with av.open(f"file:{path}", format=demuxer, options=options, metadata_errors="ignore") as source:
            yield source, _picture_stream(source, for_few=for_few)
    except (av.FFmpegError, ValueError, OverflowError, ArithmeticError, MemoryError) as failure:
        if isinstance(failure, OSError) and failure.errno in _NO_ROOM:  # for what is written while it is read
            raise errors.StorageUnavailable(detail=repr(failure)) from failure
        # Beside FFmpeg's own errors PyAV raises these for figures and texts that make no sense.
        raise sniff.rejected("undecodable", f"{type(failure).__name__}: {failure}") from failure


def _picture_stream(source: InputContainer, *, for_few: bool) -> VideoStream:
    """The first track that can be shown; a cover may stand before it, with or without being marked as one."""
    moving = [stream for stream in source.streams.video if not stream.disposition & Disposition.attached_pic]
    if not moving:
        raise sniff.rejected("no_video")
    stream = next((stream for stream in moving if _codec(stream) in _VIDEO_CODECS), None)
    if stream is None:
        raise sniff.rejected("unsupported_codec", _codec(moving[0]))
    context = stream.codec_context
    if context.width * context.height > MAX_PIXELS:
        raise sniff.rejected("too_many_pixels", f"{context.width} × {context.height}")
    context.thread_type = "SLICE" if for_few else "AUTO"
    return stream


def _codec(stream: VideoStream) -> str:
    context: VideoCodecContext | None = stream.codec_context  # None for what FFmpeg has no decoder for
    return "unknown" if context is None else context.codec.canonical_name


def audio_codec(source: InputContainer) -> str | None:
    """The common name of the first sound stream's codec, `unknown`, or None without sound."""
    if not source.streams.audio:
        return None
    context = source.streams.audio[0].codec_context
    return context.codec.canonical_name if context is not None else "unknown"
