"""A vendor's own call finds a lost order, and saves a clip that the vendor has forgotten before it was looked at."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from core import db, errors
from core.billing import ledger
from core.clock import utc_now
from core.db.enums import Stage, Status
from core.db.tables import Generation, UsageDay
from core.generations import reconciliation
from core.installation import Installation
from core.providers.contract import JobState, JobStatus, ReportedCost
from core.providers.vendor_calls import JobNotice
from core.worker import poll_results
from core.workspaces.access import Member
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
    rewrite,
)
from tests.factories.users import create_member

CLIP = "https://cdn.example/clips/a.mp4"


@pytest.fixture
def person(installation: Installation) -> Member:
    """Somebody with 10,000 credits in the installation."""
    return create_member(db.default())


def _waiting(person: Member, **ordered: Any) -> Generation:
    row = create_generation(db.default(), person, **ordered)
    later = utc_now() + timedelta(hours=1)
    return advance(db.default(), row.id, DISPATCHED, SUBMITTING, WAITING, next_at=later, provider_job_id="j-1")


def _take(row: Generation, notice: JobNotice | None) -> Generation:
    with db.write_session() as session:
        reconciliation.take_notice(session, row.id, notice, poll_seconds=1)
    return load_generation(row.id)


def _look(row: Generation, status: JobStatus) -> Generation:
    poll_results.record([poll_results.PollResult(load_flight(row.id), status)], poll_seconds=1, words_logged=set())
    return load_generation(row.id)


def test_notice_names_the_job_of_a_lost_order(person: Member) -> None:
    """Only the vendor knows the address, so the job it names is ours: the wait goes on."""
    row = create_generation(db.default(), person)
    lose_submit(db.default(), row.id)
    row = _take(row, JobNotice("j-1"))
    assert (row.status, row.stage, row.provider_job_id) == (Status.PROCESSING, Stage.WAITING, "j-1")


def test_notice_names_the_job_of_another(person: Member) -> None:
    """A job that is somebody else's stays so, and the order stays unclear."""
    _waiting(person)
    row = create_generation(db.default(), person)
    lose_submit(db.default(), row.id)
    assert _take(row, JobNotice("j-1")).status is Status.UNCERTAIN


@pytest.mark.parametrize("error", [errors.JobLost(), errors.ExpiredAtProvider()])
def test_link_of_a_notice_saves_a_forgotten_clip(person: Member, error: errors.ProviderError) -> None:
    """The look finds nothing any more; the clip is fetched by the link that was told before."""
    row = _take(_waiting(person), JobNotice("j-1", CLIP))
    assert row.stage is Stage.WAITING
    assert load_flight(row.id).next_at <= utc_now()
    row = _look(row, JobStatus(JobState.FAILED, error=error))
    assert (row.status, row.stage, row.provider_video_url) == (Status.PROCESSING, Stage.READY_TO_DOWNLOAD, CLIP)


@pytest.mark.parametrize("notice", [None, JobNotice("j-2", CLIP), JobNotice("j-1")])
def test_notice_without_a_link_of_this_job_only_hurries(person: Member, notice: JobNotice | None) -> None:
    """Whatever else a call says, the provider is asked, and its answer counts."""
    row = _take(_waiting(person), notice)
    assert (row.provider_job_id, row.provider_video_url) == ("j-1", None)
    assert load_flight(row.id).next_at <= utc_now()
    assert _look(row, JobStatus(JobState.FAILED, error=errors.JobLost())).status is Status.FAILED


def test_notice_of_one_that_has_ended(person: Member) -> None:
    """A late call changes nothing."""
    done = create_completed(db.default(), person)
    after = _take(done, JobNotice("j-9", CLIP))
    assert (after.status, after.provider_video_url, after.version) == (
        done.status,
        done.provider_video_url,
        done.version,
    )


def test_costs_of_jobs_without_a_clip(person: Member) -> None:
    """What a vendor reports for a job without a clip is counted, one thrown away is estimated; the credits are back."""
    cost = ReportedCost(Decimal("0.25"), "USD")
    failed = _look(_waiting(person), JobStatus(JobState.FAILED, error=errors.GenerationFailed(), cost=cost))
    stopped_row = _waiting(person)
    with db.write_session() as session:
        rewrite(session, Generation.id == failed.id, provider_job_id="j-0")
    stopped = _look(stopped_row, JobStatus(JobState.CANCELLED, cost=cost))
    dear = _waiting(person, model_id="kling-2.5", duration_seconds=5)
    thrown_away = _look(dear, JobStatus(JobState.FAILED, error=errors.ExpiredAtProvider()))

    assert (failed.provider_cost, failed.provider_cost_is_estimate) == (Decimal("0.25"), False)
    assert (stopped.status, stopped.provider_cost_currency) == (Status.CANCELLED, "USD")
    assert (thrown_away.error_code, thrown_away.provider_cost_is_estimate) == ("expired_at_provider", True)
    with db.read_session() as session:
        days = session.scalars(select(UsageDay)).all()
        assert ledger.balance(session, person.workspace_id) == ledger.Balance(10_000, 0)
    assert sum(day.reported_cost_microusd for day in days) == 500_000
    assert (thrown_away.provider_cost, thrown_away.provider_cost_currency) == (Decimal("0.35"), "USD")
    assert sum(day.estimated_cost_idr for day in days) == 5_775  # $0.35 at Rp 16,500
    assert sum(day.wasted_cost_idr for day in days) == 5_775 + 2 * 4_125
