import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from studio import render

SMALL = {
    "reference": "r1",
    "prompt": "A boat on a lake at sunset",
    "width": 128,
    "height": 72,
    "seconds": 1,
    "audio": True,
    "start_image": None,
    "end_image": None,
}


def job(folder: Path, **changes: object) -> Path:
    """A folder that holds the small job with these changes."""
    folder.mkdir(exist_ok=True)
    (folder / "job.json").write_text(json.dumps(SMALL | changes), "utf-8")
    return folder


def rendered(folder: Path, **changes: object) -> Path:
    """The finished clip of the small job with these changes."""
    render.render(job(folder, **changes), lambda share: None)
    return folder / "video.mp4"


def pictures(path: Path) -> list[NDArray[np.uint8]]:
    """Every frame, decoded, as RGB."""
    with av.open(str(path)) as container:
        return [np.asarray(frame.to_ndarray(format="rgb24"), np.uint8) for frame in container.decode(video=0)]


def loudness(path: Path) -> float:
    """Root mean square of the whole sound track."""
    with av.open(str(path)) as container:
        sound = np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1)
    return float(np.sqrt((sound.astype(np.float64) ** 2).mean()))


def boxes(path: Path) -> list[str]:
    """The names of the top-level MP4 boxes in order."""
    data, at, names = path.read_bytes(), 0, []
    while at < len(data):
        names.append(data[at + 4 : at + 8].decode())
        at += int.from_bytes(data[at : at + 4])
    return names


def run(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """The renderer as the studio starts it, to its end."""
    return subprocess.run(
        [sys.executable, "-m", "studio.render", str(folder), *options],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


@pytest.mark.parametrize(
    ("width", "height", "seconds"), [(128, 72, 1), (72, 128, 1.5), (96, 96, 2), (130, 74, 1), (1280, 720, 0.25)]
)
def test_clip_has_the_asked_streams_when_rendered(tmp_path: Path, width: int, height: int, seconds: float) -> None:
    """H.264 4:2:0 at 24 frames a second, AAC stereo, exact frames and lengths, ready to play while it loads."""
    path = rendered(tmp_path, width=width, height=height, seconds=seconds)
    with av.open(str(path)) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        assert (video.codec_context.name, video.pix_fmt) == ("h264", "yuv420p")
        assert (video.width, video.height) == (width, height)
        assert video.average_rate == 24
        assert (video.codec_context.colorspace, video.codec_context.color_range) == (1, 1)
        assert (audio.codec_context.name, audio.sample_rate, audio.layout.name) == ("aac", 48_000, "stereo")
        assert container.duration is not None
        assert abs(container.duration / 1_000_000 - seconds) < 0.05
        for stream in (video, audio):
            assert stream.duration is not None
            assert stream.time_base is not None
            assert abs(float(stream.duration * stream.time_base) - seconds) < 0.05
        assert sum(1 for _ in container.decode(video=0)) == round(seconds * 24)
    names = boxes(path)
    assert names[:2] == ["ftyp", "moov"]
    assert names[-1] == "mdat"


def test_frames_are_identical_when_the_job_is_the_same(tmp_path: Path) -> None:
    """A demo clip is a function of its job; other words, and the same words ordered again, give another clip."""

    def digest(name: str, **changes: object) -> str:
        frames = pictures(rendered(tmp_path / name, **changes))
        return hashlib.sha256(b"".join(frame.tobytes() for frame in frames)).hexdigest()

    assert digest("a") == digest("b")
    assert digest("a") != digest("c", prompt="A lake at night")
    assert digest("a") != digest("d", reference="r2")


def test_progress_rises_to_one(tmp_path: Path) -> None:
    """Progress begins at 0, never falls, has a step for each frame, and says 1 only when the file is there."""
    heard: list[float] = []
    done: list[bool] = []

    def report(share: float) -> None:
        heard.append(share)
        done.append((tmp_path / "video.mp4").exists())

    render.render(job(tmp_path), report)
    assert heard == sorted(heard)
    assert (heard[0], heard[-1], len(heard)) == (0.0, 1.0, 26)
    assert done == [share == 1 for share in heard]


def test_sound_is_heard_only_when_asked_for(tmp_path: Path) -> None:
    """Without audio the track is there and silent."""
    assert loudness(rendered(tmp_path / "loud")) > 0.01
    assert loudness(rendered(tmp_path / "still", audio=False)) < 0.0001


@pytest.mark.parametrize(
    "prompt", ["", "😀🎬🚀", "many words " * 400, "夕日の湖", "غروب الشمس فوق البحيرة", "\ud800 \x00"]
)
def test_clip_is_rendered_when_the_prompt_is_odd(tmp_path: Path, prompt: str) -> None:
    """Any words at all make a whole clip."""
    assert len(pictures(rendered(tmp_path, prompt=prompt, seconds=0.25))) == 6


@pytest.mark.parametrize("prompt", ["A boat on a lake", "A red fox", ""])
def test_chip_is_on_every_frame(tmp_path: Path, prompt: str) -> None:
    """On a flat image and on a scene, the chip's light letters on its dark box show from first frame to last."""
    Image.new("RGB", (640, 360), (128, 128, 128)).save(tmp_path / "start.jpg")
    for image in ("start.jpg", None):
        frames = pictures(rendered(tmp_path, prompt=prompt, width=640, height=360, seconds=0.5, start_image=image))
        for frame in (frames[0], frames[-1]):
            chip = frame[18:35, 470:620]
            assert chip.max() > 200
            assert np.median(chip) < 90


def test_images_begin_and_end_the_clip_when_given(tmp_path: Path) -> None:
    """Start alone stays, end alone replaces the scene, both go from one to the other."""
    red, blue = (200, 30, 30), (30, 30, 200)
    Image.new("RGB", (300, 500), red).save(tmp_path / "start.jpg")
    Image.new("RGB", (50, 20), blue).save(tmp_path / "end.jpg")

    def ends(**images: str) -> list[NDArray[np.float64]]:
        frames = pictures(rendered(tmp_path, prompt="", **images))
        return [frame[30:60].mean(axis=(0, 1)) for frame in (frames[0], frames[-1])]

    first, last = ends(start_image="start.jpg")
    assert np.abs(first - red).max() < 60
    assert np.abs(last - red).max() < 60
    scene = ends()[0]
    first, last = ends(end_image="end.jpg")
    assert np.abs(first - scene).max() < 10
    assert np.abs(last - blue).max() < 15
    first, last = ends(start_image="start.jpg", end_image="end.jpg")
    assert np.abs(first - red).max() < 15
    assert np.abs(last - blue).max() < 15


def test_process_prints_progress_and_ends_with_0(tmp_path: Path) -> None:
    """The command line speaks numbers only, the last of them 1."""
    ended = run(job(tmp_path))
    assert (ended.returncode, ended.stderr) == (0, "")
    lines = ended.stdout.splitlines()
    assert lines[0] == "0.0000"
    assert lines[-1] == "1.0000"
    assert [float(line) for line in lines] == sorted(float(line) for line in lines)
    assert (tmp_path / "video.mp4").exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"start_image": "broken.jpg"},
        {"end_image": "missing.jpg"},
        {"start_image": "cut.jpg"},
        {"width": 127},
        {"height": 10_000},
        {"seconds": 0},
        {"seconds": "long"},
        {"seconds": float("nan")},
    ],
)
def test_render_refuses_in_a_sentence_when_the_job_is_bad(tmp_path: Path, changes: dict[str, object]) -> None:
    """What is wrong is said in one line, and no clip, whole or half, is left."""
    (tmp_path / "broken.jpg").write_bytes(b"not an image")
    Image.effect_noise((200, 200), 90).save(tmp_path / "whole.jpg")
    whole = (tmp_path / "whole.jpg").read_bytes()
    (tmp_path / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(render.JobRefusedError) as refused:
        rendered(tmp_path, **changes)
    assert len(str(refused.value).splitlines()) == 1
    assert str(refused.value).endswith(".")
    assert not list(tmp_path.glob("video.mp4*"))


def test_process_ends_with_1_and_a_sentence_when_the_job_is_bad(tmp_path: Path) -> None:
    """The command line says in one line what is wrong."""
    ended = run(job(tmp_path, width=127))
    assert (ended.returncode, ended.stdout) == (1, "")
    assert len(ended.stderr.splitlines()) == 1
    assert ended.stderr.rstrip().endswith(".")


def test_process_ends_with_1_when_there_is_no_job(tmp_path: Path) -> None:
    """An empty folder is answered in a sentence too."""
    ended = run(tmp_path)
    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1


@pytest.mark.process
def test_process_ends_at_once_when_its_standard_input_closes(tmp_path: Path) -> None:
    """A renderer never outlives the studio that started it."""
    job(tmp_path, seconds=60, width=1280, height=720)
    command = [sys.executable, "-m", "studio.render", str(tmp_path), "--end-with-parent"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            while float(process.stdout.readline()) == 0:
                pass
            process.stdin.close()
            assert process.wait(60) == 1
        finally:
            if process.poll() is None:
                os.kill(process.pid, signal.SIGKILL)
    assert not (tmp_path / "video.mp4").exists()
