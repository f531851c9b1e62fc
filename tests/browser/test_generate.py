"""The studio in a real browser: ten iterations without scrolling, a model chosen by keyboard, every width."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import LOOKS, Visitor, barriers, excess_px, picture, settle
from tests.system.app import App, audit, running

VENDORS = ("MODELSLAB", "EDENAI", "FAL", "REPLICATE")
MAKING_MS = 300_000
ITERATIONS = 10
SCROLLED = "document.querySelector('[data-testid=stMain]').scrollTop"


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """An app whose vendors have keys and do not answer."""
    with ExitStack() as stack:
        with pytest.MonkeyPatch.context() as environ:
            for name in VENDORS:
                environ.setenv(f"{name}_API_KEY", "key-of-a-test")
                environ.setenv(f"{name}_BASE_URL", "http://127.0.0.1:9")
            app = stack.enter_context(running(tmp_path_factory.mktemp("keyed")))
        app.client.post("/projects", json={"name": "Lake film"}).raise_for_status()
        yield app


@pytest.fixture
def newcomer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[App]:
    """An app without any key, on an empty folder."""
    for name in VENDORS:
        monkeypatch.delenv(f"{name}_API_KEY", raising=False)
    with running(tmp_path) as app:
        yield app


def address(app: App) -> str:
    """Where a browser finds it."""
    return f"http://127.0.0.1:{app.port}"


def button(page: Page) -> Locator:
    """The button that spends."""
    return page.locator(".st-key-generate_button button")


def prompt(page: Page) -> Locator:
    """The field that is written in."""
    return page.get_by_role("textbox", name="Prompt", exact=True)


def expect_all_in_view(page: Page, *, playing: bool) -> None:
    """Prompt, price, button and the newest clip stand in one window, and nothing was scrolled."""
    newest = page.locator(".stage .clip.on").last if playing else page.locator(".stage .screen")  # one may still fade
    for part in (prompt(page), page.locator(".st-key-generate_receipt"), button(page), newest):
        expect(part).to_be_in_viewport(ratio=0.99, timeout=MAKING_MS)
    assert page.evaluate(SCROLLED) == 0
    dock, stage = (page.locator(each).bounding_box() for each in ("[data-testid=stBottom]", ".stage .screen"))
    assert dock is not None
    assert stage is not None
    assert stage["y"] + stage["height"] <= dock["y"] + 1, "the dock lies over the clip"


def iterate(page: Page, app: App, beginning: str) -> None:
    """Ten times a changed prompt and an order by keys alone; each new press takes the stage."""
    for turn in range(ITERATIONS):
        text = f"{beginning}, version {turn}"
        prompt(page).fill(text)
        prompt(page).press("Control+Enter")
        expect(page.locator(".stage .title")).to_have_text([text])
        expect_all_in_view(page, playing=False)
    listed = app.client.get("/generations", params={"limit": 100}).json()["generations"]
    ordered = [row["prompt"] for row in listed if row["prompt"].startswith(beginning)]
    assert sorted(ordered) == sorted(f"{beginning}, version {turn}" for turn in range(ITERATIONS)), "each exactly once"


def cancel_all_but_newest(app: App) -> None:
    """Draw only what is looked at."""
    listed = app.client.get("/generations", params={"limit": 100}).json()["generations"]
    for row in sorted(listed, key=lambda row: str(row["id"]))[:-1]:
        if row["status"] in ("pending", "processing"):
            app.client.post(f"/generations/{row['id']}/cancel")


@pytest.mark.timeout(900)  # clips are drawn, also on a busy machine
def test_newcomer_iterates_without_scrolling(newcomer: App, visitor: Visitor) -> None:
    """The first order makes the project; its takes become clips in their place; ten more, on a desk and on a phone."""
    visit = visitor(address(newcomer), width=1440, height=900)
    page = visit.open("/")
    expect(page.get_by_text("Your first clip plays here")).to_be_visible()
    expect(page.get_by_text("anything else is shown by its own words")).to_be_visible()
    settle(page)
    picture(page, "studio-1-newcomer")
    page.get_by_role("button", name="A lake at dawn, mist over still water").click()
    expect(prompt(page)).to_have_value("A lake at dawn, mist over still water")
    page.get_by_role("button", name="Length: 5 s").click()
    page.get_by_role("radio", name="1 s", exact=True).click()
    page.keyboard.press("2")
    expect(button(page)).to_have_text("Generate 2 clips for 100 credits")
    prompt(page).press("3")
    expect(prompt(page)).to_have_value(re.compile("3"))
    expect(page.get_by_role("radio", name="Variations: 2")).to_be_checked()
    prompt(page).fill("A lake at dawn")
    prompt(page).press("Control+Enter")
    prompt(page).press("Control+Enter")
    expect(page.get_by_text("Ordered. 100 credits are reserved")).to_be_visible()
    expect(page.get_by_text("You already ordered this")).to_have_count(0)
    takes = page.get_by_role("list", name="Takes of this order").get_by_role("button")
    expect(takes).to_have_count(2)
    picture(page, "studio-2-takes")
    expect(page.locator(".take[data-status=completed]")).to_have_count(2, timeout=MAKING_MS)
    expect_all_in_view(page, playing=True)
    video = page.locator(".stage .clip").last
    assert video.evaluate("v => [v.muted, v.loop]") == [True, True]
    picture(page, "studio-3-playing")
    takes.first.click()
    expect(takes.first).to_have_attribute("aria-current", "true")
    takes.first.press("ArrowRight")
    expect(takes.nth(1)).to_be_focused()
    expect(page.locator(".stage .meta")).to_contain_text("Take 2 of 2")
    expect(page.get_by_role("button", name="Compare all")).to_be_visible()
    [project] = newcomer.client.get("/projects").json()["projects"]
    assert (project["name"], project["generationCount"]) == ("My first project", 2)

    page.keyboard.press("1")
    expect(button(page)).to_have_text("Generate for 50 credits")
    iterate(page, newcomer, "On a desk")
    cancel_all_but_newest(newcomer)
    picture(page, "studio-4-ten")

    phone = visitor(address(newcomer), width=390, height=844)
    small = phone.open("/generate")
    settle(small)
    iterate(small, newcomer, "On a phone")
    cancel_all_but_newest(newcomer)
    picture(small, "studio-5-phone")
    for tab in (small, page):
        expect_all_in_view(tab, playing=True)
    picture(small, "studio-6-phone-playing")
    for tab in (page, small):
        settle(tab)  # what is drawn anew is faint meanwhile
        assert barriers(tab) == []
    checked = audit(newcomer)
    assert checked.returncode == 0, checked.stdout
    assert [*visit.complaints, *phone.complaints] == []


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_studio_at_every_width(keyed: App, visitor: Visitor, theme: str, width: int) -> None:
    """Empty, with the list of models open and with a drawer open it fits the window and bars nobody."""
    visit = visitor(address(keyed), theme=theme, width=width)
    page = visit.open("/generate")
    expect(button(page)).to_be_in_viewport(ratio=1)
    settle(page)
    picture(page, f"generate-{theme}-{width}")
    assert barriers(page) == []
    assert excess_px(page) == 0
    page.get_by_role("button", name=re.compile("^Model: ")).click()
    expect(page.get_by_role("listbox", name="Models")).to_be_visible()
    picture(page, f"generate-models-{theme}-{width}")
    assert barriers(page) == []
    page.keyboard.press("Escape")
    page.locator(".st-key-generate_more button").first.click()
    expect(page.get_by_text("Save preset")).to_be_visible()
    settle(page)
    picture(page, f"generate-more-{theme}-{width}")
    assert barriers(page) == []
    assert visit.complaints == []


def test_model_is_chosen_by_keyboard(keyed: App, visitor: Visitor) -> None:
    """Search, sort, narrow down and pick without a pointer; the price follows, and the focus is where it was."""
    visit = visitor(address(keyed))
    page = visit.open("/generate?model=text-to-video-ultra")
    expect(button(page)).to_have_text("Generate for 1,300 credits")
    settle(page)
    chip = page.get_by_role("button", name="Model: Text-to-Video Ultra")
    chip.focus()
    page.keyboard.press("Enter")
    search = page.get_by_role("combobox", name="Search models")
    expect(search).to_be_focused()
    page.get_by_role("button", name="Price", exact=True).click()
    options = page.get_by_role("option")
    expect(options.first).to_contain_text("Demo Film")
    page.get_by_role("button", name="End image", exact=True).click()
    expect(options.filter(has_text="Wan 2.2 T2V")).to_have_count(0)
    page.get_by_role("button", name="End image", exact=True).click()
    search.fill("wan 2.2 t")
    expect(options).to_have_count(1)
    search.press("Enter")
    expect(button(page)).to_have_text("Generate for 1,200 credits")
    expect(page.get_by_role("button", name="Model: Wan 2.2 T2V")).to_be_focused()
    assert visit.complaints == []
