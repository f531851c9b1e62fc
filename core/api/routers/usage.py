"""What was spent, over REST, by any groups, as JSON or as a file for a spreadsheet."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from enum import StrEnum
from itertools import islice
from typing import Annotated, Any, Literal

from fastapi import Depends, Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from core import audit_log, db, errors
from core.api.http import auth, routing
from core.api.http.attachments import attachment
from core.api.http.auth import CurrentMember
from core.api.openapi.answers import refuses, sends_sheet
from core.api.schemas import fields, requests, responses
from core.clock import utc_now
from core.db.enums import Scope
from core.messages import plain
from core.usage import export, reports
from core.usage.reports import Group
from core.usage.spreadsheet import Separator, SpreadsheetFormat
from core.workspaces.access import Member


async def reaches_far_enough(request: Request) -> None:
    """Everybody's figures need a token of scope admin, and an administrator, which the service looks at."""
    if request.query_params.get("people") == "everybody":
        auth.check_scope(request.state.caller.scope, Scope.ADMIN)


router = routing.router("usage", dependencies=[Depends(reaches_far_enough)])

DEFAULT_DAYS = 30
JSON_ROWS_LIMIT = 20_000


class People(StrEnum):
    """Whose figures: those of the workspace, or, for analysts and administrators, everybody's."""

    ME = "me"
    EVERYBODY = "everybody"


class UsageFormat(StrEnum):
    """How figures are sent."""

    JSON = "json"
    CSV = "csv"
    XLSX = "xlsx"


class SelectionQuery(requests.Query):
    """Which days (UTC, both included; the last 30 by default), and of what.

    `userId` narrows them to what one person has made.
    """

    since: requests.Day | None = None
    until: requests.Day | None = None
    project_id: requests.Word | None = None
    provider: requests.Word | None = None
    model_id: requests.Word | None = None
    people: People = People.ME
    user_id: requests.Word | None = None


class UsageQuery(SelectionQuery):
    """Which figures, and what they are added up by; `groupBy` may be given more than once.

    `separator` is what stands between the cells of a CSV; with `semicolon` decimals have a comma.
    """

    group_by: list[Group] = Field(default_factory=list)
    format: UsageFormat = UsageFormat.JSON
    separator: Separator = Separator.COMMA


class Figures(responses.ApiModel):
    """Counts and sums of ended generations. `estimatedCostIdr` is what the providers probably took, by their prices.

    What follows comes with `groupBy`: `costIdr` is what providers reported, each order at the dollar of its day, and
    for the rest the estimate (`stillEstimatedIdr`; of it `estimateFromPriceIdr` is a share of our own price, from
    before there were providers' prices). `wastedCostIdr` is the part of it that gave no clip, `costUnknownCount` clips
    of which nobody knows what they cost, `adjustedCostIdr` what accepted differences of vendors' statements add;
    `markup` is what was charged over the cost. `keptSeconds` are of clips that people kept.
    """

    completed: int
    failed: int
    cancelled: int
    settled_credits: int
    released_credits: int
    video_seconds: int
    estimated_cost_idr: int
    reported_cost_microusd: int | None = None
    reported_cost_idr: int | None = None
    still_estimated_idr: int | None = None
    cost_idr: int | None = None
    margin_idr: int | None = None
    kept_count: int | None = None
    kept_seconds: int | None = None
    rejected_count: int | None = None
    credits_per_kept_second: float | None = None
    estimate_from_price_idr: int | None = None
    wasted_cost_idr: int | None = None
    cost_unknown_count: int | None = None
    adjusted_cost_idr: int | None = None
    markup: float | None = None


class UsageRow(Figures):
    """The figures of one group; only what was grouped by is there. A week is its Monday, a month `2026-11`.

    People and workspaces have names that are theirs alone; `projectWorkspace` and `projectOwner` tell projects of one
    name apart. What a vendor took for no clip of ours is in the figures of everybody, where these keys are null.
    """

    day: date | None = None
    week: date | None = None
    month: str | None = None
    provider: fields.ProviderName | None = None
    model_id: fields.ModelId | None = None
    project_id: fields.Id | None = None
    project_name: str | None = None
    project_workspace: str | None = None
    project_owner: str | None = None
    user_id: str | None = None
    user_email: str | None = None
    user_name: str | None = None
    workspace_id: str | None = None
    workspace_name: str | None = None


class UsageTotals(Figures):
    """The whole period; `successRate` is completed of completed and failed, null before there are any."""

    settled_idr: int
    success_rate: float | None


class Usage(responses.ApiModel):
    """What was spent between two days, both included; `timezone` is where a day begins and ends."""

    since: date
    until: date
    timezone: Literal["UTC"] = "UTC"
    rows: list[UsageRow]
    totals: UsageTotals


class UsageAnswer(responses.Response):
    """What was spent."""

    usage: Usage


@router.get(
    "/usage",
    response_model=UsageAnswer,
    response_model_exclude_unset=True,
    responses=refuses(403, 404) | sends_sheet(),
)
def get_usage(member: CurrentMember, query: Annotated[UsageQuery, Query()]) -> UsageAnswer | Response:
    """Get usage by day and model, or grouped by what `groupBy` names, with totals; JSON, CSV or XLSX."""
    selected = selection(query)
    groups = query.group_by or None
    if query.format is not UsageFormat.JSON:
        form = SpreadsheetFormat(query.format)
        with db.read_session() as session:
            reports.total(session, member, selected)  # refuse what is refused before the first byte is sent
        name = note_export(member, selected, "usage", form)
        return attachment(_file(member, selected, groups, form, query.separator), name=name, media_type=form.media_type)
    with db.read_session() as session:
        every = reports.aggregate(session, member, selected, groups or export.DEFAULT)
        rows = list(reports.with_names(session, islice(every, JSON_ROWS_LIMIT + 1), groups or ()))
    if len(rows) > JSON_ROWS_LIMIT:
        wrong = plain(f"These are more than {JSON_ROWS_LIMIT} rows. Ask for format=csv, fewer days or fewer groups.")
        raise errors.InvalidRequest(fields={"groupBy": wrong})
    total = reports.add_up(rows)
    totals = _figures(total, full=groups is not None)
    totals |= {"settled_idr": total.settled_idr, "success_rate": total.success_rate}
    return UsageAnswer(
        success=True,
        usage=Usage(
            timezone="UTC",
            since=selected.since,
            until=selected.until,
            rows=[
                UsageRow.model_validate(
                    {**_said(row.keys), **_said(row.beside), **_figures(row.figures, full=groups is not None)}
                )
                for row in rows
            ],
            totals=UsageTotals(**totals),
        ),
    )


def note_export(member: Member, selected: reports.UsageQuery, what: str, form: SpreadsheetFormat) -> str:
    """Write down that figures of a selection leave as a file; what it is called."""
    workspace_id = None if selected.everybody else member.workspace_id
    audit_log.record_export(member.user, what=what, workspace_id=workspace_id, format=form)
    return f"{what}-{selected.since.isoformat()}-to-{selected.until.isoformat()}.{form}"


def _file(
    member: Member,
    selected: reports.UsageQuery,
    groups: Sequence[Group] | None,
    form: SpreadsheetFormat,
    separator: Separator,
) -> Iterator[bytes]:
    """The whole table, read while it is sent."""
    with db.read_session() as session:
        rows = reports.aggregate(session, member, selected, groups or export.DEFAULT)
        yield from export.usage(reports.with_names(session, rows, groups or ()), groups, form, separator)


def _said(keys: Mapping[str, str]) -> dict[str, str | None]:
    """Keys and names, null for one that is not there."""
    return {name: value or None for name, value in keys.items()}


def _figures(figures: reports.UsageTotals, *, full: bool) -> dict[str, Any]:
    names = [name for name in Figures.model_fields if full or Figures.model_fields[name].is_required()]
    return {name: getattr(figures, name) for name in names}


def selection(query: SelectionQuery) -> reports.UsageQuery:
    """What a query asks for, with the default days filled in; InvalidRequest for days that cannot be."""
    since, until = _period(query.since, query.until)
    everybody = query.people is People.EVERYBODY
    return reports.UsageQuery(
        since, until, query.project_id, query.provider, query.model_id, everybody=everybody, user_id=query.user_id
    )


def _period(since: date | None, until: date | None) -> tuple[date, date]:
    """First and last day with the defaults filled in."""
    until = until or utc_now().date()
    if since is None:
        since = date.fromordinal(max(1, until.toordinal() - DEFAULT_DAYS + 1))
    return since, until
