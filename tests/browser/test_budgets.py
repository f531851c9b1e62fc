"""Budgets in a real browser: the page and its dialog, and the button that a budget stops; in both themes."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from core import db
from core.clock import utc_now
from core.db.enums import BudgetMode, BudgetScope, WorkspaceRole
from core.files import storage as storages
from core.usage import budgets
from tests.browser.conftest import LOOKS, Visitor, barriers, draw_again, excess_px, picture, settle, shifted
from tests.browser.furnishing import installation, small_clip, stored
from tests.factories import generations, histories
from tests.factories.histories import Ended
from tests.factories.projects import create_project
from tests.factories.users import create_member
from tests.factories.workspaces import create_team
from tests.system.app import running

STILL = 0.1
"""Cumulative layout shift, of which people notice little (web.dev, "CLS": 0.1 is good, 0.25 poor)."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """An app and a team in it, with budgets that are fine, nearly used up and exceeded."""
    folder = tmp_path_factory.mktemp("budgets")
    with installation(folder) as studio:
        ben = create_member(db.default(), "benjamin.of-a-long-name@subsidiary.example.org", credits=0)
        people = ((studio.person, WorkspaceRole.MANAGER), (ben, WorkspaceRole.MAKER))
        me, maker = create_team(db.default(), *people, name="Lakes", credits=10_000)
        spring, autumn = (create_project(db.default(), me, name) for name in ("Spring campaign", "Autumn " * 12))
        create_project(db.default(), me, "An idea")
        today, clip = utc_now().date(), small_clip(folder / "small.mp4")
        for take in range(5):
            row = generations.create_completed(db.default(), me, project_id=spring.id, prompt=f"A heron, take {take}")
            stored(storages.open_storage(studio.settings.storage_url), row, clip)
        with db.write_session() as session:
            histories.book(session, maker, [Ended(today, autumn.id, "demo-film") for _ in range(7)])
            for scope, subject, credits, mode in (
                (BudgetScope.WORKSPACE, me.workspace_id, 5_000, BudgetMode.WARN),
                (BudgetScope.PROJECT, spring.id, 275, BudgetMode.STOP),
                (BudgetScope.PROJECT, autumn.id, 300, BudgetMode.WARN),
                (BudgetScope.MEMBER, maker.id, 2_000, BudgetMode.STOP),
            ):
                budgets.set_limit(session, me, scope, subject, credits=credits, mode=mode)
        spring_id, team_id = spring.id, me.workspace_id
    with running(folder) as app:
        yield f"http://127.0.0.1:{app.port}", f"workspace={team_id}&project={spring_id}"


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_page_of_budgets(site: tuple[str, str], visitor: Visitor, theme: str, width: int) -> None:
    """It fits, hardly moves, bars nobody, and its dialog says what a budget that stops does."""
    address, team = site
    visit = visitor(address, theme=theme, width=width)
    page = visit.open(f"/budgets?{team.partition('&')[0]}")
    expect(page.get_by_role("heading", name="People")).to_be_visible()
    expect(page.get_by_text("250 of 275 credits taken")).to_be_visible()
    settle(page)
    picture(page, f"budgets-{theme}-{width}")
    assert excess_px(page) == 0
    assert shifted(page) < STILL, page.evaluate("window.shifts")
    draw_again(page)
    assert shifted(page) < 0.01
    assert barriers(page) == []

    page.get_by_role("button", name="Change").nth(1).click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("Autumn Autumn")).to_be_visible()
    dialog.get_by_text("Stops orders").click()
    expect(dialog.get_by_text("also those of scripts and tables")).to_be_visible()
    settle(page)
    picture(page, f"budgets-dialog-{theme}-{width}")
    assert barriers(page) == []
    assert visit.complaints == []


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_button_that_a_budget_stops(site: tuple[str, str], visitor: Visitor, theme: str, width: int) -> None:
    """It cannot be pressed, and beside it stands which budget it is and what is left."""
    address, team = site
    visit = visitor(address, theme=theme, width=width)
    page = visit.open(f"/generate?{team}")
    expect(
        page.get_by_text("The project's budget stops this: of 275 credits for this month, 25 are left.")
    ).to_be_visible()
    expect(page.get_by_role("button", name="Generate for")).to_be_disabled()
    settle(page)
    picture(page, f"budget-stops-{theme}-{width}")
    assert excess_px(page) == 0
    assert barriers(page) == []
    assert visit.complaints == []
