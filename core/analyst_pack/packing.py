"""Makes a pack: one ZIP of Parquet files, a dictionary, queries and checks, of one snapshot of the database.

It is written to a file on this machine and handed out from there only when all its totals agree with the books; so the
snapshot lasts as long as the reading takes and not as long as somebody fetches, and memory holds a row group.
"""

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from importlib.resources import files
from typing import Any, BinaryIO, cast

from core.analyst_pack import checks, description, readme, rows
from core.analyst_pack.asked import Asked
from core.analyst_pack.checks import Check
from core.analyst_pack.columns import Table
from core.analyst_pack.parquet import ParquetFile
from core.analyst_pack.pseudonyms import Pseudonyms
from core.analyst_pack.tallies import Tallies
from core.db import Database, ReadSession
from core.db import now as time_of

CHECKS_NAME = "checks.json"
DICTIONARY_NAME = "dictionary.csv"
README_NAME = "README.md"
GROUP_BATCHES = 4
"""So many batches are a row group: what the writer holds, and what a reader skips or reads at once."""


@dataclass(frozen=True, slots=True)
class Order:
    """All that decides what stands in a pack: what is asked for, whose prompts, and the secret of pseudonyms."""

    asked: Asked
    prompts_of: Sequence[str] = ()
    secret: bytes = field(default=b"", repr=False)
    batch_rows: int = rows.BATCH_ROWS
    """So many are read at once."""

    @property
    def pseudonyms(self) -> Pseudonyms | None:
        """What people and things are called in it; None for what they are called here."""
        return Pseudonyms(self.secret, self.asked.workspace_id) if self.asked.is_pseudonymous else None


@dataclass(slots=True)
class Progress:
    """How many rows are to be written, about, and how many are; raise in `tell` to break off."""

    tell: Callable[["Progress"], None] = lambda _progress: None
    row_count: int = 0
    done_count: int = 0


def queries() -> list[tuple[str, str]]:
    """Name and text of the ready queries, in their order."""
    folder = files("core.analyst_pack") / "queries"
    return sorted((each.name, each.read_text("utf-8")) for each in folder.iterdir() if each.name.endswith(".sql"))


def make(database: Database, order: Order, target: BinaryIO, progress: Progress | None = None) -> list[Check]:
    """Write the whole pack to a file that can seek; the comparisons that all agreed.

    Raises BooksDisagree when totals differ: what was written must not be handed out then.
    """
    tallies, told = Tallies(order.asked), []
    progress = progress or Progress()
    with database.snapshot() as session, zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as packed:
        at = time_of(session)
        progress.row_count = checks.expected_rows(session, order.asked, description.TABLES)
        _write_text(packed, README_NAME, readme.text(order.asked, at, [name for name, _text in queries()]), at)
        _write_text(packed, DICTIONARY_NAME, dictionary_csv(), at)
        for table in description.TABLES:
            with packed.open(_entry(f"{table.name}.parquet", at), "w", force_zip64=True) as entry:
                counted = _Counted(cast(BinaryIO, entry))
                _write_rows(session, table, order, cast(BinaryIO, counted), tallies=tallies, progress=progress)
            told.append({"file": f"{table.name}.parquet", "rows": tallies.rows[table.name], **counted.to_json()})
        for name, text in queries():
            _write_text(packed, f"queries/{name}", text, at)
        found = checks.run(session, tallies, order.asked, description.TABLES)
        checks.require(found)
        asked = {**order.asked.to_json(), "made_at": f"{at:%Y-%m-%dT%H:%M:%SZ}"}
        said = {
            "agrees": True,
            "asked": _hidden(asked, order),
            "files": told,
            "checks": [each.to_json() for each in found],
        }
        _write_text(packed, CHECKS_NAME, json.dumps(said, indent=1) + "\n", at)
    return found


def make_table(database: Database, order: Order, table: Table, target: BinaryIO) -> None:
    """Write one file of the pack by itself; raises as `make`."""
    tallies = Tallies(order.asked)
    with database.snapshot() as session:
        _write_rows(session, table, order, target, tallies=tallies, progress=Progress())
        checks.require(checks.run(session, tallies, order.asked, [table]))


def lines(
    snapshot: AbstractContextManager[ReadSession], order: Order, table: Table
) -> Iterator[Sequence[str | int | datetime | None]]:
    """The heads and rows of one file as lines of a spreadsheet; BooksDisagree comes behind the last of them."""
    tallies = Tallies(order.asked)
    with snapshot as session:
        yield [each.name for each in table.columns]
        for columns in _columns(session, table, order, tallies):
            yield from ([_cell(value) for value in line] for line in zip(*columns, strict=True))
        checks.require(checks.run(session, tallies, order.asked, [table]))


def dictionary_csv() -> str:
    """What every column means, as a file for people and programs."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([description.DICTIONARY_HEADS, *description.dictionary()])
    return text.getvalue()


def _write_rows(
    session: ReadSession, table: Table, order: Order, target: BinaryIO, *, tallies: Tallies, progress: Progress
) -> None:
    with ParquetFile(table, target, group_rows=GROUP_BATCHES * order.batch_rows) as file:
        for columns in _columns(session, table, order, tallies):
            file.write(columns)
            progress.done_count += len(columns[0])
            progress.tell(progress)


def _columns(session: ReadSession, table: Table, order: Order, tallies: Tallies) -> Iterator[Sequence[Sequence[Any]]]:
    """Rows column by column, counted, and hidden where they are to be."""
    pseudonyms = order.pseudonyms
    for some in rows.batches(session, table, order.asked, order.prompts_of, size=order.batch_rows):
        columns = list(zip(*some, strict=True))
        tallies.add(table, columns)
        yield columns if pseudonyms is None else pseudonyms.hide(table, columns)


def _cell(value: Any) -> str | int | datetime | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if value is None or isinstance(value, (str, int, datetime)) else str(value)


def _hidden(asked: dict[str, Any], order: Order) -> dict[str, Any]:
    """The same without the id of the workspace where that is hidden."""
    if order.asked.is_pseudonymous and asked["workspace_id"] is not None:
        return asked | {"workspace_id": None, "of_one_workspace": True}
    return asked


def _entry(name: str, at: datetime) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, (at.year, at.month, at.day, at.hour, at.minute, at.second))
    entry.external_attr = 0o644 << 16
    return entry


def _write_text(packed: zipfile.ZipFile, name: str, text: str, at: datetime) -> None:
    packed.writestr(_entry(name, at), text)


class _Counted:
    """Hands bytes on, and knows how many they were and their SHA-256."""

    def __init__(self, target: BinaryIO) -> None:
        self._target, self._size_bytes, self._sha256 = target, 0, hashlib.sha256()

    def write(self, data: bytes) -> int:
        """Hand them on."""
        self._sha256.update(data)
        self._size_bytes += len(data)
        return self._target.write(data)

    def to_json(self) -> dict[str, Any]:
        """What `checks.json` says of a file."""
        return {"bytes": self._size_bytes, "sha256": self._sha256.hexdigest()}
