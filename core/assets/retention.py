"""Removes the files of deleted assets once no clip was made from them, and gives their bytes back to the workspace.

No service: it opens its own units of work, since none may stay open while a file is removed. Killed anywhere, it is
done again by the next run: what is removed twice is removed once.
"""

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Text, exists, or_, select, type_coerce

from core import db, errors
from core.db import ReadSession, WriteSession, update_where
from core.db.tables import Generation, GenerationUpload, Upload
from core.files.storage import Storage
from core.projects import uploads
from core.workspaces import quota

log = logging.getLogger(__name__)

REMOVED_AFTER = timedelta(minutes=10)
"""How long after it was deleted a file is removed: forms that hold it and orders on their way end meanwhile."""
AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class _Claim:
    """An asset whose file is being removed; `keys` are what nobody else needs."""

    upload: Upload
    keys: tuple[str, ...]


def purge(storage: Storage, *, limit: int = AT_ONCE) -> int:
    """Remove what is due, `limit` files at most; returns how many assets are gone. Safe beside another one."""
    purged, stuck = 0, set[str]()
    while purged + len(stuck) < limit:
        with db.read_session() as session:
            due = _due(session, besides=stuck, limit=limit - purged - len(stuck))
        if not due:
            break
        claims = [claim for asset_id in due if (claim := _claimed(asset_id)) is not None]
        gone = {claim.upload.id for claim in _removed(storage, claims) if _record(claim)}
        purged += len(gone)
        stuck |= set(due) - gone
    return purged


def _claimed(asset_id: str) -> _Claim | None:
    with db.write_session() as session:
        return _claim(session, asset_id)


def _removed(storage: Storage, claims: Sequence[_Claim]) -> Sequence[_Claim]:
    """Remove the files of all of these at once, or of one by one where that cannot be done; those whose files went."""
    try:
        storage.delete_many([key for claim in claims for key in claim.keys])
    except errors.StorageUnavailable as away:
        if len(claims) > 1 and storage.answers() is not False:
            return [one for claim in claims for one in _removed(storage, [claim])]
        log.warning("the files of deleted assets cannot be removed now, and are later: %s", away.detail)
        for claim in claims:
            with db.write_session() as session:
                update_where(session, Upload, _is_still(claim), purging_at=None)
        return []
    return claims


def _record(claim: _Claim) -> bool:
    with db.write_session() as session:
        # In the order in which uploads lock them: the workspace, then the asset.
        quota.free(session, claim.upload.workspace_id, size_bytes=claim.upload.size_bytes)
        if update_where(session, Upload, _is_still(claim), purged_at=db.now(session)) == 0:
            session.rollback()  # somebody else has done it, or brought the file again
            return False
    return True


def _due(session: ReadSession, *, besides: Collection[str], limit: int) -> Sequence[str]:
    now = db.now(session)
    lapsed = now - uploads.PURGE_LEASE
    is_free = or_(
        Upload.purging_at.is_(None), Upload.purging_at < lapsed, Upload.purging_at > now + uploads.PURGE_LEASE
    )
    rows = session.scalars(
        select(Upload)
        .where(
            Upload.deleted_at <= now - REMOVED_AFTER,
            Upload.purged_at.is_(None),
            is_free,
            ~_is_used(),
            Upload.id.not_in(besides),
        )
        .order_by(Upload.deleted_at)
        .limit(limit)
    ).all()
    return [row.id for row in rows if not _is_in_an_order(session, row)]


def _is_used() -> ColumnElement[bool]:
    """Whether a clip of the workspace was ordered with the file, and was not deleted."""
    return exists().where(
        GenerationUpload.storage_key == Upload.storage_key,
        Generation.id == GenerationUpload.generation_id,
        Generation.workspace_id == Upload.workspace_id,
        Generation.deleted_at.is_(None),
    )


def _is_in_an_order(session: ReadSession, upload: Upload) -> bool:
    """The same by the orders themselves: processes of an earlier version note nowhere else what they use."""
    key = upload.storage_key
    found = select(Generation.id).where(
        Generation.workspace_id == upload.workspace_id,
        Generation.deleted_at.is_(None),
        or_(
            Generation.start_image_key == key,
            Generation.end_image_key == key,
            type_coerce(Generation.references, Text).contains(key, autoescape=True),
        ),
    )
    return session.scalar(found.limit(1)) is not None


def _claim(session: WriteSession, asset_id: str) -> _Claim | None:
    """Take an asset to be purged; None when somebody needs it after all, or has taken it."""
    key = select(Upload.storage_key).where(Upload.id == asset_id).scalar_subquery()
    same = session.scalars(
        select(Upload)
        .where(Upload.storage_key == key)
        .order_by(Upload.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    now = db.now(session)
    upload = next((each for each in same if each.id == asset_id), None)
    if upload is None or not _is_due(upload, now) or session.scalar(select(_is_used()).where(Upload.id == asset_id)):
        return None
    upload.purging_at = now
    others = [each for each in same if each is not upload and each.purged_at is None and each.purging_at is None]
    session.flush()
    return _Claim(upload, () if others else tuple(filter(None, (upload.storage_key, upload.poster_key))))


def _is_due(upload: Upload, now: datetime) -> bool:
    is_old = upload.deleted_at is not None and upload.deleted_at <= now - REMOVED_AFTER
    return is_old and upload.purged_at is None and not uploads.is_being_purged(upload, now)


def _is_still(claim: _Claim) -> ColumnElement[bool]:
    """The asset as it was claimed; who brings the file again takes the mark away."""
    return (Upload.id == claim.upload.id) & (Upload.purging_at == claim.upload.purging_at) & Upload.purged_at.is_(None)
