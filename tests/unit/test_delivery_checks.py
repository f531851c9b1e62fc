from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import errors
from core.files import delivery_checks, isolated
from core.files.findings import Finding, FindingKind, mask
from core.files.picture_checks import PIXELS, small_size
from tests.fixtures import checked_clips
from tests.fixtures.checked_clips import DEFECTIVE, GOOD, Clip
from tests.fixtures.clips import ClipSpec, make_clip

K = FindingKind


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Sequence[Finding]]:
    """Name of a sample clip -> what is found in it; all are made and looked over at once, since it takes seconds."""
    folder = tmp_path_factory.mktemp("checked")

    def look(clip: Clip) -> Sequence[Finding]:
        path = clip.make(folder)
        try:
            return delivery_checks.check(path).findings
        finally:
            path.unlink()

    with ThreadPoolExecutor(2) as pool:
        clips = (*DEFECTIVE, *GOOD)
        return dict(zip((clip.name for clip in clips), pool.map(look, clips), strict=True))


def test_samples_are_many() -> None:
    """Forty clips with a defect, of each kind several, and forty good ones that move."""
    assert len({clip.name for clip in DEFECTIVE}) >= 40
    assert len({clip.name for clip in GOOD}) >= 40
    shown = {K.BLACK, K.FROZEN, K.FLICKER, K.LETTERBOX, K.SILENT, K.CLIPPED, K.TOO_LOUD, K.TOO_QUIET}
    assert {kind for clip in DEFECTIVE for kind in clip.kinds} == shown


@pytest.mark.parametrize("clip", DEFECTIVE, ids=lambda clip: clip.name)
def test_defect_is_found(clip: Clip, found: dict[str, Sequence[Finding]]) -> None:
    """Of the right kind, and nothing else beside it."""
    assert {finding.kind for finding in found[clip.name]} == clip.kinds


@pytest.mark.parametrize("clip", GOOD, ids=lambda clip: clip.name)
def test_good_clip_has_no_finding(clip: Clip, found: dict[str, Sequence[Finding]]) -> None:
    """Nothing is said of a clip that is as it should be."""
    assert found[clip.name] == ()


@pytest.mark.parametrize(
    ("name", "start_seconds", "end_seconds"),
    [
        ("black-first-second", 0.0, 1.0),
        ("black-in-the-middle", 1.1, 1.7),
        ("black-end", 1.2, 2.0),
        ("frozen-from-half", 1.0, 2.5),
        ("frozen-in-the-middle", 0.6, 1.8),
        ("frozen-throughout", 0.0, 1.5),
        ("flicker-in-the-middle", 1.0, 1.8),
    ],
)
def test_moment_of_a_finding(
    found: dict[str, Sequence[Finding]], name: str, start_seconds: float, end_seconds: float
) -> None:
    """From when to when, to a tenth of a second; a flicker is noticed with its first and last flash."""
    [finding] = found[name]
    slack = 0.25 if finding.kind is K.FLICKER else 0.1
    assert finding.start_seconds == pytest.approx(start_seconds, abs=slack)
    assert finding.end_seconds == pytest.approx(end_seconds, abs=slack)


@pytest.mark.parametrize(
    ("name", "measured", "slack"),
    [
        ("letterbox-wide", 0.26, 0.04),
        ("pillarbox-square", 0.44, 0.04),
        ("flicker-every-frame", 12, 1.0),
        ("too-quiet-tone", -54.7, 1.0),
        ("too-loud-tone", -0.3, 1.0),
    ],
)
def test_figure_of_a_finding(found: dict[str, Sequence[Finding]], name: str, measured: float, slack: float) -> None:
    """The share of the bars, the flashes a second, the loudness."""
    assert found[name][0].measured == pytest.approx(measured, abs=slack)


@pytest.mark.parametrize("name", ["black-in-the-middle", "frozen-from-half", "flicker-slight", "letterbox-wide"])
@pytest.mark.parametrize(("width", "height"), [(128, 72), (480, 270), (960, 540)])
def test_finding_whatever_the_size(tmp_path: Path, name: str, width: int, height: int) -> None:
    """The same picture has the same finding in every size, at the same moment."""
    clip = next(clip for clip in DEFECTIVE if clip.name == name)
    shown = delivery_checks.check(replace(clip, width=width, height=height).make(tmp_path)).findings
    usual = delivery_checks.check(clip.make(tmp_path)).findings

    assert [finding.kind for finding in shown] == [finding.kind for finding in usual] == list(clip.kinds)
    assert shown[0].start_seconds == pytest.approx(usual[0].start_seconds, abs=0.1)


@pytest.mark.parametrize(
    "name", ["good-starry-night", "good-still-shot-with-a-bird", "good-pan", "good-strong-vignette"]
)
@pytest.mark.parametrize(("width", "height"), [(160, 90), (960, 540)])
def test_no_finding_whatever_the_size(tmp_path: Path, name: str, width: int, height: int) -> None:
    """A good clip is good in every size."""
    clip = next(clip for clip in GOOD if clip.name == name)
    scaled = replace(clip, draw=_scaled(clip), width=width, height=height, rate=12)

    assert delivery_checks.check(scaled.make(tmp_path)).findings == ()


def _scaled(clip: Clip) -> checked_clips.Draw:
    """The picture as it is drawn at the clip's own size, made larger or smaller."""
    return lambda t, width, height: checked_clips.resized(clip.draw(t, clip.width, clip.height), width, height)


@given(width=st.integers(2, 8192), height=st.integers(2, 8192))
def test_small_size_is_bounded(width: int, height: int) -> None:
    """Whatever the size of a clip, a handful of pixels is looked at, in its proportions where these are any."""
    small_width, small_height = small_size(width, height)
    assert small_width * small_height <= 1.3 * PIXELS
    assert small_width % 4 == small_height % 4 == 0
    if 0.25 <= width / height <= 4:
        assert small_width / small_height == pytest.approx(width / height, rel=0.08)


def test_kinds_as_bits() -> None:
    """Each kind has a bit of its own, which stays: databases keep it."""
    assert [mask([kind]) for kind in FindingKind] == [1 << place for place in range(len(FindingKind))]
    assert mask([]) == 0
    assert (K.BLACK.value, K.LETTERBOX.value, K.TOO_QUIET.value, K.OTHER_LENGTH.value) == (
        "black",
        "letterbox",
        "too_quiet",
        "other_length",
    )
    assert [list(FindingKind).index(kind) for kind in (K.BLACK, K.LETTERBOX, K.TOO_QUIET, K.OTHER_LENGTH)] == [
        0,
        3,
        7,
        10,
    ]


def test_long_clip_is_looked_at_in_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes after the last frame, pixel or second that is looked at is not decoded."""
    late = Clip("late", checked_clips.between(1.5, 9, checked_clips.BLACK, checked_clips.pan(1)), seconds=3.0)
    path = late.make(tmp_path)
    assert [finding.kind for finding in delivery_checks.check(path).findings] == [K.BLACK]

    for name, most in (
        ("MOST_FRAMES", 30),
        ("MOST_PIXELS", 30 * 192 * 108),
        ("MOST_SECONDS", 1.25),
        ("MOST_PACKETS", 30),
    ):
        with monkeypatch.context() as changed:
            changed.setattr(delivery_checks, name, most)
            assert delivery_checks.check(path).findings == ()


def test_clip_with_many_streams(tmp_path: Path) -> None:
    """Only the picture that is shown and the sound that is heard are decoded: the others may be what they like."""
    path = tmp_path / "many.mp4"
    with av.open(str(path), "w") as sink:
        streams = [sink.add_stream("mpeg4", rate=12) for _ in range(12)]
        for stream in streams:
            stream.width, stream.height, stream.pix_fmt = 64, 36, "yuv420p"
        for index, stream in enumerate(streams):
            for number in range(18):
                drawn = checked_clips.pan(1)(number / 12, 64, 36) if index == 0 else np.zeros((36, 64, 3), np.uint8)
                sink.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(drawn), format="rgb24")))
            sink.mux(stream.encode(None))

    assert delivery_checks.check(path).findings == ()


@pytest.mark.parametrize("turn", ["upright", "lying"])
def test_bars_of_a_turned_clip(tmp_path: Path, turn: str) -> None:
    """A clip is looked at as it is shown: bars are those above and below the picture, or beside it."""
    across = checked_clips.barred(checked_clips.pan(3), above=0.2)
    clip = Clip(turn, across) if turn == "upright" else Clip(turn, across, width=108, height=192)
    assert {finding.kind for finding in delivery_checks.check(clip.make(tmp_path)).findings} == {K.LETTERBOX}


def test_check_in_a_process_of_its_own(tmp_path: Path) -> None:
    """It says the same as here."""
    clip = next(clip for clip in DEFECTIVE if clip.name == "frozen-first")
    path = clip.make(tmp_path)
    assert delivery_checks.check_isolated(path) == delivery_checks.check(path)


@pytest.mark.parametrize("damage", ["cut", "zeros", "empty", "text"])
def test_check_of_what_is_no_video(tmp_path: Path, damage: str) -> None:
    """Damaged files are refused, here and in a process of its own; nothing else comes out of it."""
    path = make_clip(tmp_path / "clip.mp4", ClipSpec(width=160, height=90, seconds=0.5))
    whole = path.read_bytes()
    path.write_bytes(
        {"cut": whole[:300], "zeros": whole[:100] + bytes(len(whole) - 100), "empty": b"", "text": b"no video"}[damage]
    )
    for check in (delivery_checks.check, delivery_checks.check_isolated):
        with pytest.raises(errors.MediaRejected):
            check(path)


def test_check_that_takes_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is ended, and says so."""
    path = make_clip(tmp_path / "clip.mp4", ClipSpec(width=160, height=90, seconds=0.5))
    monkeypatch.setattr(delivery_checks, "SECONDS", 0.01)
    with pytest.raises(errors.MediaRejected) as refused:
        delivery_checks.check_isolated(path)
    assert refused.value.reason == "unreadable"
    assert isolated.AT_ONCE == 2


def test_loudness_is_a_fact(tmp_path: Path) -> None:
    """Told of every clip whose sound can be measured; of one without sound there is none."""
    heard = Clip("heard", checked_clips.pan(1), checked_clips.tone(0.1, 1000.0), seconds=1.0)
    unheard = replace(heard, name="unheard", play=None)
    muted = replace(heard, name="muted", play=checked_clips.mute)

    assert delivery_checks.check(heard.make(tmp_path)).loudness_lufs == pytest.approx(-20, abs=1)
    assert [delivery_checks.check(clip.make(tmp_path)).loudness_lufs for clip in (unheard, muted)] == [None, None]
