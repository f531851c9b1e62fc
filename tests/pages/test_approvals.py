"""The page of approvals, and what other pages say of orders that need one."""

import pytest
from streamlit.testing.v1 import AppTest

from core import db
from core.db.enums import BudgetMode, BudgetScope, Stage, Status, WorkspaceRole
from core.db.tables import Generation
from core.usage import approval_rules, budgets
from core.workspaces.access import Member
from tests.factories import sheets
from tests.factories.approvals import approval_of, ask, decide
from tests.factories.generations import build_order, create_generation, load_generation
from tests.factories.projects import create_project
from tests.factories.studio import Studio
from tests.factories.users import create_member
from tests.factories.workspaces import create_team, put_in
from tests.pages.conftest import Open, press, presses, sent, write
from tests.pages.test_budgets import texts
from tests.services.test_budget_limits import batch


@pytest.fixture
def team(studio: Studio) -> tuple[Member, Member]:
    """The studio's person, who manages a team that asks for approval, and Ben who makes clips there."""
    ben = create_member(db.default(), "ben@example.org")
    people = ((studio.person, WorkspaceRole.MANAGER), (ben, WorkspaceRole.MAKER))
    person, ben = create_team(db.default(), *people, name="Lakes")
    ask(db.default(), person)
    studio.person = person
    return person, ben


def waiting(ben: Member, number: int = 1) -> list[Generation]:
    """Orders of Ben that wait."""
    project = create_project(db.default(), ben, "Lake film")
    prompts = [f"A lake, take {n}" for n in range(number)]
    return [create_generation(db.default(), ben, project_id=project.id, prompt=each) for each in prompts]


def badge(at: AppTest) -> int:
    """What the bar counts beside Approvals."""
    [link] = [each for each in (sent(at, "bar") or {})["links"] if each["title"] == "Approvals"]
    return int(link["count"])


def test_manager_approves(open_page: Open, team: tuple[Member, Member]) -> None:
    """The card says who wants what for how much and until when; the press lets it go, and the page is empty."""
    person, ben = team
    with db.write_session() as session:
        budgets.set_limit(
            session, person, BudgetScope.WORKSPACE, person.workspace_id, credits=120, mode=BudgetMode.WARN
        )
    [row] = waiting(ben)
    at = open_page("approvals", workspace=person.workspace_id)
    said = texts(at)
    for words in ("A lake, take 0", "ben", "Lake film", "50 credits", "It lapses on"):
        assert words in said
    assert "Budget of the workspace: 50 of 120 credits with this, 70 left" in said
    assert "9,950 credits can still be spent here, with this reserved." in said
    assert badge(at) == 1
    at.button(key=f"approval_{row.id}_approve").click().run()

    assert not at.error
    assert [toast.value for toast in at.toast] == ["1 order approved."]
    assert load_generation(row.id).stage is Stage.QUEUED
    assert badge(at) == 0
    assert "Nothing waits for approval" in texts(at)


def test_manager_declines_with_a_word(open_page: Open, team: tuple[Member, Member]) -> None:
    """Without a word nothing is decided and it says what is missing; with one the order comes back to its maker."""
    person, ben = team
    [row] = waiting(ben)
    at = open_page("approvals", workspace=person.workspace_id)
    at.button(key=f"approval_{row.id}_decline").click().run()
    assert [error.value for error in at.error] == ["Say in a few words why."]
    assert load_generation(row.id).stage is Stage.AWAITING_APPROVAL
    at.text_area(key=f"approval_{row.id}_note").set_value("Take the draft first")
    at.button(key=f"approval_{row.id}_decline").click().run()
    assert load_generation(row.id).status is Status.CANCELLED
    assert approval_of(db.default(), row.id).note == "Take the draft first"


def test_several_are_approved_at_once(open_page: Open, team: tuple[Member, Member]) -> None:
    """What is selected is decided together; what somebody else decided meanwhile is not among it any more."""
    person, ben = team
    first, second, third = waiting(ben, 3)
    at = open_page("approvals", workspace=person.workspace_id)
    for row in (first, second):
        at.checkbox(key=f"approval_pick_{row.id}").check()
    at.run()
    assert "**2** selected" in texts(at)
    other = create_member(db.default(), "cas@example.org")
    decide(db.default(), put_in(db.default(), other, person.workspace_id, WorkspaceRole.MANAGER), second.id)
    at.button(key="approvals_selected_approve").click().run()
    assert [toast.value for toast in at.toast] == ["1 order approved."]
    stages = [load_generation(row.id).stage for row in (first, second, third)]
    assert stages == [Stage.QUEUED, Stage.QUEUED, Stage.AWAITING_APPROVAL]


def test_press_is_approved_whole(open_page: Open, team: tuple[Member, Member]) -> None:
    """What was ordered together stands under one line, whose button decides about all of it, and of nothing else."""
    person, ben = team
    [other] = waiting(ben)
    orders = [build_order(other.project_id, prompt=f"take {n}") for n in range(3)]
    ids = [row.id for row in batch(db.default(), ben, orders)]  # type: ignore[attr-defined]  # generations
    at = open_page("approvals", workspace=person.workspace_id)
    assert "ben has ordered these together: 3 clips wait, of an order of 150 credits." in texts(at)
    at.button(key=f"approval_press_{ids[0]}_approve").click().run()
    assert [toast.value for toast in at.toast] == ["3 orders approved."]
    assert [load_generation(each).stage for each in ids] == [Stage.QUEUED] * 3
    assert load_generation(other.id).stage is Stage.AWAITING_APPROVAL


def test_own_order_is_for_somebody_else(open_page: Open, team: tuple[Member, Member]) -> None:
    """A manager's own order stands among those of others to decide, without a button; so on its clip."""
    person, _ben = team
    row = create_generation(db.default(), person)
    at = open_page("approvals", workspace=person.workspace_id)
    assert [header.value for header in at.header] == ["Waiting for somebody else"]
    assert not [button.key for button in at.button if str(button.key).startswith("approval_")]
    at = open_page("history", workspace=person.workspace_id, clip=row.id)
    assert "Somebody else has to decide about your order; you can cancel it meanwhile." in texts(at)
    assert f"clip_approval_{row.id}_approve" not in [button.key for button in at.button]


def test_clip_is_approved_where_it_is_looked_at(open_page: Open, team: tuple[Member, Member]) -> None:
    """Beside the clip it says that it waits and until when; the press lets it go."""
    person, ben = team
    [row] = waiting(ben)
    at = open_page("history", workspace=person.workspace_id, clip=row.id)
    [item] = (sent(at, "under_way") or {})["items"]
    assert item["note"] == "Waiting for approval"
    assert item["where"].startswith("Waiting for approval by a manager. Without an answer it lapses on ")
    at.button(key=f"clip_approval_{row.id}_approve").click().run()
    assert load_generation(row.id).stage is Stage.QUEUED


def test_order_line_says_it_before(open_page: Open, studio: Studio, team: tuple[Member, Member]) -> None:
    """Above the button it says that a manager has to approve; after the press that it waits, and the stage, too."""
    person, _ben = team
    ask(db.default(), person, 49)
    studio.project()
    at = write(open_page("generate", workspace=person.workspace_id), "A lake")
    said = "Above 49 credits, a manager has to approve an order before it is made."
    assert said in texts(at)
    assert "Nobody else manages this workspace: an administrator of the installation decides." in texts(at)
    at.button(key="generate_button").click().run()
    assert not at.error
    assert "Waits for approval by a manager. 50 credits are reserved meanwhile." in texts(at)
    [take] = presses(at)[0]["takes"]
    assert take["note"] == "Waiting for approval"
    assert take["cancel"]["can"] is True

    ask(db.default(), person, 50)
    at = write(open_page("generate", workspace=person.workspace_id), "A lake")
    assert "a manager has to approve" not in texts(at)


def test_other_buttons_that_spend_say_it(open_page: Open, studio: Studio, team: tuple[Member, Member]) -> None:
    """Trying a cancelled one again and a table, too."""
    person, _ben = team
    row = create_generation(db.default(), person, project_id=studio.project("Lake film").id)
    at = open_page("history", workspace=person.workspace_id, clip=row.id)
    press(at, "under_way", "cancel", row.id)
    assert load_generation(row.id).status is Status.CANCELLED
    said = "Above 0 credits, a manager has to approve an order before it is made."
    assert said in texts(open_page("history", workspace=person.workspace_id, clip=row.id))
    sheet = sheets.keep(db.default(), person, sheets.csv_of("Prompt,Project", "a,Lake film"))
    assert said in texts(open_page("sheets", workspace=person.workspace_id, sheet=sheet.id))


def test_declined_clip_says_why(open_page: Open, studio: Studio, team: tuple[Member, Member]) -> None:
    """On its card, on the stage and beside it."""
    person, ben = team
    [row] = waiting(ben)
    decide(db.default(), person, row.id, approve=False, note="Too dear")
    at = open_page("history", workspace=person.workspace_id, clip=row.id)
    [card] = (sent(at, "clip_gallery") or {})["cards"]
    assert card["note"].endswith(": Too dear")
    assert [error.value for error in at.error] == [card["note"]]
    at = open_page("generate", workspace=person.workspace_id, project=row.project_id)
    assert presses(at)[0]["takes"][0]["note"] == card["note"]


def test_managers_set_when_it_is_asked(open_page: Open, team: tuple[Member, Member]) -> None:
    """The page of budgets says the rule in words, and its dialog changes both parts of it."""
    person, _ben = team
    at = open_page("budgets", workspace=person.workspace_id)
    assert "An order of more than 0 credits needs approval." in texts(at)
    at.button(key="budgets_approval").click().run()
    at.number_input(key="budgets_approval_above").set_value(500)
    at.toggle(key="budgets_approval_over").set_value(True)
    at.button(key="budgets_approval_save").click().run()
    assert not at.error
    with db.read_session() as session:
        rule = approval_rules.of(session, person.workspace_id)
    assert (rule.above_credits, rule.over_budget) == (500, True)
    assert "An order that goes beyond a budget which only warns needs approval." in texts(at)
    assert "You are the only manager" in texts(at)


def test_inbox_leads_to_the_approvals(open_page: Open, team: tuple[Member, Member]) -> None:
    """The line in the inbox opens the page on which it is decided."""
    person, ben = team
    [row] = waiting(ben)
    at = open_page("inbox", workspace=person.workspace_id)
    [button] = [button for button in at.button if button.label == "Decide"]
    button.click().run()
    assert [title.value for title in at.title] == ["Approvals"]
    assert f"approval_{row.id}_approve" in [button.key for button in at.button]


def test_nothing_waits_and_nothing_is_asked(open_page: Open, studio: Studio) -> None:
    """The page says what it is for, and where approval is switched on."""
    at = open_page("approvals")
    assert "Nothing waits for approval" in texts(at)
    assert "This workspace asks for no approval; its managers can change that on the page Budgets." in texts(at)
    assert badge(at) == 0
    assert studio.person.id
