"""Whether a bucket takes this machine's clock: asked only where it may not, said once each way."""

import logging
from collections.abc import Iterator
from datetime import timedelta

import pytest

from core.files import storage
from core.files.store_clock import REFUSED_SECONDS, SUSPICIOUS, SUSPICIOUS_SECONDS, StoreClock
from core.storage_settings import StoreAccess
from tests.fixtures import clocked_bucket
from tests.fixtures.clocked_bucket import ClockedBucket


class Steady:
    """A steady clock that a test moves."""

    seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def bucket() -> Iterator[ClockedBucket]:
    """One that answers until the test is over."""
    with clocked_bucket.serving() as found:
        yield found


@pytest.fixture
def steady() -> Steady:
    """The steady clock of who asks."""
    return Steady()


def opened(bucket: ClockedBucket) -> storage.Storage:
    """The storage in it."""
    return storage.open_storage("s3://clips", StoreAccess(tuple(sorted(bucket.variables.items()))))


def test_clock_that_is_right_is_asked_about_once(bucket: ClockedBucket, steady: Steady) -> None:
    """At the start, and again only after something was refused."""
    found = StoreClock(opened(bucket), timedelta, monotonic=steady)
    for _ in range(3):
        assert found.takes_ours()
        steady.seconds += 2 * SUSPICIOUS_SECONDS
    assert bucket.asked == 1
    found.suspect()
    assert found.takes_ours()
    assert bucket.asked == 2


def test_clock_that_the_store_refuses(bucket: ClockedBucket, steady: Steady, caplog: pytest.LogCaptureFixture) -> None:
    """One line when it is found out, one when it is over; meanwhile it is asked every few seconds and no more."""
    caplog.set_level(logging.INFO)
    bucket.ahead = timedelta(hours=7)
    found = StoreClock(opened(bucket), lambda: -bucket.ahead, monotonic=steady)
    for _ in range(20):
        assert not found.takes_ours()
        steady.seconds += REFUSED_SECONDS / 4
    assert bucket.asked == 5
    assert found.refusal.endswith("which is 7:00:00 behind the database's")
    bucket.ahead = timedelta()
    assert found.takes_ours()
    assert found.refusal == ""
    assert len(caplog.messages) == 2
    assert "no clips are fetched here until it is right" in caplog.messages[0]


def test_clock_that_differs_from_the_databases_alone(bucket: ClockedBucket, steady: Steady) -> None:
    """It may be the database's that is wrong: the store decides, and is asked once a minute."""
    found = StoreClock(opened(bucket), lambda: 2 * SUSPICIOUS, monotonic=steady)
    for _ in range(8):
        assert found.takes_ours()
        steady.seconds += SUSPICIOUS_SECONDS / 4
    assert bucket.asked == 2


def test_clock_that_was_set_a_moment_ago(bucket: ClockedBucket, steady: Steady) -> None:
    """It is found out before anything else is taken, however short ago the store was content."""
    ahead = [2 * SUSPICIOUS]
    found = StoreClock(opened(bucket), lambda: ahead[0], monotonic=steady)
    assert found.takes_ours()
    ahead[0] = timedelta()
    assert found.takes_ours()
    ahead[0] = timedelta(hours=7)
    bucket.ahead = -ahead[0]
    assert not found.takes_ours()


def test_store_that_is_away_says_nothing(bucket: ClockedBucket, steady: Steady) -> None:
    """What was known stays: neither is a clock refused by a store that is away, nor taken by it."""
    places = opened(bucket)
    found = StoreClock(places, timedelta, monotonic=steady)
    assert found.takes_ours()
    bucket.close()
    found.suspect()
    assert found.takes_ours()


def test_folder_knows_no_clock() -> None:
    """Files on a disk are signed by nobody."""
    found = StoreClock(storage.open_storage("file:///nowhere"), lambda: timedelta(days=365))
    assert found.takes_ours()
