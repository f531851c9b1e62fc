"""Links that let a person in once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from core import errors
from core.clock import utc_now
from core.db import Database
from core.db.tables import AuditLogEntry, SignInLink, User
from core.identity import sign_in_links
from core.workspaces.access import Member


def make(database: Database, person: Member) -> str:
    """A link for this person."""
    with database.write_session() as session:
        return sign_in_links.make(session, session.get_one(User, person.id))


def use(database: Database, token: str) -> str:
    """Come in by it; whose it is."""
    with database.write_session() as session:
        return sign_in_links.use(session, token).id


def test_link_lets_in_once(database: Database, person: Member) -> None:
    """It is kept as a hash, written down in the audit log, and over once it was used."""
    token = make(database, person)
    with database.read_session() as session:
        assert sign_in_links.person_of(session, token).id == person.id
        assert token not in str(vars(session.scalars(select(SignInLink)).one()))
        assert session.scalars(select(AuditLogEntry.action)).all() == ["sign_in.link_made"]
    assert use(database, token) == person.id
    for _again in range(2):
        with pytest.raises(errors.NotFound):
            use(database, token)


def test_link_is_over_after_ten_minutes(database: Database, person: Member) -> None:
    """Whoever finds it later finds nothing."""
    token = make(database, person)
    with database.write_session() as session:
        session.execute(update(SignInLink).values(expires_at=utc_now() - timedelta(seconds=1)))
    with pytest.raises(errors.NotFound):
        use(database, token)


def test_deactivated_person_gets_none_and_comes_in_by_none(database: Database, person: Member) -> None:
    """Neither a link from before nor another one."""
    token = make(database, person)
    with database.write_session() as session:
        session.get_one(User, person.id).deactivated_at = utc_now()
    with pytest.raises(errors.NotFound):
        use(database, token)
    with pytest.raises(errors.Conflict):
        make(database, person)


@pytest.mark.both_databases
def test_of_many_at_once_one_comes_in(database: Database, person: Member) -> None:
    """A link that two have is used by one."""
    token = make(database, person)

    def try_it(_number: int) -> bool:
        try:
            use(database, token)
        except errors.NotFound:
            return False
        return True

    with ThreadPoolExecutor(6) as several:
        assert sum(several.map(try_it, range(6))) == 1
