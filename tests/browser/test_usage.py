"""The usage page in a real browser: its charts are drawn, nothing bars anybody, and its files hold its figures."""

import csv
import io
import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from core import db
from core.clock import utc_now
from core.projects import projects
from core.usage import budgets
from tests.browser.conftest import Visitor, barriers, excess_px, picture, settle
from tests.browser.furnishing import installation
from tests.factories import histories
from tests.system.app import App, running


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """An app with a year of clips in several projects, one of them named like a formula, and a budget."""
    folder = tmp_path_factory.mktemp("filled")
    with installation(folder) as studio, db.write_session() as session:
        names = ("=SUM(A1)", "A project with a rather long name indeed", *(f"Film {n}" for n in range(10)))
        mine = [projects.create(session, studio.person, name=name).id for name in names]
        clips = histories.invent(random.Random(3), mine, until=utc_now().date(), days=365, clips_a_day=4)
        histories.book(session, studio.person, list(clips))
        budgets.set_workspace(session, studio.person, credits=1000)
    with running(folder) as app:
        app.sign_in()
        yield app


def opened(filled: App, visitor: Visitor, address: str = "", *, last: str = "Top projects", **look: object) -> Page:
    """The page, drawn to its end, which is below this heading."""
    page = visitor(f"http://127.0.0.1:{filled.port}", **look).open(f"/usage{address}")
    expect(page.get_by_role("heading", name=last)).to_be_visible()
    settle(page)
    return page


def spent(page: Page) -> str:
    """The credits at the head of the page."""
    return page.locator(".studio-lead strong").inner_text().removesuffix(" credits")


@pytest.mark.parametrize(
    ("address", "drawn", "look"),
    [
        ("", ("Top projects", 3), ("light", 1280)),
        ("?show=outcome", ("By model", 2), ("dark", 390)),
        ("?period=365&by=project&show=cost", ("What if", 1), ("dark", 1280)),
        ("?period=7&step=month", ("Top projects", 3), ("light", 390)),
        ("?show=cost", ("What if", 1), ("light", 390)),
        ("?show=outcome", ("By model", 2), ("light", 1280)),
    ],
)
def test_charts_are_drawn_and_bar_nobodys_way(
    filled: App, visitor: Visitor, address: str, drawn: tuple[str, int], look: tuple[str, int]
) -> None:
    """Every chart stands, the page fits the window, and axe finds nothing, in both themes and widths."""
    (last, charts), (theme, width) = drawn, look
    page = opened(filled, visitor, address, last=last, theme=theme, width=width)
    expect(page.get_by_test_id("stVegaLiteChart").locator("svg")).to_have_count(charts)
    picture(page, f"usage-{len(address)}-{theme}-{width}")

    assert barriers(page) == []
    assert excess_px(page) == 0
    expect(page.get_by_test_id("stException")).to_have_count(0)


def test_lists_say_what_the_figures_are_of_after_another_view(filled: App, visitor: Visitor) -> None:
    """Back from Explore the lists show what they showed before, and a further press writes nothing else down."""
    page = opened(filled, visitor, "?people=everybody")
    for view in ("Explore", "Failures", "Explore", "Spending"):
        page.get_by_role("radio", name=view).click()
        expect(page.get_by_role("radio", name=view)).to_be_checked()
        settle(page)
    expect(page.get_by_role("heading", name="Top projects")).to_be_visible()
    expect(page.get_by_role("combobox", name="Period")).to_have_value("30 days")
    expect(page.get_by_role("combobox", name="Made by")).to_have_value("Everybody")
    assert "period=" not in page.url
    assert "people=everybody" in page.url


def test_file_holds_what_the_page_and_the_api_say(filled: App, visitor: Visitor) -> None:
    """The CSV of the spend is the API's, and both come to the figure at the head of the page."""
    page = opened(filled, visitor, "?period=90&by=project&step=week")
    whole = int(spent(page).replace(",", ""))
    page.get_by_text("Every figure as a table and as a file").click()
    with page.expect_download() as saving:
        page.locator(".st-key-usage_spend_csv button").click()
    saved = Path(saving.value.path()).read_bytes()

    since = utc_now().date() - timedelta(days=89)
    answer = filled.client.get(f"/usage?groupBy=week&groupBy=project&format=csv&since={since.isoformat()}")
    assert saved == answer.content
    lines = list(csv.DictReader(io.StringIO(saved.decode("utf-8-sig"))))
    assert sum(int(line["spent_credits"]) for line in lines[:-1]) == int(lines[-1]["spent_credits"]) == whole
    assert "'=SUM(A1)" in {line["project"] for line in lines}


def test_choosing_narrows_and_is_kept_in_the_address(filled: App, visitor: Visitor) -> None:
    """A project chosen from the list narrows the figures; its address shows the same in another tab."""
    page = opened(filled, visitor)
    page.get_by_role("combobox", name="Project").click()
    page.get_by_role("option", name="Film 0").click()
    page.wait_for_url("**/usage?project=*")
    settle(page)
    of_one = spent(page)

    other = opened(filled, visitor, page.url.partition("/usage")[2])

    assert spent(other) == of_one
    expect(other.get_by_role("combobox", name="Project")).to_have_value("Film 0")


def test_what_if_opens(filled: App, visitor: Visitor) -> None:
    """The comparison is read when it is opened, and bars nobody's way either."""
    page = opened(filled, visitor)
    page.get_by_text("Cost", exact=True).click()
    page.wait_for_url("**/usage?show=cost")
    page.get_by_text("Price these clips anew").click()
    expect(page.get_by_role("columnheader", name="As it would be")).to_be_visible()
    settle(page)

    assert barriers(page) == []


def test_budget_is_warned_of(filled: App, visitor: Visitor) -> None:
    """A budget that is used up is said at the head of the page, and a new one is saved with the form."""
    page = opened(filled, visitor)
    expect(page.get_by_text("more than the budget of this workspace of 1,000 credits")).to_be_visible()
    page.get_by_role("button", name="Monthly budget of this workspace").click()
    page.get_by_role("spinbutton", name="Credits a month").fill("900000000")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("more than the budget")).to_have_count(0)
