"""Roles: given by groups at sign-in, taken away while a page is open, and refused at the next click and call."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import delete, func, select, update

from core.db import Database
from core.db.enums import WorkspaceRole
from core.db.tables import Project, User, WorkspaceMember
from tests.browser.conftest import Visit, Visitor, picture, settle
from tests.browser.signing_in import sign_in
from tests.factories.users import create_member
from tests.factories.workspaces import create_team
from tests.fixtures.identity_provider import Account
from tests.system.app import API
from tests.system.sign_in import Site, signing_in

LDAP = "ou=groups,dc=example,dc=org"
ROLE_MAP = (
    f"cn=makers,{LDAP}=workspace:Spring campaign:maker; cn=viewers,{LDAP}=workspace:Spring campaign:viewer;"
    f"cn=admins,{LDAP}=admin"
)
MAKERS, VIEWERS, ADMINS = (f"cn={name},{LDAP}" for name in ("makers", "viewers", "admins"))
MANY = tuple(f"cn=department-number-{n},{LDAP}" for n in range(400))
ACCOUNTS = [
    Account("ana", "ana@example.org", "Ana Maker", (*MANY, MAKERS)),
    Account("ben", "ben@example.org", "Ben Maker", (MAKERS,)),
    Account("cleo", "cleo@example.org", "Cleo Maker", (MAKERS, ADMINS)),
]


@dataclass(frozen=True)
class Company:
    """An installation with a team, and its database."""

    site: Site
    database: Database
    team_id: str

    def role_of(self, subject: str) -> WorkspaceRole | None:
        """What somebody is in the team."""
        query = select(WorkspaceMember.role).join(User, User.id == WorkspaceMember.user_id)
        with self.database.read_session() as session:
            return session.scalar(
                query.where(User.email == f"{subject}@example.org", WorkspaceMember.workspace_id == self.team_id)
            )

    def project_count(self) -> int:
        """How many projects the team has."""
        with self.database.read_session() as session:
            query = select(func.count()).select_from(Project).where(Project.workspace_id == self.team_id)
            return session.scalar(query) or 0


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    """An installation whose groups say who is what in a team."""
    with ExitStack() as opened:
        environ = {"ROLE_MAP": ROLE_MAP}
        site = opened.enter_context(signing_in(tmp_path_factory.mktemp("roles"), ACCOUNTS, environ=environ))
        database = Database(f"sqlite:///{site.app.environ['DATA_DIR']}/studio.db")
        opened.callback(database.dispose)
        manager = create_member(database, "manager@example.org")
        [team] = create_team(database, (manager, WorkspaceRole.MANAGER), name="Spring campaign")
        yield Company(site, database, team.workspace_id)


def at_work(company: Company, visit: Visit, subject: str) -> Page:
    """A tab of somebody who has come in at the team's projects."""
    page = visit.open(f"/?workspace={company.team_id}")
    sign_in(page, subject)
    settle(page)
    return page


def calls(company: Company, visit: Visit) -> int:
    """What the API answers to who wants to make a project in the team, by the cookie of the browser."""
    headers = {"Workspace-Id": company.team_id, "Sec-Fetch-Site": "same-origin"}
    address = f"{company.site.address}{API}/projects"
    return visit.context.request.post(address, data={"name": "By a call"}, headers=headers).status


def test_roles_follow_the_groups(company: Company, visitor: Visitor) -> None:
    """At each sign-in the groups say what somebody is, up, down and out; with 400 groups as well."""
    provider = company.site.provider
    for groups, role in (
        ((*MANY, MAKERS), WorkspaceRole.MAKER),
        ((*MANY, VIEWERS), WorkspaceRole.VIEWER),
        ((*MANY, MAKERS, VIEWERS), WorkspaceRole.MAKER),
        (MANY, None),
    ):
        provider.change("ana", groups=groups)
        visit = visitor(company.site.address)
        page = visit.open("/usage")
        sign_in(page, "ana")
        settle(page)
        assert company.role_of("ana") is role


def test_role_taken_away_while_a_page_is_open(company: Company, visitor: Visitor) -> None:
    """The next click of who is a viewer by now changes nothing and shows a viewer's page; the next call is refused."""
    visit = visitor(company.site.address)
    page = at_work(company, visit, "ben")
    page.get_by_label("Name").fill("Not any more")
    before = company.project_count()
    with company.database.write_session() as session:
        is_ben = WorkspaceMember.user_id.in_(select(User.id).where(User.email == "ben@example.org"))
        in_team = WorkspaceMember.workspace_id == company.team_id
        session.execute(update(WorkspaceMember).where(is_ben, in_team).values(role=WorkspaceRole.VIEWER))
    page.get_by_role("button", name="Create project").click()
    settle(page)
    picture(page, "role-taken-away")
    expect(page.get_by_role("button", name="Create project")).to_have_count(0)
    expect(page.get_by_text("You can watch and download everything")).to_be_visible()
    expect(page.get_by_role("combobox", name="Workspace")).to_have_value("Spring campaign · Viewer")

    assert company.project_count() == before
    assert calls(company, visit) == 403
    with company.database.write_session() as session:
        session.execute(delete(WorkspaceMember).where(is_ben, in_team))
    page.get_by_role("link", name="History", exact=True).first.click()
    settle(page)
    expect(page.get_by_text("Spring campaign")).to_have_count(0)
    picture(page, "membership-taken-away")
    assert calls(company, visit) == 404


def test_administrator_no_more(company: Company, visitor: Visitor) -> None:
    """Whose groups say no more that they administer is none from their next sign-in on, and by hand at once."""
    visit = visitor(company.site.address)
    page = at_work(company, visit, "cleo")
    page.get_by_role("link", name="Admin").first.click()
    settle(page)
    with company.database.write_session() as session:
        session.execute(update(User).where(User.email == "cleo@example.org").values(role="user"))
    page.reload()
    settle(page)
    expect(page.get_by_role("link", name="Admin")).to_have_count(0)
    picture(page, "administrator-no-more")
