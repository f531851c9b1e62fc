"""What is asked for a clip and what it costs us at a moment: the one place that says which catalogue counts."""

from dataclasses import replace
from datetime import datetime

from core import errors
from core.billing.quote import Quote, quote
from core.catalog import costs, in_force
from core.catalog.catalogue import Catalogue, Entry
from core.catalog.costs import Estimate
from core.catalog.records import Cost, Price
from core.clock import utc_now
from core.messages import message
from core.providers.models import VideoModel
from core.spec import GenerationSpec


def price_of(model_id: str, at: datetime | None = None, known: Catalogue | None = None) -> Price:
    """What is asked for a model at a moment, by default this one; InvalidRequest where nobody has said what.

    Here and below, `known` is the catalogue to look in where it is another one than that of this process.
    """
    entry = _entry(model_id, known)
    price = entry.price(at or utc_now()) if entry else None
    if price is None:  # unpriced is an error, never 0
        raise errors.InvalidRequest(fields={"modelId": message("no_price_of_model", model_id=model_id)})
    return price


def priced(spec: GenerationSpec, at: datetime | None = None, known: Catalogue | None = None) -> Quote:
    """The quote of a spec by the price of a moment; raises as `price_of` and `quote`."""
    price = price_of(spec.model_id, at, known)
    return priced_by(price, spec, (known or in_force.current()).get(spec.model_id).model)


def priced_by(price: Price, spec: GenerationSpec, model: VideoModel) -> Quote:
    """The quote of a spec for this model by a price; to ask for the sound that it always makes costs nothing."""
    return quote(replace(spec, generate_audio=False) if model.always_audio else spec, price)


def plain_clip(model: VideoModel) -> GenerationSpec:
    """The clip whose price is a model's base price: its default length in 720p, or the first size that it makes."""
    return GenerationSpec(
        model_id=model.id,
        resolution="720p" if "720p" in model.resolutions else model.resolutions[0],
        duration_seconds=model.default_seconds,
        aspect_ratio=model.aspect_ratios[0],
    )


def base_credits(model: VideoModel, at: datetime | None = None) -> int:
    """The price of a model's plainest clip, in credits; raises as `priced`."""
    return priced(plain_clip(model), at).total_credits


def cost_of(model_id: str, at: datetime | None = None) -> Cost | None:
    """What the vendor takes for a model at a moment; None where nobody knows."""
    entry = _entry(model_id)
    return entry.cost(at or utc_now()) if entry else None


def estimated_cost(spec: GenerationSpec, at: datetime | None = None, known: Catalogue | None = None) -> Estimate | None:
    """What the vendor will probably take for a clip; None where nobody knows, which is not the same as nothing."""
    entry = _entry(spec.model_id, known)
    cost = entry.cost(at or utc_now()) if entry else None
    return costs.estimate(cost, spec, entry.model) if entry and cost else None


def _entry(model_id: str, known: Catalogue | None = None) -> Entry | None:
    return (known or in_force.current()).find(model_id)
