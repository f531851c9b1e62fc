"""A filled database of before there were flights, brought to this one: all that lives is carried over, in its order."""

from datetime import timedelta
from typing import Any

import pytest
from alembic import command
from sqlalchemy import select

from core.clock import utc_now
from core.db import Database
from core.db.schema import alembic_config
from core.db.tables import Flight, Generation
from core.installation import Installation
from core.worker import claims
from tests.factories.books import broken_rules
from tests.factories.generations import (
    DISPATCHED,
    SUBMITTING,
    WAITING,
    advance,
    create_completed,
    create_generation,
    load_flight,
    load_generation,
    lose_submit,
    set_flight,
)
from tests.factories.users import create_member

pytestmark = pytest.mark.both_databases  # each has its own way to copy rows

BEFORE = "0037"


def test_upgrade_carries_over_what_is_under_way(site: Installation) -> None:
    """There and back and there again: each live clip has its flight, with what looks had told; ended ones have none."""
    database = site.database
    ana, ben = (create_member(database, name, credits=10_000) for name in ("ana@example.org", "ben@example.org"))
    create_completed(database, ana)
    queued = [create_generation(database, person).id for person in (ana, ana, ana, ben, ben)]
    lost = create_generation(database, ben).id
    lose_submit(database, lost)
    waiting = create_generation(database, ana).id
    known: dict[str, Any] = {
        "provider_job_id": "j1",
        "submitted_at": utc_now(),
        "deadline_at": utc_now() + timedelta(hours=1),
    }
    advance(database, waiting, DISPATCHED, SUBMITTING, WAITING, **known)
    looked_at = {"progress": 0.4, "setbacks": 2, "next_at": utc_now() + timedelta(seconds=7)}
    set_flight(waiting, database, **looked_at)
    for _turn in range(2):
        with database.engine.begin() as connection:
            command.downgrade(alembic_config(connection), BEFORE)

        database.migrate()

        assert flights_of(database) == {*queued, lost, waiting}
        flight = load_flight(waiting, database)
        assert {name: getattr(flight, name) for name in looked_at} == looked_at
        assert load_generation(waiting, database).progress == 0.4
        assert broken_rules(database) == []
    first, second, third, bens, bens_second = queued
    handed = claims.claim_submits(site.settings, lambda _provider: True)
    assert [row.id for row in handed] == [first, bens, second, bens_second, third]


def flights_of(database: Database) -> set[str]:
    """The ids of what has one, which are those of what lives."""
    with database.read_session() as session:
        found = set(session.scalars(select(Flight.id)))
        assert found == set(session.scalars(select(Generation.id).where(Generation.ended_at.is_(None))))
        return found
