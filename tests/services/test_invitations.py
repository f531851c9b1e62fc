from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from core import errors
from core.clock import utc_now
from core.db import Database
from core.db.enums import MemberSource, Role, WorkspaceRole
from core.db.tables import AuditLogEntry, Invitation, User, WorkspaceMember
from core.workspaces import invitations, members, merging, people, workspaces
from core.workspaces.access import Member
from tests.factories.users import create_member
from tests.factories.workspaces import create_admin, create_team_of, join, now


@pytest.fixture
def root(database: Database) -> Member:
    """An administrator."""
    return create_admin(database)


@pytest.fixture
def ana(database: Database) -> Member:
    """The manager of the team."""
    return create_member(database)


@pytest.fixture
def team(database: Database, root: Member, ana: Member) -> str:
    """The id of a team."""
    return create_team_of(database, ana)


def invite(
    database: Database, who: Member, team: str | None, email: str = "ben@example.org", role: Role = Role.USER
) -> tuple[str, str]:
    """The id of an invitation as a maker, and what its link holds."""
    workspace_role = None if team is None else WorkspaceRole.MAKER
    with database.write_session() as session:
        made, token = invitations.create(
            session, now(database, who), email=email, workspace_id=team, workspace_role=workspace_role, role=role
        )
    return made.id, token


def accept(database: Database, who: Member, token: str) -> invitations.Invited:
    """Take an invitation up."""
    with database.write_session() as session:
        return invitations.accept(session, who, token)


def test_invitation_is_made_looked_at_and_accepted(database: Database, ana: Member, team: str) -> None:
    """It says where to and by whom, and puts its address into the team; the database has no link in it."""
    _id, token = invite(database, ana, team, email=" Ben@Example.org")
    ben = create_member(database, "ben@example.org")

    with database.read_session() as session:
        said = invitations.look(session, token)
        assert token not in str(session.execute(select(Invitation.token_hash)).all())
    assert (said.email, said.workspace_name, said.workspace_role, said.invited_by) == (
        "ben@example.org",
        "Film",
        WorkspaceRole.MAKER,
        "ana@example.org",
    )
    assert timedelta(days=6, hours=23) < said.expires_at - utc_now() <= timedelta(days=7)

    accept(database, ben, token)

    assert now(database, ben, team).roles[team] is WorkspaceRole.MAKER
    with database.read_session() as session:
        told = session.scalars(
            select(AuditLogEntry.action).where(AuditLogEntry.target == "ben@example.org").order_by(AuditLogEntry.id)
        )
        assert list(told) == ["invitation.made", "invitation.accepted"]
        assert invitations.list_open(session, now(database, ana), workspace_id=team) == []


def test_accept_when_repeated(database: Database, ana: Member, team: str) -> None:
    """A second press by the same person changes nothing, also after they were given another role."""
    _id, token = invite(database, ana, team)
    ben = create_member(database, "ben@example.org")
    accept(database, ben, token)
    with database.write_session() as session:
        members.change_role(session, now(database, ana), team, ben.id, WorkspaceRole.VIEWER)

    accept(database, ben, token)

    assert now(database, ben, team).roles[team] is WorkspaceRole.VIEWER


def test_accept_after_removal_opens_nothing(database: Database, ana: Member, team: str) -> None:
    """A used link does not let somebody back in who was taken out since."""
    _id, token = invite(database, ana, team)
    ben = create_member(database, "ben@example.org")
    accept(database, ben, token)
    with database.write_session() as session:
        members.remove(session, now(database, ana), team, ben.id)

    accept(database, ben, token)

    assert team not in now(database, ben).roles


def test_accept_by_another_address(database: Database, ana: Member, team: str) -> None:
    """Whoever finds the link can do nothing with it, and it stays good for its owner."""
    _id, token = invite(database, ana, team)
    cy = create_member(database, "cy@example.org")

    with pytest.raises(errors.Forbidden):
        accept(database, cy, token)

    accept(database, create_member(database, "ben@example.org"), token)
    assert team not in now(database, cy).roles


@pytest.mark.parametrize(
    "end", ["expired", "revoked", "archived", "inviter gone", "inviter no manager", "replaced", "unknown"]
)
def test_accept_when_it_is_over(database: Database, root: Member, ana: Member, team: str, end: str) -> None:
    """An invitation that expired, was taken back or leads nowhere opens nothing."""
    ben = create_member(database, "ben@example.org")
    made_id, token = invite(database, ana, team)
    with database.write_session() as session:
        match end:
            case "expired":
                session.execute(update(Invitation).values(expires_at=utc_now() - timedelta(seconds=1)))
            case "revoked":
                invitations.revoke(session, now(database, ana), made_id)
            case "archived":
                workspaces.archive(session, root, team)
            case "inviter gone":
                people.deactivate(session, root, ana.id)
            case "inviter no manager":
                members.add(session, root, team, email=root.email, role=WorkspaceRole.MANAGER)
                members.change_role(session, root, team, ana.id, WorkspaceRole.MAKER)
            case "replaced":
                invitations.create(
                    session, root, email=ben.email, workspace_id=team, workspace_role=WorkspaceRole.VIEWER
                )
            case "unknown":
                token += "x"

    with pytest.raises((errors.NotFound, errors.Conflict)):
        accept(database, ben, token)
    with database.read_session() as session, pytest.raises(errors.NotFound):
        invitations.look(session, token)
    assert team not in now(database, ben).roles


@pytest.mark.both_databases
def test_accept_many_times_at_once(database: Database) -> None:
    """One of many presses takes it up, the others change nothing and say the same."""
    ana, ben = create_member(database), create_member(database, "ben@example.org")
    team = create_team_of(database, ana)
    _id, token = invite(database, ana, team)

    with ThreadPoolExecutor(6) as pool:
        said = list(pool.map(lambda _n: accept(database, ben, token), range(6)))

    assert {each.workspace_id for each in said} == {team}
    with database.read_session() as session:
        told = session.scalars(select(AuditLogEntry).where(AuditLogEntry.action == "invitation.accepted")).all()
        rows = session.scalars(select(WorkspaceMember).where(WorkspaceMember.workspace_id == team)).all()
    assert (len(told), len(rows)) == (1, 2)


@pytest.mark.both_databases
def test_accept_races_with_revoke(database: Database) -> None:
    """Either it was taken up or it was taken back, never both."""
    root = create_admin(database)
    ana, ben = create_member(database), create_member(database, "ben@example.org")
    team = create_team_of(database, ana)
    made_id, token = invite(database, ana, team)

    def take_back() -> bool:
        try:
            with database.write_session() as session:
                invitations.revoke(session, root, made_id)
        except errors.NotFound:
            return False
        return True

    def take_up() -> bool:
        try:
            accept(database, ben, token)
        except errors.NotFound:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        back, up = pool.submit(take_back), pool.submit(take_up)

    assert back.result() is not up.result()
    assert (team in now(database, ben).roles) is up.result()


def test_accept_raises_and_never_lowers(database: Database, root: Member, ana: Member, team: str) -> None:
    """A manager stays one, a viewer becomes a maker, and what groups gave stays as they gave it."""
    ben, cy, dan = (create_member(database, f"{name}@example.org") for name in ("ben", "cy", "dan"))
    tokens = [invite(database, ana, team, email=one.email)[1] for one in (ben, cy, dan)]
    join(database, ana, team, ben, WorkspaceRole.MANAGER)
    join(database, ana, team, cy, WorkspaceRole.VIEWER)
    join(database, ana, team, dan, WorkspaceRole.VIEWER)
    with database.write_session() as session:
        by_groups = update(WorkspaceMember).where(WorkspaceMember.user_id == dan.id)
        session.execute(by_groups.values(source=MemberSource.CLAIMS))

    for one, token in zip((ben, cy, dan), tokens, strict=True):
        accept(database, one, token)

    assert [now(database, one, team).roles[team] for one in (ben, cy, dan)] == [
        WorkspaceRole.MANAGER,
        WorkspaceRole.MAKER,
        WorkspaceRole.VIEWER,
    ]


def test_invitation_into_the_installation(database: Database, root: Member, ana: Member) -> None:
    """For administrators only, who may give a role in it; it raises the role that the person has."""
    _id, token = invite(database, root, None, role=Role.ANALYST)
    ben = create_member(database, "ben@example.org")

    accept(database, ben, token)

    with database.read_session() as session:
        assert session.get_one(User, ben.id).role is Role.ANALYST
    with database.write_session() as session:
        with pytest.raises(errors.Forbidden):
            invitations.create(session, ana, email="dan@example.org")
        with pytest.raises(errors.Forbidden):
            invitations.list_open(session, ana)


def test_manager_gives_no_role_in_the_installation(database: Database, ana: Member, team: str) -> None:
    """Inviting into a team makes nobody an administrator."""
    with database.write_session() as session, pytest.raises(errors.Forbidden):
        invitations.create(
            session,
            now(database, ana),
            email="ben@example.org",
            workspace_id=team,
            workspace_role=WorkspaceRole.MAKER,
            role=Role.ADMIN,
        )


@pytest.mark.parametrize("email", ["", "ben", "ben@", "@example.org", "b n@example.org", "a@b@c", "x" * 250 + "@b.de"])
def test_invitation_for_no_address(database: Database, root: Member, email: str) -> None:
    """What is no address is refused on its field."""
    with database.write_session() as session, pytest.raises(errors.InvalidRequest) as refused:
        invitations.create(session, root, email=email)

    assert set(refused.value.fields) == {"email"}


def test_invitations_of_a_team_are_its_managers(database: Database, root: Member, ana: Member, team: str) -> None:
    """Its managers and administrators see and take them back; a maker may not, an outsider finds none."""
    made_id, _token = invite(database, ana, team)
    maker = join(database, ana, team, create_member(database, "cy@example.org"))
    outsider = create_member(database, "dan@example.org")
    for who, refused in ((maker, errors.Forbidden), (outsider, errors.NotFound)):
        with database.write_session() as session:
            with pytest.raises(refused):
                invitations.list_open(session, who, workspace_id=team)
            with pytest.raises(refused):
                invitations.revoke(session, who, made_id)
    with database.write_session() as session:
        assert [each.id for each in invitations.list_open(session, root)] == [made_id]
        invitations.revoke(session, now(database, ana), made_id)
        with pytest.raises(errors.NotFound):
            invitations.revoke(session, root, made_id)


def test_accept_by_who_was_merged(database: Database, root: Member, ana: Member, team: str) -> None:
    """An invitation for an address that was merged into another person is theirs."""
    _id, token = invite(database, ana, team)
    ben, cy = (create_member(database, f"{name}@example.org") for name in ("ben", "cy"))
    with database.write_session() as session:
        merging.merge(session, root, gone_id=ben.id, into_id=cy.id)

    accept(database, cy, token)

    assert now(database, cy, team).roles[team] is WorkspaceRole.MAKER


def test_administrator_who_is_none_any_more_lets_nobody_in(database: Database, root: Member) -> None:
    """A link that makes an administrator, kept for later, opens nothing once its maker may make none."""
    other, ben = create_admin(database, "other@example.org"), create_member(database, "ben@example.org")
    _id, token = invite(database, other, None, role=Role.ADMIN)
    with database.write_session() as session:
        people.set_role(session, root, other.id, Role.USER)

    with pytest.raises(errors.NotFound):
        accept(database, ben, token)

    with database.read_session() as session:
        assert session.get_one(User, ben.id).role is Role.USER
        assert invitations.list_open(session, root) == []
