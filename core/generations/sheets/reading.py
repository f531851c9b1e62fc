"""Reads a file that somebody brought, CSV or XLSX, as a table of texts; nothing in it is ever computed; pure."""

from core import errors
from core.generations.sheets import columns, delimited, workbook
from core.generations.sheets.tables import MAX_FILE_BYTES, Table, table_of
from core.messages import message

_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def read(data: bytes, *, max_rows: int) -> Table:
    """The table of a file, by what is in it and not by its name.

    Raises TooLarge, and InvalidRequest for what is no table, has no column of prompts, or is longer than `max_rows`.
    """
    if len(data) > MAX_FILE_BYTES:
        raise errors.TooLarge(message("sheet_file_too_large", limit_mb=MAX_FILE_BYTES // 1024**2))
    if not data.strip():
        raise errors.InvalidRequest(fields={"file": message("sheet_empty")})
    if data.startswith(_OLD_OFFICE):  # also one that is locked by a password
        raise errors.InvalidRequest(fields={"file": message("sheet_is_old_excel")})
    if workbook.is_workbook(data):
        found = table_of(workbook.rows(data, max_rows=max_rows), max_rows=max_rows)
    else:
        text, notes = delimited.text_of(data)
        found = table_of(delimited.rows(text), max_rows=max_rows, notes=notes)
    check_columns(found)
    return found


def check_columns(table: Table) -> None:
    """Return for a table that says what is to be seen; else InvalidRequest, which names the heads that are known."""
    if columns.Column.PROMPT not in columns.places(table.heads):
        known = ", ".join(columns.HEADS.values())
        raise errors.InvalidRequest(
            fields={"file": message("sheet_without_prompts", found=", ".join(table.heads[:20]), known=known)}
        )
