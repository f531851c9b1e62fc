"""Who may come in by what their identity provider says, and what their groups give them."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from core import config, errors
from core.clock import utc_now
from core.config import Settings
from core.db import Database
from core.db.enums import MemberSource, Role, WorkspaceRole
from core.db.tables import ApiToken, AuditLogEntry, Identity, Invitation, User, Workspace, WorkspaceMember
from core.identity import api_tokens
from core.identity.claims import Claims
from core.workspaces import admission
from core.workspaces.access import Member
from tests.factories.users import create_member
from tests.factories.workspaces import create_team

ISSUER = "https://id.example.org"
ANA = Claims(ISSUER, "subject-of-ana", "Ana@Example.org", True, "Ana Maker", frozenset({"staff"}))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the settings keep their key."""
    return tmp_path


def settings(folder: Path, **variables: str) -> Settings:
    """Of an installation whose people sign in."""
    given = {
        "DATA_DIR": str(folder),
        "AUTH_MODE": "oidc",
        "PUBLIC_URL": "https://studio.example.org",
        "OIDC_ISSUER": ISSUER,
        "OIDC_CLIENT_ID": "studio",
        "SIGNUP_CREDITS": "0",
    }
    return config.load(given | variables)


def let_in(database: Database, claims: Claims, here: Settings) -> User:
    """Who they are."""
    with database.write_session() as session:
        return admission.recognise(session, claims, settings=here)


def refused(database: Database, claims: Claims, here: Settings) -> str:
    """Why they may not come in; nothing of them is kept."""
    with pytest.raises(errors.SignInRefused) as found:
        let_in(database, claims, here)
    assert str(found.value) != ""
    return found.value.reason


def memberships(database: Database, user: User) -> dict[str, tuple[WorkspaceRole, MemberSource]]:
    """Name of a team -> what they are in it."""
    query = (
        select(Workspace.name, WorkspaceMember.role, WorkspaceMember.source)
        .join(Workspace, Workspace.id == WorkspaceMember.workspace_id)
        .where(WorkspaceMember.user_id == user.id, Workspace.id != user.id)
    )
    with database.read_session() as session:
        return {row.name: (row.role, row.source) for row in session.execute(query)}


def acts(database: Database) -> list[str]:
    """What the audit log tells of, in order."""
    with database.read_session() as session:
        return list(session.scalars(select(AuditLogEntry.action).order_by(AuditLogEntry.id)))


@pytest.mark.both_databases
def test_somebody_new_is_made(database: Database, folder: Path) -> None:
    """With name and address of the claims, a workspace of their own, and no role beyond it."""
    here = settings(folder)
    user = let_in(database, ANA, here)
    assert (user.email, user.name, user.role) == ("ana@example.org", "Ana Maker", Role.USER)
    assert user.search_key == "ana@example.org ana maker"
    assert let_in(database, ANA, here).id == user.id
    assert acts(database) == ["person.made"]


def test_person_is_issuer_and_subject(database: Database, folder: Path) -> None:
    """A changed address is the same person; the same address of another subject is not them."""
    here = settings(folder)
    user = let_in(database, ANA, here)
    moved = let_in(database, replace(ANA, email="ana@new.example.org", name="Ana New"), here)
    assert (moved.id, moved.email, moved.name) == (user.id, "ana@new.example.org", "Ana New")
    assert moved.search_key == "ana@new.example.org ana new"
    assert refused(database, replace(ANA, subject="another", email="ana@new.example.org"), here) == "address_taken"
    assert acts(database) == ["person.made", "person.address_changed"]


def test_somebody_known_by_their_address_is_taken_over_once(database: Database, folder: Path, person: Member) -> None:
    """Whoever had an API token before is the same person now; a second subject of that issuer is not."""
    here = settings(folder)
    assert let_in(database, ANA, here).id == person.id
    assert refused(database, replace(ANA, subject="another"), here) == "address_taken"
    elsewhere = replace(ANA, issuer="https://other.example.org", subject="there")
    assert let_in(database, elsewhere, here).id == person.id
    assert acts(database) == ["identity.linked", "identity.linked"]


@pytest.mark.parametrize("verified", [None, False])
def test_unverified_address_takes_nobody_over(
    database: Database, folder: Path, person: Member, verified: bool | None
) -> None:
    """Anybody can write somebody's address into their profile."""
    assert refused(database, replace(ANA, email_verified=verified), settings(folder)) == "email_unverified"
    with database.read_session() as session:
        assert session.scalars(select(Identity)).all() == []
        assert session.get_one(User, person.id).name != "Ana Maker"


def test_local_person_and_samples_are_nobodys(database: Database, folder: Path, person: Member) -> None:
    """Neither the administrator of an installation without sign-in, nor somebody made up, can be signed in as."""
    here = settings(folder)
    create_member(database, config.LOCAL_PERSON, role=Role.ADMIN)
    assert refused(database, replace(ANA, email=config.LOCAL_PERSON), here) == "address_taken"
    with database.write_session() as session:
        session.get_one(User, person.id).is_sample = True
    assert refused(database, ANA, here) == "address_taken"


def test_address_of_another_person_is_not_taken_later(database: Database, folder: Path) -> None:
    """An address that the issuer changes to somebody else's stays with them."""
    here = settings(folder)
    user = let_in(database, ANA, here)
    create_member(database, "ben@example.org")
    assert let_in(database, replace(ANA, email="ben@example.org"), here).email == user.email
    assert let_in(database, replace(ANA, email=config.LOCAL_PERSON), here).email == user.email


def test_unverified_address_does_not_rename(database: Database, folder: Path) -> None:
    """Nor can one become another address that others are looked up by."""
    here = settings(folder)
    let_in(database, ANA, here)
    assert (
        let_in(database, replace(ANA, email="boss@example.org", email_verified=None), here).email == "ana@example.org"
    )


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"email": ""}, "no_email"),
        ({"email": "ana"}, "no_email"),
        ({"email": f"{'a' * 260}@example.org"}, "no_email"),
        ({"subject": ""}, "no_subject"),
        ({"subject": "s" * 256}, "no_subject"),
        ({"issuer": f"https://{'i' * 300}"}, "no_subject"),
        ({"email_verified": False}, "email_unverified"),
        ({"email": "ana@elsewhere.org"}, "domain_not_allowed"),
        ({"email_verified": None}, "email_unverified"),
    ],
)
def test_who_may_not_come_in_is_told_why(
    database: Database, folder: Path, changes: dict[str, Any], reason: str
) -> None:
    """Each reason has its name, and leaves nothing behind."""
    here = settings(folder, ALLOWED_EMAIL_DOMAINS="example.org")
    assert refused(database, replace(ANA, **changes), here) == reason
    with database.read_session() as session:
        assert session.scalars(select(User)).all() == []


def test_deactivated_person_does_not_come_in(database: Database, folder: Path) -> None:
    """By whichever provider."""
    here = settings(folder)
    user = let_in(database, ANA, here)
    with database.write_session() as session:
        session.get_one(User, user.id).deactivated_at = utc_now()
    assert refused(database, ANA, here) == "deactivated"
    assert refused(database, replace(ANA, issuer="https://other.example.org"), here) == "deactivated"


def test_role_follows_the_groups_in_both_directions(database: Database, folder: Path) -> None:
    """Whoever comes into a group rises with it, whoever leaves it falls."""
    here = settings(folder, ROLE_MAP="admins=admin,costs=analyst")
    assert let_in(database, ANA, here).role is Role.USER
    assert let_in(database, replace(ANA, groups=frozenset({"admins", "costs"})), here).role is Role.ADMIN
    assert let_in(database, replace(ANA, groups=frozenset({"costs"})), here).role is Role.ANALYST
    assert let_in(database, ANA, here).role is Role.USER
    assert acts(database) == ["person.made", *["person.role_changed"] * 3]


def test_role_given_by_hand_stays_without_a_map(database: Database, folder: Path) -> None:
    """A map that speaks of workspaces alone says nothing about roles in the installation."""
    here = settings(folder, ROLE_MAP="staff=workspace:Spring:viewer")
    user = let_in(database, ANA, here)
    with database.write_session() as session:
        session.get_one(User, user.id).role = Role.ANALYST
    assert let_in(database, ANA, here).role is Role.ANALYST


def test_first_administrators_are_named_by_address(database: Database, folder: Path) -> None:
    """A verified address of ADMIN_EMAILS is an administrator, whatever the map says; an unverified one is not."""
    here = settings(folder, ADMIN_EMAILS="ana@example.org", ROLE_MAP="costs=analyst", DEFAULT_ROLE="none")
    assert refused(database, replace(ANA, email_verified=None), here) == "no_role"
    assert let_in(database, ANA, here).role is Role.ADMIN


def test_somebody_in_no_group_is_refused_where_the_default_is_none(database: Database, folder: Path) -> None:
    """A group of the map lets in, of whichever kind; losing it refuses at the next sign-in."""
    here = settings(folder, DEFAULT_ROLE="none", ROLE_MAP="costs=analyst,spring=workspace:Spring:viewer,all=user")
    assert refused(database, ANA, here) == "no_role"
    for group in ("costs", "spring", "all"):
        let_in(database, replace(ANA, groups=frozenset({group})), here)
    assert refused(database, ANA, here) == "no_role"
    assert let_in(database, replace(ANA, has_all_groups=False), here).email == "ana@example.org"
    unknown = replace(ANA, subject="new", email="new@example.org", has_all_groups=False)
    assert refused(database, unknown, here) == "no_role"


def test_invited_people_and_members_come_in_though_the_default_is_none(
    database: Database, folder: Path, person: Member
) -> None:
    """Whom a manager has asked to come, or has in a team, needs no group; an invitation that is over is none."""
    here = settings(folder, DEFAULT_ROLE="none", ROLE_MAP="costs=analyst")
    ben = replace(ANA, subject="ben", email="ben@example.org")
    invitation = Invitation(
        email="ben@example.org", token_hash="x", invited_by_id=person.id, expires_at=utc_now() + timedelta(days=1)
    )
    with database.write_session() as session:
        session.add(invitation)
    assert refused(database, replace(ben, email_verified=None), here) == "no_role"
    let_in(database, ben, here)
    with database.write_session() as session:
        session.get_one(Invitation, invitation.id).revoked_at = utc_now()
    assert refused(database, ben, here) == "no_role"
    assert refused(database, ANA, here) == "no_role"
    create_team(database, (person, WorkspaceRole.VIEWER))
    assert let_in(database, ANA, here).id == person.id


@pytest.mark.both_databases
def test_memberships_follow_the_groups_in_both_directions(database: Database, folder: Path, person: Member) -> None:
    """Teams are found by their name; what a manager gave elsewhere stays."""
    boss = create_member(database, "boss@example.org")
    create_team(database, (boss, WorkspaceRole.MANAGER), name="Spring campaign")
    create_team(database, (boss, WorkspaceRole.MANAGER), (person, WorkspaceRole.MAKER), name="By hand")
    here = settings(
        folder,
        ROLE_MAP="staff=workspace:spring CAMPAIGN:viewer,leads=workspace:Spring campaign:manager,x=workspace:No:maker",
    )
    by_hand = {"By hand": (WorkspaceRole.MAKER, MemberSource.MANUAL)}
    user = let_in(database, ANA, here)
    assert memberships(database, user) == by_hand | {"Spring campaign": (WorkspaceRole.VIEWER, MemberSource.CLAIMS)}
    let_in(database, replace(ANA, groups=frozenset({"staff", "leads", "x"})), here)
    assert memberships(database, user)["Spring campaign"] == (WorkspaceRole.MANAGER, MemberSource.CLAIMS)
    for groups in (frozenset(), frozenset({"staff"})):
        let_in(database, replace(ANA, groups=groups, has_all_groups=False), here)
        assert memberships(database, user)["Spring campaign"][0] is WorkspaceRole.MANAGER
    with database.write_session() as session:
        spring = session.scalars(select(Workspace.id).where(Workspace.name == "Spring campaign")).one()
        api_tokens.create(session, session.get_one(User, user.id), name="script", workspace_id=spring)
    let_in(database, replace(ANA, groups=frozenset()), here)
    assert memberships(database, user) == by_hand
    with database.read_session() as session:
        assert session.scalars(select(ApiToken.revoked_at)).one() is not None, "a token for the team went with it"
    told = ["identity.linked", "member.added", "member.role_changed", "token.made", "member.removed"]
    assert acts(database) == told


def test_group_wins_over_what_a_manager_gave_in_its_workspace(database: Database, folder: Path, person: Member) -> None:
    """Where the map speaks of a workspace, it decides there."""
    create_team(database, (person, WorkspaceRole.MANAGER), name="Spring")
    here = settings(folder, ROLE_MAP="staff=workspace:Spring:viewer")
    user = let_in(database, ANA, here)
    assert memberships(database, user) == {"Spring": (WorkspaceRole.VIEWER, MemberSource.CLAIMS)}


def test_two_teams_of_one_name_are_nobodys(database: Database, folder: Path) -> None:
    """A name that could mean two teams opens neither."""
    boss = create_member(database, "boss@example.org")
    for _team in range(2):
        create_team(database, (boss, WorkspaceRole.MANAGER), name="Spring")
    user = let_in(database, ANA, settings(folder, ROLE_MAP="staff=workspace:Spring:viewer"))
    assert memberships(database, user) == {}


def test_personal_workspace_is_no_team(database: Database, folder: Path) -> None:
    """A group cannot put people into somebody's own workspace, whatever it is called."""
    create_member(database, "spring@example.org")
    user = let_in(database, ANA, settings(folder, ROLE_MAP="staff=workspace:spring:manager"))
    assert memberships(database, user) == {}


@pytest.mark.both_databases
def test_sign_ins_at_once_make_one_person(database: Database, folder: Path) -> None:
    """Two tabs, two machines: one person, one identity."""
    here = settings(folder)
    with ThreadPoolExecutor(6) as several:
        found = list(several.map(lambda _number: let_in(database, ANA, here).id, range(6)))
    assert len(set(found)) == 1
    with database.read_session() as session:
        assert len(session.scalars(select(Identity)).all()) == 1


@pytest.mark.both_databases
def test_of_two_subjects_with_one_address_one_is_the_person(database: Database, folder: Path, person: Member) -> None:
    """Also when both come at the same moment."""
    here = settings(folder)

    def try_it(number: int) -> str:
        try:
            return let_in(database, replace(ANA, subject=f"subject-{number}"), here).id
        except errors.SignInRefused as refusal:
            return refusal.reason

    with ThreadPoolExecutor(4) as several:
        found = sorted(several.map(try_it, range(4)))
    assert sorted(found) == sorted([person.id, *["address_taken"] * 3])
