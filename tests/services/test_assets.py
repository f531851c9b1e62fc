"""The library of a workspace: names, deleting, and what becomes of files."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import select

from core import db, errors
from core.assets import groups, library, retention
from core.assets.groups import Item
from core.db import Database
from core.db.enums import GroupKind, WorkspaceRole
from core.db.tables import AuditLogEntry, Upload, Workspace
from core.files.storage import LocalStorage
from core.generations import commands
from core.installation import Installation
from core.projects import uploads
from core.providers.contract import MediaKind
from core.workspaces.access import Member
from tests.factories.assets import create_asset, create_group, let_time_pass
from tests.factories.generations import create_completed, create_generation
from tests.factories.images import create_image
from tests.factories.users import create_member
from tests.factories.workspaces import create_team


@pytest.fixture
def ana(site: Installation) -> Member:
    """Somebody alone in their workspace."""
    return create_member(db.default())


@pytest.fixture
def storage(tmp_path: Path) -> LocalStorage:
    """Where files are kept."""
    return LocalStorage(tmp_path / "files")


def used_bytes() -> int:
    """What is counted for all workspaces."""
    with db.read_session() as session:
        return sum(session.scalars(select(Workspace.storage_bytes)))


def names(**asked: object) -> list[str]:
    """The names on all pages of a library, newest first."""
    member: Member = asked.pop("member")  # type: ignore[assignment]  # always given
    with db.read_session() as session:
        first = library.list_page(session, member, limit=2, **asked)  # type: ignore[arg-type]  # as the tests write them
        found, cursor = [row.name for row in first.rows], first.next_cursor
        while cursor:
            page = library.list_page(session, member, limit=2, cursor=cursor, **asked)  # type: ignore[arg-type]
            found, cursor = found + [row.name for row in page.rows], page.next_cursor
    return found


def test_library_by_kind_and_name(ana: Member) -> None:
    """Assets are listed newest first, by kind and by any part of their name; what is put away is apart."""
    lake, fox, film = (
        create_asset(db.default(), ana, name, kind=kind)
        for name, kind in (("Lac d'été.jpg", "image"), ("fox.jpg", "image"), ("film.mp4", "video"))
    )
    with db.write_session() as session:
        library.update(session, ana, fox.id, archived=True)
        library.update(session, ana, film.id, name="  100% walk ")

    assert names(member=ana) == ["100% walk", "Lac d'été.jpg"]
    assert names(member=ana, kind=MediaKind.VIDEO) == ["100% walk"]
    assert names(member=ana, search="ETE") == [lake.name]
    assert names(member=ana, search="0% w") == ["100% walk"]
    assert names(member=ana, search="%") == ["100% walk"]
    assert names(member=ana, archived=True) == ["fox.jpg"]


def test_library_of_another_workspace(ana: Member) -> None:
    """What is in another workspace is not there, whatever is asked."""
    asset, group = create_asset(db.default(), ana), create_group(db.default(), ana)
    eve = create_member(db.default(), "eve@example.org")
    with db.write_session() as session:
        assert library.list_page(session, eve).rows == []
        assert groups.list_all(session, eve) == []
        asks: list[tuple[Callable[..., object], str]] = [
            *((ask, asset.id) for ask in (library.get, library.update, library.delete_asset)),
            *((ask, group.row.id) for ask in (groups.get, groups.update, groups.delete_group)),
        ]
        for ask, asked in asks:
            with pytest.raises(errors.NotFound):
                ask(session, eve, asked)
        with pytest.raises(errors.InvalidRequest):
            groups.create(session, eve, kind=GroupKind.STYLE, name="noir", items=[Item(asset.id)])


@pytest.mark.parametrize("name", ["", "  ", "a" * 121, "a\x00b"])
def test_rename_when_the_name_cannot_be_one(ana: Member, name: str) -> None:
    """A name has something that people see in it."""
    asset = create_asset(db.default(), ana)
    with pytest.raises(errors.InvalidRequest) as refused, db.write_session() as session:
        library.update(session, ana, asset.id, name=name)
    assert list(refused.value.fields) == ["name"]


def test_roles(site: Installation) -> None:
    """Viewers look, makers edit and delete their own, managers delete everybody's; deleting is on record."""
    people = [create_member(db.default(), f"{word}@example.org") for word in ("viewer", "maker", "manager")]
    viewer, maker, manager = create_team(db.default(), *zip(people, WorkspaceRole, strict=True))
    own, of_manager = create_asset(db.default(), maker, "own.jpg"), create_asset(db.default(), manager, "theirs.jpg")
    group, theirs = create_group(db.default(), maker, "mira"), create_group(db.default(), manager, "tom")
    with db.write_session() as session:
        assert {row.id for row in library.list_page(session, viewer).rows} >= {own.id, of_manager.id}
        for who, act in (
            (viewer, lambda: library.update(session, viewer, own.id, name="x")),
            (viewer, lambda: groups.update(session, viewer, group.row.id, name="x")),
            (viewer, lambda: groups.create(session, viewer, kind=GroupKind.STYLE, name="x")),
            (viewer, lambda: library.delete_asset(session, viewer, own.id)),
            (maker, lambda: library.delete_asset(session, maker, of_manager.id)),
            (maker, lambda: groups.delete_group(session, maker, theirs.row.id)),
        ):
            with pytest.raises(errors.Forbidden):
                act()
            assert who is not manager
        library.update(session, maker, of_manager.id, name="renamed")
        library.delete_asset(session, manager, own.id)
        groups.delete_group(session, manager, group.row.id)
        groups.delete_group(session, manager, theirs.row.id)
    with db.read_session() as session:
        written = session.scalars(select(AuditLogEntry).order_by(AuditLogEntry.id)).all()
    assert [(each.action, each.target) for each in written if each.noun.startswith("asset")] == [
        ("asset.deleted", "own.jpg"),
        ("asset_group.deleted", "@mira"),
        ("asset_group.deleted", "@tom"),
    ]


@pytest.mark.parametrize("again", ["mira", "MIRA", "@Mira", "mír\u0061"])
def test_name_that_is_taken(ana: Member, again: str) -> None:
    """A name is one however it is written, whatever it is of; renaming to what it is already is fine."""
    group = create_group(db.default(), ana, "Mira")
    with db.write_session() as session:
        with pytest.raises(errors.Conflict):
            groups.create(session, ana, kind=GroupKind.STYLE, name=again)
        other = groups.create(session, ana, kind=GroupKind.STYLE, name="noir")
        with pytest.raises(errors.Conflict):
            groups.update(session, ana, other.row.id, name=again)
        assert groups.update(session, ana, group.row.id, name="mira").row.name == "mira"


@pytest.mark.both_databases
def test_name_that_two_give_at_once(ana: Member) -> None:
    """One of them has it, the other is told that it is taken, and nothing else is lost."""
    both = Barrier(2)

    def give() -> str:
        both.wait()
        try:
            with db.write_session() as session:
                return groups.create(session, ana, kind=GroupKind.CHARACTER, name="mira").row.id
        except errors.Conflict as taken:
            return taken.message.code

    with ThreadPoolExecutor(2) as threads:
        answers = [each.result() for each in [threads.submit(give) for _ in range(2)]]
    with db.read_session() as session:
        [group] = groups.list_all(session, ana)
    assert sorted(answers) == sorted([group.row.id, "group_name_taken"])


@pytest.mark.both_databases
def test_same_file_that_two_bring_at_once(ana: Member, storage: LocalStorage) -> None:
    """It is one asset, one file and one charge."""
    both, picture = Barrier(2), create_image()

    def bring() -> Upload:
        both.wait()
        given = {"file_name": "a.png", "storage": storage, "quota_bytes": 10**6}
        return uploads.store_image(ana, identity=picture, picture=lambda: picture, **given)[0]  # type: ignore[arg-type]

    with ThreadPoolExecutor(2) as threads:
        first, second = (each.result() for each in [threads.submit(bring) for _ in range(2)])

    assert first.id == second.id
    assert used_bytes() == first.size_bytes


def test_same_pixels_from_another_file(ana: Member, storage: LocalStorage) -> None:
    """What differs only beside its pixels comes to the same file, which counts once."""
    first, second = create_image(), create_image() + b" "
    given = {"file_name": "a.png", "storage": storage, "quota_bytes": 10**6}
    kept = [uploads.store_image(ana, identity=each, picture=create_image, **given)[0] for each in (first, second)]  # type: ignore[arg-type]

    assert kept[0].id == kept[1].id
    assert used_bytes() == kept[0].size_bytes


def test_killed_between_row_and_file(ana: Member, storage: LocalStorage) -> None:
    """A process that dies after it wrote the asset down and before its file is there: the next try brings the file."""
    asset = create_asset(db.default(), ana, data=b"a lake")
    assert not storage.exists(asset.storage_key)

    again = create_asset(db.default(), ana, data=b"a lake", storage=storage)

    assert again.id == asset.id
    assert storage.read_bytes(asset.storage_key) == b"a lake"
    assert used_bytes() == len(b"a lake")


def test_group_items(ana: Member) -> None:
    """Assets of a name have their order and role; each once, all of the workspace, and no more than allowed."""
    assets = [create_asset(db.default(), ana, f"{letter}.jpg") for letter in "abc"]
    group = create_group(db.default(), ana, items=(Item(assets[1].id, "face"), Item(assets[0].id)))
    assert [(asset.name, role) for asset, role in group.items] == [("b.jpg", "face"), ("a.jpg", "")]
    with db.write_session() as session:
        found = groups.add_item(session, ana, group.row.id, Item(assets[2].id))
        found = groups.add_item(session, ana, group.row.id, Item(assets[1].id))
        assert [asset.name for asset, _role in found.items] == ["b.jpg", "a.jpg", "c.jpg"]
        for items, field in (
            ([Item(assets[0].id)] * 2, "items"),
            ([Item("0" * 36)], "items.0.assetId"),
            ([Item(assets[0].id, "x" * 41)], "items.0.role"),
            ([Item(str(place)) for place in range(groups.MAX_ITEMS + 1)], "items"),
        ):
            with pytest.raises(errors.InvalidRequest) as refused:
                groups.update(session, ana, group.row.id, items=items)
            assert list(refused.value.fields) == [field]
        library.delete_asset(session, ana, assets[0].id)
        assert library.group_names(session, [asset.id for asset in assets]) == {
            assets[1].id: ["mira"],
            assets[2].id: ["mira"],
        }


def test_number_of_clips(ana: Member) -> None:
    """Clips of this workspace that are here count, each once, however often it has the file."""
    asset, other = create_asset(db.default(), ana), create_asset(db.default(), ana)
    key = asset.storage_key
    images = {"model_id": "kling-2.5", "duration_seconds": 5, "start_image_key": key}
    rows = [create_completed(db.default(), ana, **images) for _ in range(3)]
    with db.write_session() as session:
        commands.delete(session, ana, rows[0].id)
    with db.read_session() as session:
        assert library.clip_counts(session, ana, [key, other.storage_key]) == {key: 2}
        assert library.clip_counts(session, ana, []) == {}


def delete_asset(member: Member, asset: Upload, **ago: int) -> None:
    """Take it out of the library, so long ago."""
    with db.write_session() as session:
        library.delete_asset(session, member, asset.id)
    let_time_pass(db.default(), asset, **ago or {"hours": 1})


@pytest.mark.both_databases
def test_file_of_a_deleted_asset_goes(ana: Member, storage: LocalStorage) -> None:
    """It is gone from the library at once, and its file and its bytes a little later; a second run finds nothing."""
    asset, stays = (create_asset(db.default(), ana, storage=storage) for _ in range(2))
    delete_asset(ana, asset, minutes=1)
    with db.read_session() as session:
        assert [row.id for row in library.list_page(session, ana).rows] == [stays.id]
    assert retention.purge(storage) == 0

    let_time_pass(db.default(), asset, hours=1)
    assert (retention.purge(storage), retention.purge(storage)) == (1, 0)

    assert not storage.exists(asset.storage_key)
    assert storage.exists(stays.storage_key)
    assert used_bytes() == stays.size_bytes


def test_file_stays_while_a_clip_was_made_from_it(ana: Member, storage: LocalStorage) -> None:
    """An asset that a clip was ordered with keeps its file until that clip is deleted, too."""
    asset = create_asset(db.default(), ana, storage=storage)
    images = {"model_id": "kling-2.5", "duration_seconds": 5, "start_image_key": asset.storage_key}
    row = create_completed(db.default(), ana, **images)
    delete_asset(ana, asset)
    assert retention.purge(storage) == 0
    assert storage.exists(asset.storage_key)

    with db.write_session() as session:
        commands.delete(session, ana, row.id)
    assert retention.purge(storage) == 1
    assert not storage.exists(asset.storage_key)


def test_file_that_another_workspace_has_brought_too(ana: Member, storage: LocalStorage) -> None:
    """It stays for them, and counts no more where it was deleted."""
    eve = create_member(db.default(), "eve@example.org")
    own, hers = (create_asset(db.default(), who, data=b"a lake", storage=storage) for who in (ana, eve))
    assert own.storage_key == hers.storage_key
    delete_asset(ana, own)

    assert retention.purge(storage) == 1
    assert storage.exists(hers.storage_key)
    assert used_bytes() == hers.size_bytes
    delete_asset(eve, hers)
    assert retention.purge(storage) == 1
    assert not storage.exists(hers.storage_key)


@pytest.mark.parametrize("is_purged", [False, True])
def test_deleted_asset_that_is_brought_again(ana: Member, storage: LocalStorage, is_purged: bool) -> None:
    """It is the same asset again, with its file and one charge."""
    asset = create_asset(db.default(), ana, data=b"a lake", storage=storage)
    delete_asset(ana, asset)
    if is_purged:
        assert retention.purge(storage) == 1

    again = create_asset(db.default(), ana, data=b"a lake", storage=storage)

    assert again.id == asset.id
    assert retention.purge(storage) == 0
    assert storage.exists(asset.storage_key)
    assert used_bytes() == asset.size_bytes
    assert names(member=ana) == ["lake.jpg"]


class DiesWhileItRemoves(LocalStorage):
    """A place whose process is killed when the file is gone and nobody knows."""

    def delete(self, key: str) -> None:
        """Remove it, and die."""
        super().delete(key)
        raise KeyboardInterrupt


def test_killed_while_a_file_was_removed(ana: Member, tmp_path: Path, storage: LocalStorage) -> None:
    """Until it is known to be gone nobody can use or bring the file; after a while the next run ends what was begun."""
    asset = create_asset(db.default(), ana, data=b"a lake", storage=storage)
    delete_asset(ana, asset)
    with pytest.raises(KeyboardInterrupt):
        retention.purge(DiesWhileItRemoves(tmp_path / "files"))

    assert retention.purge(storage) == 0
    with pytest.raises(errors.StorageUnavailable):
        create_asset(db.default(), ana, data=b"a lake")
    with pytest.raises(errors.InvalidRequest):
        create_generation(
            db.default(), ana, model_id="kling-2.5", duration_seconds=5, start_image_key=asset.storage_key
        )
    let_time_pass(db.default(), asset, hours=1)
    assert retention.purge(storage) == 1
    assert used_bytes() == 0


class IsAway(LocalStorage):
    """A place that cannot be written to now."""

    def delete(self, key: str) -> None:
        """Refuse."""
        raise errors.StorageUnavailable(detail="read-only")


def test_storage_is_away_while_files_are_removed(ana: Member, tmp_path: Path, storage: LocalStorage) -> None:
    """Nothing is given back, and the next run does it."""
    asset = create_asset(db.default(), ana, storage=storage)
    delete_asset(ana, asset)
    assert retention.purge(IsAway(tmp_path / "files")) == 0
    assert used_bytes() == asset.size_bytes
    assert retention.purge(storage) == 1
    assert used_bytes() == 0


def test_deleted_twice(database: Database, ana: Member) -> None:
    """The second one is told that it is not there."""
    asset = create_asset(db.default(), ana)
    delete_asset(ana, asset)
    with pytest.raises(errors.NotFound):
        delete_asset(ana, asset)
