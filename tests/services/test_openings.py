from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from core import db
from core.db import Database
from core.db.enums import Status
from core.db.tables import Generation, Workspace
from core.db.tables.generations import BEFORE_OPENINGS
from core.generations import queries, review
from core.generations.list_filter import ListFilter, ReviewStatus
from core.generations.openings import Openings
from core.generations.review import Changes
from core.projects import projects
from core.usage import waste
from core.usage.cache import UsageCache
from core.usage.reports import UsageQuery
from core.usage.waste import Outcome, Waste, WasteGroup
from core.workspaces.access import Member
from tests.factories import histories
from tests.factories.generations import create_completed, create_generation, load_generation
from tests.factories.histories import Ended

pytestmark = pytest.mark.both_databases  # who is the first is decided by the database

DEADLINE_SECONDS = 60


@pytest.fixture
def openings(database: Database) -> Openings:
    """What is opened is noted, soon after a try that failed."""
    return Openings(database, pause_seconds=0.01)


def note(openings: Openings, *rows: Generation) -> None:
    """Somebody opens these clips, and that is written down."""
    openings.note(row.output_key for row in rows)
    assert openings.written(DEADLINE_SECONDS)


def version(database: Database, member: Member) -> int:
    """How often the figures of a workspace have changed."""
    with database.read_session() as session:
        return session.scalars(select(Workspace.usage_version).where(Workspace.id == member.workspace_id)).one()


def test_first_time_is_noted_once(database: Database, person: Member, openings: Openings) -> None:
    """The first time stays, whoever opens the clip again and wherever; figures are read anew once."""
    row, other = (create_completed(database, person) for _ in range(2))
    before = version(database, person)

    note(openings, row)
    first = load_generation(row.id, database).first_opened_at
    note(openings, row)
    note(Openings(database), row)

    assert first is not None
    assert first > row.created_at
    assert load_generation(row.id, database).first_opened_at == first
    assert load_generation(other.id, database).first_opened_at is None
    assert version(database, person) == before + 1


def test_what_is_no_clip_of_now_is_not_noted(database: Database, person: Member, openings: Openings) -> None:
    """Posters, previews and what is under way are not opened; what nobody knows stays unknown."""
    row, old, gone = (create_completed(database, person) for _ in range(3))
    waiting = create_generation(database, person)
    with database.write_session() as session:
        session.execute(update(Generation).where(Generation.id == old.id).values(first_opened_at=BEFORE_OPENINGS))
    clip = row.output_key or ""
    openings.note(
        [
            *(row.thumbnail_key, clip.replace(".mp4", "-preview.mp4"), None, "uploads/ab/x.mp4"),
            *(old.output_key, f"videos/{waiting.id}/0123456789abcdef.mp4", f"videos/{gone.id}/0000000000000000.mp4"),
        ]
    )
    assert openings.written(DEADLINE_SECONDS)

    found = [load_generation(each.id, database).first_opened_at for each in (row, waiting, gone, old)]
    assert found == [None, None, None, BEFORE_OPENINGS]


def test_nobody_waits_for_a_busy_database(database: Database, person: Member, openings: Openings) -> None:
    """While somebody holds the row it is not written, and whoever opens the clip goes on; then it is."""
    row = create_completed(database, person)
    with database.write_session() as session:
        session.execute(update(Generation).where(Generation.id == row.id).values(setbacks=1))
        openings.note([row.output_key])
        assert not openings.written(0.1)
    assert openings.written(DEADLINE_SECONDS)

    assert load_generation(row.id, database).first_opened_at is not None


def test_several_that_note_the_same(database: Database, person: Member) -> None:
    """Processes side by side note a clip once, and none gets in the way of another."""
    rows = [create_completed(database, person) for _ in range(6)]
    several = [Openings(database, pause_seconds=0.01) for _ in range(4)]
    for place, each in enumerate(several):
        each.note(row.output_key for row in rows[:: -1 if place % 2 else 1])
    assert all(each.written(DEADLINE_SECONDS) for each in several)

    assert all(load_generation(row.id, database).first_opened_at for row in rows)


def test_who_judges_has_opened(database: Database, person: Member) -> None:
    """A verdict or a heart counts, also after it is taken back; tags do not."""
    kept, rejected, liked, tagged, left = (create_completed(database, person) for _ in range(5))
    for row, changes in (
        (kept, Changes(verdict=ReviewStatus.KEPT)),
        (kept, Changes(verdict=ReviewStatus.UNDECIDED)),
        (rejected, Changes(verdict=ReviewStatus.REJECTED)),
        (liked, Changes(favourite=True)),
        (liked, Changes(favourite=False)),
        (tagged, Changes(add_tags=("hero",))),
        (left, Changes(favourite=False, verdict=ReviewStatus.UNDECIDED)),
    ):
        with database.write_session() as session:
            review.update(session, person, row.id, changes)

    found = [load_generation(row.id, database).first_opened_at for row in (kept, rejected, liked, tagged, left)]
    assert [each is not None for each in found] == [True, True, True, False, False]


def test_spend_on_clips_that_nobody_opened(database: Database, person: Member, openings: Openings) -> None:
    """Counted from the eighth day on, until somebody opens them; the library shows just these, kept figures follow."""
    with database.write_session() as session:
        project_id = projects.create(session, person, name="Lakes").id
        today = db.now(session).date()
        clip = Ended(today - timedelta(days=8), project_id, "kling-2.5", is_opened=False)
        clips = [clip, clip, replace(clip, day=today - timedelta(days=7)), replace(clip, is_opened=True)]
        histories.book(session, person, [*clips, replace(clip, outcome=Status.FAILED)])
        session.execute(update(Generation).values(created_at=Generation.ended_at))
    chosen, cache = UsageQuery(today - timedelta(days=20), today), UsageCache()

    def figures() -> dict[tuple[str, str], Waste]:
        with database.read_session() as session:
            rows = cache.waste(session, person, chosen, [WasteGroup.REASON])
            assert [row.figures for row in rows] == [
                row.figures for row in waste.rows(session, person, chosen, [WasteGroup.REASON])
            ]
            return {(row.keys["outcome"], row.keys["reason"]): row.figures for row in rows}

    assert figures()[Outcome.UNOPENED, ""] == Waste(unopened=2, unopened_credits=2 * clip.credits)
    with database.read_session() as reading:
        asked = ListFilter(opened=False)
        shown = queries.list_page(reading, person, asked).rows
        opened = queries.list_page(reading, person, ListFilter(opened=True)).rows
        assert (len(shown), len(opened)) == (3, 1)  # one of them is not in vain yet
        assert queries.count(reading, person, asked).number == 3
        key = next(row.output_key for row in shown if row.ended_at and row.ended_at.date() == clip.day)

    openings.note([key])
    assert openings.written(DEADLINE_SECONDS)
    assert figures()[Outcome.UNOPENED, ""] == Waste(unopened=1, unopened_credits=clip.credits)
    assert (Outcome.FAILED, "") in figures()
