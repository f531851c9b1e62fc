"""Makes analyst packs beside the rounds of the dispatcher, those of a night, too, and removes them in time.

A pack is written to a file on this machine, compared with the books, and stored whole; then one transaction writes it
down. Killed anywhere, it is made anew from a snapshot of then. One that differs from the books is not handed out: its
person is told, the log says so, and all rules of the books are checked at once, so that administrators see which broke.
"""

import logging
import tempfile
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import delete, select

from core import db, errors
from core.analyst_pack import jobs, packing
from core.analyst_pack.packing import Order, Progress
from core.audit import runs, slices
from core.db import WriteSession, availability, update_where
from core.db.tables import AnalystPack
from core.installation import Installation
from core.messages import message
from core.worker import packed_files
from core.worker.background import repeating

log = logging.getLogger(__name__)

BEAT_SECONDS = 5.0
"""How often a maker says that it lives, and how far it is."""


class _Lost(Exception):
    """The pack is another worker's by now, or this one ends."""


def work_down(installation: Installation, is_over: Callable[[], bool] = lambda: False) -> None:
    """Make pack after pack until none is due, or until it `is_over`, which also breaks off one that is being made."""
    _start_nightly(installation)
    while not is_over() and _any_due():
        with db.write_session() as session:
            pack = jobs.claim(session)
        if pack is None:
            return
        _work(installation, pack, is_over)


def _start_nightly(installation: Installation) -> None:
    """Write down this night's pack where the setting asks for one."""
    wanted = installation.settings.analyst_pack_nightly
    if wanted == "off":
        return
    with db.read_session() as reading:
        if jobs.is_made(reading, db.now(reading)):
            return
    with db.write_session() as session:
        jobs.start_nightly(session, is_pseudonymous=wanted == "pseudonymous")


def _any_due() -> bool:
    with db.read_session() as session:
        return jobs.any_due(session)


def _work(installation: Installation, pack: AnalystPack, is_over: Callable[[], bool]) -> None:
    try:
        with db.read_session() as session:
            order = jobs.order_of(session, pack, secret=installation.settings.secret_key)
        _make(installation, pack, order, is_over)
    except _Lost:
        log.info("the analyst pack %s is another worker's, or is left to one", pack.id)
    except errors.BooksDisagree as differs:
        log.error("the analyst pack %s is not handed out: %s", pack.id, differs.message)  # noqa: TRY400 -- it says it all
        with db.write_session() as session:
            jobs.end(session, pack, differs.message)
        _check_books()
    except (errors.StorageUnavailable, OSError) as failure:
        log.warning(
            "the analyst pack %s cannot be made at try %s of %s: %r", pack.id, pack.attempt, jobs.TRIES, failure
        )
        with db.write_session() as session:
            jobs.put_off(session, pack, message("bulk_no_room"))
    except errors.AppError as refused:
        log.info("the analyst pack %s is not made: %s", pack.id, refused.message)
        with db.write_session() as session:
            jobs.end(session, pack, refused.message)


def _make(installation: Installation, pack: AnalystPack, order: Order, is_over: Callable[[], bool]) -> None:
    lease = _Lease(pack, is_over)
    with (
        tempfile.NamedTemporaryFile(prefix="analyst-pack-") as file,
        repeating(lease.extend, every_seconds=BEAT_SECONDS, name="analyst pack lease"),
    ):
        packing.make(db.default(), order, file, lease.progress)  # type: ignore[arg-type]  # a file of bytes by another name
        file.flush()
        days = installation.settings.archive_days

        def write_down(session: WriteSession, size_bytes: int) -> bool:
            return jobs.record(session, pack, order, size_bytes=size_bytes, days=days)

        if not packed_files.store(installation.storage, jobs.key_of(pack), Path(file.name), write_down):
            raise _Lost


class _Lease:
    """Says now and then that a maker lives and how far it is; breaks off what is another's, and when this ends."""

    def __init__(self, pack: AnalystPack, is_over: Callable[[], bool]) -> None:
        self.progress = Progress(self._look)
        self._pack, self._is_over, self._is_lost = pack, is_over, False

    def extend(self) -> None:
        """Move the lease forward; without the database it stays, and the pack may be made again."""
        try:
            with db.write_session() as session:
                kept = jobs.extend(
                    session, self._pack, row_count=self.progress.row_count, done_count=self.progress.done_count
                )
        except Exception as failure:
            if not availability.is_away(failure):
                raise
        else:
            self._is_lost = not kept

    def _look(self, _progress: Progress) -> None:
        if self._is_lost:
            raise _Lost
        if self._is_over():
            with db.write_session() as session:
                jobs.give_back(session, self._pack)
            raise _Lost


def _check_books() -> None:
    """Look at every rule now, so that what is broken stands where administrators look."""
    found = slices.everything(db.default())
    with db.write_session() as session:
        runs.record(session, found)


def remove_expired(installation: Installation, *, limit: int = 100) -> int:
    """Remove files whose time is over, and packs that ended long ago; how many lost their files."""
    with db.read_session() as session:
        now = db.now(session)
        expired = session.scalars(select(AnalystPack.id).where(AnalystPack.expires_at <= now).limit(limit)).all()
        old = (AnalystPack.ended_at < now - jobs.KEPT, AnalystPack.expires_at.is_(None))
        forgotten = session.scalars(select(AnalystPack.id).where(*old).limit(limit)).all()
    removed = packed_files.remove_expired(
        installation,
        expired,
        folder_of=lambda pack_id: f"packs/{pack_id}",
        forget=lambda session, pack_id: update_where(session, AnalystPack, AnalystPack.id == pack_id, expires_at=None),
        what="analyst packs",
    )
    if forgotten:
        with db.write_session() as session:
            session.execute(delete(AnalystPack).where(AnalystPack.id.in_(forgotten)))
    return removed
