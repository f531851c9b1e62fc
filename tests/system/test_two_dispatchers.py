"""Two real dispatchers at one vendor, on PostgreSQL: they share the looks, and one goes on alone."""

import json
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import sqlalchemy

from core.clock import utc_now
from core.db.tables import Flight, Generation
from core.generations import flights
from core.ids import new_id
from core.redis import connection as redis_connection
from core.redis import presence
from tests import postgres
from tests.factories.generations import DISPATCHED, SUBMITTING, WAITING, advance
from tests.system.installation import Installation, installed, kill_tree

pytestmark = pytest.mark.process

CLIPS = 60


class Vendor:
    """Says of every job that it goes on, and remembers who asked for which."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        asked = self.asked

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"] or 0))
                if "/fetch/" in self.path:
                    asked.append((json.loads(body)["key"], self.path.rpartition("/")[2]))
                answer = json.dumps({"status": "processing", "id": 1}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            do_GET = do_POST  # noqa: N815 -- the names http.server calls

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    """A vendor that works on everything for ever."""
    found = Vendor()
    yield found
    found.server.shutdown()
    found.server.server_close()


def fill(site: Installation) -> None:
    """Let clips wait at the vendor, each as a job of its own, none due for a long time."""
    first = site.order("a clip")
    now = utc_now()
    advance(site.database, first, DISPATCHED, SUBMITTING)
    known = {"provider_job_id": "j0", "submitted_at": now, "deadline_at": now + timedelta(days=1)}
    advance(site.database, first, WAITING, next_at=now + timedelta(hours=1), **known)
    with site.database.write_session() as session:
        row = session.get_one(Generation, first)
        values = {column.key: getattr(row, column.key) for column in sqlalchemy.inspect(Generation).column_attrs}
        more = [values | {"id": new_id(), "provider_job_id": f"j{number}"} for number in range(1, CLIPS)]
        session.execute(sqlalchemy.insert(Generation), more)
        while flights.heal(session):
            continue


def make_all_due(site: Installation, first: Callable[[], None] = lambda: None) -> None:
    """Do something first, and let every clip come due now; what was said of each before, which moves it, is written."""

    def is_written() -> bool:
        with site.database.read_session() as session:
            later = Flight.next_at > utc_now() + timedelta(minutes=5)
            return session.scalar(sqlalchemy.select(sqlalchemy.func.count()).where(later)) == CLIPS

    site.until(is_written, "all looks are written", seconds=180)
    first()
    with site.database.write_session() as session:
        session.execute(sqlalchemy.update(Flight).values(next_at=utc_now()))


def test_two_dispatchers_share_the_looks_and_one_takes_over(vendor: Vendor) -> None:
    """Each clip is looked at once, by one or the other; when one is killed, the other looks at its clips as well."""
    with postgres.database() as address, installed(vendor.url, address, {"POLL_SECONDS": "600"}) as site:
        site.start_redis()
        fill(site)
        workers = []
        for key in ("key-of-one", "key-of-two"):
            site.environ["MODELSLAB_API_KEY"] = key
            workers.append(site.start_worker("--role", "dispatcher"))
        with redis_connection.connect(site.environ["REDIS_URL"]) as redis:
            site.until(lambda: redis.zcard("video-dispatchers") == 2, "both are there", seconds=180)
            rounds = 0
            while len({key for key, _job in vendor.asked}) < 2:  # on a busy machine one may have taken all in time
                rounds += 1
                assert rounds < 20, "only one of them looks"
                make_all_due(site)
                site.until(lambda: len(vendor.asked) >= CLIPS * rounds, "all are looked at", seconds=180)  # noqa: B023 -- called at once
            make_all_due(site, lambda: kill_tree(workers[0]))
            site.workers.remove(workers[0])
            site.until(lambda: len(vendor.asked) >= CLIPS * (rounds + 1), "all are looked at again", seconds=180)
            site.until(lambda: redis.zcard("video-dispatchers") == 1, "the dead one is forgotten", seconds=180)
            assert presence.join(redis, "a third")[1] == 2

    jobs = {f"j{number}" for number in range(CLIPS)}
    for first in range(0, CLIPS * (rounds + 1), CLIPS):
        assert {job for _key, job in vendor.asked[first : first + CLIPS]} == jobs
    assert len(vendor.asked) == CLIPS * (rounds + 1)
    assert {key for key, _job in vendor.asked[CLIPS * rounds :]} == {"key-of-two"}
