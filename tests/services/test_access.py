"""Whose rows a person sees: the one predicate that every query for a person goes through."""

from typing import get_args

import pytest
from sqlalchemy import select

from core import errors
from core.db import Database
from core.db.enums import Role
from core.db.tables import Generation, Project, UsageDay
from core.db.types import Base
from core.workspaces import access
from core.workspaces.access import Member
from tests.factories.generations import create_completed
from tests.factories.users import create_member

OWNED = [row for kind in get_args(access.Owned) for row in get_args(kind)]
NOT_ASKED_FOR = {
    *("accounts", "analyst_packs", "api_tokens", "audit_log", "drafts", "invitations", "notices", "workspace_members")
}
"""Money is asked for by the account's workspace alone, and the others by modules of their own."""


@pytest.fixture
def eve(database: Database) -> Member:
    """Somebody else, with clips of her own."""
    found = create_member(database, "eve@example.org")
    create_completed(database, found)
    return found


def test_every_table_of_a_workspace_is_known() -> None:
    """A new table with a `workspace_id` is one that the predicate must know of."""
    of_workspaces = {table.name for table in Base.metadata.tables.values() if "workspace_id" in table.columns}

    assert {table.__tablename__ for table in OWNED} == of_workspaces - NOT_ASKED_FOR


@pytest.mark.both_databases
@pytest.mark.parametrize("table", [Generation, Project, UsageDay])
def test_rows_when_there_are_others(
    database: Database, person: Member, eve: Member, table: type[Generation] | type[Project] | type[UsageDay]
) -> None:
    """A person sees all of theirs and none of another's, by every form of the predicate; alone, none at all."""
    with database.read_session() as session:
        assert session.scalars(select(table).where(access.visible_to(table, person))).all() == []
    create_completed(database, person)
    with database.read_session() as session:
        for one in (person, eve):
            whose = select(table.workspace_id)
            assert session.scalars(whose.where(access.visible_to(table, one))).all() == [one.workspace_id]
            assert session.scalars(whose.where(access.in_workspace(table, one))).all() == [one.workspace_id]
            bound = whose.where(access.visible_to_bound(table))
            assert session.scalars(bound, {"workspace_ids": one.workspace_ids}).all() == [one.workspace_id]
            present = whose.where(access.in_bound_workspace(table))
            assert session.scalars(present, {"workspace_id": one.workspace_id}).all() == [one.workspace_id]


@pytest.mark.parametrize("role", [Role.ANALYST, Role.ADMIN])
def test_everybodys_is_for_analysts(database: Database, person: Member, eve: Member, role: Role) -> None:
    """Analysts and administrators see all figures; for anybody else there is not even a query."""
    create_completed(database, person)
    with pytest.raises(errors.Forbidden):
        access.all_rows_for_analyst(eve)
    analyst = create_member(database, "root@example.org", role=role)
    with database.read_session() as session:
        seen = set(session.scalars(select(UsageDay.user_id).where(access.all_rows_for_analyst(analyst))))
    assert seen == {person.id, eve.id}
