"""Filled databases for analyst packs, packs of them, and what readers find in these."""

import io
import random
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
from sqlalchemy import update

from core.analyst_pack import packing
from core.analyst_pack.asked import Asked
from core.analyst_pack.packing import Order
from core.clock import utc_now
from core.db import Database
from core.db.enums import BudgetMode, BudgetScope, RejectReason
from core.db.tables import Budget, ClipNote, Generation, Project
from core.generations import review
from core.generations.list_filter import ReviewStatus
from core.generations.review import Changes
from core.workspaces.access import Member
from tests.factories import histories
from tests.factories.generations import create_completed, create_generation
from tests.factories.projects import create_project
from tests.factories.users import create_member
from tests.factories.workspaces import create_team_of, now

SECRET = b"a secret of an installation, 32 bytes"


@dataclass(frozen=True)
class Filled:
    """Two people with a history in workspaces of their own, and a team with clips of every kind."""

    ana: Member
    ben: Member
    team: Member
    rejected: Generation


def fill(database: Database, *, days: int = 40, clips_a_day: int = 4) -> Filled:
    """Make it; the histories end yesterday."""
    ana = create_member(database, "ana.marlowe@example.org")
    ben = create_member(database, "ben.okafor@example.org")
    for person, seed in ((ana, 1), (ben, 2)):
        projects = [create_project(database, person, name=f"Glacier film {seed}{n}").id for n in range(2)]
        invented = histories.invent(
            random.Random(seed),
            projects,
            until=utc_now().date() - timedelta(days=1),
            days=days,
            clips_a_day=clips_a_day,
        )
        with database.write_session() as session:
            histories.book(session, person, list(invented))
            session.execute(update(Project).where(Project.id == projects[0]).values(cost_centre="CC-ORCHID"))
    team_id = create_team_of(database, ana, name="Harbour team", credits=5_000)
    team = now(database, ana).moved_to(team_id)
    rejected = create_completed(database, team, prompt="a heron above the tide")
    create_completed(database, team)
    create_generation(database, team)
    with database.write_session() as session:
        verdict = Changes(verdict=ReviewStatus.REJECTED, reject_reason=RejectReason.ANATOMY, favourite=True)
        review.update(session, team, rejected.id, verdict)
        session.add(ClipNote(generation_id=rejected.id, user_id=ana.id, text="the heron has three wings"))
        session.add(
            Budget(
                workspace_id=team_id,
                scope=BudgetScope.WORKSPACE,
                subject_id=team_id,
                limit_credits=200,
                mode=BudgetMode.STOP,
            )
        )
    return Filled(now(database, ana), ben, team, rejected)


def pack(database: Database, asked: Asked | None = None, *, prompts_of: tuple[str, ...] = ()) -> zipfile.ZipFile:
    """A pack, as whoever fetches it reads it."""
    file = io.BytesIO()
    packing.make(database, Order(asked or Asked(None), prompts_of, SECRET), file)
    return zipfile.ZipFile(file)


@contextmanager
def unpacked(packed: zipfile.ZipFile) -> Iterator[Path]:
    """A folder with its files."""
    with tempfile.TemporaryDirectory() as folder:
        packed.extractall(folder)
        yield Path(folder)


class Reader:
    """DuckDB in the folder of a pack."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._duck = duckdb.connect(config={"file_search_path": str(folder)})

    def rows(self, query: str) -> list[Mapping[str, Any]]:
        """What a query answers."""
        found = self._duck.execute(query)
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def ready(self, number: int) -> list[Mapping[str, Any]]:
        """What one of the ready queries answers."""
        [path] = (self._folder / "queries").glob(f"{number:02}-*.sql")
        return self.rows(path.read_text())


def month_of(day: date) -> tuple[date, date]:
    """First and last day of its month."""
    first = day.replace(day=1)
    return first, (first + timedelta(days=32)).replace(day=1) - timedelta(days=1)
