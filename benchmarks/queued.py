"""What a round of the dispatcher and a look of a page cost while many orders wait at one provider, on PostgreSQL.

Run: python -m benchmarks.queued [--ended 1000000] [--queued 1000,10000,100000]. Rows are made inside the database, from
one clip that has ended and one order that waits. Each figure is the best of several, since other work disturbs it.
"""

import argparse
import time
from collections.abc import Callable, Sequence

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

TIMES = 7
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


def best(work: Callable[[], object], again: Callable[[], object] = lambda: None) -> float:
    """Milliseconds of the quickest of several runs; `again` is done after each, untimed."""
    took = []
    for _ in range(TIMES):
        began = time.perf_counter()
        work()
        took.append((time.perf_counter() - began) * 1000)
        again()
    return min(took)


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
        print(f"{chosen.ended:,} ended rows were made in {time.monotonic() - began:.0f} s; what follows is in ms")
        print(
            f"{'queued':>8} {'hand-over':>10} {'no room':>8} {'live':>8} {'far back':>9} {'health':>8} {'metrics':>8}"
        )
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

    handed = best(hand_over, again=lambda: take_back(database))
    hand_over()
    no_room = best(hand_over)
    take_back(database)
    with database.read_session() as session:
        first, last = (session.get_one(Generation, id_) for id_ in _ends(session))
        costs = (
            handed,
            no_room,
            best(lambda: Lines().before(session, first)),
            best(lambda: Lines().before(session, last)),
            best(lambda: health.health(session, settings)),
            best(lambda: list(metrics.work(session))),
        )
    print("{:>8,} {:>10.1f} {:>8.1f} {:>8.1f} {:>9.1f} {:>8.1f} {:>8.1f}".format(queued, *costs))


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
