"""MiniMax's stand-in in what only MiniMax does: a list without prompts, a stop while queued, counted seconds."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from core import errors
from core.providers.contract import JobMatches, JobState, MediaKind, ReferenceMedia, ReportedCost
from tests.simulators import running
from tests.simulators.test_stand_ins import IMAGE, call, finished, order, submits

pytestmark = pytest.mark.process


def found(base_url: str, kind: str, **changed: Any) -> JobMatches:
    """What a search for a lost order finds."""
    now = datetime.now(UTC)
    wanted = order("minimax", kind, **changed)
    matches: JobMatches = call(
        "minimax", base_url, "find_submitted_job", wanted, since=now - timedelta(minutes=1), until=now
    )
    return matches


def test_a_lost_order_is_looked_for() -> None:
    """A list of other settings proves that there is none; a task of the same is one that may be it, never surely."""
    with running("minimax") as base_url:
        assert found(base_url, "502html") == JobMatches()
        call("minimax", base_url, "generate_video", order("minimax", "ok", duration_seconds=6))
        with pytest.raises(errors.SubmitUncertain):
            call("minimax", base_url, "generate_video", order("minimax", "502html"))
        matches = found(base_url, "502html")
        lost = submits(base_url)[-1]["job_id"]
        other = found(base_url, "502html", duration_seconds=7)
    assert ([job.id for job in matches.candidates], matches.exact, matches.complete) == ([lost], (), True)
    assert other == JobMatches()


def test_a_stop_takes_hold_in_the_queue_alone() -> None:
    """One that runs goes on; one that is done keeps its record, which a stop would delete."""
    with running("minimax", seconds=0.5) as base_url:
        queued = call("minimax", base_url, "generate_video", order("minimax", "slow"))
        assert call("minimax", base_url, "cancel", queued.id).state is JobState.CANCELLED
        assert finished("minimax", base_url, queued.id).state is JobState.CANCELLED
        runs = call("minimax", base_url, "generate_video", order("minimax", "never"))
        assert call("minimax", base_url, "cancel", runs.id).state is JobState.RUNNING
        done = call("minimax", base_url, "generate_video", order("minimax", "ok"))
        finished("minimax", base_url, done.id)
        assert call("minimax", base_url, "cancel", done.id).state is JobState.SUCCEEDED
        assert finished("minimax", base_url, done.id).state is JobState.SUCCEEDED


def test_a_refusal_with_status_200_is_one() -> None:
    """Its own words for an empty account, and no task: the order is refused and not uncertain."""
    with running("minimax") as base_url:
        with pytest.raises(errors.ProviderOutOfCredits):
            call("minimax", base_url, "generate_video", order("minimax", "200error"))
        assert [each["job_id"] for each in submits(base_url)] == [None]


@pytest.mark.parametrize(
    ("kind", "images", "cost"),
    [
        ("ok", 0, "0.4"),
        ("costtext", 0, "0.4"),
        ("ok", 5, "0.4"),
        ("ok", 7, "0.48"),
        ("fail", 0, "0"),
        ("costnull", 0, None),
        ("costnumber", 0, None),
    ],
)
def test_what_a_task_has_cost(kind: str, images: int, cost: str | None) -> None:
    """Seconds at the rate of the size and images beyond the free ones; a failed task nothing; else no figure."""
    references = tuple(ReferenceMedia(MediaKind.IMAGE, "", IMAGE) for _ in range(images))
    with running("minimax", seconds=0.05) as base_url:
        wanted = order("minimax", kind, references=references)
        job = call("minimax", base_url, "generate_video", wanted)
        reported = finished("minimax", base_url, job.id).cost
    assert reported == (ReportedCost(Decimal(cost), "USD") if cost else None)
