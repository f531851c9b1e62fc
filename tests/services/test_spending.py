"""What clips cost us: frozen at the order, told or measured at its end, counted by day at the dollar of the order."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from core import errors
from core.clock import utc_now
from core.db import Database
from core.db.enums import CostBasis, Role, Status
from core.db.tables import AuditLogEntry, CostDrift, Generation, UsageDay
from core.generations import lifecycle, reconciliation, spending
from core.insights import attention, cost_drift
from core.messages import plain
from core.providers.contract import JobState, JobStatus, ProviderJob, ReportedCost, ReportedUse, UseUnit
from core.usage import exchange_rates
from core.usage.exchange_rates import Rate
from core.worker import answers
from core.workspaces.access import Member
from tests.factories import vendors
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
    create_generation,
    load_generation,
)
from tests.factories.users import create_member

PRICE = '{ since = 2026-11-28, credits_per_second = { "720p" = 20, "1080p" = 20 } }'
OWN_GPU = '{ since = 2026-11-28, source = "our power bill", sure = "derived", per_gpu_second = 1_400 }'
TOKENS = '{ since = 2026-11-28, source = "its list", sure = "vendor", per_million_tokens = { any = 1_000_000 } }'
KLING = {"model_id": "kling-2.5", "duration_seconds": 5}
"""Five seconds at $0.07, so $0.35."""
TOLD = ReportedCost(Decimal("0.40"), "USD")


@pytest.fixture
def admin(database: Database) -> Member:
    """An administrator of an installation in which the model with a price by the second has not ended."""
    put_back(database, "nova-reel")
    return create_member(database, "root@example.org", role=Role.ADMIN)


def set_rate(database: Database, admin: Member, idr_per_usd: int, since: datetime | None = None) -> Rate:
    """In a transaction of its own."""
    with database.write_session() as session:
        return exchange_rates.set_rate(session, admin, idr_per_usd=idr_per_usd, since=since)


def deliver(database: Database, row: Generation, status: JobStatus | None = None) -> Generation:
    """Let an order go all the way; `status` is what its provider said at its end."""
    row = advance(database, row.id, DISPATCHED, SUBMITTING, WAITING, submitted_at=utc_now())
    told = spending.at_end(row, status, now=utc_now()) if status else {}
    row = advance(database, row.id, READY_TO_DOWNLOAD, DOWNLOADING, **told)
    with database.write_session() as session:
        assert lifecycle.complete(session, row, build_output(row.id))
    return load_generation(row.id, database)


def the_day(database: Database) -> UsageDay:
    """The only roll-up there is."""
    with database.read_session() as session:
        return session.scalars(select(UsageDay)).one()


def done(**more: Any) -> JobStatus:
    """A job that has given a clip."""
    return JobStatus(JobState.SUCCEEDED, video_url="https://vendor.example/clip.mp4", **more)


@pytest.mark.both_databases
def test_order_keeps_the_estimate_and_the_dollar_of_its_moment(database: Database, admin: Member) -> None:
    """A dollar that is set afterwards changes nothing of an order, and counts for the next one."""
    first = create_generation(database, admin, **KLING)
    set_rate(database, admin, 20_000)
    second = create_generation(database, admin, **KLING, project_id=first.project_id)

    for row in (first, second):
        deliver(database, row)

    assert (first.estimated_cost_microusd, first.idr_per_usd) == (350_000, 16_500)
    assert first.cost_since == datetime(2026, 7, 27, tzinfo=UTC)
    assert (second.estimated_cost_microusd, second.idr_per_usd) == (350_000, 20_000)
    day = the_day(database)
    assert (day.estimated_cost_idr, day.reported_cost_idr, day.cost_unknown_count) == (5_775 + 7_000, 0, 0)
    ended = load_generation(second.id, database)
    assert (ended.provider_cost, ended.provider_cost_currency) == (Decimal("0.35"), "USD")
    assert (ended.cost_basis, ended.provider_cost_is_estimate) == (CostBasis.ESTIMATE, True)
    assert broken_rules(database) == []


@pytest.mark.both_databases
def test_reported_cost_wins_and_the_estimate_stays_beside_it(database: Database, admin: Member) -> None:
    """What the vendor says is what it cost, in the dollar of the order; the frozen estimate is not touched."""
    set_rate(database, admin, 17_000)
    row = create_generation(database, admin, **KLING)

    row = deliver(database, row, done(cost=ReportedCost(Decimal("0.5001"), "USD")))

    assert (row.provider_cost, row.cost_basis, row.provider_cost_is_estimate) == (
        Decimal("0.5001"),
        CostBasis.REPORTED,
        False,
    )
    assert row.estimated_cost_microusd == 350_000
    day = the_day(database)
    assert (day.reported_cost_microusd, day.reported_cost_idr) == (500_100, 8_502)  # 8,501.7
    assert (day.estimated_cost_idr, day.estimate_replaced_idr, day.wasted_cost_idr) == (5_950, 5_950, 0)


@pytest.mark.parametrize("state", [JobState.FAILED, JobState.CANCELLED])
def test_job_without_a_clip_that_is_billed_is_paid_for_nothing(
    database: Database, admin: Member, state: JobState
) -> None:
    """The report of a failed or cancelled job is kept and counted, and stands apart as wasted."""
    row = advance(database, create_generation(database, admin, **KLING).id, DISPATCHED, SUBMITTING, WAITING)
    status = JobStatus(state, cost=ReportedCost(Decimal("0.30"), "USD"), error=errors.GenerationFailed())
    told = spending.at_end(row, status, now=utc_now())

    with database.write_session() as session:
        row = session.get_one(Generation, row.id)
        if state is JobState.FAILED:
            assert lifecycle.fail(session, row, errors.GenerationFailed(), **told)
        else:
            assert lifecycle.cancel(session, row, actor="system", **told)

    row = load_generation(row.id, database)
    assert (row.provider_cost, row.cost_basis) == (Decimal("0.3"), CostBasis.REPORTED)
    day = the_day(database)
    assert (day.reported_cost_idr, day.wasted_cost_idr, day.estimated_cost_idr) == (4_950, 4_950, 0)
    assert broken_rules(database) == []


def accepted(database: Database, row: Generation, job: ProviderJob) -> Generation:
    """The order when its provider has answered with a job, as the journal has kept the answer."""
    row = advance(database, row.id, DISPATCHED, SUBMITTING)
    kept = answers.from_json(json.loads(json.dumps(answers.to_json(job))))
    assert kept == job
    with database.write_session() as session:
        reconciliation.lock_providers(session, [row.provider])
        found = lifecycle.locked(session, row.id)
        assert found is not None
        reconciliation.accept(session, found, job, what=plain("Accepted."), next_at=utc_now())
    return load_generation(row.id, database)


def test_cost_that_was_told_with_the_order_counts_for_the_clip(database: Database, admin: Member) -> None:
    """A gateway prices the order and says nothing at the end: that is the reported cost, and no estimate."""
    row = accepted(database, create_generation(database, admin, **KLING), ProviderJob("j1", {}, TOLD))
    ended = spending.at_end(row, JobStatus(JobState.SUCCEEDED), now=utc_now())
    row = advance(database, row.id, READY_TO_DOWNLOAD, DOWNLOADING, **ended)
    with database.write_session() as session:
        assert lifecycle.complete(session, row, build_output(row.id))

    row, day = load_generation(row.id, database), the_day(database)
    assert (row.provider_cost, row.cost_basis) == (Decimal("0.40"), CostBasis.REPORTED)
    assert (day.reported_cost_microusd, day.cost_unknown_count) == (400_000, 0)


def test_cost_that_was_told_with_the_order_is_nothing_where_no_clip_was_made(database: Database, admin: Member) -> None:
    """Vendors charge for clips, and the price of an order is no bill of a job that failed."""
    row = accepted(database, create_generation(database, admin, **KLING), ProviderJob("j1", {}, TOLD))
    with database.write_session() as session:
        found = lifecycle.locked(session, row.id)
        assert found is not None
        assert lifecycle.fail(session, found, errors.GenerationFailed())

    row, day = load_generation(row.id, database), the_day(database)
    assert (row.provider_cost, row.cost_basis, row.provider_cost_is_estimate) == (None, None, True)
    assert (day.reported_cost_microusd, day.wasted_cost_idr) == (0, 0)


def test_failed_job_of_which_nothing_is_told_costs_nothing(database: Database, admin: Member) -> None:
    """Nobody is taken to bill a failure that they say nothing of."""
    row = advance(database, create_generation(database, admin, **KLING).id, DISPATCHED, SUBMITTING)
    with database.write_session() as session:
        assert lifecycle.fail(session, session.get_one(Generation, row.id), errors.GenerationFailed())

    day = the_day(database)
    assert (day.reported_cost_idr, day.estimated_cost_idr, day.wasted_cost_idr, day.cost_unknown_count) == (0, 0, 0, 0)


def test_clip_of_which_nobody_knows_the_cost(database: Database, admin: Member) -> None:
    """It has no cost, rather than none to pay, and is counted as such."""
    row = deliver(database, create_generation(database, admin, model_id="seedance-t2v"))

    assert (row.estimated_cost_microusd, row.provider_cost, row.cost_basis) == (None, None, None)
    day = the_day(database)
    assert (day.estimated_cost_idr, day.cost_unknown_count) == (0, 1)


@pytest.mark.parametrize(
    ("costs", "told", "expected"),
    [
        (TOKENS, (250_000, UseUnit.TOKENS), (250_000, CostBasis.USED)),
        # A unit that the price is not in says nothing; 1280 * 720 * 121 / 1024 tokens are expected.
        (TOKENS, (5, UseUnit.SECONDS), (108_900, CostBasis.ESTIMATE)),
        (OWN_GPU, ("57.5", UseUnit.GPU_SECONDS), (80_500, CostBasis.USED)),
    ],
)
def test_cost_when_the_use_is_told(database: Database, tmp_path: Path, costs: str, told: Any, expected: Any) -> None:
    """The vendor's price is applied to what it counted, where it counts in the unit of its price."""
    used, unit = told
    person = create_member(database)
    with vendors.further_models(tmp_path, vendors.model_of_demo("counted", prices=PRICE, costs=costs)):
        row = create_generation(database, person, model_id="counted")
        row = deliver(database, row, done(use=ReportedUse(Decimal(used), unit)))

    microusd, basis = expected
    assert (row.provider_cost, row.cost_basis) == (Decimal(microusd) / 1_000_000, basis)
    assert row.provider_cost_is_estimate is (basis is CostBasis.ESTIMATE)


@pytest.mark.parametrize("state", [JobState.SUCCEEDED, JobState.FAILED])
def test_cost_when_a_gpu_ran_for_us(database: Database, admin: Member, tmp_path: Path, state: JobState) -> None:
    """By the time that the job ran on our clock, also of one that failed; it is an estimate all the same."""
    with vendors.further_models(tmp_path, vendors.model_of_demo("own", prices=PRICE, costs=OWN_GPU)):
        row = create_generation(database, admin, model_id="own")
        began = utc_now()
        row = advance(database, row.id, DISPATCHED, SUBMITTING, WAITING, submitted_at=began)
        found = spending.at_end(row, JobStatus(state), now=began + timedelta(seconds=100))
        lost = spending.at_end(
            row, JobStatus(JobState.FAILED, error=errors.JobLost()), now=began + timedelta(seconds=100)
        )

    assert (found["provider_cost"], found["cost_basis"]) == (Decimal("0.14"), CostBasis.MEASURED)
    assert found["provider_cost_is_estimate"]
    assert lost == {}


@pytest.mark.both_databases
def test_reports_that_are_far_off_three_times_running_are_told(database: Database, admin: Member) -> None:
    """Three clips in a row, and administrators are told; one that is near begins anew."""
    project_id = create_generation(database, admin).project_id
    dollars = ["0.43", "0.45", "0.36", "0.51", "0.20", "0.70"]  # estimated at 0.35; from 0.28 to 0.4375 is near
    told = []
    for amount in dollars:
        deliver(
            database,
            create_generation(database, admin, **KLING, project_id=project_id),
            done(cost=ReportedCost(Decimal(amount), "USD")),
        )
        with database.read_session() as session:
            told.append(attention.waiting(session).old_prices)

    assert told == [(), (), (), (), (), ("kling-2.5",)]
    with database.read_session() as session:
        [row] = cost_drift.old_prices(session)
        assert (row.off_in_a_row, row.newest_percent) == (3, 200)
    with database.write_session() as session:  # the catalogue has another price by now
        session.execute(update(CostDrift).values(cost_since=datetime(2026, 1, 1, tzinfo=UTC)))
        assert cost_drift.old_prices(session) == []


def test_use_that_is_far_off_says_nothing_of_the_price(database: Database, admin: Member, tmp_path: Path) -> None:
    """A job that ran for long costs more by the very same price."""
    used = ReportedUse(Decimal(5_000), UseUnit.GPU_SECONDS)
    with vendors.further_models(tmp_path, vendors.model_of_demo("own", prices=PRICE, costs=OWN_GPU)):
        for _clip in range(3):
            deliver(database, create_generation(database, admin, model_id="own"), done(use=used))
        with database.read_session() as session:
            assert attention.waiting(session).old_prices == ()
            assert session.scalars(select(CostDrift)).all() == []


@pytest.mark.both_databases
def test_rate_of_a_moment(database: Database, admin: Member) -> None:
    """The newest that had begun counts; one to come does not yet, and is replaced by another for the same moment."""
    begins = utc_now() + timedelta(days=3)
    now = set_rate(database, admin, 16_800)
    set_rate(database, admin, 17_000, begins)
    set_rate(database, admin, 17_100, begins)
    assert now.since is not None

    with database.read_session() as session:
        moments = (now.since - timedelta(seconds=1), now.since, begins - timedelta(seconds=1), begins)
        assert [exchange_rates.at(session, moment) for moment in moments] == [16_500, 16_800, 16_800, 17_100]
        assert exchange_rates.rates(session, admin) == [Rate(begins, 17_100), now, Rate(None, 16_500)]
        rows = session.scalars(select(AuditLogEntry).where(AuditLogEntry.action == "exchange_rate.set")).all()
    assert [(row.before, (row.after or {})["idr_per_usd"], row.actor) for row in rows] == [
        ({"idr_per_usd": 16_500}, 16_800, admin.email),
        ({"idr_per_usd": 16_800}, 17_000, admin.email),
        ({"idr_per_usd": 17_000}, 17_100, admin.email),
    ]


@pytest.mark.parametrize(
    ("idr_per_usd", "days", "field"), [(999, 1, "idrPerUsd"), (1_000_001, 1, "idrPerUsd"), (16_500, -1, "since")]
)
def test_rate_that_cannot_be(database: Database, admin: Member, idr_per_usd: int, days: int, field: str) -> None:
    """A slip of the finger and a moment that is past are refused by field, and nothing is written."""
    with pytest.raises(errors.InvalidRequest) as refused:
        set_rate(database, admin, idr_per_usd, utc_now() + timedelta(days=days))
    assert list(refused.value.fields) == [field]
    with database.read_session() as session:
        assert exchange_rates.rates(session, admin) == [Rate(None, 16_500)]


def test_rate_of_others(database: Database, person: Member) -> None:
    """Who runs nothing sets no rate, and sees none."""
    with pytest.raises(errors.Forbidden):
        set_rate(database, person, 16_800)
    with pytest.raises(errors.Forbidden), database.read_session() as session:
        exchange_rates.rates(session, person)


@given(st.decimals(0, 100, places=6), st.integers(1_000, 1_000_000), st.booleans(), st.booleans())
def test_what_is_counted_is_estimate_and_report_apart(
    reported: Decimal, rate: int, is_told: bool, delivered: bool
) -> None:
    """For any cost and dollar: a report replaces its estimate whole, and what is wasted is what it cost."""
    row = Generation(estimated_cost_microusd=480_000, idr_per_usd=rate, status=Status.PROCESSING)
    told = {"provider_cost": reported, "provider_cost_currency": "USD", "provider_cost_is_estimate": False}

    found = spending.counted(row, told if is_told else spending.estimated(row), made=True, delivered=delivered)

    estimate_idr = (480_000 * rate + 500_000) // 1_000_000
    reported_idr = (int(reported * 1_000_000) * rate + 500_000) // 1_000_000 if is_told else 0
    assert found["estimated_cost_idr"] == estimate_idr
    assert found.get("reported_cost_idr", 0) == reported_idr
    assert found.get("estimate_replaced_idr", 0) == (estimate_idr if is_told else 0)
    cost_idr = reported_idr + estimate_idr - found.get("estimate_replaced_idr", 0)
    assert found.get("wasted_cost_idr", 0) == (0 if delivered else cost_idr)
