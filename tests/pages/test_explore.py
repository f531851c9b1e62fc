import csv
import io
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl

import pytest
from streamlit.testing.v1 import AppTest

from core import db
from core.clock import utc_now
from core.db.enums import ReportEvery, Role, Status
from core.identity import users
from core.notifications import report_schedules, ways
from core.notifications.report_schedules import Scheduled
from core.projects import projects
from core.usage import exploration, explorer, periods, saved_views
from core.usage.dimensions import Dimension
from core.usage.spreadsheet import Separator, SpreadsheetFormat
from core.usage.views import View
from core.workspaces import members
from pages.sections.explore import explored
from tests.factories import histories
from tests.factories.histories import Ended
from tests.factories.studio import Studio
from tests.factories.users import ensure_member
from tests.pages.conftest import Open, sent, widget

TODAY = utc_now().date()
LAST_MONTH = periods.named("last-month", TODAY)
PAGE = {"show": "explore"}


@pytest.fixture
def filled(studio: Studio) -> Studio:
    """Clips of two people in last month and before it, one of them failed, some of them tagged."""
    with db.write_session() as session:
        ana = ensure_member(session, "ana@example.org", signup_credits=0)
        hers = projects.create(session, ana, name="Reel").id
        histories.book(session, ana, [Ended(LAST_MONTH.since, hers, "veo3", duration_seconds=8)])
        lakes, dunes = (projects.create(session, studio.person, name=name).id for name in ("Lakes", "Dunes"))
        histories.book(
            session,
            studio.person,
            [
                Ended(LAST_MONTH.since, lakes, "demo-film", tags=("hero", "autumn")),
                Ended(LAST_MONTH.until, lakes, "demo-film"),
                Ended(LAST_MONTH.until, dunes, "kling-2.5"),
                Ended(LAST_MONTH.until, dunes, "kling-2.5", Status.FAILED, reason="content_refused"),
                Ended(LAST_MONTH.since - timedelta(days=1), dunes, "demo-film"),
            ],
        )
    return studio


def lead(at: AppTest) -> str:
    """The sentence at the head."""
    assert not at.error
    [found] = [html.value for html in at.html if "studio-lead" in html.value]
    return str(found)


def rows(at: AppTest) -> list[list[str]]:
    """The texts of the table."""
    return [[cell[0] for cell in row] for row in (sent(at, "sorted_table") or {})["rows"]]


def test_who_spent_what_on_which_project_last_month(open_page: Open, filled: Studio) -> None:
    """The section opens with just this: a sentence, rows with most first, and the total of the ledger."""
    at = open_page("usage", **PAGE)
    with db.read_session() as session:
        spent = histories.settled(session, filled.person, *LAST_MONTH)
    assert f"<strong>{spent:,} credits</strong>" in lead(at)
    assert spent == 600
    mine = filled.person.user.name or filled.person.email
    assert [row[:4] for row in rows(at)] == [
        [mine, "Dunes", "500", "83%"],
        [mine, "Lakes", "100", "17%"],
        ["Total", "", "600", "100%"],
    ]
    assert rows(at)[0][4:] == ["+900%", "2"]
    [chart] = at.get("vega_lite_chart")
    assert "Bars of spent by person and project" in chart.proto.alt


def test_figures_lead_to_their_clips(open_page: Open, filled: Studio) -> None:
    """The count of clips is a link to the library, narrowed to just these."""
    table = sent(open_page("usage", **PAGE, by="project", **{"and": "reason"}), "sorted_table") or {}
    links = {(row[0][0], row[1][0]): row[-1][2] for row in table["rows"] if len(row[-1]) > 2}
    span = f"days={LAST_MONTH.since}..{LAST_MONTH.until}"
    assert links["Dunes", "Refused for its content"].startswith(f"./history?{span}&project=")
    assert links["Dunes", "Refused for its content"].endswith("&status=failed")


def test_link_opens_just_these_clips(open_page: Open, studio: Studio) -> None:
    """The library shows as many clips as the figure says, and says which days it shows."""
    project = studio.project("Lakes")
    studio.complete(studio.order(project, "one"))
    studio.complete(studio.order(studio.project("Dunes"), "two"))
    table = sent(open_page("usage", **PAGE, when="7", by="project"), "sorted_table") or {}
    [link] = [row[-1][2] for row in table["rows"] if row[0][0] == "Lakes"]
    library = open_page("history", **dict(parse_qsl(link.partition("?")[2])))
    bar = sent(library, "library_bar") or {}
    assert not library.error
    assert bar["count"] == "1 clip"
    assert open_page("history", days="2026-01-01..2025-01-01").error == []


@pytest.mark.parametrize(
    ("address", "first"),
    [
        ({"in": "idr"}, ["Dunes", "25,000"]),
        ({"in": "usd"}, ["Dunes", "1.52"]),
        ({"what": "returned"}, ["Dunes", "500"]),
        ({"what": "clips"}, ["Dunes", "2"]),
        ({"what": "seconds"}, ["Lakes", "10"]),
        ({"over": "week"}, ["Dunes", "500"]),
        ({"by": "weekday"}, None),
        ({"by": "tag"}, ["No tag", "550"]),
        ({"when": "nonsense", "over": "hour", "what": "likes"}, ["Dunes", "500"]),
    ],
)
def test_views_of_the_address(
    open_page: Open, filled: Studio, address: dict[str, str], first: list[str] | None
) -> None:
    """Each unit, measure and step is in the address, and what it does not know is what is usual."""
    at = open_page("usage", **({"by": "project", "and": "nothing"} | PAGE | address))
    assert not at.exception
    assert lead(at)
    if first is not None:
        assert rows(at)[0][:2] == first
    if address.get("by") == "tag":
        assert any("counts each clip once" in caption.value for caption in at.caption)
        assert rows(at)[-1][:2] == ["Total", "600"]


def test_choosing_is_kept_in_the_address(open_page: Open, filled: Studio) -> None:
    """What is chosen in the lists is what the address says, so that it can be sent to somebody."""
    at = open_page("usage", **PAGE)
    widget(at, "explore_by").set_value("model").run()
    widget(at, "explore_and").set_value("outcome").run()
    widget(at, "explore_when").set_value("month").run()
    assert (at.query_params["by"], at.query_params["and"], at.query_params["when"]) == ("model", "outcome", "month")
    assert "<strong>0 credits</strong>" in lead(at)
    widget(at, "explore_when").set_value(f"{TODAY.year - 1}-01").run()
    assert any("No clip ended in this period" in text.value for text in at.markdown)


def test_file_holds_what_the_table_says(open_page: Open, filled: Studio) -> None:
    """The file of the page is made by the same answer as its table."""
    view = View(by=(Dimension.PROJECT, Dimension.TAG))
    data = explored._file(filled.person, view, TODAY, SpreadsheetFormat.CSV)
    lines = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))
    with db.read_session() as session:
        found = explorer.explore(session, filled.person, view.question(TODAY))
    at = open_page("usage", **PAGE, by="project", **{"and": "tag"})
    assert [row[0] for row in rows(at)[:-1]] == [line["project"] for line in lines[:-1]]
    assert [row[2] for row in rows(at)] == [f"{int(line['spent_credits']):,}" for line in lines]
    semicolons = explored._file(filled.person, view, TODAY, SpreadsheetFormat.CSV, Separator.SEMICOLON)
    assert semicolons.decode("utf-8-sig").splitlines()[0] == ";".join(lines[0])
    assert at.selectbox(key="explore_separator").value is Separator.COMMA
    assert lines[-1]["spent_credits"] == str(found.totals.of(exploration.Measure.SPENT))


def test_everybody_is_for_analysts(open_page: Open, filled: Studio) -> None:
    """Who sees all usage sees everybody's; others neither choose it nor get it by an address."""
    address = {**PAGE, "of": "all", "by": "person", "and": "nothing"}
    assert rows(open_page("usage", **address))[0][:2] == ["ana", "2,500"]
    with db.write_session() as session:
        person = users.get(session, "demo@localhost")
        person.role = Role.USER
        members.at_work(session, person)
    at = open_page("usage", **address)
    assert [row[1] for row in rows(at)] == ["600", "600"]
    assert not [box for box in at.selectbox if box.key == "explore_of"]


def test_view_is_saved_and_opened_again(open_page: Open, filled: Studio) -> None:
    """A view under a name asks the same again, from wherever one is."""
    at = open_page("usage", **PAGE, by="model", **{"and": "nothing"}, over="week")
    at.text_input(key="explore_view_name").set_value("Models by week")
    at.button(key="explore_keep").click().run()
    with db.read_session() as session:
        [kept] = saved_views.list_visible(session, filled.person)
    assert (kept.name, View.from_json(kept.asked).by) == ("Models by week", (Dimension.MODEL,))
    again = open_page("usage", **PAGE)
    again.button(key=f"explore_open_{kept.id}").click().run()
    found: Any = again.query_params
    assert (found["by"], found["and"], found["over"]) == ("model", "nothing", "week")
    again.button(key=f"explore_forget_{kept.id}").click().run()
    with db.read_session() as session:
        assert saved_views.list_visible(session, filled.person) == []


def test_view_is_sent_regularly(open_page: Open, filled: Studio) -> None:
    """A saved view is sent by a way that is set up, shown with its next morning, and stopped; without it says how."""
    person = filled.person

    def of_person() -> Sequence[Scheduled]:
        with db.read_session() as session:
            return report_schedules.of_person(session, person)

    def said(at: AppTest, words: str) -> bool:
        return any(words in caption.value for caption in at.caption)

    assert said(open_page("usage", **PAGE), "Save a view first")
    with db.write_session() as session:
        saved_views.create(session, person, name="Ours", view=View())
    assert said(open_page("usage", **PAGE), "Set up e-mail or a webhook first")
    with db.write_session() as session:
        ways.turn_on_mail(session, person, can_mail=True)
    at = open_page("usage", **PAGE)
    widget(at, "explore_sent_every").set_value(ReportEvery.WEEKLY)
    widget(at, "explore_sent_save").click().run()
    [sent_to_me] = of_person()
    assert (sent_to_me.view_name, sent_to_me.every) == ("Ours", ReportEvery.WEEKLY)
    assert said(at, "Weekly, E-mail, next on")
    widget(at, f"explore_sent_stop_{sent_to_me.id}").click().run()
    assert of_person() == []
    assert not said(at, "next on")


def test_link_of_a_report_opens_its_days(open_page: Open, filled: Studio) -> None:
    """The address in a mail shows the view of just the days whose figures the file has."""
    view = View(by=(Dimension.PROJECT,), measure=exploration.Measure.CLIPS)
    at = open_page("usage", **view.address(LAST_MONTH))
    assert rows(at) == [["Dunes", "2", "50%", "+100%"], ["Lakes", "2", "50%", "–"], ["Total", "4", "100%", "+300%"]]
