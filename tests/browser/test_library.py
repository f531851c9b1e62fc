"""The library in a browser: rows of true shapes, search as one types, pages in the address, ranges, list and touch."""

import io
import re
from collections.abc import Iterator

import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect

from core.files import storage as storages
from core.generations import lifecycle
from tests.browser.conftest import PATIENCE_MS, Visitor, barriers, excess_px, picture, settle, shifted
from tests.browser.furnishing import installation
from tests.factories.generations import CLIP_FACTS
from tests.system.app import App, running

SHAPES = ((1280, 720), (720, 1280), (720, 720))
PLACES = ("Lake", "Harbour", "Ridge", "Orchard", "Quarry")
PROMPTS = [f"{PLACES[number % 5]}, number {number:02}" for number in range(60)]
NEWEST = PROMPTS[::-1]
PAGE = 24


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """An app with sixty clips of three shapes."""
    folder = tmp_path_factory.mktemp("library")
    with installation(folder) as studio:
        storage = storages.open_storage(studio.settings.storage_url)
        project = studio.project("Lake film")
        for number, prompt in enumerate(PROMPTS):
            width, height = SHAPES[number % 3]
            row = studio.order(project, prompt)
            poster = io.BytesIO()
            Image.new("RGB", (width // 8, height // 8), (number * 4, 90, 120)).save(poster, "WEBP")
            key = f"videos/{row.id}/0123456789abcdef"
            storage.put_bytes(f"{key}.webp", poster.getvalue(), media_type="image/webp")
            facts = {**CLIP_FACTS, "width": width, "height": height}
            studio.complete(row, lifecycle.Output(f"{key}.mp4", f"{key}.webp", None, 1000, facts))
    with running(folder) as started:
        yield started


def card(page: Page, prompt: str) -> Locator:
    """The button that opens a clip."""
    return page.get_by_role("button", name=re.compile(f"{prompt}.*Open clip"))


def shows(page: Page, first: str) -> None:
    """The page begins with this clip, and is drawn."""
    expect(page.locator("li .card").first).to_have_accessible_name(re.compile(first))
    settle(page)


TILES = """() => {
    const found = [];
    const walk = (root) => {
        found.push(...root.querySelectorAll("li .media"));
        for (const host of root.querySelectorAll("*")) if (host.shadowRoot) walk(host.shadowRoot);
    };
    walk(document);
    return found.map((tile) => {
        const { x, y, width, height } = tile.getBoundingClientRect();
        return [Math.round(x), Math.round(y), Math.round(width), Math.round(height)];
    });
}"""


def rows(page: Page) -> list[list[list[int]]]:
    """The pictures by rows, each as place and size."""
    found: dict[int, list[list[int]]] = {}
    for tile in page.evaluate(TILES):
        found.setdefault(tile[1], []).append(tile)
    return list(found.values())


def test_rows_hold_at_widths_that_are_no_full_pixels(app: App, visitor: Visitor) -> None:
    """Pictures of a row do not fall into the next where the page is wide to a part of a pixel, as with a scrollbar."""
    page = visitor(f"http://127.0.0.1:{app.port}", width=1366).open("/history")
    shows(page, NEWEST[0])
    narrow = "right => document.querySelector('[data-testid=stMainBlockContainer]').style.paddingRight = right"
    for right in ("48.72px", "48.5px", "48.28px"):
        page.evaluate(narrow, right)
        page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        found = rows(page)
        edge = max(tile[0] + tile[2] for row in found for tile in row)
        assert [row for row in found[:-1] if edge - row[-1][0] - row[-1][2] > 2] == []


def test_rows_are_filled_by_true_shapes(app: App, visitor: Visitor) -> None:
    """Every row ends at the same edge, no picture is bent or cut, and what loads late moves nothing; sizes are kept."""
    page = visitor(f"http://127.0.0.1:{app.port}", width=1440).open("/history")
    shows(page, NEWEST[0])
    found = rows(page)
    assert len(found) > 3
    for row in found:
        assert row[-1][0] + row[-1][2] == found[0][-1][0] + found[0][-1][2]
        assert len({height for _x, _y, _width, height in row}) == 1
    shapes = [width / height for row in found for _x, _y, width, height in row]
    wanted = [SHAPES[PROMPTS.index(prompt) % 3] for prompt in NEWEST[:PAGE]]
    assert shapes == pytest.approx([width / height for width, height in wanted], rel=0.03)
    assert shifted(page) <= 0.1
    picture(page, "library-grid")
    page.get_by_role("slider", name="Size of the pictures").fill("140")
    smaller = rows(page)
    assert smaller[0][0][3] < found[0][0][3]
    page.reload()
    shows(page, NEWEST[0])
    assert rows(page)[0][0][3] == smaller[0][0][3]


def test_library_is_walked(app: App, visitor: Visitor) -> None:
    """Search as one types, pages in the address for reload and Back, keys across pages, a month, the list."""
    page = visitor(f"http://127.0.0.1:{app.port}", width=1440).open("/history")
    shows(page, NEWEST[0])
    expect(page.get_by_text("60 clips", exact=True)).to_be_visible()

    search = page.get_by_role("searchbox", name="Words in the prompt")
    search.press_sequentially("harb")
    expect(page.get_by_text("12 clips", exact=True)).to_be_visible()
    search.press_sequentially("our")
    expect(page).to_have_url(re.compile("text=harbour"))
    settle(page)
    expect(search).to_be_focused()
    expect(search).to_have_value("harbour")
    page.keyboard.press("Escape")
    expect(page.get_by_text("60 clips", exact=True)).to_be_visible()

    older = page.get_by_role("button", name="Older")
    older.scroll_into_view_if_needed()
    older.click()
    shows(page, NEWEST[PAGE])
    expect(page.locator("li .card").first).to_be_in_viewport()
    expect(page.locator("li .card").first).to_be_focused()
    second = page.url
    page.reload()
    shows(page, NEWEST[PAGE])
    assert page.url == second
    page.keyboard.press("Tab")
    page.locator("li .card").first.focus()
    page.keyboard.press("End")
    page.keyboard.press("ArrowRight")
    shows(page, NEWEST[2 * PAGE])
    expect(card(page, NEWEST[2 * PAGE])).to_be_focused()
    page.keyboard.press("ArrowLeft")
    shows(page, NEWEST[PAGE])
    expect(card(page, NEWEST[2 * PAGE - 1])).to_be_focused()
    page.go_back()
    shows(page, NEWEST[2 * PAGE])

    page.get_by_role("button", name="Date").click()
    page.get_by_role("button", name="Year before").click()
    page.get_by_role("button", name=re.compile("^June ")).click()
    shows(page, NEWEST[0])  # nothing is as old, so the library begins anew
    page.get_by_role("button", name="List", exact=True).click()
    expect(page.locator(".heads")).to_contain_text("Credits")
    expect(card(page, NEWEST[0])).to_contain_text("Lake film")
    settle(page)
    picture(page, "library-list")
    page.reload()
    expect(page.locator(".heads")).to_contain_text("Credits")


def test_ranges_are_selected(app: App, visitor: Visitor) -> None:
    """Shift takes what lies between, Ctrl+A the page, Escape nothing any more; clips of other pages stay selected."""
    page = visitor(f"http://127.0.0.1:{app.port}", width=1440).open("/history")
    shows(page, NEWEST[0])
    box = page.get_by_role("checkbox")
    box.nth(0).click()
    expect(page.get_by_text("1 selected")).to_be_visible()
    box.nth(5).click(modifiers=["Shift"])
    expect(page.get_by_text("6 selected")).to_be_visible()
    for place in range(7):
        expect(box.nth(place)).to_be_checked(checked=place < 6)
    page.keyboard.press("ControlOrMeta+a")
    expect(page.get_by_text(f"{PAGE} selected")).to_be_visible()
    settle(page)
    page.get_by_role("button", name="Older").click()
    shows(page, NEWEST[PAGE])
    page.keyboard.press("Shift+ArrowRight")
    expect(page.get_by_text(f"{PAGE + 2} selected")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_text("selected")).to_have_count(0)


def test_touch_selects_by_a_long_press(app: App, chromium: Browser) -> None:
    """Held, a clip is selected; then taps select more, and with nothing selected they open. All of it fits a phone."""
    context = chromium.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.goto(f"http://127.0.0.1:{app.port}/history")
    shows(page, NEWEST[0])
    assert excess_px(page) <= 0
    place = card(page, NEWEST[0]).bounding_box()
    assert place is not None
    at = {"x": place["x"] + 20, "y": place["y"] + 40}
    touch = context.new_cdp_session(page)
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [at]})
    expect(page.get_by_text("1 selected")).to_be_visible()
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    card(page, NEWEST[1]).tap()
    expect(page.get_by_text("2 selected")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    picture(page, "library-touch")
    settle(page)
    assert barriers(page) == []
    context.close()
