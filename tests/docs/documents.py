"""The hand-written documents, and their pieces: fenced blocks, links, headings."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *sorted(DOCS.rglob("*.md"))]

_FENCE = re.compile(r"^( *)```([^\n]*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: `words` are what stands after the language, a file name or `skip` for what no test can run."""

    language: str
    words: Sequence[str]
    text: str


def name(path: Path) -> str:
    """A document as tests are called after it."""
    return path.relative_to(ROOT).as_posix()


def blocks(path: Path) -> list[Block]:
    """All fenced blocks, without their indent."""
    found = []
    for indent, info, text in _FENCE.findall(path.read_text(encoding="utf-8")):
        language, *words = info.split() or [""]
        found.append(Block(language, words, re.sub(f"^{indent}", "", text, flags=re.MULTILINE)))
    return found


def programs(path: Path) -> list[Block]:
    """The blocks that a reader runs or saves."""
    return [block for block in blocks(path) if block.language in ("sh", "python") and "skip" not in block.words]


def prose(path: Path) -> str:
    """The text without its fenced blocks."""
    return _FENCE.sub("", path.read_text(encoding="utf-8"))


def links(path: Path) -> list[str]:
    """Where the links lead, as written."""
    return _LINK.findall(prose(path))


def anchors(path: Path) -> set[str]:
    """The anchors that its headings make, as the usual viewers make them."""
    headings = _HEADING.findall(prose(path))
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}
