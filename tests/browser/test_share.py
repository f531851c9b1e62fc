"""Links for people outside, in the browser of somebody who has nothing but the address."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import LOOKS, Visitor, barriers, excess_px, picture, settle
from tests.browser.furnishing import furnish, installation
from tests.fixtures.front import front
from tests.system.app import App, running

PASSWORD = "correct horse"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """A furnished app."""
    folder: Path = tmp_path_factory.mktemp("share")
    with installation(folder) as studio:
        furnish(studio, folder)
    with running(folder) as app:
        yield app


def share(app: App, count: int = 1, **choices: object) -> tuple[str, str]:
    """Id and path of a new link to so many clips."""
    listed = app.client.get("/generations", params={"status": "completed"}).json()["generations"]
    body = {"generationIds": [clip["id"] for clip in listed[:count]], **choices}
    answer = app.client.post("/share-links", json=body)
    assert answer.status_code == 201, answer.text
    url: str = answer.json()["url"]
    assert url.startswith(f"http://127.0.0.1:{app.port}/share/")
    return str(answer.json()["shareLink"]["id"]), url.partition(str(app.port))[2]


def play(page: Page) -> None:
    """Let the clip play, and wait until it moves."""
    # Not `wait_for_function`, which evaluates a text in the page: its policy does not let it.
    page.locator("video").evaluate(
        """video => new Promise((moved, failed) => {
            video.muted = true;
            video.addEventListener("timeupdate", () => video.currentTime > 0.1 && moved());
            video.play().catch(failed);
        })"""
    )


def test_stranger_watches_until_the_link_is_revoked(app: App, visitor: Visitor) -> None:
    """A clip plays for who has the address; from the moment it is revoked neither page nor bytes are there."""
    link_id, path = share(app, title="Lake, first take")
    visit = visitor(f"http://127.0.0.1:{app.port}")
    page = visit.open(path)
    expect(page.get_by_role("heading", name="Lake, first take")).to_be_visible()
    play(page)
    assert page.locator("video").evaluate("video => video.videoWidth") == 320
    video = page.locator("video").evaluate("video => video.src")
    assert visit.complaints == []

    assert app.client.delete(f"/share-links/{link_id}").status_code == 200

    gone = page.request.get(video, headers={"Range": "bytes=10-"})
    assert (gone.status, gone.headers["x-robots-tag"]) == (404, "noindex, nofollow, noarchive")
    answer = page.goto(page.url)
    assert answer is not None
    assert answer.status == 404
    expect(page.get_by_role("heading", name="This link does not work")).to_be_visible()


def test_password_opens_set_and_clips(app: App, visitor: Visitor) -> None:
    """The form refuses a wrong password and opens for the right one, by keyboard; then all media come."""
    _, path = share(app, 3, password=PASSWORD, title="Takes", allowDownload=True)
    visit = visitor(f"http://127.0.0.1:{app.port}")
    page = visit.open(path)
    expect(page.get_by_label("Password")).to_be_focused()
    page.keyboard.type("wrong horse")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("This is not the password of this link.")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Takes")).to_be_visible()
    page.wait_for_load_state("networkidle")
    widths = page.evaluate("[...document.images].map((image) => image.naturalWidth)")
    assert len(widths) == 3
    assert all(widths)
    page.get_by_role("link", name="Video 2").click()
    play(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert (download.value.suggested_filename, download.value.failure()) == ("Takes-2.mp4", None)
    page.get_by_role("link", name="Next").click()
    expect(page).to_have_url(re.compile(r"/3$"))
    page.get_by_role("link", name="All videos").click()
    expect(page.get_by_text("3 videos")).to_be_visible()
    assert [told for told in visit.complaints if "403" not in told] == []


def test_link_below_the_path_of_a_front(app: App, visitor: Visitor) -> None:
    """Everything holds where a front takes a path off."""
    _, path = share(app, 2, password=PASSWORD)
    with front("/films/studio", app.port) as (address, proxy):
        page = visitor(address).open(path)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Open").click()
        page.get_by_role("link", name="Video 1").click()
        play(page)
        assert [asked for asked in proxy.refused if asked != "/favicon.ico"] == []


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_look(app: App, visitor: Visitor, theme: str, width: int) -> None:
    """Every page fits its window, bars nobody, and asks for nothing from elsewhere."""
    _, several = share(app, 3, title="Spring campaign", showPrompt=True, allowDownload=True)
    _, protected = share(app, password=PASSWORD)
    visit = visitor(f"http://127.0.0.1:{app.port}", width=width, theme=theme)
    for name, path in (("set", several), ("clip", f"{several}/2"), ("password", protected), ("gone", f"{several}/9")):
        page = visit.open(path)
        page.wait_for_load_state("networkidle")
        assert barriers(page) == []
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
        picture(page, f"share-{name}-{theme}-{width}")
    assert [told for told in visit.complaints if "404" not in told] == []


def test_link_is_made_in_the_dialog(app: App, visitor: Visitor) -> None:
    """The button of a clip leads to an address that opens for somebody else; a note takes the player's moment."""
    visit = visitor(f"http://127.0.0.1:{app.port}")
    page = visit.open("/history")
    settle(page)
    page.get_by_role("button", name=re.compile("Rain on a tin roof.*Open clip")).click()
    dialog = page.get_by_role("dialog")
    dialog.locator("video").wait_for()
    page.keyboard.press("k")
    dialog.locator("video").evaluate("video => { video.currentTime = 0.27; }")
    dialog.get_by_text("Notes", exact=True).click()
    dialog.get_by_role("button", name="Take the player's moment").click()
    expect(dialog.get_by_label("At second")).to_have_value("0.2")
    dialog.get_by_label("New note").fill("<b>Too dark</b>")
    dialog.get_by_role("button", name="Add note").click()
    expect(dialog.get_by_text("<b>Too dark</b>")).to_be_visible()
    expect(dialog.get_by_text("at 0:00.2")).to_be_visible()
    settle(page)
    expect(page.get_by_test_id("stToast")).to_have_count(0)
    assert barriers(page) == []
    picture(page, "share-notes")
    dialog.locator("video").evaluate("video => { video.currentTime = 0; }")
    dialog.get_by_role("button", name="Go to 0:00.2").click()
    dialog.locator("video").evaluate(
        "async video => { while (video.currentTime <= 0.15) await new Promise((go) => setTimeout(go, 20)); }"
    )

    dialog.get_by_role("button", name="Share outside").click()
    expect(dialog.get_by_label("Title, shown to them")).to_be_visible()
    settle(page)
    assert barriers(page) == []
    assert excess_px(page) == 0
    dialog.get_by_role("button", name="Make the link").click()
    address = dialog.locator("code").inner_text().replace("\n", "")
    dialog.get_by_role("button", name="Done").click()
    expect(dialog.locator("video")).to_be_visible()
    assert visit.complaints == []

    stranger = visitor("")
    play(stranger.open(address))

    page = visit.open("/account")
    settle(page)
    page.get_by_role("tab", name="Shared links").click()
    settle(page)
    expect(page.get_by_text("1 view").first).to_be_visible()
    assert barriers(page) == []
    picture(page, "share-list")
