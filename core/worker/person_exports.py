"""Packs all that is kept of people who asked for it, beside the rounds of the dispatcher, and removes it in time.

A file is written on this machine first and stored whole; then one transaction writes it down and where to go on.
"""

import logging
import tempfile
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import delete, select

from core import db, errors
from core.db import WriteSession, availability
from core.db.tables import PersonExport
from core.installation import Installation
from core.messages import message
from core.personal_data import exports, packing
from core.worker import packed_files
from core.worker.background import repeating

log = logging.getLogger(__name__)

BEAT_SECONDS = 5.0
"""How often a maker says that it lives."""


class _Lost(Exception):
    """It is another worker's by now, or this one ends."""


def work_down(
    installation: Installation,
    is_over: Callable[[], bool] = lambda: False,
    *,
    part_bytes: int = packing.PART_BYTES,
    part_files: int = packing.PART_FILES,
) -> None:
    """Pack file after file until none is due, or until it `is_over`, which also breaks off one that is being packed."""
    while not is_over():
        with db.read_session() as session:
            if not exports.any_due(session):
                return
        with db.write_session() as session:
            row = exports.claim(session)
        if row is not None:
            _work(installation, row, is_over, part_bytes, part_files)


def _work(
    installation: Installation, row: PersonExport, is_over: Callable[[], bool], part_bytes: int, part_files: int
) -> None:
    try:
        with db.read_session() as session:
            files, is_last = packing.items(session, row, part_bytes=part_bytes, part_files=part_files)
        _pack(installation, row, files, is_over, is_last=is_last)
    except _Lost:
        log.info("the pack %s of a person is another worker's, or is left to one", row.id)
    except (errors.StorageUnavailable, OSError) as failure:
        log.warning("the pack %s of a person cannot be made now: %r", row.id, failure)
        with db.write_session() as session:
            exports.put_off(session, row, message("bulk_no_room"))


def _pack(
    installation: Installation,
    row: PersonExport,
    files: list[packing.Item],
    is_over: Callable[[], bool],
    *,
    is_last: bool,
) -> None:
    is_kept = True

    def extend() -> None:
        nonlocal is_kept
        try:
            with db.write_session() as session:
                is_kept = exports.extend(session, row)
        except Exception as failure:
            if not availability.is_away(failure):
                raise

    def look() -> None:
        if not is_kept:
            raise _Lost
        if is_over():
            with db.write_session() as session:
                exports.give_back(session, row)
            raise _Lost

    with (
        tempfile.NamedTemporaryFile(prefix="person-") as file,
        repeating(extend, every_seconds=BEAT_SECONDS, name="lease of a person's pack"),
    ):
        packing.pack(installation.storage, row, files, file, look)
        file.flush()
        after_id = files[-1].place if files else row.after_id
        days = installation.settings.archive_days

        def write_down(session: WriteSession, size_bytes: int) -> bool:
            return exports.record(session, row, size_bytes=size_bytes, after_id=after_id, is_last=is_last, days=days)

        if not packed_files.store(installation.storage, exports.key_of(row), Path(file.name), write_down):
            raise _Lost


def remove_expired(installation: Installation, *, limit: int = 100) -> int:
    """Remove packs whose time is over, files first; how many."""
    with db.read_session() as session:
        over = select(PersonExport.id).where(PersonExport.expires_at <= db.now(session)).limit(limit)
        expired = session.scalars(over).all()
    return packed_files.remove_expired(
        installation,
        expired,
        folder_of=lambda export_id: f"people/{export_id}",
        forget=lambda session, export_id: session.execute(delete(PersonExport).where(PersonExport.id == export_id)),
        what="packs of people",
    )
