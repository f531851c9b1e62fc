import csv
import io
import json
import random
import re
from datetime import date, timedelta
from typing import Any

import pytest
from streamlit import dataframe_util
from streamlit.testing.v1 import AppTest

from core import db
from core.billing import ledger
from core.clock import utc_now
from core.db.enums import EntryKind, Role, Status
from core.identity import users
from core.projects import projects
from core.usage import budgets, reports
from core.usage.reports import Group, UsageQuery
from core.usage.spreadsheet import SpreadsheetFormat
from core.workspaces import members
from core.workspaces.access import Member
from pages.sections.usage import choice as usage_choice
from pages.sections.usage import figures
from pages.sections.usage import tables as usage_tables
from pages.sections.usage.choice import Choice
from pages.ui import language
from tests.factories import histories
from tests.factories.histories import Ended
from tests.factories.studio import Studio
from tests.factories.users import ensure_member
from tests.pages.conftest import Open, sent, widget

TODAY = utc_now().date()


def metrics(at: AppTest) -> dict[str, str]:
    """What the page shows at its head."""
    assert not at.error
    [spent] = [found for html in at.html if (found := re.search(r"<strong>([\d,.]+) credits?</strong>", html.value))]
    return {"Spent credits": spent[1]} | {metric.label: metric.value for metric in at.metric}


def charts(at: AppTest) -> dict[str, list[dict[Any, Any]]]:
    """The values of each chart, by its alternative text."""
    found = {}
    for chart in at.get("vega_lite_chart"):
        frame = dataframe_util.convert_arrow_bytes_to_pandas_df(chart.proto.data.data)
        found[chart.proto.alt] = frame.to_dict("records")
    return found


def values(at: AppTest, start: str) -> list[dict[Any, Any]]:
    """The values of the one chart whose alternative text begins so."""
    [found] = [values for alt, values in charts(at).items() if alt.startswith(start)]
    return found


def table(at: AppTest, column: str) -> Any:
    """The one table that has a column of this name."""
    [found] = [frame.value for frame in at.dataframe if column in frame.value.columns]
    return found


def read(data: bytes) -> list[list[str]]:
    """The lines of a CSV file."""
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))


def book(person: Member, *clips: Ended) -> None:
    """Clips of one person."""
    with db.write_session() as session:
        histories.book(session, person, clips)


def alone() -> Member:
    """Take the administrator's role from the one local person."""
    with db.write_session() as session:
        person = users.get(session, "demo@localhost")
        person.role = Role.USER
        return members.at_work(session, person)


def test_without_anything_ended_the_page_says_so(open_page: Open, studio: Studio) -> None:
    """An empty period has a way out."""
    at = open_page("usage")
    assert not at.error
    assert any("No clip ended in this period" in text.value for text in at.markdown)
    assert charts(at) == {}


def test_figures_equal_the_ledger(open_page: Open, studio: Studio) -> None:
    """Spent and given back are what the ledger settled and released."""
    project = studio.project()
    studio.complete(studio.order(project, "one"))
    studio.complete(studio.order(project, "two", model_id="seedance-t2v"))
    studio.fail(studio.order(project, "three"))
    with db.read_session() as session:
        entries = ledger.entries(session, studio.person.id)
    settled = sum(entry.amount_credits for entry in entries if entry.kind is EntryKind.SETTLE)
    released = sum(entry.amount_credits for entry in entries if entry.kind is EntryKind.RELEASE)
    shown = metrics(open_page("usage", show="outcome")) | metrics(open_page("usage"))
    assert (settled, released) == (450, 50)
    assert shown["Spent credits"] == f"{settled:,}"
    assert shown["Credits returned"] == f"{released:,}"
    assert shown["Clips"] == "2"
    assert shown["Success rate"] == "67%"
    assert shown["Seconds of video"] == "10"
    assert shown["Credits per kept second"] == "–"


@pytest.mark.parametrize("step", ["day", "week", "month"])
@pytest.mark.parametrize("by", ["model", "provider", "project", "user"])
def test_a_year_of_everybody_equals_the_ledger(open_page: Open, studio: Studio, step: str, by: str) -> None:
    """However a year is cut and stacked, page, chart, table and CSV come to what the ledger settled."""
    dice = random.Random(7)
    with db.write_session() as session:
        other = ensure_member(session, "ana@example.org", signup_credits=0)
        many = [projects.create(session, other, name="One name").id for _ in range(12)]
    clips = list(histories.invent(dice, many, until=TODAY, days=365, clips_a_day=1))
    book(other, *clips)
    book(studio.person, *(Ended(TODAY - timedelta(days=n), studio.project().id, "demo-film") for n in range(3)))
    with db.read_session() as session:
        settled = histories.settled(session, None, TODAY - timedelta(days=364), TODAY)

    at = open_page("usage", period="365", people="everybody", step=step, by=by)

    assert metrics(at)["Spent credits"] == f"{settled:,}"
    stacked = values(at, "Bars of credits spent, ")
    assert sum(value["amount"] for value in stacked) == settled
    assert len({value["series"] for value in stacked}) <= 6
    at.session_state["usage_projects_tabs"] = "Table"
    assert table(at.run(), "Share")["Credits"].sum() == settled
    widget(at, "usage_show").set_value("cost").run()
    at.session_state["usage_cost_tabs"] = "Table"
    assert table(at.run(), "Charged, Rp")["Charged, Rp"].sum() == settled * 50
    selection = reports.UsageQuery(TODAY - timedelta(days=364), TODAY, everybody=True)
    choice = Choice(selection, reports.Group(step), reports.Group(by))
    [head, *lines, total] = read(figures.spend_file(studio.person, choice, SpreadsheetFormat.CSV))
    place = head.index("spent_credits")
    assert (head[0], total[0]) == (step, "total")
    assert int(total[place]) == sum(int(line[place]) for line in lines) == settled
    if by == "project":
        names = {value["series"] for value in stacked}
        assert {"Others", "One name (2) · ana"} <= names


def test_chart_stacks_the_days_by_model(open_page: Open, studio: Studio) -> None:
    """The bars add up to what was spent and carry words for those who cannot see them."""
    project = studio.project()
    studio.complete(studio.order(project, "one"))
    studio.complete(studio.order(project, "two", model_id="seedance-t2v"))
    at = open_page("usage")
    assert {(value["series"], value["amount"]) for value in values(at, "Bars of credits spent, ")} == {
        ("Demo Film", 50),
        ("Seedance T2V", 400),
    }
    assert any("stacked by model; 450 credits in all" in alt for alt in charts(at))


def test_part_of_a_bar_tells_the_whole_bar_and_leads_to_its_clips(open_page: Open, studio: Studio) -> None:
    """What a pointer is told names each model of the day, the most first; a click asks the library for its clips."""
    project = studio.project()
    studio.complete(studio.order(project, "one"))
    studio.complete(studio.order(project, "two", model_id="seedance-t2v"))
    at = open_page("usage")
    drawn = next(chart for chart in at.get("vega_lite_chart") if chart.proto.alt.startswith("Bars of credits spent, "))
    spec = json.loads(drawn.proto.spec)
    told = {entry["title"]: entry["field"] for entry in spec["encoding"]["tooltip"]}
    assert list(told)[-3:] == ["Seedance T2V", "Demo Film", "In all"]
    (day,) = spec["transform"][0]["from"]["data"]["values"]
    assert [day[told[name]] for name in ("Seedance T2V", "Demo Film", "In all")] == [400, 50, 450]

    choice = Choice(UsageQuery(date(2026, 10, 28), date(2026, 11, 4), model_id="m1"), Group.WEEK, Group.MODEL)
    assert choice.clips(date(2026, 10, 26)) == {"days": "2026-10-28..2026-11-01", "model": "m1"}
    assert choice.clips(date(2026, 11, 2)) == {"days": "2026-11-02..2026-11-04", "model": "m1"}


@pytest.mark.parametrize(
    ("show", "drawn"),
    [
        ({}, ["Bars of credits spent,", "Line of credits spent in", "Bars of credits spent in each"]),
        ({"show": "outcome"}, ["Bars of clips by how they ended", "Bars of credits returned"]),
        ({"show": "cost"}, ["Bars of what each model's clips were charged"]),
        ({"show": "nonsense"}, ["Bars of credits spent,", "Line of credits spent in", "Bars of credits spent in each"]),
    ],
)
def test_charts_are_chosen_by_the_address(
    open_page: Open, studio: Studio, show: dict[str, str], drawn: list[str]
) -> None:
    """Only those asked for are made; the figures at the head are the same with all of them."""
    mine = studio.project().id
    book(studio.person, Ended(TODAY, mine, "demo-film"), Ended(TODAY, mine, "demo-film", Status.FAILED))
    at = open_page("usage", **show)
    assert metrics(at)["Spent credits"] == "50"
    assert [any(alt.startswith(start) for alt in charts(at)) for start in drawn] == [True] * len(drawn)
    assert len(charts(at)) == len(drawn)


def test_period_is_kept_to(open_page: Open, studio: Studio) -> None:
    """Every period ends today, so what ended today is in all of them; own dates are kept in the address."""
    studio.complete(studio.order(studio.project(), "one"))
    at = open_page("usage")
    at.selectbox(key="usage_period").set_value("7").run()
    assert metrics(at)["Clips"] == "1"
    assert at.query_params["period"] == "7"
    at.selectbox(key="usage_period").set_value("own").run()
    at.date_input(key="usage_dates").set_value((date(2026, 1, 1), date(2026, 1, 2))).run()
    assert any("No clip ended in this period" in text.value for text in at.markdown)
    assert at.query_params["since"] == "2026-01-01"


def test_own_dates_of_the_address(open_page: Open, studio: Studio) -> None:
    """A link holds its dates; dates that cannot be are the last thirty days."""
    project = studio.project()
    day = TODAY - timedelta(days=200)
    book(studio.person, Ended(day, project.id, "demo-film"), Ended(TODAY, project.id, "veo3", duration_seconds=8))
    then = open_page("usage", period="own", since=day.isoformat(), until=day.isoformat())
    assert metrics(then)["Spent credits"] == "50"
    for since, until in (("yesterday", "today"), (TODAY.isoformat(), day.isoformat()), ("0001-01-01", "9999-12-31")):
        assert not open_page("usage", period="own", since=since, until=until).error


def test_choosing_a_model_or_project_narrows_everything(open_page: Open, studio: Studio) -> None:
    """What is chosen in the lists is in the address, and the address chooses it again."""
    lake, dunes = studio.project("Lake"), studio.project("Dunes")
    book(studio.person, Ended(TODAY, lake.id, "demo-film"), Ended(TODAY, dunes.id, "seedance-t2v"))
    at = open_page("usage")
    at.selectbox(key="usage_project").set_value(lake.id).run()
    assert metrics(at)["Spent credits"] == "50"
    assert at.query_params["project"] == lake.id
    again = open_page("usage", model="seedance-t2v")
    assert metrics(again)["Spent credits"] == "400"
    assert {value["name"] for value in values(again, "Bars of credits spent in each")} == {"Dunes"}
    assert any("No clip ended" in text.value for text in open_page("usage", project=lake.id, model="veo3").markdown)


def test_others_are_for_administrators(open_page: Open, studio: Studio) -> None:
    """People neither choose whose figures they see, nor get others' by an address."""
    with db.write_session() as session:
        other = ensure_member(session, "ana@example.org", signup_credits=0)
        theirs = projects.create(session, other, name="Theirs").id
    book(other, Ended(TODAY, theirs, "veo3", duration_seconds=8))
    book(studio.person, Ended(TODAY, studio.project().id, "demo-film"))

    both = open_page("usage", people="everybody")
    hers = open_page("usage", people=other.id)
    alone()
    own = open_page("usage", people="everybody", by="user", project=theirs)

    assert metrics(both)["Spent credits"] == "2,550"
    assert metrics(hers)["Spent credits"] == "2,500"
    assert metrics(own)["Spent credits"] == "50"
    assert "Made by" not in [box.label for box in own.selectbox]


def test_comparison_with_the_time_before(open_page: Open, studio: Studio) -> None:
    """Each figure says how it differs from the equally long time just before."""
    mine = studio.project().id
    book(studio.person, *(Ended(TODAY - timedelta(days=n), mine, "demo-film") for n in (0, 1, 2, 40)))
    at = open_page("usage")
    assert {metric.label: metric.delta for metric in at.metric}["Clips"] == "+200%"
    assert "+200%" in next(html.value for html in at.html if "studio-lead" in html.value)
    outcome = open_page("usage", show="outcome")
    assert {metric.label: metric.delta for metric in outcome.metric}["Success rate"] == "no change"


def test_cost_of_a_kept_second(open_page: Open, studio: Studio) -> None:
    """All credits over the seconds kept, once somebody has judged a clip."""
    mine = studio.project().id
    book(studio.person, Ended(TODAY, mine, "demo-film", kept=True), Ended(TODAY, mine, "demo-film", kept=False))
    assert metrics(open_page("usage"))["Credits per kept second"] == "20"


def test_budget_is_set_and_warned_of(open_page: Open, studio: Studio) -> None:
    """A budget set on the page is kept; the page warns when it is used up, and takes it away again."""
    studio.complete(studio.order(studio.project(), "one"))
    at = open_page("usage")
    at.number_input(key="usage_budget_credits_" + studio.person.workspace_id).set_value(49)
    at.button(key="usage_budget_save").click().run()
    assert any(
        "50 credits are spent this month, more than the budget of this workspace of 49" in text.value
        for text in at.markdown
    )
    with db.read_session() as session:
        assert budgets.of_workspace(session, studio.person) == 49
    at.number_input(key="usage_budget_credits_" + studio.person.workspace_id).set_value(None)
    at.button(key="usage_budget_save").click().run()
    assert not any("more than the budget" in text.value for text in at.markdown)


def test_forecast_is_shown_with_its_method_or_not_at_all(open_page: Open, studio: Studio) -> None:
    """With weeks of history the month has a forecast in words; with a day it says what is missing."""
    mine = studio.project().id
    book(studio.person, Ended(TODAY, mine, "demo-film"))
    first = [caption.value for caption in open_page("usage").caption]
    book(studio.person, *(Ended(TODAY - timedelta(days=n), mine, "demo-film") for n in range(1, 40)))
    later = [caption.value for caption in open_page("usage").caption]
    is_last_day = (TODAY + timedelta(days=1)).day == 1
    assert is_last_day or any("needs five days" in text for text in first)
    assert is_last_day or any("daily average of the last 4 whole weeks" in text for text in later)


def test_legend_says_what_each_series_came_to(open_page: Open, studio: Studio) -> None:
    """Credits, rupiah, share and change stand beside the chart; of a kept second too few verdicts say nothing."""
    mine = studio.project().id
    before = Ended(TODAY - timedelta(days=40), mine, "demo-film")
    book(studio.person, before, Ended(TODAY, mine, "demo-film"), Ended(TODAY, mine, "seedance-t2v", kept=True))
    legend = sent(open_page("usage"), "sorted_table") or {}
    assert [[text for text, _value in row] for row in legend["rows"]] == [
        ["Seedance T2V", "400", "20,000", "89%", "–"],
        ["Demo Film", "50", "2,500", "11%", "no change"],
    ]
    assert legend["swatches"] == [1, 2]
    models = sent(open_page("usage", show="outcome"), "sorted_table") or {}
    assert [row[0][0] for row in models["rows"]] == ["Seedance T2V", "Demo Film"]
    assert models["rows"][0][-2:] == [["1", 1], ["–", None]]


def test_what_if(open_page: Open, studio: Studio) -> None:
    """Nothing is priced while it is closed; open, it compares the same clips and lists what cannot be made."""
    mine = studio.project().id
    book(
        studio.person,
        Ended(TODAY, mine, "demo-film"),
        Ended(TODAY, mine, "demo-film", duration_seconds=3),
    )
    at = open_page("usage", show="cost")
    assert "usage_what_if_model" not in [box.key for box in at.selectbox]
    at.session_state["usage_what_if"] = True
    at.run()
    at.selectbox(key="usage_what_if_model").set_value("seedance-t2v").run()
    tables = " ".join(html.value for html in at.html)
    assert not at.error
    assert "Seedance T2V makes clips of 5 seconds." in tables
    assert "+350" in tables


def test_what_if_the_provider_takes_more(open_page: Open, studio: Studio) -> None:
    """Another price of the provider's and another dollar change the cost and the margin, and no charge."""
    book(studio.person, Ended(TODAY, studio.project().id, "kling-2.5"))
    at = open_page("usage", show="cost")
    at.session_state["usage_what_if"] = True
    at.run()
    at.selectbox(key="usage_what_if_model").set_value("kling-2.5").run()
    at.number_input(key="usage_what_if_vendor").set_value(150).run()
    at.number_input(key="usage_what_if_dollar").set_value(33_000).run()

    assert not at.error
    tables = " ".join(html.value for html in at.html)
    assert "Rp 5,775" in tables
    assert "Rp 17,325" in tables
    assert "+Rp 11,550" in tables


def test_margin_of_each_model_is_for_those_who_see_everybody(open_page: Open, studio: Studio) -> None:
    """Losses and markups beyond what is meant are marked for administrators and analysts; others see no such table."""
    book(studio.person, Ended(TODAY, studio.project().id, "demo-film"))
    tables = " ".join(html.value for html in open_page("usage", show="cost").html)
    alone()
    others = " ".join(html.value for html in open_page("usage", show="cost").html)

    assert "Sold at a loss in 4 settings, worst in 1080p with 12 s" in tables
    assert "0.84×" in tables
    assert "Nobody knows the provider" in tables
    assert "Sold at a loss" not in others


def test_project_is_called_the_same_in_every_period(open_page: Open, studio: Studio) -> None:
    """Charts, lists and files say whose a project is, and a number of two namesakes does not depend on the days."""
    with db.write_session() as session:
        other = ensure_member(session, "ana@example.org", signup_credits=0)
        first, second = (projects.create(session, other, name="TikTok").id for _ in range(2))
    mine = studio.project("TikTok").id
    early = TODAY - timedelta(days=60)
    book(other, Ended(early, first, "demo-film"), Ended(TODAY, second, "demo-film"), Ended(early, second, "demo-film"))
    book(studio.person, Ended(TODAY, mine, "demo-film"))

    for period, expected in (("30", {"TikTok (2) · ana", "TikTok · demo"}), ("90", {"TikTok · ana"})):
        at = open_page("usage", people="everybody", by="project", period=period)
        stacked = {value["series"] for value in values(at, "Bars of credits spent, ")}
        assert expected <= stacked
        assert stacked <= set(at.selectbox(key="usage_project").options)
        assert "TikTok (2) · ana" in {value["name"] for value in values(at, "Bars of credits spent in each")}
    assert at.selectbox(key="usage_project").options == ["TikTok (2) · ana", "TikTok · ana", "TikTok · demo"]
    own = open_page("usage", by="project")
    assert own.selectbox(key="usage_project").options == ["TikTok"]


@pytest.mark.parametrize(
    ("today", "period", "since", "until"),
    [
        (date(2026, 11, 29), "month", date(2026, 11, 1), date(2026, 11, 29)),
        (date(2026, 11, 29), "last-month", date(2026, 10, 1), date(2026, 10, 31)),
        (date(2026, 1, 5), "last-month", date(2025, 12, 1), date(2025, 12, 31)),
        (date(2026, 11, 29), "quarter", date(2026, 10, 1), date(2026, 11, 29)),
        (date(2026, 2, 1), "last-quarter", date(2025, 10, 1), date(2025, 12, 31)),
        (date(2026, 11, 29), "2024-12", date(2024, 12, 1), date(2024, 12, 31)),
        (date(2026, 11, 29), "2026-02", date(2026, 2, 1), date(2026, 2, 28)),
        (date(2026, 11, 29), "7", date(2026, 11, 23), date(2026, 11, 29)),
    ],
)
def test_period_has_the_days_of_its_name(today: date, period: str, since: date, until: date) -> None:
    """A month or quarter is the calendar's, as far as it has come."""
    assert usage_choice.days_of(period, today) == (since, until)


def test_any_month_can_be_asked_for_by_its_name(open_page: Open, studio: Studio) -> None:
    """The list names the months, and a link holds one; a month that cannot be is the last thirty days."""
    day = (TODAY.replace(day=1) - timedelta(days=1)).replace(day=1)
    book(studio.person, Ended(day, studio.project().id, "demo-film"))
    for period in ("last-month", f"{day:%Y-%m}"):
        at = open_page("usage", period=period)
        assert metrics(at)["Spent credits"] == "50"
        assert at.query_params["period"] == period
    assert f"{TODAY:%B %Y}" in at.selectbox(key="usage_period").options
    assert open_page("usage", period="2026-99").selectbox(key="usage_period").value == "30"


def test_money_of_one_row_is_all_in_short_or_none(open_page: Open, studio: Studio) -> None:
    """Of cost and margin neither is shortened alone."""
    mine = studio.project().id
    book(studio.person, *(Ended(TODAY, mine, "runway-gen3", duration_seconds=10) for _ in range(350)))
    shown = metrics(open_page("usage", show="cost"))
    cost, margin = shown["Provider cost"], shown["Margin"]
    assert (cost, margin) == ("Rp 2.9M", "Rp 10.2M") or {cost[-1], margin[-1]} <= set("0123456789")


def test_what_if_says_first_how_much_it_covers(open_page: Open, studio: Studio) -> None:
    """Models that could have made most stand first with their share, and the answer begins with its own."""
    mine = studio.project().id
    book(studio.person, Ended(TODAY, mine, "demo-film"), Ended(TODAY, mine, "demo-film", duration_seconds=3))
    at = open_page("usage", show="cost")
    at.session_state["usage_what_if"] = True
    at.run()
    assert at.selectbox(key="usage_what_if_model").options[0] == "Demo Film: 100% of these clips"
    at.selectbox(key="usage_what_if_model").set_value("seedance-t2v").run()
    said = [text.value for text in at.markdown]
    assert "This covers 1 of 2 clips, 50% of the clips and 50% of the credits charged." in said


def test_figures_are_written_in_the_language_of_the_reader(open_page: Open, studio: Studio) -> None:
    """Figures of tables and reasons follow the chosen language, whatever the browser's is."""
    mine = studio.project().id
    done, failed = (
        Ended(TODAY, mine, "veo3", outcome, duration_seconds=8, took_seconds=1500)
        for outcome in (Status.COMPLETED, Status.FAILED)
    )
    book(studio.person, done, done, failed)
    with db.write_session() as session:
        users.set_language(session, studio.person.user, tag="id")
    with language.using_language("id"):
        at = open_page("usage", show="cost")
        at.session_state["usage_what_if"] = True
        at.run().selectbox(key="usage_what_if_model").set_value("seedance-t2v").run()
        assert "Seedance T2V membuat klip berdurasi 5 detik." in " ".join(html.value for html in at.html)
        widget(at, "usage_show").set_value("outcome").run()

    [row] = (sent(at, "sorted_table") or {})["rows"]
    shown = [text for text, _value in row]
    assert shown == ["Google Veo 3", "5.000", "250.000", "2", "1", "67%", "1.500 dtk", "1.500 dtk", "2", "0", "–"]
    with language.using_language("id"):
        widget(at, "usage_show").set_value("spending").run()
        at.session_state["usage_projects_tabs"] = "Tabel"
        at.run()
    [projects] = [frame for frame in at.dataframe if "Kredit" in frame.value.columns]
    styler = projects.proto.arrow_data.styler
    [line] = dataframe_util.convert_arrow_bytes_to_pandas_df(styler.display_values).to_dict("records")
    assert {"5.000", "100%"} <= set(line.values())


def test_names_cannot_run_anything_in_a_spreadsheet() -> None:
    """A project that is named like a formula is quoted in every file; what it is not, stays."""
    assert read(usage_tables.as_file([{"Project": "=cmd()", "Credits": 50, "Share": None}], SpreadsheetFormat.CSV)) == [
        ["Project", "Credits", "Share"],
        ["'=cmd()", "50", ""],
    ]
    assert read(usage_tables.as_file([], SpreadsheetFormat.CSV)) == [[]]


@pytest.mark.parametrize("section", ["waste", "models", "spending", "outcome", "cost"])
def test_lists_show_what_the_figures_are_of_after_another_view(open_page: Open, studio: Studio, section: str) -> None:
    """A list that comes back begins with what the address says, not with its first line, and writes nothing there."""
    book(studio.person, Ended(TODAY, studio.project().id, "veo3"))
    with db.write_session() as session:
        users.get(session, "demo@localhost").role = Role.ANALYST
    at = open_page("usage", step="week")
    for each in (usage_choice.EXPLORE, section):
        widget(at, "usage_show").set_value(each).run()
    assert [newly_shown(at, f"usage_{param}") for param in ("period", "step", "by", "people")] == [
        "30 days",
        "Weekly",
        "By model",
        "Everybody",
    ]
    assert not {"period", "people"} & set(at.query_params)


def test_lists_show_what_the_figures_are_of_after_a_run_was_cut_short(open_page: Open, studio: Studio) -> None:
    """A run that ends early leaves values of lists behind that no browser shows any more: they are told anew."""
    at = open_page("usage", period="own", since="2026-01-05", until="2026-01-09", step="week")
    widget(at, "usage_dates").set_value((date(2026, 1, 6),)).run()
    assert [box.key for box in at.selectbox] == ["usage_period"]
    widget(at, "usage_dates").set_value((date(2026, 1, 6), date(2026, 1, 7))).run()
    assert newly_shown(at, "usage_step") == "Weekly"


def newly_shown(at: AppTest, key: str) -> str:
    """What a browser shows in a list which was not there before: what it is told, else the list's first line."""
    proto = widget(at, key).proto
    return str(proto.raw_value if proto.set_value else proto.options[proto.default])
