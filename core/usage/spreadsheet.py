"""Writes lines of texts and numbers as files for spreadsheets, CSV or XLSX, in which no text is a formula; pure.

CSV is read with commas in some languages and with semicolons in others (Indonesian and most of Europe); XLSX opens the
same way in all of them.
"""

import csv
import io
import math
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from itertools import chain

from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

Line = Sequence[str | int | float | datetime | None]

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


class Separator(StrEnum):
    """What stands between the cells of a CSV; spreadsheets take the one of their language for granted."""

    COMMA = "comma"
    SEMICOLON = "semicolon"
    """Where decimals are written with a comma, as in Indonesia and most of Europe; they are in such a file, too."""
    TAB = "tab"

    @property
    def sign(self) -> str:
        """The character."""
        return {Separator.COMMA: ",", Separator.SEMICOLON: ";", Separator.TAB: "\t"}[self]


_MEDIA_TYPES = {
    SpreadsheetFormat.CSV: "text/csv; charset=utf-8",
    SpreadsheetFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def write(lines: Iterable[Line], form: SpreadsheetFormat, separator: Separator = Separator.COMMA) -> Iterator[bytes]:
    """The lines as a file of this kind, in pieces; the first line is the heads of the columns."""
    return csv_chunks(lines, separator) if form is SpreadsheetFormat.CSV else xlsx_chunks(lines)


def csv_chunks(lines: Iterable[Line], separator: Separator = Separator.COMMA) -> Iterator[bytes]:
    """Lines as CSV (RFC 4180), in UTF-8 with the mark by which spreadsheets know it; no text is a formula."""
    text = io.StringIO("\ufeff")
    text.seek(0, io.SEEK_END)
    writer = csv.writer(text, lineterminator="\r\n", delimiter=separator.sign)
    cell = partial(_csv_cell, separator)
    for number, line in enumerate(lines, start=1):
        writer.writerow([cell(value) for value in line])
        if number % LINES_A_PIECE == 0:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode()


def _csv_cell(separator: Separator, value: str | int | float | datetime | None) -> str | int | float | None:
    """A value as spreadsheets of the languages with this separator read it."""
    match value:
        case str():
            return escape_formula(value)
        case datetime():
            return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
        case float() if separator is Separator.SEMICOLON:
            return str(value).replace(".", ",")
    return value


def xlsx_chunks(lines: Iterable[Line]) -> Iterator[bytes]:
    """Lines as an Excel workbook: texts are texts whatever they look like, numbers numbers.

    It is written to a temporary file line by line and read from there, so that its size is no matter of memory. A text
    is cut where a cell ends, and what is too long for a sheet goes on in the next one.
    """
    with tempfile.TemporaryFile() as file:
        options = {"constant_memory": True, "strings_to_urls": False, "default_date_format": "yyyy-mm-dd hh:mm:ss"}
        with Workbook(file, options) as book:
            left = iter(lines)
            heads = next(left, ())
            for first in left if heads else ():
                _fill(book.add_worksheet(), heads, chain([first], left))
            if not book.worksheets():
                _fill(book.add_worksheet(), heads, iter(()))
        file.seek(0)
        while piece := file.read(PIECE_BYTES):
            yield piece


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
        elif isinstance(value, datetime):
            sheet.write_datetime(number, column, value.astimezone(UTC).replace(tzinfo=None, microsecond=0))
        elif value is not None and math.isfinite(value):
            sheet.write_number(number, column, value)
