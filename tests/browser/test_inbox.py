"""The bell and the inbox in a real browser: the count moves nothing, everything is reached and read."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from core import db
from core.notifications import ways
from tests.browser.conftest import LOOKS, Visitor, barriers, excess_px, lead_to, picture, settle, shifted
from tests.browser.furnishing import furnish, installation
from tests.factories.notices import told
from tests.system.app import App, running


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """An app whose person was told of clips that are finished, that failed and that need review."""
    folder = tmp_path_factory.mktemp("inbox")
    with installation(folder) as studio:
        furnish(studio, folder)
        with db.write_session() as session:
            ways.turn_on_mail(session, studio.person, can_mail=True)
        assert len(told(db.default(), studio.person)) >= 4
    with running(folder) as found:
        yield found


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_inbox_in_every_look(app: App, visitor: Visitor, theme: str, width: int) -> None:
    """Nothing bars anybody in either theme, on a phone either, and nothing is wider than the window."""
    visit = visitor(f"http://127.0.0.1:{app.port}", width=width, height=844, theme=theme)
    page = visit.open("/inbox")
    expect(page.get_by_text(re.compile("A clip failed")).first).to_be_visible()
    settle(page)
    picture(page, f"inbox-{theme}-{width}")
    assert barriers(page) == []
    assert excess_px(page) <= 0
    page.goto(f"{visit.address}/account")
    page.get_by_role("tab", name="Being told").click()
    expect(page.get_by_text("What by which way")).to_be_visible()
    settle(page)
    picture(page, f"being-told-{theme}-{width}")
    assert barriers(page) == []
    assert excess_px(page) <= 0
    assert visit.complaints == []


def test_bell_counts_and_moves_nothing(app: App, visitor: Visitor) -> None:
    """It says how many are unread, leads to the inbox, and what is read is counted off without anything moving."""
    visit = visitor(f"http://127.0.0.1:{app.port}", width=1280)
    page = visit.open("/projects")
    settle(page)
    bell = page.get_by_role("link", name=re.compile(r"^Inbox, \d+ unread$"))
    expect(bell).to_be_visible()
    before = bell.bounding_box()
    bell.click()
    expect(page.get_by_role("heading", name="Inbox", level=1, exact=True)).to_be_visible()
    settle(page)
    number = int(re.findall(r"\d+", bell.get_attribute("aria-label") or "")[0])
    shifted(page)
    page.get_by_role("button", name="Mark as read", exact=True).first.click()
    expect(page.get_by_role("link", name=f"Inbox, {number - 1} unread")).to_be_visible()
    page.get_by_role("button", name="Mark all as read").click()
    read = page.get_by_role("link", name="Inbox", exact=True).first
    expect(read).to_be_visible()
    assert read.bounding_box() == pytest.approx(before, abs=1)
    settle(page)
    assert shifted(page) < 0.05
    page.get_by_role("button", name="Show clip").first.click()
    page.wait_for_url(re.compile(r"/history\?.*clip="))
    assert visit.complaints == []


def test_menu_leads_to_the_inbox(app: App, visitor: Visitor) -> None:
    """Who looks for it by its name finds it in the menu, too."""
    visit = visitor(f"http://127.0.0.1:{app.port}", width=390, height=844)
    page = visit.open("/usage")
    settle(page)
    page.get_by_role("button", name="More", exact=True).click()
    lead_to(page, "Inbox")
    expect(page.get_by_role("heading", name="Inbox", level=1, exact=True)).to_be_visible()
    assert visit.complaints == []
