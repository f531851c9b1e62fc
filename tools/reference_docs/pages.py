"""Which pages are generated, and by what."""

from collections.abc import Callable, Mapping
from pathlib import Path

from tools.reference_docs import command_line, errors, metrics, prices, roles, settings, states

PAGES: Mapping[str, Callable[[], str]] = {
    "command-line.md": command_line.page,
    "errors.md": errors.page,
    "metrics.md": metrics.page,
    "prices.md": prices.page,
    "roles.md": roles.page,
    "settings.md": settings.page,
    "states.md": states.page,
}


def stale(folder: Path) -> list[str]:
    """Names of the pages in `folder` that are missing or say something else than the code."""
    return [name for name, page in PAGES.items() if _kept(folder / name) != page()]


def _kept(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""
