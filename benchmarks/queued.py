"""What a round of the dispatcher and a look of a page cost while many orders wait at one provider, on PostgreSQL.

Run: python -m benchmarks.queued [--ended 1000000] [--queued 1000,10000,100000]. Rows are made inside the database from
one clip that has ended and one order that waits. *Choice* is what finds the next orders of a line, *place* what a look
of a page asks of it, *far back* for who stands at its end.
"""

import argparse
import time
from collections.abc import Callable, Sequence

import psutil
from sqlalchemy import Connection, select, text, update

from core import config, db
from core.api.routers import metrics
from core.config import Settings
from core.db import Database, ReadSession
from core.db.enums import Stage
from core.db.tables import Flight, Generation
from core.generations import turns
from core.generations.lines import Lines
from core.insights import health
from core.worker import claims
from tests import postgres
from tests.factories.generations import create_completed, create_generation
from tests.factories.users import create_member
from tests.system.installation import installed

TIMES = 40
LINE = "{:>8} {:>13} {:>13} {:>13} {:>13} {:>13} {:>13} {:>13}"
PEOPLE = 50
"""So many share the line; each has as many orders in it."""


def copies(connection: Connection, table: str, pattern: str, count: int, changed: str, *, first: int = 1) -> None:
    """So many more rows like this one; `changed` says what differs, `n` counts them."""
    names = connection.scalars(
        text(
            "SELECT attname FROM pg_attribute WHERE attrelid = CAST(:table AS regclass) AND attnum > 0 "
            "AND NOT attisdropped ORDER BY attnum"
        ),
        {"table": table},
    ).all()
    differs = dict(part.split("=", 1) for part in changed.split("; "))
    values = ", ".join(differs.get(name, f't."{name}"') for name in names)
    connection.execute(
        text(
            f"INSERT INTO {table} SELECT {values} FROM {table} t, "  # noqa: S608 -- names of ours
            "generate_series(CAST(:first AS int), CAST(:last AS int)) n WHERE t.id = :pattern"
        ),
        {"first": first, "last": first + count - 1, "pattern": pattern},
    )


_ID = "lpad(to_hex({series} * 10000000::bigint + n), 8, '0') || '-0000-7000-8000-000000000000'"
_ENDED = f"id={_ID.format(series=1)}; idempotency_key=NULL; prompt_words=''"


def cost(work: Callable[[], object], again: Callable[[], object] = lambda: None) -> str:
    """Milliseconds of CPU of one of several runs, ours and PostgreSQL's; `again` is done after each, uncounted."""
    ours = theirs = 0.0
    for _ in range(TIMES):
        before, began = _of_postgresql(), time.process_time()
        work()
        ours += time.process_time() - began
        theirs += _of_postgresql() - before
        again()
    return f"{ours / TIMES * 1000:.1f} + {theirs / TIMES * 1000:.1f}"


def _of_postgresql() -> float:
    """Seconds of CPU that the processes of this machine's PostgreSQL which serve us have used."""
    return sum(sum(psutil.Process(pid).cpu_times()[:2]) for pid in _BACKENDS)


_BACKENDS: set[int] = set()


def know_backends(database: Database) -> None:
    """Find the processes that serve our connections."""
    with database.engine.connect() as connection:
        _BACKENDS.clear()
        _BACKENDS.update(connection.scalars(text("SELECT pid FROM pg_stat_activity WHERE backend_type LIKE 'client%'")))


def main() -> None:
    """Fill, then measure at each length of the line."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--ended", type=int, default=1_000_000)
    options.add_argument("--queued", default="1000,10000,100000")
    chosen = options.parse_args()
    with postgres.database() as address, installed("http://127.0.0.1:9", address) as site, db.using(site.database):
        people = [create_member(site.database, f"p{n}@example.org", credits=10_000) for n in range(PEOPLE)]
        orders = [create_generation(site.database, person).id for person in people]
        began = time.monotonic()
        with site.database.engine.begin() as connection:
            copies(connection, "generations", create_completed(site.database, people[0]).id, chosen.ended, _ENDED)
        print(f"{chosen.ended:,} ended rows were made in {time.monotonic() - began:.0f} s")
        print("milliseconds of CPU, ours + PostgreSQL's:")
        print(LINE.format("queued", "hand-over", "no room", "choice", "place", "far back", "health", "metrics"))
        there = PEOPLE
        for queued in (int(number) for number in chosen.queued.split(",")):
            lengthen(site.database, orders, there, queued)
            there = queued
            measure(site.database, config.load(site.environ), queued)


def lengthen(database: Database, orders: Sequence[str], there: int, queued: int) -> None:
    """Let the line have so many, each person as many."""
    of_each, known = (queued - there) // PEOPLE, there // PEOPLE
    with database.engine.begin() as connection:
        for number, order in enumerate(orders):
            first = number * 10_000 + known
            new_id = f"id={_ID.format(series=4)}; idempotency_key=NULL"
            copies(connection, "generations", order, of_each, new_id, first=first)
            turn = f"turn=t.turn + (n - {number * 10_000}) * {turns.STEP}::bigint"
            copies(connection, "flights", order, of_each, f"{new_id}; {turn}", first=first)
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for table in ("generations", "flights"):
            connection.execute(text(f"VACUUM ANALYZE {table}"))


def measure(database: Database, settings: Settings, queued: int) -> None:
    """Print what one length of the line costs."""

    def hand_over() -> int:
        return len(claims.claim_submits(settings, lambda _provider: True))

    hand_over()
    take_back(database)
    know_backends(database)
    handed = cost(hand_over, again=lambda: take_back(database))
    hand_over()
    no_room = cost(hand_over)
    take_back(database)
    with database.write_session() as session:
        first, last = (session.get_one(Generation, id_) for id_ in _ends(session))
        costs = (
            handed,
            no_room,
            cost(lambda: claims.next_in_turn(session, "demo", claims.MAX_OUTSTANDING_SUBMITS)),
            cost(lambda: Lines().before(session, first)),
            cost(lambda: Lines().before(session, last)),
            cost(lambda: health.health(session, settings)),
            cost(lambda: list(metrics.work(session))),
        )
    print(LINE.format(f"{queued:,}", *costs))


def _ends(session: ReadSession) -> Sequence[str]:
    """The first and the last of the line."""
    places = (Flight.turn, Flight.id), (Flight.turn.desc(), Flight.id.desc())
    return [session.scalars(select(Flight.id).order_by(*order).limit(1)).one() for order in places]


def take_back(database: Database) -> None:
    """Let what was handed over stand in line again."""
    with database.write_session() as session:
        for table in (Generation, Flight):
            session.execute(update(table).where(table.stage == Stage.DISPATCHED).values(stage=Stage.QUEUED))


if __name__ == "__main__":
    main()
