"""Every page by a cold link, light and dark, wide and narrow."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import (
    LOOKS,
    STRANGE_HOST,
    Visitor,
    barriers,
    draw_again,
    excess_px,
    picture,
    settle,
    shifted,
)
from tests.browser.furnishing import furnish, installation
from tests.system.app import running

PAGES = {
    "/": ("Projects", "Lake film"),
    "/generate": ("Generate", "Latest clips"),
    "/history": ("History", "Rain on a tin roof"),
    "/usage": ("Usage", "Top projects"),
    "/team": ("Team", "Your workspaces"),
    "/verify": ("Verify", "Drop a clip here"),
    "/people": ("People", "demo@localhost"),
    "/admin": ("Admin", "Grant or correct credits"),
    "/models": ("Models", "Add a model"),
    "/audit_log": ("Audit log", "Was not let in"),
    "/account": ("Account", "Movements"),
}
"""Address -> heading of the page, and something that stands far down in it."""
LINKS = {"Admin": "Admin (1)"}
"""What the navigation calls a page where that is not its heading: a clip waits for an administrator here."""

STILL = 0.15
"""Cumulative layout shift, of which people notice little (web.dev, "CLS": 0.1 is good, 0.25 poor)."""
FREE = {
    "/": 0.25,
    "/generate": 0.25,
    "/models": 0.25,
}  # first page of a server: on a phone the balance may come after its title, and wraps
"""More where no height can be kept free for an element until its code is there: the choice of models."""


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an app that has clips in every state, none of them moving."""
    folder = tmp_path_factory.mktemp("furnished")
    with installation(folder) as studio:
        furnish(studio, folder)
    with running(folder) as app:
        yield f"http://127.0.0.1:{app.port}"


@pytest.mark.parametrize(("theme", "width"), LOOKS)
@pytest.mark.parametrize("path", PAGES)
def test_page_by_cold_link(furnished: str, visitor: Visitor, path: str, theme: str, width: int) -> None:
    """A page stands whole, fits, hardly jumps, stays as it is when drawn again, bars nobody, asks no other server."""
    title, deep = PAGES[path]
    visit = visitor(furnished, theme=theme, width=width)

    page = visit.open(path)
    expect(page.get_by_role("heading", name=title, level=1, exact=True)).to_be_visible()
    expect(page.get_by_text(deep).first).to_be_attached()
    settle(page)
    picture(page, f"{title.lower()}-{theme}-{width}")

    expect(page.get_by_test_id("stException")).to_have_count(0)
    expect(page.get_by_test_id("stAlertContentError")).to_have_count(0)
    assert excess_px(page) == 0
    assert shifted(page) < FREE.get(path, STILL)
    draw_again(page)
    assert shifted(page) < 0.01
    assert barriers(page) == []
    page.keyboard.press("Tab")
    assert "skip" in str(page.evaluate("document.activeElement.textContent")).lower()
    assert visit.complaints == []


def test_pages_when_gone_through_again(furnished: str, visitor: Visitor) -> None:
    """Once a page was open, nothing on it jumps when somebody comes back to it."""
    page = visitor(furnished).open("/")
    titles = [title for title, _deep in PAGES.values()]
    for title in titles[1:]:
        page.get_by_role("link", name=LINKS.get(title, title), exact=True).first.click()
        expect(page.get_by_role("heading", name=title, level=1, exact=True)).to_be_visible()
        settle(page)
    for title in reversed(titles[:-1]):
        page.wait_for_timeout(600)  # what follows a click within half a second is excused as its effect
        shifted(page)
        page.evaluate("history.back()")
        expect(page.get_by_role("heading", name=title, level=1, exact=True)).to_be_visible()
        settle(page)
        assert shifted(page) < STILL, title


def test_language_is_switched(furnished: str, visitor: Visitor) -> None:
    """The choice of a language is kept for the next browser, and can be taken back."""
    page = visitor(furnished).open("/account")
    page.get_by_role("combobox", name="Language").click()
    page.get_by_role("option", name="Bahasa Indonesia").click()
    settle(page)
    again = visitor(furnished).open("/account")
    chosen = again.get_by_role("combobox", name="Bahasa")
    expect(chosen).to_have_value("Bahasa Indonesia")
    chosen.click()
    again.get_by_role("option", name="English").click()
    settle(again)
    expect(again.get_by_role("combobox", name="Language")).to_have_value("English")


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_clip_by_cold_link(furnished: str, visitor: Visitor, theme: str, width: int) -> None:
    """A click on a card opens its clip; the address it then has opens the same clip in another browser."""
    first = visitor(furnished, theme=theme, width=width)
    page = first.open("/history")
    page.get_by_role("button", name=re.compile("Rain on a tin roof.*Open clip")).click()
    expect(page.get_by_role("dialog").locator("video")).to_be_visible()
    address = page.url.removeprefix(furnished)

    second = visitor(furnished, theme=theme, width=width)
    page = second.open(address)
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("video")).to_be_visible()
    expect(dialog.get_by_text("Rain on a tin roof", exact=True)).to_be_visible()
    page.wait_for_function("document.querySelector('[role=dialog] video').videoWidth === 320")
    settle(page)
    picture(page, f"clip-{theme}-{width}")
    assert excess_px(page) == 0
    assert barriers(page) == []
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(page).to_have_url(f"{furnished}/history")

    assert first.complaints + second.complaints == []


def test_page_under_a_strange_name(furnished: str, visitor: Visitor) -> None:
    """Without sign-in nobody gets past the gate by another name of this machine: a sentence, and nothing of a page."""
    visit = visitor(furnished.replace("127.0.0.1", STRANGE_HOST))
    for path in PAGES:
        page = visit.open(path)
        expect(page.get_by_text("answers its own machine only")).to_be_visible()
        expect(page.get_by_role("heading")).to_have_count(0)
        page.close()


def test_page_that_does_not_exist(furnished: str, visitor: Visitor) -> None:
    """A wrong address says so, and the way back is there."""
    page = visitor(furnished).open("/nowhere")

    expect(page.get_by_text("Page not found")).to_be_visible()
    expect(page.get_by_role("heading", name="Projects", level=1)).to_be_visible()
    expect(page.get_by_test_id("stException")).to_have_count(0)
