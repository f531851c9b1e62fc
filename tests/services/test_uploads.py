import io
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import select

from core import db, errors
from core.db import Database
from core.db.tables import Upload, Workspace
from core.files.storage import LocalStorage, ObjectInfo
from core.installation import Installation
from core.messages import Message
from core.projects import uploads
from core.workspaces.access import Member
from tests.factories.images import create_image
from tests.factories.users import create_member, ensure_member


def bring(database: Database, storage: LocalStorage, user: Member, data: bytes, *, quota_bytes: int = 10**6) -> Upload:
    """Bring an image as form and API do."""
    with db.using(database):
        upload, _ = uploads.store_image(
            user,
            identity=data,
            picture=lambda: data,
            file_name="a/b\\c.png",
            storage=storage,
            quota_bytes=quota_bytes,
        )
    return upload


def test_upload_when_brought_twice(database: Database, person: Member, tmp_path: Path) -> None:
    """The same image is kept and counted once a person; its name is the last part of the path."""
    storage = LocalStorage(tmp_path)
    first, second = (bring(database, storage, person, create_image()) for _ in range(2))

    assert first.id == second.id
    assert first.file_name == "c.png"
    with database.read_session() as session:
        assert session.scalars(select(Workspace.storage_bytes)).one() == first.size_bytes
    assert storage.read_bytes(first.storage_key).startswith(b"\xff\xd8")


def test_upload_when_storage_is_full(database: Database, person: Member, tmp_path: Path) -> None:
    """An image that does not fit the quota is refused and not counted."""
    with pytest.raises(errors.StorageFull):
        bring(database, LocalStorage(tmp_path), person, create_image(), quota_bytes=10)

    with database.read_session() as session:
        assert session.scalars(select(Upload)).all() == []
        assert session.scalars(select(Workspace.storage_bytes)).one() == 0


def test_check_owned_when_another_brought_it(database: Database, person: Member, tmp_path: Path) -> None:
    """An image is usable by those who brought it, though the same bytes are stored once."""
    storage = LocalStorage(tmp_path)
    upload = bring(database, storage, person, create_image())
    with database.write_session() as session:
        stranger = ensure_member(session, "eve@example.org", signup_credits=0)
        uploads.check_owned(session, person.workspace_id, upload.storage_key, field="startImagePath")
        with pytest.raises(errors.InvalidRequest):
            uploads.check_owned(session, stranger.workspace_id, upload.storage_key, field="startImagePath")

    again = bring(database, storage, stranger, create_image())
    assert again.id != upload.id
    assert again.storage_key == upload.storage_key


@pytest.fixture
def ana(site: Installation) -> Member:
    """Somebody."""
    return create_member(db.default(), credits=0)


@pytest.fixture
def storage(tmp_path: Path) -> LocalStorage:
    """Where pictures are kept."""
    return LocalStorage(tmp_path / "files")


def take_in(
    user: Member,
    storage: LocalStorage,
    *,
    identity: bytes = b"the last frame of a clip",
    picture: Callable[[], bytes] = create_image,
    quota_bytes: int = 10**6,
) -> tuple[Upload, Sequence[Message]]:
    """Take in a picture under a name of its own."""
    return uploads.store_image(
        user, identity=identity, picture=picture, file_name="a.png", storage=storage, quota_bytes=quota_bytes
    )


def kept() -> tuple[list[Upload], int]:
    """All uploads, and what is counted for their people together."""
    with db.read_session() as session:
        return list(session.scalars(select(Upload))), sum(session.scalars(select(Workspace.storage_bytes)))


def never() -> bytes:
    """A picture that must not be asked for."""
    raise AssertionError


def test_take_in_when_it_is_known(ana: Member, storage: LocalStorage) -> None:
    """The same identity gives the same upload, counted once, and the picture is not even made again."""
    first, _ = take_in(ana, storage)
    again, notes = take_in(ana, storage, picture=never, quota_bytes=0)

    assert (again.id, again.storage_key, notes) == (first.id, first.storage_key, ())
    assert kept()[1] == first.size_bytes > 0
    assert Image.open(io.BytesIO(storage.read_bytes(first.storage_key))).format == "JPEG"


def test_take_in_tells_what_was_changed(ana: Member, storage: LocalStorage) -> None:
    """A picture that lost something in cleaning says so when it comes, and not when it is only found again."""
    assert take_in(ana, storage, picture=lambda: create_image("#00800080", "RGBA"))[1] != ()
    assert take_in(ana, storage, picture=never)[1] == ()
    assert take_in(ana, storage, identity=b"plain")[1] == ()


def test_take_in_when_the_identity_is_somebody_elses(ana: Member, storage: LocalStorage) -> None:
    """What another brought is not found: each has an upload of their own and is charged for it."""
    with db.write_session() as session:
        eve = ensure_member(session, "eve@example.org", signup_credits=0)
    hers, _ = take_in(eve, storage, picture=lambda: create_image("red"))
    own, _ = take_in(ana, storage)

    assert (own.user_id, hers.user_id) == (ana.id, eve.id)
    assert own.storage_key != hers.storage_key
    assert kept()[1] == own.size_bytes + hers.size_bytes


@pytest.mark.both_databases
def test_take_in_when_two_do_it_at_once(ana: Member, storage: LocalStorage) -> None:
    """Another call that took it in while the picture was made is found when it is written down: kept and counted once.

    No unit of work may be open meanwhile, or the other call could not write.
    """
    others: list[Upload] = []

    def meanwhile() -> bytes:
        others.append(take_in(ana, storage)[0])
        return create_image()

    own, _ = take_in(ana, storage, picture=meanwhile)

    assert [own.id] == [other.id for other in others]
    found, counted = kept()
    assert [upload.id for upload in found] == [own.id]
    assert counted == own.size_bytes


@pytest.mark.parametrize(
    ("picture", "quota_bytes", "refusal"),
    [
        (lambda: b"<svg/>", 10**6, errors.MediaRejected),
        (lambda: bytes(30 * 1024 * 1024), 10**6, errors.TooLarge),
        (create_image, 10, errors.StorageFull),
        (never, 10**6, AssertionError),
    ],
    ids=["not a picture", "too large", "no room", "cannot be made"],
)
def test_take_in_when_it_is_refused(
    ana: Member, storage: LocalStorage, picture: Callable[[], bytes], quota_bytes: int, refusal: type[Exception]
) -> None:
    """Nothing is written down or counted, the refusal is told as it is, and a good picture can come afterwards."""
    with pytest.raises(refusal):
        take_in(ana, storage, picture=picture, quota_bytes=quota_bytes)
    assert kept() == ([], 0)

    upload, _ = take_in(ana, storage)
    assert kept()[1] == upload.size_bytes


def test_take_in_when_it_died_before_it_was_stored(ana: Member, storage: LocalStorage) -> None:
    """An upload that is written down and was never stored is stored by the next call, and counted once."""
    upload, _ = take_in(ana, storage)
    storage.delete(upload.storage_key)

    again, _ = take_in(ana, storage)
    assert again.id == upload.id
    assert storage.exists(upload.storage_key)
    assert kept()[1] == upload.size_bytes


def test_take_in_when_it_cannot_be_stored(ana: Member, storage: LocalStorage, tmp_path: Path) -> None:
    """Where files cannot be written, nothing is counted, nothing half written is left, and it goes well later."""
    place = tmp_path / "files"
    place.write_text("a file where the folder should be")
    with pytest.raises(errors.StorageUnavailable):
        take_in(ana, storage)
    assert kept() == ([], 0)

    place.unlink()
    assert storage.exists(take_in(ana, storage)[0].storage_key)


def test_take_in_when_another_stored_the_same_while_it_failed(ana: Member, storage: LocalStorage) -> None:
    """What one call could not store and another one did stays written down."""

    class Full(LocalStorage):
        """Has no room, while the place beside it has."""

        def put_bytes(self, key: str, data: bytes, *, media_type: str) -> ObjectInfo:
            storage.put_bytes(key, data, media_type=media_type)
            raise errors.StorageUnavailable

    with pytest.raises(errors.StorageUnavailable):
        take_in(ana, Full(storage._root))
    upload, _ = take_in(ana, storage, picture=never)
    assert kept()[1] == upload.size_bytes


def test_take_in_leaves_no_file_of_what_is_refused(ana: Member, storage: LocalStorage) -> None:
    """An image beyond the quota is nowhere on the disk."""
    with pytest.raises(errors.StorageFull):
        take_in(ana, storage, quota_bytes=10)
    assert not any(path.is_file() for path in storage._root.rglob("*"))


def test_list_of_earlier_images(database: Database, person: Member, tmp_path: Path) -> None:
    """Newest first, a page at a time, and only those of the workspace."""
    storage = LocalStorage(tmp_path)
    other = create_member(database, "ben@example.org")
    red, teal = (bring(database, storage, person, create_image(colour)) for colour in ("red", "teal"))
    bring(database, storage, other, create_image("blue"))

    with database.read_session() as session:
        assert [row.id for row in uploads.list_page(session, person, before=None, limit=9)] == [teal.id, red.id]
        assert [row.id for row in uploads.list_page(session, person, before=None, limit=1)] == [teal.id]
        assert [row.id for row in uploads.list_page(session, person, before=teal.id, limit=1)] == [red.id]
        assert uploads.by_key(session, person, red.storage_key).id == red.id
        with pytest.raises(errors.InvalidRequest):
            uploads.by_key(session, other, red.storage_key)
