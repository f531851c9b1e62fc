"""The order form in a real browser: a model chosen by keyboard, several clips with one press, every width."""

import re
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import LOOKS, Visitor, barriers, excess_px, picture, settle
from tests.system.app import App, audit, running

VENDORS = ("MODELSLAB", "EDENAI", "FAL", "REPLICATE")


@pytest.fixture(scope="module")
def newcomer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """An app without any key, with one empty project."""
    with ExitStack() as stack:
        with pytest.MonkeyPatch.context() as environ:
            for name in VENDORS:
                environ.delenv(f"{name}_API_KEY", raising=False)
            app = stack.enter_context(running(tmp_path_factory.mktemp("newcomer")))
        app.client.post("/projects", json={"name": "Lake film"}).raise_for_status()
        yield app


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """An app whose vendors have keys and do not answer."""
    with ExitStack() as stack:
        with pytest.MonkeyPatch.context() as environ:  # of the app alone, not of the other one's start
            for name in VENDORS:
                environ.setenv(f"{name}_API_KEY", "key-of-a-test")
                environ.setenv(f"{name}_BASE_URL", "http://127.0.0.1:9")
            app = stack.enter_context(running(tmp_path_factory.mktemp("keyed")))
        app.client.post("/projects", json={"name": "Lake film"}).raise_for_status()
        yield app


def address(app: App) -> str:
    """Where a browser finds it."""
    return f"http://127.0.0.1:{app.port}"


def button(page: Page) -> Locator:
    """The button that spends."""
    return page.locator(".st-key-generate_button button")


def model(page: Page, name: str) -> Locator:
    """The card of a model."""
    return page.get_by_role("radiogroup", name="Model").get_by_role(
        "radio", name=re.compile(rf"^(✓ )?{re.escape(name)} (from|\d)")
    )


@pytest.mark.parametrize(("theme", "width"), LOOKS)
@pytest.mark.parametrize("kind", ["newcomer", "keyed"])
def test_form_at_every_width(
    request: pytest.FixtureRequest, visitor: Visitor, kind: str, theme: str, width: int
) -> None:
    """The form fits the window, complains of nothing, and an audit of accessibility finds nothing of ours."""
    visit = visitor(address(request.getfixturevalue(kind)), theme=theme, width=width)
    page = visit.open("/generate")
    expect(button(page)).to_be_visible()
    settle(page)
    picture(page, f"generate-{kind}-{theme}-{width}")

    assert barriers(page) == []
    assert excess_px(page) == 0
    assert visit.complaints == []


def test_newcomer_sees_the_settings_at_once(newcomer: App, visitor: Visitor) -> None:
    """What needs a key waits behind one line, so that the settings stand in a window of 1280 x 900."""
    page = visitor(address(newcomer), width=1280, height=900).open("/generate")
    for name in ("Resolution", "Aspect ratio"):
        expect(page.get_by_role("radiogroup", name=name)).to_be_in_viewport(ratio=1)
    expect(button(page)).to_be_in_viewport(ratio=1)
    expect(page.get_by_text("Google Veo 3", exact=True)).to_be_hidden()
    page.get_by_text("more models need a key").click()
    expect(page.get_by_text("Google Veo 3", exact=True)).to_be_visible()


def test_model_is_chosen_by_keyboard(keyed: App, visitor: Visitor) -> None:
    """One press of an arrow key chooses the next model, the price follows, and the focus stays."""
    visit = visitor(address(keyed))
    page = visit.open("/generate?model=text-to-video-ultra")
    expect(button(page)).to_have_text("Generate for 1,300 credits")
    expect(model(page, "Text-to-Video Ultra")).to_be_checked()
    model(page, "Text-to-Video Ultra").focus()
    page.keyboard.press("ArrowDown")
    expect(button(page)).to_have_text("Generate for 1,200 credits")
    expect(model(page, "Wan 2.2 T2V")).to_be_checked()
    expect(model(page, "Wan 2.2 T2V")).to_be_focused()
    assert visit.complaints == []


def test_models_are_narrowed_by_what_they_can_do(keyed: App, visitor: Visitor) -> None:
    """Asking for abilities leaves the models that have all of them, and the chosen one."""
    page = visitor(address(keyed)).open("/generate?model=text-to-video-ultra")
    expect(model(page, "Wan 2.2 T2V")).to_be_visible()
    for ability in ("End image", "Sound"):
        page.get_by_role("button", name=ability, exact=True).click()
    expect(model(page, "Wan 2.2 T2V")).to_be_hidden()
    expect(model(page, "Demo Film")).to_be_visible()
    expect(model(page, "Text-to-Video Ultra")).to_be_visible()
    page.get_by_role("button", name="End image", exact=True).click()
    page.get_by_role("button", name="Sound", exact=True).click()
    expect(model(page, "Wan 2.2 T2V")).to_be_visible()


def test_several_clips_with_one_press(newcomer: App, visitor: Visitor) -> None:
    """A rewritten prompt, three variations, a frantic double click: three clips of one batch, reserved once."""
    visit = visitor(address(newcomer))
    page = visit.open("/generate")
    page.get_by_role("textbox", name="Prompt", exact=True).fill("A lake at dawn")
    page.get_by_role("button", name="Improve my prompt").click()
    page.get_by_role("button", name="Use it").click()
    expect(page.get_by_role("textbox", name="Prompt", exact=True)).to_have_value(
        re.compile("^A lake at dawn\\. Gentle ripples")
    )
    variations = page.get_by_role("radiogroup", name="Variations")
    expect(variations).to_have_count(1)  # while the page is drawn anew, what moves stands twice
    variations.get_by_text("3", exact=True).click()
    expect(button(page)).to_have_text("Generate 3 clips for 150 credits")
    picture(page, "generate-several")
    button(page).dblclick()
    expect(page.get_by_text("Ordered. 150 credits are reserved")).to_be_visible()
    expect(page.get_by_text("You already ordered this")).to_be_visible()

    listed = newcomer.client.get("/generations").json()["generations"]
    assert len(listed) == 3
    assert newcomer.client.get("/credits").json()["credits"]["available"] == 99_850
    checked = audit(newcomer)
    assert checked.returncode == 0, checked.stdout
    assert visit.complaints == []
