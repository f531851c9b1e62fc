"""How many looks a second dispatchers make at one provider on PostgreSQL, and how soon they notice what is finished.

Run: python -m benchmarks.looks [--rows 10000] [--seconds 20] [--dispatchers 1,2] [--answer-ms 100] [--noticed 2000].
First 10,000 clips are under way that the stand-in answers after 100 ms, for each number of dispatchers; then 2,000 that
are asked about each 2 s and end one after the other. Where a machine has other work, only CPU and ratios mean
something, and ratios only while it has time left: with slow answers. All is on loopback; it ends by itself.
"""

import argparse
import asyncio
import os
import re
import statistics
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import sqlalchemy
from sqlalchemy import func, select

from core.clock import utc_now
from core.db.enums import Stage
from core.db.tables import Generation, GenerationEvent
from core.generations import flights
from core.ids import new_id
from core.redis import connection as redis_connection
from tests import postgres
from tests.factories.generations import DISPATCHED, SUBMITTING, WAITING, advance
from tests.system.installation import Installation, installed

START_SECONDS = 5
"""How long looks go on before they are counted."""
POLL_SECONDS = 2
FINISH_SECONDS = 30
"""Within so many seconds the clips end whose lag is measured, spread evenly."""
LONGEST_SECONDS = 300
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
_JOB = re.compile(rb"/jobs/(\d+\.\d+)")


class Vendor:
    """The demo's vendor, on a thread of its own: a job ends at the moment that is its id; it counts what it answers."""

    def __init__(self, answer_seconds: float) -> None:
        self.answered = 0
        self.answer_seconds = answer_seconds
        self._ready = threading.Event()
        threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True).start()
        self._ready.wait(10)

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._answer, "127.0.0.1", 0, backlog=1000)
        self.address = "http://{}:{}".format(*server.sockets[0].getsockname())
        self._ready.set()
        async with server:
            await server.serve_forever()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while head := await reader.readuntil(b"\r\n\r\n"):
                job = _JOB.search(head)
                word = b'"running"'
                if job is not None and 0 < float(job[1]) < time.time():
                    word = b'"succeeded", "video_url": "http://127.0.0.1:9/v.mp4"'
                body = b'{"id": "1", "status": %s}' % word
                await asyncio.sleep(self.answer_seconds)
                writer.write(HEAD % len(body) + body)
                await writer.drain()
                self.answered += 1
        writer.close()


@contextmanager
def site_with(vendor: Vendor, poll_seconds: float, ends: Sequence[float]) -> Iterator[Installation]:
    """An installation on PostgreSQL with clips at the vendor, all due, that end at these moments; 0 is never."""
    settings = {"POLL_SECONDS": str(poll_seconds), "DEMO_BASE_URL": vendor.address, "DEMO_API_KEY": "key-of-demo"}
    with postgres.database() as address, installed("http://127.0.0.1:9", address, settings) as site:
        site.start_redis()
        first, now = site.order("a clip", model_id="demo-film"), utc_now()
        advance(site.database, first, DISPATCHED, SUBMITTING)
        known = {"provider_job_id": f"{ends[0]:.3f}", "submitted_at": now, "deadline_at": now + timedelta(days=1)}
        advance(site.database, first, WAITING, next_at=now, **known)
        with site.database.write_session() as session:
            row = session.get_one(Generation, first)
            values = {column.key: getattr(row, column.key) for column in sqlalchemy.inspect(Generation).column_attrs}
            more = [values | {"id": new_id(), "provider_job_id": f"{end:.3f}"} for end in ends[1:]]
            session.execute(sqlalchemy.insert(Generation), more)
            while flights.heal(session):
                continue
        yield site


def looks_a_second(vendor: Vendor, rows: int, seconds: int, dispatchers: int) -> float:
    """How many so many dispatchers make, and what they cost."""
    with site_with(vendor, 1, [0.0] * rows) as site:
        workers = [start_dispatcher(site) for _ in range(dispatchers)]
        with redis_connection.connect(site.environ["REDIS_URL"]) as redis:
            site.until(
                lambda: redis.zcard("video-dispatchers") == dispatchers, "all are there", seconds=LONGEST_SECONDS
            )
        time.sleep(START_SECONDS)
        before, cpu, of_database = vendor.answered, cpu_seconds(workers), cpu_seconds(database_processes())
        begun = time.monotonic()
        time.sleep(seconds)
        looks, wall = max(1, vendor.answered - before), time.monotonic() - begun
        cpu, of_database = cpu_seconds(workers) - cpu, cpu_seconds(database_processes()) - of_database
    print(f"{rows:,} clips under way, {dispatchers} dispatcher(s), answers after {vendor.answer_seconds * 1000:.0f} ms")
    print(f"looks             {looks / wall:.0f} a second, each clip each {rows / looks * wall:.0f} s")
    print(f"CPU a look        {cpu / looks * 1000:.2f} ms, and PostgreSQL {of_database / looks * 1000:.2f} ms")
    return looks / wall


def notice(vendor: Vendor, clips: int) -> None:
    """How long after its end a clip is noticed, of many that are asked about each two seconds."""
    begin = time.time() + 4 * START_SECONDS
    ends = [begin + FINISH_SECONDS * number / clips for number in range(clips)]
    with site_with(vendor, POLL_SECONDS, ends) as site:
        start_dispatcher(site)
        noticed = select(func.count()).where(Generation.stage == Stage.READY_TO_DOWNLOAD)
        give_up = time.monotonic() + LONGEST_SECONDS
        while time.monotonic() < give_up:
            time.sleep(1)
            with site.database.read_session() as session:
                if session.scalar(noticed) == clips:
                    break
        with site.database.read_session() as session:
            found = session.execute(
                select(Generation.provider_job_id, GenerationEvent.at)
                .join(GenerationEvent, GenerationEvent.generation_id == Generation.id)
                .where(GenerationEvent.stage == Stage.READY_TO_DOWNLOAD)
            ).all()
    lags = sorted((at - datetime.fromtimestamp(float(end or 0), UTC)).total_seconds() for end, at in found)
    print(f"{clips:,} clips asked about each {POLL_SECONDS} s, that end within {FINISH_SECONDS} s, one dispatcher")
    p50, p95 = statistics.median(lags), lags[int(len(lags) * 0.95)]
    print(f"noticed           {len(lags)}, p50 {p50:.1f} s, p95 {p95:.1f} s after their ends")


def main() -> None:
    """Both measurements."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", type=int, default=10_000)
    options.add_argument("--seconds", type=int, default=20)
    options.add_argument("--dispatchers", default="1,2")
    options.add_argument("--answer-ms", type=int, default=100)
    options.add_argument("--noticed", type=int, default=2_000)
    chosen = options.parse_args()
    vendor = Vendor(chosen.answer_ms / 1000)
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    numbers = [int(number) for number in chosen.dispatchers.split(",")]
    found = [looks_a_second(vendor, chosen.rows, chosen.seconds, number) for number in numbers]
    for number, looks in zip(numbers[1:], found[1:], strict=True):
        print(f"{number} dispatchers make {looks / found[0]:.2f} times the looks of {numbers[0]}")
    if chosen.noticed:
        notice(vendor, chosen.noticed)
    print(f"load {os.getloadavg()[0]:.1f} at the end")


def start_dispatcher(site: Installation) -> psutil.Process:
    """One more, whose words are thrown away."""
    return psutil.Process(site.start_worker("--role", "dispatcher", log=Path(os.devnull)).pid)


def database_processes() -> list[psutil.Process]:
    """Those of the PostgreSQL that was started here."""
    return [process for process in psutil.Process().children() if process.name() == "postgres"]


def cpu_seconds(processes: list[psutil.Process]) -> float:
    """What they and their parts have used so far."""
    family = [process for parent in processes for process in (parent, *parent.children(recursive=True))]
    return sum(sum(process.cpu_times()[:2]) for process in family)


if __name__ == "__main__":
    main()
