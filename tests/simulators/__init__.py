"""Stand-ins for the vendors, as real HTTP servers: jobs that live, files that arrive, faults that can be armed.

By hand: `python -m tests.simulators modelslab --port 9001`, then `MODELSLAB_BASE_URL=http://127.0.0.1:9001` and any
key. A prompt with `[sim:KIND]` breaks in that way; `POST /_sim/faults {"kind": ..., "times": ...}` does it to the next
submits; `GET /_sim/calls` lists what was asked.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]

MODELS = {
    "modelslab": "seedance-t2v",
    "edenai": "nova-reel",
    "replicate": "replicate-seedance-1-pro",
    "fal": "fal-hailuo-2.3",
    "openrouter": "openrouter-seedance-2.0-fast",
    "byteplus": "byteplus-seedance-2.0-fast",
    "gemini": "gemini-omni-1.2-flash",
    "minimax": "minimax-h3",
    "kling": "kling-3.0",
}
"""Vendor -> a model of it that makes video from text alone."""


@contextmanager
def running(kind: str, *, seconds: float = 2.0, limit: int = 5) -> Iterator[str]:
    """A simulator in a process of its own on a free port; yields its base URL.

    `seconds` is how long a job takes, `limit` how many ModelsLab queues before it says 429.
    """
    command = [sys.executable, "-m", "tests.simulators", kind, "--port", "0"]
    command += ["--seconds", str(seconds), "--limit", str(limit)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            base_url = process.stdout.readline().strip()
            assert base_url, f"the {kind} simulator did not start"
            yield base_url
        finally:
            process.terminate()
            try:
                process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                process.kill()
