import itertools
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from core.providers import registry
from core.redis import connection as redis_connection
from core.redis import job_queue, presence, rate_limits
from core.redis.connection import Connection
from core.redis.rate_limits import RateLimiter
from core.worker import call_rates
from core.worker.call_rates import CallRates
from tests import redis as redis_server


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    """The address of a Redis of the demo's kind."""
    with redis_server.server() as url:
        yield url


@pytest.fixture(scope="module")
def redis(redis_url: str) -> Iterator[Connection]:
    """Connections to it."""
    with redis_connection.connect(redis_url) as connected:
        yield connected


def test_enqueue_when_repeated(redis: Connection) -> None:
    """A generation is queued once a version, however often it is handed over."""
    for version in (1, 1, 2):
        job_queue.enqueue(redis, job_queue.SUBMIT, "g-1", version)

    assert job_queue.length(redis, job_queue.SUBMIT) == 2
    assert job_queue.length(redis, job_queue.DOWNLOAD) == 0


def test_reserve_when_many_call_at_once(redis: Connection) -> None:
    """Calls are booked one after the other at the provider's pace, whoever asks; another provider is not held up."""
    with ThreadPoolExecutor(8) as threads:
        waits = sorted(threads.map(lambda _: rate_limits.reserve_call(redis, "acme", 2.0), range(8)))

    gaps = [late - early for early, late in itertools.pairwise(waits)]
    assert waits[0] == pytest.approx(0, abs=0.01)
    assert all(0.35 < gap < 0.65 for gap in gaps), waits
    assert rate_limits.reserve_call(redis, "other", 2.0) == pytest.approx(0, abs=0.01)


def test_room_for_calls_when_some_are_booked(redis: Connection, redis_url: str) -> None:
    """What can still be asked within a while is told without booking it, and shrinks with each booking."""
    slow = registry.provider_class("minimax")
    assert slow.max_requests_per_second == 4.5
    rates = CallRates(SimpleNamespace(redis=redis))  # type: ignore[arg-type]  # of an installation it needs no more
    assert [rates.room(slow, 10) for _ in range(3)] == [45] * 3
    for _ in range(36):
        rates.book(slow)
    assert 9 <= (rates.room(slow, 10) or 0) < 45
    assert rates.room(registry.provider_class("modelslab"), 10) is None
    assert 0 < rates.book(slow) <= 8


def test_rates_when_redis_is_away() -> None:
    """Nobody counts then, and Redis is not asked again for a while, so that one that hangs holds up nobody."""
    slow = registry.provider_class("minimax")
    asked: list[str] = []

    class Away:
        def eval(self, *arguments: object) -> float:
            asked.append("redis")
            raise redis_connection.Unreachable("it does not answer")

    seconds = 0.0
    rates = CallRates(SimpleNamespace(redis=Away()), monotonic=lambda: seconds)  # type: ignore[arg-type]  # as above
    assert [rates.book(slow) for _ in range(10)] == [0.0] * 10
    assert rates.room(slow, 10) == 45
    assert len(asked) == 1
    seconds += call_rates.AWAY_SECONDS
    rates.book(slow)
    assert len(asked) == 2


def test_dispatchers_that_say_that_they_are_there(redis: Connection) -> None:
    """Each has a place of its own among those that are there; one that leaves, or is silent for long, has none."""
    assert presence.join(redis, "b") == (0, 1)
    assert (presence.join(redis, "a"), presence.join(redis, "b")) == ((0, 2), (1, 2))
    presence.leave(redis, "a")
    assert presence.join(redis, "b") == (0, 1)
    presence.join(redis, "c")
    redis.zincrby("video-dispatchers", -presence.LIFETIME_SECONDS, "c")
    assert presence.join(redis, "b") == (0, 1)
    redis.zincrby("video-dispatchers", 3600, "b")  # the clock was set back
    assert presence.join(redis, "a") == (0, 1)


def test_everything_when_redis_is_away() -> None:
    """An outage is reported at once, by one error."""
    away = redis_connection.connect("redis://127.0.0.1:9/0")

    assert not redis_connection.ping(away)
    with pytest.raises(redis_connection.Unreachable):
        job_queue.enqueue(away, job_queue.SUBMIT, "g-1", 1)
    with pytest.raises(redis_connection.Unreachable):
        job_queue.length(away, job_queue.SUBMIT)
    with pytest.raises(redis_connection.Unreachable):
        rate_limits.reserve_call(away, "acme", 1.0)


def test_take_when_all_are_used(redis_url: str) -> None:
    """A whole minute's requests can go at once, then there is one each time its share of the minute has passed."""
    limiter = RateLimiter(redis_url, 60)
    taken = [limiter.consume("token-1") for _ in range(61)]

    assert [one.remaining for one in taken if one][:3] == [59, 58, 57]
    assert all(one is not None and one.wait_seconds == 0 for one in taken[:60])
    last = taken[60]
    assert last is not None
    assert (last.remaining, last.full_in_seconds) == (0, 60)
    assert 0 < last.wait_seconds <= 1
    other = limiter.consume("token-2")
    assert other is not None
    assert other.remaining == 59


def test_take_when_many_come_at_once(redis_url: str) -> None:
    """However many processes ask at once, no more get through than there are."""
    limiter = RateLimiter(redis_url, 30)
    with ThreadPoolExecutor(16) as threads:
        taken = list(threads.map(lambda _: limiter.consume("token-3"), range(100)))

    assert sum(one is not None and one.wait_seconds == 0 for one in taken) in (30, 31)


def test_take_when_nobody_counts() -> None:
    """Without a limit and without Redis everything goes through."""
    assert RateLimiter(None, 60).consume("token") is None
    assert RateLimiter("redis://127.0.0.1:9/0", 0).consume("token") is None


def test_take_when_redis_is_away(caplog: pytest.LogCaptureFixture) -> None:
    """An outage lets everything through; it is logged once, and Redis is left alone for a while."""
    limiter = RateLimiter("redis://127.0.0.1:9/1", 60)
    with caplog.at_level(logging.WARNING, logger="core.redis.job_queue"):
        assert [limiter.consume("token") for _ in range(20)] == [None] * 20

    assert len(caplog.records) == 1


def ahead(redis: Connection, seconds: float) -> float:
    """A moment of Redis's clock, as it was before the clock was set back by so much."""
    now, micro = redis.time()
    return float(now) + micro / 1e6 + seconds


@pytest.mark.parametrize("set_back_seconds", [90, 120, 1800, 3600, 25_200, 31_536_000])
def test_take_when_the_clock_was_set_back(redis_url: str, redis: Connection, set_back_seconds: float) -> None:
    """What was counted by a clock that has been set back since refuses nobody."""
    key = f"set-back-{set_back_seconds}"
    redis.set(f"video-requests:{key}", f"{ahead(redis, set_back_seconds + 50):.6f}")
    taken = RateLimiter(redis_url, 60).consume(key)

    assert taken is not None
    assert (taken.wait_seconds, taken.remaining) == (0, 59)


@pytest.mark.parametrize("set_back_seconds", [5, 120, 3600])
def test_reserve_when_the_clock_was_set_back(redis: Connection, set_back_seconds: float) -> None:
    """Calls that were booked before the clock was set back hold up nobody; then they are spaced as ever."""
    provider = f"set-back-{set_back_seconds}"
    booked, asked = ahead(redis, set_back_seconds + 20), ahead(redis, set_back_seconds)
    redis.set(f"video-calls:{provider}", f"{booked:.6f} {asked:.6f}")

    assert rate_limits.reserve_call(redis, provider, 1.0) == pytest.approx(0, abs=0.01)
    assert rate_limits.reserve_call(redis, provider, 1.0) == pytest.approx(1, abs=0.3)


def test_reserve_when_the_release_before_has_booked(redis: Connection) -> None:
    """A booking in the form of the release before, without its moment, still counts."""
    redis.set("video-calls:older", f"{ahead(redis, 20):.6f}")

    assert rate_limits.reserve_call(redis, "older", 1.0) == pytest.approx(20, abs=0.5)
