"""A table of texts as it came out of a file, and how large it may be; pure."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from core import errors
from core.generations.sheets import columns
from core.messages import Message, message

MAX_FILE_BYTES = 10 * 1024**2
MAX_COLUMNS = 100
MAX_CELLS = 200_000
MAX_CELL_CHARS = 32_767
"""The most that a spreadsheet keeps in a cell ("Excel specifications and limits", support.microsoft.com)."""
MAX_BLANK_LINES = 1_000
"""So many lines without anything in them are looked past in a file."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a table; `number` is its row in the file, as spreadsheets count from 1. One left out orders nothing.

    It has as many cells as the table has heads.
    """

    number: int
    cells: tuple[str, ...]
    is_left_out: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Heads, and lines in their order; `notes` are what was noticed in reading it."""

    heads: tuple[str, ...]
    lines: tuple[Line, ...]
    notes: tuple[Message, ...] = ()

    def digest(self, **more: Any) -> str:
        """SHA-256 of the content and of what else decides what is ordered by it."""
        content = [self.heads, [[line.cells, line.is_left_out] for line in self.lines], more]
        return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=True).encode()).hexdigest()

    def lines_to_json(self) -> list[Any]:
        """The lines as they are kept."""
        return [[line.number, line.is_left_out, list(line.cells)] for line in self.lines]

    @classmethod
    def from_json(cls, heads: Sequence[str], lines: Iterable[Sequence[Any]]) -> "Table":
        """A table as it was kept."""
        read = (Line(number, tuple(cells), is_left_out) for number, is_left_out, cells in lines)
        return cls(tuple(heads), tuple(read))


def table_of(rows: Iterable[tuple[int, Sequence[str]]], *, max_rows: int, notes: Sequence[Message] = ()) -> Table:
    """The table in numbered rows of texts: its heads are the first row that is not blank.

    Blank rows and columns are left out, also those that a result sheet has added. InvalidRequest for one without heads
    or lines, or one that is too large.
    """
    filled = ((number, _trimmed(cells)) for number, cells in rows)
    found = ((number, cells) for number, cells in filled if cells)
    _number, heads = next(found, (0, []))
    if not heads:
        raise errors.InvalidRequest(fields={"file": message("sheet_empty")})
    lines = list(_within_bounds(found, max_rows=max_rows))
    if not lines:
        raise errors.InvalidRequest(fields={"file": message("sheet_without_lines")})
    width = max(len(heads), *(len(cells) for _number, cells in lines))
    columns.places(heads)  # which refuses two that say the same
    if width > MAX_COLUMNS:
        raise errors.InvalidRequest(fields={"file": message("sheet_too_wide", limit=MAX_COLUMNS)})
    return _shaped(heads, lines, width, tuple(notes))


def of_texts(heads: Sequence[str], lines: Iterable[Sequence[str]], *, max_rows: int) -> Table:
    """The table of heads and lines that were made, not read: its rows are numbered as they would be in a file."""
    made = ((number, line) for number, line in enumerate(lines, start=2))
    return replace(table_of([(1, heads), *made], max_rows=max_rows), notes=())


def _shaped(
    heads: Sequence[str], lines: Sequence[tuple[int, Sequence[str]]], width: int, notes: tuple[Message, ...]
) -> Table:
    def cell(cells: Sequence[str], place: int) -> str:
        return cells[place] if place < len(cells) else ""

    kept = [
        place
        for place in range(width)
        if not columns.is_of_result(cell(heads, place))
        and (cell(heads, place) or any(cell(cells, place) for _number, cells in lines))
    ]
    named = tuple(_told_apart([cell(heads, place) or f"Column {place + 1}" for place in kept]))
    read = tuple(Line(number, tuple(cell(cells, place) for place in kept)) for number, cells in lines)
    return Table(named, read, notes)


def _told_apart(heads: Sequence[str]) -> Iterator[str]:
    """The heads, a further one of one name with a number; no known column is given another name."""
    met: set[str] = set()
    for head in heads:
        name, nth = head, 1
        while name in met:
            nth += 1
            name = f"{head} ({nth})"
        met.add(name)
        yield name


def _within_bounds(rows: Iterable[tuple[int, list[str]]], *, max_rows: int) -> Iterator[tuple[int, list[str]]]:
    cells_so_far = 0
    for place, (number, cells) in enumerate(rows):
        cells_so_far += len(cells)
        if place >= max_rows or cells_so_far > MAX_CELLS:
            raise errors.InvalidRequest(fields={"file": message("sheet_too_long", limit=max_rows, cells=MAX_CELLS)})
        if any(len(cell) > MAX_CELL_CHARS for cell in cells):
            raise errors.InvalidRequest(
                fields={"file": message("sheet_cell_too_long", row=number, limit=MAX_CELL_CHARS)}
            )
        yield number, cells


def _trimmed(cells: Sequence[str]) -> list[str]:
    """The cells without white space around them, up to the last that has something in it."""
    found = [cell.strip() for cell in cells]
    while found and not found[-1]:
        found.pop()
    return found
