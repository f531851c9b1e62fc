"""Every page by a cold link, light and dark, wide and narrow."""

import re
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from core import config, db, generations, lifecycle, media, projects
from core import storage as storages
from core.models import Generation
from core.storage import Storage
from tests.browser.conftest import Visitor, picture
from tests.pages.studio import FACTS, Studio
from tests.process.app import running

pytestmark = pytest.mark.browser

PAGES = {
    "/": ("Projects", "Lake film"),
    "/generate": ("Generate", "Latest clips"),
    "/history": ("History", "Rain on a tin roof"),
    "/usage": ("Usage", "By model"),
    "/admin": ("Admin", "Grant or correct credits"),
    "/account": ("Account", "Movements"),
}
"""Address -> heading of the page, and something that stands far down in it."""

LOOKS = [(theme, width) for theme in ("light", "dark") for width in (1280, 390)]


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an app that has clips in every state, none of them moving."""
    folder = tmp_path_factory.mktemp("furnished")
    with pytest.MonkeyPatch.context() as environ:
        for name in ("DATABASE_URL", "REDIS_URL", "STORAGE_URL", "SECRET_KEY", "AUTH_MODE"):
            environ.delenv(name, raising=False)
        environ.setenv("DATA_DIR", str(folder))
        config.settings.cache_clear()
        db.default.cache_clear()
        furnish(Studio(config.settings()), folder)
        db.default().dispose()
        config.settings.cache_clear()
        db.default.cache_clear()
    with running(folder) as app:
        yield f"http://127.0.0.1:{app.port}"


def furnish(studio: Studio, folder: Path) -> None:
    """Clips of a provider that has no key here, so that the worker leaves them as they are."""
    storage = storages.open_storage(studio.settings.storage_url)
    clip = small_clip(folder / "small.mp4")
    lake, empty = studio.project("Lake film"), studio.project("An idea with a rather long name, " * 3)
    with db.session() as session:
        projects.change(session, studio.person, empty.id, description="averyveryverylongwordwithoutanyspace" * 4)
    for prompt in ("A rower crosses a lake at dawn", "w" * 300, "Rain on a tin roof"):
        row = studio.order(lake, prompt)
        studio.complete(row, stored(storage, row, clip))
    studio.fail(studio.order(lake, "A heron takes off"))
    studio.lose(studio.order(lake, "Ink in clear water", model_id="seedance-t2v"))
    with db.session() as session:
        generations.cancel(session, studio.person, studio.order(lake, "A paper boat").id)


def small_clip(path: Path) -> Path:
    """Half a second of moving grey, 320 x 180."""
    with av.open(path, "w", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=24)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        for shade in range(60, 180, 10):
            frame = av.VideoFrame.from_ndarray(np.full((180, 320, 3), shade, np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def stored(storage: Storage, row: Generation, clip: Path) -> lifecycle.Output:
    """Put a clip where the worker would have put it."""
    base = f"videos/{row.id}/0123456789abcdef"
    storage.put_bytes(f"{base}.mp4", clip.read_bytes(), media_type="video/mp4")
    storage.put_bytes(f"{base}.webp", media.poster(clip), media_type="image/webp")
    storage.put_bytes(f"{base}-preview.mp4", media.preview(clip), media_type="video/mp4")
    size = clip.stat().st_size
    facts = {**FACTS, "width": 320, "height": 180, "duration_seconds": 0.5, "size_bytes": size}
    return lifecycle.Output(f"{base}.mp4", f"{base}.webp", f"{base}-preview.mp4", size, facts)


def settle(page: Page) -> None:
    """Wait until everything is drawn and every file is here."""
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0)
    page.wait_for_load_state("networkidle")


def excess_px(page: Page) -> int:
    """By how much the page is wider than the window."""
    found: int = page.evaluate(
        """() => Math.max(...[document.documentElement, document.querySelector("[data-testid=stMain]")]
                 .map((part) => part.scrollWidth - part.clientWidth))"""
    )
    return found


@pytest.mark.parametrize(("theme", "width"), LOOKS)
@pytest.mark.parametrize("path", PAGES)
def test_page_by_cold_link(furnished: str, visitor: Visitor, path: str, theme: str, width: int) -> None:
    """A page stands whole at its address, fits the window, and asks nobody but its own server for anything."""
    title, deep = PAGES[path]
    visit = visitor(furnished, theme=theme, width=width)

    page = visit.open(path)
    expect(page.get_by_role("heading", name=title, level=1, exact=True)).to_be_visible()
    expect(page.get_by_text(deep).first).to_be_attached()
    settle(page)
    picture(page, f"{title.lower()}-{theme}-{width}")

    expect(page.get_by_test_id("stException")).to_have_count(0)
    expect(page.get_by_test_id("stAlertContentError")).to_have_count(0)
    assert excess_px(page) == 0
    assert visit.complaints == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/", "/admin", "/account"])
def test_page_has_no_barriers(furnished: str, visitor: Visitor, path: str, theme: str) -> None:
    """Axe finds nothing on the page in either theme, and the keyboard first comes to the way past the navigation."""
    title, deep = PAGES[path]
    page = visitor(furnished, theme=theme).open(path)
    expect(page.get_by_role("heading", name=title, level=1, exact=True)).to_be_visible()
    expect(page.get_by_text(deep).first).to_be_attached()
    settle(page)

    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    page.keyboard.press("Tab")
    assert "skip" in str(page.evaluate("document.activeElement.textContent")).lower()


def test_language_is_switched(furnished: str, visitor: Visitor) -> None:
    """The choice of a language is kept for the next browser, and can be taken back."""
    page = visitor(furnished).open("/account")
    page.get_by_text("Bahasa Indonesia", exact=True).click()
    settle(page)
    again = visitor(furnished).open("/account")
    expect(again.get_by_role("radio", name="Bahasa Indonesia")).to_be_checked()
    again.get_by_text("English", exact=True).click()
    settle(again)
    expect(again.get_by_role("radio", name="English")).to_be_checked()


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_clip_by_cold_link(furnished: str, visitor: Visitor, theme: str, width: int) -> None:
    """A click on a card opens its clip; the address it then has opens the same clip in another browser."""
    first = visitor(furnished, theme=theme, width=width)
    page = first.open("/history")
    page.get_by_role("button", name=re.compile("Rain on a tin roof")).click()
    expect(page.get_by_role("dialog").locator("video")).to_be_visible()
    address = page.url.removeprefix(furnished)

    second = visitor(furnished, theme=theme, width=width)
    page = second.open(address)
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("video")).to_be_visible()
    expect(dialog.get_by_text("Rain on a tin roof", exact=True)).to_be_visible()
    page.wait_for_function("document.querySelector('[role=dialog] video').videoWidth === 320")
    settle(page)
    picture(page, f"clip-{theme}-{width}")
    assert excess_px(page) == 0
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(page).to_have_url(f"{furnished}/history")

    assert first.complaints + second.complaints == []


def test_page_that_does_not_exist(furnished: str, visitor: Visitor) -> None:
    """A wrong address says so, and the way back is there."""
    page = visitor(furnished).open("/nowhere")

    expect(page.get_by_text("Page not found")).to_be_visible()
    expect(page.get_by_role("heading", name="Projects", level=1)).to_be_visible()
    expect(page.get_by_test_id("stException")).to_have_count(0)
