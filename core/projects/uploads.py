"""Images people bring: cleaned, kept once by content, counted against their storage."""

import contextlib
import hashlib
from collections.abc import Callable, Sequence

from sqlalchemy import delete, select

from core import db, errors
from core.db import ReadSession, WriteSession
from core.db.tables import Upload
from core.files import image_sanitizer
from core.files.storage import Storage
from core.messages import Message, message
from core.workspaces import quota
from core.workspaces.access import Member, in_workspace
from core.workspaces.permissions import Action


def find(session: ReadSession, member: Member, data: bytes) -> Upload | None:
    """The workspace's earlier upload of exactly these bytes, None if there is none; saves decoding it again."""
    sha256 = hashlib.sha256(data).hexdigest()
    return session.scalar(select(Upload).where(in_workspace(Upload, member), Upload.original_sha256 == sha256))


def record(
    session: WriteSession,
    member: Member,
    *,
    data: bytes,
    file_name: str,
    image: image_sanitizer.CleanImage,
    quota_bytes: int,
) -> Upload:
    """Write down whose image it is, to be stored under its content's address; StorageFull beyond the quota."""
    quota.reserve(session, member.workspace_id, size_bytes=len(image.data), quota_bytes=quota_bytes)
    already = find(session, member, data)
    if already is not None:
        quota.free(session, member.workspace_id, size_bytes=len(image.data))
        return already
    upload = Upload(
        workspace_id=member.workspace_id,
        user_id=member.id,
        storage_key=_key_of(image),
        original_sha256=hashlib.sha256(data).hexdigest(),
        file_name=_printable(file_name),
        size_bytes=len(image.data),
        width=image.width,
        height=image.height,
    )
    session.add(upload)
    session.flush()
    return upload


def check_owned(session: ReadSession, workspace_id: str, storage_key: str, *, field: str) -> None:
    """InvalidRequest on `field` unless the image was brought to this workspace."""
    found = session.scalar(
        select(Upload.id).where(Upload.workspace_id == workspace_id, Upload.storage_key == storage_key).limit(1)
    )
    if found is None:
        raise errors.InvalidRequest(fields={field: message("not_your_image")})


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
) -> tuple[Upload, Sequence[Message]]:
    """The upload, and what was changed in cleaning it; what was taken in under this identity before is found again.

    It is written down before it is stored, so that no file is ever without a workspace whose quota it counts to; one
    that could not be stored is crossed out again, and one whose process died in between is stored by the next call.
    Raises TooLarge, MediaRejected, StorageFull, StorageUnavailable, RateLimited, and whatever `picture` raises.
    """
    member.require(Action.ORDER)
    with db.read_session() as session:
        known = find(session, member, identity)
    if known is not None and storage.exists(known.storage_key):
        return known, ()
    image = image_sanitizer.clean(picture())
    with db.write_session() as session:
        upload = record(session, member, data=identity, file_name=file_name, image=image, quota_bytes=quota_bytes)
    try:
        storage.put_bytes(upload.storage_key, image.data, media_type="image/jpeg")
    except BaseException:
        if known is None:
            _cross_out(upload, storage)
        raise
    return upload, image.notes


def _key_of(image: image_sanitizer.CleanImage) -> str:
    sha256 = hashlib.sha256(image.data).hexdigest()
    return f"images/{sha256[:2]}/{sha256}.jpg"


def _cross_out(upload: Upload, storage: Storage) -> None:
    """Forget an upload that was not stored, unless somebody else has stored the same meanwhile."""
    with contextlib.suppress(errors.StorageUnavailable):
        if storage.exists(upload.storage_key):
            return
    with db.write_session() as session:
        if session.scalar(delete(Upload).where(Upload.id == upload.id).returning(Upload.id)) is not None:
            quota.free(session, upload.workspace_id, size_bytes=upload.size_bytes)
