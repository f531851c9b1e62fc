import threading
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from core.clock import utc_now
from core.db import Database, Reader
from core.db.tables import Generation, Heartbeat
from core.generations import lifecycle
from core.insights import workers
from core.insights.workers import Part, Watch, Workers
from core.redis import connection as redis_connection
from core.redis import presence
from core.redis.connection import Connection
from core.redis.presence import Role
from tests import redis as redis_server
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


@pytest.fixture(scope="module")
def redis() -> Iterator[Connection]:
    """A Redis of the demo's kind."""
    with redis_server.server() as url, redis_connection.connect(url) as connected:
        yield connected


@pytest.fixture(autouse=True)
def nobody(request: pytest.FixtureRequest) -> None:
    """No sign of life is left of an earlier test."""
    if "redis" in request.fixturenames:
        request.getfixturevalue("redis").flushall()


def waiting_to_be_fetched(database: Database, generation_id: str) -> None:
    """Let the provider have finished a clip."""
    advance(database, generation_id, DISPATCHED, SUBMITTING, WAITING, READY_TO_DOWNLOAD, next_at=utc_now())


def look(database: Database, redis: Callable[[], Connection] | None, *, started: bool = True) -> Workers:
    """A first look of a process, by itself some time after its start."""
    watch = Watch(redis)
    if started:
        watch._began -= workers.START_SECONDS
    with database.read_session() as session:
        return watch.workers(lambda: session)


def test_all_is_well_while_every_role_gives_signs(database: Database, redis: Connection) -> None:
    """One process of each role is enough, and then nothing waits."""
    for role in Role:
        presence.announce(redis, role)
    assert look(database, lambda: redis) == Workers(known=True)


@pytest.mark.parametrize("gone", list(Role))
def test_role_that_is_gone_is_told_with_its_last_sign(database: Database, redis: Connection, gone: Role) -> None:
    """Whatever part is away is named, since when; orders wait unless it only brings clips home."""
    for role in set(Role) - {gone}:
        presence.announce(redis, role)
    with database.write_session() as session:
        workers.note(session, [Part(role) for role in Role])
    waiting_to_be_fetched(database, create_generation(database, create_member(database)).id)
    found = look(database, lambda: redis)
    [(part, since)] = found.since.items()
    assert part == Part(gone)
    assert since is not None
    assert utc_now() - since < timedelta(minutes=1)
    assert found.orders_wait is (gone is not Role.COLLECT)
    assert not found.queue_is_away


@pytest.mark.both_databases
def test_nobody_is_missed_who_would_have_nothing_to_fetch(database: Database, redis: Connection) -> None:
    """That clips are not fetched is told once one is finished at its provider, and until it has ended."""
    for role in set(Role) - {Role.COLLECT}:
        presence.announce(redis, role)
    assert look(database, lambda: redis) == Workers(known=True)
    row = create_generation(database, create_member(database))
    assert look(database, lambda: redis) == Workers(known=True)
    waiting_to_be_fetched(database, row.id)
    assert set(look(database, lambda: redis).since) == {Part.COLLECT}
    advance(database, row.id, DOWNLOADING, next_at=utc_now())
    assert set(look(database, lambda: redis).since) == {Part.COLLECT}
    with database.write_session() as session:
        assert lifecycle.complete(session, session.get_one(Generation, row.id), build_output(row.id))
    assert look(database, lambda: redis) == Workers(known=True)


def test_role_that_went_before_it_was_written_down_has_its_last_sign(database: Database, redis: Connection) -> None:
    """Who saw it work can say since when it is gone."""
    for role in Role:
        presence.announce(redis, role)
    watch = Watch(lambda: redis)
    watch._began -= workers.START_SECONDS
    with database.read_session() as session:
        assert watch.workers(lambda: session) == Workers(known=True)
        redis.flushall()
        watch._looked_at -= workers.LOOK_SECONDS
        found = watch.workers(lambda: session)
    assert set(found.since) == {Part.DISPATCHER, Part.SUBMIT, Part.COLLECT}
    assert None not in found.since.values()


def test_role_that_never_was_has_no_last_sign(database: Database, redis: Connection) -> None:
    """A worker that nobody has started is missing, too."""
    assert look(database, lambda: redis).since == dict.fromkeys((Part.DISPATCHER, Part.SUBMIT, Part.COLLECT))


def test_sign_ends_by_itself(database: Database, redis: Connection) -> None:
    """What died cannot say so; its sign runs out."""
    presence.announce(redis, Role.SUBMIT)
    assert 0 < redis.pttl("video-present:submit") <= presence.LIFETIME_SECONDS * 1000


def test_nothing_is_said_while_workers_may_still_be_coming(database: Database, redis: Connection) -> None:
    """Right after the start nobody is called missing; Redis that does not answer is."""
    assert look(database, lambda: redis, started=False) == Workers()
    away = redis_connection.connect("redis://127.0.0.1:9/0")
    assert look(database, lambda: away, started=False).queue_is_away


def test_queue_that_is_away_is_told_since_its_last_sign(database: Database) -> None:
    """Without Redis nothing is said of the workers; SQL knows since when it is away, whatever the clock does."""
    away = redis_connection.connect("redis://127.0.0.1:9/0")
    with database.write_session() as session:
        workers.note(session, list(Part))
        session.execute(update(Heartbeat).values(seen_at=utc_now() + timedelta(hours=7)))
    found = look(database, lambda: away)
    assert set(found.since) == {Part.REDIS}
    assert found.since[Part.REDIS] is not None
    assert found.orders_wait


def test_without_a_redis_nothing_is_known(database: Database) -> None:
    """A process that has none, as on the command line, claims nothing."""
    assert look(database, None) == Workers()


@pytest.mark.both_databases
def test_note_is_one_row_a_part(database: Database) -> None:
    """However long it runs, the table stays small."""
    for _ in range(3):
        with database.write_session() as session:
            workers.note(session, [Part.DISPATCHER, Part.REDIS])
    with database.read_session() as session:
        assert sorted(session.scalars(select(Heartbeat.part))) == ["dispatcher", "redis"]
        assert set(workers.last_seen(session)) == {"dispatcher", "redis"}


def test_many_who_look_ask_redis_once(database: Database, redis: Connection) -> None:
    """Pages that ask every two seconds share one answer, and nobody waits for a Redis that another asks."""
    asked: list[int] = []
    entered, leave = threading.Event(), threading.Event()

    def slow() -> Connection:
        asked.append(1)
        entered.set()
        leave.wait(10)
        return redis

    def unused() -> Reader:
        raise AssertionError("nobody is missing as far as is known")

    watch = Watch(slow)
    first = threading.Thread(target=lambda: watch.workers(unused))
    first.start()
    assert entered.wait(10)
    assert watch.workers(unused) == Workers()
    leave.set()
    first.join()
    watch.workers(unused)
    assert asked == [1]
