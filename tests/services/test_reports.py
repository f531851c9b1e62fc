import csv
import io
import random
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import errors
from core.audit import runs
from core.db import Database
from core.db.enums import EntryKind, Role
from core.ids import new_id
from core.projects import projects
from core.usage import export, reports
from core.usage.reports import Group, UsageQuery, UsageTotals
from core.workspaces.access import Member
from tests.factories import histories
from tests.factories.histories import Ended
from tests.factories.users import create_member, ensure_member

LAST = date(2026, 11, 21)
FIRST = LAST - timedelta(days=60)
ALL = UsageQuery(FIRST, LAST)

clips_of_two = st.lists(
    st.tuples(
        st.integers(0, 1),
        st.integers(0, 1),
        st.integers(0, 60),
        st.sampled_from(["demo-film", "kling-2.5", "veo3"]),
        st.sampled_from(histories.OUTCOMES),
        st.sampled_from([None, Decimal("0.25"), Decimal("0.333333")]),
        st.sampled_from([None, True, False]),
    ),
    max_size=40,
)


@pytest.fixture
def admin(database: Database) -> Member:
    """An administrator with a project."""
    return create_member(database, "root@example.org", credits=0, role=Role.ADMIN)


def project(database: Database, user: Member, name: str = "Lakes") -> str:
    """A new project of somebody."""
    with database.write_session() as session:
        return projects.create(session, user, name=name).id


def book(database: Database, user: Member, *clips: Ended) -> None:
    """Clips of one person."""
    with database.write_session() as session:
        histories.book(session, user, clips)


def rows(database: Database, user: Member, chosen: UsageQuery, *groups: Group) -> list[reports.Row]:
    """Figures as a list."""
    with database.read_session() as session:
        return list(reports.aggregate(session, user, chosen, groups))


@pytest.mark.both_databases
@given(drawn=clips_of_two, back=st.integers(0, 60), length=st.integers(0, 60))
def test_every_grouping_equals_the_ledger(
    database: Database, admin: Member, drawn: list[tuple[Any, ...]], back: int, length: int
) -> None:
    """Whatever is added up by whatever, for one person or all, it comes to what the ledger settled and released."""
    until = LAST - timedelta(days=back)
    since = max(FIRST, until - timedelta(days=length))
    with database.write_session() as session:
        for who in range(2):
            one = ensure_member(session, f"{new_id()}@example.org", signup_credits=0)
            mine = [projects.create(session, one, name=f"P{n}").id for n in range(2)]
            clips = [
                Ended(FIRST + timedelta(days=day), mine[which], model, outcome, reported_usd=usd, kept=kept)
                for whose, which, day, model, outcome, usd, kept in drawn
                if whose == who
            ]
            histories.book(session, one, clips)
    with database.read_session() as session:
        for person, chosen in ((one, UsageQuery(since, until)), (admin, UsageQuery(since, until, everybody=True))):
            whose = None if chosen.everybody else person
            spent = histories.settled(session, whose, since, until)
            given_back = histories.settled(session, whose, since, until, EntryKind.RELEASE)
            for groups in ((), *((group,) for group in Group), (Group.WEEK, Group.PROJECT), export.DEFAULT):
                found = list(reports.aggregate(session, person, chosen, groups))
                total = reports.add_up(found)
                assert (total.settled_credits, total.released_credits) == (spent, given_back)
                if not groups:
                    continue
                written = list(csv.DictReader(io.StringIO(b"".join(export.usage(found, groups)).decode("utf-8-sig"))))
                assert int(written[-1]["spent_credits"]) == spent
                assert sum(int(line["spent_credits"]) for line in written[:-1]) == spent


def test_weeks_begin_on_monday_and_months_on_the_first(database: Database, person: Member) -> None:
    """Sunday and Monday are of two weeks, the last and the first of two months, on both databases."""
    mine = project(database, person)
    sunday, monday = date(2026, 11, 1), date(2026, 11, 2)
    book(database, person, *(Ended(day, mine, "demo-film") for day in (date(2026, 10, 31), sunday, monday)))

    weeks = rows(database, person, ALL, Group.WEEK)
    months = rows(database, person, ALL, Group.MONTH)

    assert [(row.keys, row.figures.completed) for row in weeks] == [
        ({"week": "2026-10-26"}, 2),
        ({"week": "2026-11-02"}, 1),
    ]
    assert [(row.keys["month"], row.figures.completed) for row in months] == [("2026-10", 1), ("2026-11", 2)]


@pytest.mark.both_databases
def test_names_come_with_their_ids(database: Database, person: Member, admin: Member) -> None:
    """Projects have their names and people their addresses beside them."""
    mine = project(database, person, "Dunes")
    book(database, person, Ended(LAST, mine, "demo-film"))

    [row] = rows(database, admin, replace(ALL, everybody=True), Group.PROJECT, Group.USER)

    assert row.keys == {
        "project_id": mine,
        "project_name": "Dunes",
        "user_id": person.id,
        "user_email": "ana@example.org",
    }


def test_whose_figures(database: Database, person: Member, admin: Member) -> None:
    """A person sees their own; everybody's are for administrators, who can narrow them to one person."""
    book(database, person, Ended(LAST, project(database, person), "demo-film"))
    book(database, admin, Ended(LAST, project(database, admin), "veo3"))
    everybody = replace(ALL, everybody=True)

    assert [row.keys["model_id"] for row in rows(database, person, ALL, Group.MODEL)] == ["demo-film"]
    assert [row.keys["model_id"] for row in rows(database, admin, ALL, Group.MODEL)] == ["veo3"]
    assert len(rows(database, admin, everybody, Group.MODEL)) == 2
    assert len(rows(database, admin, replace(everybody, user_id=person.id), Group.MODEL)) == 1
    assert rows(database, person, replace(ALL, user_id=admin.id), Group.MODEL) == []
    with pytest.raises(errors.Forbidden):
        rows(database, person, everybody)


def test_project_of_somebody_else(database: Database, person: Member, admin: Member) -> None:
    """Somebody else's project does not exist, but for an administrator who looks at everybody."""
    theirs = project(database, admin)
    with pytest.raises(errors.NotFound):
        rows(database, person, replace(ALL, project_id=theirs))
    with pytest.raises(errors.NotFound):
        rows(database, admin, replace(ALL, project_id=new_id(), everybody=True))
    mine = project(database, person)
    assert rows(database, admin, replace(ALL, project_id=mine, everybody=True))[0].figures == UsageTotals()


def test_cost_is_reported_where_it_was_and_estimated_elsewhere(database: Database, person: Member) -> None:
    """A reported cost stands in for its estimate, at the rate of the price list; the margin is what is left."""
    mine = project(database, person)
    book(
        database,
        person,
        Ended(LAST, mine, "kling-2.5", reported_usd=Decimal("0.40")),
        Ended(LAST, mine, "kling-2.5"),
    )

    [row] = rows(database, person, ALL, Group.MODEL)

    estimate = 5_775  # 5 s * $0.07 * Rp 16,500
    assert row.figures.reported_cost_idr == 6600
    assert row.figures.still_estimated_idr == estimate
    assert row.figures.cost_idr == 6600 + estimate
    assert row.figures.margin_idr == 1000 * 50 - row.figures.cost_idr


def test_cost_of_a_kept_second(database: Database, person: Member) -> None:
    """All credits charged over the seconds kept; nothing before anybody kept a clip."""
    mine = project(database, person)
    book(database, person, Ended(LAST, mine, "demo-film", kept=False))
    assert rows(database, person, ALL)[0].figures.credits_per_kept_second is None

    book(database, person, Ended(FIRST, mine, "demo-film", kept=True))
    assert rows(database, person, ALL)[0].figures.credits_per_kept_second == 100 / 5


def test_figures_when_nothing_ended(database: Database, person: Member) -> None:
    """Nothing is zeros in all, and no row in any group."""
    assert [row.figures for row in rows(database, person, ALL)] == [UsageTotals()]
    assert rows(database, person, ALL, Group.DAY) == []
    assert UsageTotals().success_rate is None


@pytest.mark.both_databases
@pytest.mark.parametrize("everybody", [False, True])
def test_selection_at_the_ends_of_the_calendar(database: Database, admin: Member, everybody: bool) -> None:
    """The first and the last day there are can be asked for."""
    longest = timedelta(days=reports.LONGEST_DAYS - 1)
    for since, until in ((date.min, date.min + longest), (date.max - longest, date.max)):
        chosen = UsageQuery(since, until, everybody=everybody)

        assert rows(database, admin, chosen, Group.WEEK) == []
        assert reports.moments(chosen)[1].year in (3, 9999)


@pytest.mark.parametrize(("since", "until"), [(LAST, FIRST), (LAST - timedelta(days=reports.LONGEST_DAYS), LAST)])
def test_selection_when_its_period_cannot_be_added_up(since: date, until: date) -> None:
    """Two years and a day, and a period that runs backwards, are refused by field, whichever door asks."""
    with pytest.raises(errors.InvalidRequest) as refused:
        UsageQuery(since, until)
    assert list(refused.value.fields) == ["since"]


def test_history_of_tests_is_sound(database: Database, person: Member) -> None:
    """Histories that tests look at keep every rule of money that they touch."""
    clips = list(histories.invent(random.Random(5), [project(database, person)], until=LAST, days=20, clips_a_day=3))
    book(database, person, *clips)
    with database.read_session() as session:
        broken = [result.code for result in runs.run(session) if not result.holds]
    assert broken == ["first_event"]
