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
    lead_to,
    picture,
    settle,
    shifted,
)
from tests.browser.furnishing import furnish, installation
from tests.system.app import running

PAGES = {
    "/": ("Projects", "Lake film"),
    "/projects": ("Projects", "Lake film"),
    "/generate": ("Generate", "Earlier in this project"),
    "/sheets": ("Batch", "Batches"),
    "/history": ("History", "Rain on a tin roof"),
    "/assets": ("Assets", "Give a face a name once"),
    "/usage": ("Usage", "Top projects"),
    "/budgets": ("Budgets", "People"),
    "/team": ("Team", "Your workspaces"),
    "/verify": ("Verify", "Drop a clip here"),
    "/people": ("People", "demo@localhost"),
    "/admin": ("Admin", "Clips that need review"),
    "/models": ("Models", "Add a model"),
    "/audit_log": ("Audit log", "Was not let in"),
    "/credits": ("Credits", "Movements"),
    "/account": ("Account", "Language"),
    "/nowhere": ("Page not found", "Nothing is at this address"),
}
"""Address -> heading of the page, and something that stands far down in it."""
NOT_IN_BAR = {"/projects", "/nowhere"}
"""The first is the page of `/` again, to the second nothing leads."""
LINKS = {"Admin": "Admin (1)"}
"""What the bar calls a page where that is not its heading: a clip waits for an administrator here."""

COLD = [(theme, width) for theme in ("light", "dark") for width in (1440, 390)]
RESIZED = {1440: (1024, 1920)}
"""Width of the window at first -> the widths it is then drawn out to."""

STILL = 0.1
"""Cumulative layout shift, of which people notice little (web.dev, "CLS": 0.1 is good, 0.25 poor)."""


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an app that has clips in every state, none of them moving."""
    folder = tmp_path_factory.mktemp("furnished")
    with installation(folder) as studio:
        furnish(studio, folder)
    with running(folder) as app:
        yield f"http://127.0.0.1:{app.port}"


@pytest.mark.parametrize(("theme", "width"), COLD)
@pytest.mark.parametrize("path", PAGES)
def test_page_by_cold_link(furnished: str, visitor: Visitor, path: str, theme: str, width: int) -> None:
    """A page is whole, fits each window, hardly jumps, is drawn again as it is, bars nobody, asks no other server."""
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
    assert shifted(page) < STILL
    draw_again(page)
    assert shifted(page) < 0.01
    assert barriers(page) == []
    for other in RESIZED.get(width, ()):
        page.set_viewport_size({"width": other, "height": 900})
        settle(page)
        picture(page, f"{title.lower()}-{theme}-{other}")
        assert (other, excess_px(page)) == (other, 0)
        assert (other, barriers(page)) == (other, [])
    page.keyboard.press("Tab")
    assert "skip" in str(page.evaluate("document.activeElement.textContent")).lower()
    assert visit.complaints == []


def test_pages_when_gone_through_again(furnished: str, visitor: Visitor) -> None:
    """Once a page was open, nothing on it jumps when somebody comes back to it."""
    page = visitor(furnished).open("/")
    titles = [title for path, (title, _deep) in PAGES.items() if path not in NOT_IN_BAR]
    for title in titles[1:]:
        lead_to(page, LINKS.get(title, title))
        expect(page.get_by_role("heading", name=title, level=1, exact=True)).to_be_visible()
        settle(page)
    for title in reversed(titles[:-1]):
        page.wait_for_timeout(600)  # what follows a click within half a second is excused as its effect
        shifted(page)
        page.evaluate("history.back()")
        expect(page.get_by_role("heading", name=title, level=1, exact=True)).to_be_visible()
        settle(page)
        assert shifted(page) < STILL, title


def test_times_are_those_of_who_looks_and_books_are_not(furnished: str, visitor: Visitor) -> None:
    """A clip was ordered at a time of one's own zone, by its name; what finance adds up says UTC to everybody."""
    visit = visitor(furnished, zone="Asia/Jakarta")
    listed = visit.open("/history?view=list")
    expect(listed.get_by_text(re.compile(r"\d\d:\d\d WIB")).first).to_be_visible()
    expect(listed.get_by_text(re.compile(r"\d\d:\d\d UTC"))).to_have_count(0)
    booked = visit.open("/credits")
    expect(booked.get_by_text(re.compile(r"\d\d:\d\d:\d\d UTC")).first).to_be_visible()
    expect(booked.get_by_text("WIB")).to_have_count(0)


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
    expect(dialog.locator(".title")).to_have_text("Rain on a tin roof")
    expect(dialog.locator("video")).to_have_js_property("videoWidth", 320)
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

    expect(page.get_by_role("heading", name="Page not found", level=1)).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_test_id("stException")).to_have_count(0)
    page.get_by_test_id("stMain").get_by_role("link", name="Projects").last.click()
    expect(page.get_by_role("heading", name="Projects", level=1)).to_be_visible()


def test_what_led_to_a_dialog_is_closed_under_it(furnished: str, visitor: Visitor) -> None:
    """The list of what can be done about a person would lie over the dialog that it leads to, and over its button."""
    page = visitor(furnished, width=390).open("/people")
    page.get_by_role("button", name="More", exact=True).first.click()
    page.get_by_role("button", name="Merge into another person").click()
    expect(page.get_by_role("dialog", name="Merge into another person")).to_be_visible()
    expect(page.get_by_role("button", name="Deactivate")).to_have_count(0)
    expect(page.get_by_test_id("stPopoverBody")).to_have_count(0)


def test_pack_that_is_there_can_be_made_anew(furnished: str, visitor: Visitor) -> None:
    """The page that waited for it shows it by itself, and its button can be pressed again."""
    page = visitor(furnished).open("/account")
    button = page.get_by_role("button", name="Pack everything")
    button.click()
    expect(page.get_by_role("link", name="Download ZIP")).to_be_visible(timeout=120_000)
    expect(button).to_be_enabled()
