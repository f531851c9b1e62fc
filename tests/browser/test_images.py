"""Images of an order, from wherever they come, in a real browser: chosen, pasted, dropped, earlier ones, any frame."""

import base64
import io
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import FilePayload, Locator, Page, expect

from tests.browser.conftest import PATIENCE_MS, Visitor, barriers, picture, settle
from tests.factories.images import create_image
from tests.system.app import App, running


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """An app with one clip that is here."""
    with running(tmp_path_factory.mktemp("images")) as started:
        started.until_ended(started.order(prompt="a lake at dusk"))
        yield started


HAND_OVER = """
([target, kind, name, data, text]) => {
  const bytes = Uint8Array.from(atob(data), (char) => char.charCodeAt(0));
  const carried = new DataTransfer();
  if (name) carried.items.add(new File([bytes], name, { type: "image/png" }));
  if (text) carried.setData("text/plain", text);
  const event = kind === "paste"
    ? new ClipboardEvent("paste", { clipboardData: carried, bubbles: true, cancelable: true, composed: true })
    : new DragEvent("drop", { dataTransfer: carried, bubbles: true, cancelable: true, composed: true });
  const find = (root) => {
    const found = root.querySelector(target);
    if (found) return found;
    for (const host of root.querySelectorAll("*")) {
      const within = host.shadowRoot && find(host.shadowRoot);
      if (within) return within;
    }
    return null;
  };
  find(document).dispatchEvent(event);
}
"""
"""Paste or drop a file as a browser does, on the first element of a selector, also within elements of ours."""


def hand_over(page: Page, target: str, kind: str, name: str, data: bytes, *, text: str = "") -> None:
    """Paste or drop an image."""
    page.evaluate(HAND_OVER, [target, kind, name, base64.b64encode(data).decode(), text])


def slot(page: Page, label: str) -> Locator:
    """The place for images with this label."""
    return page.get_by_role("region", name=label, exact=True)


def held(page: Page, name: str) -> Locator:
    """An image in its place, or the place where it can be brought to."""
    return page.get_by_role("button", name=name)


def ratio(page: Page, chosen: str) -> Locator:
    """The chip that says which ratio is chosen."""
    return page.get_by_role("button", name=f"Aspect ratio: {chosen}")


def noise(width: int, height: int) -> bytes:
    """A picture that cannot be packed."""
    pixels = np.random.default_rng(1).integers(0, 255, (height, width, 3), dtype=np.uint8)
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, "PNG")
    return data.getvalue()


def test_images_come_from_everywhere(app: App, visitor: Visitor) -> None:
    """Chosen, dropped, pasted, of earlier, out of a clip; what is too large is said, and a crop is another image."""
    visit = visitor(f"http://127.0.0.1:{app.port}", width=1440)
    page = visit.open("/generate")
    settle(page)
    large = noise(1850, 1850)
    assert 9_900_000 < len(large) <= 10 * 1024**2
    file: FilePayload = {"name": "large.png", "mimeType": "image/png", "buffer": large}
    slot(page, "Start image").locator("input[type=file]").set_input_files(file)
    expect(held(page, "Start image: large.png, 1850 × 1850")).to_be_visible(timeout=60_000)
    expect(ratio(page, "1:1")).to_be_visible()
    file = {"name": "huge.png", "mimeType": "image/png", "buffer": bytes(10 * 1024**2 + 1)}
    slot(page, "End image").locator("input[type=file]").set_input_files(file)
    expect(page.get_by_role("alert").filter(has_text="This image is larger than 10 MB.")).to_be_visible()

    # A picture that is pasted into the prompt goes to the place that is free; a text beside it is what was meant.
    hand_over(page, "textarea", "paste", "both.png", create_image("red"), text="words")
    hand_over(page, "textarea", "paste", "pasted.png", create_image("teal"))
    expect(held(page, "End image: pasted.png, 320 × 180")).to_be_visible()
    settle(page)
    hand_over(page, "textarea", "paste", "third.png", create_image("blue"))
    expect(page.get_by_text("There is no free place for another image.")).to_be_visible()

    # Dropped on a place that is taken it replaces; the ratio follows the start image, or the image is cut to it.
    hand_over(page, "[data-field=start_image]", "drop", "tall.png", create_image("navy", size=(180, 320)))
    expect(held(page, "Start image: tall.png, 180 × 320")).to_be_visible()
    ratio(page, "9:16").click()
    page.get_by_role("radio", name="16:9").click()
    page.get_by_role("button", name="Crop to 16:9").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("180 × 101 stay.")).to_be_visible()
    settle(page)
    picture(page, "generate-crop")
    assert barriers(page) == []
    dialog.get_by_role("button", name="Crop", exact=True).click()
    expect(held(page, "Start image: tall.png, cut to 16:9, 180 × 101")).to_be_visible()
    expect(ratio(page, "16:9")).to_be_visible()
    settle(page)

    held(page, "End image: pasted.png").click()
    picture(page, "generate-images")
    slot(page, "End image").get_by_role("button", name="Remove").click()
    held(page, "End image: Add an image").click()
    slot(page, "End image").get_by_role("button", name="Earlier image, or picture of a clip").click()
    expect(dialog.get_by_role("button", name="pasted.png")).to_be_visible()
    expect(dialog.get_by_role("button", name="large.png")).to_be_visible()
    settle(page)
    picture(page, "generate-earlier")
    assert barriers(page) == []
    dialog.get_by_text("Picture of a clip").click()
    dialog.get_by_role("button", name="a lake at dusk").click()
    expect(dialog.get_by_role("button", name="Use this picture")).to_be_visible()
    dialog.get_by_role("slider", name="Moment of the clip").fill("1")
    dialog.get_by_role("button", name="One picture on").click()
    expect(dialog.get_by_text("1.06 s")).to_be_visible()
    picture(page, "generate-frame")
    assert barriers(page) == []
    dialog.get_by_role("button", name="Use this picture").click()
    expect(held(page, "End image: Picture at 1.")).to_be_visible(timeout=60_000)
    expect(dialog).to_have_count(0)
    settle(page)

    # Everything is there again after a reload, in the other theme and on a phone.
    page.set_viewport_size({"width": 390, "height": 844})
    page.emulate_media(color_scheme="dark")
    page.reload()
    settle(page)
    expect(held(page, "Start image: tall.png, cut to 16:9, 180 × 101")).to_be_attached()
    expect(held(page, "End image: Picture at 1.")).to_be_attached()
    picture(page, "generate-images-phone")
    assert visit.complaints == []


def test_draft_on_another_device(app: App, visitor: Visitor) -> None:
    """What is typed is kept by itself, too long or not; a second browser has it, and neither loses the other's."""
    address = f"http://127.0.0.1:{app.port}"
    page = visitor(address).open("/generate")
    field = page.get_by_role("textbox", name="Prompt", exact=True)
    settle(page)
    field.press_sequentially("A lake", delay=30)
    expect(page.get_by_text("6 of 2,000 characters")).to_be_visible()
    expect(field).to_be_focused()  # nobody had to leave it
    settle(page)

    other = visitor(address, width=390, height=844).open("/generate")
    there = other.get_by_role("textbox", name="Prompt", exact=True)
    expect(there).to_have_value("A lake")
    expect(other.get_by_text("Your draft is back, as you left it")).to_be_visible()
    settle(other)
    there.fill("A lake by telephone")
    settle(other)
    other.wait_for_timeout(1_000)
    settle(other)
    field.press_sequentially(" at dawn", delay=30)
    expect(page.get_by_text("In another tab or on another device you wrote")).to_be_visible()
    expect(field).to_have_value("A lake at dawn")
    settle(page)
    picture(page, "generate-two-devices")
    assert barriers(page) == []
    page.get_by_role("button", name="Show it instead").click()
    expect(field).to_have_value("A lake by telephone")
    settle(page)

    # A paste beyond the limit is taken and counted; the button says why it cannot be pressed.
    field.fill("x" * 2_100)
    expect(page.get_by_text("2,100 of 2,000 characters")).to_be_visible()
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(page.locator(".st-key-generate_button button")).to_be_disabled(timeout=PATIENCE_MS)
    expect(page.get_by_text("Use at most 2,000 characters; these are 2,100.")).to_be_visible()
    settle(page)
    assert barriers(page) == []
