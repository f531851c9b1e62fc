"""Judging in a browser: forty takes by keys alone, several side by side, what is kept while the server is away."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from core.db.enums import RejectReason
from core.files import storage as storages
from pages.elements import viewer_endpoint
from tests.browser.conftest import LOOKS, Visitor, barriers, excess_px, picture, settle
from tests.browser.furnishing import installation, small_clip, stored
from tests.system.app import App, running

TAKES = 40
WATCH = """() => {
    window.sizes = [];
    const look = () => {
        const dialog = document.querySelector("[role=dialog]");
        if (dialog && getComputedStyle(dialog).opacity !== "0") {
            const { width, height } = dialog.getBoundingClientRect();
            window.sizes.push([Math.round(width), Math.round(height)]);
        }
        requestAnimationFrame(look);
    };
    look();
}"""
"""Notes each size in which a dialog is seen."""
REASONS = [reason.value for reason in RejectReason]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """An app with forty takes that nobody has judged."""
    folder = tmp_path_factory.mktemp("review")
    with installation(folder) as studio:
        storage = storages.open_storage(studio.settings.storage_url)
        clip, project = small_clip(folder / "small.mp4"), studio.project("Lake film")
        for number in range(TAKES):
            row = studio.order(project, f"Take {number}", resolution=("720p", "1080p")[number % 2])
            studio.complete(row, stored(storage, row, clip))
    with running(folder) as started:
        yield started


def verdicts(app: App) -> dict[str, tuple[bool | None, str | None]]:
    """Prompt -> verdict and reason, as scripts are told."""
    clips = app.client.get(f"/generations?limit={TAKES}").json()["generations"]
    return {clip["prompt"]: (clip["kept"], clip["rejectReason"]) for clip in clips}


def card(page: Page, prompt: str) -> Locator:
    """The button that opens a clip."""
    return page.get_by_role("button", name=re.compile(rf"\b{prompt} .*Open clip"))


def opened(app: App, visitor: Visitor, prompt: str, **look: object) -> Page:
    """The viewer, opened by the keyboard from the card of a clip."""
    page = visitor(f"http://127.0.0.1:{app.port}", **look).open("/history")
    card(page, prompt).focus()
    settle(page)
    page.keyboard.press("Enter")
    expect(shown(page)).to_have_text(prompt)
    return page


def shown(page: Page) -> Locator:
    """What is looked at."""
    return page.get_by_role("dialog").locator(".title")


def saved(page: Page) -> None:
    """Wait until nothing waits to be sent, of this tab."""
    page.wait_for_function("!Object.keys(sessionStorage).some((key) => key.startsWith('video-review:'))")


def test_forty_takes_are_judged_by_keys(app: App, visitor: Visitor) -> None:
    """Every take gets the verdict and reason whose keys were pressed, also beyond the page; then Esc leads back."""
    page = opened(app, visitor, "Take 39")
    steps = page.evaluate("history.length")
    wanted: dict[str, tuple[bool | None, str | None]] = {}
    for number in reversed(range(TAKES)):
        expect(shown(page)).to_have_text(f"Take {number}")
        if number % 4:
            wanted[f"Take {number}"] = True, None
            page.keyboard.press("a")
        else:
            place = number // 4 % (len(REASONS) + 1)  # the last stands for no reason
            wanted[f"Take {number}"] = False, (*REASONS, None)[place]
            page.keyboard.press("r")
            page.keyboard.press("r" if place == len(REASONS) else str(place + 1))
    expect(page.get_by_role("dialog").locator(".said")).to_have_text(
        "30 kept, 10 rejected. No undecided clip is left after this one."
    )
    saved(page)
    assert verdicts(app) == wanted

    page.keyboard.press("z")
    expect(page.get_by_role("dialog").get_by_role("button", name="Keep", exact=True)).to_be_visible()
    saved(page)
    assert verdicts(app)["Take 0"] == (None, None)
    assert page.evaluate("history.length") == steps
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(card(page, "Take 39")).to_be_focused()


def test_decisions_outlive_a_server_that_is_away(app: App, visitor: Visitor) -> None:
    """They are kept, that is said, and they are sent in their order: also by the tab when it was loaded anew."""
    page = opened(app, visitor, "Take 30")

    def away(route: Route) -> None:
        route.abort()

    page.route(f"**{viewer_endpoint.PATH}", away)
    page.keyboard.press("r")
    page.keyboard.press("1")
    expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("does not answer")
    before = verdicts(app)
    page.on("dialog", lambda asks: asks.accept())  # whether to leave with something that is not sent
    page.reload()
    settle(page)
    expect(page.get_by_role("dialog")).to_be_visible()
    assert verdicts(app) == before
    page.unroute(f"**{viewer_endpoint.PATH}")
    saved(page)
    assert verdicts(app)["Take 30"] == (False, REASONS[0])


def test_viewer_opens_in_its_size_and_its_list_of_keys_decides_nothing(app: App, visitor: Visitor) -> None:
    """No small box comes first; behind the list nothing is kept or rejected, and after Undo what is left says so."""
    page = visitor(f"http://127.0.0.1:{app.port}").open("/history")
    page.evaluate(WATCH)
    card(page, "Take 30").focus()
    settle(page)
    page.keyboard.press("Enter")
    expect(shown(page)).to_have_text("Take 30")
    settle(page)
    assert {tuple(size) for size in page.evaluate("window.sizes")} == {(1280, 900)}

    dialog = page.get_by_role("dialog")
    before = verdicts(app)
    page.keyboard.press("?")
    expect(dialog.get_by_role("heading", name="Keys")).to_be_visible()
    for key in ("a", "r", "r", "f"):
        page.keyboard.press(key)
    page.keyboard.press("Escape")
    expect(dialog.get_by_role("heading", name="Keys")).to_be_hidden()
    expect(shown(page)).to_have_text("Take 30")
    saved(page)
    assert verdicts(app) == before

    undo, more = (dialog.get_by_role("button", name=name, exact=True) for name in ("Undo", "Undo one more"))
    page.keyboard.press("a")
    page.keyboard.press("r")
    page.keyboard.press("r")
    expect(undo).to_be_visible()
    page.keyboard.press("z")
    expect(more).to_be_visible()
    page.keyboard.press("z")
    expect(more).to_be_hidden()
    expect(undo).to_be_hidden()
    saved(page)
    assert verdicts(app) == before


def test_keys_leave_a_field_alone(app: App, visitor: Visitor) -> None:
    """What is written in a note is written, and decides, moves and downloads nothing; help lists the keys."""
    page = opened(app, visitor, "Take 20")
    dialog = page.get_by_role("dialog")
    settle(page)
    before = verdicts(app)
    dialog.get_by_role("tab", name="Notes").click()
    dialog.get_by_label("New note").press_sequentially("a r1 f z k ?")
    expect(dialog.get_by_label("New note")).to_have_value("a r1 f z k ?")
    expect(shown(page)).to_have_text("Take 20")
    expect(dialog.get_by_role("heading", name="Keys")).to_have_count(0)
    assert verdicts(app) == before
    dialog.locator("video").click()
    page.keyboard.press("?")
    expect(dialog.get_by_role("heading", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog.get_by_role("heading", name="Keys")).to_have_count(0)
    expect(dialog).to_be_visible()
    frame = dialog.locator(".time")
    page.keyboard.press("k")
    page.keyboard.press(".")
    said = frame.inner_text()
    page.keyboard.press(",")
    expect(frame).not_to_have_text(said)


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_one_of_four_is_kept(app: App, visitor: Visitor, theme: str, width: int) -> None:
    """Side by side, a number chooses and one key rejects the others; no barrier, and it fits the window."""
    ids = {clip["prompt"]: clip["id"] for clip in app.client.get(f"/generations?limit={TAKES}").json()["generations"]}
    four = [f"Take {number}" for number in (15, 14, 13, 12)]
    page = visitor(f"http://127.0.0.1:{app.port}", theme=theme, width=width).open(
        "/history?compare=" + ",".join(ids[prompt] for prompt in four)
    )
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("video")).to_have_count(4)
    settle(page)
    page.keyboard.press("3")
    expect(shown(page)).to_have_text("Take 13")
    page.keyboard.press("Shift+A")
    saved(page)
    assert [verdicts(app)[prompt][0] for prompt in four] == [False, False, True, False]
    settle(page)
    assert barriers(page) == []
    assert excess_px(page) <= 0
    picture(page, f"review-four-{theme}-{width}")
    page.keyboard.press("r")
    expect(dialog.get_by_role("button", name="Wrong movement")).to_be_visible()
    dialog.get_by_role("button", name="Another take is better").click(trial=True)  # nothing lies above it
    assert barriers(page) == []
    picture(page, f"review-reasons-{theme}-{width}")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    assert barriers(page) == []
    picture(page, f"review-keys-{theme}-{width}")
