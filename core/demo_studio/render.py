"""Draws one ordered clip into an MP4; run by the studio as a child process of its own.

`python -m core.demo_studio.render FOLDER` reads `job.json` there, writes `video.mp4`, prints its progress (0 to 1, a
line each) and ends when its standard input closes.
"""

import contextlib
import io
import json
import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace, VideoReformatter
from av.video.stream import VideoStream
from PIL import Image

from core.demo_studio import reading, scene, sound
from core.demo_studio.canvas import Bytes, Scene, Size
from core.demo_studio.caption import Captions
from core.demo_studio.noise import Floats
from core.demo_studio.order import FRAME_RATE, Order

DRAWN_LINES = 720
DRAW_THREADS = 2
FRAMES_AHEAD = 4
AUDIO_BLOCK = 1024
BT709 = 1
GRAIN_LEVELS = 1.1

Progress = Callable[[float], None]
Planes = tuple[Bytes, Bytes, Bytes]


class BadImage(ValueError):
    """A start or end image that cannot be read."""


def render(order: Order, images: Mapping[str, bytes], target: Path, progress: Progress) -> None:
    """Draw the clip to `target`, which appears only when it is whole. Raises BadImage.

    The same order gives the same frames: threads draw them ahead, each for itself.
    """
    look = reading.read(order.prompt)
    size = drawn_size(order)
    pictures = {name: _opened(data) for name, data in images.items()}
    moving = scene.choose(look, size, order.frames / FRAME_RATE, pictures)
    length = order.frames / FRAME_RATE
    heard = sound.compose(look, length) if order.audio else sound.silence(length)
    unfinished = target.with_suffix(".part")
    with av.open(str(unfinished), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        _encode(container, order, frames(moving, order), heard, progress)
    unfinished.replace(target)


def drawn_size(order: Order) -> Size:
    """What is drawn; a larger clip is scaled up from it, the words apart."""
    share = min(1.0, DRAWN_LINES / min(order.width, order.height))
    return Size(round(order.width * share / 2) * 2, round(order.height * share / 2) * 2)


def frames(moving: Scene, order: Order) -> Iterator[Bytes]:
    """All frames in order, drawn ahead by threads (numpy and Pillow let them run side by side)."""
    with ThreadPoolExecutor(DRAW_THREADS) as pool:
        ahead: deque[Future[Bytes]] = deque()
        for number in range(order.frames):
            ahead.append(pool.submit(moving.frame, number / FRAME_RATE))
            if len(ahead) > FRAMES_AHEAD:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


def _opened(data: bytes) -> Image.Image:
    try:
        image = Image.open(io.BytesIO(data), formats=("JPEG",))
        image.load()
    except (OSError, ValueError, SyntaxError) as failure:
        raise BadImage(str(failure)) from failure
    return image.convert("RGB")


def _encode(
    container: OutputContainer, order: Order, drawn: Iterator[Bytes], heard: Floats, progress: Progress
) -> None:
    video = _video_stream(container, order)
    audio = container.add_stream("aac", rate=sound.RATE)
    audio.layout = "stereo"
    audio.bit_rate = 96_000
    finish = _Finish(order)
    blocks = _blocks(heard)
    for number, pixels in enumerate(drawn):
        for packet in video.encode(finish.frame(pixels, number)):
            container.mux(packet)
        _mux_audio(container, audio, blocks, until=(number + 1) / FRAME_RATE)
        progress((number + 1) / order.frames * 0.99)
    container.mux(video.encode(None))
    _mux_audio(container, audio, blocks, until=float("inf"))
    container.mux(audio.encode(None))


def _video_stream(container: OutputContainer, order: Order) -> VideoStream:
    video = container.add_stream("libx264", rate=FRAME_RATE, options={"preset": "veryfast", "crf": "20"})
    video.width, video.height, video.pix_fmt = order.width, order.height, "yuv420p"
    video.thread_count = 2  # fixed: another number gives other bytes
    context = video.codec_context
    context.color_range = context.color_primaries = context.color_trc = context.colorspace = BT709
    if min(order.width, order.height) > 1080:
        context.options = {**context.options, "refs": "1", "bf": "1"}  # a fifth less memory at 4K
    return video


def _blocks(heard: Floats) -> Iterator[AudioFrame]:
    for start in range(0, heard.shape[1], AUDIO_BLOCK):
        block = np.ascontiguousarray(heard[:, start : start + AUDIO_BLOCK])
        frame = AudioFrame.from_ndarray(block, format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = sound.RATE, start, Fraction(1, sound.RATE)
        yield frame


def _mux_audio(container: OutputContainer, audio: AudioStream, blocks: Iterator[AudioFrame], *, until: float) -> None:
    for block in blocks:
        container.mux(audio.encode(block))
        if block.pts is not None and block.pts / sound.RATE >= until:
            return


class _Finish:
    """Brings a drawn frame to its final size and form, with grain against banding and the words in full sharpness."""

    def __init__(self, order: Order) -> None:
        self._size = (order.width, order.height)
        self._captions = Captions(order.width, order.height, order.prompt)
        self._reformatter = VideoReformatter()
        rng = np.random.default_rng(24)
        noise = rng.standard_normal((order.height + 64, order.width + 64), dtype=np.float32) * GRAIN_LEVELS
        self._grain = np.round(noise).astype(np.int8)
        self._places = rng.integers(0, 64, (64, 2))

    def frame(self, pixels: Bytes, number: int) -> VideoFrame:
        """The frame to encode."""
        drawn = VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgba")
        frame = self._reformatter.reformat(
            drawn,
            *self._size,
            "yuv420p",
            dst_colorspace=Colorspace.ITU709,
            dst_color_range="MPEG",
            interpolation="BICUBIC",
        )
        frame.pts, frame.time_base = number, Fraction(1, FRAME_RATE)
        planes = self._planes(frame)
        y, x = self._places[number % len(self._places)]
        luma = planes[0]
        grained = luma.astype(np.int16)
        grained += self._grain[y : y + luma.shape[0], x : x + luma.shape[1]]
        np.clip(grained, 16, 235, out=grained)
        luma[:] = grained
        self._captions.blend(planes, number / FRAME_RATE)
        return frame

    def _planes(self, frame: VideoFrame) -> Planes:
        width, height = self._size
        found = [
            np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)[:lines, :columns]
            for plane, lines, columns in zip(
                frame.planes, (height, height // 2, height // 2), (width, width // 2, width // 2), strict=True
            )
        ]
        return found[0], found[1], found[2]


def _end_with_input() -> None:
    """End at once when whoever started us is gone."""

    def watch() -> None:
        with contextlib.suppress(OSError):
            while os.read(0, 4096):
                pass
        os._exit(1)

    threading.Thread(target=watch, name="end-with-input", daemon=True).start()


def main(folder: Path) -> int:
    """Draw the job of a folder; the exit code. The last line on stderr tells the reason of a refusal."""
    _end_with_input()
    av.logging.set_libav_level(av.logging.PANIC)
    spec = json.loads((folder / "job.json").read_text())
    order = Order(**spec["order"])
    images = {name: path.read_bytes() for name in ("start", "end") if (path := folder / f"{name}.jpg").exists()}

    def tell(share: float) -> None:
        sys.stdout.write(f"{share:.4f}\n")
        sys.stdout.flush()

    try:
        render(order, images, folder / "video.mp4", tell)
    except BadImage as bad:
        sys.stderr.write("\n" + json.dumps({"code": "bad_image", "message": f"An image cannot be read: {bad}"}) + "\n")
        return 2
    return 0


if __name__ == "__main__":
    with contextlib.suppress(OSError):
        os.nice(5)  # the pages and the worker go first on a small machine
    sys.exit(main(Path(sys.argv[1])))
