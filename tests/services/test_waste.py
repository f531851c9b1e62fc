import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from core import errors
from core.db import Database
from core.db.enums import EntryKind, RejectReason, Role, Status
from core.db.tables import Generation
from core.generations import queries
from core.generations.list_filter import ListFilter
from core.projects import projects
from core.usage import reports, waste
from core.usage.reports import UsageQuery
from core.usage.waste import Waste, WasteGroup, WasteRow
from core.workspaces.access import Member
from tests.factories import histories
from tests.factories.histories import Ended
from tests.factories.users import create_member, ensure_member

pytestmark = pytest.mark.both_databases  # weeks and seconds are told by SQL, in each database's words

DAY = date(2026, 11, 21)  # a Saturday
CHOSEN = UsageQuery(DAY - timedelta(days=9), DAY)


def project(database: Database, user: Member) -> str:
    """The id of a new project."""
    with database.write_session() as session:
        return projects.create(session, user, name="Lakes").id


def book(database: Database, user: Member, *clips: Ended) -> None:
    """Clips of one person."""
    with database.write_session() as session:
        histories.book(session, user, clips)


def mark(database: Database, status: Status, *values: dict[str, object]) -> None:
    """Give the clips of a status, oldest first, these values."""
    with database.write_session() as session:
        rows = select(Generation.id).where(Generation.status == status).order_by(Generation.created_at)
        for id, each in zip(session.scalars(rows).all(), values, strict=True):
            session.execute(update(Generation).where(Generation.id == id).values(**each))


def found_by(database: Database, user: Member, *groups: WasteGroup, chosen: UsageQuery = CHOSEN) -> Sequence[WasteRow]:
    """The rows by these groups."""
    with database.read_session() as session:
        return waste.rows(session, user, chosen, groups)


def test_figures_are_those_worked_by_hand(database: Database, person: Member) -> None:
    """Returned, lost, at risk and paid are of what gave no clip; what was spent on rejected clips stands beside."""
    where = project(database, person)
    clip = Ended(DAY, where, "kling-2.5", took_seconds=90)
    failed = replace(clip, outcome=Status.FAILED)
    book(
        database,
        person,
        clip,
        replace(clip, kept=True),
        replace(clip, kept=False),
        replace(clip, kept=False, duration_seconds=10),
        *[replace(failed, took_seconds=seconds) for seconds in (120, 90, 60, 30)],
        replace(clip, outcome=Status.CANCELLED, took_seconds=30),
        replace(failed, day=CHOSEN.since - timedelta(days=1)),
    )
    mark(
        database,
        Status.FAILED,
        {"error_code": "generation_failed"},  # of the day before
        {"error_code": "generation_failed"},
        {"error_code": "generation_failed", "provider_cost": Decimal("0.1"), "provider_cost_currency": "USD"},
        {"error_code": "content_refused", "submitted_at": None},
        {"error_code": None, "estimated_cost_microusd": None},
    )
    mark(database, Status.CANCELLED, {"submitted_at": None})
    long = replace(clip, duration_seconds=10).credits
    with database.read_session() as session:
        total = waste.total(session, person, CHOSEN)
        completed = session.scalars(
            select(Generation.id).where(Generation.kept.is_(False)).order_by(Generation.duration_seconds)
        ).all()
    with database.write_session() as session:
        session.execute(
            update(Generation).where(Generation.id == completed[0]).values(reject_reason=RejectReason.MOTION)
        )

    # $0.35 for five seconds at Rp 16,500 was accepted and may have been taken, $0.10 is known to have been.
    assert total == Waste(
        failed=4,
        cancelled=1,
        returned_credits=5 * 500,
        lost_seconds=120 + 90 + 60 + 30,
        paid_idr=1_650,
        at_risk_idr=5_775,
        rejected=2,
        rejected_credits=500 + long,
    )
    by_reason = {
        (row.keys["outcome"], row.keys["reason"]): row.figures for row in found_by(database, person, WasteGroup.REASON)
    }
    assert by_reason == {
        ("failed", "generation_failed"): Waste(
            failed=2, returned_credits=1000, lost_seconds=210, paid_idr=1_650, at_risk_idr=5_775
        ),
        ("failed", "content_refused"): Waste(failed=1, returned_credits=500, lost_seconds=60),
        ("failed", ""): Waste(failed=1, returned_credits=500, lost_seconds=30),
        ("cancelled", ""): Waste(cancelled=1, returned_credits=500),
        ("rejected", "motion"): Waste(rejected=1, rejected_credits=500),
        ("rejected", ""): Waste(rejected=1, rejected_credits=long),
    }


def test_weeks_begin_on_monday(database: Database, person: Member) -> None:
    """A Sunday is of the week before its Monday; weeks stand in their order."""
    clip = Ended(DAY, project(database, person), "kling-2.5", Status.FAILED)
    book(database, person, *[replace(clip, day=date(2026, 11, day)) for day in (15, 16, 21)])

    weeks = [(row.keys["week"], row.figures.failed) for row in found_by(database, person, WasteGroup.WEEK)]

    assert weeks == [("2026-11-09", 1), ("2026-11-16", 2)]


def test_people_models_and_providers_are_told_apart(database: Database, person: Member) -> None:
    """Analysts read everybody's, with names; a member reads their own workspace and nobody else's project."""
    with database.write_session() as session:
        analyst = ensure_member(session, "root@example.org", signup_credits=0, role=Role.ANALYST)
        other = ensure_member(session, "ben@example.org", signup_credits=0)
    mine, theirs = project(database, person), project(database, other)
    failed = Ended(DAY, mine, "kling-2.5", Status.FAILED)
    book(database, person, failed, failed, replace(failed, model_id="seedance-t2v"))
    book(database, other, replace(failed, project_id=theirs))
    everybody = replace(CHOSEN, everybody=True)

    people = found_by(database, analyst, WasteGroup.USER, chosen=everybody)
    models = found_by(database, person, WasteGroup.MODEL)
    both = found_by(database, person, WasteGroup.PROVIDER, WasteGroup.REASON)

    assert [(row.keys["user_name"], row.figures.failed) for row in people][1] == ("ben", 1)
    assert [(row.keys["provider"], row.keys["model_id"], row.figures.failed) for row in models] == [
        ("edenai", "kling-2.5", 2),
        ("modelslab", "seedance-t2v", 1),
    ]
    assert [tuple(row.keys.values()) for row in both] == [("edenai", "failed", ""), ("modelslab", "failed", "")]
    assert [row.figures for row in found_by(database, person, chosen=replace(CHOSEN, model_id="veo3"))] == [Waste()]
    with pytest.raises(errors.Forbidden):
        found_by(database, person, chosen=everybody)
    with pytest.raises(errors.NotFound):
        found_by(database, person, chosen=replace(CHOSEN, project_id=theirs))


def test_clips_of_a_reason_are_found_in_the_library(database: Database, person: Member) -> None:
    """The filter that a figure leads to finds as many clips as the figure says."""
    failed = Ended(DAY, project(database, person), "kling-2.5", Status.FAILED)
    book(database, person, *[failed] * 3)
    mark(
        database,
        Status.FAILED,
        {"error_code": "generation_failed"},
        {"error_code": "generation_failed"},
        {"error_code": "provider_busy"},
    )
    begin = datetime.combine(DAY, time(), UTC)
    with database.write_session() as session:
        session.execute(update(Generation).values(created_at=begin + timedelta(hours=1)))
    with database.read_session() as session:
        every = [
            queries.list_page(session, person, ListFilter(statuses=(Status.FAILED,), error_code=code)).rows
            for code in ("generation_failed", "provider_busy", "content_refused")
        ]

    assert [len(rows) for rows in every] == [2, 1, 0]
    figures = {row.keys["reason"]: row.figures.failed for row in found_by(database, person, WasteGroup.REASON)}
    assert figures == {"generation_failed": 2, "provider_busy": 1}


@pytest.mark.parametrize("group", WasteGroup)
@settings(max_examples=3)
@given(seed=st.integers(0, 10_000))
def test_however_it_is_added_up_it_is_what_the_ledger_gave_back(
    database: Database, group: WasteGroup, seed: int
) -> None:
    """Rows by anything come to the total, whose returned credits are the ledger's and the roll-ups'."""
    person = create_member(database, f"{seed}@example.org")
    where = [project(database, person) for _ in range(2)]
    book(database, person, *histories.invent(random.Random(seed), where, until=DAY, days=30, clips_a_day=6))
    chosen = UsageQuery(DAY - timedelta(days=29), DAY)
    with database.read_session() as session:
        returned = histories.settled(session, person, chosen.since, chosen.until, EntryKind.RELEASE)
        rolled_up = reports.total(session, person, chosen)
        total = waste.total(session, person, chosen)

    assert waste.add_up(found_by(database, person, group, chosen=chosen)) == total
    assert total.returned_credits == returned == rolled_up.released_credits
    assert (total.failed, total.cancelled, total.rejected) == (
        rolled_up.failed,
        rolled_up.cancelled,
        rolled_up.rejected_count,
    )
