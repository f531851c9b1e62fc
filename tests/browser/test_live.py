"""Clips that finish by themselves in a real browser: in one tab, in two, unseen, and over a restart of the server."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Request, expect

from pages.elements import live_endpoint
from tests.browser.conftest import Visit, Visitor, draw_again, picture, settle
from tests.system.app import App, running

MAKING_MS = 150_000
"""How long a clip may take to draw on a busy machine."""
PATIENT_MS = 20_000
"""A rerun that a look asks for while another is on its way is asked for again six seconds later."""

LIBRARY = "History – AI Video Generator"
"""What the window of the library is called."""
SLOW_CODE = """
const arrived = new Promise((done) => { window.codeArrives = done; });
window.codeArrived = arrived;
window.Blob = class extends Blob {
  constructor(parts, options) {
    super(options?.type === "text/javascript" ? ["await window.codeArrived;", ...parts] : parts, options);
  }
};
"""
"""The code of elements is here only when `codeArrives()` is called, as on a machine that is slow to load it."""


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """An app on a folder that was empty; clips of earlier tests may be there, all of them ended."""
    with running(tmp_path_factory.mktemp("live")) as started:
        yield started


@pytest.fixture
def app(shared: App) -> Iterator[App]:
    """The same app, in which nothing is under way, and nothing is left so; short clips are done before a page looks."""
    yield shared
    for row in shared.client.get("/generations").json()["generations"]:
        if row["status"] in ("pending", "processing"):
            shared.client.post(f"/generations/{row['id']}/cancel")
            shared.until_ended(row["id"])


def arrive(visitor: Visitor, app: App, **look: object) -> tuple[Visit, list[str]]:
    """A browser, and the looks it takes."""
    visit = visitor(f"http://127.0.0.1:{app.port}", **look)
    looks: list[str] = []

    def note(request: Request) -> None:
        if live_endpoint.PATH in request.url:
            looks.append(request.url)

    visit.context.on("request", note)
    return visit, looks


def studio(app: App, generation: str) -> str:
    """The path of the studio of a clip's project; without it the one is open that was worked in last."""
    return f"/generate?project={app.client.get(f'/generations/{generation}').json()['generation']['projectId']}"


def studio_title(mark: str = "") -> re.Pattern[str]:
    """What the window of the studio is called: by its project, with a number where several have the same name."""
    return re.compile(rf"^{re.escape(mark)}Generate · Lakes( \(\d+\))? – AI Video Generator$")


def expect_told(page: Page, text: str | re.Pattern[str]) -> None:
    """An end is said, politely, and seen."""
    expect(page.get_by_role("status").filter(has_text=text)).to_have_text(text, timeout=MAKING_MS)
    expect(page.locator("p[popover]").filter(has_text=text)).to_be_visible()


def hide(page: Page, *, hidden: bool) -> None:
    """What a browser does to a tab that is covered: its state changes and says so."""
    state = "hidden" if hidden else "visible"
    page.evaluate(
        """state => {
            Object.defineProperty(document, "visibilityState", {configurable: true, get: () => state});
            Object.defineProperty(document, "hidden", {configurable: true, get: () => state === "hidden"});
            document.dispatchEvent(new Event("visibilitychange"));
        }""",
        state,
    )


def test_clip_finishes_without_a_touch(visitor: Visitor, app: App) -> None:
    """It moves, ends, is told of, and balance and clips are true again; what was being typed is still there."""
    generation = app.order(prompt="A lake at dusk", duration=4)
    visit, looks = arrive(visitor, app)
    page = visit.open(studio(app, generation))
    bar = page.get_by_role("progressbar", name="Progress: A lake at dusk")
    expect(bar).to_be_visible()
    expect(page).to_have_title(studio_title("(1) "))
    expect(page.get_by_text("reserved", exact=False).first).to_be_visible()
    page.get_by_label("Prompt", exact=True).press_sequentially("half a thought", delay=1)
    expect(page.get_by_text(re.compile(r"The provider is making it, .*\d+%"))).to_be_visible(timeout=MAKING_MS)
    expect_told(page, "Finished: A lake at dusk")
    picture(page, "live-finished")
    expect(page.locator(".stage .clip.on")).to_be_visible()
    expect(bar).to_have_count(0)
    expect(page).to_have_title(studio_title())
    expect(page.get_by_label("Prompt", exact=True)).to_have_value("half a thought")
    assert looks
    assert visit.complaints == []


def test_end_shows_within_three_seconds(visitor: Visitor, app: App) -> None:
    """From the end in the database to the page: a look and a rerun."""
    visit, _looks = arrive(visitor, app)
    generation = app.order(prompt="Rain on a roof", duration=12)
    page = visit.open("/history")
    expect(page).to_have_title(f"(1) {LIBRARY}")
    assert app.until_ended(generation)["status"] == "completed"
    expect(page.get_by_role("status").filter(has_text="Finished")).to_have_text(
        "Finished: Rain on a roof", timeout=3000
    )
    expect(page).to_have_title(LIBRARY)


def test_cancelling_in_the_element_gives_the_credits_back(visitor: Visitor, app: App) -> None:
    """Cancel says what it costs first; confirmed, the clip ends and the page says so."""
    generation = app.order(prompt="A long one", duration=16, resolution="4K")
    visit, _looks = arrive(visitor, app)
    page = visit.open(studio(app, generation))
    page.get_by_text("Cancel", exact=True).click()
    expect(page.get_by_text("come back", exact=False).first).to_be_visible()
    picture(page, "live-cancel")
    page.get_by_role("button", name="Cancel this clip").click()
    expect_told(page, re.compile("Cancelled: A long one; .* credits returned"))
    expect(page.locator(".stage .where")).to_have_text("Cancelled, credits returned")
    assert visit.complaints == []


def test_order_in_one_tab_is_seen_in_the_other(visitor: Visitor, app: App) -> None:
    """Tabs tell each other at once: nobody waits for the slow look of a page where nothing moved."""
    app.client.post("/projects", json={"name": "Lakes"})
    visit, looks = arrive(visitor, app)
    first, second = visit.open("/generate"), visit.open("/history")
    settle(second)
    before = len(looks)
    first.get_by_label("Prompt", exact=True).fill("A heron takes off")
    first.get_by_label("Prompt", exact=True).press("Control+Enter")
    expect(second).to_have_title(f"(1) {LIBRARY}", timeout=4000)
    expect(second.get_by_role("button", name=re.compile("A heron takes off.*Open clip"))).to_be_visible()
    assert len(looks) > before
    for tab in (first, second):
        expect(tab.get_by_role("status").filter(has_text="Finished")).to_have_text(
            "Finished: A heron takes off", timeout=MAKING_MS
        )
    assert visit.complaints == []


def test_hidden_tab_asks_nothing_and_catches_up_when_it_is_seen(visitor: Visitor, app: App) -> None:
    """No request while hidden, whatever happens; the first look when it is visible again brings the end."""
    visit, looks = arrive(visitor, app)
    generation = app.order(prompt="Unseen", duration=12)
    page = visit.open("/history")
    expect(page).to_have_title(f"(1) {LIBRARY}")
    hide(page, hidden=True)
    page.wait_for_timeout(500)  # a look that was on its way may end
    before = len(looks)
    app.until_ended(generation)
    page.wait_for_timeout(5000)
    assert len(looks) == before
    hide(page, hidden=False)
    expect(page.get_by_role("status").filter(has_text="Finished")).to_have_text("Finished: Unseen", timeout=3000)
    assert len(looks) > before
    assert visit.complaints == []


def test_hidden_tab_is_marked_by_one_that_sees(visitor: Visitor, app: App) -> None:
    """An end that a visible tab saw is marked in the title of a hidden one until that is looked at."""
    visit, _looks = arrive(visitor, app)
    hidden, seeing = visit.open("/history"), visit.open("/generate")
    settle(hidden)
    settle(seeing)
    hide(hidden, hidden=True)
    app.order(prompt="Elsewhere", duration=12)
    hide(seeing, hidden=True)
    hide(seeing, hidden=False)  # a look at once, in place of the slow one
    expect(hidden).to_have_title(f"(1) {LIBRARY}", timeout=PATIENT_MS)
    expect(hidden).to_have_title(f"✓ {LIBRARY}", timeout=MAKING_MS)
    hide(hidden, hidden=False)
    expect(hidden).to_have_title(LIBRARY)


def test_idle_page_asks_seldom(visitor: Visitor, app: App) -> None:
    """Nothing under way: there is no look in a time in which a clip under way would be looked at."""
    visit, looks = arrive(visitor, app)
    page = visit.open("/history")
    settle(page)
    page.wait_for_timeout(3000)
    assert looks == []


def test_order_of_a_script_is_noticed_by_an_idle_page(visitor: Visitor, app: App) -> None:
    """The seldom look finds it, though it began and ended between two of them; its end is told of."""
    visit, _looks = arrive(visitor, app)
    page = visit.open("/history")
    settle(page)
    app.until_ended(app.order(prompt="By a script"))
    expect(page.get_by_role("button", name=re.compile("By a script.*Open clip"))).to_be_visible(
        timeout=15_000 + PATIENT_MS
    )
    expect_told(page, "Finished: By a script")


def test_page_drawn_again_before_its_code_is_here_moves_all_the_same(visitor: Visitor, app: App) -> None:
    """Streamlit calls an element for each drawing, and ends the calls that a newer one overtook: only those end."""
    generation = app.order(prompt="Overtaken", duration=16)
    visit, looks = arrive(visitor, app)
    visit.context.add_init_script(SLOW_CODE)
    page = visit.open(studio(app, generation))
    expect(page.get_by_role("heading", name="Generate", level=1, exact=True)).to_be_visible()
    app.order(prompt="By a script", duration=12)
    draw_again(page)
    assert looks == []
    page.evaluate("codeArrives()")
    page.wait_for_function("() => document.title.startsWith('(2) ')")
    expect(page).to_have_title(studio_title(), timeout=MAKING_MS)
    expect(page.locator(".stage .clip.on")).to_be_visible()


def test_open_clip_and_its_player_survive_an_end(visitor: Visitor, app: App) -> None:
    """A playing clip is not restarted by another one's end, which is told all the same."""
    shown = app.order(prompt="The one that plays", duration=16)
    app.until_ended(shown)
    visit, _looks = arrive(visitor, app)
    page = visit.open(f"/history?clip={shown}")
    video = page.get_by_role("dialog").locator("video")
    expect(video).to_be_visible()
    video.evaluate("v => { v.mark = 1; v.playbackRate = 0.25; }")
    other = app.order(prompt="The other", duration=12)
    hide(page, hidden=True)
    hide(page, hidden=False)
    expect(page).to_have_title(f"(1) {LIBRARY}")
    app.until_ended(other)
    before = video.evaluate("v => v.currentTime")
    expect(page.get_by_role("status").filter(has_text="Finished")).to_have_text("Finished: The other")
    assert video.evaluate("v => v.mark === 1 && !v.paused && v.currentTime") > before
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(video).to_have_count(0)
    expect(page.get_by_role("button", name=re.compile("The other.*Open clip"))).to_be_visible()
    assert visit.complaints == []


def test_clip_under_way_plays_in_its_open_viewer_when_it_ends(visitor: Visitor, app: App) -> None:
    """Who opened what is being made looks at its progress, and then at it."""
    visit, _looks = arrive(visitor, app)
    page = visit.open(f"/history?clip={app.order(prompt='Waited for', duration=8)}")
    expect(page.get_by_role("progressbar", name="Progress: Waited for").last).to_be_visible()
    expect(page.get_by_role("dialog").locator("video")).to_be_visible(timeout=MAKING_MS)
    expect_told(page, "Finished: Waited for")
    assert visit.complaints == []


def test_clip_that_ended_before_the_first_look_plays_in_its_open_viewer(visitor: Visitor, app: App) -> None:
    """The page was drawn while it was being made, and its code came when it was done."""
    generation = app.order(prompt="Done in between", duration=16)
    visit, _looks = arrive(visitor, app)
    visit.context.add_init_script(SLOW_CODE)
    page = visit.open(f"/history?clip={generation}")
    expect(page.get_by_role("dialog")).to_be_visible()
    app.until_ended(generation)
    page.evaluate("codeArrives()")
    expect(page.get_by_role("dialog").locator("video")).to_be_visible()
    expect_told(page, "Finished: Done in between")
    assert visit.complaints == []


def test_server_restarted_in_the_middle(visitor: Visitor, tmp_path: Path) -> None:
    """The page goes on by itself, with few failed looks; the clip is told of by the server that came back."""
    with running(tmp_path) as before:
        visit, looks = arrive(visitor, before)
        generation = before.order(prompt="Over a restart", duration=8, resolution="4K")
        page = visit.open(studio(before, generation))
        expect(page).to_have_title(studio_title("(1) "))
        port = before.port
        before.stop()
        gone = len(looks)
        page.wait_for_timeout(8000)
        assert len(looks) - gone <= 3
    with running(tmp_path, port=port) as after:
        after.until_ended(generation)
        expect(page).to_have_title(studio_title(), timeout=40_000)
        expect(page.locator(".stage .clip.on")).to_be_visible(timeout=20_000)
