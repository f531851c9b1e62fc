"""Sessions of browsers: begun, looked up, over."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from core.clock import utc_now
from core.db import Database
from core.db.tables import AuditLogEntry, BrowserSession, User
from core.identity import sessions
from core.identity.sessions import SignedIn, Visit
from core.workspaces.access import Member
from tests.factories.users import create_member

IDLE = timedelta(minutes=30)
HOME = Visit("10.0.0.7", "Firefox")
ISSUER = "https://id.example.org"


def begin(database: Database, person: Member, **values: Any) -> str:
    """A session of this person, which lasts an hour."""
    given: dict[str, Any] = {"visit": HOME, "lasts": timedelta(hours=1), "issuer": ISSUER, "subject": "ana"}
    with database.write_session() as session:
        return sessions.start(session, session.get_one(User, person.id), **(given | values))


def look(database: Database, token: str) -> SignedIn | None:
    """Whose session it is."""
    with database.read_session() as session:
        return sessions.look(session, token, idle=IDLE)


def change(database: Database, **values: Any) -> None:
    """As if time had passed for every session."""
    with database.write_session() as session:
        session.execute(update(BrowserSession).values(**values))


def ended(database: Database) -> list[tuple[str, Any]]:
    """What the audit log tells of sessions that were ended."""
    with database.read_session() as session:
        query = select(AuditLogEntry).where(AuditLogEntry.action == "sign_in.ended").order_by(AuditLogEntry.id)
        return [(row.actor, row.after) for row in session.scalars(query)]


@pytest.mark.both_databases
def test_session_is_its_person(database: Database, person: Member) -> None:
    """What the cookie holds opens it; the table has a hash of that only, and from where it came."""
    token = begin(database, person)
    found = look(database, token)
    assert found is not None
    assert (found.user.id, found.issuer, found.subject) == (person.id, ISSUER, "ana")
    with database.read_session() as session:
        row = session.scalars(select(BrowserSession)).one()
    assert token not in str(vars(row))
    assert (row.address, row.agent) == ("10.0.0.7", "Firefox")
    with database.read_connection() as connection:
        assert sessions.is_live(connection, found.id, idle=IDLE)


@pytest.mark.parametrize("token", ["", "x", "avg_x", "\u0000"])
def test_made_up_cookie_is_nobodys(database: Database, person: Member, token: str) -> None:
    """Whatever was not handed out opens nothing."""
    begin(database, person)
    assert look(database, token) is None


@pytest.mark.parametrize(
    "values",
    [
        {"ends_at": timedelta(seconds=-1)},
        {"seen_at": -IDLE},
        {"ended_at": timedelta(seconds=-1)},
    ],
    ids=["too long", "idle", "ended"],
)
def test_session_is_over(database: Database, person: Member, values: dict[str, timedelta]) -> None:
    """After its hours, after a while without use, and once it was ended."""
    token = begin(database, person)
    change(database, **{name: utc_now() + moved for name, moved in values.items()})
    assert look(database, token) is None


def test_deactivated_person_has_no_session(database: Database, person: Member) -> None:
    """From that moment on, though the session itself was not touched."""
    token = begin(database, person)
    with database.write_session() as session:
        session.get_one(User, person.id).deactivated_at = utc_now()
    assert look(database, token) is None


def test_use_is_noted_once_a_minute(database: Database, person: Member) -> None:
    """A look seldom writes, and what is in use does not grow idle."""
    token = begin(database, person)
    fresh = look(database, token)
    assert fresh is not None
    assert not sessions.use_is_old(fresh, now=utc_now())
    change(database, seen_at=utc_now() - timedelta(minutes=20))
    stale = look(database, token)
    assert stale is not None
    assert sessions.use_is_old(stale, now=utc_now())
    with database.write_session() as session:
        sessions.note_use(session, stale.id)
    again = look(database, token)
    assert again is not None
    assert not sessions.use_is_old(again, now=utc_now())


def test_session_ends_once(database: Database, person: Member) -> None:
    """The provider's token is handed out for signing out there, and is not kept any longer."""
    token = begin(database, person, id_token="the.id.token")
    with database.write_session() as session:
        gone = sessions.end(session, token)
    assert gone is not None
    assert (gone.issuer, gone.id_token) == (ISSUER, "the.id.token")
    assert look(database, token) is None
    with database.write_session() as session:
        assert sessions.end(session, token) is None
        assert sessions.end(session, "") is None
        assert session.scalars(select(BrowserSession.id_token)).one() is None
    assert ended(database) == [(person.email, {"by": "person"})]


def test_all_sessions_of_a_person_end_and_no_others(database: Database, person: Member) -> None:
    """As when an administrator takes somebody out."""
    mine, also_mine = begin(database, person), begin(database, person)
    bens = begin(database, create_member(database, "ben@example.org"), subject="ben")
    with database.read_session() as session:
        assert sessions.count_live(session, session.get_one(User, person.id), idle=IDLE) == 2
    with database.write_session() as session:
        assert sessions.end_all_of(session, session.get_one(User, person.id), by=None) == 2
    assert (look(database, mine), look(database, also_mine)) == (None, None)
    assert look(database, bens) is not None
    assert ended(database) == [("system", {"sessions": 2})]


def test_provider_ends_its_own_session_or_all_of_a_subject(database: Database, person: Member) -> None:
    """Only those that it has begun, whoever else uses the same words."""
    one, two = begin(database, person, sid="one"), begin(database, person, sid="two")
    elsewhere = begin(database, person, issuer="https://other.example.org", sid="one")
    by_link = begin(database, person, issuer=None, subject=None)
    with database.write_session() as session:
        assert sessions.end_at_provider(session, ISSUER, sid="one", subject="ana") == 1
    assert look(database, one) is None
    assert look(database, two) is not None
    with database.write_session() as session:
        assert sessions.end_at_provider(session, ISSUER, sid=None, subject="ana") == 1
        assert sessions.end_at_provider(session, ISSUER, sid=None, subject=None) == 0
    assert look(database, two) is None
    assert look(database, elsewhere) is not None
    assert look(database, by_link) is not None
    assert ended(database) == [(person.email, {"by": "provider"})] * 2


def test_sessions_that_are_long_over_are_forgotten(database: Database, person: Member) -> None:
    """The table does not grow with every sign-in for ever."""
    begin(database, person)
    change(database, ends_at=utc_now() - timedelta(days=31))
    begin(database, person)
    with database.read_session() as session:
        assert len(session.scalars(select(BrowserSession)).all()) == 1
