"""Puts Markdown together for the generated pages."""

from collections.abc import Iterable, Sequence

NOTICE = "<!-- Written by `python -m tools.reference_docs`; change the code, not this page. -->"


def page(title: str, *blocks: str) -> str:
    """A whole page: the notice, a title, and blocks with a blank line between them."""
    return "\n\n".join([NOTICE, f"# {title}", *blocks]) + "\n"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; a pipe inside a cell is escaped."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def code(text: str, language: str = "") -> str:
    """A fenced block."""
    return f"```{language}\n{text.rstrip()}\n```"
