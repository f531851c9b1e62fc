import os
import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from core import db, errors
from core.assets import intake
from core.clock import utc_now
from core.db.tables import Generation, StorageSweep, Upload
from core.files import storage as storages
from core.generations import commands
from core.installation import Installation
from core.projects import uploads
from core.worker import maintenance, previews, recovery, sweep
from core.workspaces.access import Member
from tests.api.conftest import picture
from tests.factories.generations import (
    DISPATCHED,
    DOWNLOADING,
    READY_TO_DOWNLOAD,
    SUBMITTING,
    WAITING,
    advance,
    create_completed,
    create_generation,
    lose_submit,
)
from tests.factories.users import create_member
from tests.fixtures import object_stores
from tests.fixtures.object_stores import SeaweedFS

DAYS = 86_400.0
STRANGE = "videos/01234567-89ab-7000-8000-000000000000/0123456789abcdef.mp4"


@pytest.fixture
def ana(site: Installation) -> Member:
    """Somebody with credits."""
    return create_member(db.default(), credits=100_000)


def put(site: Installation, *keys: str, days: float = 2) -> None:
    """Files as they were stored so long ago."""
    for key in keys:
        site.storage.put_bytes(key, b"x", media_type=storages.media_type_of(key))
        path = site.storage.local_path(key)
        assert path is not None
        os.utime(path, (time.time() - days * DAYS,) * 2)


def there(site: Installation) -> set[str]:
    """All keys."""
    return {found.key for found in site.storage.files()}


def make_due() -> None:
    """As time does it."""
    with db.write_session() as session:
        session.execute(update(StorageSweep).values(next_at=utc_now()))


def state() -> StorageSweep:
    """How far the search is."""
    with db.read_session() as session:
        return session.get_one(StorageSweep, 1)


def rounds(site: Installation) -> None:
    """A whole round."""
    make_due()
    sweep.run(site)


@pytest.mark.both_databases
def test_sweep_removes_what_no_row_knows(site: Installation, ana: Member) -> None:
    """Clips, pictures and archives without a row go when they are old; what rows know stays, and what is young."""
    row = create_completed(db.default(), ana)
    assert row.output_key is not None
    assert row.thumbnail_key is not None
    older_try = row.output_key.replace("0123456789abcdef", "fedcba9876543210")
    known = {row.output_key, row.thumbnail_key, previews.key_of(row.output_key)}
    image, _notes = intake.store(ana, picture(), file_name="a.png", storage=site.storage, quota_bytes=10**9)
    put(site, *known, STRANGE, older_try, "images/ab/none.jpg", "assets/ab/none.mp4", "exports/none/1-1.zip")
    put(site, image.storage_key)
    put(site, "images/ab/young.jpg", days=0.5)
    put(site, "else/of-others.zip")
    rounds(site)

    assert there(site) == known | {image.storage_key, "images/ab/young.jpg", "else/of-others.zip"}
    assert (state().looked, state().removed, state().after_key) == (11, 5, "")
    assert state().next_at > utc_now() + timedelta(days=6)


@pytest.mark.both_databases
def test_sweep_leaves_what_is_under_way(site: Installation, ana: Member) -> None:
    """All files of a clip that is fetched, or of which nobody knows what became of it, may still be needed."""
    live, lost = create_generation(db.default(), ana), create_generation(db.default(), ana)
    advance(db.default(), live.id, DISPATCHED, SUBMITTING, WAITING, READY_TO_DOWNLOAD, DOWNLOADING)
    lose_submit(db.default(), lost.id)
    keys = {f"videos/{row.id}/0123456789abcdef.{end}" for row in (live, lost) for end in ("mp4", "webp")}
    start = "images/cd/of-an-order.jpg"
    with db.write_session() as session:
        session.execute(update(Generation).where(Generation.id == live.id).values(start_image_key=start))
    put(site, *keys, start)
    rounds(site)

    assert there(site) == keys | {start}


def test_sweep_leaves_deleted_clips_to_the_purge(site: Installation, ana: Member) -> None:
    """Whoever gives the bytes back removes the files; one that came after that has no row any more."""
    row = create_completed(db.default(), ana)
    assert row.output_key is not None
    put(site, row.output_key)
    with db.write_session() as session:
        commands.delete(session, ana, row.id)
    rounds(site)
    assert there(site) == {row.output_key}
    assert maintenance.purge_deleted_files(site) == 1
    put(site, row.output_key)
    rounds(site)
    assert there(site) == set()


class PutMeanwhile(storages.LocalStorage):
    """A storage in which somebody brings a picture while it is being swept away."""

    def __init__(self, root: Path, member: Member, data: bytes) -> None:
        super().__init__(root)
        self._brought = (member, data)

    def copy_many(self, copies: Iterable[tuple[str, str]]) -> None:
        """Between the look and the removal."""
        copies = list(copies)
        if any(further.startswith(sweep.ASIDE) for _key, further in copies):
            member, data = self._brought
            intake.store(member, data, file_name="a.png", storage=self, quota_bytes=10**9)
        super().copy_many(copies)


def test_sweep_when_the_same_is_brought_meanwhile(site: Installation, ana: Member) -> None:
    """A put that finds its file there already, and does nothing, still has it when the sweep is over."""
    image, _notes = intake.store(ana, picture(), file_name="a.png", storage=site.storage, quota_bytes=10**9)
    put(site, image.storage_key)
    with db.write_session() as session:
        session.execute(update(Upload).values(purged_at=utc_now(), deleted_at=utc_now()))
    assert site.storage.folder is not None
    meanwhile = PutMeanwhile(site.storage.folder, ana, picture())
    with db.read_session() as session:
        assert sweep.orphans(session, [image.storage_key]) == [image.storage_key]
    assert sweep.remove(meanwhile, [image.storage_key]) == 0
    assert there(site) == {image.storage_key}


def test_sweep_when_it_died_in_the_middle(site: Installation, ana: Member) -> None:
    """What was put aside comes back where a row knows it, and goes where none does."""
    row = create_completed(db.default(), ana)
    assert row.output_key is not None
    put(site, f"swept/{row.output_key}", f"swept/{STRANGE}")
    rounds(site)
    assert there(site) == {row.output_key}


def test_sweep_goes_on_where_it_was(site: Installation) -> None:
    """A round of many files takes several turns, and removes all that it should."""
    keys = [f"images/ab/{number:04}.jpg" for number in range(90)]
    put(site, *keys)
    make_due()
    places = []
    for _turn in range(3):
        sweep.run(site, seconds=0, page_size=40)
        places.append(state().after_key)
    assert places == [keys[39], keys[79], ""]
    assert there(site) == set()
    assert state().removed == 90


def test_sweep_that_finds_too_many(site: Installation, caplog: pytest.LogCaptureFixture) -> None:
    """A bucket full of somebody else's files is left alone, and the log says so; a command may remove them."""
    keys = [f"images/ab/{number:04}.jpg" for number in range(sweep.MOST + 1)]
    put(site, *keys)
    rounds(site)
    assert there(site) == set(keys)
    assert "too many" in caplog.text
    found = sweep.Found()
    assert [key for some in sweep.look(site, found) for key in some] == keys
    assert (found.looked, found.size_bytes, found.unknown) == (101, 101, 0)
    assert sweep.remove(site.storage, found.keys) == 101
    assert there(site) == set()


def test_sweep_after_a_copy_was_put_back(site: Installation) -> None:
    """A database that does not know the newest files removes none of them for a month."""
    make_due()
    recovery.at_start(site, is_known_to_be_old=True)
    put(site, STRANGE)
    sweep.run(site)
    assert there(site) == {STRANGE}
    assert state().next_at > utc_now() + timedelta(days=29)


@pytest.mark.both_databases
def test_sweep_is_one_dispatchers(site: Installation) -> None:
    """Who has claimed the round has it alone, until its lease is over."""
    make_due()
    with db.write_session() as session:
        assert sweep._claim(session) is not None
    with db.write_session() as session:
        assert sweep._claim(session) is None


@pytest.mark.process
def test_sweep_and_purge_of_a_bucket(site: Installation, ana: Member, tmp_path: Path) -> None:
    """The same in a bucket; while it is away nothing is lost, and both go on when it is back."""
    server = SeaweedFS(tmp_path / "seaweedfs")
    try:
        bucket = replace(site, storage=object_stores.opened(server))
        row = create_completed(db.default(), ana)
        assert row.output_key is not None
        keys = [row.output_key, STRANGE, "images/ab/none.jpg"]
        for key in keys:
            bucket.storage.put_bytes(key, b"x", media_type=storages.media_type_of(key))
        with db.write_session() as session:
            commands.delete(session, ana, row.id)
        server.stop()
        make_due()
        sweep.run(bucket)
        assert maintenance.purge_deleted_files(bucket) == 0
        with pytest.raises(errors.StorageUnavailable):
            sweep.remove(bucket.storage, keys[1:])
        server.start()
        assert {found.key for found in bucket.storage.files()} == set(keys)
        bucket.storage.answers()
        assert maintenance.purge_deleted_files(bucket) == 1
        assert sweep.remove(bucket.storage, keys[1:]) == 2
        assert list(bucket.storage.files()) == []
    finally:
        server.stop()


def test_image_beyond_the_quota_leaves_nothing(site: Installation, ana: Member) -> None:
    """Who has no room left leaves neither a file nor a row that a sweep would have to find."""
    with pytest.raises(errors.StorageFull):
        intake.store(ana, picture(), file_name="a.png", storage=site.storage, quota_bytes=10)
    assert there(site) == set()
    with db.read_session() as session:
        assert uploads.find(session, ana, picture()) is None
