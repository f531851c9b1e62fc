"""Renders one job to an MP4: reads FOLDER/job.json, writes FOLDER/video.mp4, says on stdout how far it is.

Run: python -m core.studio.render FOLDER [--end-with-parent]
"""

import argparse
import json
import os
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.studio import caption, scene, stills
from core.studio.encoder import FRAMES_PER_SECOND, SAMPLES_PER_FRAME, Encoder
from core.studio.parent import end_with_parent
from core.studio.sound import Pad

DRAWN_PIXELS = 720  # the shorter side is drawn no larger; the encoder scales up
FRAMES_AHEAD = 4
CAPTION_FADE_SECONDS = 0.6
REPORT_EVERY_SECONDS = 0.1
MOST_PIXELS_A_SIDE = 4096
MOST_SECONDS = 60.0


class JobRefusedError(ValueError):
    """The job asks for what cannot be rendered; the message is a whole sentence."""


@dataclass(frozen=True)
class Job:
    """What to render; sizes in pixels of the finished clip. Each reference is a take of its own of the same words."""

    reference: str
    prompt: str
    width: int
    height: int
    seconds: float
    audio: bool
    start_image: Path | None
    end_image: Path | None

    @classmethod
    def read(cls, folder: Path) -> Self:
        """From ``folder``/job.json; raises JobRefusedError."""
        try:
            stated = json.loads((folder / "job.json").read_text("utf-8"))
            start, end = (stated.get(f"{which}_image") for which in ("start", "end"))
            job = cls(
                reference=str(stated.get("reference", "")),
                prompt=str(stated["prompt"]),
                width=int(stated["width"]),
                height=int(stated["height"]),
                seconds=float(stated["seconds"]),
                audio=bool(stated["audio"]),
                start_image=folder / start if start else None,
                end_image=folder / end if end else None,
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise JobRefusedError(f"The job could not be read: {error!r}.") from error
        if any(side % 2 or not 64 <= side <= MOST_PIXELS_A_SIDE for side in (job.width, job.height)):
            raise JobRefusedError(f"The size {job.width} x {job.height} is not even or not within 64 to 4096 pixels.")
        if not 1 / FRAMES_PER_SECOND <= job.seconds <= MOST_SECONDS:
            raise JobRefusedError(f"A clip of {job.seconds} seconds is shorter or longer than can be rendered.")
        return job


def render(folder: Path, report: Callable[[float], None]) -> None:
    """Write ``folder``/video.mp4 whole or not at all; ``report`` hears the share done, rising to 1.

    Raises JobRefusedError (job or images unusable), OSError (disk) and av.FFmpegError (encoder).
    """
    job = Job.read(folder)
    picture = _picture(job)
    frames = round(job.seconds * FRAMES_PER_SECOND)
    seconds = frames / FRAMES_PER_SECOND
    pad = Pad(job.prompt, seconds=seconds) if job.audio else None
    silence = np.zeros((2, SAMPLES_PER_FRAME), np.float32)
    chip = caption.chip(width=job.width, height=job.height)
    words = caption.caption(job.prompt, width=job.width, height=job.height)
    unfinished = folder / "video.mp4.part"
    report(0.0)
    try:
        with Encoder(unfinished, width=job.width, height=job.height) as encoder:
            for i, drawn in enumerate(_drawn_ahead(picture, frames)):
                overlays = [(chip, 1.0)]
                if words:
                    overlays.append((words, stills.eased(i / FRAMES_PER_SECOND / CAPTION_FADE_SECONDS)))
                sound = pad.block(i * SAMPLES_PER_FRAME, SAMPLES_PER_FRAME) if pad else silence
                encoder.add(drawn, overlays, sound)
                report((i + 1) / (frames + 1))  # the last step is completing the file
        unfinished.replace(folder / "video.mp4")
    finally:
        unfinished.unlink(missing_ok=True)
    report(1.0)


def _picture(job: Job) -> stills.Picture:
    """The scene, the images, or one turning into the other, at the size they are drawn."""
    scale = min(1.0, DRAWN_PIXELS / min(job.width, job.height))
    width, height = (2 * round(side * scale / 2) for side in (job.width, job.height))

    def still(path: Path, *, closing: bool) -> stills.Picture:
        try:
            return stills.KenBurns(
                path, width=width, height=height, seconds=job.seconds, words=job.prompt, closing=closing
            )
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
            raise JobRefusedError(f"The image {path.name} could not be read: {error}.") from error

    start = still(job.start_image, closing=True) if job.start_image else None
    end = still(job.end_image, closing=False) if job.end_image else None
    if start and not end:
        return stills.LightLeak(start, width=width, height=height, seconds=job.seconds, words=job.prompt)
    first = start or scene.compose(job.prompt, width=width, height=height, seconds=job.seconds, take=job.reference)
    if not end:
        return first
    return stills.Dissolve(first, end, width=width, height=height, seconds=job.seconds, words=job.prompt)


def _drawn_ahead(picture: stills.Picture, frames: int) -> Iterator[NDArray[np.uint8]]:
    """All frames in order, drawn in a thread of their own that stays a few frames ahead of who takes them."""
    with ThreadPoolExecutor(1, "draw") as drawing:
        waiting: deque[Future[NDArray[np.uint8]]] = deque()
        for i in range(frames):
            while len(waiting) < min(FRAMES_AHEAD, frames - i):
                waiting.append(drawing.submit(picture.frame, (i + len(waiting)) / FRAMES_PER_SECOND))
            yield waiting.popleft().result()


def _printer() -> Callable[[float], None]:
    """Prints progress one number a line, flushed, about ten times a second and always the last."""
    printed_at = -REPORT_EVERY_SECONDS

    def report(share: float) -> None:
        nonlocal printed_at
        now = time.monotonic()
        if share >= 1 or now - printed_at >= REPORT_EVERY_SECONDS:
            sys.stdout.write(f"{share:.4f}\n")
            sys.stdout.flush()
            printed_at = now

    return report


def main(arguments: list[str]) -> int:
    """The command line; 0, or 1 with one sentence on standard error."""
    parser = argparse.ArgumentParser(prog="python -m core.studio.render", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--end-with-parent", action="store_true", help="end when standard input ends")
    chosen = parser.parse_args(arguments)
    if chosen.end_with_parent:
        end_with_parent()
    os.nice(5)  # on a small machine the pages and the worker go first
    try:
        render(chosen.folder, _printer())
    except JobRefusedError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except (OSError, av.FFmpegError) as error:
        sys.stderr.write(f"The clip could not be written: {error}.\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
