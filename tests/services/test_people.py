from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select

from core import db, errors
from core.clock import utc_now
from core.db import Database
from core.db.enums import DisabledReason, Role, Status
from core.db.tables import AuditLogEntry, BrowserSession, SignInLink, User, WebhookEndpoint
from core.generations import lifecycle
from core.identity import api_tokens
from core.installation import Installation
from core.workspaces import members, people
from core.workspaces.access import Member
from tests.factories.books import broken_rules
from tests.factories.generations import (
    DISPATCHED,
    DOWNLOADING,
    READY_TO_DOWNLOAD,
    SUBMITTING,
    WAITING,
    advance,
    build_output,
    create_generation,
    load_generation,
)
from tests.factories.users import create_member
from tests.factories.workspaces import create_admin, create_team_of, now
from tests.said import codes


@pytest.fixture
def root(database: Database) -> Member:
    """The one administrator."""
    return create_admin(database)


@pytest.fixture
def ana(database: Database) -> Member:
    """Somebody."""
    return create_member(database)


def told(database: Database) -> list[tuple[str, str]]:
    """The log of acts: what, on whom."""
    with database.read_session() as session:
        of_people = AuditLogEntry.action.startswith("person.")
        rows = session.scalars(select(AuditLogEntry).where(of_people).order_by(AuditLogEntry.id))
        return [(row.action, row.target) for row in rows]


def test_list_pages_by_address(database: Database, root: Member, ana: Member) -> None:
    """Everybody once, by address, with what they are; searched by words of address and name."""
    create_team_of(database, ana)
    for name in ("ben", "cy"):
        create_member(database, f"{name}@example.org")
    with database.write_session() as session:
        session.add(BrowserSession(token_hash="a", user_id=ana.id, ends_at=utc_now(), seen_at=utc_now()))
        people.deactivate(session, root, create_id(database, "cy@example.org"))

    with database.read_session() as session:
        first = people.list_page(session, root, limit=2)
        rest = people.list_page(session, root, after_email=first[-1].email)
        [found] = people.list_page(session, root, search="BEN")
        gone = people.list_page(session, root, deactivated=True)
        admins = people.list_page(session, root, role=Role.ADMIN)

    assert [each.email for each in (*first, *rest)] == [f"{name}@example.org" for name in ("ana", "ben", "cy", "root")]
    assert (first[0].workspace_count, first[1].workspace_count) == (2, 1)
    assert first[0].last_seen_at is not None
    assert first[1].last_seen_at is None
    assert found.email == "ben@example.org"
    assert [each.email for each in gone] == ["cy@example.org"]
    assert [each.email for each in admins] == ["root@example.org"]


def create_id(database: Database, email: str) -> str:
    """The id of who has an address."""
    with database.read_session() as session:
        return session.scalars(select(User.id).where(User.email == email)).one()


@pytest.mark.parametrize("role", [Role.USER, Role.ANALYST])
def test_only_administrators_manage_people(database: Database, root: Member, role: Role) -> None:
    """Nobody else lists, looks at, or changes anybody, oneself included."""
    who = create_member(database, role=role)
    with database.write_session() as session:
        for act in (
            lambda: people.list_page(session, who),
            lambda: people.get(session, who, who.id),
            lambda: people.set_role(session, who, who.id, Role.ADMIN),
            lambda: people.deactivate(session, who, root.id),
            lambda: people.reactivate(session, who, who.id),
        ):
            with pytest.raises(errors.Forbidden):
                act()


def test_token_for_one_workspace_manages_no_people(database: Database, root: Member) -> None:
    """Whoever finds it cannot make themselves an administrator, even if its person is one."""
    with database.write_session() as session:
        secret = api_tokens.create(session, root.user, name="cron", workspace_id=root.id)
        confined = callers_member(session, secret)
        with pytest.raises(errors.Forbidden):
            people.list_page(session, confined)


def callers_member(session: db.ReadSession, secret: str) -> Member:
    """Who comes with a token."""
    user, row = api_tokens.by_token(session, secret)
    return members.with_token(session, user, row)


def test_role_counts_from_the_next_click(database: Database, root: Member, ana: Member) -> None:
    """It is written down and told of; the same role again is nothing."""
    with database.write_session() as session:
        for _ in range(2):
            assert people.set_role(session, root, ana.id, Role.ANALYST).role is Role.ANALYST

    assert told(database) == [("person.role_changed", "ana@example.org")]


def test_deactivation_ends_everything_but_what_was_made(database: Database, root: Member, ana: Member) -> None:
    """No page, no token, no webhook, no link; the log tells it, and letting in again brings nothing of that back."""
    with database.write_session() as session:
        secret = api_tokens.create(session, ana.user, name="cron")
        session.add(BrowserSession(token_hash="a", user_id=ana.id, ends_at=utc_now() + timedelta(hours=1)))
        session.add(SignInLink(token_hash="a", user_id=ana.id, expires_at=utc_now() + timedelta(hours=1)))
        session.add(WebhookEndpoint(workspace_id=ana.id, user_id=ana.id, url="https://x.example.org"))
    with database.write_session() as session:
        for _ in range(2):
            assert people.deactivate(session, root, ana.id).deactivated_at is not None

    with pytest.raises(errors.Unauthorized):
        now(database, ana)
    with database.write_session() as session:
        people.reactivate(session, root, ana.id)
    with database.read_session() as session:
        with pytest.raises(errors.Unauthorized):
            api_tokens.by_token(session, secret)
        assert session.scalars(select(BrowserSession.ended_at)).one() is not None
        assert session.scalars(select(SignInLink.used_at)).one() is not None
        assert session.scalars(select(WebhookEndpoint.disabled_reason)).one() is DisabledReason.DEPARTED
    assert now(database, ana).workspace_id == ana.id
    assert told(database) == [("person.deactivated", "ana@example.org"), ("person.reactivated", "ana@example.org")]


def test_clips_under_way_finish_after_deactivation(database: Database, root: Member, ana: Member) -> None:
    """What was ordered is made and charged as quoted."""
    row = create_generation(database, ana)
    with database.write_session() as session:
        people.deactivate(session, root, ana.id)

    row = advance(database, row.id, DISPATCHED, SUBMITTING, WAITING, READY_TO_DOWNLOAD, DOWNLOADING)
    with database.write_session() as session:
        assert lifecycle.complete(session, row, build_output(row.id))

    assert load_generation(row.id, database).status is Status.COMPLETED
    assert broken_rules(database) == []


@pytest.mark.parametrize("way", ["role", "deactivate"])
def test_last_administrator_stays(database: Database, root: Member, ana: Member, way: str) -> None:
    """Neither themselves nor anybody takes away the last one; once there is another, they may go."""

    def go() -> None:
        with database.write_session() as session:
            if way == "role":
                people.set_role(session, root, root.id, Role.USER)
            else:
                people.deactivate(session, root, root.id)

    with pytest.raises(errors.Conflict) as refused:
        go()
    assert codes(refused.value.message) == {"last_administrator"}

    with database.write_session() as session:
        people.set_role(session, root, ana.id, Role.ADMIN)
    go()


@pytest.mark.both_databases
@pytest.mark.parametrize("way", ["role", "deactivate", "both ways"])
def test_administrators_take_each_other_away_at_once(database: Database, way: str) -> None:
    """Of three who do it in a circle one is left."""
    three = [create_admin(database, f"root{n}@example.org") for n in range(3)]

    def go(number: int) -> bool:
        one, other = three[number], three[(number + 1) % 3]
        try:
            with database.write_session() as session:
                if way == "role" or (way == "both ways" and number):
                    people.set_role(session, one, other.id, Role.USER)
                else:
                    people.deactivate(session, one, other.id)
        except errors.Conflict:
            return False
        return True

    with ThreadPoolExecutor(3) as pool:
        went = list(pool.map(go, range(3)))

    assert went.count(True) == 2
    with database.read_session() as session:
        left = select(User).where(User.role == Role.ADMIN, User.deactivated_at.is_(None))
        assert len(session.scalars(left).all()) == 1


def test_who_is_deactivated_has_no_role_to_change(database: Database, root: Member, ana: Member) -> None:
    """They are let in first; a person who is not there cannot be changed at all."""
    with database.write_session() as session:
        people.deactivate(session, root, ana.id)
        with pytest.raises(errors.Conflict):
            people.set_role(session, root, ana.id, Role.ADMIN)
        with pytest.raises(errors.NotFound):
            people.deactivate(session, root, "0" * 36)


def test_this_process_forgets_callers_at_once(installation: Installation) -> None:
    """A token that was looked up a moment ago is refused with the next call, not a second later."""
    root, ana = create_admin(db.default()), create_member(db.default())
    with db.write_session() as session:
        secret = api_tokens.create(session, ana.user, name="cron")
    with db.read_session() as session:
        installation.callers.authenticate(session, secret)
    assert installation.callers.get(secret, now=utc_now()) is not None

    with db.write_session() as session:
        people.deactivate(session, root, ana.id)

    assert installation.callers.get(secret, now=utc_now()) is None
