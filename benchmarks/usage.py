"""How long the figures of the usage page take with a year of a million clips; prints a table.

    python -m benchmarks.usage [--clips 1000000] [--people 20] [--database sqlite:////tmp/usage.db]

A database that already holds people is measured as it is. On PostgreSQL give the address of an empty database.
"""

import argparse
import random
import time
from collections.abc import Callable, Iterable
from datetime import timedelta
from itertools import groupby

from sqlalchemy import func, select, text

from core.clock import utc_now
from core.db import Database
from core.db.enums import Role
from core.db.tables import UsageDay, User
from core.identity import users
from core.insights import model_stats
from core.projects import projects
from core.usage import budgets, reports, repricing
from core.usage.cache import UsageCache
from core.usage.reports import Group, UsageQuery
from core.workspaces import members
from core.workspaces.access import Member
from tests.factories import histories
from tests.factories.users import ensure_member

DAYS = 365
PROJECTS = 8


def fill(database: Database, *, clips: int, people: int) -> None:
    """A year of several people's clips, booked month by month."""
    dice = random.Random(1)
    today = utc_now().date()
    for number in range(people):
        with database.write_session() as session:
            role = Role.ADMIN if number == 0 else Role.USER
            user = ensure_member(session, f"person{number}@example.org", signup_credits=0, role=role)
            mine = [projects.create(session, user, name=f"Project {number}-{n}").id for n in range(PROJECTS)]
        history = histories.invent(dice, mine, until=today, days=DAYS, clips_a_day=round(clips / people / DAYS / 0.72))
        for _, month in groupby(history, key=lambda clip: (clip.day.year, clip.day.month)):
            with database.write_session() as session:
                histories.book(session, user, list(month))


def looks(admin: Member, user: Member) -> Iterable[tuple[str, Callable[[Database], object]]]:
    """What the page and the API ask for."""
    today = utc_now().date()
    for name, person, everybody in (("own", user, False), ("everybody", admin, True)):
        for days in (30, 365):
            chosen = UsageQuery(today - timedelta(days=days - 1), today, everybody=everybody)
            for groups in ((), (Group.DAY, Group.MODEL), (Group.PROJECT,), (Group.WEEK, Group.PROJECT)):
                title = f"{name}, {days} days, by {' and '.join(groups) or 'nothing'}"
                yield title, _grouped(person, chosen, groups)
            yield f"{name}, {days} days, what if", _kinds(person, chosen)
            yield f"{name}, {days} days, speeds", _speeds(chosen)
        yield f"{name}, month and forecast", _month(person, UsageQuery(today, today, everybody=everybody))


def _grouped(person: Member, chosen: UsageQuery, groups: tuple[Group, ...]) -> Callable[[Database], object]:
    def look(database: Database) -> object:
        with database.read_session() as session:
            return list(reports.aggregate(session, person, chosen, groups))

    return look


def _kinds(person: Member, chosen: UsageQuery) -> Callable[[Database], object]:
    def look(database: Database) -> object:
        with database.read_session() as session:
            return repricing.clip_groups(session, person, chosen)

    return look


def _speeds(chosen: UsageQuery) -> Callable[[Database], object]:
    def look(database: Database) -> object:
        with database.read_session() as session:
            return model_stats.render_times(session, ["kling-2.5", "veo3", "seedance-t2v", "nova-reel"], chosen)

    return look


def _month(person: Member, chosen: UsageQuery) -> Callable[[Database], object]:
    def look(database: Database) -> object:
        with database.read_session() as session:
            return budgets.month(session, person, chosen, today=chosen.until, cache=UsageCache())

    return look


def main() -> None:
    """Fill if empty, then measure each look three times and print the middle one."""
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
        with database.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            connection.execute(text("ANALYZE"))
    with database.read_session() as session:
        admin, user = (members.at_work(session, users.get(session, f"person{n}@example.org")) for n in (0, 1))
        rows, clips = session.execute(select(func.count(), func.sum(UsageDay.completed))).one()
    print(f"{rows:,} rows of usage_days, {clips:,} completed clips")
    for title, look in looks(admin, user):
        times = []
        for _ in range(3):
            begin = time.perf_counter()
            look(database)
            times.append(time.perf_counter() - begin)
        print(f"{1000 * sorted(times)[1]:9.1f} ms  {title}")
    database.dispose()


if __name__ == "__main__":
    main()
