"""How many looks at one provider a dispatcher makes a second, while 10,000 of its clips are under way, on PostgreSQL.

Run: python -m benchmarks.looks [--rows 10000] [--seconds 20] [--dispatchers 1]. The stand-in answers after 100 ms that
each job goes on. All is on loopback; it ends by itself.
"""

import argparse
import asyncio
import threading
import time
from contextlib import suppress
from datetime import timedelta

import psutil
import sqlalchemy

from core.clock import utc_now
from core.db.tables import Generation
from core.generations import flights
from core.ids import new_id
from tests import postgres
from tests.factories.generations import DISPATCHED, SUBMITTING, WAITING, advance
from tests.system.installation import Installation, installed

ANSWER_SECONDS = 0.1
BODY = b'{"status": "processing", "id": 1, "eta": 20, "request_id": "1"}'
HEAD = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(BODY)}\r\n\r\n".encode()
START_SECONDS = 5
"""What the first round may take before anything is counted."""


class Vendor:
    """Answers every request alike after a while, on a thread of its own, and counts them."""

    def __init__(self) -> None:
        self.answered = 0
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
            while head := (await reader.readuntil(b"\r\n\r\n")).lower():
                _before, named, after = head.partition(b"content-length:")
                if named:
                    await reader.readexactly(int(after.split(b"\r\n")[0]))
                await asyncio.sleep(ANSWER_SECONDS)
                writer.write(HEAD + BODY)
                await writer.drain()
                self.answered += 1
        writer.close()


def fill(site: Installation, rows: int) -> None:
    """Let so many clips wait at their provider, all due."""
    first = site.order("a clip")
    now = utc_now()
    advance(site.database, first, DISPATCHED, SUBMITTING)
    known = {"provider_job_id": "j1", "submitted_at": now, "deadline_at": now + timedelta(days=1)}
    advance(site.database, first, WAITING, next_at=now, **known)
    with site.database.write_session() as session:
        row = session.get_one(Generation, first)
        values = {column.key: getattr(row, column.key) for column in sqlalchemy.inspect(Generation).column_attrs}
        session.execute(sqlalchemy.insert(Generation), [values | {"id": new_id()} for _ in range(rows - 1)])
        while flights.heal(session):
            continue


def main() -> None:
    """Fill, start the dispatchers, count."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", type=int, default=10_000)
    options.add_argument("--seconds", type=int, default=20)
    options.add_argument("--dispatchers", type=int, default=1)
    chosen = options.parse_args()
    vendor = Vendor()
    with postgres.database() as address, installed(vendor.address, address, {"POLL_SECONDS": "1"}) as site:
        site.start_redis()
        fill(site, chosen.rows)
        workers = [psutil.Process(site.start_worker("--role", "dispatcher").pid) for _ in range(chosen.dispatchers)]
        time.sleep(START_SECONDS)
        before, cpu, begun = vendor.answered, cpu_seconds(workers), time.monotonic()
        time.sleep(chosen.seconds)
        looks, wall = vendor.answered - before, time.monotonic() - begun
        used = cpu_seconds(workers) - cpu
    print(
        f"{chosen.rows:,} clips under way, {chosen.dispatchers} dispatcher(s), "
        f"answers after {ANSWER_SECONDS * 1000:.0f} ms"
    )
    print(f"looks             {looks / wall:.0f} a second, each clip each {chosen.rows / max(1, looks / wall):.0f} s")
    print(f"CPU a look        {used / max(1, looks) * 1000:.2f} ms, without PostgreSQL")


def cpu_seconds(workers: list[psutil.Process]) -> float:
    """What the workers and their parts have used so far."""
    family = [process for worker in workers for process in (worker, *worker.children(recursive=True))]
    return sum(sum(process.cpu_times()[:2]) for process in family)


if __name__ == "__main__":
    main()
