"""Reads CSV as texts: with commas, semicolons or tabs, in the encodings that spreadsheets save; pure."""

import csv
import io
from collections.abc import Iterator, Sequence
from itertools import islice

from core import errors
from core.generations.sheets import columns
from core.generations.sheets.tables import MAX_BLANK_LINES, MAX_CELL_CHARS
from core.messages import Message, message

SEPARATORS = (",", ";", "\t")
_SAMPLE_ROWS = 20
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_FORMULA_SIGNS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def text_of(data: bytes) -> tuple[str, Sequence[Message]]:
    """The text of a file, and what is to be said of how it was read. InvalidRequest for what is no text."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            try:
                return data.decode(encoding), ()
            except UnicodeDecodeError:
                raise _no_table() from None
    if data[:200].count(0) > len(data[:200]) // 4:  # UTF-16 without its mark has a zero in every other place
        wide = "utf-16-le" if data[1:2] == b"\0" else "utf-16-be"
        try:
            return data.decode(wide), ()
        except UnicodeDecodeError:
            raise _no_table() from None
    try:
        found, notes = data.decode("utf-8"), ()
    except UnicodeDecodeError:
        try:
            return data.decode("cp1252"), (message("sheet_was_cp1252"),)
        except UnicodeDecodeError:
            raise _no_table() from None
    if "\0" in found:
        raise _no_table()
    return found, notes


def rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """The rows of a text with their numbers as spreadsheets show them. InvalidRequest for what is no table."""
    if "\0" in text:
        raise _no_table()
    if not text.strip("".join(SEPARATORS) + '\r\n "'):
        return
    named, text = _named_separator(text)
    separator = named or _separator(text)
    try:
        blank = 0
        for number, cells in enumerate(_reader(text, separator), start=1):
            blank = 0 if any(cells) else blank + 1
            if blank > MAX_BLANK_LINES:
                return
            yield number, [_unmarked(cell) for cell in cells]
    except csv.Error as wrong:
        raise _no_table() from wrong


def _named_separator(text: str) -> tuple[str, str]:
    """What a first line such as `sep=;` names, which spreadsheets do not show, and the text without it."""
    first, _break, rest = text.partition("\n")
    words = first.strip().strip('"')
    if words.lower().startswith("sep=") and len(words) == 5:
        return words[4], rest
    if first.rstrip("\r").lower() == "sep=\t":
        return "\t", rest
    return "", text


def _separator(text: str) -> str:
    """The separator by which the first row has the most columns that are known, then the most columns."""

    def fits(separator: str) -> tuple[int, int]:
        try:
            sample = list(islice(_reader(text, separator), _SAMPLE_ROWS))
        except csv.Error:
            return 0, 0
        heads = next((row for row in sample if any(row)), [])
        known = sum(columns.is_known(head) for head in heads)
        return known, len(heads)

    return max(SEPARATORS, key=fits)


def _reader(text: str, separator: str) -> Iterator[list[str]]:
    csv.field_size_limit(max(csv.field_size_limit(), 4 * MAX_CELL_CHARS))
    return csv.reader(io.StringIO(text, newline=""), delimiter=separator)


def _unmarked(cell: str) -> str:
    """A text without the apostrophe by which spreadsheets, and our own results, say that it is no formula."""
    return cell[1:] if cell.startswith("'") and cell[1:].lstrip().startswith(_FORMULA_SIGNS) else cell


def _no_table() -> errors.InvalidRequest:
    return errors.InvalidRequest(fields={"file": message("sheet_is_no_table")})
