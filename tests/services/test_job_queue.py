import itertools
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.redis import connection as redis_connection
from core.redis import job_queue, rate_limits
from tests import redis as redis_server


@pytest.fixture(scope="module")
def redis() -> Iterator[str]:
    """A Redis of the demo's kind."""
    with redis_server.server() as url:
        yield url


def test_enqueue_when_repeated(redis: str) -> None:
    """A generation is queued once a version, however often it is handed over."""
    for version in (1, 1, 2):
        job_queue.enqueue(redis, job_queue.SUBMIT, "g-1", version)

    assert job_queue.length(redis, job_queue.SUBMIT) == 2
    assert job_queue.length(redis, job_queue.DOWNLOAD) == 0


def test_reserve_when_many_call_at_once(redis: str) -> None:
    """Calls are booked one after the other at the provider's pace, whoever asks; another provider is not held up."""
    with ThreadPoolExecutor(8) as threads:
        waits = sorted(threads.map(lambda _: rate_limits.reserve_call(redis, "acme", 2.0), range(8)))

    gaps = [late - early for early, late in itertools.pairwise(waits)]
    assert waits[0] == pytest.approx(0, abs=0.01)
    assert all(0.35 < gap < 0.65 for gap in gaps), waits
    assert rate_limits.reserve_call(redis, "other", 2.0) == pytest.approx(0, abs=0.01)


def test_everything_when_redis_is_away() -> None:
    """An outage is reported at once, by one error."""
    away = "redis://127.0.0.1:9/0"

    assert not redis_connection.ping(away)
    with pytest.raises(redis_connection.Unreachable):
        job_queue.enqueue(away, job_queue.SUBMIT, "g-1", 1)
    with pytest.raises(redis_connection.Unreachable):
        job_queue.length(away, job_queue.SUBMIT)
    with pytest.raises(redis_connection.Unreachable):
        rate_limits.reserve_call(away, "acme", 1.0)


def test_take_when_all_are_used(redis: str) -> None:
    """A whole minute's requests can go at once, then there is one each time its share of the minute has passed."""
    taken = [rate_limits.consume(redis, "token-1", 60) for _ in range(61)]

    assert [one.remaining for one in taken if one][:3] == [59, 58, 57]
    assert all(one is not None and one.wait_seconds == 0 for one in taken[:60])
    last = taken[60]
    assert last is not None
    assert (last.remaining, last.full_in_seconds) == (0, 60)
    assert 0 < last.wait_seconds <= 1
    other = rate_limits.consume(redis, "token-2", 60)
    assert other is not None
    assert other.remaining == 59


def test_take_when_many_come_at_once(redis: str) -> None:
    """However many processes ask at once, no more get through than there are."""
    with ThreadPoolExecutor(16) as threads:
        taken = list(threads.map(lambda _: rate_limits.consume(redis, "token-3", 30), range(100)))

    assert sum(one is not None and one.wait_seconds == 0 for one in taken) in (30, 31)


def test_take_when_nobody_counts() -> None:
    """Without a limit and without Redis everything goes through."""
    assert rate_limits.consume(None, "token", 60) is None
    assert rate_limits.consume("redis://127.0.0.1:9/0", "token", 0) is None


def test_take_when_redis_is_away(caplog: pytest.LogCaptureFixture) -> None:
    """An outage lets everything through; it is logged once, and Redis is left alone for a while."""
    away = "redis://127.0.0.1:9/1"
    with caplog.at_level(logging.WARNING, logger="core.redis.job_queue"):
        assert [rate_limits.consume(away, "token", 60) for _ in range(20)] == [None] * 20

    assert len(caplog.records) == 1


def test_address_when_the_app_brings_its_own(redis: str) -> None:
    """What is configured counts; else what the app has brought, for as long as it runs."""
    assert redis_connection.url_in_use(None) is None
    redis_connection.set_local_url(redis)
    assert redis_connection.url_in_use(None) == redis
    assert redis_connection.url_in_use("redis://other") == "redis://other"
    redis_connection.set_local_url(None)
    assert redis_connection.url_in_use(None) is None
