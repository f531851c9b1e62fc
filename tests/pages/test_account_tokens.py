import pytest
from streamlit.testing.v1 import AppTest

from core import db, errors
from core.db.enums import Scope, WorkspaceRole
from core.db.tables import ApiToken
from core.identity import api_tokens
from core.installation import Installation
from tests.factories.studio import Studio
from tests.factories.users import create_member
from tests.factories.workspaces import create_team


def section() -> None:
    """The section alone, as the account page draws it."""
    from pages.sections.account import tokens
    from pages.ui import components, current_member

    components.show_flash()
    with components.error_boundary():
        tokens.show(current_member.current_member())


@pytest.fixture
def page(installation: Installation) -> AppTest:
    """The section, drawn once."""
    return AppTest.from_function(section, default_timeout=20).run()


def known(studio: Studio) -> list[ApiToken]:
    """The person's tokens."""
    with db.read_session() as session:
        return list(api_tokens.list_for_user(session, studio.person.user))


@pytest.fixture
def studio(installation: Installation) -> Studio:
    """An installation of its own with its one person."""
    return Studio(installation.settings)


def secrets(page: AppTest) -> list[str]:
    """What can be copied."""
    return [code.value for code in page.code]


def test_token_is_shown_once(page: AppTest, studio: Studio) -> None:
    """A new token can be copied until it is put away, works, and is in the list afterwards."""
    page.text_input(key="account_token_name_0").set_value("Nightly report")
    page.selectbox(key="account_token_scope_0").set_value(Scope.READ)
    page.button[-1].click().run()

    assert not page.error
    (secret,) = secrets(page)
    with db.read_session() as session:
        person, token = api_tokens.by_token(session, secret)
    assert (person.id, token.name, token.scope) == (studio.person.id, "Nightly report", Scope.READ)
    assert token.expires_at is not None

    page.button(key="account_token_copied").click().run()
    assert secrets(page) == []
    page.run()
    assert secrets(page) == []
    shown = [element.proto.body for element in page.get("html")]
    assert any(token.prefix in text and "never used" in text for text in shown)
    assert not page.text_input[0].value


def test_token_without_a_name(page: AppTest, studio: Studio) -> None:
    """What is missing is said, and nothing is made."""
    page.button[-1].click().run()

    assert [error.value for error in page.error] == ["Give it a name."]
    assert known(studio) == []


def test_token_is_revoked(page: AppTest, studio: Studio) -> None:
    """A revoked token is gone from the list and opens nothing."""
    with db.write_session() as session:
        secret = api_tokens.create(session, studio.person.user, name="Old script")
    page.run()

    page.button(key=f"account_token_revoke_{known(studio)[0].id}").click().run()

    assert not page.error
    assert known(studio) == []
    with pytest.raises(errors.Unauthorized), db.read_session() as session:
        api_tokens.by_token(session, secret)
    assert any("no tokens" in caption.value for caption in page.caption)


def test_token_name_is_shown_as_it_is(page: AppTest, studio: Studio) -> None:
    """A name is somebody's own words, never markup."""
    with db.write_session() as session:
        api_tokens.create(session, studio.person.user, name="<b>x</b> **y**")
    page.run()

    assert not page.error
    assert not any("**y**" in markdown.value for markdown in page.markdown)


def test_token_for_one_workspace_with_a_cap(installation: Installation, studio: Studio) -> None:
    """Who has several workspaces says where a token works; how much may be ordered with it is said in the list."""
    ben = create_member(db.default(), "ben@example.org", credits=0)
    team = create_team(db.default(), (studio.person, WorkspaceRole.MAKER), (ben, WorkspaceRole.MANAGER), name="Rivers")[
        0
    ]
    page = AppTest.from_function(section, default_timeout=20).run()
    page.text_input(key="account_token_name_0").set_value("Nightly")
    page.selectbox(key="account_token_workspace_0").set_value(team.workspace_id)
    page.number_input(key="account_token_cap_0").set_value(700)
    page.button[-1].click().run()

    assert not page.error
    [token] = known(studio)
    assert (token.workspace_id, token.cap_credits) == (team.workspace_id, 700)
    said = " ".join(each.proto.body for each in page.get("html"))
    assert "in Rivers" in said
    assert "0 of 700 credits ordered" in said


def test_token_where_there_is_one_workspace(page: AppTest) -> None:
    """Nobody is asked to choose from one."""
    assert [each for each in page.selectbox if each.key == "account_token_workspace_0"] == []
