"""Workspaces in a browser: the bar that says where one is, the address that keeps it, and what a viewer finds."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from core import db
from core.db.enums import WorkspaceRole
from core.files import storage as storages
from tests.browser.conftest import LOOKS, Visitor, barriers, draw_again, excess_px, picture, settle, shifted
from tests.browser.furnishing import furnish, installation, small_clip, stored
from tests.factories import generations
from tests.factories.projects import create_project
from tests.factories.workspaces import change_role, create_team
from tests.system.app import running

STILL = 0.15
"""Cumulative layout shift, of which people notice little (web.dev, "CLS": 0.1 is good, 0.25 poor)."""


@dataclass(frozen=True)
class Site:
    """A running app, whose one person has a workspace of their own, looks on in one team and makes clips in another."""

    address: str
    own_id: str
    viewed_id: str
    made_in_id: str
    clip_id: str


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Clips and projects in each, and one that is under way where the person looks on."""
    folder = tmp_path_factory.mktemp("workspaces")
    with installation(folder) as studio:
        furnish(studio, folder)
        [viewed] = create_team(db.default(), (studio.person, WorkspaceRole.MANAGER), name="Lakes")
        row = generations.create_completed(db.default(), viewed, prompt="A heron takes off")
        stored(storages.open_storage(studio.settings.storage_url), row, small_clip(folder / "heron.mp4"))
        generations.create_generation(db.default(), viewed, model_id="seedance-t2v", prompt="A paper boat")
        change_role(viewed, WorkspaceRole.VIEWER)
        long_name = "North and Partners, the studio with the long name"
        [made_in] = create_team(db.default(), (studio.person, WorkspaceRole.MAKER), name=long_name)
        create_project(db.default(), made_in, "Trailer")
        ids = (studio.person.id, viewed.workspace_id, made_in.workspace_id, row.id)
    with running(folder) as app:
        yield Site(f"http://127.0.0.1:{app.port}", *ids)


def chooser(page: Page) -> Locator:
    """The list in the bar."""
    return page.get_by_role("combobox", name="Workspace", exact=True)


def named(page: Page) -> str:
    """The workspace in the address."""
    return parse_qs(urlsplit(page.url).query)["workspace"][0]


@pytest.mark.parametrize(("theme", "width"), LOOKS)
@pytest.mark.parametrize("path", ["/", "/generate", "/history"])
def test_page_of_a_viewer(site: Site, visitor: Visitor, path: str, theme: str, width: int) -> None:
    """With the bar a page fits, hardly jumps, bars nobody; a viewer finds nothing on it that they may not press."""
    visit = visitor(site.address, theme=theme, width=width)
    page = visit.open(f"{path}?workspace={site.viewed_id}")
    expect(chooser(page)).to_have_value("Lakes · Viewer")
    settle(page)
    picture(page, f"viewer-{path.strip('/') or 'projects'}-{theme}-{width}")

    assert excess_px(page) == 0
    assert shifted(page) < STILL
    draw_again(page)
    assert shifted(page) < 0.01
    assert barriers(page) == []
    pressed = "Generate for|New project|Favourite(?!s)|^Generate: |^More: |Cancel"
    expect(page.get_by_role("button", name=re.compile(pressed))).to_have_count(0)
    expect(page.locator("a.generate:visible, .actions summary:visible")).to_have_count(0)
    assert visit.complaints == []


def test_moving_about(site: Site, visitor: Visitor) -> None:
    """A choice in the bar shows in page and address, goes along from page to page, and is undone by the way back."""
    page = visitor(site.address).open(f"/?workspace={site.own_id}")
    expect(page.get_by_role("link", name="Lake film").first).to_be_visible()
    chooser(page).click()
    page.get_by_role("option", name=re.compile("North.*Maker")).click()
    expect(page.get_by_role("link", name="Trailer").first).to_be_visible()
    expect(page.get_by_role("link", name="Lake film")).to_have_count(0)
    settle(page)
    assert named(page) == site.made_in_id

    page.get_by_role("link", name="Generate", exact=True).first.click()
    expect(page.get_by_role("heading", name="Generate", level=1)).to_be_visible()
    settle(page)
    assert named(page) == site.made_in_id
    page.go_back()
    expect(page.get_by_role("heading", name="Projects", level=1)).to_be_visible()
    settle(page)
    assert named(page) == site.made_in_id
    for _ in range(3):  # an address may be written twice, by the link and by the page
        if named(page) == site.own_id:
            break
        page.go_back()
        settle(page)
        page.wait_for_timeout(500)
    expect(page.get_by_role("link", name="Lake film").first).to_be_visible()
    expect(chooser(page)).to_have_value("My workspace")


def test_back_from_a_project_leads_to_the_list_as_it_was(site: Site, visitor: Visitor) -> None:
    """A card leads to its clips; one step back is the list with the address that it had, not with the library's."""
    page = visitor(site.address).open(f"/projects?workspace={site.own_id}")
    card = page.get_by_role("link", name="Lake film").first
    expect(card).to_be_visible()
    settle(page)
    before = page.url
    card.click()
    expect(page.get_by_role("heading", name="History", level=1)).to_be_visible()
    settle(page)
    assert "project=" in page.url
    page.go_back()
    expect(page.get_by_role("heading", name="Projects", level=1)).to_be_visible()
    settle(page)
    assert page.url == before


def test_link_to_a_clip_elsewhere(site: Site, visitor: Visitor) -> None:
    """A link without a workspace opens the clip where it is; closing it leaves one there."""
    page = visitor(site.address).open(f"/history?clip={site.clip_id}")
    dialog = page.get_by_role("dialog")
    expect(dialog.locator(".title")).to_have_text("A heron takes off")
    expect(dialog.get_by_role("button", name=re.compile("Delete|Extend|Use these settings"))).to_have_count(0)
    settle(page)
    picture(page, "viewer-clip")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(chooser(page)).to_have_value("Lakes · Viewer")
    assert named(page) == site.viewed_id
