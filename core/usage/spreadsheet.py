"""Writes lines of texts and numbers as files for spreadsheets, CSV or XLSX, in which no text is a formula; pure.

CSV is read with commas in some languages and with semicolons in others (Indonesian and most of Europe); XLSX opens the
same way in all of them.
"""

import csv
import io
import math
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from itertools import chain

from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

Line = Sequence[str | int | float | None]

LINES_A_PIECE = 500
PIECE_BYTES = 64 * 1024
SHEET_LINES = 1_048_576
CELL_CHARS = 32_767
"""Limits of a sheet and a cell: "Excel specifications and limits", support.microsoft.com."""

_FORMULA = re.compile(r"""((?:^|[,;|"\t\r\n])\s*)(?=[=+\-@＝＋－＠])""")
"""Where a reader can see a formula begin: at the start, behind a usual separator, a quotation mark or a line break."""


class SpreadsheetFormat(StrEnum):
    """What a file can be."""

    CSV = "csv"
    XLSX = "xlsx"

    @property
    def media_type(self) -> str:
        """As it stands in `Content-Type`."""
        return _MEDIA_TYPES[self]


_MEDIA_TYPES = {
    SpreadsheetFormat.CSV: "text/csv; charset=utf-8",
    SpreadsheetFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def write(lines: Iterable[Line], form: SpreadsheetFormat) -> Iterator[bytes]:
    """The lines as a file of this kind, in pieces; the first line is the heads of the columns."""
    return _WRITERS[form](lines)


def csv_chunks(lines: Iterable[Line]) -> Iterator[bytes]:
    """Lines as CSV (RFC 4180), in UTF-8 with the mark by which spreadsheets know it; no text is a formula."""
    text = io.StringIO("\ufeff")
    text.seek(0, io.SEEK_END)
    writer = csv.writer(text, lineterminator="\r\n")
    for number, line in enumerate(lines, start=1):
        writer.writerow([escape_formula(value) if isinstance(value, str) else value for value in line])
        if number % LINES_A_PIECE == 0:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode()


def xlsx_chunks(lines: Iterable[Line]) -> Iterator[bytes]:
    """Lines as an Excel workbook: texts are texts whatever they look like, numbers numbers.

    It is written to a temporary file line by line and read from there, so that its size is no matter of memory. A text
    is cut where a cell ends, and what is too long for a sheet goes on in the next one.
    """
    with tempfile.TemporaryFile() as file:
        with Workbook(file, {"constant_memory": True, "strings_to_urls": False}) as book:
            left = iter(lines)
            heads = next(left, ())
            for first in left if heads else ():
                _fill(book.add_worksheet(), heads, chain([first], left))
            if not book.worksheets():
                _fill(book.add_worksheet(), heads, iter(()))
        file.seek(0)
        while piece := file.read(PIECE_BYTES):
            yield piece


_WRITERS: Mapping[SpreadsheetFormat, Callable[[Iterable[Line]], Iterator[bytes]]] = {
    SpreadsheetFormat.CSV: csv_chunks,
    SpreadsheetFormat.XLSX: xlsx_chunks,
}


def escape_formula(text: str) -> str:
    """A text in which no reader of CSV sees a formula, whatever it takes for the separator (OWASP, "CSV Injection").

    An apostrophe stands before each sign that could begin one, as spreadsheets themselves mark a text.
    """
    marked = _FORMULA.sub(r"\1'", text)
    return f"'{marked}" if marked.startswith(("\t", "\r", "\n")) else marked


def _fill(sheet: Worksheet, heads: Line, lines: Iterator[Line]) -> None:
    """One sheet, with as many of the lines as find room."""
    _put(sheet, 0, heads)
    for number, line in enumerate(lines, start=1):
        _put(sheet, number, line)
        if number == SHEET_LINES - 1:
            return


def _put(sheet: Worksheet, number: int, line: Line) -> None:
    for column, value in enumerate(line):
        if isinstance(value, str):
            sheet.write_string(number, column, value[:CELL_CHARS])
        elif value is not None and math.isfinite(value):
            sheet.write_number(number, column, value)
