"""Images people bring: cleaned, kept once by content, counted against their storage."""

import hashlib
from collections.abc import Callable, Sequence

from sqlalchemy import select

from core import db, errors
from core.db import ReadSession, WriteSession
from core.db.row_access import visible_to
from core.db.tables import Upload, User
from core.files import image_sanitizer
from core.files.storage import Storage
from core.identity import users
from core.messages import Message, message


def find(session: ReadSession, user: User, data: bytes) -> Upload | None:
    """The user's earlier upload of exactly these bytes, None if there is none; saves decoding it again."""
    sha256 = hashlib.sha256(data).hexdigest()
    return session.scalar(select(Upload).where(visible_to(Upload, user), Upload.original_sha256 == sha256))


def prepare(storage: Storage, data: bytes) -> tuple[str, image_sanitizer.CleanImage]:
    """Clean an image and put it into storage under its content's address; (storage key, image).

    Outside any transaction, since it takes time. Raises TooLarge or MediaRejected.
    """
    image = image_sanitizer.clean(data)
    sha256 = hashlib.sha256(image.data).hexdigest()
    key = f"images/{sha256[:2]}/{sha256}.jpg"
    storage.put_bytes(key, image.data, media_type="image/jpeg")
    return key, image


def record(
    session: WriteSession,
    user: User,
    *,
    data: bytes,
    file_name: str,
    storage_key: str,
    image: image_sanitizer.CleanImage,
    quota_bytes: int,
) -> Upload:
    """Write down whose image it is; StorageFull when it does not fit the person's quota."""
    users.reserve_storage(session, user.id, size_bytes=len(image.data), quota_bytes=quota_bytes)
    already = find(session, user, data)
    if already is not None:
        users.free_storage(session, user.id, size_bytes=len(image.data))
        return already
    upload = Upload(
        user_id=user.id,
        storage_key=storage_key,
        original_sha256=hashlib.sha256(data).hexdigest(),
        file_name=_printable(file_name),
        size_bytes=len(image.data),
        width=image.width,
        height=image.height,
    )
    session.add(upload)
    session.flush()
    return upload


def check_owned(session: ReadSession, user: User, storage_key: str, *, field: str) -> None:
    """InvalidRequest on `field` unless this person uploaded the image."""
    found = session.scalar(
        select(Upload.id).where(visible_to(Upload, user), Upload.storage_key == storage_key).limit(1)
    )
    if found is None:
        raise errors.InvalidRequest(fields={field: message("not_your_image")})


def _printable(file_name: str) -> str:
    name = "".join(char for char in file_name if char.isprintable())
    return (name.replace("\\", "/").rsplit("/", 1)[-1] or "image")[:255]


def store_image(
    user: User,
    *,
    identity: bytes,
    picture: Callable[[], bytes],
    file_name: str,
    storage: Storage,
    quota_bytes: int,
) -> tuple[Upload, Sequence[Message]]:
    """The upload, and what was changed in cleaning it; what was taken in under this identity before is found again.

    Raises TooLarge, MediaRejected, StorageFull, and whatever `picture` raises.
    """
    with db.read_session() as session:
        known = find(session, user, identity)
    if known is not None:
        return known, ()
    storage_key, image = prepare(storage, picture())
    with db.write_session() as session:
        upload = record(
            session,
            user,
            data=identity,
            file_name=file_name,
            storage_key=storage_key,
            image=image,
            quota_bytes=quota_bytes,
        )
    return upload, image.notes
