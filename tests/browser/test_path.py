"""The whole path of a newcomer, from an empty folder to a clip that is downloaded and paid for."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from core.billing import pricing
from tests.browser.conftest import Visit, Visitor, picture
from tests.factories.generations import build_spec
from tests.system.app import App, audit, running

PROMPT = "A mountain lake at sunset, calm water"
MAKING_MS = 90_000
"""How long a clip may take to draw on a busy machine."""

COLLECT_PROGRESS = """
window.seen = [];
window.addEventListener("video-live", (event) => {
  const percent = Math.round((event.detail.items[0]?.progress ?? 0) * 100);
  if (percent && window.seen.at(-1) !== percent) window.seen.push(percent);
});
"""


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    """The app on an empty folder."""
    with running(tmp_path) as started:
        yield started


def order_button(page: Page) -> Locator:
    """The button that spends."""
    return page.locator(".st-key-generate_button button")


def balance(page: Page) -> Locator:
    """What stands in the bar of the credits there are."""
    return page.locator(".chip.balance .said")


def choose_length(page: Page, seconds: int) -> None:
    """Choose the length of the clip in its list."""
    page.get_by_role("button", name=re.compile("^Length: ")).click()
    page.get_by_role("radio", name=f"{seconds} s", exact=True).click()


def choose_resolution(page: Page, resolution: str) -> None:
    """Choose the resolution in its list."""
    page.get_by_role("button", name=re.compile("^Resolution: ")).click()
    page.get_by_role("radio", name=resolution, exact=True).click()


def price(resolution: str, seconds: int, *, audio: bool = False) -> int:
    """What the price list says."""
    asked = pricing.priced(build_spec(resolution=resolution, duration_seconds=seconds, generate_audio=audio))
    return asked.total_credits


def expect_price(page: Page, credits: int) -> None:
    """The button and the total name the same price; the lines of the price are open afterwards."""
    expect(order_button(page)).to_have_text(f"Generate for {credits} credits")
    receipt = page.locator(".st-key-generate_receipt button").first
    if receipt.get_attribute("aria-expanded") != "true":
        receipt.click()
    expect(page.get_by_role("row", name=re.compile(rf"^Total {credits} Rp"))).to_be_visible()


def cells(place: Locator) -> list[list[str]]:
    """The texts of a table's rows."""
    rows = place.locator("tbody tr").all()
    return [row.locator("td").all_inner_texts() for row in rows]


def listed(app: App) -> list[dict[str, Any]]:
    """Every generation the API knows."""
    found: list[dict[str, Any]] = app.client.get("/generations").json()["generations"]
    return found


def begin(visit: Visit) -> Page:
    """Open the app as a newcomer and make the first project; ends on the form with the project chosen."""
    page = visit.open("/")
    expect(page.get_by_text("Your first clip plays here")).to_be_visible()
    go(page, "Projects")
    expect(page.get_by_role("heading", name="Make your first project")).to_be_visible()
    picture(page, "path-1-newcomer")
    page.get_by_label("Name").fill("Northern lakes")
    page.get_by_role("button", name="Create project").click()
    expect(page.get_by_role("heading", name="Generate", level=1)).to_be_visible()
    expect(page.get_by_role("combobox", name="Project")).to_have_value("Northern lakes")
    return page


def compare_prices(page: Page) -> None:
    """Every change of the settings changes the price at once, to the credit."""
    assert [price("720p", 5), price("1080p", 5), price("1080p", 8)] == [50, 65, 80]
    expect_price(page, 50)
    choose_resolution(page, "1080p")
    expect_price(page, 65)
    expect(page.get_by_role("row", name=re.compile(r"^Resolution \(\+30%\) 15 "))).to_be_visible()
    choose_length(page, 8)
    expect_price(page, 80)
    expect(page.get_by_role("row", name=re.compile(r"^Extra seconds \(\+30%\) 15 "))).to_be_visible()
    page.get_by_role("switch", name="Sound +10").click()
    expect_price(page, price("1080p", 8, audio=True))
    picture(page, "path-2-priced")
    choose_resolution(page, "720p")
    expect_price(page, price("720p", 8, audio=True))
    choose_length(page, 4)
    expect_price(page, 60)
    page.keyboard.press("Escape")


def play(page: Page) -> None:
    """The open clip plays by itself: wait until its time moves."""
    video = page.get_by_role("dialog").locator("video")
    expect(video).to_be_visible()
    video.evaluate(
        """async (video) => {
             while (video.readyState < 2 || video.currentTime <= 0.5) await new Promise((go) => setTimeout(go, 50));
           }"""
    )
    facts = video.evaluate("(video) => [video.videoWidth, video.videoHeight, Math.round(video.duration), video.error]")
    assert facts == [1280, 720, 4, None]
    picture(page, "path-4-playing")


def download(page: Page) -> bytes:
    """Press Download; what was saved."""
    with page.expect_download() as saved:
        page.get_by_role("dialog").get_by_role("link", name=re.compile("^Download")).click()
    assert re.fullmatch(r"a-mountain-lake-at-sunset-calm-water-\w{6}\.mp4", saved.value.suggested_filename)
    return Path(saved.value.path()).read_bytes()


def read_receipt(page: Page, credits: int) -> None:
    """What was quoted is what was reserved and charged, line by line."""
    receipt = page.get_by_role("dialog")
    receipt.get_by_role("tab", name="Receipt").click()
    expect(receipt.get_by_role("row", name=re.compile(rf"^Total {credits} Rp"))).to_be_visible()
    quoted, booked = (cells(table) for table in receipt.locator("table").all())
    assert [row[:2] for row in quoted] == [["Base price", "50"], ["Sound", "10"], ["Total", str(credits)]]
    assert {row[1]: abs(int(row[2])) for row in booked} == {"Reserved": credits, "Charged": credits}
    picture(page, "path-5-receipt")


def go(page: Page, title: str) -> None:
    """Follow the navigation."""
    page.get_by_role("link", name=title, exact=True).first.click()
    expect(page.get_by_role("heading", name=title, level=1)).to_be_visible()


def test_newcomer_makes_a_clip(app: App, visitor: Visitor) -> None:
    """Shown price, one order for a double click, progress by itself, a clip that plays, its receipt, the usage."""
    visit = visitor(f"http://127.0.0.1:{app.port}", height=1300)  # a list closes when the page scrolls to it
    page = begin(visit)
    page.get_by_label("Prompt", exact=True).fill(PROMPT)
    compare_prices(page)

    order_button(page).dblclick()
    expect(page.get_by_text("Ordered. 60 credits are reserved")).to_be_visible()
    [ordered] = listed(app)
    item = page.locator(".stage .making")
    title = page.locator(".stage .title")
    expect(title).to_have_text(PROMPT)
    page.reload()
    expect(title).to_have_text(PROMPT)
    expect(item).to_be_visible()
    page.evaluate(COLLECT_PROGRESS)
    other = visit.open("/history")
    card = other.get_by_role("button", name=re.compile(f"{PROMPT}.*Open clip"))
    expect(card.locator(".bar")).to_be_visible()
    picture(page, "path-3-under-way")

    expect(page.locator(".stage .clip.on")).to_be_visible(timeout=MAKING_MS)
    expect(item).to_have_count(0)
    percents = page.evaluate("window.seen")
    assert len(percents) >= 2
    assert percents == sorted(percents)
    expect(card.locator(".length")).to_have_text("4 s")
    expect(card.locator(".bar")).to_be_hidden()
    for tab in (page, other):
        expect(balance(tab)).to_have_text("99,940")
        expect(tab.get_by_text("reserved")).to_have_count(0)

    go(page, "History")
    page.get_by_role("button", name=re.compile(f"{PROMPT}.*Open clip")).click()
    play(page)
    saved = download(page)
    assert saved[4:8] == b"ftyp"
    assert saved == app.client.get(f"/download/{ordered['id']}").content
    read_receipt(page, 60)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)

    for tab in (page, other):
        go(tab, "Usage")
        expect(tab.locator(".studio-lead strong")).to_have_text("60 credits")
    picture(page, "path-6-usage")

    [made] = listed(app)
    assert (made["id"], made["status"]) == (ordered["id"], "completed")
    checked = audit(app)
    assert checked.returncode == 0, checked.stdout
    assert visit.complaints == []


def test_server_killed_while_a_clip_is_made(tmp_path: Path, visitor: Visitor) -> None:
    """The app dies and starts again; the open tab comes back by itself, and the clip is finished and charged once."""
    with running(tmp_path) as app:
        port = app.port
        page = visitor(f"http://127.0.0.1:{port}").open("/history")
        generation_id = app.order(duration=8, resolution="1080p", prompt=PROMPT)
        page.reload()
        card = page.get_by_role("button", name=re.compile(f"{PROMPT}.*Open clip"))
        expect(card.locator(".bar")).to_be_visible()
        until_percent(app, generation_id, 5)
        app.process.kill()
        app.process.wait()
        expect(page.get_by_role("heading", name="Connection lost")).to_be_visible()
        picture(page, "restart-1-away")

    with running(tmp_path, port=port) as app:
        expect(card.locator(".length")).to_have_text("8 s", timeout=MAKING_MS)
        expect(balance(page)).to_have_text("99,920")
        picture(page, "restart-2-back")
        [made] = listed(app)
        assert (made["id"], made["status"], made["creditUsed"]) == (generation_id, "completed", 80)
        checked = audit(app)
        assert checked.returncode == 0, checked.stdout


def until_percent(app: App, generation_id: str, percent: int) -> None:
    """Wait until so much of a clip is made."""
    end = time.monotonic() + MAKING_MS / 1000
    while app.client.get(f"/generations/{generation_id}/status").json()["status"]["progress"] < percent:
        assert time.monotonic() < end
        time.sleep(0.1)
