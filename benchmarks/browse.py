"""How long a page of the history takes with a million clips, by filter: common and rare words, big and small owners.

Run: python -m benchmarks.browse [clips] [--postgresql]. It fills a database of its own, prints a table and ends.
"""

import argparse
import random
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from sqlalchemy import insert, text

from core.clock import utc_now
from core.db import Database, WriteSession
from core.db.enums import Stage, Status
from core.db.tables import Generation, GenerationTag, Project
from core.generations import queries, review
from core.generations.list_filter import ListFilter, ReviewStatus
from core.ids import new_id
from core.workspaces.access import Member
from tests import postgres
from tests.factories.users import ensure_member

REPEATS = 5
BATCH = 10_000
RARE_EVERY = 100_000
SMALL_EVERY = 1_000
"""Every so many-th clip is somebody else's, or in a small project."""

COMMON = "lake"
RARE = "zeppelin"
WORDS = [f"{start}{end}" for start in ("dawn", "city", "rain", "fox", "boat", "ridge") for end in "abcdefghijklmnop"]


def main() -> None:
    """Fill, measure, print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("clips", nargs="?", type=int, default=1_000_000)
    options.add_argument("--postgresql", action="store_true", help="on a server of its own in place of a SQLite file")
    chosen = options.parse_args()
    with postgres.database() if chosen.postgresql else sqlite() as address:
        database = Database(address)
        database.migrate()
        begun = time.perf_counter()
        people, projects, middle = fill(database, chosen.clips)
        with database.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            connection.execute(text("ANALYZE"))
        print(f"{chosen.clips:,} clips in {time.perf_counter() - begun:.0f} s on {database.engine.dialect.name}")
        print(f"{'page of 24':<58}{'rows':>5}{'first ms':>10}{'best ms':>9}")
        for name, user, asked, cursor in cases(people, projects, middle):
            measure(database, name, user, asked, cursor)
        database.dispose()


@contextmanager
def sqlite() -> Iterator[str]:
    """The address of an empty database in a file."""
    with tempfile.TemporaryDirectory() as folder:
        yield f"sqlite:///{folder}/browse.db"


def cases(
    people: tuple[Member, Member], projects: tuple[str, str], middle: str
) -> Iterator[tuple[str, Member, ListFilter, str | None]]:
    """What is asked: everything a person may filter by, alone and with words."""
    big, small = people
    big_project, small_project = projects
    yield "everything", big, ListFilter(), None
    yield "everything, from the middle", big, ListFilter(), middle
    yield "failed", big, ListFilter(statuses=(Status.FAILED,)), None
    yield "favourites", big, ListFilter(favourite=True), None
    yield "rejected", big, ListFilter(verdict=ReviewStatus.REJECTED), None
    yield "tag of one in a thousand", big, ListFilter(tag="rare"), None
    yield "older than all of them", big, ListFilter(until=utc_now() - timedelta(days=9000)), None
    for words in (COMMON, COMMON[:2], RARE, RARE[:4], f"{COMMON} {RARE}", f"{COMMON} {WORDS[3]}", "nowhere"):
        yield f"'{words}'", big, ListFilter(text=words), None
        yield f"'{words}', of somebody with one in a thousand", small, ListFilter(text=words), None
        yield f"'{words}', in a small project", big, ListFilter(text=words, project_id=small_project), None
    yield f"'{COMMON}', from the middle", big, ListFilter(text=COMMON), middle
    yield f"'{COMMON}', oldest first", big, ListFilter(text=COMMON, oldest_first=True), None
    yield (
        f"'{COMMON}', in the big project, failed",
        big,
        ListFilter(text=COMMON, project_id=big_project, statuses=(Status.FAILED,)),
        None,
    )
    yield f"'{COMMON}', favourites", big, ListFilter(text=COMMON, favourite=True), None


def measure(database: Database, name: str, user: Member, chosen: ListFilter, cursor: str | None) -> None:
    """Ask for one page several times; print the first and the best."""
    took = []
    for _ in range(REPEATS):
        begun = time.perf_counter()
        with database.read_session() as session:
            rows = len(queries.list_page(session, user, chosen, cursor=cursor).rows)
        took.append((time.perf_counter() - begun) * 1000)
    print(f"{name:<58}{rows:>5}{took[0]:>10.1f}{min(took):>9.1f}")


def fill(database: Database, clips: int) -> tuple[tuple[Member, Member], tuple[str, str], str]:
    """Make the clips; two people, two projects of the first, and the id of a clip in the middle."""
    drawn = random.Random(1)
    with database.write_session() as session:
        big = ensure_member(session, "big@example.org", signup_credits=0)
        small = ensure_member(session, "small@example.org", signup_credits=0)
        own = [Project(user_id=user.id, name=name) for user, name in ((big, "Big"), (big, "Small"), (small, "Other"))]
        session.add_all(own)
        session.flush()
        projects = [project.id for project in own]
    start_ms = int((utc_now() - timedelta(days=365)).timestamp() * 1000)
    step_ms = 365 * 86_400_000 // clips
    middle = ""
    for start in range(0, clips, BATCH):
        rows = []
        for number in range(start, min(start + BATCH, clips)):
            place = 2 if number % SMALL_EVERY == 1 else 1 if number % SMALL_EVERY == 2 else 0
            user = small if place == 2 else big
            rows.append(_row(drawn, number, start_ms + number * step_ms, user.id, projects[place]))
        middle = middle or (rows[0]["id"] if start >= clips // 2 else "")
        with database.write_session() as session:
            session.execute(insert(Generation), rows)
            _tag(session, [row for row in rows if row["user_id"] == big.id][::SMALL_EVERY], big)
    return (big, small), (projects[0], projects[1]), middle


def _row(drawn: random.Random, number: int, made_ms: int, user_id: str, project_id: str) -> dict[str, Any]:
    words = [COMMON, *drawn.choices(WORDS, k=10)]
    if number % RARE_EVERY == RARE_EVERY // 2:
        words.append(RARE)
    tail = uuid.UUID(new_id()).int & ((1 << 80) - 1)
    status = Status.FAILED if number % 5000 == 7 else Status.COMPLETED
    return {
        "id": str(uuid.UUID(int=(made_ms << 80) | tail)),
        "user_id": user_id,
        "project_id": project_id,
        "request_hash": "0" * 64,
        "provider": "demo",
        "model_id": "demo-film",
        "model_name": "Demo Film",
        "prompt": " ".join(words),
        "resolution": "720p",
        "duration_seconds": 5,
        "aspect_ratio": "16:9",
        "credits": 50,
        "quote": {"total": 50, "lines": [], "version": "1"},
        "status": status,
        "stage": Stage.FINALIZED,
        "output_key": "videos/x/x.mp4",
        "favourite": number % 2000 == 9,
        "kept": {5: True, 6: False}.get(number % 3000),
    }


def _tag(session: WriteSession, rows: list[dict[str, Any]], user: Member) -> None:
    tags = review.clean_tags(["rare"])
    session.execute(
        insert(GenerationTag),
        [{"generation_id": row["id"], "tag": tag, "user_id": user.id} for row in rows for tag in tags],
    )


if __name__ == "__main__":
    main()
