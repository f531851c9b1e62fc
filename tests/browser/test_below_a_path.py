"""The dashboard below a path: of Streamlit's own, and of a front that takes it off."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visitor, picture, settle
from tests.browser.furnishing import furnish, installation
from tests.fixtures.front import front
from tests.system.app import API, running

PAGES = ("", "/generate", "/history", "/usage", "/admin", "/account")


@pytest.fixture(scope="module", params=["base-path", "front"])
def below(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a furnished app, with its path; nothing beside the path leads to it where there is a front."""
    folder: Path = tmp_path_factory.mktemp("below")
    with installation(folder) as studio:
        furnish(studio, folder)
    if request.param == "base-path":
        with running(folder, options=["--server.baseUrlPath", "studio"]) as app:
            yield f"http://127.0.0.1:{app.port}/studio"
        return
    with running(folder) as app, front("/films/studio", app.port) as (address, proxy):
        yield address
        strays = [path for path in proxy.refused if path != "/favicon.ico"]
        assert strays == [], "every address that a page asks for is below the path"


def pictures(page: Page) -> list[int]:
    """The widths of all pictures, 0 for one that did not come."""
    script = """() => {
        const found = [], look = (root) => {
            for (const part of root.querySelectorAll("*")) {
                if (part.tagName === "IMG" && part.src.includes("/media/")) found.push(part.naturalWidth);
                if (part.shadowRoot) look(part.shadowRoot);
            }
        };
        look(document);
        return found;
    }"""
    found: list[int] = page.evaluate(script)
    return found


@pytest.mark.parametrize("path", PAGES)
def test_page(below: str, visitor: Visitor, path: str) -> None:
    """A page comes whole by a cold link, moves, and asks for nothing that is not there."""
    visit = visitor(below)
    lost: list[str] = []
    visit.context.on("response", lambda answer: lost.append(answer.url) if answer.status >= 400 else None)
    with visit.context.expect_event("response", lambda answer: f"{API}/live" in answer.url) as looked:
        page = visit.open(path or "/")
    settle(page)

    assert looked.value.url.startswith(f"{below}{API}/live")
    assert looked.value.status == 200
    assert all(pictures(page))
    assert [url for url in lost if "/_stcore/" not in url] == []
    assert visit.complaints == []
    picture(page, f"below{path.replace('/', '-')}")


def test_clip(below: str, visitor: Visitor) -> None:
    """A clip plays, can be downloaded, and the documentation is found."""
    visit = visitor(below)
    page = visit.open("/history")
    settle(page)
    assert len([width for width in pictures(page) if width]) >= 3
    page.get_by_role("button", name=re.compile("Rain on a tin roof.*Open clip")).click()
    expect(page.get_by_role("dialog").locator("video")).to_be_visible()
    expect(page.get_by_role("dialog").locator("video")).to_have_js_property("videoWidth", 320)
    with page.expect_download() as download:
        page.get_by_role("dialog").get_by_role("link", name=re.compile("^Download")).click()
    assert download.value.url.startswith(f"{below}{API}/media/")
    assert download.value.failure() is None

    page = visit.open("/account")
    settle(page)
    page.get_by_role("tab", name="Tokens and webhooks").click()
    link = page.get_by_role("link", name="API documentation")
    link.evaluate("part => part.removeAttribute('target')")
    link.click()
    expect(page.get_by_text(f"Address: {below}{API}")).to_be_visible()
    assert visit.complaints == []
