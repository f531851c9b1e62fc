"""The pages of a team, of all people and of an invitation, as each role meets them."""

import re

import pytest
from sqlalchemy import select
from streamlit.testing.v1 import AppTest

from core import db
from core.billing import ledger
from core.db.enums import Role, WorkspaceRole
from core.db.tables import Erasure, Invitation, User, Workspace, WorkspaceMember
from core.personal_data import requests
from core.projects import transfer
from core.workspaces import invitations, members
from core.workspaces.access import Member
from tests.factories.books import broken_rules
from tests.factories.generations import load_generation
from tests.factories.studio import Studio
from tests.factories.users import create_member
from tests.factories.workspaces import create_team
from tests.pages.conftest import Open, sent


def here_as(studio: Studio, role: WorkspaceRole, *, installation_role: Role = Role.USER) -> tuple[Member, Member]:
    """The local person in a team as this, and its manager Ben."""
    with db.write_session() as session:
        session.get_one(User, studio.person.id).role = installation_role
    ben = create_member(db.default(), "ben@example.org", credits=0)
    me, manager = create_team(db.default(), (studio.person, role), (ben, WorkspaceRole.MANAGER), name="Lakes")
    return me, manager


def role_of(member: Member) -> WorkspaceRole | None:
    """What somebody is in the team by now."""
    with db.read_session() as session:
        row = session.get(WorkspaceMember, (member.workspace_id, member.id))
        return None if row is None else row.role


def texts(at: AppTest) -> str:
    """All that is drawn as HTML or said."""
    drawn = [each.proto.body for each in at.get("html")]
    return " ".join([*drawn, *(each.value for each in at.markdown), *(each.value for each in at.caption)])


def errors_on(at: AppTest) -> list[str]:
    """What the page refuses."""
    return [each.value for each in at.error]


@pytest.mark.parametrize("role", [WorkspaceRole.VIEWER, WorkspaceRole.MAKER])
def test_team_as_who_does_not_manage_it(open_page: Open, studio: Studio, role: WorkspaceRole) -> None:
    """Everybody sees who is in the team; nobody but its managers gets a button that changes that."""
    me, _manager = here_as(studio, role)
    at = open_page("team", workspace=me.workspace_id)
    assert not at.exception
    assert "ben@example.org" in texts(at)
    assert [each for each in at.selectbox if (each.key or "").startswith("team_people")] == []
    assert [each for each in at.button if "remove" in (each.key or "")] == []


def test_team_when_a_manager_changes_a_role_and_removes(open_page: Open, studio: Studio) -> None:
    """A role is changed by choosing it, and somebody is removed by two presses."""
    me, ben = here_as(studio, WorkspaceRole.MANAGER)
    at = open_page("team", workspace=me.workspace_id)
    at.selectbox(key=f"team_people_{ben.id}_role").set_value(WorkspaceRole.VIEWER).run()
    assert not at.exception
    assert role_of(ben) is WorkspaceRole.VIEWER
    at.button(key=f"team_people_{ben.id}_remove").click().run()
    assert role_of(ben) is None
    assert not at.exception


def test_team_when_its_last_manager_would_go(open_page: Open, studio: Studio) -> None:
    """The only manager stays one, and reads why."""
    me, ben = here_as(studio, WorkspaceRole.MANAGER)
    at = open_page("team", workspace=me.workspace_id)
    at.button(key=f"team_people_{ben.id}_remove").click().run()
    at.selectbox(key=f"team_people_{me.id}_role").set_value(WorkspaceRole.MAKER).run()
    assert errors_on(at) == ["This is the last manager here. Make somebody else a manager first."]
    assert role_of(me) is WorkspaceRole.MANAGER
    assert at.selectbox(key=f"team_people_{me.id}_role").value is WorkspaceRole.MANAGER


def test_invitation_from_link_to_team(open_page: Open, studio: Studio) -> None:
    """A manager invites an address that nobody has: a link is shown once, and opens for that address."""
    me, _ben = here_as(studio, WorkspaceRole.MANAGER)
    at = open_page("team", workspace=me.workspace_id)
    at.session_state["team_tabs"] = "Add or invite"
    at.run()
    at.text_input(key="team_invite_email_0").set_value("eve@example.org")
    at.button(key="FormSubmitter:team_invite_form_0-Add or invite").click().run()
    assert not at.exception
    [link] = [each.value for each in at.code]
    token = re.search(r"invitation\?token=([\w-]+)", link)
    assert token is not None
    with db.read_session() as session:
        assert session.scalars(select(Invitation.email)).all() == ["eve@example.org"]

    offered = open_page("invitation", token=token[1])
    assert "Ben" not in texts(offered)
    assert "Lakes" in texts(offered)
    offered.button(key="invitation_accept").click().run()
    assert errors_on(offered) == ["This invitation is for another address. Sign in with that one, or ask for another."]


def test_invitation_when_it_is_taken_up(open_page: Open, studio: Studio) -> None:
    """Whose address it is presses once and is at work in the team."""
    ben = create_member(db.default(), "ben@example.org", credits=0)
    [manager] = create_team(db.default(), (ben, WorkspaceRole.MANAGER), name="Lakes")
    with db.write_session() as session:
        _invited, token = invitations.create(
            session,
            manager,
            email=studio.person.email,
            workspace_id=manager.workspace_id,
            workspace_role=WorkspaceRole.MAKER,
        )
    at = open_page("invitation", token=token)
    at.button(key="invitation_accept").click().run()
    assert not at.exception
    with db.read_session() as session:
        row = session.get_one(WorkspaceMember, (manager.workspace_id, studio.person.id))
    assert row.role is WorkspaceRole.MAKER


def test_invitation_when_nobody_made_it(open_page: Open, studio: Studio) -> None:
    """A made-up link says that it opens nothing."""
    at = open_page("invitation", token="made-up")
    assert errors_on(at) == ["This invitation was used or taken back, or it has expired. Ask for another one."]


def test_giving_from_ones_own_workspace(open_page: Open, studio: Studio) -> None:
    """A maker gives the team credits of their own, and both accounts tell it."""
    me, _ben = here_as(studio, WorkspaceRole.MAKER)
    with db.read_session() as session:
        before = ledger.balance(session, me.id).available_credits
        team_before = ledger.balance(session, me.workspace_id).available_credits
    at = open_page("team", workspace=me.workspace_id)
    [once] = [str(each.key).rpartition("_")[2] for each in at.number_input if "credits" in str(each.key)]
    at.number_input(key=f"team_credits_credits_{once}").set_value(700)
    at.text_input(key=f"team_credits_reason_{once}").set_value("for the spring film")
    at.button(key="FormSubmitter:team_credits_form-Apply").click().run()
    assert not at.exception
    with db.read_session() as session:
        assert ledger.balance(session, me.id).available_credits == before - 700
        assert ledger.balance(session, me.workspace_id).available_credits == team_before + 700


@pytest.mark.parametrize("role", [Role.USER, Role.ANALYST])
def test_people_page_is_for_administrators(open_page: Open, studio: Studio, role: Role) -> None:
    """Nobody else gets it, by whatever address."""
    here_as(studio, WorkspaceRole.MANAGER, installation_role=role)
    at = open_page("people")
    assert not at.exception
    assert at.tabs == []
    assert "people_search" not in [each.key for each in at.text_input]


def test_people_when_an_administrator_changes_them(open_page: Open, studio: Studio) -> None:
    """Role, deactivation and return of a person, each by a press or a choice."""
    ben = create_member(db.default(), "ben@example.org", credits=0)
    at = open_page("people")
    at.selectbox(key=f"people_role_{ben.id}").set_value(Role.ANALYST).run()
    at.button(key=f"people_off_{ben.id}").click().run()
    with db.read_session() as session:
        found = session.get_one(User, ben.id)
    assert (found.role, found.deactivated_at is not None) == (Role.ANALYST, True)
    at.toggle(key="people_gone").set_value(True).run()
    at.button(key=f"people_back_{ben.id}").click().run()
    with db.read_session() as session:
        assert session.get_one(User, ben.id).deactivated_at is None


def test_people_when_the_last_administrator_would_go(open_page: Open, studio: Studio) -> None:
    """Whoever administers alone goes on doing so, and reads why."""
    at = open_page("people")
    at.selectbox(key=f"people_role_{studio.person.id}").set_value(Role.USER).run()
    assert errors_on(at) == ["This is the last administrator. Make somebody else an administrator first."]
    assert at.selectbox(key=f"people_role_{studio.person.id}").value is Role.ADMIN


def test_teams_when_one_is_made_and_given_credits(open_page: Open, studio: Studio) -> None:
    """An administrator makes a team and books credits to it, without a command line."""
    at = open_page("people")
    at.session_state["people_tabs"] = "Workspaces"
    at.run()
    [name] = [each for each in at.text_input if each.label == "Name of the team"]
    name.set_value("Rivers")
    at.button(key="FormSubmitter:teams_new-Make the team").click().run()
    assert not at.exception
    with db.read_session() as session:
        team = session.scalars(select(Workspace).where(Workspace.name == "Rivers")).one()
    at.session_state[f"teams_{team.id}"] = True
    at.run()
    [once] = [str(each.key).rpartition("_")[2] for each in at.number_input if "credits" in str(each.key)]
    at.text_input(key=f"teams_credits_{team.id}_reason_{once}").set_value("to begin with")
    at.button(key=f"FormSubmitter:teams_credits_{team.id}_form-Apply").click().run()
    with db.read_session() as session:
        assert ledger.balance(session, team.id).available_credits == 1000


def test_project_moves_to_another_workspace(open_page: Open, studio: Studio) -> None:
    """A manager of both moves a project from its card; its clips are there, and the books of both hold."""
    me, _ben = here_as(studio, WorkspaceRole.MANAGER)
    clip = studio.complete(studio.order(studio.project("Autumn")))
    at = open_page("projects", workspace=studio.person.id)
    assert "transfer" in (sent(at, "project_cards") or {})["allowed"]
    with db.write_session() as session:
        transfer.transfer(
            session, at_home(studio), clip.project_id, to_workspace_id=me.workspace_id, quota_bytes=10**12
        )
    assert load_generation(clip.id).workspace_id == me.workspace_id
    assert broken_rules() == []


def at_home(studio: Studio) -> Member:
    """The local person in their own workspace, with every role they have by now."""
    with db.read_session() as session:
        return members.at_work(session, studio.person.user)


def test_way_from_alone_to_a_team(open_page: Open, studio: Studio) -> None:
    """An administrator who is alone is led to where teams are made."""
    at = open_page("team")
    at.button(key="team_make").click().run()
    assert not at.exception
    assert "Name of the team" in [each.label for each in at.text_input]


def test_deactivation_of_a_teams_only_manager(open_page: Open, studio: Studio) -> None:
    """The administrator reads which teams need another manager now."""
    ben = create_member(db.default(), "ben@example.org", credits=0)
    create_team(db.default(), (ben, WorkspaceRole.MANAGER), (studio.person, WorkspaceRole.MAKER), name="Lakes")
    at = open_page("people")
    at.button(key=f"people_off_{ben.id}").click().run()
    assert [each.value for each in at.warning] == ["Nobody who can act manages these teams any more: Lakes"]
    assert [each.value for each in at.run().warning] == []


def test_erasing_says_first_what_it_means(open_page: Open, studio: Studio) -> None:
    """What goes and what stays, before anything is done; who is being erased cannot be let in again."""
    ben = create_member(db.default(), "ben@example.org", credits=0)
    at = open_page("people")
    at.button(key=f"people_erase_{ben.id}").click().run()
    assert any("let in no more" in text.value for text in at.markdown)
    assert at.text_input(key="people_erase_email").label == "Write their e-mail address to go on"
    with db.read_session() as session:
        assert session.get(Erasure, ben.id) is None

    with db.write_session() as session:
        requests.ask(session, studio.person, ben.id, email="ben@example.org")
    at = open_page("people")
    at.toggle(key="people_gone").set_value(True).run()
    assert not at.exception
    assert f"people_back_{ben.id}" not in [button.key for button in at.button]
    assert any("Being erased" in text.value for text in at.markdown)
