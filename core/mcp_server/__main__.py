"""The command `python -m core.mcp_server`, which an agent's host starts and speaks to on stdin and stdout."""

import os
import sys

from core.rest_client import Access, Client
from core.rest_client.connection import Waiting
from core.rest_client.problems import BadSetting

PATIENCE_SECONDS = 45.0
"""Shorter than hosts wait for a tool, so that an agent is told why and can repeat it."""


def main() -> int:
    """Serve until stdin ends; 2 when it cannot begin, with a sentence on stderr."""
    try:
        access = Access.of(os.environ)
    except BadSetting as problem:
        return _refuse(str(problem))
    try:
        from core.mcp_server import tools
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] not in ("mcp", "mcp_types"):
            raise
        return _refuse("The package mcp is missing. Install it: pip install '.[mcp]'")
    with Client(access, Waiting(patience_seconds=PATIENCE_SECONDS)) as client:
        tools.server(client).run("stdio")
    return 0


def _refuse(sentence: str) -> int:
    print(sentence, file=sys.stderr)  # noqa: T201 -- its output
    return 2


if __name__ == "__main__":
    sys.exit(main())
