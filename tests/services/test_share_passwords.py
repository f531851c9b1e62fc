import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from core import errors
from core.clock import utc_now
from core.db import Database
from core.db.enums import VisitKind
from core.db.tables import FailedAttempts, ShareLinkVisit
from core.generations import share_links, share_visits
from core.generations.share_visits import Visitor
from core.identity import failed_attempts, passwords
from core.workspaces.access import Member
from tests.factories.generations import create_completed

STRANGER = Visitor("203.0.113.7", "Some browser")
HASH = passwords.hashed("correct horse")


@pytest.fixture
def token(database: Database, person: Member) -> str:
    """A link with a password."""
    row = create_completed(database, person)
    with database.write_session() as session:
        made = share_links.make(session, person, [row.id], password_hash=HASH)
    return made.token


def knock(database: Database, token: str, password: str) -> bool:
    """Try a password as the page does."""
    with database.write_session() as session:
        shared = share_visits.begin_try(session, token)
    was_right = share_visits.is_password(shared, password)
    with database.write_session() as session:
        share_visits.end_try(session, shared, STRANGER, was_right=was_right)
    return was_right


def fail_often(database: Database, token: str, *, count: int, ago_seconds: int) -> None:
    """Let so many have failed, the last one so long ago: such waits are longer than a slow machine takes."""
    with database.write_session() as session:
        if session.scalar(select(FailedAttempts.key)) is None:
            share_visits.begin_try(session, token)
        last_at = utc_now() - timedelta(seconds=ago_seconds)
        session.execute(update(FailedAttempts).values(count=count, last_at=last_at))


def count_of(database: Database) -> int:
    """How many failures are counted."""
    with database.read_session() as session:
        return session.scalars(select(FailedAttempts.count)).one()


def test_password_when_it_is_right(database: Database, token: str) -> None:
    """The right one opens, and makes earlier mistakes forgotten."""
    assert not knock(database, token, "wrong horse")
    assert knock(database, token, "correct horse")
    with database.read_session() as session:
        assert session.scalars(select(FailedAttempts)).all() == []
        kinds = session.scalars(select(ShareLinkVisit.kind)).all()
    assert kinds == [VisitKind.REFUSED]


def test_password_when_it_is_guessed(database: Database, token: str) -> None:
    """After a few mistakes nobody may try, not even with the right one, until a while has passed; it grows."""
    for _ in range(failed_attempts.FREE):
        assert not knock(database, token, "guess")
    assert count_of(database) == failed_attempts.FREE
    fail_often(database, token, count=12, ago_seconds=100)
    with pytest.raises(errors.RateLimited) as slowed:
        knock(database, token, "correct horse")
    assert 50 < slowed.value.retry_after_seconds <= 156
    fail_often(database, token, count=12, ago_seconds=257)
    assert knock(database, token, "correct horse")


@pytest.mark.both_databases
def test_password_when_many_guess_at_once(database: Database, token: str) -> None:
    """Tries at the same moment are no more than those that are allowed one after the other."""
    guesses = 16
    together = threading.Barrier(guesses)
    fail_often(database, token, count=14, ago_seconds=1000)  # one more may be tried, then none for a quarter of an hour

    def guess(number: int) -> bool:
        together.wait()
        try:
            knock(database, token, f"guess {number}")
        except errors.RateLimited:
            return False
        return True

    with ThreadPoolExecutor(guesses) as pool:
        judged = sum(pool.map(guess, range(guesses)))
    assert judged == 1
    assert count_of(database) == 15


def test_password_when_the_process_dies_in_between(database: Database, token: str) -> None:
    """A try whose end nobody wrote down counts as a mistake: dying is no way to guess for free."""
    fail_often(database, token, count=14, ago_seconds=1000)
    with database.write_session() as session:
        share_visits.begin_try(session, token)
    with pytest.raises(errors.RateLimited):
        knock(database, token, "correct horse")


def test_password_when_there_is_none(database: Database, person: Member) -> None:
    """A link without a password has no right one, and counts no tries."""
    row = create_completed(database, person)
    with database.write_session() as session:
        made = share_links.make(session, person, [row.id])
    with database.write_session() as session:
        shared = share_visits.begin_try(session, made.token)
    assert not share_visits.is_password(shared, "")
    with database.read_session() as session:
        assert session.scalars(select(FailedAttempts)).all() == []
