"""The library in a real browser: files dropped in, a name for them, and a prompt that says it."""

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.api.test_assets import tone
from tests.browser.conftest import Visitor, barriers, excess_px, picture, settle
from tests.factories.images import create_image
from tests.system.app import running

FILES = [
    {"name": "mira-front.png", "mimeType": "image/png", "buffer": create_image("maroon")},
    {"name": "mira-side.png", "mimeType": "image/png", "buffer": create_image("teal", size=(180, 320))},
    {"name": "voice.wav", "mimeType": "audio/wav", "buffer": tone()},
    {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"hello"},
]


def is_fine(page: Page, name: str) -> None:
    """The page fits, bars nobody, and is kept for people to look at."""
    page.mouse.move(5, 5)  # a choice under the mouse is drawn otherwise
    settle(page)
    expect(page.get_by_test_id("stToast")).to_have_count(0)  # which goes by itself
    picture(page, f"assets-{name}")
    assert excess_px(page) == 0
    assert barriers(page) == []


def test_files_get_a_name_that_a_prompt_says(visitor: Visitor, tmp_path: Path) -> None:
    """From an empty library to a prompt that is told what goes along, and after a reload all of it is there."""
    with running(tmp_path) as app:
        visit = visitor(f"http://127.0.0.1:{app.port}")
        page = visit.open("/assets")
        expect(page.get_by_text("No characters yet")).to_be_visible()
        is_fine(page, "empty")

        page.get_by_role("radio", name="Images").click()
        expect(page.get_by_text("No images yet")).to_be_visible()
        page.locator("section.drop input[type=file]").set_input_files(FILES)  # type: ignore[arg-type]  # FilePayloads
        expect(page.get_by_role("button", name="mira-side.png")).to_be_visible()
        expect(page.get_by_text("notes.txt: This is not a JPEG, PNG or WebP image.")).to_be_visible()
        is_fine(page, "images")
        page.get_by_role("button", name="mira-front.png").click()
        name = page.get_by_role("dialog").get_by_role("textbox", name="Name", exact=True)
        name.fill("Mira, from the front")
        name.press("Tab")
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_role("button", name="Mira, from the front")).to_be_visible()

        page.goto(f"{visit.address}/assets")
        page.get_by_role("button", name="New character").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_role("textbox", name="Name", exact=True).fill("mira")
        for pressed, place in (("Mira, from the front", "1"), ("mira-side.png", "2")):
            dialog.get_by_role("button", name=pressed).click()
            expect(dialog.get_by_role("button", name=pressed, pressed=True)).to_contain_text(place)
        picture(page, "assets-character")
        dialog.get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_role("button", name="@mira")).to_be_visible()
        is_fine(page, "characters")

        page.goto(f"{visit.address}/generate")
        prompt = page.get_by_role("textbox", name="Prompt")
        prompt.press_sequentially("@mi")
        expect(page.get_by_role("option", name="mira")).to_be_visible()
        prompt.fill("@mira walks")
        prompt.press("Tab")
        expect(page.get_by_text("takes no references, so that @mira cannot go along").first).to_be_visible()
        settle(page)
        page.reload()
        expect(page.get_by_text("takes no references, so that @mira cannot go along").first).to_be_visible()
        picture(page, "assets-prompt")
    told = "/page-assets)"  # the browser itself tells that a file was refused, which is meant
    assert [complaint for complaint in visit.complaints if not complaint.endswith(told)] == []
