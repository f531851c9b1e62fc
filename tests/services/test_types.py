from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError, StatementError

from core.clock import utc_now
from core.db import Database, types
from core.db.enums import Role
from core.db.tables import User
from core.ids import new_id
from core.workspaces.access import Member

pytestmark = pytest.mark.both_databases  # each database stores values in its own way

anywhere = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.datetimes(datetime.fromisoformat("1970-01-02"), datetime.fromisoformat("2200-01-01"), timezones=anywhere)


@given(moment=moments)
def test_time_comes_back_as_the_same_moment(database: Database, person: Member, moment: datetime) -> None:
    """Given in whatever zone, a time comes back aware, in UTC and to the microsecond, and is found by another zone."""
    with database.write_session() as session:
        session.execute(update(User).values(created_at=moment))
    with database.read_session() as session:
        [found] = session.scalars(select(User.created_at).where(User.created_at == moment.astimezone(UTC))).all()

    assert found == moment
    assert found.utcoffset() == timedelta()


def test_time_without_a_zone_is_refused(database: Database, person: Member) -> None:
    """A naive time would be somebody's local one; it neither gets in nor is compared with."""
    naive = datetime(2026, 11, 21)  # noqa: DTZ001 -- what the test is about
    for statement in (update(User).values(created_at=naive), select(User).where(User.created_at > naive)):
        with pytest.raises(StatementError, match="naive"), database.write_session() as session:
            session.execute(statement)


def test_word_comes_back_as_its_enum(database: Database, person: Member) -> None:
    """A word is kept as it is spelt, and read as the enum's own member."""
    with database.write_session() as session:
        session.execute(update(User).values(role="admin"))
    with database.read_session() as session:
        assert session.scalars(select(User.role)).one() is Role.ADMIN
        assert session.execute(text("SELECT role FROM users")).scalar_one() == "admin"


def test_word_that_is_none_is_refused(database: Database, person: Member) -> None:
    """Neither the product nor a statement by hand puts a word into a table that its enum does not have."""
    with pytest.raises(StatementError, match="not a valid Role"), database.write_session() as session:
        session.execute(update(User).values(role="king"))
    with pytest.raises(IntegrityError, match="role_known"), database.write_session() as session:
        session.execute(text("UPDATE users SET role = 'king'"))


def test_insert_when_it_is_there(database: Database, person: Member) -> None:
    """The same words say on each database what to do about a row that exists."""
    values = {"id": new_id(), "email": person.email, "name": "second", "role": Role.USER, "created_at": utc_now()}
    for _ in range(2):
        with database.write_session() as session:
            row = types.insert(session, User).values(**values)
            session.execute(row.on_conflict_do_update(index_elements=["email"], set_={"name": row.excluded.name}))
    with database.read_session() as session:
        assert session.execute(select(User.id, User.name)).all() == [(person.id, "second")]
