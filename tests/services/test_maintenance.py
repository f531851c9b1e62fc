import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import select, update

from core import db, errors
from core.audit import runs
from core.clock import utc_now
from core.db.tables import AuditLogEntry, AuditRun, Generation, WebhookDelivery
from core.files import storage as storages
from core.generations import commands, queries
from core.identity import users
from core.installation import Installation
from core.messages import plain
from core.notifications import webhooks
from core.worker import maintenance, previews
from core.workspaces import quota
from core.workspaces.access import Member
from tests.factories.generations import (
    DISPATCHED,
    DOWNLOADING,
    READY_TO_DOWNLOAD,
    SUBMITTING,
    WAITING,
    advance,
    create_completed,
    create_generation,
)
from tests.factories.users import create_member, ensure_member

OLD_ID = "01234567-89ab-7000-8000-000000000000"
"""An id of the year 2009."""


@pytest.fixture
def ana(site: Installation) -> Member:
    """Somebody with credits."""
    return create_member(db.default(), credits=100_000)


def files_of(row: Generation) -> list[str]:
    """The keys of all its files."""
    assert row.output_key is not None
    assert row.thumbnail_key is not None
    return [row.output_key, row.thumbnail_key, previews.key_of(row.output_key)]


def stored(installation: Installation, user: Member) -> Generation:
    """A completed clip of 1,000 bytes with its files."""
    row = create_completed(db.default(), user)
    for key in files_of(row):
        installation.storage.put_bytes(key, b"x", media_type=storages.media_type_of(key))
    return row


def deleted(installation: Installation, user: Member) -> Generation:
    """A clip that its person deleted, and whose files are still there."""
    row = stored(installation, user)
    with db.write_session() as session:
        commands.delete(session, user, row.id)
    return row


def there(installation: Installation, row: Generation) -> list[str]:
    """Which of its files are there."""
    return [key for key in files_of(row) if installation.storage.exists(key)]


def storage_bytes(email: str = "ana@example.org") -> int:
    """How much is counted for somebody."""
    with db.read_session() as session:
        return quota.used_bytes(session, users.get(session, email).id)


def at_once(count: int, work: Callable[[], object]) -> None:
    """Let so many do the same, begun at one moment; what goes wrong for any of them is raised."""
    together = threading.Barrier(count)

    def one() -> None:
        together.wait()
        work()

    with ThreadPoolExecutor(count) as pool:
        for done in [pool.submit(one) for _ in range(count)]:
            done.result()


def left_over(installation: Installation, name: str, *, seconds: float) -> Path:
    """A download that nobody has touched for so long."""
    folder = installation.settings.incoming_dir
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(b"half")
    os.utime(path, (time.time() - seconds,) * 2)
    return path


def test_purge_when_a_clip_was_deleted(site: Installation, ana: Member) -> None:
    """All files of a deleted clip go, and its bytes from the count of its person, once; another's clip stays."""
    with db.write_session() as session:
        eve = ensure_member(session, "eve@example.org", signup_credits=1000)
    gone, kept, hers = deleted(site, ana), stored(site, ana), stored(site, eve)
    assert storage_bytes() == 2000
    assert [maintenance.purge_deleted_files(site) for _ in range(2)] == [1, 0]

    assert there(site, gone) == []
    assert (there(site, kept), there(site, hers)) == (files_of(kept), files_of(hers))
    assert (storage_bytes(), storage_bytes("eve@example.org")) == (1000, 1000)


def test_purge_when_it_died_between_files_and_note(site: Installation, ana: Member) -> None:
    """Files that are gone already do not stop it: the bytes are given back by the next pass."""
    gone = deleted(site, ana)
    storage = site.storage
    for key in there(site, gone)[:2]:
        storage.delete(key)
    assert storage_bytes() == 1000

    assert maintenance.purge_deleted_files(site) == 1
    assert there(site, gone) == []
    assert storage_bytes() == 0


@pytest.mark.both_databases
def test_purge_when_two_do_it(site: Installation, ana: Member) -> None:
    """Whoever notes it first gives the bytes back; they are not given twice."""
    for _ in range(10):
        deleted(site, ana)
    stored(site, ana)
    at_once(3, lambda: maintenance.purge_deleted_files(site))

    assert storage_bytes() == 1000
    with db.read_session() as session:
        assert [result.code for result in runs.run(session) if not result.holds] == []


def test_purge_when_there_are_many(site: Installation, ana: Member) -> None:
    """A pass goes on while there are any, a few at a time, and ends when its time is over."""
    for _ in range(5):
        deleted(site, ana)
    assert maintenance.purge_deleted_files(site, limit=2, seconds=0) == 2
    assert [maintenance.purge_deleted_files(site, limit=2) for _ in range(2)] == [3, 0]
    assert storage_bytes() == 0


@pytest.mark.both_databases
def test_purge_claims_each_row_once(site: Installation, ana: Member) -> None:
    """However many dispatchers purge at once, none takes what another has; one that dies leaves it to the next."""
    rows = {deleted(site, ana).id for _ in range(12)}
    taken: list[str] = []

    def claim() -> None:
        for _ in range(4):
            taken.extend(row.id for row in maintenance._claim_deleted(2, besides=()))

    at_once(3, claim)
    assert sorted(taken) == sorted(rows)
    assert maintenance.purge_deleted_files(site) == 0
    with db.write_session() as session:  # as time does it
        session.execute(update(Generation).values(next_at=utc_now()))
    assert maintenance.purge_deleted_files(site) == 12
    assert storage_bytes() == 0
    with db.read_session() as reading:
        assert set(reading.scalars(select(Generation.next_at))) == {None}


@pytest.mark.both_databases
def test_purge_when_the_clock_was_set_back(site: Installation, ana: Member) -> None:
    """A claim that was made by a clock that has been set back since holds nothing."""
    row = deleted(site, ana)
    with db.write_session() as session:
        session.execute(
            update(Generation).where(Generation.id == row.id).values(next_at=utc_now() + timedelta(hours=7))
        )

    assert maintenance.purge_deleted_files(site) == 1


def test_purge_when_one_cannot_be_removed(site: Installation, ana: Member) -> None:
    """A file that does not go keeps no other from going, and its bytes stay counted until it has gone."""
    stuck, other = deleted(site, ana), deleted(site, ana)
    place = Path(site.settings.storage_url.removeprefix("file://")) / files_of(stuck)[0]
    place.unlink()
    place.mkdir()  # a folder in its place cannot be unlinked, not even by an administrator
    assert maintenance.purge_deleted_files(site) == 1

    assert there(site, other) == []
    assert storage_bytes() == 1000
    place.rmdir()
    assert maintenance.purge_deleted_files(site) == 1
    assert storage_bytes() == 0


def test_left_overs_when_old_and_young(installation: Installation) -> None:
    """What a download may still go on with stays, what nobody touched for a day goes."""
    young = left_over(installation, "young.mp4.part", seconds=maintenance.LEFT_OVER_SECONDS - 60)
    old = left_over(installation, "old.mp4.part", seconds=maintenance.LEFT_OVER_SECONDS + 60)
    maintenance.remove_orphans(installation)

    assert (young.exists(), old.exists()) == (True, False)


def test_left_overs_when_the_clock_was_set_forward(installation: Installation, ana: Member) -> None:
    """A download that is under way stays, however old it seems to be."""
    row = create_generation(db.default(), ana)
    advance(db.default(), row.id, DISPATCHED, SUBMITTING, WAITING, READY_TO_DOWNLOAD, DOWNLOADING)
    under_way = left_over(installation, f"{row.id}.video", seconds=maintenance.LEFT_OVER_SECONDS * 365)
    over = left_over(installation, f"{OLD_ID}.video", seconds=maintenance.LEFT_OVER_SECONDS * 2)
    maintenance.remove_orphans(installation)

    assert (under_way.exists(), over.exists()) == (True, False)


@pytest.mark.parametrize("name", ["{}.video", "{}.video.part", "{}.video.part.json", ".{}.video.safe.mp4.draft"])
def test_left_overs_of_an_ended_generation(site: Installation, ana: Member, name: str) -> None:
    """What a killed worker left of a clip that has ended since goes soon; what is still to be fetched stays."""
    ended, live = create_completed(db.default(), ana), create_generation(db.default(), ana)
    gone = left_over(site, name.format(ended.id), seconds=maintenance.ENDED_SECONDS + 60)
    fresh = left_over(site, f"{ended.id}.fresh", seconds=maintenance.ENDED_SECONDS - 60)
    kept = left_over(site, name.format(live.id), seconds=maintenance.ENDED_SECONDS + 60)
    maintenance.remove_orphans(site)

    assert (gone.exists(), fresh.exists(), kept.exists()) == (False, True, True)


def test_left_overs_of_a_killed_process(site: Installation) -> None:
    """Temporary files go with the process that made them, or soon after it was killed."""
    folder = left_over(site, "x", seconds=0).with_name("process-killed")
    folder.mkdir()
    (folder / "preview.mp4").write_bytes(b"half")
    os.utime(folder, (time.time() - 3600,) * 2)
    maintenance.remove_orphans(site)

    assert not folder.exists()


def test_left_overs_when_nothing_was_ever_fetched(installation: Installation) -> None:
    """No folder is nothing to remove."""
    assert not installation.settings.incoming_dir.exists()
    maintenance.remove_orphans(installation)
    assert not installation.settings.incoming_dir.exists()


def test_left_overs_when_another_removes_them(installation: Installation) -> None:
    """What vanishes while one looks is fine: two dispatchers and the workers share the folder."""
    for number in range(500):
        left_over(installation, f"{number}.part", seconds=maintenance.LEFT_OVER_SECONDS * 2)

    at_once(4, lambda: maintenance.remove_orphans(installation))

    assert list(installation.settings.incoming_dir.iterdir()) == []


def test_run_keeps_an_audit_every_ten_minutes(site: Installation, ana: Member) -> None:
    """The dispatcher asks every minute; the books are looked at when the last time was ten minutes ago."""
    create_completed(db.default(), ana)

    def passes() -> int:
        with db.read_session() as session:
            return len(session.scalars(select(AuditRun.id)).all())

    counts = []
    for minutes in (0, 9, 11, 0, -420):  # the last: the clock was set back by seven hours
        with db.write_session() as session:
            session.execute(update(AuditRun).values(at=utc_now() - timedelta(minutes=minutes)))
        maintenance.run(site)
        counts.append(passes())
    assert counts == [1, 1, 2, 2, 3]
    with db.read_session() as reading:
        assert set(reading.scalars(select(AuditRun.broken))) == {0}


def test_run_forgets_old_deliveries(site: Installation, ana: Member) -> None:
    """What ended long ago is removed, what is recent stays."""
    with db.write_session() as session:
        endpoint = webhooks.create(
            session, ana, webhooks.validate_url("https://93.184.216.34/", allow=frozenset()), key=b"key of this test"
        )
        session.add(
            WebhookDelivery(
                id=OLD_ID, endpoint_id=endpoint.id, workspace_id=ana.workspace_id, event="x", event_id=OLD_ID, body="{}"
            )
        )
        session.flush()
        webhooks.abandon(session, WebhookDelivery.id == OLD_ID, why=plain("It never arrived."))
        recent = webhooks.send_test(session, ana, endpoint.id).id
    maintenance.run(site)

    with db.read_session() as session:
        assert session.scalars(select(WebhookDelivery.id)).all() == [recent]


@pytest.mark.both_databases
def test_run_forgets_old_entries_of_the_audit_log(site: Installation) -> None:
    """What is older than the setting goes; with 0 everything stays."""
    with db.write_session() as session:
        session.add(AuditLogEntry(at=utc_now() - timedelta(days=401), actor="a", noun="token", action="token.made"))
    maintenance.prune_audit_log(replace(site, settings=site.settings.model_copy(update={"audit_log_days": 0})))
    with db.read_session() as session:
        assert session.scalars(select(AuditLogEntry.action)).all() == ["token.made"]
    maintenance.run(site)
    with db.read_session() as session:
        assert session.scalars(select(AuditLogEntry.action)).all() == ["audit_log.pruned"]


def test_run_does_every_chore(site: Installation, ana: Member) -> None:
    """One round purges and tidies; a round with nothing to do changes nothing."""
    gone = deleted(site, ana)
    old = left_over(site, "old.part", seconds=maintenance.LEFT_OVER_SECONDS * 2)
    for _ in range(2):
        maintenance.run(site)

    assert there(site, gone) == []
    assert not old.exists()
    with db.read_session() as session, pytest.raises(errors.NotFound):
        queries.get(session, ana, gone.id)


@pytest.mark.only_postgresql
def test_log_tells_of_a_snapshot_that_is_held(
    site: Installation, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Who keeps the database from cleaning up is named once, not with every look."""
    with psycopg.connect(f"{database_url}&application_name=notebook") as notebook:
        notebook.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        notebook.execute("SELECT count(*) FROM users")
        maintenance.tell_of_snapshots(site)
        assert "notebook" not in caplog.text
        for _ in range(2):
            maintenance.tell_of_snapshots(site, seconds=0.0)

    assert [record.getMessage().split(",")[0] for record in caplog.records if "notebook" in record.getMessage()] == [
        "notebook"
    ]
