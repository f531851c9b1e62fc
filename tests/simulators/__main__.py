"""Starts one simulator; its address is the first line on standard output."""

import argparse
import signal
import socket
import sys
import tempfile
from pathlib import Path

import uvicorn

from tests.simulators import (
    byteplus,
    comfyui,
    edenai,
    fal,
    gemini,
    kling,
    minimax,
    modelslab,
    openaivideo,
    openrouter,
    replicate,
)
from tests.simulators.vendor import Vendor, make_clip

BUILD = {
    "modelslab": modelslab.app,
    "edenai": edenai.app,
    "replicate": replicate.app,
    "fal": fal.app,
    "openrouter": openrouter.app,
    "byteplus": byteplus.app,
    "gemini": gemini.app,
    "kling": kling.app,
    "minimax": minimax.app,
    "comfyui": comfyui.app,
    "openaivideo": openaivideo.app,
}


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulators")
    parser.add_argument("vendor", choices=sorted(BUILD))
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--seconds", type=float, default=2.0, help="how long a job takes")
    parser.add_argument("--limit", type=int, default=5, help="jobs in flight before 429 (modelslab)")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_given: sys.exit(0))  # the server raises it again when it has stopped
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder) / "clip.mp4"
        make_clip(clip)
        vendor = Vendor(clip=clip, seconds=options.seconds, limit=options.limit)
        listener = socket.create_server(("127.0.0.1", options.port))
        sys.stdout.write(f"http://127.0.0.1:{listener.getsockname()[1]}\n")
        sys.stdout.flush()
        config = uvicorn.Config(BUILD[options.vendor](vendor), log_level="critical", timeout_graceful_shutdown=1)
        uvicorn.Server(config).run(sockets=[listener])


main()
