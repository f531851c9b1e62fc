"""Five hundred orders from a spreadsheet, in a real browser: brought, mended where they stand, ordered, fetched."""

import csv
import re
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Visitor, barriers, excess_px, picture, settle
from tests.system.app import App, running

HEADS = ("Prompt", "Seconds", "Model", "Ratio", "Client", "Project")
GOOD = ("A lake at dawn", "1", "demo-film", "16:9", "Acme", "Lake film")
FAULTS = {
    5: ("Seconds", "seven", "1"),
    22: ("Model", "demo-flim", "demo-film"),
    79: ("Prompt", "", "A heron takes off"),
    152: ("Ratio", "16-Sep", "16:9"),
    302: ("Ratio", "7:3", "9:16"),
    402: ("Project", "Lake fim", "Lake film"),
    501: ("Seconds", "99", "2"),
}
"""Row of the file -> the column that is wrong there, what it says, and what it is changed into."""
BEFORE = 2
"""Columns of ours before those of the file: its row, and whether it is ordered."""


def table(folder: Path) -> Path:
    """A file of 500 rows with seven faults, saved as a spreadsheet saves it where commas are decimal."""
    lines = [list(GOOD) for _row in range(500)]
    for row, (column, wrong, _right) in FAULTS.items():
        lines[row - 2][HEADS.index(column)] = wrong
    path = folder / "spring.csv"
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        csv.writer(file, delimiter=";").writerows([HEADS, *lines])
    return path


def needing_change(page: Page, number: int) -> Locator:
    """The line that says how many rows need a change."""
    return page.get_by_text(re.compile(rf"\b{number} rows? needs? a change$"))


def change(page: Page, column: str, text: str) -> None:
    """Write into a cell of the first row that is shown, with the keyboard."""
    place = HEADS.index(column) + BEFORE
    page.get_by_test_id("glide-cell-0-0").evaluate("cell => cell.focus()")
    for _column in range(place):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    field = page.locator("#portal textarea, #portal input").first
    field.fill(text)
    field.press("Enter")


def brought(visitor: Visitor, app: App, folder: Path) -> Page:
    """The table, open on its page."""
    app.client.post("/projects", json={"name": "Lake film"}).raise_for_status()
    page = visitor(f"http://127.0.0.1:{app.port}", width=1440).open("/sheets")
    expect(page.get_by_role("heading", name="Batch", level=1)).to_be_visible()
    settle(page)
    page.locator("input[type=file]").set_input_files(table(folder))
    expect(needing_change(page, 7)).to_be_visible()
    settle(page)
    return page


def test_five_hundred_orders_from_a_spreadsheet(visitor: Visitor, tmp_path: Path) -> None:
    """Seven faults are named and mended in place; all is ordered with one press, and once; the result tells it."""
    with running(tmp_path / "data", environ={"DEMO_MAX_IN_FLIGHT": "1"}) as app:
        page = brought(visitor, app, tmp_path)
        for row, (column, _wrong, _right) in FAULTS.items():
            expect(page.get_by_role("row", name=f"{row} {column}").first).to_be_visible()
        picture(page, "batch-faults")
        assert barriers(page) == []
        assert excess_px(page) == 0

        page.reload()
        left = len(FAULTS)
        for column, _wrong, right in FAULTS.values():
            expect(needing_change(page, left)).to_be_visible()
            settle(page)
            change(page, column, right)
            left -= 1
        order = page.get_by_role("button", name="Order 500 clips")
        expect(order).to_be_enabled()
        settle(page)
        order.dblclick()

        expect(page.get_by_text("of 500 clips have ended")).to_be_visible()
        page.get_by_role("button", name="clips that wait").click()
        expect(page.get_by_text(re.compile(r"Cancelled: (4\d\d|500)"))).to_be_visible(timeout=60_000)
        settle(page)
        picture(page, "batch-followed")
        assert barriers(page) == []
        with page.expect_download() as fetched:
            page.get_by_role("button", name="Download CSV").click()
        with fetched.value.path().open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
        assert len(rows) == 500
        assert {row["Client"] for row in rows} == {"Acme"}
        assert [rows[row - 2][column] for row, (column, _wrong, _right) in FAULTS.items()] == [
            right for _column, _wrong, right in FAULTS.values()
        ]
        assert all(row["Clip link"].startswith(f"http://127.0.0.1:{app.port}/history?") for row in rows)
        assert len(app.client.get("/sheets").json()["sheets"]) == 1
        assert app.client.get("/sheets").json()["sheets"][0]["clipCount"] == 500
