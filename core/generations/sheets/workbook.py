"""Reads the first sheet of an XLSX workbook as texts; nothing is computed, and nothing large unpacked; pure."""

import io
import warnings
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

from core import errors
from core.generations.sheets.tables import MAX_BLANK_LINES, MAX_COLUMNS
from core.messages import Message, message

MAX_UNPACKED_BYTES = 64 * 1024**2
MAX_PARTS = 2_000
_NEEDED = "xl/workbook.xml"


def is_workbook(data: bytes) -> bool:
    """Whether a file begins as XLSX does, which is a ZIP."""
    return data.startswith(b"PK\x03\x04")


def rows(data: bytes, *, max_rows: int) -> Iterator[tuple[int, list[str]]]:
    """The rows of its first visible sheet with their numbers.

    A formula stands as its text, whatever the workbook says its value is. InvalidRequest for what is no workbook, is
    damaged, or would unpack to more than `MAX_UNPACKED_BYTES`.
    """
    _check_parts(data)
    import openpyxl  # heavy, and only who brings a workbook needs it

    try:
        with warnings.catch_warnings():  # of what openpyxl leaves aside, such as drop-down lists
            warnings.simplefilter("ignore")
            book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=False, keep_links=False)
            sheet = next((one for one in book.worksheets if one.sheet_state == "visible"), book.worksheets[0])
            sheet.reset_dimensions()  # what it says of its own size may be anything
            last = max_rows + MAX_BLANK_LINES + 2
            found = sheet.iter_rows(max_row=last, max_col=MAX_COLUMNS + 1, values_only=True)
            read = [[_text(value) for value in row] for row in found]
            book.close()
    except errors.InvalidRequest:
        raise
    except Exception as failure:  # a damaged file fails wherever it is damaged, each place in its own way
        raise _refused(message("sheet_is_damaged")) from failure
    yield from enumerate(read, start=1)


def _check_parts(data: bytes) -> None:
    """Refuse what is no workbook or unpacks to too much; a part never gives more than it says here."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError) as failure:
        raise _refused(message("sheet_is_damaged")) from failure
    if _NEEDED not in {part.filename for part in parts}:
        raise _refused(message("sheet_is_no_table"))
    if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED_BYTES:
        raise _refused(message("sheet_unpacks_too_large", limit_mb=MAX_UNPACKED_BYTES // 1024**2))


def _text(value: Any) -> str:
    """A cell as its text: whole numbers without a point, times as hours and minutes, days as ISO writes them."""
    match value:
        case None:
            return ""
        case bool():
            return "TRUE" if value else "FALSE"
        case float() if value.is_integer():
            return str(int(value))
        case datetime() if value.time() == time():
            return value.date().isoformat()
        case time() if value.second == 0 and value.microsecond == 0:
            return value.strftime("%H:%M")
        case date() | time():
            return value.isoformat()
        case timedelta():
            minutes, seconds = divmod(int(value.total_seconds()), 60)
            return f"{minutes // 60}:{minutes % 60:02}" + (f":{seconds:02}" if seconds else "")
        case _:
            return str(getattr(value, "text", value))  # an array formula is an object with a text


def _refused(why: Message) -> errors.InvalidRequest:
    return errors.InvalidRequest(fields={"file": why})
