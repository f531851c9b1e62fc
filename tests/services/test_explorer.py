import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete

from core import errors
from core.clock import utc_now
from core.db import Database
from core.db.enums import EntryKind, Role, Status, WorkspaceRole
from core.db.tables import ExchangeRate, UndeliveredDay
from core.generations import commands, lifecycle, review
from core.generations.review import Changes
from core.ids import new_id
from core.projects import projects, transfer
from core.usage import explorer, explorer_file, periods
from core.usage.cache import UsageCache
from core.usage.dimensions import UNKNOWN, Dimension, Interval
from core.usage.exploration import Amounts, Exploration, ExploreQuery, Measure
from core.usage.periods import Period
from core.usage.reports import UsageQuery
from core.usage.spreadsheet import SpreadsheetFormat
from core.workspaces.access import Member
from tests.factories import histories, workspaces
from tests.factories.books import broken_rules
from tests.factories.generations import create_completed, create_generation
from tests.factories.histories import Ended
from tests.factories.users import create_member, ensure_member

LAST = date(2026, 11, 21)
FIRST = LAST - timedelta(days=40)
ALL = UsageQuery(FIRST, LAST)
PAIRS = [*((one,) for one in Dimension), *combinations(Dimension, 2)]

drawn_clips = st.lists(
    st.builds(
        lambda who, which, day, model, outcome, reason, tags: (
            who,
            which,
            day,
            model,
            outcome,
            reason if outcome is Status.FAILED else "",
            tuple(sorted(tags)),
        ),
        st.integers(0, 1),
        st.integers(0, 1),
        st.integers(0, 40),
        st.sampled_from(["demo-film", "kling-2.5", "veo3"]),
        st.sampled_from(histories.OUTCOMES),
        st.sampled_from(["generation_failed", "content_refused", ""]),
        st.sets(st.sampled_from(["autumn", "hero", "test"])),
    ),
    max_size=30,
)

intervals = st.sampled_from([None, *Interval])


@pytest.fixture
def admin(database: Database) -> Member:
    """An administrator."""
    return create_member(database, "root@example.org", credits=0, role=Role.ADMIN)


def project(database: Database, user: Member, name: str = "Lakes") -> str:
    """A new project of somebody."""
    with database.write_session() as session:
        return projects.create(session, user, name=name).id


def book(database: Database, user: Member, *clips: Ended) -> None:
    """Clips of one person."""
    with database.write_session() as session:
        histories.book(session, user, clips)


def ask(database: Database, user: Member, *by: Dimension, chosen: UsageQuery = ALL, **more: Any) -> Exploration:
    """The answer to a question."""
    with database.read_session() as session:
        return explorer.explore(session, user, ExploreQuery(chosen, by, **more))


def keys(found: Exploration) -> dict[tuple[str, ...], Amounts]:
    """The amounts of each row."""
    return {tuple(value.key for value in row.values): row.amounts for row in found.rows}


def lines(found: Exploration) -> list[dict[str, str]]:
    """The file of an answer."""
    data = b"".join(explorer_file.write(found, SpreadsheetFormat.CSV)).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(data)))


Drawn = tuple[list[tuple[Any, ...]], int, int, Interval | None]


def check(database: Database, admin: Member, drawn: Drawn, pairs: Sequence[tuple[Dimension, ...]]) -> None:
    """Book clips of two people, and compare every answer about them with the ledger."""
    clips, back, length, over = drawn
    until = LAST - timedelta(days=back)
    since = max(FIRST, until - timedelta(days=length))
    with database.write_session() as session:
        for who in range(2):
            one = ensure_member(session, f"{new_id()}@example.org", signup_credits=0)
            mine = [projects.create(session, one, name=f"P{n}").id for n in range(2)]
            ended = [
                Ended(FIRST + timedelta(days=day), mine[which], model, outcome, reason=reason, tags=tags)
                for whose, which, day, model, outcome, reason, tags in clips
                if whose == who
            ]
            histories.book(session, one, ended)
    with database.read_session() as session:
        for person, everybody in ((one, False), (admin, True)):
            whose = None if everybody else person
            spent = histories.settled(session, whose, since, until)
            returned = histories.settled(session, whose, since, until, EntryKind.RELEASE)
            for by in pairs:
                asked = ExploreQuery(UsageQuery(since, until, everybody=everybody), by, over)
                found = explorer.explore(session, person, asked)
                assert (found.totals.spent_credits, found.totals.returned_credits) == (spent, returned)
                written = lines(found)
                assert (int(written[-1]["spent_credits"]), int(written[-1]["returned_credits"])) == (spent, returned)
                if Dimension.TAG in by:
                    assert not found.adds_up
                    assert sum(row.amounts.spent_credits for row in found.rows) >= spent
                    continue
                assert _sum(found.rows) == found.totals
                assert over is None or _sum(found.steps) == found.totals
                assert sum(int(line["spent_credits"]) for line in written[:-1]) == spent


@pytest.mark.both_databases
@given(drawn=st.tuples(drawn_clips, *[st.integers(0, 40)] * 2, intervals), by=st.sampled_from(PAIRS))
def test_any_history_equals_the_ledger(
    database: Database, admin: Member, drawn: Drawn, by: tuple[Dimension, ...]
) -> None:
    """However it is cut, for one workspace or all, rows, steps, totals and file come to what the ledger says."""
    check(database, admin, drawn, [by])


@pytest.mark.both_databases
def test_every_pair_of_dimensions_equals_the_ledger(database: Database, admin: Member) -> None:
    """Each dimension, and each two of them."""
    tags = ((), ("hero",), ("autumn", "hero"))
    clips = [
        (
            n % 2,
            n % 3 % 2,
            n,
            ("demo-film", "veo3")[n % 2],
            end,
            "provider_busy" if end is Status.FAILED else "",
            tags[n % 3],
        )
        for n, end in enumerate(histories.OUTCOMES * 4)
    ]
    check(database, admin, (clips, 29, 40, None), PAIRS)


def _sum(rows: Any) -> Amounts:
    """The counts and credits of rows added up, at the one rate that there is."""
    names = ("completed", "failed", "cancelled", "spent_credits", "returned_credits", "video_seconds")
    sums = {name: sum(getattr(row.amounts, name) for row in rows) for name in names}
    microusd = {
        f"{name}_microusd": int((2 * sums[f"{name}_credits"] * 50_000_000 + 16_500) // 33_000)
        for name in ("spent", "returned")
    }
    return Amounts(**sums, **microusd)


@pytest.mark.both_databases
def test_who_spent_what_on_which_project(database: Database, person: Member) -> None:
    """Rows name person and project, most first; shares are of the whole, and each row has its time before."""
    lakes, dunes = project(database, person), project(database, person, "Dunes")
    earlier = Ended(FIRST, dunes, "demo-film")
    book(database, person, *[Ended(LAST, lakes, "demo-film")] * 3, Ended(LAST, dunes, "demo-film"), earlier)
    october = Period(FIRST, FIRST)

    found = ask(database, person, Dimension.PERSON, Dimension.PROJECT, chosen=UsageQuery(LAST, LAST), compared=october)

    assert [[value.name for value in row.values] for row in found.rows] == [["ana", "Lakes"], ["ana", "Dunes"]]
    assert [(row.amounts.spent_credits, row.share) for row in found.rows] == [(150, 0.75), (50, 0.25)]
    assert [row.previous and row.previous.spent_credits for row in found.rows] == [0, 50]
    assert found.previous_totals is not None
    assert (found.totals.spent_idr, found.previous_totals.spent_credits) == (10_000, 50)


def test_projects_are_shown_with_more_than_their_name_beside_namesakes_only(
    database: Database, person: Member, admin: Member
) -> None:
    """On pages and in files a project is called by its name; where another of it is in the answer, whose they are."""
    other = create_member(database, "ben@example.org")
    book(database, person, Ended(LAST, project(database, person), "demo-film"))
    book(database, other, Ended(LAST, project(database, other, "Dunes"), "demo-film"))

    def shown() -> list[tuple[str, str]]:
        found = ask(database, admin, Dimension.PROJECT, chosen=replace(ALL, everybody=True))
        assert [line["project"] for line in lines(found)[:-1]] == [row.values[0].shown for row in found.rows]
        return sorted((row.values[0].shown, row.values[0].name) for row in found.rows)

    assert shown() == [("Dunes", "Dunes · ben"), ("Lakes", "Lakes · ana")]
    book(database, other, Ended(LAST, project(database, other, "Lakes"), "demo-film"))
    assert shown() == [
        ("Dunes", "Dunes · ben"),
        ("Lakes · ana", "Lakes · ana"),
        ("Lakes · ben", "Lakes · ben"),
    ]


@pytest.mark.both_databases
def test_what_was_there_before_only_is_told(database: Database, person: Member) -> None:
    """A project with nothing in these days stands there with its zero, so that what is before adds up, too."""
    book(database, person, Ended(FIRST, project(database, person, "Over"), "demo-film"))
    [row] = ask(database, person, Dimension.PROJECT, chosen=UsageQuery(LAST, LAST), compared=Period(FIRST, FIRST)).rows
    assert (row.values[0].name, row.amounts, row.share) == ("Over", Amounts(), None)
    assert row.previous is not None
    assert row.previous.spent_credits == 50


@pytest.mark.both_databases
def test_outcome_and_reason(database: Database, person: Member) -> None:
    """Failed and cancelled are told apart with what went back for each, and failures by the code of their error."""
    mine = project(database, person)
    book(
        database,
        person,
        Ended(LAST, mine, "demo-film"),
        Ended(LAST, mine, "demo-film", Status.FAILED, reason="content_refused"),
        Ended(LAST, mine, "kling-2.5", Status.FAILED, reason="provider_busy"),
        Ended(LAST, mine, "demo-film", Status.CANCELLED),
    )
    outcomes = keys(ask(database, person, Dimension.OUTCOME))
    reasons = keys(ask(database, person, Dimension.REASON, Dimension.MODEL, measure=Measure.RETURNED))

    assert {key: (each.clips, each.spent_credits, each.returned_credits) for (key,), each in outcomes.items()} == {
        "completed": (1, 50, 0),
        "failed": (2, 0, 550),
        "cancelled": (1, 0, 50),
    }
    assert {key: each.returned_credits for key, each in reasons.items()} == {
        ("provider_busy", "kling-2.5"): 500,
        ("content_refused", "demo-film"): 50,
        ("cancelled", "demo-film"): 50,
        ("completed", "demo-film"): 0,
    }


@pytest.mark.both_databases
def test_reason_that_was_not_counted(database: Database, person: Member) -> None:
    """What ended while a process of an older release was at work has no reason, and is left out of nothing."""
    book(database, person, Ended(LAST, project(database, person), "demo-film", Status.FAILED, reason="provider_busy"))
    with database.write_session() as session:
        session.execute(delete(UndeliveredDay))
    [row] = ask(database, person, Dimension.REASON).rows
    assert (row.values[0].key, row.amounts.failed, row.amounts.returned_credits) == (UNKNOWN, 1, 50)


@pytest.mark.both_databases
def test_reasons_follow_the_ledger_from_order_to_end(database: Database, person: Member) -> None:
    """What really fails and is cancelled is counted in the same transaction, with the code of its error."""
    create_completed(database, person)
    for end in ("fail", "cancel"):
        row = create_generation(database, person)
        with database.write_session() as session:
            locked = lifecycle.locked(session, row.id)
            assert locked is not None
            if end == "fail":
                lifecycle.fail(session, locked, errors.GenerationFailed())
            else:
                lifecycle.cancel(session, locked, actor="test")
    today = periods.named("1", datetime.now(UTC).date())
    found = keys(
        ask(database, person, Dimension.REASON, chosen=UsageQuery(today.since - timedelta(days=1), today.until))
    )
    assert {key: each.clips for (key,), each in found.items()} == {
        "completed": 1,
        "generation_failed": 1,
        "cancelled": 1,
    }


@pytest.mark.both_databases
def test_tags(database: Database, person: Member) -> None:
    """A clip stands under each of its tags, one without under none, and the total counts each once."""
    mine = project(database, person)
    book(
        database,
        person,
        Ended(LAST, mine, "demo-film", tags=("autumn", "hero")),
        Ended(LAST, mine, "demo-film", Status.FAILED, reason="provider_busy", tags=("hero",)),
        Ended(LAST, mine, "demo-film"),
    )
    found = ask(database, person, Dimension.TAG, Dimension.OUTCOME)
    assert {key: each.clips for key, each in keys(found).items()} == {
        ("autumn", "completed"): 1,
        ("hero", "completed"): 1,
        ("hero", "failed"): 1,
        (UNKNOWN, "completed"): 1,
    }
    assert (found.totals.clips, found.totals.spent_credits, found.adds_up) == (3, 100, False)


changes_of_tags = st.lists(
    st.tuples(
        st.integers(0, 5),
        st.sampled_from(["add", "remove", "replace", "end", "move"]),
        st.sets(st.sampled_from(["autumn", "hero", "test"])),
    ),
    max_size=12,
)


@pytest.mark.both_databases  # each has its own way to write what a tag tells
@given(changes_of_tags)
def test_usage_by_tag_is_a_plain_count_whatever_is_done(
    database: Database, acts: list[tuple[int, str, set[str]]]
) -> None:
    """Tags are put on and taken off before and after clips end, and clips are moved: each counts under its tags."""
    owner = create_member(database, f"{new_id()}@example.org")
    mine, other = project(database, owner), project(database, owner, "Dunes")
    rows = [create_completed(database, owner, project_id=mine) for _ in range(3)]
    rows += [create_generation(database, owner, project_id=mine) for _ in range(3)]
    tags: dict[str, set[str]] = {row.id: set() for row in rows}
    ended = {row.id for row in rows[:3]}
    for place, act, some in acts:
        id = rows[place].id
        if act == "end":
            if id not in ended:
                with database.write_session() as session:
                    commands.cancel(session, owner, id)
                ended.add(id)
            continue
        changes = {
            "add": Changes(add_tags=some),
            "remove": Changes(remove_tags=some),
            "replace": Changes(tags=some),
            "move": Changes(project_id=other if id in ended else None),
        }[act]
        with database.write_session() as session:
            review.update(session, owner, id, changes)
        tags[id] = {"add": tags[id] | some, "remove": tags[id] - some, "replace": some, "move": tags[id]}[act]

    today = utc_now().date()
    chosen = UsageQuery(today - timedelta(days=1), today + timedelta(days=1))
    found = keys(ask(database, owner, Dimension.TAG, Dimension.PROJECT, chosen=chosen))
    counted = Counter((tag, mine) for id in ended for tag in (tags[id] or {UNKNOWN}))
    assert {key: figures.clips for key, figures in found.items()} == counted
    assert {rule for rule in broken_rules(database) if "tag" in str(rule)} == set()


@pytest.mark.both_databases
def test_tags_of_a_clip_that_went_to_another_workspace(database: Database, person: Member) -> None:
    """Who paid for it is not told what it is tagged with where it is now."""
    team = workspaces.create_team_of(database, person)
    there = workspaces.now(database, person)
    row = create_completed(database, there)
    with database.write_session() as session:
        review.update(session, there, row.id, Changes(add_tags=("secret",)))
        transfer.transfer(session, there, row.project_id, to_workspace_id=team, quota_bytes=None)
    today = datetime.now(UTC).date()
    chosen = UsageQuery(today - timedelta(days=1), today)
    here = ask(database, there, Dimension.TAG, chosen=chosen)
    assert list(keys(here)) == [(UNKNOWN,)]
    assert here.totals.spent_credits == 50
    assert ask(database, there.moved_to(team), Dimension.TAG, chosen=chosen).rows == []


@pytest.mark.both_databases
def test_transfer_takes_reasons_along_with_the_charges(database: Database, person: Member) -> None:
    """What failed in a project that went elsewhere stays with the archived one that keeps its charges."""
    team = workspaces.create_team_of(database, person)
    there = workspaces.now(database, person)
    mine = project(database, person)
    book(database, person, Ended(LAST, mine, "demo-film", Status.FAILED, reason="provider_busy"))
    with database.write_session() as session:
        left = transfer.transfer(session, there, mine, to_workspace_id=team, quota_bytes=None).left_behind
    assert left is not None
    found = keys(ask(database, there, Dimension.PROJECT, Dimension.REASON))
    assert {key: each.failed for key, each in found.items()} == {(left.id, "provider_busy"): 1}


@pytest.mark.both_databases
def test_days_of_the_week_and_steps(database: Database, person: Member) -> None:
    """Monday is 1 and Sunday 7; a week is its Monday and a month `2026-11`, on both databases."""
    mine = project(database, person)
    sunday, monday = date(2026, 11, 1), date(2026, 11, 2)
    book(
        database, person, *(Ended(day, mine, "demo-film", tags=("a",)) for day in (date(2026, 10, 31), sunday, monday))
    )
    for by in ((Dimension.WEEKDAY,), (Dimension.WEEKDAY, Dimension.TAG)):
        assert sorted(key[0] for key in keys(ask(database, person, *by))) == ["1", "6", "7"]
    for over, steps in (
        (Interval.DAY, ["2026-10-31", "2026-11-01", "2026-11-02"]),
        (Interval.WEEK, ["2026-10-26", "2026-11-02"]),
        (Interval.MONTH, ["2026-10", "2026-11"]),
    ):
        for dimension in (Dimension.MODEL, Dimension.TAG):
            assert [step.at for step in ask(database, person, dimension, over=over).steps] == steps


@pytest.mark.both_databases
def test_month_borders(database: Database, person: Member) -> None:
    """The last day of a month is in it and the first of the next is not, for roll-ups and clips alike."""
    mine = project(database, person)
    days = (date(2026, 9, 30), date(2026, 10, 1), date(2026, 10, 31), date(2026, 11, 1))
    book(database, person, *(Ended(day, mine, "demo-film", tags=("a",)) for day in days))
    october = periods.named("2026-10", LAST)
    for dimension in (Dimension.PERSON, Dimension.TAG):
        found = ask(database, person, dimension, chosen=UsageQuery(*october))
        assert [row.amounts.clips for row in found.rows if row.values[0].key] == [2]
        assert found.totals.clips == 2


@pytest.mark.both_databases
def test_names_do_not_depend_on_the_period(database: Database, person: Member) -> None:
    """Namesakes keep their numbers whichever are there, and a new name is that of all periods; ids stay."""
    first, second = project(database, person, "Reel"), project(database, person, "Reel")
    book(database, person, Ended(FIRST, second, "demo-film"), Ended(LAST, first, "demo-film"))
    with database.write_session() as session:
        projects.update(session, person, second, archived=True)

    def names(chosen: UsageQuery) -> dict[str, str]:
        return {
            row.values[0].key: row.values[0].name
            for row in ask(database, person, Dimension.PROJECT, chosen=chosen).rows
        }

    both = names(ALL)
    assert both == {first: "Reel", second: "Reel (2)"}
    assert names(UsageQuery(FIRST, FIRST)) == {second: "Reel (2)"}
    with database.write_session() as session:
        projects.update(session, person, first, name="Showreel")
    assert names(UsageQuery(LAST, LAST)) == {first: "Showreel"}
    assert names(ALL)[first] == "Showreel"


@pytest.mark.both_databases
def test_dollars_at_the_rate_of_each_day(database: Database, person: Member) -> None:
    """A rate counts from the first day that begins with it, and the sum is rounded once however it is cut."""
    mine = project(database, person)
    book(database, person, *(Ended(LAST - timedelta(days=n), mine, "demo-film", tags=("a",)) for n in range(4)))
    with database.write_session() as session:
        noon = datetime(LAST.year, LAST.month, LAST.day - 2, 12, tzinfo=UTC)
        session.add(ExchangeRate(since=noon, idr_per_usd=17_000))
        session.add(ExchangeRate(since=noon.replace(hour=0, day=LAST.day), idr_per_usd=15_000))
    expected = round(1e6 * 2500 * (2 / 16_500 + 1 / 17_000 + 1 / 15_000))
    for by in ((Dimension.PERSON,), (Dimension.WEEKDAY, Dimension.MODEL), (Dimension.TAG,)):
        for over in (None, Interval.DAY):
            assert ask(database, person, *by, over=over).totals.spent_microusd == expected
    [row] = ask(database, person, Dimension.TAG).rows
    assert row.amounts.spent_microusd == expected


def test_whose_figures(database: Database, person: Member, admin: Member) -> None:
    """The present workspace, all of one's own, or everybody's for who may; nobody else's by a project's id."""
    team = workspaces.create_team_of(database, person)
    ana = workspaces.now(database, person)
    ben = workspaces.put_in(database, create_member(database, "ben@example.org"), team, WorkspaceRole.VIEWER)
    there = ana.moved_to(team)
    book(database, ana, Ended(LAST, project(database, ana), "demo-film"))
    book(database, there, Ended(LAST, project(database, there, "Ours"), "kling-2.5"))
    hers = project(database, admin)
    book(database, admin, Ended(LAST, hers, "veo3"))

    def spent(who: Member, **more: Any) -> int:
        return ask(database, who, Dimension.WORKSPACE, Dimension.TAG, **more).totals.spent_credits

    everybody = replace(ALL, everybody=True)
    assert [spent(who) for who in (ana, there, ben.moved_to(team))] == [50, 500, 500]
    assert (spent(ana, everywhere=True), spent(ben, everywhere=True)) == (550, 500)
    assert spent(admin, chosen=everybody) >= 550
    for refused in (ana, ben):
        with pytest.raises(errors.Forbidden):
            spent(refused, chosen=everybody)
        with pytest.raises(errors.NotFound):
            spent(refused, chosen=replace(ALL, project_id=hers))


def test_clips_of_a_row(database: Database, person: Member) -> None:
    """A row leads to what the library can show: nothing where it has no such filter, or shows other workspaces."""
    mine = project(database, person)
    failed = Ended(LAST, mine, "demo-film", Status.FAILED, reason="provider_busy", tags=("a",))
    book(database, person, failed, Ended(LAST, mine, "demo-film"))

    by_reason = {
        row.values[1].key: row.clips for row in ask(database, person, Dimension.PROJECT, Dimension.REASON).rows
    }
    assert by_reason["provider_busy"] is not None
    assert (by_reason["provider_busy"].project_id, by_reason["provider_busy"].status) == (mine, Status.FAILED)
    by_tag = {row.values[0].key: row.clips for row in ask(database, person, Dimension.TAG, Dimension.PERSON).rows}
    assert by_tag["a"] is not None
    assert (by_tag["a"].tag, by_tag["a"].maker_id) == ("a", person.id)
    assert by_tag[UNKNOWN] is None
    assert {row.clips for row in ask(database, person, Dimension.WEEKDAY).rows} == {None}


def test_texts_in_files_are_no_formulas(database: Database, person: Member) -> None:
    """A project or a tag that looks like a formula is a text."""
    book(database, person, Ended(LAST, project(database, person, "=SUM(A1)"), "demo-film", tags=("@cmd",)))
    [line, total] = lines(ask(database, person, Dimension.PROJECT, Dimension.TAG))
    assert (line["project"], line["tag"], total["project_id"]) == ("'=SUM(A1)", "'@cmd", "total")


@pytest.mark.parametrize("by", [(), (Dimension.TAG,) * 2, (Dimension.TAG, Dimension.MODEL, Dimension.PERSON)])
def test_dimensions_that_are_too_few_many_or_the_same(by: tuple[Dimension, ...]) -> None:
    """One or two different ones."""
    with pytest.raises(errors.InvalidRequest):
        ExploreQuery(ALL, by)


def test_kept_figures_are_never_out_of_date(database: Database, person: Member) -> None:
    """With a cache the answer is that without, after an end, a tag, a renamed project and another dollar."""
    cache = UsageCache()
    mine = project(database, person)
    today = utc_now().date()
    chosen = UsageQuery(today - timedelta(days=2), today)
    row = create_completed(database, person, project_id=mine)

    def end() -> None:
        create_completed(database, person, project_id=mine)

    def tag() -> None:
        with database.write_session() as session:
            review.update(session, person, row.id, Changes(add_tags=("hero",)))

    def rename() -> None:
        with database.write_session() as session:
            projects.update(session, person, mine, name="Dunes")

    def dearer() -> None:
        with database.write_session() as session:
            session.add(ExchangeRate(since=utc_now() - timedelta(days=5), idr_per_usd=33_000))

    for act in (end, tag, rename, dearer):
        act()
        for by in ((Dimension.TAG, Dimension.PROJECT), (Dimension.MODEL,)):
            for everywhere in (False, True):
                asked = ExploreQuery(chosen, by, everywhere=everywhere)
                with database.read_session() as session:
                    kept = [explorer.explore(session, person, asked, cache) for _ in range(2)]
                    assert kept == [explorer.explore(session, person, asked)] * 2
