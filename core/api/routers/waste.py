"""What was in vain, over REST: failed, cancelled, rejected or never opened, by why and whose; ordering some again."""

from datetime import date
from typing import Annotated, Any

from fastapi import Depends, Query
from pydantic import Field
from starlette.responses import Response

from core import db
from core.api.http import idempotency, routing
from core.api.http.attachments import attachment
from core.api.http.auth import CurrentMember
from core.api.http.idempotency import IdempotencyKey
from core.api.http.installed import CurrentInstallation
from core.api.openapi.answers import refuses, sends_sheet
from core.api.routers import generations
from core.api.routers.usage import SelectionQuery, UsageFormat, note_export, reaches_far_enough, selection
from core.api.schemas import fields, requests, responses
from core.generations import order_again
from core.usage import waste, waste_file
from core.usage.spreadsheet import Separator, SpreadsheetFormat
from core.usage.waste import Outcome, Waste, WasteGroup
from core.workspaces.permissions import Action

router = routing.router("usage", dependencies=[Depends(reaches_far_enough)])
retrying = routing.router("generations")


class WasteQuery(SelectionQuery):
    """Which days (of the end, UTC), and what the figures are added up by; `groupBy` may be given more than once.

    `separator` is what stands between the cells of a CSV; with `semicolon` decimals have a comma.
    """

    group_by: list[WasteGroup] = Field(default_factory=lambda: [WasteGroup.REASON])
    format: UsageFormat = UsageFormat.JSON
    separator: Separator = Separator.COMMA


class WasteFigures(responses.ApiModel):
    """Sums. `lostSeconds` run from the order of what failed to its end.

    `rejectedCredits` were charged for clips that people rejected, `unopenedCredits` for those that nobody has opened
    seven days after the day of their delivery or since; clips of before that was noted are not among them. For
    analysts and administrators, `paidIdr` is what providers are known to have taken for what gave no clip, and
    `atRiskIdr` the estimate for what they had accepted and of which nobody knows whether they took it.
    """

    failed: int
    cancelled: int
    returned_credits: int
    lost_seconds: int
    rejected: int
    rejected_credits: int
    rejected_idr: int
    unopened: int
    unopened_credits: int
    unopened_idr: int
    paid_idr: int | None = None
    at_risk_idr: int | None = None


class WasteRowShape(WasteFigures):
    """The sums of one group; only what was grouped by is there.

    `reason` is the code of the error of what failed, or why a clip was rejected; empty where nobody said. A week is its
    Monday.
    """

    outcome: Outcome | None = None
    reason: str | None = None
    provider: fields.ProviderName | None = None
    model_id: fields.ModelId | None = None
    user_id: str | None = None
    user_name: str | None = None
    week: date | None = None


class WasteAnswer(responses.Response):
    """What was in vain between two days, both included."""

    since: date
    until: date
    rows: list[WasteRowShape]
    totals: WasteFigures


class Refused(responses.ApiModel):
    """Why some cannot be ordered again, and how many."""

    reason: str
    clips: int


class RetryableAnswer(responses.Response):
    """What can be ordered again with one call, newest first, at `total` credits; `more` would follow after it."""

    generation_ids: list[fields.Id]
    total: fields.Credits
    more: int
    refused: list[Refused]


class RetryBatchBody(requests.Body):
    """Failed generations to order again.

    With `expectedCredits`, the price of all that you were shown, nothing is ordered at another one (`price_changed`).
    """

    generation_ids: Annotated[
        list[Annotated[str, Field(pattern=requests.ID_PATTERN)]], Field(min_length=1, max_length=order_again.MOST)
    ]
    expected_credits: requests.ExpectedCredits = None


class RetryBatchAnswer(responses.Response):
    """The new generations in the order of the request."""

    total: fields.Credits
    generations: list[generations.Ordered]
    message: Annotated[str, Field(examples=["3,250 credits are reserved."])]


@router.get(
    "/usage/waste",
    response_model=WasteAnswer,
    response_model_exclude_unset=True,
    responses=refuses(403, 404) | sends_sheet(),
)
def get_waste(member: CurrentMember, query: Annotated[WasteQuery, Query()]) -> WasteAnswer | Response:
    """Get what failed, was cancelled, rejected or never opened: by reason, or by `groupBy`; JSON, CSV or XLSX."""
    selected, groups = selection(query), list(dict.fromkeys(query.group_by)) or [WasteGroup.REASON]
    sees_costs = member.may(Action.SEE_ALL_USAGE)
    with db.read_session() as session:
        rows = waste.rows(session, member, selected, groups)
    if query.format is not UsageFormat.JSON:
        form = SpreadsheetFormat(query.format)
        name = note_export(member, selected, "waste", form)
        pieces = waste_file.waste(rows, groups, form, query.separator, sees_costs=sees_costs)
        return attachment(pieces, name=name, media_type=form.media_type)
    return WasteAnswer(
        success=True,
        since=selected.since,
        until=selected.until,
        rows=[
            WasteRowShape.model_validate({**row.keys, **_figures(row.figures, sees_costs=sees_costs)}) for row in rows
        ],
        totals=WasteFigures(**_figures(waste.add_up(rows), sees_costs=sees_costs)),
    )


@retrying.get("/retry-batch", responses=refuses(403, 404))
def list_retryable(
    member: CurrentMember, installation: CurrentInstallation, query: Annotated[SelectionQuery, Query()]
) -> RetryableAnswer:
    """List what failed for the provider's fault and was not ordered again, with the price of ordering it now."""
    with db.read_session() as session:
        found = order_again.retryable(session, member, selection(query), configured=installation.configured)
    return RetryableAnswer(
        generation_ids=list(found.ids),
        total=found.credits,
        more=found.more,
        refused=[Refused(reason=str(reason), clips=clips) for reason, clips in found.refused.items()],
    )


@retrying.post(
    "/retry-batch",
    status_code=202,
    response_model=RetryBatchAnswer,
    responses=refuses(402, 404, 409) | idempotency.says_so(202, {}),
)
def retry_batch(
    member: CurrentMember,
    installation: CurrentInstallation,
    body: RetryBatchBody,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Order several failed or cancelled generations again, at today's price: all of them or none."""
    with db.write_session() as session:
        rows = order_again.retry_all(
            session,
            member,
            body.generation_ids,
            configured=installation.configured,
            quota_bytes=installation.settings.storage_quota_bytes,
            key=idempotency_key,
            shown_credits=body.expected_credits,
        )
        ordered = generations.Ordered.of(session, rows)
    total = sum(row.credits for row in rows)
    answer = RetryBatchAnswer(
        total=total,
        generations=ordered,
        message=f"{total:,} credits are reserved. Ask /generations/<id>/status how each of them goes.",
    )
    return routing.written(answer, status=202, headers=idempotency.headers(replayed=all(row.replayed for row in rows)))


def _figures(found: Waste, *, sees_costs: bool) -> dict[str, Any]:
    names = [name for name in WasteFigures.model_fields if sees_costs or name not in waste_file.COSTS]
    return {name: getattr(found, name) for name in names}
