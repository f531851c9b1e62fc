"""How long the demo studio draws for a second of clip, and how much memory it takes: one process a row, as in use.

Run: `python benchmarks/demo_render.py [row ...]` (rows by number; all by default).
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROWS = (
    ("720p 16:9", "a sailing boat on a mountain lake at sunset", 1280, 720, 5),
    ("720p 9:16", "northern lights over snowy mountains, arctic night", 720, 1280, 5),
    ("720p 1:1", "A chef pours steaming soup in a busy Jakarta kitchen", 720, 720, 5),
    ("720p 16:9", "a giant planet in a colourful nebula", 1280, 720, 5),
    ("720p 16:9", "A red fox walks through fresh snow at dawn", 1280, 720, 5),
    ("720p 16:9", "abstract silk", 1280, 720, 5),
    ("720p 16:9", "waves of the ocean at dawn", 1280, 720, 16),
    ("1080p 16:9", "a sailing boat on a mountain lake at sunset", 1920, 1080, 5),
    ("4K 16:9", "a sailing boat on a mountain lake at sunset", 3840, 2160, 5),
)


def main(chosen: list[int]) -> None:
    """Draw the rows and print a line for each."""
    print(f"{'clip':<12}{'s':>4}{'wall s':>9}{'wall/clip':>11}{'CPU s':>8}{'MiB':>6}{'MB':>7}  prompt")
    for number in chosen or range(len(ROWS)):
        name, prompt, width, height, seconds = ROWS[number]
        with tempfile.TemporaryDirectory() as folder:
            order = {"reference": "bench", "prompt": prompt, "width": width, "height": height}
            order |= {"seconds": seconds, "audio": True, "start_image": None, "end_image": None}
            Path(folder, "job.json").write_text(json.dumps(order))
            wall, cpu, peak = _measured(folder)
            megabytes = Path(folder, "video.mp4").stat().st_size / 1e6
        line = f"{name:<12}{seconds:>4}{wall:>9.2f}{wall / seconds:>11.2f}{cpu:>8.1f}{peak:>6.0f}{megabytes:>7.1f}"
        print(f"{line}  {prompt}", flush=True)


def _measured(folder: str) -> tuple[float, float, float]:
    """Wall seconds, CPU seconds and peak MiB of one render."""
    command = [sys.executable, "-m", "studio.render", folder]
    environ = os.environ | {"PYTHONPATH": str(ROOT)}
    start = time.perf_counter()
    pipe, nowhere = subprocess.PIPE, subprocess.DEVNULL
    with subprocess.Popen(command, env=environ, stdin=pipe, stdout=nowhere) as process:  # noqa: S603 -- our own command
        _pid, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"the render ended with {process.returncode}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


if __name__ == "__main__":
    main([int(text) for text in sys.argv[1:]])
