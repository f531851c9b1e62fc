"""What waits for an administrator is found without a look at what does not."""

import pytest
from sqlalchemy import event

from core import errors
from core.db import Database
from core.db.enums import Stage, Status
from core.insights import attention, circuit_breaker
from core.workspaces.access import Member
from tests.factories.generations import DISPATCHED, SUBMITTING, advance, create_generation


def test_unclear_clips_and_refused_accounts_wait(database: Database, person: Member) -> None:
    """Counted are clips that nobody knows about and accounts that a provider refuses, not a provider in trouble."""
    create_generation(database, person)
    unclear = create_generation(database, person)
    advance(database, unclear.id, DISPATCHED, SUBMITTING, (Status.UNCERTAIN, Stage.SUBMITTING))
    with database.write_session() as session:
        circuit_breaker.record_failure(session, "modelslab", errors.BadKey())
        circuit_breaker.record_failure(session, "edenai", errors.ProviderUnavailable())

    with database.read_connection() as reader:
        assert attention.waiting(reader) == attention.Attention(1, ("modelslab",))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # PostgreSQL plans by how full the tables are
def test_unclear_and_unsigned_clips_are_found_by_their_own_indexes(database: Database) -> None:
    """Every page of an administrator asks: clips that have ended cost it nothing, however many there are."""
    plans: list[str] = []

    def explain(_connection: object, cursor: object, statement: str, parameters: object, *_rest: object) -> None:
        if "FROM generations" in statement:
            told = cursor.connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)  # type: ignore[attr-defined]  # sqlite3's own cursor
            plans.append(" ".join(str(line[3]) for line in told))

    event.listen(database.read_engine, "before_cursor_execute", explain)
    with database.read_connection() as reader:
        attention.waiting(reader)

    assert len(plans) == 2
    assert "ix_generations_uncertain" in plans[0]
    assert "ix_generations_unsigned" in plans[1]
