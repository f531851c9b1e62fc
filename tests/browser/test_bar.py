"""The bar and the foot of a phone in a real browser: they lead, are worked by keyboard, and cover nothing."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from core.worker import endings
from tests.browser.conftest import Visitor, barriers, excess_px, lead_to, picture, settle
from tests.browser.furnishing import furnish, installation
from tests.system.app import App, running

PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """An app with clips in every state."""
    folder = tmp_path_factory.mktemp("bar")
    with installation(folder) as studio:
        furnish(studio, folder)
    with running(folder) as found:
        yield found


def heading(page: Page, name: str) -> None:
    """Wait for a page."""
    expect(page.get_by_role("heading", name=name, level=1, exact=True)).to_be_visible()
    settle(page)


def test_bar_leads_without_loading_the_dashboard_anew(app: App, visitor: Visitor) -> None:
    """Links, menu and search go from page to page in one session; Back goes back, and tabs are named by page."""
    visit = visitor(f"http://127.0.0.1:{app.port}", width=1440, theme="dark")
    page = visit.open("/projects")
    heading(page, "Projects")
    page.evaluate("window.isTheSame = true")

    lead_to(page, "Usage")
    heading(page, "Usage")
    expect(page.get_by_role("link", name="Usage", exact=True)).to_have_attribute("aria-current", "page")
    expect(page).to_have_title(re.compile("Usage – AI Video Generator$"))
    page.go_back()
    heading(page, "Projects")

    menu = page.get_by_role("button", name=re.compile("^Menu of"))
    menu.focus()
    page.keyboard.press("Enter")
    expect(menu).to_have_attribute("aria-expanded", "true")
    assert barriers(page) == []
    picture(page, "bar-menu-dark-1440")
    page.keyboard.press("Escape")
    expect(menu).to_have_attribute("aria-expanded", "false")
    lead_to(page, "Credits")
    heading(page, "Credits")

    page.get_by_role("searchbox", name="Search clips").fill("tin roof")
    page.keyboard.press("Enter")
    page.wait_for_url("**/history?text=tin+roof")
    expect(page.get_by_role("button", name=re.compile("Rain on a tin roof.*Open clip"))).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("Open clip"))).to_have_count(1)
    assert page.evaluate("window.isTheSame"), "the dashboard was loaded anew"
    assert visit.complaints == []


def test_bar_has_room_for_large_figures(app: App, visitor: Visitor) -> None:
    """Billions of credits do not push the menu out of any window: what the bar can do without makes room, in turn."""
    app.admin("grant", "demo@localhost", "4000000000", "--reason", "A large company")
    page = visitor(f"http://127.0.0.1:{app.port}", width=1920).open("/usage")
    heading(page, "Usage")
    balance = page.locator(".chip.balance .said")
    expect(balance).to_contain_text(re.compile(r"^4,000,\d{3},\d{3}"))
    for width in (1920, 1440, 1280, 1024, 910):
        page.set_viewport_size({"width": width, "height": 800})
        expect(page.get_by_role("button", name=re.compile("^Menu of"))).to_be_in_viewport(ratio=1)
    expect(page.locator(".chip.balance")).to_be_in_viewport(ratio=1)


def test_phone_has_its_pages_at_the_foot(app: App, visitor: Visitor) -> None:
    """A tap leads, nothing opens over the page or stays there, and the end of a page is above the foot."""
    visit = visitor(f"http://127.0.0.1:{app.port}", **PHONE)
    page = visit.open("/")
    heading(page, "Projects")
    foot = page.get_by_role("navigation", name="Pages")
    foot.get_by_role("link", name="History", exact=True).click()
    heading(page, "History")
    expect(page.get_by_test_id("stSidebar")).to_be_hidden()

    lead_by_menu = page.get_by_role("button", name="More", exact=True)
    lead_by_menu.click()
    page.get_by_role("link", name="Models", exact=True).click()
    heading(page, "Models")
    expect(page.get_by_role("link", name="Audit log", exact=True)).to_be_hidden()
    assert excess_px(page) == 0
    page.evaluate("document.querySelector('[data-testid=stMain]').scrollTo(0, 1e6)")
    last = page.get_by_test_id("stMainBlockContainer").locator("> div > *").last.bounding_box()
    top = foot.bounding_box()
    assert last is not None
    assert top is not None
    assert last["y"] + last["height"] <= top["y"]
    assert visit.complaints == []


def test_server_that_is_away_is_told_of_in_own_words(app: App, visitor: Visitor) -> None:
    """Nobody is told to run a script; what a page says in Streamlit's place is said in its language, too."""
    page = visitor(f"http://127.0.0.1:{app.port}").open("/verify")
    heading(page, "Verify")
    expect(page.get_by_text("200 MB a file")).to_be_visible()
    assert barriers(page) == []

    app.process.terminate()
    app.process.wait(endings.WHOLE_SECONDS)
    expect(page.get_by_text("The server does not answer. This page tries again by itself")).to_be_visible(
        timeout=60_000
    )
    expect(page.get_by_text("yourscript.py")).to_have_count(0)
