"""Writes all that is kept of a person as ZIP files: rows as lines of JSON, then clips and assets as they are stored.

One row and one piece of a file at a time are in memory. Rows come from every table that names the person, so one that
is added later comes along; hashes of secrets do not.
"""

import itertools
import json
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import PurePosixPath
from typing import IO, Any

from sqlalchemy import ColumnElement, Table, or_, select

from core import db, errors
from core.db import ReadSession
from core.db.enums import Status
from core.db.tables import Account, Generation, LedgerEntry, PersonExport, Upload, User, WorkspaceMember
from core.db.types import Base
from core.files.storage import Storage
from core.messages import Message

PART_BYTES = 2 * 1024**3
"""So much goes into one file; the last clip may go beyond."""
PART_FILES = 2_000
ROWS_AT_ONCE = 500
MISSING_NAME = "not-included.txt"

LEFT_OUT = frozenset(
    {"token_hash", "password_hash", "id_token", "request_hash", "recipe_hash", "search_key", "prompt_words", "name_key"}
)
"""Columns that say nothing to anybody, or would let somebody in."""

_PERSON = ("user_id", "actor_id", "maker_id", "judged_by_id", "invited_by_id", "accepted_by_id")
"""What columns are called that name a person."""


@dataclass(frozen=True, slots=True)
class Item:
    """A file to pack; `place` is where to go on behind it."""

    place: str
    key: str
    name: str
    size_bytes: int


def items(session: ReadSession, row: PersonExport, *, part_bytes: int, part_files: int) -> tuple[list[Item], bool]:
    """The next files, at least one while there are any, and whether they are the last."""
    found: list[Item] = []
    size_bytes = 0
    for item in _all_items(session, row, limit=part_files + 1):
        if found and (len(found) >= part_files or size_bytes + item.size_bytes > part_bytes):
            return found, False
        found.append(item)
        size_bytes += item.size_bytes
    return found, True


def pack(storage: Storage, row: PersonExport, files: Sequence[Item], out: IO[bytes], look: Callable[[], None]) -> None:
    """One ZIP, with the rows in the first one; `look` is called between pieces and may raise."""
    missing: list[str] = []
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        if not row.files:
            with db.default().snapshot() as session:
                _write_rows(session, row.user_id, packed, look)
        for item in files:
            try:
                info = storage.stat(item.key)
            except errors.NotFound:
                missing.append(item.name)
                continue
            entry = zipfile.ZipInfo(item.name)
            entry.file_size, entry.external_attr = info.size_bytes, 0o644 << 16
            with packed.open(entry, "w") as written:
                for piece in storage.stream(item.key):
                    written.write(piece)
                    look()
        if missing:
            packed.writestr(MISSING_NAME, "These files are not in storage.\n\n" + "\n".join(missing) + "\n")


def tables_of(session: ReadSession, user_id: str) -> Iterator[tuple[Table, ColumnElement[bool]]]:
    """Every table that names a person, and which of its rows name this one."""
    for table in Base.metadata.sorted_tables:
        if table.name == User.__tablename__:
            yield table, table.c.id == user_id
        elif table.name == LedgerEntry.__tablename__:
            account = select(Account.id).where(Account.workspace_id == user_id)
            yield table, table.c.account_id.in_(account)
        elif named := [table.c[name] == user_id for name in _PERSON if name in table.c]:
            yield table, or_(*named)


def _write_rows(session: ReadSession, user_id: str, packed: zipfile.ZipFile, look: Callable[[], None]) -> None:
    for table, theirs in tables_of(session, user_id):
        columns = [column for column in table.columns if column.name not in LEFT_OUT]
        found = session.execute(
            select(*columns).where(theirs).order_by(*table.primary_key.columns),
            execution_options={"yield_per": ROWS_AT_ONCE},
        )
        rows = iter(found)
        first = next(rows, None)
        if first is None:
            continue
        with packed.open(f"data/{table.name}.jsonl", "w") as written:
            for each in itertools.chain((first,), rows):
                written.write(_line(each._mapping))
                look()


def _line(row: Mapping[Any, Any]) -> bytes:
    return (
        json.dumps({str(name): value for name, value in row.items()}, ensure_ascii=False, default=_json) + "\n"
    ).encode()


def _json(value: Any) -> Any:
    match value:
        case datetime() | date():
            return value.isoformat()
        case Message():
            return str(value)
        case Decimal():
            return str(value)
        case bytes():
            return value.hex()
    return str(value)


def _all_items(session: ReadSession, row: PersonExport, *, limit: int) -> Iterator[Item]:
    """Clips, then assets, behind the last that was packed: of workspaces that the person is in."""
    kind, _colon, last = row.after_id.partition(":")
    there = select(WorkspaceMember.workspace_id).where(WorkspaceMember.user_id == row.user_id)
    if kind in ("", "clip"):
        clips = select(Generation.id, Generation.output_key, Generation.stored_bytes).where(
            Generation.user_id == row.user_id,
            Generation.workspace_id.in_(there),
            Generation.status == Status.COMPLETED,
            Generation.deleted_at.is_(None),
            Generation.id > last,
        )
        for clip in session.execute(clips.order_by(Generation.id).limit(limit)):
            suffix = PurePosixPath(clip.output_key).suffix
            yield Item(f"clip:{clip.id}", clip.output_key, f"clips/{clip.id}{suffix}", clip.stored_bytes or 0)
        last = ""
    brought = select(Upload).where(
        Upload.user_id == row.user_id,
        Upload.workspace_id.in_(there),
        Upload.purged_at.is_(None),
        Upload.id > last,
    )
    for asset in session.scalars(brought.order_by(Upload.id).limit(limit)):
        suffix = PurePosixPath(asset.storage_key).suffix
        yield Item(f"asset:{asset.id}", asset.storage_key, f"assets/{asset.id}{suffix}", asset.size_bytes)
