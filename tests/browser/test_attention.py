"""What waits, in a real browser: the managers' page and its queue, in both themes and on a phone, and one press."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import expect
from sqlalchemy import update

from core import db
from core.clock import utc_now
from core.db.enums import BudgetMode, BudgetScope, Role, WorkspaceRole
from core.db.tables import Generation, User, Workspace
from core.usage import budgets
from core.workspaces.access import Member
from tests.browser.conftest import LOOKS, Visitor, barriers, draw_again, excess_px, picture, settle, shifted
from tests.browser.furnishing import installation
from tests.factories import generations
from tests.factories.generations import DISPATCHED, SUBMITTING, WAITING, rewrite
from tests.factories.projects import create_project
from tests.factories.users import create_member
from tests.factories.workspaces import create_team
from tests.system.app import running

UNTOUCHED = "kling-2.5"
"""Of a provider that has no key here: the worker leaves its clips as they are."""
STILL = 0.1
"""Cumulative layout shift, of which people notice little (web.dev, "CLS": 0.1 is good, 0.25 poor)."""


def late(person: Member, project_id: str) -> str:
    """The id of a clip that its provider has had for two hours."""
    row = generations.create_generation(db.default(), person, project_id=project_id, model_id=UNTOUCHED)
    in_an_hour = utc_now() + timedelta(hours=1)
    generations.advance(db.default(), row.id, DISPATCHED, SUBMITTING, WAITING, next_at=in_an_hour)
    then = utc_now() - timedelta(hours=2)
    with db.write_session() as session:
        rewrite(session, Generation.id == row.id, created_at=then, submitted_at=then)
    return row.id


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """An app and a team in it, with one of everything that waits for a manager."""
    folder = tmp_path_factory.mktemp("attention")
    with installation(folder) as studio:
        ben = create_member(db.default(), "benjamin.of-a-long-name@subsidiary.example.org", credits=0)
        people = ((studio.person, WorkspaceRole.MANAGER), (ben, WorkspaceRole.MAKER))
        me, maker = create_team(db.default(), *people, name="Lakes", credits=4_000)
        film = create_project(db.default(), me, "Autumn " * 12)
        for _ in range(2):
            late(maker, film.id)
        lost = generations.create_generation(
            db.default(), maker, project_id=film.id, model_id=UNTOUCHED, prompt="A heron over a lake at dawn, " * 6
        )
        generations.lose_submit(db.default(), lost.id)
        quota_bytes = studio.settings.storage_quota_bytes
        with db.write_session() as session:
            for scope, subject, credits, mode in (
                (BudgetScope.PROJECT, film.id, 1_500, BudgetMode.STOP),
                (BudgetScope.WORKSPACE, me.workspace_id, 1_700, BudgetMode.WARN),
            ):
                budgets.set_limit(session, me, scope, subject, credits=credits, mode=mode)
            team = update(Workspace).where(Workspace.id == me.workspace_id)
            session.execute(team.values(storage_bytes=quota_bytes * 95 // 100))
            session.execute(update(User).values(role=Role.USER))  # a manager and nothing else
        team_id = me.workspace_id
    with running(folder) as app:
        yield f"http://127.0.0.1:{app.port}", f"workspace={team_id}"


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_page_of_what_waits(site: tuple[str, str], visitor: Visitor, theme: str, width: int) -> None:
    """It fits, hardly moves and bars nobody, the queue neither; what cancelling costs is said before."""
    address, team = site
    visit = visitor(address, theme=theme, width=width)
    page = visit.open(f"/attention?{team}")
    expect(page.get_by_role("heading", name="Clips that need review")).to_be_visible()
    expect(page.get_by_text("Stops orders")).to_be_visible()
    waits = page.get_by_role("link", name="Attention (7)")
    expect(waits.first).to_be_in_viewport(ratio=1)
    expect(page.get_by_role("button", name=re.compile("^Menu of"))).to_be_in_viewport(ratio=1)
    settle(page)
    page.set_viewport_size({"width": width, "height": 2600})
    settle(page)
    picture(page, f"attention-{theme}-{width}")
    page.set_viewport_size({"width": width, "height": 900})
    assert excess_px(page) == 0
    assert shifted(page) < STILL
    draw_again(page)
    assert shifted(page) < 0.01
    assert barriers(page) == []

    page.get_by_role("button", name="Cancel", exact=True).first.click()
    expect(page.get_by_text("cannot be stopped").or_(page.get_by_text("cannot stop")).first).to_be_visible()
    page.keyboard.press("Escape")

    page.get_by_role("tab", name="Queue").click()
    expect(page.get_by_role("heading", name="Longest under way")).to_be_visible()
    settle(page)
    picture(page, f"attention-queue-{theme}-{width}")
    assert excess_px(page) == 0
    assert barriers(page) == []
    assert visit.complaints == []


def test_press_on_a_late_clip(site: tuple[str, str], visitor: Visitor) -> None:
    """One press has its provider asked, and says so; a second one does no harm."""
    address, team = site
    visit = visitor(address)
    page = visit.open(f"/attention?{team}")
    for _ in range(2):
        page.get_by_role("button", name="Look again now").first.click()
        expect(page.get_by_text("Its provider is asked about this clip in a moment.").first).to_be_visible()
        settle(page)
    assert visit.complaints == []
