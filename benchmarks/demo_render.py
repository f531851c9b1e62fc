"""Renders demo clips of several shapes, each in a process of its own; prints time for a second of clip, memory, size.

Run: python -m benchmarks.demo_render [seconds of clip]. Takes about a minute for the usual 5 seconds.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

LAKE = "A sailing boat on a mountain lake at sunset, golden reflections"
SPACE = "A planet in deep space, drifting nebula and stars"
CLIPS = {
    "720p 16:9, lake": {"prompt": LAKE, "width": 1280, "height": 720},
    "720p 16:9, space": {"prompt": SPACE, "width": 1280, "height": 720},
    "720p 16:9, silent": {"prompt": LAKE, "width": 1280, "height": 720, "audio": False},
    "720p 9:16, lake": {"prompt": LAKE, "width": 720, "height": 1280},
    "720p 1:1, lake": {"prompt": LAKE, "width": 720, "height": 720},
    "720p 16:9, start image": {"prompt": LAKE, "width": 1280, "height": 720, "start_image": "start.jpg"},
    "720p 16:9, both images": {
        "prompt": LAKE,
        "width": 1280,
        "height": 720,
        "start_image": "start.jpg",
        "end_image": "end.jpg",
    },
    "1080p 16:9, lake": {"prompt": LAKE, "width": 1920, "height": 1080},
    "4K 16:9, lake": {"prompt": LAKE, "width": 3840, "height": 2160},
}


def render(folder: Path) -> tuple[float, float, float]:
    """Render the job in the folder; its wall seconds, CPU seconds and peak memory in MiB."""
    begun = time.perf_counter()
    command = [sys.executable, "-m", "core.studio.render", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:  # noqa: S603 - words of this file
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"The renderer ended with {process.returncode}.")
    unit = 1024 * 1024 if sys.platform == "darwin" else 1024  # getrusage counts bytes on macOS, KiB on Linux
    return time.perf_counter() - begun, used.ru_utime + used.ru_stime, used.ru_maxrss / unit


def photograph(path: Path, size: tuple[int, int], seed: int) -> None:
    """Something with detail in the size of a camera's picture."""
    cells = np.random.default_rng(seed).integers(0, 256, (24, 36, 3), dtype=np.uint8)
    Image.fromarray(cells).resize(size, Image.Resampling.BICUBIC).save(path, quality=92)


def main() -> None:
    """Measure and print."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 5.0
    print(f"{'clip':<24}{'wall s / clip s':>16}{'CPU s / clip s':>16}{'peak MiB':>10}{'MB':>7}")
    for name, changes in CLIPS.items():
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            photograph(folder / "start.jpg", (4000, 3000), 1)
            photograph(folder / "end.jpg", (1200, 1600), 2)
            job = {"reference": name, "seconds": seconds, "audio": True, "start_image": None, "end_image": None}
            (folder / "job.json").write_text(json.dumps(job | changes), "utf-8")
            wall, cpu, memory = render(folder)
            megabytes = (folder / "video.mp4").stat().st_size / 1e6
        print(f"{name:<24}{wall / seconds:>16.2f}{cpu / seconds:>16.2f}{memory:>10.0f}{megabytes:>7.2f}", flush=True)


if __name__ == "__main__":
    main()
