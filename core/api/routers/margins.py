"""What is left of each model's price after the vendor's, and the dollar that it is counted at, over REST."""

from fractions import Fraction
from typing import Annotated

from pydantic import Field
from starlette.responses import Response

from core import db
from core.api.http import routing
from core.api.http.auth import CurrentMember
from core.api.openapi.answers import refuses
from core.api.schemas import fields, requests, responses
from core.billing.margins import ModelMargins
from core.catalog.records import Sure
from core.usage import exchange_rates, model_margins

router = routing.router("usage")

Markup = Annotated[float | None, Field(examples=[2.77])]
"""Price over cost; null where nothing is known to cost anything."""


class ModelMargin(responses.ApiModel):
    """A model's base price beside what the vendor takes for that clip, and the markups of all that it makes.

    Prices are meant to be 2.5 to 3 times the cost: `isUnusual` says that something is not, `lossMakingClips` counts
    settings that are sold for less than they cost. `costSource` says where the vendor's price is from.
    """

    model_id: fields.ModelId
    price_idr: int
    cost_idr: Annotated[int | None, Field(examples=[5775])]
    markup: Markup
    lowest_markup: Markup
    highest_markup: Markup
    is_unusual: bool
    loss_making_clips: int
    cost_is_unknown: bool
    cost_since: fields.MomentOrNull
    cost_source: fields.TextOrNull
    cost_sure: Annotated[Sure | None, Field(examples=["vendor"])]

    @classmethod
    def of(cls, found: ModelMargins) -> "ModelMargin":
        """The shape of a model's margins."""
        plain, markups = found.plain, found.markups
        estimate = plain.estimate
        return cls(
            model_id=found.entry.model.id,
            price_idr=plain.price_idr,
            cost_idr=plain.cost_idr if estimate else None,
            markup=_rounded(plain.markup),
            lowest_markup=_rounded(markups[0] if markups else None),
            highest_markup=_rounded(markups[-1] if markups else None),
            is_unusual=found.is_unusual,
            loss_making_clips=len(found.losses),
            cost_is_unknown=found.is_unknown,
            cost_since=estimate.since if estimate else None,
            cost_source=estimate.source if estimate else None,
            cost_sure=estimate.sure if estimate else None,
        )


class MarginsAnswer(responses.Response):
    """The margins of all models that can be ordered, at today's dollar."""

    margins: list[ModelMargin]


class RateShape(responses.ApiModel):
    """What a dollar is taken for from a moment on; `since` is null for the rate that there always was."""

    since: fields.MomentOrNull
    idr_per_usd: Annotated[int, Field(examples=[16_500])]


class RatesAnswer(responses.Response):
    """All rates, the latest first; some may be to come."""

    rates: list[RateShape]


class RateAnswer(responses.Response):
    """A rate was set."""

    rate: RateShape


class NewRate(requests.Body):
    """A rate to begin at once, or at `since`, which is not in the past."""

    idr_per_usd: Annotated[int, Field(examples=[16_800])]
    since: Annotated[requests.Moment, Field(strict=False)] | None = None


@router.get("/usage/margins", responses=refuses(403))
def list_margins(member: CurrentMember) -> MarginsAnswer:
    """Get what is left of each model's price after the vendor's, for analysts and administrators."""
    with db.read_session() as session:
        found = model_margins.of_today(session, member)
    return MarginsAnswer(margins=[ModelMargin.of(each) for each in found])


@router.get("/exchange-rates", responses=refuses(403))
def list_exchange_rates(member: CurrentMember) -> RatesAnswer:
    """List what a dollar has been taken for and will be, for analysts and administrators."""
    with db.read_session() as session:
        return RatesAnswer(rates=[RateShape(**rate._asdict()) for rate in exchange_rates.rates(session, member)])


@router.post("/exchange-rates", status_code=201, response_model=RateAnswer, responses=refuses(403))
def set_exchange_rate(member: CurrentMember, body: NewRate) -> Response:
    """Set what a dollar is taken for from now on or from a moment to come, for administrators.

    Orders keep the rate of their own moment: nothing that was counted changes. A rate that was to begin at the very
    same moment is replaced, so that the same call with `since` may be sent again.
    """
    with db.write_session() as session:
        rate = exchange_rates.set_rate(session, member, idr_per_usd=body.idr_per_usd, since=body.since)
    return routing.written(RateAnswer(rate=RateShape(**rate._asdict())), status=201)


def _rounded(markup: Fraction | None) -> float | None:
    return None if markup is None else round(float(markup), 2)
