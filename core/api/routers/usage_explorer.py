"""The usage explorer over REST: figures by one or two dimensions, as JSON or as a file for a spreadsheet."""

from datetime import date
from typing import Annotated, Literal, Self

from fastapi import Depends, Header, Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from core import audit_log, db
from core.api.http import auth, routing
from core.api.http.auth import CurrentMember
from core.api.openapi.answers import refuses, sends_sheet
from core.api.routers.usage import UsageFormat
from core.api.schemas import requests, responses
from core.clock import utc_now
from core.db.enums import Scope
from core.files.disposition import content_disposition
from core.usage import exploration, explorer, explorer_file
from core.usage.dimensions import Dimension, Interval, Value
from core.usage.exploration import ExploreQuery, Measure
from core.usage.spreadsheet import Separator, SpreadsheetFormat
from core.usage.views import DEFAULT_BY, View, Whose


async def reaches_far_enough(request: Request) -> None:
    """Everybody's figures need a token of scope admin, and an analyst or administrator, which the service looks at."""
    if request.query_params.get("workspaces") == Whose.ALL:
        auth.check_scope(request.state.caller.scope, Scope.ADMIN)


router = routing.router("usage", dependencies=[Depends(reaches_far_enough)])


class ExplorerQuery(requests.Query):
    """Which days, by what, and what it is about.

    `period` is `month`, `last-month`, `quarter`, `last-quarter`, a month such as `2026-10`, a quarter such as
    `2026-Q3`, or a number of days up to today; `since` and `until` (both included) stand in its place. Days are UTC.
    `by` is given once or twice. `over` adds the steps of time. `compare=false` leaves the time before out.
    `separator` is what stands between the cells of a CSV; with `semicolon` decimals have a comma.
    """

    period: requests.Word | None = None
    since: requests.Day | None = None
    until: requests.Day | None = None
    by: list[Dimension] = Field(default_factory=lambda: list(DEFAULT_BY))
    over: Interval | None = None
    measure: Measure = Measure.SPENT
    workspaces: Whose = Whose.PRESENT
    project_id: requests.Word | None = None
    provider: requests.Word | None = None
    model_id: requests.Word | None = None
    user_id: requests.Word | None = None
    compare: bool = True
    format: UsageFormat | None = None
    separator: Separator = Separator.COMMA

    def question(self) -> ExploreQuery:
        """As the service takes it; InvalidRequest for days that cannot be."""
        return self.view().question(utc_now().date(), compare=self.compare)

    def view(self) -> View:
        """As it can be kept."""
        return View(
            period=self.period,
            since=self.since,
            until=self.until,
            by=tuple(self.by),
            over=self.over,
            measure=self.measure,
            whose=self.workspaces,
            project_id=self.project_id,
            provider=self.provider,
            model_id=self.model_id,
            user_id=self.user_id,
        )


class ExploredAmounts(responses.ApiModel):
    """Figures of clips that ended; `clips` are all of them. Dollars are at the rate that each day began with."""

    spent_credits: int
    spent_idr: int
    spent_microusd: int
    returned_credits: int
    clips: int
    completed: int
    failed: int
    cancelled: int
    video_seconds: int

    @classmethod
    def of(cls, amounts: exploration.Amounts) -> Self:
        """The shape of figures."""
        return cls(**{name: getattr(amounts, name) for name in cls.model_fields})


class ExploredValue(responses.ApiModel):
    """A value of a dimension, and its name, which is the same in every period; an empty key is "none"."""

    key: str
    name: str


class ExploredRow(responses.ApiModel):
    """The figures of one combination; `share` is its part of the measure's total, from 0 to 1."""

    values: list[ExploredValue]
    amounts: ExploredAmounts
    share: float | None
    before: ExploredAmounts | None

    @classmethod
    def of(cls, row: exploration.Row) -> Self:
        """The shape of a row."""
        return cls(
            values=_values(row.values),
            amounts=ExploredAmounts.of(row.amounts),
            share=row.share,
            before=None if row.previous is None else ExploredAmounts.of(row.previous),
        )


class ExploredStep(responses.ApiModel):
    """The figures of one combination in a day, in the week of a Monday, or in a month such as `2026-11`."""

    at: str
    values: list[ExploredValue]
    amounts: ExploredAmounts


class Explored(responses.ApiModel):
    """The answer; rows with most of the measure first.

    `addsUp` is false by tag, of which a clip may have several: `totals` count each clip once all the same.
    """

    since: date
    until: date
    timezone: Literal["UTC"] = "UTC"
    compared_since: date | None
    compared_until: date | None
    by: list[Dimension]
    measure: Measure
    rows: list[ExploredRow]
    steps: list[ExploredStep]
    totals: ExploredAmounts
    totals_before: ExploredAmounts | None
    adds_up: bool


class ExploredAnswer(responses.Response):
    """What the explorer found."""

    explored: Explored


@router.get(
    "/usage/explore",
    response_model=ExploredAnswer,
    responses=refuses(403, 404) | sends_sheet(),
)
def explore_usage(
    member: CurrentMember, query: Annotated[ExplorerQuery, Query()], accept: Annotated[str | None, Header()] = None
) -> ExploredAnswer | Response:
    """Explore usage by one or two dimensions; JSON, or CSV where `format` or the header `Accept` asks for it."""
    asked = query.question()
    form = query.format or (UsageFormat.CSV if (accept or "").startswith("text/csv") else UsageFormat.JSON)
    with db.read_session() as session:
        found = explorer.explore(session, member, asked)
    if form is UsageFormat.JSON:
        return ExploredAnswer(explored=_explored(found))
    kind = SpreadsheetFormat(form)
    workspace_id = None if asked.is_wide else member.workspace_id
    audit_log.record_export(member.user, what="usage", workspace_id=workspace_id, format=kind)
    headers = {"Content-Disposition": content_disposition(explorer_file.name(found, kind))}
    data = b"".join(explorer_file.write(found, kind, query.separator))
    return Response(data, media_type=kind.media_type, headers=headers)


def _explored(found: exploration.Exploration) -> Explored:
    asked, before = found.asked, found.previous_totals
    return Explored(
        timezone="UTC",
        since=asked.selection.since,
        until=asked.selection.until,
        compared_since=asked.compared.since if asked.compared else None,
        compared_until=asked.compared.until if asked.compared else None,
        by=list(asked.by),
        measure=asked.measure,
        rows=[ExploredRow.of(row) for row in found.rows],
        steps=[
            ExploredStep(at=step.at, values=_values(step.values), amounts=ExploredAmounts.of(step.amounts))
            for step in found.steps
        ],
        totals=ExploredAmounts.of(found.totals),
        totals_before=None if before is None else ExploredAmounts.of(before),
        adds_up=found.adds_up,
    )


def _values(values: tuple[Value, ...]) -> list[ExploredValue]:
    return [ExploredValue(key=value.key, name=value.name) for value in values]
