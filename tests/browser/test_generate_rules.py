"""The order form of a model with rules, seeds and references in a real browser, at every width and in both themes."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import LOOKS, Visitor, barriers, excess_px, picture, settle
from tests.factories.images import create_image
from tests.system.app import App, running

MODEL = """
[[vendor.demo.model]]
id = "demo-able"
name = "Demo Able"
upstream_id = "demo-film"
description = "The demo with all there is to choose."
default_seconds = 5
durations = { from = 1, to = 16 }
resolutions = ["720p", "1080p", "4K"]
aspect_ratios = ["16:9", "9:16", "1:1", "4:3", "3:4", "21:9"]
start_image = true
end_image = true
audio = true
negative_prompt = true
seed = true
frame_rates = [24, 25, 50]
reference_images = 4
reference_roles = ["subject", "style"]

[[vendor.demo.model.rules]]
id = "short-at-4k"
when = { resolution = "4K" }
then = { seconds = { at_most = 8 } }
sentence = "At 4K a clip has 8 seconds at most."

[[vendor.demo.model.rules]]
id = "references-alone"
when = { images = { at_least = 1 } }
then = { start = 0, end = 0 }
sentence = "References do not go with a start or end image."

[[vendor.demo.model.prices]]
since = 2026-11-01
base_credits = 60
default_seconds = 5
"""


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """An app whose demo has a further model by a file."""
    folder = tmp_path_factory.mktemp("able")
    vendors = Path(folder, "vendors.toml")
    vendors.write_text(MODEL)
    with running(folder, environ={"VENDORS_FILE": str(vendors)}) as started:
        started.client.post("/projects", json={"name": "Lake film"}).raise_for_status()
        yield started


def drop(page: Page, *colours: str) -> None:
    """Drop images as references, all at once."""
    files = [{"name": f"{each}.png", "mimeType": "image/png", "buffer": create_image(each)} for each in colours]
    place = page.locator("[data-field=references] input[type=file]")
    place.set_input_files(files)  # type: ignore[arg-type]  # dicts of just these keys


def start_image(page: Page) -> Locator:
    """The place to drop a start image."""
    return page.get_by_role("region", name="Start image")


def choose(page: Page, setting: str, option: str) -> None:
    """Choose one of a chip's options."""
    page.get_by_role("button", name=re.compile(f"^{setting}: ")).click()
    page.get_by_role("radio", name=option, exact=True).click()


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_form_with_rules_at_every_width(app: App, visitor: Visitor, theme: str, width: int) -> None:
    """References, seed and frames fit the window; what a rule takes away is said; nothing bars anybody."""
    visit = visitor(f"http://127.0.0.1:{app.port}", theme=theme, width=width)
    page = visit.open("/generate?model=demo-able")
    choose(page, "Resolution", "4K")
    expect(page.get_by_text("At 4K a clip has 8 seconds at most.")).to_be_visible()
    expect(page.get_by_role("button", name="Aspect ratio: 16:9")).to_be_visible()
    drop(page, "teal", "red")
    expect(page.get_by_role("button", name="References, 4 at most: red.png")).to_be_visible()
    expect(page.get_by_text("References do not go with a start or end image.")).to_be_visible()
    expect(start_image(page)).to_be_hidden()
    settle(page)
    picture(page, f"generate-rules-{theme}-{width}")
    assert barriers(page) == []
    assert excess_px(page) == 0

    more = page.locator(".st-key-generate_more button").first
    more.click()
    expect(page.get_by_text("Frames a second")).to_be_visible()
    seed = page.get_by_role("spinbutton", name="Seed")
    seed.fill("7")
    seed.press("Enter")
    expect(seed).to_have_value("7")
    settle(page)
    picture(page, f"generate-rules-more-{theme}-{width}")
    assert barriers(page) == []
    assert excess_px(page) == 0
    page.keyboard.press("Escape")
    expect(seed).to_have_count(0)
    images = page.get_by_role("button", name=re.compile("^References, 4 at most: .*png"))
    for left in (1, 0):
        images.first.click()
        page.get_by_role("button", name="Remove").click()
        expect(images).to_have_count(left)
    expect(start_image(page)).to_be_visible()
    settle(page)
    assert visit.complaints == []
