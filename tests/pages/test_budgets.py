"""The page of budgets, and what a budget that stops does to the buttons that spend."""

import pytest
from streamlit.testing.v1 import AppTest

from core import db
from core.clock import utc_now
from core.db.enums import BudgetMode, BudgetScope, WorkspaceRole
from core.generations import commands
from core.generations.sheets.checked import Defaults
from core.usage import budget_overview, budgets, limits
from core.usage.cache import UsageCache
from core.workspaces import months
from core.workspaces.access import Member
from tests.factories import sheets
from tests.factories.generations import create_generation
from tests.factories.projects import create_project
from tests.factories.studio import Studio
from tests.factories.users import create_member
from tests.factories.workspaces import change_role, create_team
from tests.pages.conftest import Open, choose, write

BUTTON = "generate_button"


def set_limit(person: Member, credits: int, scope: BudgetScope = BudgetScope.WORKSPACE, of: str | None = None) -> None:
    """Let a budget stop."""
    with db.write_session() as session:
        budgets.set_limit(session, person, scope, of or person.workspace_id, credits=credits, mode=BudgetMode.STOP)


def standing(person: Member) -> list[tuple[BudgetScope, int, BudgetMode]]:
    """The budgets that an order of this person counts against."""
    with db.read_session() as session:
        found = limits.of_order(
            session, workspace_id=person.workspace_id, project_id=None, user_id=person.id, at=utc_now()
        )
        return [(each.scope, each.limit_credits, each.mode) for each in found]


def texts(at: AppTest) -> str:
    """All that is drawn as HTML or said."""
    drawn = [each.proto.body for each in at.get("html")]
    return " ".join([*drawn, *(each.value for each in at.markdown), *(each.value for each in at.caption)])


def test_what_a_budget_stops_leads_to_budgets(open_page: Open, studio: Studio) -> None:
    """Beside a clip to try again and beside a table to order, the page that is named is a link."""
    row = studio.fail(studio.order(studio.project(), "Before"))
    defaults = Defaults(model_id="demo-film", project_id=row.project_id)
    sheet = sheets.keep(db.default(), studio.person, sheets.csv_of("Prompt", "A lake"), defaults)
    set_limit(studio.person, 10)
    for at in (open_page("history", clip=row.id), open_page("sheets", sheet=sheet.id)):
        assert "You can change it on the page Budgets." in texts(at)
        assert [link.proto.page for link in at.get("page_link") if link.proto.label == "Budgets"] == ["budgets"]


def test_button_says_what_stops_it(open_page: Open, studio: Studio) -> None:
    """Before the press: which budget, what is left of it, and where it is changed; a cheaper order can be pressed."""
    studio.complete(studio.order(studio.project(), "Before"))
    set_limit(studio.person, 120)
    at = write(open_page("generate"), "A lake")
    assert not at.button(key=BUTTON).disabled
    choose(at, variations=2)
    assert at.button(key=BUTTON).disabled
    said = "The workspace's budget stops this: of 120 credits for this month, 70 are left."
    assert f"{said} You can change it on the page Budgets." in texts(at)

    choose(at, variations=1)
    assert not at.button(key=BUTTON).disabled
    at.button(key=BUTTON).click().run()
    assert not at.error
    assert at.run().button(key=BUTTON).disabled


@pytest.mark.parametrize("scope", [BudgetScope.PROJECT, BudgetScope.MEMBER])
def test_button_says_who_can_change_it(open_page: Open, studio: Studio, scope: BudgetScope) -> None:
    """Who may not set budgets reads who may."""
    ben = create_member(db.default(), "ben@example.org", credits=0)
    me, manager = create_team(db.default(), (studio.person, WorkspaceRole.MAKER), (ben, WorkspaceRole.MANAGER))
    project = create_project(db.default(), me)
    set_limit(manager, 49, scope, project.id if scope is BudgetScope.PROJECT else me.id)

    at = write(open_page("generate", workspace=me.workspace_id, project=project.id), "A lake")

    assert at.button(key=BUTTON).disabled
    whose = "The project's budget" if scope is BudgetScope.PROJECT else "Your budget"
    assert f"{whose} stops this: of 49 credits for this month, 49 are left." in texts(at)
    assert "It can be changed by: ben." in texts(at)


def test_retry_says_what_stops_it(open_page: Open, studio: Studio) -> None:
    """Trying again costs as an order does, and cannot be pressed where a budget stops it."""
    row = studio.order(studio.project(), "A lake")
    with db.write_session() as session:
        commands.cancel(session, studio.person, row.id)
    set_limit(studio.person, 49)
    at = open_page("history", clip=row.id)
    assert at.button(key=f"clip_retry_{row.id}").disabled
    assert "The workspace's budget stops this: of 49 credits for this month, 49 are left." in texts(at)
    set_limit(studio.person, 50)
    assert not at.run().button(key=f"clip_retry_{row.id}").disabled


def test_table_says_what_stops_it(open_page: Open, studio: Studio) -> None:
    """The one button that orders all of a table cannot be pressed, and says why."""
    project = studio.project("Lakes")
    sheet = sheets.keep(db.default(), studio.person, sheets.csv_of("Prompt,Project", "a,Lakes", "b,Lakes"))
    set_limit(studio.person, 99, BudgetScope.PROJECT, project.id)
    at = open_page("sheets", sheet=sheet.id)
    assert at.button(key="sheet_order").disabled
    assert "The project's budget stops this: of 99 credits for this month, 99 are left." in texts(at)
    set_limit(studio.person, 100, BudgetScope.PROJECT, project.id)
    assert not at.run().button(key="sheet_order").disabled


def test_page_sets_a_budget(open_page: Open, studio: Studio) -> None:
    """A manager sets the workspace's, lets it stop, and takes it away again; the page tells how it stands."""
    create_generation(db.default(), studio.person)
    key = f"budgets_change_workspace_{studio.person.workspace_id}"
    credits, mode = (f"budgets_{what}_{studio.person.workspace_id}" for what in ("credits", "mode"))
    at = open_page("budgets")
    assert "50 credits taken, no budget" in texts(at)
    at.button(key=key).click().run()
    at.number_input(key=credits).set_value(200).run()
    at.segmented_control(key=mode).set_value(BudgetMode.STOP).run()
    at.button(key="budgets_save").click().run()
    assert standing(studio.person) == [(BudgetScope.WORKSPACE, 200, BudgetMode.STOP)]
    assert "50 of 200 credits taken" in texts(at)

    at.button(key=key).click().run()
    at.button(key="budgets_remove").click().run()
    assert standing(studio.person) == []


def test_page_of_who_sets_none(open_page: Open, studio: Studio) -> None:
    """Everybody sees the workspace's and their own, and nobody else's; there is nothing to press."""
    ben = create_member(db.default(), "ben@example.org", credits=0)
    me, manager = create_team(db.default(), (studio.person, WorkspaceRole.MANAGER), (ben, WorkspaceRole.MANAGER))
    set_limit(manager, 1_000)
    set_limit(manager, 300, BudgetScope.MEMBER, me.id)
    set_limit(manager, 400, BudgetScope.MEMBER, manager.id)
    assert "0 of 400 credits taken" in texts(open_page("budgets", workspace=me.workspace_id))

    change_role(me, WorkspaceRole.VIEWER)
    at = open_page("budgets", workspace=me.workspace_id)
    said = texts(at)
    assert "0 of 1,000 credits taken" in said
    assert "0 of 300 credits taken" in said
    assert "0 of 400 credits taken" not in said
    assert [each.key for each in at.button if (each.key or "").startswith("budgets_")] == []


def test_time_zone_is_set(open_page: Open, studio: Studio) -> None:
    """A manager says by whose clock the months end."""
    at = open_page("budgets")
    at.button(key="budgets_zone").click().run()
    at.selectbox(key="budgets_zone_choice").set_value("Asia/Jakarta").run()
    at.button(key="budgets_zone_save").click().run()
    with db.read_session() as session:
        assert str(months.zone_of(session, studio.person.workspace_id)) == "Asia/Jakarta"
    assert "by the clock of Asia/Jakarta" in texts(at)


def test_budget_of_each_person(open_page: Open, studio: Studio) -> None:
    """It is set, told above the people and on their cards, and taken away; a card makes one of their own of it."""
    at = open_page("budgets")
    at.button(key="budgets_each").click().run()
    at.number_input(key="budgets_credits_each_member").set_value(49)
    at.run()
    at.button(key="budgets_save").click().run()
    assert not at.exception
    assert standing(studio.person) == [(BudgetScope.MEMBER, 49, BudgetMode.WARN)]
    assert "Each person who has no budget of their own has 49 credits a month: warns only." in texts(at)
    assert "what each person has" in texts(at)
    at.button(key=f"budgets_change_member_{studio.person.id}").click().run()
    assert not [each for each in at.button if each.key == "budgets_remove"]
    at.number_input(key=f"budgets_credits_{studio.person.id}").set_value(70)
    at.run()
    at.button(key="budgets_save").click().run()
    assert standing(studio.person) == [(BudgetScope.MEMBER, 70, BudgetMode.WARN)]
    assert "what each person has" not in texts(at)
    at.button(key="budgets_each").click().run()
    at.button(key="budgets_remove").click().run()
    assert "Each person who has no budget" not in texts(at)
    with db.read_session() as session:
        found = budget_overview.overview(session, studio.person, cache=UsageCache())
    assert found.of_each_member is None
