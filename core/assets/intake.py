"""Takes files into the library: what a file is, is told from its bytes; an image by `core.projects.uploads`.

No service: it opens its own units of work, since none may stay open while a file is decoded and stored.
"""

import hashlib
from collections.abc import Sequence

from core import db
from core.assets import library
from core.db.tables import Upload
from core.files import image_sanitizer, sniff, sound_sanitizer, video_sanitizer
from core.files.storage import Storage
from core.messages import Message
from core.projects import uploads
from core.providers.contract import MediaKind
from core.workspaces.access import Member
from core.workspaces.permissions import Action

MAX_UPLOAD_BYTES = max(
    image_sanitizer.MAX_UPLOAD_BYTES, video_sanitizer.MAX_UPLOAD_BYTES, sound_sanitizer.MAX_UPLOAD_BYTES
)


def kind_of(data: bytes) -> MediaKind:
    """What a file is by its beginning; an image where nobody can tell, since that says best what it should be."""
    if sound_sanitizer.container_of(data[:16]) is not None:
        return MediaKind.SOUND
    is_video = data[4:8] in (b"ftyp", b"moov", b"mdat", b"wide") or data.startswith(b"\x1a\x45\xdf\xa3")
    return MediaKind.VIDEO if is_video and not sniff.is_image(data[:16]) else MediaKind.IMAGE


def store(
    member: Member, data: bytes, *, file_name: str, storage: Storage, quota_bytes: int
) -> tuple[Upload, Sequence[Message]]:
    """The asset of a file, and what was changed in it; the same bytes are found again, also when they were put away.

    Raises Forbidden for who may not order, TooLarge, MediaRejected, StorageFull, StorageUnavailable, RateLimited.
    """
    kind = kind_of(data)
    if kind is MediaKind.IMAGE:
        upload, notes = uploads.store_image(
            member,
            identity=data,
            picture=lambda: data,
            file_name=file_name,
            storage=storage,
            quota_bytes=quota_bytes,
        )
    else:
        upload, notes = _store(member, data, kind, file_name=file_name, storage=storage, quota_bytes=quota_bytes), ()
    if upload.archived_at is not None:
        with db.write_session() as session:
            upload = library.update(session, member, upload.id, archived=False)
    return upload, notes


def _store(
    member: Member, data: bytes, kind: MediaKind, *, file_name: str, storage: Storage, quota_bytes: int
) -> Upload:
    """A video or a sound, written down before it is stored, as an image is."""
    member.require(Action.ORDER)
    with db.read_session() as session:
        known = uploads.find(session, member, data)
    if known is not None and known.deleted_at is None and storage.exists(known.storage_key):
        return known
    brought, files = _cleaned(member, data, kind, file_name)
    with db.write_session() as session:
        upload = uploads.keep(session, member, brought, quota_bytes=quota_bytes)
    try:
        for key, content, media_type in files:
            storage.put_bytes(key, content, media_type=media_type)
    except BaseException:
        if upload.is_new:
            uploads.cross_out(upload, storage)
        raise
    return upload


def _cleaned(
    member: Member, data: bytes, kind: MediaKind, file_name: str
) -> tuple[Upload, Sequence[tuple[str, bytes, str]]]:
    """What is to be written down, and (key, bytes, media type) of what is to be stored, the file itself last."""
    if kind is MediaKind.SOUND:
        sound = sound_sanitizer.clean(data)
        key = f"{_place(sound.data)}.mp3"
        brought = uploads.new_upload(
            member, data=data, file_name=file_name, storage_key=key, size_bytes=len(sound.data)
        )
        brought.kind, brought.seconds = kind.value, sound.seconds
        return brought, [(key, sound.data, "audio/mpeg")]
    video = video_sanitizer.clean(data)
    place = _place(video.data)
    size_bytes = len(video.data) + len(video.poster)
    brought = uploads.new_upload(
        member, data=data, file_name=file_name, storage_key=f"{place}.mp4", size_bytes=size_bytes
    )
    brought.kind, brought.seconds, brought.poster_key = kind.value, video.seconds, f"{place}.webp"
    brought.width, brought.height = video.width, video.height
    return brought, [(f"{place}.webp", video.poster, "image/webp"), (f"{place}.mp4", video.data, "video/mp4")]


def _place(data: bytes) -> str:
    """Where a file lies, without its suffix: the address of its content."""
    sha256 = hashlib.sha256(data).hexdigest()
    return f"assets/{sha256[:2]}/{sha256}"
