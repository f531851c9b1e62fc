"""The usage explorer in a real browser: two clicks to the first question, drawn in both themes, and barring nobody."""

import csv
import io
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from core import db
from core.clock import utc_now
from core.projects import projects
from core.usage import periods
from tests.browser.conftest import Visitor, barriers, excess_px, picture, settle
from tests.browser.furnishing import installation
from tests.factories import histories
from tests.factories.users import ensure_member
from tests.system.app import App, running

TAGS = ((), ("hero",), ("autumn", "hero"))


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """An app with some months of clips in several projects, with tags, and another person's."""
    folder = tmp_path_factory.mktemp("explored")
    with installation(folder) as studio, db.write_session() as session:
        ana = ensure_member(session, "ana@example.org", signup_credits=0)
        for person in (studio.person, ana):
            names = ("=SUM(A1)", "A project with a rather long name indeed", *(f"Film {n}" for n in range(10)))
            mine = [projects.create(session, person, name=name).id for name in names]
            made = histories.invent(random.Random(3), mine, until=utc_now().date(), days=120, clips_a_day=6)
            histories.book(session, person, [replace(clip, tags=TAGS[n % 3]) for n, clip in enumerate(made)])
    with running(folder) as app:
        app.sign_in()
        yield app


def opened(filled: App, visitor: Visitor, address: str, **look: object) -> Page:
    """The explorer, drawn to its end."""
    page = visitor(f"http://127.0.0.1:{filled.port}", **look).open(f"/usage{address}")
    drawn(page)
    return page


def drawn(page: Page) -> None:
    """Wait until chart and table stand."""
    expect(page.locator(".st-key-card_explore_table").get_by_role("table")).to_be_visible()
    expect(page.get_by_test_id("stVegaLiteChart").locator("svg")).to_have_count(1)
    settle(page)


@pytest.mark.parametrize(
    ("address", "look"),
    [
        ("?show=explore&of=all", ("light", 1280)),
        ("?show=explore&of=all", ("dark", 390)),
        ("?show=explore&over=day&by=model&and=nothing&when=30&in=usd", ("dark", 1280)),
        ("?show=explore&by=tag&and=outcome&what=clips&when=90", ("light", 390)),
    ],
)
def test_explorer_is_drawn_and_bars_nobodys_way(
    filled: App, visitor: Visitor, address: str, look: tuple[str, int]
) -> None:
    """Sentence, chart and table stand, the page fits the window, and axe finds nothing."""
    theme, width = look
    page = opened(filled, visitor, address, theme=theme, width=width)
    picture(page, f"explore-{len(address)}-{theme}-{width}")

    assert barriers(page) == []
    assert excess_px(page) == 0
    expect(page.get_by_test_id("stException")).to_have_count(0)


def test_who_spent_what_on_which_project_last_month(filled: App, visitor: Visitor) -> None:
    """Two clicks from anywhere: Usage, Explore. Sentence, table, CSV and API say what the ledger says."""
    page = visitor(f"http://127.0.0.1:{filled.port}").open("/projects")
    page.get_by_role("link", name="Usage").first.click()
    page.get_by_text("Explore", exact=True).click()
    drawn(page)
    spent = int(page.locator(".studio-lead strong").inner_text().removesuffix(" credits").replace(",", ""))

    with page.expect_download() as saving:
        page.locator(".st-key-explore_csv button").click()
    saved = Path(saving.value.path()).read_bytes()
    answer = filled.client.get("/usage/explore?period=last-month&by=person&by=project&format=csv")
    assert saved == answer.content
    lines = list(csv.DictReader(io.StringIO(saved.decode("utf-8-sig"))))
    assert sum(int(line["spent_credits"]) for line in lines[:-1]) == int(lines[-1]["spent_credits"]) == spent
    assert "'=SUM(A1)" in {line["project"] for line in lines}
    entries = filled.client.get("/usage?" + "&".join(_days())).json()["usage"]
    assert entries["totals"]["settledCredits"] == spent


def _days() -> list[str]:
    days = periods.named("last-month", utc_now().date())
    return [f"since={days.since}", f"until={days.until}"]


def test_table_is_sorted_and_leads_to_the_clips(filled: App, visitor: Visitor) -> None:
    """A press of a head sorts, the total stays last, and a count leads to the library with its filters."""
    page = opened(filled, visitor, "?show=explore&by=project&and=outcome")
    table = page.locator(".st-key-card_explore_table").get_by_role("table")
    table.get_by_role("button", name="Project").click()
    firsts = table.locator("tbody tr > :first-child").all_inner_texts()
    assert firsts[-1] == "Total"
    assert firsts[:-1] == sorted(firsts[:-1], key=str.casefold)
    link = table.get_by_role("link").first
    href = link.get_attribute("href") or ""
    assert "days=" in href
    assert "project=" in href
    link.click()
    page.wait_for_url("**/history?days=*")
    settle(page)
    expect(page.get_by_test_id("stException")).to_have_count(0)
