"""The stage while a clip is made: what was there stays in sight, dimmed and named, or the frame of what will be."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from core.files import storage as storages
from tests.browser.conftest import LOOKS, Visitor, barriers, excess_px, picture, settle
from tests.browser.furnishing import installation, small_clip, stored
from tests.system.app import App, running

OUT_OF_REACH = {
    f"{name}_{what}": value
    for name in ("MODELSLAB", "EDENAI")
    for what, value in (("API_KEY", "key-of-a-test"), ("BASE_URL", "http://127.0.0.1:9"))
}
"""Vendors that never take anything, so that what is ordered of them stays under way."""
LAKE = "A rower crosses a still lake at dawn, mist over the water, soft light"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """An app with a clip and two orders that wait, and a project in which nothing was made yet."""
    folder = tmp_path_factory.mktemp("stage")
    with installation(folder) as studio:
        storage = storages.open_storage(studio.settings.storage_url)
        clip, project = small_clip(folder / "small.mp4"), studio.project("Lake film")
        row = studio.order(project, LAKE)
        studio.complete(row, stored(storage, row, clip))
        for end in ("geese", "geese in flight"):  # of a provider that cannot be reached
            studio.order(project, f"{LAKE}, {end}", model_id="seedance-t2v")
        studio.order(studio.project("Upright film"), "A tower", model_id="kling-2.5", aspect_ratio="9:16")
    with running(folder, environ=OUT_OF_REACH) as started:
        yield started


def address(app: App, name: str) -> str:
    """The studio of a project."""
    [found] = [each["id"] for each in app.client.get("/projects").json()["projects"] if each["name"] == name]
    return f"/generate?project={found}"


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_picture_before_stays_while_the_next_is_made(app: App, visitor: Visitor, theme: str, width: int) -> None:
    """It is dimmed and says what it is; beside the stage each order is named by what was changed."""
    page = visitor(f"http://127.0.0.1:{app.port}", theme=theme, width=width).open(address(app, "Lake film"))
    expect(page.locator(".stage .before")).to_have_js_property("complete", True)
    expect(page.locator(".stage .screen .label")).to_have_text(f"Before this: {LAKE}")
    expect(page.locator(".stage .where")).not_to_be_empty()
    expect(page.locator(".stage .earlier .name")).to_have_text(
        ["… light, geese in flight", "… water, soft light, geese · Seedance T2V", LAKE]
    )
    settle(page)
    picture(page, f"stage-making-{theme}-{width}")
    assert barriers(page) == []
    assert excess_px(page) == 0


def test_first_clip_of_a_project_has_its_frame(app: App, visitor: Visitor) -> None:
    """Where nothing was made before, the shape that was ordered is drawn, with the progress in it."""
    page = visitor(f"http://127.0.0.1:{app.port}", width=1440).open(address(app, "Upright film"))
    frame = page.locator(".stage .frame")
    expect(frame).to_be_visible()
    settle(page)
    place, screen = frame.bounding_box(), page.locator(".stage .screen").bounding_box()
    assert place is not None
    assert screen is not None
    assert place["width"] / place["height"] == pytest.approx(9 / 16, rel=0.05)
    assert place["height"] <= screen["height"]
    expect(page.locator(".stage .label")).to_have_count(0)
    picture(page, "stage-frame")


@pytest.mark.parametrize("height", [700, 900])
def test_price_is_explained_in_whole(app: App, visitor: Visitor, height: int) -> None:
    """What the chip of the price opens lies within the window, and nothing of it is cut off."""
    visit = visitor(f"http://127.0.0.1:{app.port}", width=1440, height=height)
    page = visit.open(address(app, "Lake film"))
    settle(page)
    page.locator(".st-key-generate_receipt [data-testid=stPopoverButton]").first.click()
    opened = page.get_by_test_id("stPopoverBody")
    expect(opened.get_by_text("left after this one")).to_be_in_viewport(ratio=1)
    place = opened.bounding_box()
    assert place is not None
    assert place["y"] >= 0
    assert place["y"] + place["height"] <= height
