"""The whole path without a pointer, and pages for people who want no motion."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Visitor, settle
from tests.system.app import App, running

MAKING_MS = 90_000
PROMPT = "A heron takes off at dawn"
TABS_AT_MOST = 60


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    """The app on an empty folder."""
    with running(tmp_path) as started:
        yield started


def tab_to(page: Page, target: Locator) -> None:
    """Press Tab until this has the focus, and see that it shows it."""
    expect(target).to_be_visible()
    for _ in range(TABS_AT_MOST):
        if target.evaluate("(node) => node.getRootNode().activeElement === node"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not come to {target}")


def press(page: Page, target: Locator, key: str = "Enter") -> None:
    """Go there by Tab and press a key."""
    tab_to(page, target)
    page.keyboard.press(key)


def heading(page: Page, name: str) -> None:
    """Wait for a page, drawn."""
    expect(page.get_by_role("heading", name=name, level=1, exact=True)).to_be_visible()
    settle(page)


def test_clip_is_made_and_fetched_by_keyboard(app: App, visitor: Visitor) -> None:
    """Settings, order, gallery, clip and download: every step is reached by Tab and done by Enter or Space."""
    page = visitor(f"http://127.0.0.1:{app.port}").open("/")
    heading(page, "Generate")
    tab_to(page, page.get_by_label("Prompt", exact=True))
    page.keyboard.type(PROMPT)
    press(page, page.get_by_role("button", name="Aspect ratio: 16:9"))
    expect(page.get_by_role("radio", name="16:9", exact=True)).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Aspect ratio: 9:16")).to_be_focused()
    settle(page)
    press(page, page.locator(".st-key-generate_button button"))
    expect(page.get_by_text("Ordered.", exact=False).first).to_be_visible()

    page.keyboard.press("Control+Home")
    page.evaluate("document.activeElement.blur()")
    press(page, page.get_by_role("link", name="History", exact=True))
    heading(page, "History")
    card = page.get_by_role("button", name=re.compile(f"{PROMPT}.*Open clip"))
    expect(card.locator(".length")).to_have_text("5 s", timeout=MAKING_MS)
    settle(page)
    press(page, card)
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("video")).to_be_visible()
    settle(page)
    with page.expect_download() as saved:
        press(page, dialog.get_by_role("link", name=re.compile("^Download")))
    assert Path(saved.value.path()).read_bytes()[4:8] == b"ftyp"
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def test_card_of_a_project(app: App, visitor: Visitor) -> None:
    """Its menu opens by Enter and closes by Escape with the focus kept; a click anywhere else leads to its clips."""
    app.client.post("/projects", json={"name": "Lake film"}).raise_for_status()
    page = visitor(f"http://127.0.0.1:{app.port}").open("/")
    heading(page, "Projects")
    more = page.locator("summary", has_text="⋯")
    press(page, more)
    archive = page.get_by_role("button", name="Archive", exact=True)
    expect(archive).to_be_visible()
    page.keyboard.press("Escape")
    expect(archive).to_be_hidden()
    expect(more).to_be_focused()
    page.keyboard.press("Enter")
    press(page, archive)
    expect(page.get_by_text("No active project.")).to_be_visible()
    page.get_by_role("switch", name="Archived").press("Space")
    expect(page.get_by_role("link", name="Lake film", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="Generate: Lake film")).to_be_hidden()

    more.click()
    page.get_by_role("button", name="Rename and describe").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("River film")
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_role("link", name="River film", exact=True)).to_be_visible()
    expect(dialog).to_have_count(0)
    page.locator(".cover").click(force=True)  # the link of the name lies over it
    heading(page, "History")
    expect(page.get_by_role("button", name="Project: River film")).to_be_visible()


def test_motion_is_left_out_for_who_wants_none(app: App, visitor: Visitor) -> None:
    """With less motion asked for, nothing of ours moves gradually, and no preview plays."""
    app.order(prompt=PROMPT)
    visit = visitor(f"http://127.0.0.1:{app.port}")
    page = visit.open("/generate")
    page.emulate_media(reduced_motion="reduce")
    video = page.locator(".stage .clip")
    expect(video).to_be_visible(timeout=MAKING_MS)
    page.reload()
    expect(video).to_be_visible()
    settle(page)
    assert video.evaluate("(node) => node.paused")
    assert video.evaluate("(node) => getComputedStyle(node).transitionDuration") == "0s"
