"""What a period would have come to with another model or price, over REST."""

from dataclasses import asdict
from typing import Annotated

from fastapi import Depends, Query
from pydantic import Field

from core import db
from core.api.http import routing
from core.api.http.auth import CurrentMember
from core.api.openapi.answers import refuses
from core.api.routers.usage import SelectionQuery, reaches_far_enough, selection
from core.api.schemas import requests, responses
from core.usage import exchange_rates, reports, repricing

router = routing.router("usage", dependencies=[Depends(reaches_far_enough)])


class WhatIfQuery(SelectionQuery):
    """Which charged clips, and what to put in place; what is not given is as it is.

    `vendorPricePercent` is what vendors would take of what they take, `idrPerUsd` another dollar. With `markupPercent`
    what no vendor has reported is that share of the list price.
    """

    with_model_id: requests.Word
    base_credits: Annotated[int, Field(ge=1, le=10**9)] | None = None
    markup_percent: Annotated[int, Field(ge=100, le=10_000)] | None = None
    vendor_price_percent: Annotated[int, Field(ge=1, le=10_000)] = 100
    idr_per_usd: (
        Annotated[int, Field(ge=exchange_rates.LEAST_IDR_PER_USD, le=exchange_rates.MOST_IDR_PER_USD)] | None
    ) = None


class Sum(responses.ApiModel):
    """Clips with price, cost and margin; the cost is an estimate but for what was reported.

    Of `costUnknownClips` nobody knows what they cost: they are in no cost.
    """

    clips: int
    credits: int
    cost_idr: int
    margin_idr: int
    cost_unknown_clips: int


class Impossible(responses.ApiModel):
    """Clips that the other model could not have made, and why."""

    reason: str
    clips: int
    credits: int


class WhatIf(responses.ApiModel):
    """The same clips as charged and as they would have been charged; `ofClips` is how many were charged in all."""

    was: Sum
    would_be: Sum
    impossible: list[Impossible]
    clips: int
    of_clips: int


class WhatIfAnswer(responses.Response):
    """The comparison."""

    what_if: WhatIf


@router.get("/usage/what-if", responses=refuses(403, 404))
def get_what_if(member: CurrentMember, query: Annotated[WhatIfQuery, Query()]) -> WhatIfAnswer:
    """Compare what the clips of a period cost with what they would have cost with another model or price.

    Of each model the newest charged clips are counted, up to a bound: `clips` of `ofClips`.
    """
    selected = selection(query)
    scenario = repricing.Scenario(
        query.with_model_id,
        base_credits=query.base_credits,
        markup_percent=query.markup_percent,
        vendor_percent=query.vendor_price_percent,
        idr_per_usd=query.idr_per_usd,
    )
    with db.read_session() as session:
        of_clips = reports.total(session, member, selected).completed
        groups = repricing.clip_groups(session, member, selected)
    result = repricing.reprice(groups, scenario)
    return WhatIfAnswer(
        what_if=WhatIf(
            was=_sum(result.was),
            would_be=_sum(result.would_be),
            impossible=[
                Impossible(reason=str(reason), clips=group.clips, credits=group.credits)
                for reason, group in result.impossible.items()
            ],
            clips=sum(group.clips for group in groups),
            of_clips=of_clips,
        )
    )


def _sum(result: repricing.GroupTotal) -> Sum:
    return Sum(**asdict(result), margin_idr=result.margin_idr)
