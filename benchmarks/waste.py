"""How long failures and waste take with few and with a million clips, in one run; prints a table with the ratios.

    python -m benchmarks.waste FEW.db MANY.db

Both are SQLite files of installations that `benchmarks.dashboard` has filled; they are brought up to date, and every
tenth clip of theirs gets a tag. Times are this process's own, the least of a few, whatever else the machine does.
`first` is a look at figures that nobody has asked for yet, `again` one while nothing has changed.
"""

import argparse
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from sqlalchemy import func, insert, select, text

from benchmarks.explorer import TAGGED_EVERY, TAGS
from core.clock import utc_now
from core.db import Database
from core.db.enums import Role
from core.db.tables import Generation, GenerationTag, User, Workspace
from core.usage import rollups
from core.usage.cache import UsageCache
from core.usage.reports import UsageQuery
from core.usage.waste import WasteGroup, rows
from core.workspaces import members
from core.workspaces.access import Member

LOOKS = 3
AT_ONCE = 10_000


def least(look: Callable[[], object]) -> float:
    """Milliseconds of this process's own work."""
    times = []
    for _ in range(LOOKS):
        begin = time.process_time()
        look()
        times.append(time.process_time() - begin)
    return 1000 * min(times)


def tagged(database: Database) -> None:
    """Every tenth clip has a tag, if none has."""
    with database.read_session() as session:
        if session.scalar(select(GenerationTag.tag).limit(1)) is not None:
            return
        columns = (Generation.id, Generation.workspace_id, Generation.user_id)
        found = session.execute(select(*columns).order_by(Generation.id)).all()[::TAGGED_EVERY]
    made = [
        {"generation_id": row.id, "workspace_id": row.workspace_id, "user_id": row.user_id, "tag": TAGS[n % len(TAGS)]}
        for n, row in enumerate(found)
    ]
    for begin in range(0, len(made), AT_ONCE):
        some = made[begin : begin + AT_ONCE]
        with database.write_session() as session:
            session.execute(insert(GenerationTag), some)
            rollups.describe_tags(session, [str(row["generation_id"]) for row in some])


def opened(path: Path) -> tuple[Database, Member]:
    """A filled database of this schema, and the administrator at work in the fullest workspace of theirs."""
    database = Database(f"sqlite:///{path.resolve()}")
    database.migrate()
    tagged(database)
    with database.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text("ANALYZE"))
    with database.read_session() as session:
        admin = session.scalars(select(User).where(User.role == Role.ADMIN)).first()
        if admin is None:
            raise SystemExit("nobody is an administrator there")
        member = members.at_work(session, admin)
        sizes = (
            select(Workspace.id).where(Workspace.id.in_(member.workspace_ids)).order_by(Workspace.storage_bytes.desc())
        )
        fullest = session.scalars(sizes).first() or member.workspace_id
        clips = session.scalar(select(func.count()).select_from(Generation))
    print(f"{clips:,} clips in {path}")
    return database, member.moved_to(fullest)


def measured(database: Database, member: Member) -> dict[str, tuple[float, float]]:
    """What is looked at -> the first time, and again."""
    today = utc_now().date()
    found = {}
    for everybody in (False, True):
        for days in (30, 365):
            chosen = UsageQuery(today - timedelta(days=days - 1), today, everybody=everybody)
            for group in WasteGroup:
                cache = UsageCache()

                def first(chosen: UsageQuery = chosen, group: WasteGroup = group) -> None:
                    with database.read_session() as session:
                        rows(session, member, chosen, [group])

                def again(chosen: UsageQuery = chosen, group: WasteGroup = group, cache: UsageCache = cache) -> None:
                    with database.read_session() as session:
                        cache.waste(session, member, chosen, [group])

                name = f"{'everybody' if everybody else 'own'}, {days} days, by {group}"
                again()
                found[name] = least(first), least(again)
    return found


def main() -> None:
    """Measure both, print a line a look."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("few", type=Path)
    parser.add_argument("many", type=Path)
    options = parser.parse_args()
    found = []
    for path in (options.few, options.many):
        database, member = opened(path)
        found.append(measured(database, member))
        database.dispose()
    few, many = found
    print(f"{'waste of':32}{'few ms':>9}{'many ms':>9}{'ratio':>8}{'again':>9}{'again':>9}{'ratio':>8}")
    for name, (first, again) in few.items():
        most_first, most_again = many[name]
        print(
            f"{name:32}{first:>9.1f}{most_first:>9.1f}{most_first / first:>8.1f}"
            f"{again:>9.2f}{most_again:>9.2f}{most_again / again:>8.1f}"
        )


if __name__ == "__main__":
    main()
