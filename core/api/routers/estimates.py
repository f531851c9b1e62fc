"""Prices over REST: what a request would cost, by the same function that charges it.

Nothing here waits for anything, so it runs on the event loop: a thread would cost more than the answer.
"""

from dataclasses import replace
from typing import Annotated

from pydantic import Field

from core import errors
from core.api.http import routing
from core.api.http.installed import CurrentCatalogue
from core.api.schemas import fields, requests, responses
from core.billing import pricing
from core.catalog import in_force, offered, rules
from core.catalog.catalogue import Catalogue
from core.clock import utc_now
from core.errors import FieldProblem
from core.providers import registry
from core.providers.models import VideoModel

router = routing.router("credits")


class Reason(responses.ApiModel):
    """Why something cannot be made, by which rule of its model, and what the field could be instead.

    `rule` and `allowed` are as in the `problems` of a refusal.
    """

    field: str
    message: str
    rule: str
    allowed: list[str | int]


class Estimate(responses.ApiModel):
    """A price, line by line, in credits and rupiah, and whether the model can make it."""

    total: fields.Credits
    breakdown: fields.Breakdown
    total_idr: Annotated[int, Field(examples=[162_500])]
    model: fields.ModelName
    model_id: fields.ModelId
    provider: fields.ProviderName
    feasible: Annotated[bool, Field(examples=[True])]
    reasons: Annotated[list[Reason], Field(examples=[[]])]


class EstimateAnswer(responses.Response):
    """The price of a request."""

    estimate: Estimate


@router.post("/estimate-credits")
async def estimate_credits(known: CurrentCatalogue, body: requests.EstimateBody) -> EstimateAnswer:
    """Get the price of a generation before ordering it, line by line.

    Settings that the model cannot make are priced as well, and so are models that have ended: then `feasible` is false
    and `reasons` say why.
    """
    with in_force.seen(known):
        return _estimate(known, body)


def _estimate(known: Catalogue, body: requests.EstimateBody) -> EstimateAnswer:
    model = known_model(body.model_id)
    spec = body.spec(duration_seconds=model.default_seconds, aspect_ratio=model.aspect_ratios[0])
    # No ratio has a price, so it is any that goes with the rest.
    possible = (choice.value for choice in rules.choices_of(model, spec, "ratio") if choice.reason is None)
    spec = replace(spec, aspect_ratio=str(next(possible, spec.aspect_ratio)))
    now = utc_now()
    price = pricing.priced(spec, now)
    reasons = rules.first_of_each_field(rules.problems(model, spec, prompt_required=False))
    if ended := offered.refusal(known, known.get(model.id), now):
        reasons.append(FieldProblem("modelId", ended, "life"))
    return EstimateAnswer(
        estimate=Estimate(
            total=price.total_credits,
            breakdown={line.kind: line.credits for line in price.lines},
            total_idr=price.total_idr,
            model=model.name,
            model_id=model.id,
            provider=registry.provider_class(model.provider).display_name,
            feasible=not reasons,
            reasons=[
                Reason(field=each.field, message=str(each.message), rule=each.rule, allowed=list(each.allowed))
                for each in reasons
            ],
        )
    )


def known_model(model_id: str) -> VideoModel:
    """A model by its id in a body; InvalidRequest on `modelId` when there is none."""
    try:
        return in_force.model(model_id)
    except errors.NotFound as unknown:
        raise errors.InvalidRequest(fields={"modelId": unknown.message}) from None
