import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from core import errors
from core.billing import ledger
from core.db import Database
from core.db.enums import Role
from core.db.tables import Workspace
from core.identity import users
from core.workspaces import quota
from core.workspaces.access import Member


@pytest.mark.both_databases
def test_ensure_when_many_come_at_once(database: Database) -> None:
    """A new person is made once, with one account and one gift, however many ask."""
    barrier = threading.Barrier(8)

    def make(_n: int) -> str:
        barrier.wait()
        with database.write_session() as session:
            return users.ensure(session, "New@Example.org ", signup_credits=300).id

    with ThreadPoolExecutor(8) as threads:
        ids = set(threads.map(make, range(8)))

    assert len(ids) == 1
    with database.read_session() as session:
        assert ledger.balance(session, ids.pop()) == ledger.Balance(300, 0)
        assert users.get(session, "new@example.org").email == "new@example.org"


def test_ensure_when_it_is_no_address(database: Database) -> None:
    """What is no e-mail address is refused on its field."""
    with pytest.raises(errors.InvalidRequest), database.write_session() as session:
        users.ensure(session, "nobody", signup_credits=0)


def test_storage_when_over_quota(database: Database, person: Member) -> None:
    """Bytes are counted up to the quota and refused beyond it; a paid clip is counted without a limit."""
    with database.write_session() as session:
        quota.reserve(session, person.id, size_bytes=60, quota_bytes=100)
    with pytest.raises(errors.StorageFull), database.write_session() as session:
        quota.reserve(session, person.id, size_bytes=41, quota_bytes=100)
    with database.write_session() as session:
        quota.reserve(session, person.id, size_bytes=500, quota_bytes=None)
        quota.free(session, person.id, size_bytes=60)

    with database.read_session() as session:
        assert session.scalars(select(Workspace.storage_bytes)).one() == 500


def test_ensure_when_an_address_is_composed_in_two_ways(database: Database) -> None:
    """It is one person however the letters are composed; another letter is another person."""
    with database.write_session() as session:
        made = users.ensure(session, "José@example.org", signup_credits=0)
        assert users.ensure(session, "jose\u0301@example.org", signup_credits=0).id == made.id
        assert users.ensure(session, "jose@example.org", signup_credits=0).id != made.id


@pytest.mark.parametrize("search", ["jose", "JOSÉ", "jose\u0301@"])
def test_list_when_searched_in_another_spelling(database: Database, search: str) -> None:
    """An administrator finds a person without the marks of their address."""
    with database.write_session() as session:
        admin = users.ensure(session, "root@example.org", signup_credits=0, role=Role.ADMIN)
        made = users.ensure(session, "José@example.org", signup_credits=0)
    with database.read_session() as reading:
        assert [row.id for row in users.list_all(reading, admin, search=search)] == [made.id]
