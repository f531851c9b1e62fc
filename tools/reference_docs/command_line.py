"""The page of the command line: what each command says of itself when it is asked for help."""

import io
import os
import re
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout, suppress

import worker
from core import operator_cli
from core.cli import main as ordering
from tools.reference_docs import markdown

WIDTH_COLUMNS = "100"


def page() -> str:
    """The page as it must stand in docs/reference."""
    operate, order = _help(operator_cli.main), _help(ordering.main)
    return markdown.page(
        "Command line",
        "Each command reads the same [settings](settings.md) as the app; run them from the project folder.",
        "## The app",
        markdown.code("streamlit run app.py"),
        "The dashboard and the REST API, and without `REDIS_URL` also a Redis and a worker of its own.",
        "## The worker",
        markdown.code(_help(worker.main)),
        "## Operating an installation",
        markdown.code(operate),
        *(markdown.code(_help(operator_cli.main, name)) for name in _commands(operate)),
        *(markdown.code(_help(operator_cli.main, "storage", action)) for action in ("move", "sweep")),
        "A refusal is one sentence on standard error and the exit code 2.",
        "## Ordering",
        "For who orders, on any machine that reaches the API: [order from scripts](../how-to/order-from-scripts.md).",
        markdown.code(order),
        *(markdown.code(_help(ordering.main, name)) for name in _commands(order)),
        "## The server for agents",
        markdown.code("python -m core.mcp_server"),
        "Serves the Model Context Protocol on standard input and output, with the same variables: "
        "[connect an agent](../how-to/connect-an-agent.md).",
        "## The audit",
        markdown.code("python -m core.audit"),
        "Checks what must always be true of credits and clips; prints a line for each rule and ids of what breaks it. "
        "The exit code is 1 when a rule is broken, else 0.",
    )


def _commands(usage: str) -> list[str]:
    """The commands that a usage names."""
    named = re.search(r"\{([a-z,-]+)\}", usage)
    return named[1].split(",") if named else []


def _help(main: Callable[[Sequence[str]], int], *arguments: str) -> str:
    """What `--help` prints, in lines of the same width on every terminal."""
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = WIDTH_COLUMNS
    try:
        with redirect_stdout(io.StringIO()) as printed, suppress(SystemExit):
            main([*arguments, "--help"])
    finally:
        if before is None:
            del os.environ["COLUMNS"]
        else:
            os.environ["COLUMNS"] = before
    return printed.getvalue()
