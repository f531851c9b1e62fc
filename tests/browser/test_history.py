"""The gallery in a browser: selecting and downloading, hearts, keys, comparing, and cards that move by themselves."""

import re
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from core import db
from core.files import storage as storages
from core.files.findings import Finding, FindingKind
from core.generations import delivery_findings
from pages.elements import live_endpoint
from tests.browser.conftest import LOOKS, PATIENCE_MS, Visitor, barriers, excess_px, picture, settle
from tests.browser.furnishing import installation, small_clip, stored
from tests.system.app import App, running

PROMPTS = [f"{place}, take {take}" for take in (1, 2, 3) for place in ("Lake", "Harbour", "Ridge")]
NOTICED = PROMPTS[-2]
REASON = "The picture stands still from 1.0 s to 2.5 s."
MOVING = "A paper boat that is being made"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """An app with nine clips of two sizes, and one that its provider, which has no key here, never ends."""
    folder = tmp_path_factory.mktemp("gallery")
    with installation(folder) as studio:
        storage = storages.open_storage(studio.settings.storage_url)
        clip, project = small_clip(folder / "small.mp4"), studio.project("Lake film")
        for number, prompt in enumerate(PROMPTS):
            row = studio.order(project, prompt, resolution=("720p", "1080p")[number % 2])
            row = studio.complete(row, stored(storage, row, clip))
            if prompt == NOTICED:
                with db.write_session() as session:
                    assert delivery_findings.record(session, row, [Finding(FindingKind.FROZEN, 1.0, 2.5)])
        studio.send(studio.order(project, MOVING, model_id="seedance-t2v"), progress=0.2)
    with running(folder) as started:
        yield started


def opened(app: App, visitor: Visitor, path: str = "/history", **look: object) -> Page:
    """The gallery, drawn."""
    page = visitor(f"http://127.0.0.1:{app.port}", **look).open(path)
    expect(card(page, PROMPTS[-1])).to_be_visible()
    settle(page)
    return page


def card(page: Page, prompt: str) -> Locator:
    """The button that opens a clip."""
    return page.get_by_role("button", name=re.compile(f"{prompt}.*Open clip"))


def choose(page: Page, *prompts: str) -> None:
    """Tick the boxes of clips."""
    for prompt in prompts:
        page.get_by_role("checkbox", name=f"Select: {prompt}").check()
    expect(page.get_by_text(f"{len(prompts)} selected")).to_be_visible()
    settle(page)


def test_selected_clips_come_as_one_zip(app: App, visitor: Visitor) -> None:
    """Two boxes, one press, one archive with both files as stored and their sheet; Clear takes the bar away."""
    page = opened(app, visitor)
    wanted = PROMPTS[-1], PROMPTS[-3]
    choose(page, *wanted)
    picture(page, "history-selected")
    with page.expect_download() as saved:
        page.get_by_role("link", name=re.compile("^Download ZIP")).click()

    assert re.fullmatch(r"clips-\d{4}-\d\d-\d\d\.zip", saved.value.suggested_filename)
    with zipfile.ZipFile(Path(saved.value.path())) as found:
        assert found.testzip() is None
        *clips, sheet = found.namelist()
        names = [re.fullmatch(r"(.+)-[0-9a-f]{6}\.mp4", name) for name in clips]
        assert all(names)
        assert sorted(name[1] for name in names if name) == ["lake-take-3", "ridge-take-3"]
        assert all(found.read(name)[4:8] == b"ftyp" for name in clips)
        assert sheet == "clips.csv"
        assert all(name in found.read(sheet).decode() for name in clips)
    page.get_by_role("button", name="Clear", exact=True).click()
    expect(page.get_by_text("2 selected")).to_have_count(0)
    expect(page.get_by_role("checkbox", name=f"Select: {PROMPTS[-1]}")).not_to_be_checked()


def test_filter_leaves_what_was_noticed_alone(app: App, visitor: Visitor) -> None:
    """Of the clips it shows the one that something was noticed about."""
    page = visitor(f"http://127.0.0.1:{app.port}").open("/history?found=any")
    expect(card(page, NOTICED)).to_be_visible()
    expect(page.locator("li .card")).to_have_count(1)


def expect_favourites(app: App, *prompts: str) -> None:
    """The favourites are these, as soon as what was pressed has reached the server."""
    end = time.monotonic() + PATIENCE_MS / 1000
    while True:
        rows = app.client.get("/generations?favourite=true").json()["generations"]
        if {row["prompt"] for row in rows} == set(prompts):
            return
        assert time.monotonic() < end, rows
        time.sleep(0.2)


def test_hearts_stay(app: App, visitor: Visitor) -> None:
    """A heart is there at once, is still there when the page is loaded anew, and narrows the gallery."""
    page = opened(app, visitor)
    heart = page.get_by_role("button", name=f"Favourite: {PROMPTS[4]}")
    heart.click()
    expect(heart).to_have_attribute("aria-pressed", "true")
    expect_favourites(app, PROMPTS[4])
    page.reload()
    expect(heart).to_have_attribute("aria-pressed", "true")
    page.goto(f"http://127.0.0.1:{app.port}/history?favourite=yes")
    expect(card(page, PROMPTS[4])).to_be_visible()
    expect(card(page, PROMPTS[3])).to_have_count(0)
    heart.click()
    expect(page.get_by_text("Nothing matches")).to_be_visible()


def test_keys_are_enough(app: App, visitor: Visitor) -> None:
    """Arrows walk the cards, Space selects, F marks a favourite, Enter opens and Escape comes back; one Tab stop."""
    page = opened(app, visitor)
    card(page, PROMPTS[-1]).focus()
    page.keyboard.press("ArrowRight")
    expect(card(page, PROMPTS[-2])).to_be_focused()
    page.keyboard.press("Space")
    expect(page.get_by_text("1 selected")).to_be_visible()
    expect(page.get_by_role("checkbox", name=f"Select: {PROMPTS[-2]}")).to_be_checked()
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("f")
    expect(page.get_by_role("button", name=f"Favourite: {PROMPTS[-2]}")).to_have_attribute("aria-pressed", "true")
    settle(page)
    expect(card(page, PROMPTS[-2])).to_be_focused()
    page.keyboard.press("f")
    page.keyboard.press("End")
    expect(card(page, PROMPTS[0])).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowDown")
    expect(card(page, PROMPTS[0])).to_be_focused()
    assert page.locator(".card[tabindex='0']").count() == 1
    settle(page)
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").locator(".title")).to_have_text(PROMPTS[0])
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(card(page, PROMPTS[0])).to_be_focused()


def test_comparison_plays_in_step(app: App, visitor: Visitor) -> None:
    """Three clips under one set of controls: all play, stand together, and go where the slider goes."""
    page = opened(app, visitor)
    choose(page, *PROMPTS[-3:])
    page.get_by_role("button", name="Compare").click()
    dialog = page.get_by_role("dialog")
    videos = dialog.locator("video")
    expect(videos).to_have_count(3)
    for place in range(3):
        videos.nth(place).evaluate("(video) => video.readyState >= 2 || new Promise((done) => video.oncanplay = done)")
    expect(dialog.locator(".differs dt").filter(has_text="Resolution")).to_have_count(3)
    dialog.get_by_role("slider").fill("0.2")
    for place in range(3):
        assert videos.nth(place).evaluate("(video) => video.currentTime") == pytest.approx(0.2, abs=0.05)
    page.keyboard.press(".")
    for place in range(3):
        assert videos.nth(place).evaluate("(video) => video.currentTime") == pytest.approx(5.5 / 24, abs=0.01)
    dialog.get_by_role("button", name="Play", exact=True).click()
    expect(dialog.get_by_role("button", name="Pause", exact=True)).to_be_visible()
    for place in range(3):  # the end is a beginning
        videos.nth(place).evaluate("(video) => new Promise((done) => video.addEventListener('ended', done))")
    for place in range(3):
        videos.nth(place).evaluate("(video) => new Promise((done) => video.addEventListener('timeupdate', done))")
    picture(page, "history-compare")
    address = page.url
    page.goto(address)
    expect(page.get_by_role("dialog").locator("video")).to_have_count(3)


def test_cards_move_by_themselves(app: App, visitor: Visitor) -> None:
    """What the page is told of a clip under way is on its card at once, for eyes and ears; unknown ids do nothing."""
    visit = visitor(f"http://127.0.0.1:{app.port}")
    visit.context.route(f"**{live_endpoint.PATH}?*", lambda route: route.abort())  # it is told this alone
    page = visit.open("/history")
    expect(card(page, MOVING)).to_be_visible()
    settle(page)
    generation_id = next(
        clip["id"] for clip in app.client.get("/generations").json()["generations"] if clip["prompt"] == MOVING
    )
    page.evaluate(
        """(id) => window.dispatchEvent(new CustomEvent("video-live", {detail: {live: 1, items: [
             {id: "nobody", progress: 0.5, note: "-", badge: "-", status: "processing"},
             {id, progress: 0.77, note: "Nearly there", badge: "In progress", status: "processing"}]}}))""",
        generation_id,
    )
    expect(card(page, MOVING).locator(".note")).to_have_text("Nearly there")
    assert card(page, MOVING).locator(".fill").evaluate("(fill) => fill.style.width") == "77%"
    expect(page.get_by_role("button", name=re.compile(f"Nearly there {MOVING}.*Open clip"))).to_be_visible()


def test_dialog_walks_without_closing(app: App, visitor: Visitor) -> None:
    """Next changes the clip in the dialog and its address, and the dialog stays."""
    page = visitor(f"http://127.0.0.1:{app.port}").open("/history?text=lake")
    card(page, "Lake, take 3").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator(".title")).to_have_text("Lake, take 3")
    address = page.url
    dialog.get_by_role("button", name="Next clip").click()
    expect(dialog.locator(".title")).to_have_text("Lake, take 2")
    expect(dialog.locator(".st-key-clip_panel").get_by_text("Lake, take 2", exact=True)).to_be_visible()
    assert "text=lake" in page.url
    assert page.url != address
    page.go_back()  # one step, however many clips were looked at
    expect(dialog).to_have_count(0)


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_nothing_is_in_anybodys_way(app: App, visitor: Visitor, theme: str, width: int) -> None:
    """Gallery, bar, comparison and clip have no barrier, fit the window, and say what was noticed about a clip."""
    page = opened(app, visitor, theme=theme, width=width)
    expect(card(page, NOTICED).get_by_text(REASON)).to_be_visible()
    expect(page.get_by_text(REASON)).to_have_count(1)
    picture(page, f"history-noticed-{theme}-{width}")
    assert excess_px(page) <= 0
    assert barriers(page) == []
    page.get_by_role("button", name="Model", exact=True).click()
    expect(page.get_by_role("searchbox", name="Find in this list")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("button", name="All models")).to_be_focused()
    assert barriers(page) == []
    picture(page, f"history-filter-{theme}-{width}")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Model", exact=True)).to_be_focused()
    page.get_by_role("button", name="List", exact=True).click()
    expect(page.get_by_role("button", name="List", exact=True)).to_have_attribute("aria-pressed", "true")
    settle(page)
    assert barriers(page) == []
    assert excess_px(page) == 0
    picture(page, f"history-list-{theme}-{width}")
    page.get_by_role("button", name="Pictures", exact=True).click()
    settle(page)
    choose(page, *PROMPTS[-2:])
    assert barriers(page) == []
    assert excess_px(page) == 0
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_role("dialog").locator("video")).to_have_count(2)
    settle(page)
    assert barriers(page) == []
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    card(page, NOTICED).click()
    expect(page.get_by_role("dialog").locator("video")).to_have_count(1)
    expect(page.get_by_role("dialog").get_by_text(REASON)).to_be_visible()
    settle(page)
    assert barriers(page) == []
    picture(page, f"history-clip-{theme}-{width}")
