"""A filled database of the schema before vendors' prices, brought to this one: what was counted stays as it was."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from alembic import command
from sqlalchemy import MetaData, text

from core import errors
from core.clock import utc_now
from core.db import Database
from core.db.enums import Role
from core.db.schema import alembic_config
from core.db.tables import Generation
from core.generations import commands, lifecycle
from core.usage import exchange_rates, reports
from core.usage.exchange_rates import Rate
from core.usage.reports import UsageQuery, UsageTotals
from core.workspaces.access import Member
from tests.factories.books import broken_rules
from tests.factories.catalogue import put_back
from tests.factories.generations import (
    DISPATCHED,
    DOWNLOADING,
    READY_TO_DOWNLOAD,
    SUBMITTING,
    WAITING,
    advance,
    build_output,
    create_completed,
    create_generation,
    load_generation,
)
from tests.factories.upgrades import dump
from tests.factories.users import create_member

pytestmark = pytest.mark.both_databases  # each has its own way to change a table

BEFORE = "0014"
TOLD: dict[str, Any] = {"provider_cost_currency": "USD", "provider_cost_is_estimate": False}


def fill(database: Database) -> tuple[Member, str]:
    """Clips with and without a reported cost, one that was billed for nothing, and one under way, whose id is told."""
    person = create_member(database, role=Role.ADMIN)
    put_back(database, "nova-reel")
    project_id = create_completed(database, person).project_id
    told, failed, stopped, waiting = (
        create_generation(database, person, project_id=project_id, model_id="kling-2.5", duration_seconds=5)
        for _ in range(4)
    )
    states = (DISPATCHED, SUBMITTING, WAITING, READY_TO_DOWNLOAD, DOWNLOADING)
    told = advance(database, told.id, *states, provider_cost=Decimal("0.351234"), **TOLD)
    advance(database, failed.id, DISPATCHED, SUBMITTING)
    advance(database, waiting.id, *states)
    with database.write_session() as session:
        lifecycle.complete(session, told, build_output(told.id))
        row = session.get_one(Generation, failed.id)
        lifecycle.fail(session, row, errors.GenerationFailed(), provider_cost=Decimal("0.2"), **TOLD)
        commands.cancel(session, person, stopped.id)
    return person, waiting.id


def go_back(database: Database) -> None:
    """To the schema of before, with the estimate of then: a share of our price, in rupiah."""
    with database.engine.begin() as connection:
        command.downgrade(alembic_config(connection), BEFORE)
        connection.execute(
            text(
                "UPDATE usage_days SET estimated_cost_idr = 14545, estimate_replaced_idr = 7272 "
                "WHERE model_id = 'kling-2.5'"
            )
        )


def figures(database: Database, person: Member) -> UsageTotals:
    """What the model with costs came to."""
    today = utc_now().date()
    with database.read_session() as session:
        return reports.total(session, person, UsageQuery(today - timedelta(days=2), today, model_id="kling-2.5"))


def test_upgrade_of_a_history_with_costs(database: Database) -> None:
    """Nothing of before changes; reports have the rupiah of the one rate, and the old estimate is told apart."""
    person, _waiting = fill(database)
    go_back(database)
    known = MetaData()
    with database.engine.connect() as connection:
        known.reflect(connection)
        before = dump(connection, known)

    for _turn in range(2):
        database.migrate()

        with database.engine.connect() as connection:
            assert dump(connection, known) == before
        found = figures(database, person)
        assert (found.reported_cost_microusd, found.reported_cost_idr) == (551_234, 9_095)  # 9,095.36
        assert (found.estimate_from_price_idr, found.still_estimated_idr) == (14_545 - 7_272, 14_545 - 7_272)
        assert (found.wasted_cost_idr, found.cost_unknown_count) == (3_300, 0)
        with database.read_session() as session:
            assert exchange_rates.rates(session, person) == [Rate(None, 16_500)]
        assert broken_rules(database) == []
        with database.engine.begin() as connection:
            command.downgrade(alembic_config(connection), BEFORE)


def test_order_of_before_comes_to_its_end(database: Database) -> None:
    """What was under way has no frozen estimate: it is that of the price of its moment, at the rate of then."""
    person, waiting_id = fill(database)
    go_back(database)
    database.migrate()
    before = figures(database, person)
    row = load_generation(waiting_id, database)
    assert (row.estimated_cost_microusd, row.idr_per_usd) == (None, None)

    with database.write_session() as session:
        assert lifecycle.complete(session, row, build_output(row.id))

    assert load_generation(waiting_id, database).provider_cost == Decimal("0.35")
    after = figures(database, person)
    assert after.estimated_cost_idr - before.estimated_cost_idr == 5_775
    assert after.estimate_from_price_idr == before.estimate_from_price_idr
    assert broken_rules(database) == []
