import io
import json
import random
import resource
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from core import errors
from core.files import video_derivatives, video_probe
from tests.fixtures.clips import ClipSpec, make_clip


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A good H.264 and AAC MP4."""
    return make_clip(tmp_path_factory.mktemp("clips") / "good.mp4")


def reason_for(path: Path) -> str:
    """Why `verify` refuses this file."""
    with pytest.raises(errors.MediaRejected) as caught:
        video_probe.verify(path)
    return caught.value.reason


def written(folder: Path, data: bytes, name: str = "file.mp4") -> Path:
    """A file with these bytes."""
    path = folder / name
    path.write_bytes(data)
    return path


def test_verify_reads_the_facts_of_a_good_mp4(clip: Path) -> None:
    """Size, length, rate and codecs are those that the clip was made with."""
    facts = video_probe.verify(clip)
    assert (facts.width, facts.height, facts.frame_rate) == (640, 360, 24)
    assert facts.duration_seconds == pytest.approx(2.0, abs=0.05)
    assert (facts.video_codec, facts.pixel_format, facts.audio_codec) == ("h264", "yuv420p", "aac")
    assert (facts.container, facts.web_safe, facts.size_bytes) == ("mp4", True, clip.stat().st_size)


@pytest.mark.parametrize(
    ("spec", "codec", "web_safe"),
    [
        (ClipSpec(sound=None), "h264", True),
        (ClipSpec(pixels="yuv444p"), "h264", False),
        (ClipSpec(codec="libx265"), "hevc", False),
        (ClipSpec(codec="libvpx-vp9", container="webm", sound="libopus", width=320, height=180), "vp9", True),
        (ClipSpec(codec="libsvtav1", width=320, height=180, seconds=1), "av1", True),
        (ClipSpec(container="mov"), "h264", False),
        (ClipSpec(container="matroska"), "h264", False),
    ],
    ids=["silent", "444", "hevc", "vp9", "av1", "mov", "mkv"],
)
def test_verify_knows_what_browsers_play(tmp_path: Path, spec: ClipSpec, codec: str, *, web_safe: bool) -> None:
    """Web safe are 8-bit 4:2:0 pictures of codecs that browsers have, in the container that belongs to them."""
    facts = video_probe.verify(make_clip(tmp_path / "clip", spec))
    assert (facts.video_codec, facts.web_safe) == (codec, web_safe)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"<!DOCTYPE html><title>Gone</title>", "html"),
        (b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', "html"),
        (json.dumps({"error": "expired"}).encode(), "json"),
        (b"#EXTM3U\nfile:///etc/passwd\n", "playlist"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "image"),
        (b"\0\0\0\x18ftypavif" + bytes(100), "image"),
        (bytes(range(256)) * 8, "not_a_video"),
        (b"\0\0\0\x18ftypisom\0\0\0\0isommp41" + random.Random(1).randbytes(5000), "undecodable"),
    ],
    ids=["empty", "html", "xml", "json", "hls", "png", "avif", "random", "ftyp-and-random"],
)
def test_verify_refuses_what_is_no_video(tmp_path: Path, data: bytes, reason: str) -> None:
    """Whatever the name says, the first bytes decide, and each kind has its own reason."""
    assert reason_for(written(tmp_path, data)) == reason


@pytest.mark.parametrize(("kept", "faststart"), [(0.5, True), (0.97, True), (0.9, False), (0.02, True)])
def test_verify_refuses_an_mp4_cut_short(tmp_path: Path, kept: float, *, faststart: bool) -> None:
    """A cut file is found wherever its index lies, though its header still promises the whole length."""
    data = make_clip(tmp_path / "whole.mp4", ClipSpec(faststart=faststart)).read_bytes()
    cut = written(tmp_path, data[: int(len(data) * kept)])
    assert reason_for(cut) in {"corrupt", "undecodable"}


def test_verify_refuses_a_webm_cut_short(tmp_path: Path) -> None:
    """A WebM without its second half is noticed by its length."""
    spec = ClipSpec(codec="libvpx", container="webm", sound=None, seconds=3, width=320, height=180)
    data = make_clip(tmp_path / "whole.webm", spec).read_bytes()
    assert reason_for(written(tmp_path, data[: len(data) // 2])) in {"truncated", "corrupt"}


def test_verify_refuses_sound_without_picture(tmp_path: Path) -> None:
    """An MP4 with nothing but sound is not a clip."""
    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w") as sink:
        sound = sink.add_stream("aac", rate=48_000, layout="stereo")
        frame = av.AudioFrame.from_ndarray(np.zeros((2, 1024), np.float32), format="fltp", layout="stereo")
        frame.sample_rate = 48_000
        sink.mux([*sound.encode(frame), *sound.encode(None)])
    assert reason_for(path) == "no_video"


def test_verify_runs_no_decoder_beyond_the_few(tmp_path: Path) -> None:
    """A codec that no provider sends is refused by name, without decoding anything of it."""
    spec = ClipSpec(codec="mjpeg", pixels="yuvj420p", container="mov", sound=None, seconds=0.5)
    assert reason_for(make_clip(tmp_path / "clip.mov", spec)) == "unsupported_codec"


def test_verify_survives_damaged_files(tmp_path: Path, clip: Path) -> None:
    """Whatever is changed in a file, the answer is a result or MediaRejected, never another exception."""
    chance = random.Random(20)
    original = clip.read_bytes()
    index_at = original.index(b"moov")
    refused = 0
    for _ in range(60):
        data = bytearray(original)
        # The index is where damage leads the demuxer astray; the rest of a file is pictures.
        span = chance.choice([(0, len(data)), (index_at, min(index_at + 4000, len(data)))])
        for _ in range(chance.randint(1, 40)):
            data[chance.randrange(*span)] = chance.randrange(256)
        path = written(tmp_path, bytes(data))
        for work in (video_derivatives.poster, video_probe.verify):
            try:
                assert work(path)
            except errors.MediaRejected:
                refused += 1
    assert refused > 20


def test_poster_passes_over_a_black_beginning(tmp_path: Path) -> None:
    """The poster of a clip that fades in from black shows a picture, 480 pixels wide."""
    data = video_derivatives.poster(make_clip(tmp_path / "clip.mp4", ClipSpec(black_seconds=1, width=1280, height=720)))
    with Image.open(io.BytesIO(data)) as poster:
        assert (poster.format, poster.size) == ("WEBP", (480, 270))
        assert np.asarray(poster.convert("L")).mean() > 60


def test_poster_of_a_black_clip_is_black(tmp_path: Path) -> None:
    """A clip with nothing to see still gets a poster, and a narrow one is not blown up."""
    spec = ClipSpec(black_seconds=9, width=180, height=320, sound=None, seconds=1)
    data = video_derivatives.poster(make_clip(tmp_path / "clip.mp4", spec))
    with Image.open(io.BytesIO(data)) as poster:
        assert poster.size == (180, 320)
        assert np.asarray(poster.convert("L")).mean() < 5


def test_preview_is_small_short_and_silent(tmp_path: Path) -> None:
    """The preview is H.264, 320 pixels wide, 12 a second, three seconds of five, without sound, its index in front."""
    clip = make_clip(tmp_path / "clip.mp4", ClipSpec(seconds=5))
    data = video_derivatives.preview(clip)
    facts = video_probe.verify(written(tmp_path, data, "preview.mp4"))
    assert (facts.width, facts.height, facts.frame_rate, facts.video_codec) == (320, 180, 12, "h264")
    assert facts.duration_seconds == pytest.approx(3.0, abs=0.01)
    assert (facts.audio_codec, facts.web_safe) == (None, True)
    assert data.index(b"moov") < data.index(b"mdat")
    assert len(data) < 100_000


def test_make_web_safe_turns_hevc_into_what_browsers_play(tmp_path: Path) -> None:
    """Picture, length and sound stay; only the codecs change, and nothing else is left in the folder."""
    clip = make_clip(tmp_path / "hevc.mp4", ClipSpec(codec="libx265", seconds=2))
    target = tmp_path / "safe.mp4"
    video_derivatives.make_web_safe(clip, target)
    before, after = video_probe.verify(clip), video_probe.verify(target)
    assert (before.web_safe, after.web_safe) == (False, True)
    assert (after.video_codec, after.audio_codec, after.pixel_format) == ("h264", "aac", "yuv420p")
    assert (after.width, after.height, after.frame_rate) == (before.width, before.height, before.frame_rate)
    assert after.duration_seconds == pytest.approx(before.duration_seconds, abs=0.1)
    data = target.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    with av.open(str(clip)) as old, av.open(str(target)) as new:
        first = next(old.decode(video=0)).to_ndarray(format="gray").astype(float)
        again = next(new.decode(video=0)).to_ndarray(format="gray").astype(float)
    assert np.abs(first - again).mean() < 4
    assert sorted(path.name for path in tmp_path.iterdir()) == ["hevc.mp4", "safe.mp4"]


def test_make_web_safe_makes_odd_sizes_even(tmp_path: Path) -> None:
    """4:2:0 needs even sides; an odd one loses a pixel instead of failing."""
    spec = ClipSpec(pixels="yuv444p", width=321, height=181, sound=None, seconds=0.5)
    target = tmp_path / "safe.mp4"
    video_derivatives.make_web_safe(make_clip(tmp_path / "odd.mp4", spec), target)
    facts = video_probe.verify(target)
    assert (facts.width, facts.height, facts.web_safe) == (320, 180, True)


def test_make_web_safe_leaves_nothing_of_a_failure(tmp_path: Path) -> None:
    """A file that cannot be read leaves neither a target nor a draft."""
    with pytest.raises(errors.MediaRejected):
        video_derivatives.make_web_safe(written(tmp_path, b"\0\0\0\x18ftypisom" + bytes(500)), tmp_path / "safe.mp4")
    assert [path.name for path in tmp_path.iterdir()] == ["file.mp4"]


def test_make_web_safe_on_a_full_disk(tmp_path: Path) -> None:
    """A disk without room is not called a bad clip, and nothing half written is left."""
    clip = make_clip(tmp_path / "hevc.mp4", ClipSpec(codec="libx265", seconds=2))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        with pytest.raises(errors.StorageUnavailable):
            video_derivatives.make_web_safe(clip, tmp_path / "safe.mp4")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert [path.name for path in tmp_path.iterdir()] == ["hevc.mp4"]


def test_a_header_without_pictures_is_refused_everywhere(tmp_path: Path) -> None:
    """A WebM that ends before its first picture gives no facts, poster, preview or copy, and one kind of error."""
    spec = ClipSpec(codec="libvpx", container="webm", sound=None, seconds=0.5, width=320, height=180)
    data = make_clip(tmp_path / "whole.webm", spec).read_bytes()
    path = written(tmp_path, data[: data.index(b"\x1f\x43\xb6\x75")], "header.webm")
    for work in (
        video_probe.verify,
        video_derivatives.poster,
        video_derivatives.preview,
        lambda file: video_derivatives.make_web_safe(file, tmp_path / "safe"),
    ):
        with pytest.raises(errors.MediaRejected):
            work(path)
    assert not (tmp_path / "safe").exists()


def test_ffmpeg_is_silent_about_damaged_files(tmp_path: Path, clip: Path) -> None:
    """A damaged file writes nothing to the worker's standard error: FFmpeg's own messages are off."""
    data = bytearray(clip.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 2000] = bytes(2000)
    path = written(tmp_path, bytes(data))
    script = (
        "import sys, pathlib; from core import errors; from core.files import video_probe\n"
        "try: video_probe.verify(pathlib.Path(sys.argv[1]))\n"
        "except errors.MediaRejected: pass"
    )
    root = Path(video_probe.__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, cwd=root, check=True)
    assert (done.stdout, done.stderr) == (b"", b"")
