import io
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import select

from core import errors
from core.db import Database
from core.db.tables import Upload, User
from core.files.storage import LocalStorage
from core.identity import users
from core.projects import uploads


def photo(colour: str = "teal") -> bytes:
    """A small PNG."""
    file = io.BytesIO()
    Image.new("RGB", (320, 180), colour).save(file, "PNG")
    return file.getvalue()


def bring(database: Database, storage: LocalStorage, user: User, data: bytes, *, quota_bytes: int = 10**6) -> Upload:
    """Bring an image as form and API do."""
    with database.read_session() as session:
        known = uploads.find(session, user, data)
    if known is not None:
        return known
    key, image = uploads.prepare(storage, data)
    with database.write_session() as session:
        return uploads.record(
            session, user, data=data, file_name="a/b\\c.png", storage_key=key, image=image, quota_bytes=quota_bytes
        )


def test_upload_when_brought_twice(database: Database, person: User, tmp_path: Path) -> None:
    """The same image is kept and counted once a person; its name is the last part of the path."""
    storage = LocalStorage(tmp_path)
    first, second = (bring(database, storage, person, photo()) for _ in range(2))

    assert first.id == second.id
    assert first.file_name == "c.png"
    with database.read_session() as session:
        assert session.scalars(select(User.storage_bytes)).one() == first.size_bytes
    assert storage.read_bytes(first.storage_key).startswith(b"\xff\xd8")


def test_upload_when_storage_is_full(database: Database, person: User, tmp_path: Path) -> None:
    """An image that does not fit the quota is refused and not counted."""
    with pytest.raises(errors.StorageFull):
        bring(database, LocalStorage(tmp_path), person, photo(), quota_bytes=10)

    with database.read_session() as session:
        assert session.scalars(select(Upload)).all() == []
        assert session.scalars(select(User.storage_bytes)).one() == 0


def test_check_owned_when_another_brought_it(database: Database, person: User, tmp_path: Path) -> None:
    """An image is usable by those who brought it, though the same bytes are stored once."""
    storage = LocalStorage(tmp_path)
    upload = bring(database, storage, person, photo())
    with database.write_session() as session:
        stranger = users.ensure(session, "eve@example.org", signup_credits=0)
        uploads.check_owned(session, person, upload.storage_key, field="startImagePath")
        with pytest.raises(errors.InvalidRequest):
            uploads.check_owned(session, stranger, upload.storage_key, field="startImagePath")

    again = bring(database, storage, stranger, photo())
    assert again.id != upload.id
    assert again.storage_key == upload.storage_key
