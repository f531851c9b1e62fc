from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from core.files import video_derivatives, video_probe
from core.files.visible_mark import VisibleMark
from tests.fixtures.clips import ClipSpec, make_clip


def grey(width: int, height: int, level: int) -> VideoFrame:
    """A picture of one brightness with a time of its own."""
    planes = np.full((height * 3 // 2, width), 128, np.uint8)
    planes[:height] = level
    frame = VideoFrame.from_ndarray(planes, format="yuv420p")
    frame.pts, frame.time_base = 77, Fraction(1, 24)
    return frame


def luma(frame: VideoFrame) -> NDArray[np.int16]:
    """Its brightness, row by row."""
    return frame.to_ndarray()[: frame.height].astype(np.int16)


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (720, 1280), (640, 360), (1920, 1080), (64, 36), (16, 16)])
@pytest.mark.parametrize("level", [16, 126, 235])
def test_mark_is_seen_in_the_corner_and_nowhere_else(width: int, height: int, level: int) -> None:
    """Light letters on a dark ground, so that it is read on any picture, however small that is."""
    frame = grey(width, height, level)
    marked = VisibleMark(width, height).painted(frame)
    changed = np.argwhere(np.abs(luma(marked) - level) > 1)
    assert changed[:, 0].min() >= height // 2 - 8
    assert changed[:, 1].min() >= width // 2 - 12
    assert luma(marked).max() - luma(marked).min() > 100
    assert (marked.width, marked.height, marked.pts) == (width, height, 77)
    assert (luma(frame) == level).all()


def packets_of_sound(path: Path) -> list[tuple[int | None, bytes]]:
    """Times and bytes of the sound."""
    with av.open(str(path)) as source:
        return [(packet.pts, bytes(packet)) for packet in source.demux(audio=0) if packet.size]


def test_put_mark_leaves_length_and_sound_alone(tmp_path: Path) -> None:
    """Only pictures are encoded anew."""
    clip = make_clip(tmp_path / "clip.mp4")
    video_derivatives.put_mark(clip, tmp_path / "marked.mp4")
    before, after = video_probe.verify(clip), video_probe.verify(tmp_path / "marked.mp4")
    assert after == replace(before, size_bytes=after.size_bytes, duration_seconds=after.duration_seconds)
    assert abs(after.duration_seconds - before.duration_seconds) < 0.05
    assert packets_of_sound(tmp_path / "marked.mp4") == packets_of_sound(clip)


def test_put_mark_in_a_silent_clip(tmp_path: Path) -> None:
    """It stays silent."""
    clip = make_clip(tmp_path / "clip.mp4", ClipSpec(sound=None))
    video_derivatives.put_mark(clip, tmp_path / "marked.mp4")
    assert video_probe.verify(tmp_path / "marked.mp4").audio_codec is None


def test_mark_with_another_codec(tmp_path: Path) -> None:
    """What browsers cannot show is converted and marked in one."""
    clip = make_clip(tmp_path / "clip.mp4", ClipSpec(codec="libx265"))
    video_derivatives.make_web_safe(clip, tmp_path / "marked.mp4", marked=True)
    facts = video_probe.verify(tmp_path / "marked.mp4")
    assert (facts.video_codec, facts.web_safe) == ("h264", True)
    with av.open(str(tmp_path / "marked.mp4")) as source:
        picture = next(source.decode(video=0)).to_ndarray(format="gray").astype(np.int16)
    corner = picture[-30:, -40:]
    assert corner.max() - corner.min() > 100
