"""What is being written, over a reload and over a restart of the server, in a real browser."""

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import PATIENCE_MS, Visitor, barriers, excess_px, picture, settle
from tests.factories.images import create_image
from tests.system.app import App, running

ANEW_MS = 60_000
"""How long a browser may take to find a server that is back."""


def button(page: Page) -> str:
    """What the button that spends says."""
    return page.locator(".st-key-generate_button button").inner_text()


def press(page: Page) -> str:
    """Press the button that spends; what it said in that very moment."""
    said: str = page.locator(".st-key-generate_button button").evaluate(
        "button => { const said = button.innerText; button.click(); return said; }"
    )
    return said.strip()


def write(page: Page, prompt: str) -> None:
    """Write a prompt and leave the field."""
    field = page.get_by_role("textbox", name="Prompt", exact=True)
    field.fill(prompt)
    field.blur()


def add_image(page: Page) -> None:
    """Drop a start image that a phone has named in its own way."""
    file = {"name": "photo.jfif", "mimeType": "image/jpeg", "buffer": create_image(size=(180, 320))}
    page.locator("input[type=file]").first.set_input_files(file)  # type: ignore[arg-type]  # a FilePayload
    expect(page.get_by_role("button", name="Start image: photo.jfif, 180 × 320")).to_be_visible()


def prepared(visitor: Visitor, app: App) -> Page:
    """A form with a prompt and an image."""
    app.client.post("/projects", json={"name": "Lake film"}).raise_for_status()
    page = visitor(f"http://127.0.0.1:{app.port}").open("/generate")
    write(page, "A prompt that took ten minutes")
    expect(page.get_by_text("30 of 2,000 characters")).to_be_visible()
    add_image(page)
    expect(page.locator(".st-key-generate_button button")).to_have_text("Generate for 60 credits")
    settle(page)
    return page


def orders(app: App) -> list[tuple[str, bool]]:
    """What was ordered, and whether with a start image."""
    listed = app.client.get("/generations").json()["generations"]
    return [(row["prompt"], bool(row["startImagePath"])) for row in listed]


@contextmanager
def started_anew(page: Page, before: App, folder: Path) -> Iterator[App]:
    """A server in the place of one that was stopped; the page has found it."""
    opened: list[object] = []
    page.on("websocket", lambda socket: opened.append(socket))  # noqa: PLW0108 -- playwright marks the function
    page.wait_for_timeout(1000)
    opened.clear()
    with running(folder, port=before.port) as after:
        for _second in range(ANEW_MS // 1000):
            if opened:
                break
            page.wait_for_timeout(1000)
        page.wait_for_timeout(2000)
        yield after


def test_reload_loses_nothing(visitor: Visitor, tmp_path: Path) -> None:
    """Prompt, image, ratio and price are there again, with a quiet note that bars nobody's way."""
    with running(tmp_path) as app:
        page = prepared(visitor, app)
        page.reload()
        settle(page)
        expect(page.get_by_role("textbox", name="Prompt", exact=True)).to_have_value("A prompt that took ten minutes")
        expect(page.get_by_text("Your draft is back, as you left it")).to_be_visible()
        expect(page.get_by_role("button", name="Start image: photo.jfif, 180 × 320")).to_be_visible()
        expect(page.get_by_role("button", name="Aspect ratio: 9:16")).to_be_visible()
        assert button(page) == "Generate for 60 credits"
        picture(page, "generate-draft")
        assert barriers(page) == []
        assert excess_px(page) == 0
        write(page, "x" * 2_100)
        expect(page.get_by_text("2,100 of 2,000 characters")).to_be_visible()
        expect(page.locator(".st-key-generate_button button")).to_be_disabled()
        settle(page)
        assert barriers(page) == []


TYPE_AND_LEAVE = """([text, act]) => {
    const parts = [...document.querySelectorAll("*")].map((part) => part.shadowRoot).filter(Boolean);
    const area = parts.map((root) => root.querySelector("textarea#prompt")).find(Boolean);
    area.value = text;
    area.dispatchEvent(new InputEvent("input"));
    if (act === "reload") setTimeout(() => location.reload());
}"""
"""The last letter and what ends the page, one after the other, with no time between them."""


def field(page: Page) -> Locator:
    """The field of the prompt."""
    return page.get_by_role("textbox", name="Prompt", exact=True)


def kept_as(folder: Path, prompt: str) -> None:
    """Wait until this is what the server has written down."""
    found, end = "", time.monotonic() + 2 * PATIENCE_MS / 1000
    while time.monotonic() < end:
        with closing(sqlite3.connect(f"file:{folder / 'studio.db'}?mode=ro", uri=True)) as database:
            rows = database.execute("SELECT content FROM drafts").fetchall()
        found = json.loads(rows[0][0]).get("prompt", "") if rows else ""
        if found == prompt:
            return
        time.sleep(0.2)
    raise AssertionError(f"{found!r} is kept, not {prompt!r}")


def test_reload_in_the_middle_of_a_word_loses_nothing(visitor: Visitor, tmp_path: Path) -> None:
    """What the server has not heard of is there again and is kept; what another tab wrote since is not lost either."""
    with running(tmp_path) as app:
        page = prepared(visitor, app)
        with page.expect_event("load"):
            page.evaluate(TYPE_AND_LEAVE, ["A prompt that took eleven minutes", "reload"])
        expect(field(page)).to_have_value("A prompt that took eleven minutes")
        kept_as(tmp_path, "A prompt that took eleven minutes")
        expect(field(page)).to_have_value("A prompt that took eleven minutes")
        expect(page.get_by_text("In another tab or on another device you")).to_have_count(0)

        other = page.context.new_page()
        other.goto(f"http://127.0.0.1:{app.port}/generate")
        settle(other)
        write(other, "Written elsewhere meanwhile")
        kept_as(tmp_path, "Written elsewhere meanwhile")
        with page.expect_event("load"):
            page.evaluate(TYPE_AND_LEAVE, ["The newest of all", "reload"])
        expect(field(page)).to_have_value("The newest of all")
        expect(page.get_by_text("In another tab or on another device you wrote")).to_contain_text("Written elsewhere")
        kept_as(tmp_path, "The newest of all")


def test_reload_does_not_write_over_what_is_newer(visitor: Visitor, tmp_path: Path) -> None:
    """A tab that could not tell its text in time, and another that wrote after it: the later counts, both are there."""
    with running(tmp_path) as app:
        page = prepared(visitor, app)
        page.evaluate("WebSocket.prototype.send = () => {}")  # what is typed is not told
        page.evaluate(TYPE_AND_LEAVE, ["Typed and never told", ""])
        other = page.context.new_page()
        other.goto(f"http://127.0.0.1:{app.port}/generate")
        settle(other)
        write(other, "Written later in another tab")
        kept_as(tmp_path, "Written later in another tab")
        page.reload()
        expect(page.get_by_text("In another tab or on another device you wrote")).to_contain_text(
            "Typed and never told"
        )
        expect(field(page)).to_have_value("Written later in another tab")
        page.get_by_role("button", name="Show it instead").click()
        expect(field(page)).to_have_value("Typed and never told")


def test_restart_orders_what_is_shown(visitor: Visitor, tmp_path: Path) -> None:
    """The first press after the server came back orders what stands on the page; what was typed meanwhile is kept."""
    with running(tmp_path) as before:
        page = prepared(visitor, before)
    with started_anew(page, before, tmp_path) as after:
        page.locator(".st-key-generate_button button").click()
        expect(page.get_by_text("Ordered. 60 credits are reserved")).to_be_visible(timeout=PATIENCE_MS)
        assert orders(after) == [("A prompt that took ten minutes", True)]
        expect(page.get_by_role("textbox", name="Prompt", exact=True)).to_have_value("A prompt that took ten minutes")


def test_draft_of_another_tab_is_not_ordered_unseen(visitor: Visitor, tmp_path: Path) -> None:
    """A tab whose form is not the one that was kept last orders what it shows while it is pressed, or nothing."""
    with running(tmp_path) as before:
        page = prepared(visitor, before)
        other = page.context.new_page()
        other.goto(f"http://127.0.0.1:{before.port}/generate")
        settle(other)
        other.get_by_role("button", name="Start image: photo.jfif").click()
        other.get_by_role("button", name="Remove").click()
        expect(other.locator(".st-key-generate_button button")).to_have_text("Generate for 50 credits")
        settle(other)
        other.close()
    with started_anew(page, before, tmp_path) as after:
        shown = press(page)
        refused = page.get_by_text("Nothing was ordered: check the form and press again.")
        said = page.get_by_text("credits are reserved until the clip is here")
        expect(refused.or_(said).first).to_be_visible()
        if refused.is_visible():
            assert orders(after) == []
            shown = press(page)
        expect(said).to_be_visible()
        assert (shown, orders(after)) in (
            ("Generate for 50 credits", [("A prompt that took ten minutes", False)]),
            ("Generate for 60 credits", [("A prompt that took ten minutes", True)]),
        )


def test_page_says_that_no_worker_answers(visitor: Visitor, tmp_path: Path) -> None:
    """Without a touch, on a page where nothing moves: workers that hang are told of, and so is their return."""
    with running(tmp_path) as app:
        app.client.post("/projects", json={"name": "Lake film"}).raise_for_status()
        page = visitor(f"http://127.0.0.1:{app.port}").open("/generate")
        settle(page)
        page.wait_for_timeout(9_000)  # so that the workers have come
        workers = [process for process in app.family() if any("worker.py" in part for part in process.cmdline())]
        for process in workers:
            process.suspend()
        try:
            expect(page.get_by_role("alert").filter(has_text="No worker has answered since")).to_be_visible(
                timeout=25_000
            )
            expect(page.locator(".st-key-generate_notes").get_by_text("Orders are taken and wait.")).to_be_visible()
            expect(page.locator(".seen:popover-open")).to_have_count(0)  # it is said twice as it is
            settle(page)
            picture(page, "no-worker")
            assert barriers(page) == []
        finally:
            for process in workers:
                process.resume()
        expect(page.get_by_role("alert")).to_have_count(0, timeout=25_000)
