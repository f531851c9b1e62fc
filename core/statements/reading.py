"""Reads a vendor's statement, CSV or XLSX, line by line: each either readable, or with every cell named that is not.

Nothing is left out: a line with a cell that cannot be read is kept with what is wrong with it. Pure.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TypeVar

from core import errors
from core.generations.sheets import delimited, workbook
from core.generations.sheets.tables import MAX_CELL_CHARS, MAX_COLUMNS, MAX_FILE_BYTES
from core.messages import Message, message
from core.statements import cells
from core.statements.cells import CellError
from core.statements.columns import Field, Settings

T = TypeVar("T")

MAX_LINES = 50_000
SAMPLE_LINES = 200
"""So many lines are looked at to guess how a table is written."""
MAX_JOB_CHARS = 200
_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


@dataclass(frozen=True, slots=True)
class Problem:
    """A cell that cannot be read: its row in the file, the head of its column, and why."""

    number: int
    head: str
    message: Message


@dataclass(frozen=True, slots=True)
class ReadLine:
    """A line of a statement; a field is empty or None where it is not said, or cannot be read (`problems`)."""

    number: int
    cells: tuple[str, ...]
    job_id: str
    model_name: str
    begins_at: datetime | None
    ends_at: datetime | None
    currency: str
    amount_micro: int | None
    problems: tuple[Problem, ...]

    @property
    def digest(self) -> str:
        """The same for lines that say the same, wherever their columns and they stand in the file."""
        said = [self.job_id, self.model_name, self.currency, self.amount_micro]
        said += [moment.isoformat() if moment else None for moment in (self.begins_at, self.ends_at)]
        if self.problems:
            said += list(self.cells)
        return hashlib.sha256(json.dumps(said, ensure_ascii=True).encode()).hexdigest()


class StatementFile:
    """A file that was brought: its heads, and its lines as they are asked for."""

    def __init__(self, data: bytes) -> None:
        """InvalidRequest for what is no table, TooLarge for what is too large."""
        if len(data) > MAX_FILE_BYTES:
            raise errors.TooLarge(message("sheet_file_too_large", limit_mb=MAX_FILE_BYTES // 1024**2))
        if not data.strip():
            raise _refused(message("statement_empty"))
        if data.startswith(_OLD_OFFICE):
            raise _refused(message("sheet_is_old_excel"))
        self.sha256 = hashlib.sha256(data).hexdigest()
        # A workbook is unpacked once, and within bounds; CSV is read as it is asked for.
        self._book = list(workbook.rows(data, max_rows=MAX_LINES + 1)) if workbook.is_workbook(data) else None
        self._text = "" if self._book is not None else delimited.text_of(data)[0]
        first = next(self._rows(), None)
        if first is None:
            raise _refused(message("statement_empty"))
        self._first = first[0]
        self.heads = tuple(_told_apart(first[1]))
        if len(self.heads) > MAX_COLUMNS:
            raise _refused(message("sheet_too_wide", limit=MAX_COLUMNS))
        self.sample: Sequence[Sequence[str]] = [texts for _number, texts in islice(self._below(), SAMPLE_LINES)]
        if not self.sample:
            raise _refused(message("statement_without_lines"))

    def lines(self, settings: Settings) -> Iterator[ReadLine]:
        """Every line that is not blank, read by these settings. InvalidRequest for a file of too many."""
        places = settings.places(self.heads)
        for count, (number, texts) in enumerate(self._below(), start=1):
            if count > MAX_LINES:
                raise _refused(message("statement_too_long", limit=MAX_LINES))
            yield _read(number, texts, self.heads, places, settings)

    def _below(self) -> Iterator[tuple[int, tuple[str, ...]]]:
        width = len(self.heads)
        for number, texts in self._rows():
            if number > self._first:
                if any(len(text) > MAX_CELL_CHARS for text in texts):
                    raise _refused(message("sheet_cell_too_long", row=number, limit=MAX_CELL_CHARS))
                yield number, tuple([*texts, *[""] * (width - len(texts))][:width] if len(texts) <= width else texts)

    def _rows(self) -> Iterator[tuple[int, list[str]]]:
        """The rows that are not blank, without white space around their texts."""
        for number, texts in self._book if self._book is not None else delimited.rows(self._text):
            trimmed = [text.strip() for text in texts]
            while trimmed and not trimmed[-1]:
                trimmed.pop()
            if trimmed:
                yield number, trimmed


def _told_apart(heads: Sequence[str]) -> Iterator[str]:
    """The heads; a blank one is named by its place, a further one of a name with a number."""
    met: set[str] = set()
    for place, head in enumerate(heads, start=1):
        stem = head or f"Column {place}"
        name, nth = stem, 1
        while name in met:
            nth += 1
            name = f"{stem} ({nth})"
        met.add(name)
        yield name


def _read(
    number: int, texts: Sequence[str], heads: Sequence[str], places: Mapping[Field, int], settings: Settings
) -> ReadLine:
    problems: list[Problem] = []

    def read(which: Field, how: Callable[[str], T], otherwise: T, *, needed: bool = False) -> T:
        place = places.get(which)
        text = "" if place is None else texts[place]
        if place is None or not (text or needed):
            return otherwise
        if not text:
            problems.append(Problem(number, heads[place], message("statement_cell_empty")))
            return otherwise
        try:
            return how(text)
        except CellError as wrong:
            problems.append(Problem(number, heads[place], wrong.message))
            return otherwise

    currency = read(Field.CURRENCY, cells.currency, settings.currency)
    job_id = read(Field.JOB, _job, "")
    nothing: tuple[datetime | None, datetime | None] = (None, None)

    def moment(text: str) -> tuple[datetime | None, datetime | None]:
        return cells.moment(text, zone=settings.zone, day_first=settings.day_first)

    begins_at, ends_at = read(Field.TIME, moment, nothing, needed=not job_id)
    amount = read(Field.AMOUNT, lambda text: cells.amount(text, decimal=settings.decimal), None, needed=True)
    model = read(Field.MODEL, lambda text: text[:200], "")
    if problems:
        amount = None  # what is half read is compared with nothing
    return ReadLine(number, tuple(texts), job_id, model, begins_at, ends_at, currency, amount, tuple(problems))


def _job(text: str) -> str:
    if len(text) > MAX_JOB_CHARS:
        raise CellError(message("statement_job_too_long", limit=MAX_JOB_CHARS))
    return text


def _refused(why: Message) -> errors.InvalidRequest:
    return errors.InvalidRequest(fields={"file": why})
