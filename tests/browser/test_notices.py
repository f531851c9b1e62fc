"""Where what is told in passing lies: below the bar, over nothing that stays in its place, at every width."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from core import db
from core.files import storage as storages
from core.generations import batches, lifecycle
from core.generations.submit import Order
from core.spec import GenerationSpec
from tests.browser.conftest import PATIENCE_MS, Visitor, picture, settle
from tests.browser.furnishing import installation, small_clip, stored
from tests.factories import sheets
from tests.factories.generations import CONFIGURED, QUOTA_BYTES
from tests.system.app import App, running

WIDTHS = (390, 700, 1024, 1440)
STAYS = (
    ".bar .top",
    ".bar .foot",
    "[data-testid=stBottom]",
    ".stage .takes",
    ".stage .actions",
    ".st-key-generate_head [data-testid=stSelectbox]",
    ".st-key-sheet_total",
)
"""What stays in its place, or is what its person is about to press."""
ENDED = "2 clips of Lake film are ready."
TELL = """text => {
    const seen = document.querySelector(".st-key-live").querySelectorAll("*");
    const roots = [...seen].map((part) => part.shadowRoot).filter(Boolean);
    const notice = [document, ...roots].map((root) => root.querySelector("p.seen")).find(Boolean);
    notice.textContent = text;
    notice.showPopover();
}"""
"""As `live.js` tells it: in its own element, above everything."""


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """An app with a press of three takes, and a table that can be ordered."""
    folder = tmp_path_factory.mktemp("notices")
    with installation(folder) as studio:
        storage = storages.open_storage(studio.settings.storage_url)
        clip, project = small_clip(folder / "small.mp4"), studio.project("Lake film")
        spec = GenerationSpec(
            model_id="demo-film", prompt="A lake", resolution="720p", duration_seconds=5, aspect_ratio="16:9"
        )
        with db.write_session() as session:
            rows = batches.submit_batch(
                session, studio.person, [Order(project.id, spec)] * 3, configured=CONFIGURED, quota_bytes=QUOTA_BYTES
            )
        for row in rows:
            made: lifecycle.Output = stored(storage, row, clip)
            studio.complete(row, made)
        data = sheets.csv_of("Prompt,Seconds,Project", "A lake at dawn,1,Lake film", "A heron,1,Lake film")
        sheets.keep(db.default(), studio.person, data)
    with running(folder) as started:
        yield started


TOAST = """() => {
    const found = document.querySelector("[data-testid=stToastContainer]")?.getBoundingClientRect();
    return found?.width ? found.toJSON() : null;
}"""
"""The place of a toast in the moment in which it is there: it goes by itself."""


def expect_toast_free(page: Page) -> None:
    """A toast comes, and lies where it may."""
    expect_free(page, dict(page.wait_for_function(TOAST).json_value()))


def expect_told_free(page: Page) -> None:
    """What tells of an end lies where it may; it stays, as nobody takes it away here."""
    page.evaluate(TELL, ENDED)
    notice = page.locator("p.seen")
    expect(notice).to_be_visible()
    expect_free(page, box(notice))


def expect_free(page: Page, own: dict[str, Any]) -> None:
    """It lies in the window, and over nothing of `STAYS`."""
    assert page.viewport_size is not None
    assert own["x"] >= 0
    assert own["x"] + own["width"] <= page.viewport_size["width"]
    covered = [selector for selector in STAYS for part in page.locator(selector).all() if over(own, part)]
    assert covered == [], own


def box(part: Locator) -> dict[str, Any]:
    """Where something is."""
    found = part.bounding_box()
    assert found is not None
    return dict(found)


def over(own: dict[str, Any], part: Locator) -> bool:
    """Whether it lies over a part that is seen."""
    if not part.is_visible():
        return False
    other = box(part)
    return all(
        own[at] < other[at] + other[size] and other[at] < own[at] + own[size]
        for at, size in (("x", "width"), ("y", "height"))
    )


@pytest.mark.parametrize("width", WIDTHS)
def test_notice_covers_nothing_of_the_studio(app: App, visitor: Visitor, width: int) -> None:
    """Neither bars nor dock nor the takes beside each other: a toast, and what is told of an end."""
    first = app.client.get("/generations").json()["generations"][0]["id"]
    page = visitor(f"http://127.0.0.1:{app.port}", width=width).open(f"/generate?from={first}")
    expect_toast_free(page)
    expect(page.locator(".stage .takes .take")).to_have_count(3)
    expect_told_free(page)
    picture(page, f"notice-studio-{width}")


@pytest.mark.parametrize("width", WIDTHS)
def test_notice_covers_nothing_of_the_library(app: App, visitor: Visitor, width: int) -> None:
    """The bar of what is selected stays free, and can be pressed at once."""
    page = visitor(f"http://127.0.0.1:{app.port}", width=width).open("/history")
    settle(page)
    page.locator("li .card").first.focus()
    page.keyboard.press("Space")
    page.get_by_test_id("stPopoverButton").filter(has_text="Change").click()
    page.locator(".st-key-selection_favourite button").click()
    expect_toast_free(page)
    expect_told_free(page)
    picture(page, f"notice-library-{width}")


def test_notice_covers_nothing_of_a_table(app: App, visitor: Visitor) -> None:
    """The total and its button stay free, on a phone at the foot of the page, too."""
    table = app.client.get("/sheets").json()["sheets"][0]["id"]
    for width in WIDTHS:
        page = visitor(f"http://127.0.0.1:{app.port}", width=width).open(f"/sheets?sheet={table}")
        order = page.locator(".st-key-sheet_order button")
        expect(order).to_be_enabled(timeout=PATIENCE_MS)
        settle(page)
        order.scroll_into_view_if_needed()
        expect_told_free(page)
        picture(page, f"notice-table-{width}")
