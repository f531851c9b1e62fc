"""Approval in a real browser: one orders, another one approves in a session of their own, and the clip is made."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from core import db
from core.db import Database
from core.db.enums import BudgetMode, BudgetScope, Status, WorkspaceRole
from core.db.tables import Generation
from core.files import storage as storages
from core.usage import budgets
from tests.browser.conftest import LOOKS, Visitor, barriers, excess_px, picture, settle
from tests.browser.furnishing import installation
from tests.factories import generations
from tests.factories.approvals import ask
from tests.factories.assets import create_asset
from tests.factories.images import create_image
from tests.factories.projects import create_project
from tests.factories.users import create_member
from tests.factories.workspaces import create_team
from tests.fixtures.front import Front, front
from tests.services.test_budget_limits import batch
from tests.system.app import App, free_port, running

FRONT_ADDRESS = "127.0.0.2"
USER = "X-Auth-Request-Email"
FADED_IN = "() => document.getAnimations().every((one) => !(one instanceof CSSTransition))"
"""Streamlit lets parts fade in as their script ends; until then their colours are others."""


@dataclass(frozen=True)
class Site:
    """What browsers reach at `address`, whom the front names, and the team of Ana and Ben."""

    address: str
    front: Front
    team_id: str
    database: Database

    def newest(self) -> Generation:
        """The one clip that was ordered here."""
        with self.database.read_session() as session:
            return session.scalars(select(Generation)).one()


@pytest.fixture(scope="module")
def two_people(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """An installation behind a front that says who asks, with a team whose manager is asked above 40 credits."""
    folder, port = tmp_path_factory.mktemp("approval"), free_port()
    with installation(folder):
        ana, ben = (create_member(db.default(), f"{name}@example.org") for name in ("ana", "ben"))
        ana, ben = create_team(db.default(), (ana, WorkspaceRole.MANAGER), (ben, WorkspaceRole.MAKER), name="Lakes")
        create_project(db.default(), ben, "Lake film")
        ask(db.default(), ana, 40)
    with ExitStack() as opened:
        headers = {USER: "ben@example.org"}
        address, proxy = opened.enter_context(front("", port, headers=headers, source=FRONT_ADDRESS))
        environ = {"AUTH_MODE": "proxy", "PUBLIC_URL": address, "PROXY_USER_HEADER": USER}
        app = App(folder, port=port, environ=environ | {"TRUSTED_PROXIES": FRONT_ADDRESS})
        opened.callback(app.stop)
        database = Database(f"sqlite:///{folder}/studio.db")
        opened.callback(database.dispose)
        yield Site(address, proxy, ana.workspace_id, database)


def test_one_orders_and_another_approves(two_people: Site, visitor: Visitor) -> None:
    """The maker reads before and after the press that it waits; the manager's yes lets it be made."""
    site = two_people
    maker = visitor(site.address)
    page = maker.open(f"/generate?workspace={site.team_id}")
    expect(page.get_by_text("Above 40 credits, a manager has to approve an order")).to_be_visible()
    page.get_by_role("textbox", name="Prompt", exact=True).fill("A lake at dusk, mist rising")
    page.get_by_role("button", name="Generate for").click()
    expect(page.get_by_text("Waits for approval by a manager.")).to_be_visible()
    expect(page.get_by_text("Without an answer it lapses on").first).to_be_visible()
    settle(page)
    picture(page, "approval-ordered")
    assert excess_px(page) == 0
    assert maker.complaints == []
    maker.context.close()
    assert site.newest().stage == "approval"

    site.front.headers[USER] = "ana@example.org"
    manager = visitor(site.address)
    page = manager.open(f"/inbox?workspace={site.team_id}")
    page.get_by_role("button", name="Decide").click()
    expect(page.get_by_text("A lake at dusk, mist rising")).to_be_visible()
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("Nothing waits for approval")).to_be_visible()
    assert manager.complaints == []
    manager.context.close()
    assert site.newest().stage != "approval"

    site.front.headers[USER] = "ben@example.org"
    maker = visitor(site.address)
    page = maker.open(f"/history?workspace={site.team_id}")
    expect(page.get_by_text("A lake at dusk, mist rising").first).to_be_visible()
    end = time.monotonic() + 180
    while site.newest().status is not Status.COMPLETED:
        assert time.monotonic() < end, site.newest().stage
        page.wait_for_timeout(500)
    expect(page.get_by_text("Waiting for approval")).to_have_count(0)
    assert maker.complaints == []


@pytest.fixture(scope="module")
def waiting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str, str]]:
    """An app whose person manages a team where several orders wait, with pictures, long names and a budget."""
    folder = tmp_path_factory.mktemp("approvals")
    with installation(folder) as studio:
        name = "benjamin.of-a-long-name@subsidiary.example.org"
        people = ((studio.person, WorkspaceRole.MANAGER), (create_member(db.default(), name), WorkspaceRole.MAKER))
        me, ben = create_team(db.default(), *people, name="Lakes", credits=10_000)
        spring = create_project(db.default(), me, "Spring campaign of a rather long name, which wraps")
        with db.write_session() as session:
            budgets.set_limit(session, me, BudgetScope.PROJECT, spring.id, credits=120, mode=BudgetMode.WARN)
        ask(db.default(), me)
        storage = storages.open_storage(studio.settings.storage_url)
        image = create_asset(db.default(), ben, storage=storage, data=create_image())
        row = generations.create_generation(
            db.default(), ben, project_id=spring.id, prompt="A heron takes off " * 20, start_image_key=image.storage_key
        )
        takes = [generations.build_order(spring.id, prompt=f"A paper boat, take {take}") for take in range(2)]
        batch(db.default(), ben, takes)
        generations.create_generation(db.default(), me, project_id=spring.id, prompt="The manager's own")
        team_id = me.workspace_id
    with running(folder) as app:
        yield f"http://127.0.0.1:{app.port}", team_id, row.id


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_page_of_approvals(waiting: tuple[str, str, str], visitor: Visitor, theme: str, width: int) -> None:
    """It fits and bars nobody: the cards, the word that is asked for, the bar of what is selected, the clip itself."""
    address, team_id, clip_id = waiting
    visit = visitor(address, theme=theme, width=width)
    page = visit.open(f"/approvals?workspace={team_id}")
    expect(page.get_by_role("heading", name="For you to decide")).to_be_visible()
    expect(page.get_by_role("heading", name="Waiting for somebody else")).to_be_visible()
    settle(page)
    picture(page, f"approvals-{theme}-{width}")
    assert excess_px(page) == 0
    assert barriers(page) == []
    page.get_by_role("checkbox").nth(1).check(force=True)
    expect(page.get_by_text("1 selected")).to_be_visible()
    page.get_by_role("button", name="Decline").last.click()
    expect(page.get_by_label("A word to who ordered it").last).to_be_visible()
    settle(page)
    page.mouse.move(5, 5)  # a button under the mouse is drawn otherwise
    page.wait_for_function(FADED_IN)
    picture(page, f"approvals-decline-{theme}-{width}")
    assert barriers(page) == []

    page = visit.open(f"/history?workspace={team_id}&clip={clip_id}")
    expect(page.get_by_role("dialog").get_by_role("button", name="Approve").first).to_be_visible()
    settle(page)
    picture(page, f"approval-clip-{theme}-{width}")
    assert barriers(page) == []
    assert visit.complaints == []


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_rule_on_the_page_of_budgets(waiting: tuple[str, str, str], visitor: Visitor, theme: str, width: int) -> None:
    """The card says the rule, and its dialog has both parts of it."""
    address, team_id, _clip = waiting
    visit = visitor(address, theme=theme, width=width)
    page = visit.open(f"/budgets?workspace={team_id}")
    expect(page.get_by_text("An order of more than 0 credits needs approval.")).to_be_visible()
    page.get_by_test_id("stMain").get_by_role("button", name="Change").last.click()
    expect(page.get_by_role("dialog").get_by_label("Ask above so many credits", exact=True)).to_be_visible()
    settle(page)
    picture(page, f"approval-rule-{theme}-{width}")
    assert excess_px(page) == 0
    assert barriers(page) == []
    assert visit.complaints == []
