"""Where a person is at work: said in the bar and in the address, and changed in both."""

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core import db
from core.db.enums import WorkspaceRole
from core.generations import commands
from core.projects import drafts
from core.workspaces.access import Member
from tests.factories import generations
from tests.factories.projects import create_project
from tests.factories.studio import Studio
from tests.factories.users import create_member, deactivate
from tests.factories.workspaces import create_team, remove
from tests.pages.conftest import Open, prompt, sent, write

CHOOSER = "bar_workspace"


@pytest.fixture
def team(studio: Studio) -> Member:
    """The same person as a maker in a team, which has a project."""
    [found] = create_team(db.default(), (studio.person, WorkspaceRole.MAKER), name="Autumn campaign")
    create_project(db.default(), found, "Trailer")
    return found


def chooser(at: AppTest) -> Any:
    """The list in the bar; None where it is not drawn."""
    return next((box for box in at.selectbox if box.key == CHOOSER), None)


def named(at: AppTest) -> str:
    """The workspace that the address names."""
    found = at.query_params["workspace"]
    return found if isinstance(found, str) else found[0]


def errors_on(at: AppTest) -> list[str]:
    """What the page refuses."""
    return [error.value for error in at.error]


@pytest.mark.parametrize("page", ["projects", "generate", "history", "usage", "admin", "account"])
def test_bar_when_there_is_one_workspace(open_page: Open, studio: Studio, page: str) -> None:
    """Who has just a workspace of their own sees nothing of workspaces, neither on the page nor in the address."""
    studio.project()
    at = open_page(page)
    assert chooser(at) is None
    assert "workspace" not in at.query_params


@pytest.mark.parametrize("page", ["projects", "generate", "history", "usage", "admin", "account"])
def test_bar_when_there_are_several(open_page: Open, studio: Studio, team: Member, page: str) -> None:
    """Every page says where the person is, offers every workspace with their role, and keeps it in the address."""
    studio.project()
    at = open_page(page, workspace=team.workspace_id)
    assert chooser(at).value == team.workspace_id
    assert chooser(at).options == ["My workspace", "Autumn campaign · Maker"]
    assert named(at) == team.workspace_id
    assert not at.exception


def test_name_that_is_long(open_page: Open, studio: Studio) -> None:
    """A long name is cut, so that the role after it can be read."""
    create_team(db.default(), (studio.person, WorkspaceRole.VIEWER), name="A name of " + "many words " * 9)
    assert chooser(open_page("projects")).options[1] == "A name of many words many w… · Viewer"


def test_moving_to_another_workspace(open_page: Open, studio: Studio, team: Member) -> None:
    """The page is that of the other workspace, the address says so, and the next visit begins there."""
    studio.project("Lake film")
    at = open_page("generate", workspace=studio.person.workspace_id)
    assert at.selectbox(key="generate_project").options == ["Lake film"]

    chooser(at).select(team.workspace_id).run()
    assert at.selectbox(key="generate_project").options == ["Trailer"]
    assert named(at) == team.workspace_id
    assert chooser(open_page("history")).value == team.workspace_id


def test_form_when_moving(open_page: Open, studio: Studio, team: Member) -> None:
    """What is written is kept in its own workspace, is not to be seen in another one, and is back on the way back."""
    studio.project("Lake film")
    at = open_page("generate", workspace=studio.person.workspace_id)
    at.session_state["generate_prompt"] = "A rower at dawn"
    chooser(at).select(team.workspace_id).run()
    assert prompt(at) == ""
    with db.read_session() as session:
        assert drafts.find(session, studio.person, "generate").content["prompt"] == "A rower at dawn"  # type: ignore[union-attr]

    write(at, "A heron takes off")
    chooser(at).select(studio.person.workspace_id).run()
    assert prompt(at) == "A rower at dawn"
    assert at.selectbox(key="generate_project").value is not None
    chooser(at).select(team.workspace_id).run()
    assert prompt(at) == "A heron takes off"


def test_selection_when_moving(open_page: Open, studio: Studio, team: Member) -> None:
    """Clips that were selected in a workspace are not selected any more in another one."""
    row = studio.complete(studio.order(studio.project()))
    at = open_page("history", workspace=studio.person.workspace_id)
    at.session_state["history_selected"] = [row.id]
    at.run()
    assert "selection_clear" in [button.key for button in at.button]
    chooser(at).select(team.workspace_id).run()
    assert "selection_clear" not in [button.key for button in at.button]
    assert at.session_state["history_selected"] == []


def test_end_of_a_clip_elsewhere(open_page: Open, studio: Studio, team: Member) -> None:
    """Coming to a workspace tells no ends of clips that began and ended there before."""
    at = open_page("projects", workspace=studio.person.workspace_id)
    row = generations.create_generation(db.default(), team)
    with db.write_session() as session:
        commands.cancel(session, team, row.id)
    chooser(at).select(team.workspace_id).run()
    assert "live_told" not in at.session_state


@pytest.mark.parametrize(("page", "word"), [("history", "clip"), ("generate", "from"), ("generate", "extend")])
def test_link_to_a_clip_of_another_workspace(
    open_page: Open, studio: Studio, team: Member, page: str, word: str
) -> None:
    """A link to a clip in another workspace of theirs goes there, whatever workspace it names itself."""
    studio.project()
    row = generations.create_generation(db.default(), team, prompt="A heron takes off")
    at = open_page(page, workspace=studio.person.workspace_id, **{word: row.id})
    assert chooser(at).value == team.workspace_id
    assert named(at) == team.workspace_id


@pytest.mark.parametrize("page", ["history", "generate"])
def test_link_to_a_project_of_another_workspace(open_page: Open, studio: Studio, team: Member, page: str) -> None:
    """The same for a project, which is then the one that is chosen."""
    studio.project()
    project = create_project(db.default(), team, "Poster")
    at = open_page(page, project=project.id)
    assert chooser(at).value == team.workspace_id
    if page == "generate":
        assert at.selectbox(key="generate_project").value == project.id
    else:
        chips = {chip["param"]: chip for chip in (sent(at, "library_bar") or {})["chips"]}
        assert chips["project"]["value"] == project.id


def test_figures_of_everybody_narrowed_to_a_project(open_page: Open, studio: Studio, team: Member) -> None:
    """Everybody's figures of a project are looked at from where the person is."""
    project = create_project(db.default(), team, "Poster")
    at = open_page("usage", people="everybody", project=project.id, workspace=studio.person.workspace_id)
    assert chooser(at).value == studio.person.workspace_id


def test_address_of_a_workspace_of_others(open_page: Open, studio: Studio, team: Member) -> None:
    """Where they are not, nothing of the page is drawn, and a button leads to where they are."""
    eve = create_member(db.default(), "eve@example.org")
    at = open_page("projects", workspace=eve.workspace_id)
    assert errors_on(at) == ["This workspace does not exist, or you are not in it."]
    assert [button.key for button in at.button] == ["bar_workspace_leave"]

    at.button(key="bar_workspace_leave").click().run()
    assert errors_on(at) == []
    assert chooser(at).value == studio.person.workspace_id


def test_click_after_removal(open_page: Open, studio: Studio, team: Member) -> None:
    """Who was taken out of a workspace is refused at the next click there."""
    at = open_page("projects", workspace=team.workspace_id)
    remove(team)
    at.toggle(key="projects_archived").set_value(True).run()
    assert errors_on(at) == ["This workspace does not exist, or you are not in it."]


@pytest.mark.parametrize("page", ["projects", "generate", "history", "usage", "admin", "account"])
def test_click_after_deactivation(open_page: Open, studio: Studio, page: str) -> None:
    """Who was deactivated is told so at the next click, on every page, and sees nothing else."""
    studio.project()
    at = open_page(page)
    assert errors_on(at) == []
    deactivate(studio.person)
    at.run()
    assert errors_on(at) == ["Your access has ended. Ask an administrator to let you in again."]
    assert [list(at.button), list(at.selectbox), list(at.title)] == [[], [], []]
