"""Files people bring, images above all: cleaned, kept once by content, counted against their storage."""

import contextlib
import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, delete, exists, or_, select
from sqlalchemy.orm import aliased

from core import db, errors
from core.db import ReadSession, WriteSession
from core.db.tables import Upload
from core.files import image_sanitizer
from core.files.storage import Storage
from core.messages import Message, message
from core.workspaces import quota
from core.workspaces.access import Member, in_workspace
from core.workspaces.permissions import Action

NAME_LIMIT_CHARS = 120
"""How long the name of an upload may be."""

_KEYS_AT_ONCE = 300

PURGE_LEASE = timedelta(minutes=10)
"""How long who has begun to remove a file may take, before another one does."""


IMAGE = "image"


def find(session: ReadSession, member: Member, data: bytes) -> Upload | None:
    """The workspace's earlier upload of exactly these bytes, None if there is none; saves decoding it again."""
    sha256 = hashlib.sha256(data).hexdigest()
    return session.scalar(select(Upload).where(in_workspace(Upload, member), Upload.original_sha256 == sha256))


def by_key(session: ReadSession, member: Member, storage_key: str) -> Upload:
    """The newest image of the workspace that is kept under this key; InvalidRequest where it has none."""
    found = session.scalar(
        select(Upload)
        .where(in_workspace(Upload, member), Upload.storage_key == storage_key, Upload.kind == IMAGE, _is_here())
        .order_by(Upload.id.desc())
        .limit(1)
    )
    if found is None:
        raise errors.InvalidRequest(message("not_your_image"))
    return found


def list_page(session: ReadSession, member: Member, *, before: str | None, limit: int) -> Sequence[Upload]:
    """The images brought to the workspace, newest first, from behind the one with the id `before`; each picture once.

    Different files can hold the same picture, as a clip's frames do that stands still.
    """
    newer = aliased(Upload)
    is_older = exists().where(
        newer.workspace_id == Upload.workspace_id,
        newer.storage_key == Upload.storage_key,
        newer.id > Upload.id,
        newer.deleted_at.is_(None),
    )
    is_listed = and_(in_workspace(Upload, member), Upload.kind == IMAGE, Upload.deleted_at.is_(None), _is_here())
    query = select(Upload).where(is_listed, ~is_older)
    beyond = query if before is None else query.where(Upload.id < before)
    return session.scalars(beyond.order_by(Upload.id.desc()).limit(limit)).all()


def record(
    session: WriteSession,
    member: Member,
    *,
    data: bytes,
    file_name: str,
    image: image_sanitizer.CleanImage,
    quota_bytes: int,
    source_generation_id: str | None = None,
) -> Upload:
    """Write down whose image it is, to be stored under its content's address; raises as `keep`."""
    brought = new_upload(member, data=data, file_name=file_name, storage_key=_key_of(image), size_bytes=len(image.data))
    brought.width, brought.height, brought.source_generation_id = image.width, image.height, source_generation_id
    return keep(session, member, brought, quota_bytes=quota_bytes)


def new_upload(member: Member, *, data: bytes, file_name: str, storage_key: str, size_bytes: int) -> Upload:
    """An upload that is not written down yet, called as its file; `data` is what tells it from others."""
    printable = _printable(file_name)
    return Upload(
        workspace_id=member.workspace_id,
        user_id=member.id,
        name=printable[:NAME_LIMIT_CHARS],
        storage_key=storage_key,
        original_sha256=hashlib.sha256(data).hexdigest(),
        file_name=printable,
        size_bytes=size_bytes,
        width=0,
        height=0,
    )


def keep(session: WriteSession, member: Member, brought: Upload, *, quota_bytes: int) -> Upload:
    """Write down an upload, or find the one that the workspace has of the same bytes; it counts against the quota once.

    One that was deleted is back with that. Raises StorageFull beyond the quota, and StorageUnavailable in the moments
    in which the same file is being removed.
    """
    quota.reserve(session, member.workspace_id, size_bytes=brought.size_bytes, quota_bytes=quota_bytes)
    # Locked, in the order in which all do, so that no one begins to remove the file meanwhile.
    same = session.scalars(
        select(Upload)
        .where(
            or_(
                Upload.storage_key == brought.storage_key,
                and_(in_workspace(Upload, member), Upload.original_sha256 == brought.original_sha256),
            )
        )
        .order_by(Upload.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    now = db.now(session)
    if any(is_being_purged(each, now) for each in same):
        raise errors.StorageUnavailable(detail=f"{brought.storage_key} is being removed")
    own = [each for each in same if each.workspace_id == member.workspace_id]
    if not own:
        brought.is_new = True
        session.add(brought)
        session.flush()
        return brought
    already = next((each for each in own if each.original_sha256 == brought.original_sha256), own[0])
    if already.purged_at is None:
        quota.free(session, member.workspace_id, size_bytes=brought.size_bytes)
    else:  # its file went, and no clip was made from it: it is this one from now on, and counts again
        for name in ("storage_key", "poster_key", "size_bytes", "width", "height", "seconds"):
            setattr(already, name, getattr(brought, name))
    already.deleted_at = already.purging_at = already.purged_at = None
    session.flush()
    return already


def is_being_purged(upload: Upload, now: datetime) -> bool:
    """Whether somebody may be removing its file; one who began long ago has died, or a clock was set."""
    began = upload.purging_at
    return upload.purged_at is None and began is not None and abs(now - began) < PURGE_LEASE


def check_owned(session: ReadSession, workspace_id: str, storage_key: str, *, field: str) -> None:
    """InvalidRequest on `field` unless the image was brought to this workspace, and its file is here."""
    found = select(Upload.id).where(Upload.workspace_id == workspace_id, Upload.storage_key == storage_key, _is_here())
    if session.scalar(found.limit(1)) is None:
        raise errors.InvalidRequest(fields={field: message("not_your_image")})


def check_orderable(session: WriteSession, workspace_id: str, wanted: Sequence[tuple[str, str, str]]) -> None:
    """The same for files with a key, kind and field each; none of them is removed until the transaction ends.

    An asset that was deleted can be ordered with as long as its file is here, so that old clips can be made again.
    """
    keys = sorted({key for key, _kind, _field in wanted})
    kinds: dict[str, set[str]] = {}
    for begin in range(0, len(keys), _KEYS_AT_ONCE):
        some = Upload.storage_key.in_(keys[begin : begin + _KEYS_AT_ONCE])
        query = select(Upload.storage_key, Upload.kind).where(Upload.workspace_id == workspace_id, some, _is_here())
        for row in session.execute(query.order_by(Upload.id).with_for_update(read=True, key_share=True)):
            kinds.setdefault(row.storage_key, set()).add(row.kind)
    for key, kind, field in wanted:
        if key not in kinds:
            raise errors.InvalidRequest(fields={field: message("not_your_image")})
        if kind not in kinds[key]:
            raise errors.InvalidRequest(fields={field: message("asset_of_another_kind")})


def _is_here() -> ColumnElement[bool]:
    """Nobody has removed the file, or is about to."""
    return and_(Upload.purging_at.is_(None), Upload.purged_at.is_(None))


def source_of(session: ReadSession, workspace_id: str, storage_key: str) -> str | None:
    """The clip that an image of this workspace is a picture of; None for one from outside."""
    found = select(Upload.source_generation_id).where(
        Upload.workspace_id == workspace_id,
        Upload.storage_key == storage_key,
        Upload.source_generation_id.is_not(None),
    )
    return session.scalar(found.limit(1))


def _printable(file_name: str) -> str:
    name = "".join(char for char in file_name if char.isprintable())
    return (name.replace("\\", "/").rsplit("/", 1)[-1] or "image")[:255]


def store_image(
    member: Member,
    *,
    identity: bytes,
    picture: Callable[[], bytes],
    file_name: str,
    storage: Storage,
    quota_bytes: int,
    source_generation_id: str | None = None,
) -> tuple[Upload, Sequence[Message]]:
    """The upload, and what was changed in cleaning it; what was taken in under this identity before is found again.

    `source_generation_id` is the clip that it is a picture of. It is written down before it is stored, so that no file
    is ever without a workspace whose quota it counts to; one that could not be stored is crossed out again, and one
    whose process died in between is stored by the next call.
    Raises TooLarge, MediaRejected, StorageFull, StorageUnavailable, RateLimited, and whatever `picture` raises.
    """
    member.require(Action.ORDER)
    with db.read_session() as session:
        known = find(session, member, identity)
    if known is not None and known.kind == IMAGE and known.deleted_at is None and storage.exists(known.storage_key):
        return known, ()
    image = image_sanitizer.clean(picture())
    with db.write_session() as session:
        upload = record(
            session,
            member,
            data=identity,
            file_name=file_name,
            image=image,
            quota_bytes=quota_bytes,
            source_generation_id=source_generation_id,
        )
    try:
        storage.put_bytes(upload.storage_key, image.data, media_type="image/jpeg")
    except BaseException:
        if upload.is_new:
            cross_out(upload, storage)
        raise
    return upload, image.notes


def _key_of(image: image_sanitizer.CleanImage) -> str:
    sha256 = hashlib.sha256(image.data).hexdigest()
    return f"images/{sha256[:2]}/{sha256}.jpg"


def cross_out(upload: Upload, storage: Storage) -> None:
    """Forget an upload that was not stored, unless somebody else has stored the same meanwhile."""
    with contextlib.suppress(errors.StorageUnavailable):
        if storage.exists(upload.storage_key):
            return
    with db.write_session() as session:
        if session.scalar(delete(Upload).where(Upload.id == upload.id).returning(Upload.id)) is not None:
            quota.free(session, upload.workspace_id, size_bytes=upload.size_bytes)
