"""Makes the files of the sample company's clips: real MP4s, cut to length out of loops that are encoded once each."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.packet import Packet
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter
from av.video.stream import VideoStream

from core.files import video_derivatives, video_probe
from core.sample.pictures import Palette, Picture

FRAMES_PER_SECOND = 16
LOOP_FRAMES = 32
DRAWN_SHARE = 2
"""Pictures are drawn at half the width and height of a clip; flat shapes lose nothing that anybody sees."""

_BT709 = 1  # ITU-T H.273: the number for BT.709 in primaries, transfer and matrix alike


@dataclass(frozen=True, slots=True)
class Shot:
    """What a loop shows, and how large it is in pixels."""

    outline: str
    palette: Palette
    seed: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Footage:
    """The files of a clip before they are stored: `facts` are what the clip was found to be, as a worker notes."""

    clip: Path
    poster: Path
    preview: Path
    facts: Mapping[str, Any]

    @property
    def name(self) -> str:
        """What the files of a clip are called in storage, before their suffixes."""
        return str(self.facts["sha256"])[:16]

    @property
    def stored_bytes(self) -> int:
        """What the files take together."""
        return sum(path.stat().st_size for path in (self.clip, self.poster, self.preview))


def encode_loop(shot: Shot, target: Path) -> None:
    """Write one turn of a shot as an MP4 that begins with its only key frame and has no frame that looks ahead."""
    picture = Picture(
        shot.outline,
        shot.palette,
        width=shot.width // DRAWN_SHARE,
        height=shot.height // DRAWN_SHARE,
        seed=shot.seed,
    )
    scale = VideoReformatter()
    with av.open(str(target), "w", format="mp4") as sink:
        out = sink.add_stream(
            "libx264", rate=FRAMES_PER_SECOND, options={"preset": "ultrafast", "crf": "26", "g": "999", "bf": "0"}
        )
        _describe(out, shot.width, shot.height)
        for number in range(LOOP_FRAMES):
            drawn = av.VideoFrame.from_ndarray(picture.frame(number / LOOP_FRAMES), format="rgb24")
            frame = scale.reformat(
                drawn,
                shot.width,
                shot.height,
                "yuv420p",
                dst_colorspace=Colorspace.ITU709,
                dst_color_range=ColorRange.MPEG,
            )
            frame.pts, frame.time_base = number, Fraction(1, FRAMES_PER_SECOND)
            sink.mux(out.encode(frame))
        sink.mux(out.encode(None))


def cut(loop: Path, seconds: int, target: Path) -> None:
    """Write a clip of so many seconds: the loop's own packets again and again, without encoding anything."""
    with av.open(str(loop)) as source:
        stream = source.streams.video[0]
        packets = [(bytes(packet), packet.is_keyframe) for packet in source.demux(stream) if packet.size]
        with av.open(str(target), "w", format="mp4", options={"movflags": "+faststart"}) as sink:
            out = sink.add_stream_from_template(stream)
            for number in range(seconds * FRAMES_PER_SECOND):
                data, is_key = packets[number % len(packets)]
                packet = Packet(data)
                packet.stream, packet.time_base = out, Fraction(1, FRAMES_PER_SECOND)
                packet.pts = packet.dts = number
                packet.duration, packet.is_keyframe = 1, is_key
                sink.mux(packet)


def develop(loop: Path, lengths: set[int], folder: Path) -> Mapping[int, Footage]:
    """Seconds -> the files of a clip of that length; poster and preview are those of the loop, for all of them."""
    poster, preview = folder / f"{loop.stem}.webp", folder / f"{loop.stem}-preview.mp4"
    made: dict[int, Footage] = {}
    for seconds in sorted(lengths):
        clip = folder / f"{loop.stem}-{seconds}.mp4"
        cut(loop, seconds, clip)
        if not made:
            poster.write_bytes(video_derivatives.poster(clip))
            preview.write_bytes(video_derivatives.preview(clip))
        with clip.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        made[seconds] = Footage(clip, poster, preview, asdict(video_probe.verify(clip)) | {"sha256": sha256})
    return made


def _describe(out: VideoStream, width: int, height: int) -> None:
    out.width, out.height, out.pix_fmt = width, height, "yuv420p"
    context = out.codec_context
    context.thread_count = 1  # loops are encoded side by side; and the bytes differ with the number of threads
    context.color_primaries = context.color_trc = context.colorspace = _BT709
    context.color_range = ColorRange.MPEG
