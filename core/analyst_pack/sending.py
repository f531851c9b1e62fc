"""A pack, or one file of it, for somebody who waits for it: made whole on this machine, then handed out in pieces.

Nothing is sent before the totals agree, and no snapshot of the database stays open while somebody fetches slowly. Few
are made at once in a process, since each reads all there is.
"""

import logging
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO, cast

from core import db, errors
from core.analyst_pack import packing
from core.analyst_pack.columns import Table
from core.analyst_pack.packing import Order
from core.usage.spreadsheet import csv_chunks

log = logging.getLogger(__name__)

AT_ONCE = 2
BUSY_SECONDS = 30
PIECE_BYTES = 256 * 1024

_places = threading.BoundedSemaphore(AT_ONCE)


class FileFormat(StrEnum):
    """What one file of a pack can be."""

    PARQUET = "parquet"
    CSV = "csv"

    @property
    def media_type(self) -> str:
        """As it stands in `Content-Type`."""
        return {FileFormat.PARQUET: "application/vnd.apache.parquet", FileFormat.CSV: "text/csv; charset=utf-8"}[self]


@dataclass(frozen=True, slots=True)
class Made:
    """A file that is there whole: how large it is, and its bytes, which can be taken once."""

    size_bytes: int
    pieces: Iterator[bytes]


def pack(order: Order) -> Made:
    """The whole pack. Raises BooksDisagree, and RateLimited while others are being made."""
    return _made(lambda file: packing.make(db.default(), order, file))


def one_file(order: Order, table: Table, form: FileFormat) -> Made:
    """One file of it; raises as `pack`."""
    if form is FileFormat.PARQUET:
        return _made(lambda file: packing.make_table(db.default(), order, table, file))
    lines = packing.lines(db.default().snapshot(), order, table)
    return _made(lambda file: file.writelines(csv_chunks(lines)))


def _made(write: Callable[[BinaryIO], object]) -> Made:
    file = tempfile.TemporaryFile(prefix="analyst-pack-")  # noqa: SIM115 -- closed when it was sent, or below
    try:
        with _place():
            write(cast(BinaryIO, file))
        size_bytes = file.tell()
        file.seek(0)
    except errors.BooksDisagree as differs:
        file.close()
        log.error("an export is not handed out: %s", differs.message)  # noqa: TRY400 -- it says it all
        raise
    except BaseException:
        file.close()
        raise
    return Made(size_bytes, _pieces(cast(BinaryIO, file)))


@contextmanager
def _place() -> Iterator[None]:
    if not _places.acquire(blocking=False):
        raise errors.RateLimited(retry_after_seconds=BUSY_SECONDS)
    try:
        yield
    finally:
        _places.release()


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while piece := file.read(PIECE_BYTES):
            yield piece
