"""Starts the studio: `python -m studio --port 8710 --folder jobs`."""

import argparse
import os
import sys
from pathlib import Path

import uvicorn

from studio.parent import end_with_parent
from studio.server import application


def main() -> int:
    """Serve until told to stop. The key is read from DEMO_API_KEY."""
    parser = argparse.ArgumentParser(prog="python -m studio", description="The demo's vendor.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--end-with-parent", action="store_true", help="stop when standard input is closed")
    options = parser.parse_args()
    key = os.environ.get("DEMO_API_KEY", "")
    if not key:
        sys.stderr.write("DEMO_API_KEY is not set; the studio takes jobs only with a key.\n")
        return 2
    if options.end_with_parent:
        end_with_parent()
    app = application(options.folder, key=key)
    # The plain event loop and no WebSockets: an idle studio stays 4 MB smaller.
    uvicorn.run(
        app, host=options.host, port=options.port, log_level="warning", timeout_graceful_shutdown=2, loop="asyncio",
        ws="none",
    )  # fmt: skip
    return 0


sys.exit(main())
