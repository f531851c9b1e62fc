"""How long the usage explorer takes by one dimension and by each two, over a year; prints a table with the ratios.

    python -m benchmarks.explorer [--clips 1000000] [--people 20] --database sqlite:////tmp/usage.db

A database that already holds people is measured as it is. A ratio is the time by two dimensions over that by the slower
of the two alone. On PostgreSQL give the address of an empty database.
"""

import argparse
import time
from datetime import timedelta
from itertools import combinations

from sqlalchemy import func, insert, select, text

from benchmarks import usage
from core.clock import utc_now
from core.db import Database
from core.db.tables import Generation, GenerationTag, UndeliveredDay, UsageDay, User
from core.identity import users
from core.usage import explorer, rollups
from core.usage.dimensions import Dimension
from core.usage.exploration import ExploreQuery
from core.usage.reports import UsageQuery
from core.workspaces import members
from core.workspaces.access import Member

TAGS = ("autumn", "hero", "test", "client", "final")
TAGGED_EVERY = 10
LOOKS = 3
AT_ONCE = 10_000
GOAL = 1.5


def fill(database: Database, *, clips: int, people: int) -> None:
    """A year of clips, every tenth of them with a tag."""
    usage.fill(database, clips=clips, people=people)
    with database.write_session() as session:
        rows = session.execute(select(Generation.id, Generation.workspace_id, Generation.user_id)).all()
        tags = [
            {"generation_id": row.id, "workspace_id": row.workspace_id, "user_id": row.user_id, "tag": TAGS[n % 5]}
            for n, row in enumerate(rows[::TAGGED_EVERY])
        ]
        session.execute(insert(GenerationTag), tags)
        for begin in range(0, len(tags), AT_ONCE):
            rollups.describe_tags(session, [tag["generation_id"] for tag in tags[begin : begin + AT_ONCE]])
    with database.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text("ANALYZE"))


def measure(database: Database, person: Member, by: tuple[Dimension, ...], *, everybody: bool) -> float:
    """Milliseconds of one answer about 365 days, without the time before; the least of a few.

    On SQLite it is the time of this process's own work, whatever else the machine does.
    """
    clock = time.process_time if database.engine.dialect.name == "sqlite" else time.perf_counter
    today = utc_now().date()
    asked = ExploreQuery(UsageQuery(today - timedelta(days=364), today, everybody=everybody), by)
    times = []
    for _ in range(LOOKS):
        begin = clock()
        with database.read_session() as session:
            explorer.explore(session, person, asked)
        times.append(clock() - begin)
    return 1000 * min(times)


def main() -> None:
    """Fill if empty, then measure everybody's year by each dimension and each two."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=1_000_000)
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--database", required=True)
    options = parser.parse_args()
    database = Database(options.database)
    database.migrate()
    with database.read_session() as session:
        is_empty = session.scalar(select(User.id).limit(1)) is None
    if is_empty:
        fill(database, clips=options.clips, people=options.people)
    with database.read_session() as session:
        admin = members.at_work(session, users.get(session, "person0@example.org"))
        for table in (UsageDay, UndeliveredDay, GenerationTag):
            print(f"{session.scalar(select(func.count()).select_from(table)):,} rows of {table.__tablename__}")
    alone = {each: measure(database, admin, (each,), everybody=True) for each in Dimension}
    for each, took in alone.items():
        print(f"{took:9.1f} ms         {each}")
    for one, other in combinations(Dimension, 2):
        took = measure(database, admin, (one, other), everybody=True)
        print(f"{took:9.1f} ms  {took / max(alone[one], alone[other]):5.2f}  {one} and {other}")
    database.dispose()


if __name__ == "__main__":
    main()
