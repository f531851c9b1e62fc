"""What was spent, over REST, as JSON or as CSV for a spreadsheet."""

from dataclasses import asdict
from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from core import db, errors, pricing, projects, usage, usage_csv
from core.api import answers, ranges, schemas
from core.api.auth import Person
from core.models import utc_now

router = APIRouter(tags=["usage"])

LONGEST_DAYS = 731
DEFAULT_DAYS = 30


class Figures(answers.Part):
    """Counts and sums of ended generations. `estimatedCostIdr` is what the providers probably took."""

    completed: int
    failed: int
    cancelled: int
    settled_credits: int
    released_credits: int
    video_seconds: int
    estimated_cost_idr: int


class UsageRow(Figures):
    """One day of one model."""

    day: date
    provider: str
    model_id: str


class UsageTotals(Figures):
    """The whole period; `successRate` is completed of completed and failed, null before there are any."""

    settled_idr: int
    success_rate: float | None


class Usage(answers.Part):
    """What was spent between two days, both included."""

    since: date
    until: date
    rows: list[UsageRow]
    totals: UsageTotals


class UsageAnswer(answers.Envelope):
    """What was spent."""

    usage: Usage


@router.get("/usage", response_model=UsageAnswer)
def get_usage(person: Person, query: Annotated[schemas.UsageQuery, Query()]) -> UsageAnswer | Response:
    """Usage by day and model, oldest first, with the totals of the period."""
    since, until = _period(query.since, query.until)
    with db.session(read_only=True) as session:
        if query.project_id is not None:
            projects.get(session, person, query.project_id)
        rows = usage.by_day_and_model(session, person, since=since, until=until, project_id=query.project_id)
    totals = usage.totals(rows)
    if query.format is schemas.UsageFormat.CSV:
        name = f"usage-{since.isoformat()}-to-{until.isoformat()}.csv"
        headers = {"Content-Disposition": ranges.content_disposition(name)}
        return Response(usage_csv.write(rows, totals), media_type="text/csv; charset=utf-8", headers=headers)
    return UsageAnswer(
        usage=Usage(
            since=since,
            until=until,
            rows=[UsageRow(**asdict(row)) for row in rows],
            totals=UsageTotals(
                **asdict(totals),
                settled_idr=totals.settled_credits * pricing.IDR_PER_CREDIT,
                success_rate=totals.success_rate,
            ),
        )
    )


def _period(since: date | None, until: date | None) -> tuple[date, date]:
    """First and last day with the defaults filled in; InvalidRequest for one that runs backwards or is too long."""
    until = until or utc_now().date()
    if since is None:
        since = date.fromordinal(max(1, until.toordinal() - DEFAULT_DAYS + 1))
    if since > until:
        raise errors.InvalidRequest(fields={"since": "The first day must not be after the last."})
    if until - since >= timedelta(days=LONGEST_DAYS):
        raise errors.InvalidRequest(fields={"since": f"Ask for {LONGEST_DAYS} days at most."})
    return since, until
