"""Assets of a library, and names for several of them."""

import hashlib
import itertools
from datetime import timedelta

from core.assets import groups
from core.assets.groups import Group, Item
from core.clock import utc_now
from core.db import Database, update_where
from core.db.enums import GroupKind
from core.db.tables import Upload
from core.files.storage import Storage
from core.projects import uploads
from core.workspaces.access import Member

_SUFFIX = {"image": "jpg", "video": "mp4", "sound": "mp3"}
_MEDIA_TYPE = {"image": "image/jpeg", "video": "video/mp4", "sound": "audio/mpeg"}
_numbers = itertools.count()


def create_asset(
    database: Database,
    member: Member,
    name: str = "lake.jpg",
    *,
    kind: str = "image",
    storage: Storage | None = None,
    seconds: float | None = None,
    data: bytes = b"",
) -> Upload:
    """An asset of the workspace; with its bytes, some that nobody else has unless they are given, where storage is."""
    data = data or f"{next(_numbers)} {name}".encode()
    key = f"images/te/{hashlib.sha256(data).hexdigest()}.{_SUFFIX[kind]}"
    brought = uploads.new_upload(member, data=data, file_name=name, storage_key=key, size_bytes=len(data))
    brought.kind, brought.seconds = kind, seconds
    if kind != "sound":
        brought.width, brought.height = 320, 180
    with database.write_session() as session:
        found = uploads.keep(session, member, brought, quota_bytes=10**9)
    if storage is not None:
        storage.put_bytes(key, data, media_type=_MEDIA_TYPE[kind])
    return found


def create_group(
    database: Database,
    member: Member,
    name: str = "mira",
    *,
    kind: GroupKind = GroupKind.CHARACTER,
    pictures: int = 2,
    description: str = "",
    items: tuple[Item, ...] | None = None,
) -> Group:
    """A group with so many pictures, or with these items."""
    if items is None:
        items = tuple(Item(create_asset(database, member, f"{name}-{place}.jpg").id) for place in range(pictures))
    with database.write_session() as session:
        return groups.create(session, member, kind=kind, name=name, description=description, items=items)


def let_time_pass(database: Database, asset: Upload, **how_much: int) -> None:
    """Let the deletion of an asset, and what was begun to remove it, be so long ago."""
    past = utc_now() - timedelta(**how_much)
    with database.write_session() as session:
        update_where(session, Upload, Upload.id == asset.id, Upload.deleted_at.is_not(None), deleted_at=past)
        update_where(session, Upload, Upload.id == asset.id, Upload.purging_at.is_not(None), purging_at=past)
