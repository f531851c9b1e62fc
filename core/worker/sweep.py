"""Removes files of storage that no row knows: what killed processes have left between a file and its row.

Age alone says nothing of a file, so rows are asked. What an order that is under way may still need stays, whoever wrote
it. A file is put aside first and removed for good only when rows were asked once more after that: a put of the very
same file that was under way meanwhile finds it again. A week passes between two rounds; a round goes on where it was.
"""

import logging
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice

from sqlalchemy import or_, select

from core import db, errors
from core.clock import utc_now
from core.db import ReadSession, WriteSession, update_where
from core.db.enums import BulkState, Stage
from core.db.tables import BulkFile, BulkJob, Generation, GenerationUpload, PersonExport, StorageSweep, Upload, is_live
from core.files.storage import ObjectInfo, Storage
from core.installation import Installation
from core.worker import previews

log = logging.getLogger(__name__)

EVERY = timedelta(days=7)
AFTER_RESTORE = timedelta(days=30)
"""A database that was put back does not know the newest files; until then somebody may put back a newer one."""

OLD = timedelta(days=1)
LEASE = timedelta(minutes=10)
SECONDS = 20.0
PAGE = 500
ASIDE = "swept"
MOST, MOST_SHARE = 100, 0.05
"""A round that finds more than both of these has most likely met the files of somebody else, and ends."""


@dataclass(slots=True)
class Found:
    """What a look has come to; `keys` are those without a row, `unknown` how many are of no kind that we write."""

    looked: int = 0
    unknown: int = 0
    size_bytes: int = 0
    keys: list[str] = field(default_factory=list)


def run(installation: Installation, *, seconds: float = SECONDS, page_size: int = PAGE) -> None:
    """Go on with the round that is due, for about so many seconds; no two dispatchers do at once."""
    with db.read_session() as session:
        row = session.get(StorageSweep, 1)
        if row is None or row.next_at > db.now(session):
            return
    with db.write_session() as session:
        row = _claim(session)
    if row is None:
        return
    end = time.monotonic() + seconds
    try:
        for page in _pages(installation.storage, row.after_key, page_size):
            found = Found()
            with db.read_session() as session:
                _look(session, page, found)
            row.looked += found.looked
            if row.removed + len(found.keys) > max(MOST, MOST_SHARE * row.looked):
                log.warning(
                    "%d of %d files of storage have no row. That is too many to remove without being asked: are they "
                    "of another installation? See `python -m core.admin storage sweep`.",
                    row.removed + len(found.keys),
                    row.looked,
                )
                break
            row.removed += remove(installation.storage, found.keys)
            row.after_key = page[-1].key
            if time.monotonic() >= end and len(page) == page_size:
                _give_back(row, is_over=False)
                return
    except errors.StorageUnavailable as away:
        if installation.told.is_news("files that cannot be swept"):
            log.warning("files without rows cannot be looked for now: %s", away.detail)
        _give_back(row, is_over=False)
        return
    _give_back(row, is_over=True)


def look(installation: Installation, found: Found) -> Iterator[Sequence[str]]:
    """Look at all files, a few hundred at a time, and give the keys of those without a row; changes nothing."""
    for page in _pages(installation.storage, after=""):
        before = len(found.keys)
        with db.read_session() as session:
            _look(session, page, found)
        yield found.keys[before:]


def remove(storage: Storage, keys: Sequence[str]) -> int:
    """Remove files that had no row just now, but for those that have one by the time they are put aside; how many."""
    whole = [key for key in keys if not key.startswith(f"{ASIDE}/")]
    put_aside = [key for key in keys if key.startswith(f"{ASIDE}/")]  # by a process that died then
    _put_back(storage, [key.removeprefix(f"{ASIDE}/") for key in put_aside], only_missing=True)
    try:
        storage.copy_many([(key, f"{ASIDE}/{key}") for key in whole])
    except errors.NotFound:  # somebody else removes them
        whole = []
    storage.delete_many(whole)
    wanted = _put_back(storage, whole)
    storage.delete_many([*put_aside, *(f"{ASIDE}/{key}" for key in whole)])
    return len(whole) - wanted


def postpone(session: WriteSession) -> None:
    """Let nothing be removed for a while: this database was put back."""
    update_where(session, StorageSweep, after_key="", next_at=db.now(session) + AFTER_RESTORE)


def _put_back(storage: Storage, keys: Sequence[str], *, only_missing: bool = False) -> int:
    """Give files that have a row by now their place again; how many those are."""
    with db.read_session() as session:
        without = set(orphans(session, keys))
    wanted = [key for key in keys if key not in without and not (only_missing and storage.exists(key))]
    storage.copy_many([(f"{ASIDE}/{key}", key) for key in wanted])
    return len(wanted)


def _pages(storage: Storage, after: str, page_size: int = PAGE) -> Iterator[Sequence[ObjectInfo]]:
    files = storage.files(after=after)
    while page := list(islice(files, page_size)):
        yield page


def _look(session: ReadSession, page: Sequence[ObjectInfo], found: Found) -> None:
    old = {each.key: each for each in page if utc_now() - each.modified_at > OLD}
    without = orphans(session, old)
    found.looked += len(page)
    found.unknown += sum(_folder(key) not in _KINDS and _folder(key) != ASIDE for key in old)
    found.keys += without
    found.size_bytes += sum(old[key].size_bytes for key in without)


def orphans(session: ReadSession, keys: Collection[str]) -> list[str]:
    """Which of these files no row knows, and no order that is under way may need; those of unknown kinds never are."""
    found = [key for key in keys if _folder(key) == ASIDE]
    for folder, known in _KINDS.items():
        asked = [key for key in keys if _folder(key) == folder]
        if asked:
            wanted = known(session, asked)
            found += [key for key in asked if key not in wanted]
    return found


def _clips(session: ReadSession, keys: Sequence[str]) -> set[str]:
    """Files of clips begin with the id of their generation; while that is under way, all of them may be needed."""
    ids = {_id(key) for key in keys}
    rows = session.scalars(select(Generation).where(Generation.id.in_(ids))).all()
    known = {row.id: row for row in rows}

    def is_wanted(key: str) -> bool:
        row = known.get(_id(key))
        if row is None or row.purged_at is not None:
            return False
        if row.stage is not Stage.FINALIZED or row.deleted_at is not None:  # what was deleted is about to be purged
            return True
        preview = row.output_key and previews.key_of(row.output_key)
        return key in (row.output_key, row.thumbnail_key, row.preview_key, preview)

    return {key for key in keys if is_wanted(key)}


def _brought(session: ReadSession, keys: Sequence[str]) -> set[str]:
    """Images and assets: those that somebody has brought, and those that a clip was or is being made from."""
    is_theirs = or_(Upload.storage_key.in_(keys), Upload.poster_key.in_(keys))
    rows = session.execute(select(Upload.storage_key, Upload.poster_key).where(is_theirs, Upload.purged_at.is_(None)))
    known = {key for row in rows for key in row}
    used = select(GenerationUpload.storage_key).where(GenerationUpload.storage_key.in_(keys))
    known.update(session.scalars(used.join(Generation).where(Generation.purged_at.is_(None))))
    if set(keys) <= known:
        return known
    live = select(Generation.start_image_key, Generation.end_image_key, Generation.references).where(is_live())
    for row in session.execute(live):
        known.update(filter(None, (row.start_image_key, row.end_image_key)))
        known.update(key for key in keys if key in str(row.references))
    return known


def _packed(session: ReadSession, keys: Sequence[str]) -> set[str]:
    """Archives that are written down, and all of a job that goes on."""
    known = set(session.scalars(select(BulkFile.storage_key).where(BulkFile.storage_key.in_(keys))))
    goes_on = select(BulkJob.id).where(
        BulkJob.id.in_({_id(key) for key in keys}), BulkJob.state.in_((BulkState.WAITING, BulkState.RUNNING))
    )
    ids = set(session.scalars(goes_on))
    return known | {key for key in keys if _id(key) in ids}


def _of_people(session: ReadSession, keys: Sequence[str]) -> set[str]:
    """Packs of people that are written down, and all of one that goes on."""
    rows = session.scalars(select(PersonExport).where(PersonExport.id.in_({_id(key) for key in keys}))).all()
    known = {row.id: row for row in rows}

    def is_wanted(key: str) -> bool:
        row = known.get(_id(key))
        return row is not None and (row.next_at is not None or key in {each["key"] for each in row.files})

    return {key for key in keys if is_wanted(key)}


_KINDS: dict[str, Callable[[ReadSession, Sequence[str]], set[str]]] = {
    "videos": _clips,
    "images": _brought,
    "assets": _brought,
    "exports": _packed,
    "people": _of_people,
}
"""Folder of a key -> which of such keys rows know."""


def _folder(key: str) -> str:
    return key.partition("/")[0]


def _id(key: str) -> str:
    return key.split("/")[1]


def _claim(session: WriteSession) -> StorageSweep | None:
    """The round, leased; None when another dispatcher has it."""
    now = db.now(session)
    if update_where(session, StorageSweep, StorageSweep.next_at <= now, next_at=now + LEASE) == 0:
        return None
    row = session.get_one(StorageSweep, 1, populate_existing=True)
    if not row.after_key:
        row.started_at, row.looked, row.removed = now, 0, 0
    session.flush()
    session.expunge(row)
    return row


def _give_back(row: StorageSweep, *, is_over: bool) -> None:
    with db.write_session() as session:
        now: datetime = db.now(session)
        update_where(
            session,
            StorageSweep,
            after_key="" if is_over else row.after_key,
            looked=row.looked,
            removed=row.removed,
            next_at=now + EVERY if is_over else now,
        )
    if is_over and row.removed:
        log.info("%d of %d files of storage had no row and were removed", row.removed, row.looked)
