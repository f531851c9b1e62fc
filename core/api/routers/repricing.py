"""What a period would have come to with another model or price, over REST."""

from dataclasses import asdict
from typing import Annotated

from fastapi import Depends, Query
from pydantic import Field

from core import db
from core.api.http import routing
from core.api.http.auth import CurrentUser
from core.api.routers.usage import SelectionQuery, reaches_far_enough, selection
from core.api.schemas import requests, responses
from core.catalog import price_list
from core.usage import reports, repricing

router = routing.router("usage", dependencies=[Depends(reaches_far_enough)])


class WhatIfQuery(SelectionQuery):
    """Which charged clips, and what to put in place; base price and markup are the list's where they are not given."""

    with_model_id: requests.Word
    base_credits: Annotated[int, Field(ge=1, le=10**9)] | None = None
    markup_percent: Annotated[int, Field(ge=100, le=10_000)] | None = None


class Sum(responses.ApiModel):
    """Clips with price, cost and margin; the cost is an estimate but for what was reported."""

    clips: int
    credits: int
    cost_idr: int
    margin_idr: int


class Impossible(responses.ApiModel):
    """Clips that the other model could not have made, and why."""

    reason: str
    clips: int
    credits: int


class WhatIf(responses.ApiModel):
    """The same clips as charged and as they would have been; `ofClips` is how many were charged in all."""

    was: Sum
    would_be: Sum
    impossible: list[Impossible]
    clips: int
    of_clips: int


class WhatIfAnswer(responses.Response):
    """What it would have come to."""

    what_if: WhatIf


@router.get("/usage/what-if")
def get_what_if(person: CurrentUser, query: Annotated[WhatIfQuery, Query()]) -> WhatIfAnswer:
    """The charged clips of the period, newest first up to a bound a model, priced as if another model had made them."""
    chosen = selection(query)
    listed = price_list.price(query.with_model_id)
    change = repricing.Scenario(
        query.with_model_id,
        base_credits=query.base_credits or listed.base_credits,
        markup_percent=query.markup_percent or listed.markup_percent,
    )
    with db.read_session() as session:
        of_clips = reports.total(session, person, chosen).completed
        kinds = repricing.clip_groups(session, person, chosen)
    found = repricing.reprice(kinds, change)
    return WhatIfAnswer(
        what_if=WhatIf(
            was=_sum(found.was),
            would_be=_sum(found.would_be),
            impossible=[
                Impossible(reason=str(reason), clips=some.clips, credits=some.credits)
                for reason, some in found.impossible.items()
            ],
            clips=sum(kind.clips for kind in kinds),
            of_clips=of_clips,
        )
    )


def _sum(found: repricing.GroupTotal) -> Sum:
    return Sum(**asdict(found), margin_idr=found.margin_idr)
