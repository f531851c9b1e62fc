"""Whether a bucket takes this machine's clock: asked only where it may not, said once each way."""

import logging
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from core.clock import utc_now
from core.files import storage
from core.files.store_clock import REFUSED_SECONDS, SUSPICIOUS, SUSPICIOUS_SECONDS, StoreClock
from core.storage_settings import StoreAccess

SKEWED = (
    b"<Error><Code>RequestTimeTooSkewed</Code><Message>The difference between the request time and the current time is "
    b"too large.</Message></Error>"
)
NOTHING = (
    b"<ListBucketResult><Name>clips</Name><KeyCount>0</KeyCount><IsTruncated>false</IsTruncated></ListBucketResult>"
)


class Bucket(ThreadingHTTPServer):
    """A stand-in with a clock of its own, which looks at the time of what it is asked as S3 does, and at nothing else."""

    def __init__(self) -> None:
        self.ahead = timedelta()
        self.asked = 0
        bucket = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                bucket.asked += 1
                signed = datetime.strptime(self.headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
                refuses = abs(utc_now() + bucket.ahead - signed) > timedelta(minutes=15)
                self.send_response(403 if refuses else 200)
                body = SKEWED if refuses else NOTHING
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_given: object) -> None:
                """Nothing."""

        super().__init__(("127.0.0.1", 0), Handler)


class Steady:
    """A steady clock that a test moves."""

    seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    """One that answers until the test is over."""
    with Bucket() as found:
        threading.Thread(target=found.serve_forever, daemon=True).start()
        yield found
        found.shutdown()


@pytest.fixture
def steady() -> Steady:
    """The steady clock of who asks."""
    return Steady()


def opened(bucket: Bucket) -> storage.Storage:
    """The storage in it."""
    given = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}
    given["AWS_ENDPOINT_URL"] = f"http://127.0.0.1:{bucket.server_port}"
    return storage.open_storage("s3://clips", StoreAccess(tuple(sorted(given.items()))))


def test_clock_that_is_right_is_asked_about_once(bucket: Bucket, steady: Steady) -> None:
    """At the start, and again only after something was refused."""
    found = StoreClock(opened(bucket), timedelta, monotonic=steady)
    for _ in range(3):
        assert found.takes_ours()
        steady.seconds += 2 * SUSPICIOUS_SECONDS
    assert bucket.asked == 1
    found.suspect()
    assert found.takes_ours()
    assert bucket.asked == 2


def test_clock_that_the_store_refuses(bucket: Bucket, steady: Steady, caplog: pytest.LogCaptureFixture) -> None:
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


def test_clock_that_differs_from_the_databases_alone(bucket: Bucket, steady: Steady) -> None:
    """It may be the database's that is wrong: the store decides, and is asked once a minute."""
    found = StoreClock(opened(bucket), lambda: 2 * SUSPICIOUS, monotonic=steady)
    for _ in range(8):
        assert found.takes_ours()
        steady.seconds += SUSPICIOUS_SECONDS / 4
    assert bucket.asked == 2


def test_store_that_is_away_says_nothing(bucket: Bucket, steady: Steady) -> None:
    """What was known stays: neither is a clock refused by a store that is away, nor taken by it."""
    places = opened(bucket)
    found = StoreClock(places, timedelta, monotonic=steady)
    assert found.takes_ours()
    bucket.shutdown()
    bucket.server_close()
    found.suspect()
    assert found.takes_ours()


def test_folder_knows_no_clock() -> None:
    """Files on a disk are signed by nobody."""
    found = StoreClock(storage.open_storage("file:///nowhere"), lambda: timedelta(days=365))
    assert found.takes_ours()
