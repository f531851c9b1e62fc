"""Takes in a short sound that a person uploads: refuses what is not one, and keeps nothing of it but what is heard.

What comes out is an MP3 of our own making. It decodes nothing itself: that is done in a process of its own.
"""

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core import errors
from core.files import isolated
from core.files.video_sanitizer import MAX_SECONDS, MIN_SECONDS, check_seconds
from core.messages import message

MAX_UPLOAD_BYTES = 10 * 1024 * 1024
MEMORY_BYTES = 2 * 1024**3
SECONDS = 60
RATE_HZ, BITS_A_SECOND = 48_000, 192_000

_DECODERS = "aac,mp3,mp3float,opus,libopus,vorbis,flac,alac,pcm_s16le,pcm_s24le,pcm_f32le,pcm_u8"
_GIVEN = "given"


@dataclass(frozen=True, slots=True)
class CleanSound:
    """A stereo MP3 without metadata."""

    data: bytes = field(repr=False)
    seconds: float


def container_of(head: bytes) -> str | None:
    """What FFmpeg calls the container of a sound, by its first bytes; None for what is none that is taken."""
    if head.startswith(b"RIFF") and head[8:12] == b"WAVE":
        return "wav"
    if head.startswith(b"ID3") or (head[:1] == b"\xff" and head[1:2] >= b"\xe2" and head[1:2] != b"\xff"):
        return "mp3"
    if head.startswith(b"fLaC"):
        return "flac"
    if head.startswith(b"OggS"):
        return "ogg"
    return "mov" if head[4:8] == b"ftyp" and head[8:11] in (b"M4A", b"M4B") else None


def clean(data: bytes) -> CleanSound:
    """Check an upload and make a clean sound of it.

    Raises errors.TooLarge beyond `MAX_UPLOAD_BYTES`; errors.MediaRejected with the reason `empty`, `not_a_sound`,
    `undecodable`, `too_long` or `too_short`; errors.RateLimited when too many others wait.
    """
    if not data:
        raise errors.MediaRejected(message("file_empty"), reason="empty")
    if len(data) > MAX_UPLOAD_BYTES:
        raise errors.TooLarge(message("sound_too_large", limit_mb=MAX_UPLOAD_BYTES // 1024**2))
    if container_of(data[:16]) is None:
        raise rejected("not_a_sound")
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / _GIVEN).write_bytes(data)
        work = "core.files.sound_sanitizer:work"
        facts, sound = isolated.run(work, os.fsencode(name), memory_bytes=MEMORY_BYTES, seconds=SECONDS)
    return CleanSound(sound, facts["seconds"])


def rejected(reason: str, detail: str = "") -> errors.MediaRejected:
    """The error for what cannot be heard, to be raised."""
    return errors.MediaRejected(message("sound_format"), reason=reason, detail=detail)


def work(folder: bytes) -> tuple[Mapping[str, Any], bytes]:
    """Clean what was given in a folder of this name, as `core.files.isolated` runs it."""
    import av  # in a process of its own alone
    import av.logging

    av.logging.set_libav_level(av.logging.PANIC)
    given, made = Path(os.fsdecode(folder)) / _GIVEN, Path(os.fsdecode(folder)) / "made.mp3"
    with given.open("rb") as file:
        container = container_of(file.read(16))
    options = {"protocol_whitelist": "file", "codec_whitelist": _DECODERS}
    try:
        seconds = _encode(f"file:{given}", made, container, options)
    except (av.FFmpegError, ValueError, OverflowError, ArithmeticError, IndexError) as failure:
        raise rejected("undecodable", f"{type(failure).__name__}: {failure}") from failure
    check_seconds(seconds, at_least=MIN_SECONDS, at_most=MAX_SECONDS)
    return {"seconds": round(seconds, 3)}, made.read_bytes()


def _encode(given: str, made: Path, container: str | None, options: dict[str, str]) -> float:
    """Write what is heard, no more than may be, and say how long it is."""
    import av

    samples = 0
    with (
        av.open(given, format=container, options=options, metadata_errors="ignore") as source,
        av.open(str(made), "w", format="mp3") as sink,
    ):
        out = sink.add_stream("libmp3lame", rate=RATE_HZ, layout="stereo")
        out.bit_rate = BITS_A_SECOND
        resampler = av.AudioResampler(format="s16p", layout="stereo", rate=RATE_HZ)
        for frame in source.decode(source.streams.audio[0]):
            for part in resampler.resample(frame):
                samples += part.samples
                part.pts = None
                sink.mux(out.encode(part))
            if samples > RATE_HZ * (MAX_SECONDS + 5):  # it is refused by its length, however long it is
                break
        for part in resampler.resample(None):
            samples += part.samples
            sink.mux(out.encode(part))
        sink.mux(out.encode(None))
    return samples / RATE_HZ
