import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, select, update

from core import db
from core.audit import runs
from core.clock import utc_now
from core.db.enums import Status
from core.db.tables import Generation, Workspace
from core.files import delivery_checks, isolated
from core.files import storage as storages
from core.generations import commands, delivery_findings, lifecycle
from core.installation import Installation, current
from core.redis import job_queue
from core.redis.connection import Connection
from core.worker import dispatcher, maintenance, previews
from core.workspaces import quota
from core.workspaces.access import Member
from tests import redis as redis_server
from tests.factories import installations
from tests.factories.books import broken_rules
from tests.factories.generations import (
    DISPATCHED,
    DOWNLOADING,
    READY_TO_DOWNLOAD,
    SUBMITTING,
    WAITING,
    advance,
    build_output,
    create_generation,
)
from tests.factories.users import create_member
from tests.fixtures import checked_clips
from tests.fixtures.checked_clips import Clip
from tests.fixtures.clips import ClipSpec, make_clip


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A small clip."""
    spec = ClipSpec(width=320, height=180, seconds=0.5)
    return make_clip(tmp_path_factory.mktemp("clips") / "clip.mp4", spec).read_bytes()


@pytest.fixture
def storage(installation: Installation) -> storages.Storage:
    """Where the files lie."""
    return installation.storage


@pytest.fixture
def ana(installation: Installation) -> Member:
    """Somebody with credits."""
    return create_member(db.default(), credits=1000)


@pytest.fixture
def redis(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connection]:
    """A Redis that the worker uses."""
    with redis_server.server() as url:
        monkeypatch.setenv("REDIS_URL", url)
        yield installations.reopen().redis


def delivered(ana: Member, storage: storages.Storage, clip: bytes) -> str:
    """A completed generation as `collect` leaves it; its id."""
    row = advance(
        db.default(),
        create_generation(db.default(), ana).id,
        DISPATCHED,
        SUBMITTING,
        WAITING,
        READY_TO_DOWNLOAD,
        DOWNLOADING,
    )
    files = build_output(row.id, stored_bytes=len(clip), preview_key=None)
    storage.put_bytes(files.output_key, clip, media_type="video/mp4")
    with db.write_session() as session:
        assert lifecycle.complete(session, row, files)
    return row.id


def sound(generation_id: str) -> Generation:
    """A row as it is now; the books are right, and its person's storage is what it takes."""
    assert broken_rules() == []
    with db.read_session() as session:
        found = session.get(Generation, generation_id)
        assert found is not None
        if found.purged_at is None:
            assert session.scalars(select(Workspace.storage_bytes)).one() == found.stored_bytes
        return found


def change(generation_id: str, **values: object) -> None:
    """Put values into a row."""
    with db.write_session() as session:
        session.execute(update(Generation).where(Generation.id == generation_id).values(**values))


def test_preview_when_a_clip_was_delivered(ana: Member, storage: storages.Storage, clip: bytes) -> None:
    """It is made once, noted, and its bytes are counted with the clip's; nothing else about the clip changes."""
    generation_id = delivered(ana, storage, clip)
    before = sound(generation_id)
    assert previews.any_due()
    assert [previews.make_next() for _ in range(2)] == [True, False]

    row = sound(generation_id)
    assert row.preview_key is not None
    assert row.stored_bytes == len(clip) + storage.stat(row.preview_key).size_bytes
    assert (row.version, row.updated_at, row.next_at) == (before.version, before.updated_at, None)
    assert not list(current().settings.data_dir.glob("incoming/*"))


@pytest.mark.parametrize("broken", ["damaged", "gone"])
def test_preview_when_it_cannot_be_made(ana: Member, storage: storages.Storage, clip: bytes, broken: str) -> None:
    """It is given up after a few tries with pauses; the clip stays completed and charged."""
    generation_id = delivered(ana, storage, clip)
    key = str(sound(generation_id).output_key)
    storage.delete(key)
    if broken == "damaged":
        storage.put_bytes(key, clip[:100] + bytes(len(clip) - 100), media_type="video/mp4")
    for _ in range(previews.TRIES):
        assert previews.make_next()
        assert not previews.any_due()
        if sound(generation_id).next_at is not None:
            change(generation_id, next_at=utc_now())

    row = sound(generation_id)
    assert (row.status, row.preview_key, row.next_at) == (Status.COMPLETED, None, None)
    assert row.preview_attempt == previews.TRIES


def test_preview_when_its_maker_dies_each_time(ana: Member, storage: storages.Storage, clip: bytes) -> None:
    """A try counts from its beginning: a clip that ends the process is left alone in the end."""
    generation_id = delivered(ana, storage, clip)
    claimed = 0
    while previews.any_due():
        with db.write_session() as session:
            assert previews._claim(session)
        claimed += 1
        with db.write_session() as session:
            later = Generation.next_at.is_not(None)
            session.execute(update(Generation).where(later).values(next_at=utc_now() - timedelta(seconds=1)))

    assert claimed == previews.TRIES
    assert sound(generation_id).status is Status.COMPLETED


def test_preview_when_the_clip_is_deleted(ana: Member, storage: storages.Storage, clip: bytes) -> None:
    """A deleted clip gets none, and one that was stored just then is removed, by its maker or with the clip."""
    generation_id = delivered(ana, storage, clip)
    with db.write_session() as session:
        row = previews._claim(session)
    assert row is not None
    with db.write_session() as session:
        commands.delete(session, ana, generation_id)
    change(generation_id, next_at=utc_now())
    assert not previews.any_due()
    assert not previews.make_next()

    previews._make(row)
    key = previews.key_of(str(row.output_key))
    assert not storage.exists(key)
    assert sound(generation_id).preview_key is None

    storage.put_bytes(key, clip, media_type="video/mp4")  # its maker died right after that
    maintenance.purge_deleted_files(current())
    assert not storage.exists(key)
    with db.read_session() as session:
        assert quota.used_bytes(session, ana.workspace_id) == 0


def test_preview_when_two_make_it(ana: Member, storage: storages.Storage, clip: bytes) -> None:
    """Who is late finds it noted: the file stays and is counted once."""
    generation_id = delivered(ana, storage, clip)
    with db.write_session() as session:
        row = previews._claim(session)
    assert row is not None
    previews._make(row)
    noted = sound(generation_id)
    previews._make(row)

    assert sound(generation_id).stored_bytes == noted.stored_bytes
    assert storage.exists(str(noted.preview_key))


@pytest.fixture(scope="module")
def frozen(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A clip that stands still from its first second on, with sound."""
    moving = checked_clips.pan(1)
    spoiled = Clip("frozen", checked_clips.held(moving, 1.0, 9), checked_clips.tone(0.1, 1000.0), seconds=2.5)
    return spoiled.make(tmp_path_factory.mktemp("clips")).read_bytes()


def told(generation_id: str) -> list[str] | None:
    """What was noticed about a clip, None while nobody has looked."""
    row = sound(generation_id)
    return None if row.findings is None else [str(noticed.message) for noticed in delivery_findings.of(row)]


def test_clip_is_looked_over_after_it_was_delivered(ana: Member, storage: storages.Storage, frozen: bytes) -> None:
    """Once, together with its preview: what is noticed is kept, and neither state nor price nor story has changed."""
    generation_id = delivered(ana, storage, frozen)
    before = sound(generation_id)
    assert (before.status, before.findings) == (Status.COMPLETED, None)
    assert [previews.make_next() for _ in range(2)] == [True, False]

    row = sound(generation_id)
    assert told(generation_id) == ["The picture stands still from 1.0 s to 2.5 s."]
    assert row.loudness_lufs == pytest.approx(-20, abs=1)
    assert (row.version, row.updated_at, row.next_at) == (before.version, before.updated_at, None)
    assert row.preview_key is not None


@pytest.mark.parametrize("switch", ["on", "off"])
def test_clip_is_looked_over_unless_that_is_off(
    ana: Member, storage: storages.Storage, clip: bytes, monkeypatch: pytest.MonkeyPatch, switch: str
) -> None:
    """With the setting off there is a preview and nobody has looked; a clip without fault is told to have none."""
    monkeypatch.setenv("DELIVERY_CHECKS", switch)
    installations.reopen()
    generation_id = delivered(ana, storage, clip)
    assert [previews.make_next() for _ in range(2)] == [True, False]

    row = sound(generation_id)
    assert (row.preview_key is not None, row.next_at) == (True, None)
    assert (row.findings is None) == (switch == "off")


def test_clip_that_keeps_the_check_too_long(
    ana: Member, storage: storages.Storage, frozen: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is ended and not begun again; the clip stays as it was delivered, has its preview, and counts as not seen."""
    monkeypatch.setattr(delivery_checks, "SECONDS", 0.01)
    generation_id = delivered(ana, storage, frozen)
    assert [previews.make_next() for _ in range(2)] == [True, False]

    row = sound(generation_id)
    assert (row.status, row.findings, row.finding_kinds, row.next_at) == (Status.COMPLETED, None, None, None)
    assert storage.exists(str(row.preview_key))


LIES = ["{", '{"findings": [{"kind": "upside_down"}], "loudness_lufs": null}', "[]", "null"]
ANSWERS = ["[]", "no JSON", *(f'{{"code": 0, "length": {len(lie) + 1}}}\n{lie}' for lie in LIES)]


@pytest.fixture(params=ANSWERS)
def liar(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What is started to decode says something else than findings."""
    program, answer = tmp_path / "python", tmp_path / "answer"
    answer.write_text(f"{request.param}\n")
    program.write_text(f"#!/bin/sh\nread asked\ncat '{answer}' -\n")
    program.chmod(0o755)
    isolated.end_hosts()
    monkeypatch.setattr(sys, "executable", str(program))
    yield
    isolated.end_hosts()


@pytest.mark.usefixtures("liar")
def test_clip_that_takes_the_check_over(ana: Member, storage: storages.Storage, clip: bytes) -> None:
    """Whatever a decoder says that runs foreign code is nothing that is written down, and the clip stays."""
    generation_id = delivered(ana, storage, clip)
    assert [previews.make_next() for _ in range(2)] == [True, False]

    row = sound(generation_id)
    assert (row.status, row.findings, row.finding_kinds, row.next_at) == (Status.COMPLETED, None, None, None)
    assert storage.exists(str(row.preview_key))


def test_check_when_its_worker_dies(ana: Member, storage: storages.Storage, frozen: bytes) -> None:
    """A try that died after the preview leaves the check due: it is made by the next, and the preview is not."""
    generation_id = delivered(ana, storage, frozen)
    with db.write_session() as session:
        row = previews._claim(session)
    assert row is not None
    with storage.as_file(str(row.output_key)) as path:
        previews._make_preview(row, path)
    stored_bytes = sound(generation_id).stored_bytes
    assert not previews.any_due()
    change(generation_id, next_at=utc_now())
    assert [previews.make_next() for _ in range(2)] == [True, False]

    row = sound(generation_id)
    assert (told(generation_id), row.stored_bytes) == (["The picture stands still from 1.0 s to 2.5 s."], stored_bytes)
    assert (row.preview_attempt, row.next_at) == (2, None)


def test_check_when_its_worker_dies_each_time(ana: Member, storage: storages.Storage, clip: bytes) -> None:
    """A clip whose check takes the worker along is left alone in the end, as one that nobody has looked at."""
    generation_id = delivered(ana, storage, clip)
    for _ in range(previews.TRIES):
        change(generation_id, next_at=utc_now())
        with db.write_session() as session:
            assert previews._claim(session)
    assert not previews.any_due()
    row = sound(generation_id)
    assert (row.status, row.findings, row.next_at) == (Status.COMPLETED, None, None)


def test_preview_is_claimed_and_noted_once(database: db.Database, person: Member) -> None:
    """What one maker has claimed no other gets, and the bytes are counted with the first note only."""
    row = advance(
        database,
        create_generation(database, person).id,
        DISPATCHED,
        SUBMITTING,
        WAITING,
        READY_TO_DOWNLOAD,
        DOWNLOADING,
    )
    with database.write_session() as session:
        assert lifecycle.complete(session, row, build_output(row.id, preview_key=None))
    with database.write_session() as session:
        claimed = previews._claim(session)
        assert claimed is not None
        assert previews._claim(session) is None
    for _ in range(2):
        with database.write_session() as session:
            assert previews._record(session, claimed, previews.key_of(str(claimed.output_key)), 200)
    with database.write_session() as session:
        previews._end(session, claimed)

    with database.read_session() as session:
        noted = session.get(Generation, row.id)
        assert noted is not None
        assert (noted.stored_bytes, noted.next_at) == (1200, None)
        assert session.scalars(select(Workspace.storage_bytes)).one() == 1200
        assert [result.code for result in runs.run(session) if not result.holds] == []


def test_previews_when_a_clip_waits(redis: Connection, ana: Member, storage: storages.Storage, clip: bytes) -> None:
    """No preview is begun while a clip waits to be brought home; then all that are due are made."""
    delivered_ids = [delivered(ana, storage, clip) for _ in range(3)]
    job_queue.enqueue(redis, job_queue.DOWNLOAD, "another", 1)
    previews.make_due()
    with db.read_session() as session:
        assert set(session.scalars(select(Generation.preview_key))) == {None}
    redis.flushall()
    previews.make_due()

    with db.read_session() as session:
        keys = set(session.scalars(select(Generation.preview_key)))
    assert len(keys) == len(delivered_ids)
    assert all(storage.exists(str(key)) for key in keys)


def test_previews_are_handed_over_after_clips(
    redis: Connection, ana: Member, storage: storages.Storage, clip: bytes
) -> None:
    """A worker is asked to make previews when no clip is finished and none waits for a worker; asked once."""
    delivered(ana, storage, clip)
    loop = dispatcher.Dispatcher(current())
    finished = advance(
        db.default(), create_generation(db.default(), ana).id, DISPATCHED, SUBMITTING, WAITING, READY_TO_DOWNLOAD
    )
    change(finished.id, next_at=utc_now())
    for _ in range(2):
        loop._hand_over()
        assert job_queue.length(redis, job_queue.DOWNLOAD) == 1  # the clip
    redis.flushall()
    for _ in range(2):
        loop._hand_over()
        assert job_queue.length(redis, job_queue.DOWNLOAD) == 1  # the previews: the clip was taken
    redis.flushall()
    previews.make_due()
    loop._hand_over()
    assert job_queue.length(redis, job_queue.DOWNLOAD) == 0


def test_due_previews_are_found_by_their_index(installation: Installation) -> None:
    """Among a million ended generations only those due are touched, by the claim as by the question."""
    asked: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, statement: str, parameters: Any, *_rest: object) -> None:
        if "SELECT" in statement:
            asked.append((statement, parameters))

    engines = (db.default().read_engine, db.default().engine)
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    previews.any_due()
    previews.make_next()
    for engine in engines:
        event.remove(engine, "before_cursor_execute", note)
    with db.default().engine.connect() as connection:
        plans = [str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values).all()) for sql, values in asked]
    assert len(plans) == 2
    assert all("ix_generations_preview_due" in plan and "TEMP B-TREE" not in plan for plan in plans), plans


def test_previews_when_redis_is_away(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Redis may go first when all is ended: the job ends with one line, and what was due stays due."""
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:9/0")
    installations.reopen()
    previews.make_due()

    assert [record.exc_info for record in caplog.records] == [None]
