"""Tables of orders, as files and as they are kept."""

import io
from collections.abc import Iterable, Sequence
from typing import Any

from openpyxl import Workbook

from core.db import Database
from core.db.tables import Sheet
from core.generations.sheets import kept, ordering, reading
from core.generations.sheets.checked import Defaults
from core.generations.sheets.tables import Table
from core.workspaces.access import Member
from tests.factories.generations import CONFIGURED, QUOTA_BYTES

MAX_ROWS = 2_000


def csv_of(*lines: str, separator: str = ",") -> bytes:
    """A CSV file of lines that are written with commas."""
    return "\r\n".join(line.replace(",", separator) for line in lines).encode()


def workbook_of(rows: Iterable[Sequence[Any]]) -> bytes:
    """An XLSX file of these cells."""
    book = Workbook()
    for row in rows:
        assert book.active is not None
        book.active.append(list(row))
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def read(data: bytes, *, max_rows: int = MAX_ROWS) -> Table:
    """The table of a file."""
    return reading.read(data, max_rows=max_rows)


def keep(database: Database, person: Member, data: bytes, defaults: Defaults | None = None) -> Sheet:
    """A file as somebody has brought it, with a model and a project where none are given."""
    with database.write_session() as session:
        return kept.keep(session, person, read(data), defaults or Defaults(model_id="demo-film"), name="clips.csv")


def order(database: Database, person: Member, sheet: Sheet, *, shown_credits: int | None = None) -> Sheet:
    """Order a kept table at its price of now, or at another one that was shown."""
    with database.read_session() as session:
        prepared = ordering.prepare(session, person, sheet.id, configured=CONFIGURED)
    shown = prepared.checked.total_credits if shown_credits is None else shown_credits
    with database.write_session() as session:
        return ordering.order(
            session,
            person,
            prepared,
            configured=CONFIGURED,
            quota_bytes=QUOTA_BYTES,
            max_clips=MAX_ROWS,
            shown_credits=shown,
        )
