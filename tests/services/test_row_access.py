from typing import get_args

import pytest
from sqlalchemy import select

from core import errors
from core.db import Database, row_access
from core.db.enums import Role
from core.db.tables import Generation, Project, UsageDay
from core.db.types import Base
from core.identity import users
from core.workspaces.access import Member
from tests.factories.generations import create_completed

OWNED = [row for kind in get_args(row_access.Owned) for row in get_args(kind)]
NOT_ASKED_FOR = {"accounts"}
"""Money is asked for by the account's person alone, in core/billing/ledger.py."""


@pytest.fixture
def eve(database: Database) -> Member:
    """Somebody else, with clips of her own."""
    with database.write_session() as session:
        found = users.ensure(session, "eve@example.org", signup_credits=1000)
    create_completed(database, found)
    return found


def test_every_table_of_a_person_is_known() -> None:
    """A new table with a `user_id` is one that the predicate must know of."""
    of_people = {table.name for table in Base.metadata.tables.values() if "user_id" in table.columns}

    assert {table.__tablename__ for table in OWNED} == of_people - NOT_ASKED_FOR


@pytest.mark.both_databases
@pytest.mark.parametrize("table", [Generation, Project, UsageDay])
def test_owned_when_there_are_others(
    database: Database, person: Member, eve: Member, table: type[Generation] | type[Project] | type[UsageDay]
) -> None:
    """A person's rows are all of theirs and none of another's, by either form of the predicate; alone, none at all."""
    with database.read_session() as session:
        assert session.scalars(select(table).where(row_access.visible_to(table, person))).all() == []
    create_completed(database, person)
    with database.read_session() as session:
        for user in (person, eve):
            whose = select(table.user_id)
            assert session.scalars(whose.where(row_access.visible_to(table, user))).all() == [user.id]
            bound = whose.where(row_access.visible_to_bound_user(table))
            assert session.scalars(bound, {"user_id": user.id}).all() == [user.id]


def test_everybodys_is_for_administrators(database: Database, person: Member, eve: Member) -> None:
    """An administrator may see all rows; for anybody else there is not even a query."""
    create_completed(database, person)
    with pytest.raises(errors.Forbidden):
        row_access.all_rows_for_admin(eve)
    with database.write_session() as session:
        admin = users.ensure(session, "root@example.org", signup_credits=0, role=Role.ADMIN)
        seen = set(session.scalars(select(Generation.user_id).where(row_access.all_rows_for_admin(admin))))
    assert seen == {person.id, eve.id}
