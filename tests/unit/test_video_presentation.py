"""What is said of a clip, and made of it, is what Chromium shows of the same file (figures read off its canvas)."""

import io
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from core import errors
from core.files import video_derivatives, video_presentation, video_probe
from core.generations import conformance
from tests.factories.generations import build_spec
from tests.fixtures.shown_clips import (
    BLUE,
    BT601,
    BT709,
    CORNERS,
    GREEN,
    GREY,
    RED,
    ShownSpec,
    make_shown,
    shade_of,
)

HD: dict[str, Any] = {"width": 1280, "height": 720, "times": range(6)}
CLOSE = 6
"""How far a channel may be off after encoding, out of 255."""


def seen(picture: Image.Image) -> list[tuple[int, ...]]:
    """The four corners and the middle of a picture."""
    rgb = picture.convert("RGB")
    places = ((0.1, 0.1), (0.9, 0.1), (0.1, 0.9), (0.9, 0.9), (0.5, 0.5))
    return [rgb.getpixel((int(rgb.width * x), int(rgb.height * y))) for x, y in places]  # type: ignore[misc]  # RGB has three channels


def assert_seen(picture: Image.Image, corners: tuple[tuple[int, ...], ...], shade: int, close: int = CLOSE) -> None:
    """The corners have these colours, and the middle this grey."""
    found = np.array(seen(picture), int)
    assert np.abs(found - np.array([*corners, (shade,) * 3])).max() <= close, found.tolist()


def last_picture(path: Path) -> Image.Image:
    """What a clip is gone on from."""
    return Image.open(io.BytesIO(video_derivatives.last_frame(path)))


def first_frame(path: Path) -> tuple[Image.Image, av.VideoFrame]:
    """The first frame of a file that needs no turning, read as any reader of its tags does."""
    with av.open(str(path)) as source:
        frame = next(source.decode(video=0))
        assert not frame.rotation
        return Image.fromarray(frame.reformat(format="rgb24").to_ndarray()), frame


TURNS = {
    (90, False): (GREEN, GREY, RED, BLUE),
    (180, False): (GREY, BLUE, GREEN, RED),
    (270, False): (BLUE, RED, GREY, GREEN),
    (0, True): (GREEN, RED, GREY, BLUE),
    (90, True): (GREY, GREEN, BLUE, RED),
    (180, True): (BLUE, GREY, RED, GREEN),
    (270, True): (RED, BLUE, GREEN, GREY),
}


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
@pytest.mark.parametrize(("turned", "mirrored"), TURNS)
def test_turned_clip(tmp_path: Path, codec: str, turned: int, *, mirrored: bool) -> None:
    """Facts, poster, last picture, preview and re-encoded file are upright, whichever of the eight ways it lies."""
    clip = make_shown(tmp_path / "clip.mp4", ShownSpec(codec=codec, turned=turned, mirrored=mirrored, times=range(15)))
    size = (240, 320) if turned in (90, 270) else (320, 240)
    corners = TURNS[turned, mirrored]
    facts = video_probe.verify(clip)
    assert (facts.width, facts.height) == size

    poster = Image.open(io.BytesIO(video_derivatives.poster(clip)))
    assert poster.size == size
    assert_seen(poster, corners, shade_of(0), close=10)
    last = last_picture(clip)
    assert last.size == size
    assert_seen(last, corners, shade_of(14))

    (tmp_path / "preview.mp4").write_bytes(video_derivatives.preview(clip))
    video_derivatives.make_web_safe(clip, tmp_path / "safe.mp4")
    for name in ("preview.mp4", "safe.mp4"):
        picture, frame = first_frame(tmp_path / name)
        assert picture.size == size
        assert_seen(picture, corners, shade_of(0), close=10)
        assert (frame.color_range, frame.colorspace) == (1, BT601)


@pytest.mark.parametrize(
    ("spec", "size"),
    [
        (ShownSpec(pixel_aspect=Fraction(4, 3), times=range(6)), (427, 240)),
        (ShownSpec(pixel_aspect=Fraction(3, 4), times=range(6)), (320, 320)),
        (ShownSpec(width=720, height=576, pixel_aspect=Fraction(64, 45), times=range(6)), (1024, 576)),
        (ShownSpec(pixel_aspect=Fraction(4, 3), turned=90, times=range(6)), (240, 427)),
        (ShownSpec(pixel_aspect=Fraction(100, 1), times=range(6)), (320, 240)),
    ],
    ids=["4:3", "3:4", "anamorphic", "4:3 turned", "absurd"],
)
def test_pixels_that_are_not_square(tmp_path: Path, spec: ShownSpec, size: tuple[int, int]) -> None:
    """The picture is stretched as a player stretches it, in facts and in all that is made of the clip."""
    clip = make_shown(tmp_path / "clip.mp4", spec)
    facts = video_probe.verify(clip)
    assert (facts.width, facts.height) == size
    assert last_picture(clip).size == size
    poster = Image.open(io.BytesIO(video_derivatives.poster(clip)))
    assert poster.width / poster.height == pytest.approx(size[0] / size[1], rel=0.01)
    video_derivatives.make_web_safe(clip, tmp_path / "safe.mp4")
    with av.open(str(tmp_path / "safe.mp4")) as safe:
        stream = safe.streams.video[0]
        assert (stream.width, stream.height) == (size[0] // 2 * 2, size[1] // 2 * 2)
        assert stream.sample_aspect_ratio in (None, 1)


@pytest.mark.parametrize(
    ("spec", "seconds", "first", "last"),
    [
        (ShownSpec(edits=[(1.0, 0.5)]), 1.0, 10, 33),
        (ShownSpec(edits=[(1.0, 0.5)], key_every=48), 1.0, 10, 33),
        (ShownSpec(edits=[(0.5, None), (2.0, 2 / 24)]), 2.5, 0, 47),
        (ShownSpec(edits=[(0.5, 2 / 24), (0.5, 26 / 24)]), 1.0, 0, 35),
        (ShownSpec(edits=[(1.02, 2 / 24)], key_every=24), 1.0, 0, 24),
        (ShownSpec(sound_seconds=3.5), 3.52, 0, 47),
        (ShownSpec(sound_seconds=1.0), 2.0, 0, 47),
        (ShownSpec(times=[*range(24), *range(24, 72, 4), *range(72, 75)]), 3.125, 0, 38),
        (ShownSpec(times=[0]), 0.042, 0, 0),
        (ShownSpec(times=[0], codec="libvpx-vp9", container="webm"), 0.042, 0, 0),
        (ShownSpec(times=[0, 1, 2, 3, 40]), 1.7, 0, 4),
        (ShownSpec(edits=[(1.0, 0.5)], codec="libx265"), 1.0, 10, 33),
    ],
    ids=[
        "trimmed",
        "trimmed in one group",
        "begins late",
        "two cuts",
        "key frame at the cut",
        "longer sound",
        "shorter sound",
        "changing rate",
        "one picture",
        "one picture, WebM",
        "long last picture",
        "trimmed HEVC",
    ],
)
def test_span_that_is_played(tmp_path: Path, spec: ShownSpec, seconds: float, first: int, last: int) -> None:
    """Length, first and last picture are those that a player shows, also after re-encoding."""
    clip = make_shown(tmp_path / "clip.mp4", spec)
    assert video_probe.verify(clip).duration_seconds == pytest.approx(seconds, abs=0.13)
    assert_seen(last_picture(clip), CORNERS, shade_of(last))
    assert_seen(Image.open(io.BytesIO(video_derivatives.poster(clip))), CORNERS, shade_of(first), close=10)

    video_derivatives.make_web_safe(clip, tmp_path / "safe.mp4")
    assert video_probe.verify(tmp_path / "safe.mp4").duration_seconds == pytest.approx(seconds, abs=0.13)
    assert_seen(first_frame(tmp_path / "safe.mp4")[0], CORNERS, shade_of(first))
    assert_seen(last_picture(tmp_path / "safe.mp4"), CORNERS, shade_of(last))
    assert video_derivatives.preview(clip)


@pytest.mark.parametrize(
    "spec",
    [
        ShownSpec(matrix=BT601, times=range(6)),
        ShownSpec(matrix=BT709, tag=BT709, transfer=1, primaries=1, times=range(6)),
        ShownSpec(matrix=BT709, **HD),
        ShownSpec(matrix=BT601, tag=BT601, transfer=6, primaries=6, **HD),
        ShownSpec(matrix=BT601, tag=BT601, **HD),
        ShownSpec(matrix=BT601, width=1280, height=718, times=range(6)),
        ShownSpec(matrix=BT709, width=406, height=720, times=range(6)),
        ShownSpec(matrix=BT601, width=1280, height=640, turned=90, times=range(6)),
        ShownSpec(matrix=BT709, full_range=True, tag_range=2, **HD),
        ShownSpec(full_range=True, tag_range=2, pixels="yuvj420p", times=range(6)),
        ShownSpec(pixels="yuv420p10le", times=range(6)),
        ShownSpec(pixels="yuv420p10le", codec="libx265", matrix=BT709, **HD),
        ShownSpec(pixels="yuv444p", width=321, height=241, times=range(6)),
        ShownSpec(codec="libvpx-vp9", container="webm", times=range(6)),
        ShownSpec(codec="libx264rgb", pixels="rgb24", times=range(6)),
        ShownSpec(matrix=BT601, tag=8, transfer=3, primaries=3, times=range(6)),
        ShownSpec(matrix=BT601, tag=5, transfer=6, primaries=5, times=range(6)),
        ShownSpec(matrix=7, tag=7, transfer=7, primaries=7, **HD),
        ShownSpec(
            codec="libx265", matrix=BT709, tag=BT709, transfer=1, primaries=1, full_range=True, tag_range=2, **HD
        ),
    ],
    ids=[
        "SD untagged",
        "SD tagged 709",
        "HD untagged",
        "HD tagged 601",
        "HD matrix 601",
        "718 lines",
        "portrait HD",
        "turned, 640 lines",
        "full range",
        "full range by format",
        "10 bit",
        "10 bit HEVC",
        "odd size",
        "VP9",
        "coded as RGB",
        "senseless tags",
        "PAL",
        "SMPTE 240M",
        "full range HEVC",
    ],
)
def test_colours_are_those_a_browser_shows(tmp_path: Path, spec: ShownSpec) -> None:
    """Poster, last picture, preview and re-encoded file have the colours that were meant, named for every player."""
    clip = make_shown(tmp_path / "clip", spec)
    corners = TURNS[spec.turned, False] if spec.turned else CORNERS
    assert_seen(last_picture(clip), corners, shade_of(5))
    assert_seen(Image.open(io.BytesIO(video_derivatives.poster(clip))), corners, shade_of(0), close=10)

    (tmp_path / "preview.mp4").write_bytes(video_derivatives.preview(clip))
    video_derivatives.make_web_safe(clip, tmp_path / "safe.mp4")
    for name in ("preview.mp4", "safe.mp4"):
        picture, frame = first_frame(tmp_path / name)
        assert_seen(picture, corners, shade_of(0), close=10)
        assert frame.color_range == 1
        assert 2 not in (frame.colorspace, frame.color_trc, frame.color_primaries)


@pytest.mark.parametrize(
    ("transfer", "primaries", "shown", "close"),
    [
        (1, 12, ((217, 0, 12), (0, 181, 42), (32, 62, 200), (150, 150, 150)), 8),
        (14, 9, ((248, 0, 17), (0, 188, 38), (0, 59, 200), (150, 150, 150)), 10),
        (16, 9, ((255, 0, 0), (0, 253, 0), (0, 0, 255), (193, 193, 193)), 45),
        (18, 9, ((227, 0, 1), (0, 166, 25), (0, 41, 161), (122, 122, 122)), 45),
    ],
    ids=["P3", "BT.2020", "PQ", "HLG"],
)
def test_wide_colours_become_srgb(
    tmp_path: Path, transfer: int, primaries: int, shown: tuple[tuple[int, ...], ...], close: int
) -> None:
    """Pictures of HDR and wide-gamut clips look as in a browser, HDR nearly so; the re-encoded file keeps the tags."""
    matrix = 9 if primaries == 9 else BT709
    spec = ShownSpec(
        matrix=matrix, tag=matrix, transfer=transfer, primaries=primaries, pixels="yuv420p10le", codec="libx265", **HD
    )
    clip = make_shown(tmp_path / "clip.mp4", spec)
    found = np.array(seen(last_picture(clip))[:4], int)
    assert np.abs(found - np.array(shown)).max() <= close, found.tolist()

    video_derivatives.make_web_safe(clip, tmp_path / "safe.mp4")
    _, frame = first_frame(tmp_path / "safe.mp4")
    assert (frame.colorspace, frame.color_trc, frame.color_primaries) == (matrix, transfer, primaries)
    assert frame.format.name == "yuv420p"


def test_gaps_are_told_of_what_is_shown(tmp_path: Path) -> None:
    """A clip that lies on its side is no gap where it is shown upright; one that is trimmed is shorter than asked."""
    spec = ShownSpec(width=854, height=480, turned=90, edits=[(1.0, 0.5)])
    facts = asdict(video_probe.verify(make_shown(tmp_path / "clip.mp4", spec)))

    def gaps(aspect_ratio: str, seconds: int) -> list[str]:
        order = build_spec(resolution="480p", aspect_ratio=aspect_ratio, duration_seconds=seconds)
        return [gap.code for gap in conformance.deviations(order, facts) if gap.code != "no_sound"]

    assert gaps("9:16", 1) == []
    assert gaps("16:9", 1) == ["other_shape"]
    assert gaps("9:16", 2) == ["other_length"]


def test_cover_before_the_picture(tmp_path: Path) -> None:
    """A still cover in the first track, not marked as one, hides no clip behind it."""
    path = tmp_path / "clip.mp4"
    with av.open(str(path), "w") as sink:
        cover = sink.add_stream("mjpeg", rate=1)
        moving = sink.add_stream("libx264", rate=24)
        for out, size, pixels in ((cover, (64, 48), "yuvj420p"), (moving, (320, 240), "yuv420p")):
            out.width, out.height, out.pix_fmt = *size, pixels
        sink.mux(cover.encode(av.VideoFrame(64, 48, "yuvj420p")))
        for _ in range(24):
            sink.mux(moving.encode(av.VideoFrame(320, 240, "yuv420p")))
        sink.mux([*cover.encode(None), *moving.encode(None)])
    facts = video_probe.verify(path)
    assert (facts.width, facts.height, facts.video_codec) == (320, 240, "h264")


def test_clip_whose_edits_leave_nothing(tmp_path: Path) -> None:
    """A file that shows not a single picture is no clip, and nothing is made of it."""
    clip = make_shown(tmp_path / "clip.mp4", ShownSpec(edits=[(1.0, None)]))
    for work in (video_presentation.of, video_probe.verify, video_derivatives.poster, video_derivatives.last_frame):
        with pytest.raises(errors.MediaRejected):
            work(clip)
