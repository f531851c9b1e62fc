from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select, update

from core import errors
from core.db import Database
from core.db.enums import DisabledReason, MemberSource, Scope, WorkspaceRole
from core.db.tables import ApiToken, AuditLogEntry, WebhookEndpoint, WorkspaceMember
from core.identity import api_tokens
from core.workspaces import members, people, workspaces
from core.workspaces.access import Member
from tests.factories.users import create_member
from tests.factories.workspaces import create_admin, create_team_of, join, now
from tests.said import codes


@pytest.fixture
def ana(database: Database) -> Member:
    """The manager of the team."""
    return create_member(database)


@pytest.fixture
def ben(database: Database) -> Member:
    """Somebody else."""
    return create_member(database, "ben@example.org")


@pytest.fixture
def team(database: Database, ana: Member) -> str:
    """The id of a team."""
    return create_team_of(database, ana)


def acts(database: Database) -> list[tuple[str, str, str]]:
    """The log of acts: what, by whom, on whom."""
    with database.read_session() as session:
        rows = session.scalars(select(AuditLogEntry).order_by(AuditLogEntry.id))
        return [(row.action, row.actor, row.target) for row in rows]


def roster(database: Database, person: Member, team: str) -> dict[str, WorkspaceRole]:
    """Who is in a team, as somebody sees it."""
    with database.read_session() as session:
        return {entry.email: entry.role for entry in members.list_page(session, person, team)}


def test_add_puts_somebody_into_a_team(database: Database, ana: Member, ben: Member, team: str) -> None:
    """They are in it with the role they were given, and the log says who put them there."""
    there = join(database, ana, team, ben, WorkspaceRole.VIEWER)

    assert (there.workspace_id, there.roles[team]) == (team, WorkspaceRole.VIEWER)
    assert roster(database, there, team) == {
        "ana@example.org": WorkspaceRole.MANAGER,
        "ben@example.org": WorkspaceRole.VIEWER,
    }
    assert acts(database)[-1] == ("member.added", "ana@example.org", "ben@example.org")


def test_add_when_it_cannot_be(database: Database, ana: Member, ben: Member, team: str) -> None:
    """Nobody twice, nobody who is not here, nobody into a personal workspace."""
    join(database, ana, team, ben)
    ana = now(database, ana)
    with database.write_session() as session:
        with pytest.raises(errors.Conflict) as refused:
            members.add(session, ana, team, email="BEN@example.org", role=WorkspaceRole.MANAGER)
        assert codes(refused.value.message) == {"already_a_member"}
        with pytest.raises(errors.InvalidRequest) as unknown:
            members.add(session, ana, team, email="cy@example.org", role=WorkspaceRole.MAKER)
        assert set(unknown.value.fields) == {"email"}
        with pytest.raises(errors.Conflict) as personal:
            members.add(session, ana, ana.id, email="ben@example.org", role=WorkspaceRole.MAKER)
        assert codes(personal.value.message) == {"personal_workspace"}


@pytest.mark.parametrize("role", [WorkspaceRole.VIEWER, WorkspaceRole.MAKER])
def test_only_managers_change_people(
    database: Database, ana: Member, ben: Member, team: str, role: WorkspaceRole
) -> None:
    """Who is in a team without managing it may not; who is outside does not even learn that there is one."""
    cy = create_member(database, "cy@example.org")
    there = join(database, ana, team, ben, role)
    acts_of: list[Callable[..., object]] = [
        lambda session, who: members.add(session, who, team, email=cy.email, role=WorkspaceRole.VIEWER),
        lambda session, who: members.change_role(session, who, team, ana.id, WorkspaceRole.VIEWER),
        lambda session, who: members.remove(session, who, team, ana.id),
        lambda session, who: workspaces.rename(session, who, team, name="Mine"),
        lambda session, who: workspaces.archive(session, who, team),
    ]
    for act in acts_of:
        with database.write_session() as session:
            with pytest.raises(errors.Forbidden):
                act(session, there)
            with pytest.raises(errors.NotFound):
                act(session, cy)
    with database.read_session() as reading, pytest.raises(errors.NotFound):
        members.list_page(reading, cy, team)


def test_role_taken_while_a_click_was_on_its_way(database: Database, ana: Member, ben: Member, team: str) -> None:
    """What somebody was when the page was drawn does not count, but what they are when the act is done."""
    was_manager = join(database, ana, team, ben, WorkspaceRole.MANAGER)
    with database.write_session() as session:
        members.change_role(session, now(database, ana), team, ben.id, WorkspaceRole.VIEWER)

    with database.write_session() as session, pytest.raises(errors.Forbidden):
        members.remove(session, was_manager, team, ana.id)


def test_administrator_manages_from_outside(database: Database, ana: Member, ben: Member, team: str) -> None:
    """They appoint and remove people of a team they are not in, and still see nothing that is made in it."""
    root = now(database, create_admin(database))
    with database.write_session() as session:
        members.add(session, root, team, email=ben.email, role=WorkspaceRole.MANAGER)
        members.remove(session, root, team, ana.id)
        assert [entry.email for entry in members.list_page(session, root, team)] == [ben.email]
    assert team not in root.workspace_ids


def test_last_manager_stays(database: Database, ana: Member, ben: Member, team: str) -> None:
    """A team keeps one who can act: neither leaving nor removing nor another role takes the last."""
    join(database, ana, team, ben)
    ana, root = now(database, ana), now(database, create_admin(database))
    for act in (
        lambda session: members.leave(session, ana, team),
        lambda session: members.remove(session, root, team, ana.id),
        lambda session: members.change_role(session, ana, team, ana.id, WorkspaceRole.MAKER),
    ):
        with database.write_session() as session, pytest.raises(errors.Conflict) as refused:
            act(session)
        assert codes(refused.value.message) == {"last_manager"}

    with database.write_session() as session:
        members.change_role(session, ana, team, ben.id, WorkspaceRole.MANAGER)
        members.leave(session, ana, team)
    assert roster(database, now(database, ben), team) == {"ben@example.org": WorkspaceRole.MANAGER}
    assert acts(database)[-1] == ("member.left", "ana@example.org", "ana@example.org")


def test_manager_who_was_deactivated_is_no_manager(database: Database, ana: Member, ben: Member, team: str) -> None:
    """They do not count as the one who stays, and may be taken out."""
    join(database, ana, team, ben, WorkspaceRole.MANAGER)
    root = create_admin(database)
    with database.write_session() as session:
        people.deactivate(session, root, ben.id)
    ana = now(database, ana)

    with database.write_session() as session, pytest.raises(errors.Conflict):
        members.leave(session, ana, team)
    with database.write_session() as session:
        assert {entry.email: entry.is_active for entry in members.list_page(session, ana, team)} == {
            "ana@example.org": True,
            "ben@example.org": False,
        }
        members.remove(session, ana, team, ben.id)


@pytest.mark.both_databases
@pytest.mark.parametrize("way", ["leave", "demote", "remove each other"])
def test_two_managers_go_at_once(database: Database, way: str) -> None:
    """However they go, one of the two stays."""
    ana, ben = create_member(database), create_member(database, "ben@example.org")
    team = create_team_of(database, ana)
    join(database, ana, team, ben, WorkspaceRole.MANAGER)
    both = [now(database, ana), now(database, ben)]

    def go(one: Member, other: Member) -> bool:
        try:
            with database.write_session() as session:
                match way:
                    case "leave":
                        members.leave(session, one, team)
                    case "demote":
                        members.change_role(session, one, team, one.id, WorkspaceRole.VIEWER)
                    case _:
                        members.remove(session, one, team, other.id)
        except (errors.Conflict, errors.Forbidden):
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        went = list(pool.map(go, both, reversed(both)))

    assert sorted(went) == [False, True]
    with database.read_session() as session:
        left = session.scalars(select(WorkspaceMember).where(WorkspaceMember.workspace_id == team)).all()
    assert [one.role for one in left].count(WorkspaceRole.MANAGER) == 1


def test_member_by_claims_is_left_to_them(database: Database, ana: Member, ben: Member, team: str) -> None:
    """Whoever the groups of their sign-in put into a team is neither changed nor taken out by hand."""
    there = join(database, ana, team, ben)
    with database.write_session() as session:
        session.execute(
            update(WorkspaceMember).where(WorkspaceMember.user_id == ben.id).values(source=MemberSource.CLAIMS)
        )
    ana = now(database, ana)
    for act in (
        lambda session: members.change_role(session, ana, team, ben.id, WorkspaceRole.VIEWER),
        lambda session: members.remove(session, ana, team, ben.id),
        lambda session: members.leave(session, there, team),
    ):
        with database.write_session() as session, pytest.raises(errors.Conflict) as refused:
            act(session)
        assert codes(refused.value.message) == {"member_by_claims"}


@pytest.mark.both_databases
@pytest.mark.parametrize("leaves", [True, False])
def test_leaving_ends_tokens_and_webhooks_there(database: Database, leaves: bool) -> None:
    """What a person has in the team ends with it; what they have elsewhere, and what others have there, does not."""
    ana, ben = create_member(database), create_member(database, "ben@example.org")
    team = create_team_of(database, ana)
    there = join(database, ana, team, ben)
    with database.write_session() as session:
        for person in (ana, ben):
            for workspace_id in (team, person.id):
                api_tokens.create(
                    session, person.user, name=f"{person.email} {workspace_id}", workspace_id=workspace_id
                )
                hook = WebhookEndpoint(workspace_id=workspace_id, user_id=person.id, url="https://x.example.org")
                session.add(hook)
        everywhere = api_tokens.create(session, ben.user, name="everywhere", scope=Scope.READ)

    with database.write_session() as session:
        if leaves:
            members.leave(session, there, team)
        else:
            members.remove(session, now(database, ana), team, ben.id)

    with database.read_session() as session:
        ended = session.execute(select(ApiToken.user_id, ApiToken.workspace_id).where(ApiToken.revoked_at.is_not(None)))
        assert [tuple(row) for row in ended] == [(ben.id, team)]
        stopped = session.execute(
            select(WebhookEndpoint.user_id, WebhookEndpoint.workspace_id, WebhookEndpoint.disabled_reason).where(
                WebhookEndpoint.disabled_at.is_not(None)
            )
        )
        assert [tuple(row) for row in stopped] == [(ben.id, team, DisabledReason.DEPARTED)]
        user, token = api_tokens.by_token(session, everywhere)
        assert set(members.with_token(session, user, token).roles) == {ben.id}


def test_removal_that_fails_ends_nothing(database: Database, ana: Member, ben: Member, team: str) -> None:
    """Membership, token and log stand and fall together."""
    join(database, ana, team, ben)
    with database.write_session() as session:
        api_tokens.create(session, ben.user, name="cron", workspace_id=team)
    before = acts(database)

    def dies_half_way() -> None:
        with database.write_session() as session:
            members.remove(session, now(database, ana), team, ben.id)
            raise RuntimeError("the process dies here")

    with pytest.raises(RuntimeError):
        dies_half_way()

    assert team in now(database, ben).roles
    assert acts(database) == before
    with database.read_session() as reading:
        assert [row.name for row in api_tokens.list_for_user(reading, ben.user)] == ["cron"]


def test_who_was_deactivated_is_at_work_nowhere(database: Database, ana: Member) -> None:
    """The next look at who they are says that they may not come in."""
    root = create_admin(database)
    with database.write_session() as session:
        people.deactivate(session, root, ana.id)

    with pytest.raises(errors.Unauthorized):
        now(database, ana)
