"""Renders one job to an MP4: reads FOLDER/job.json, writes FOLDER/video.mp4, says on stdout how far it is."""

import argparse
import json
import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import av
import numpy as np
from PIL import Image

from studio import scene, stills
from studio.chip import Chip
from studio.encoder import FRAMES_PER_SECOND, SAMPLES_PER_FRAME, Encoder
from studio.parent import end_with_parent
from studio.picture import Picture, Shot
from studio.sound import Pad

DRAWN_PIXELS = 720  # the shorter side is drawn no larger; the encoder scales up
FRAMES_AHEAD = 4


class JobRefusedError(ValueError):
    """The job asks for what cannot be rendered; the message is a whole sentence."""


@dataclass(frozen=True)
class Job:
    """What to render; sizes in pixels of the finished clip. Each reference is a take of its own of the same words."""

    prompt: str
    width: int
    height: int
    seconds: float
    audio: bool
    reference: str = ""
    start_image: str | None = None
    end_image: str | None = None

    @classmethod
    def read(cls, folder: Path) -> Self:
        """From ``folder``/job.json; raises JobRefusedError."""
        try:
            job = cls(**json.loads((folder / "job.json").read_text("utf-8")))
            even = all(side % 2 == 0 and 64 <= side <= 4096 for side in (job.width, job.height))
            fits = even and 1 / FRAMES_PER_SECOND <= job.seconds <= 60
        except (OSError, ValueError, TypeError) as error:
            raise JobRefusedError(f"The job could not be read: {error!r}.") from error
        if not fits:
            raise JobRefusedError("A clip has even sides of 64 to 4096 pixels and lasts up to 60 seconds.")
        return job

    @property
    def shot(self) -> Shot:
        """The shot at the size it is drawn."""
        scale = min(1.0, DRAWN_PIXELS / min(self.width, self.height))
        width, height = (2 * round(side * scale / 2) for side in (self.width, self.height))
        return Shot(self.prompt, width, height, self.seconds)


def render(folder: Path, report: Callable[[float], None]) -> None:
    """Write ``folder``/video.mp4 whole or not at all; ``report`` hears the share done, rising to 1.

    Raises JobRefusedError (job or images unusable), OSError (disk) and av.FFmpegError (encoder).
    """
    job = Job.read(folder)
    picture, chip = _picture(job, folder), Chip(width=job.shot.width, height=job.shot.height)
    frames = round(job.seconds * FRAMES_PER_SECOND)
    pad = Pad(job.prompt, seconds=frames / FRAMES_PER_SECOND) if job.audio else None
    silence = np.zeros((2, SAMPLES_PER_FRAME), np.float32)
    unfinished = folder / "video.mp4.part"

    def drawn(i: int) -> Image.Image:
        frame = picture.frame(i / FRAMES_PER_SECOND)
        chip.paint(frame)
        return frame

    report(0.0)
    try:
        # Frames are drawn in a thread of their own that stays a few ahead of the encoder.
        with Encoder(unfinished, width=job.width, height=job.height) as encoder, ThreadPoolExecutor(1) as drawing:
            waiting = [drawing.submit(drawn, i) for i in range(min(FRAMES_AHEAD, frames))]
            for i in range(frames):
                frame = waiting.pop(0).result()
                if i + FRAMES_AHEAD < frames:
                    waiting.append(drawing.submit(drawn, i + FRAMES_AHEAD))
                encoder.add(frame, pad.block(i * SAMPLES_PER_FRAME, SAMPLES_PER_FRAME) if pad else silence)
                report((i + 1) / (frames + 1))  # the last step is completing the file
        unfinished.replace(folder / "video.mp4")
    finally:
        unfinished.unlink(missing_ok=True)
    report(1.0)


def _picture(job: Job, folder: Path) -> Picture:
    """The scene, the images, or one turning into the other."""
    try:
        start, end = (
            stills.KenBurns(folder / name, job.shot, closing=name == job.start_image) if name else None
            for name in (job.start_image, job.end_image)
        )
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise JobRefusedError(f"An image could not be read: {error}.") from error
    first = start or scene.compose(job.shot, take=job.reference)
    return stills.Dissolve(first, end, job.shot) if end else first


def main(arguments: list[str]) -> int:
    """The command line; 0, or 1 with one sentence on standard error."""
    parser = argparse.ArgumentParser(prog="python -m studio.render", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--end-with-parent", action="store_true", help="end when standard input ends")
    chosen = parser.parse_args(arguments)
    if chosen.end_with_parent:
        end_with_parent()
    os.nice(5)  # on a small machine the pages and the worker go first
    try:
        render(chosen.folder, lambda share: print(f"{share:.4f}", flush=True))  # noqa: T201 -- the studio reads it
    except (JobRefusedError, OSError, av.FFmpegError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
