"""What is left of a price after the vendor has taken its own, for everything that a model makes; pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from functools import cached_property, lru_cache

from core import errors
from core.billing import pricing
from core.billing.quote import idr_of_microusd
from core.catalog import costs
from core.catalog.catalogue import Catalogue, Entry
from core.catalog.costs import Estimate
from core.spec import GenerationSpec

USUAL = (Fraction(5, 2), Fraction(3))
"""Prices are meant to be so many times what the vendor takes, from and to."""


@dataclass(frozen=True, slots=True)
class Margin:
    """One clip's price beside its cost, both in rupiah; `estimate` is None where nobody knows what the vendor takes."""

    spec: GenerationSpec
    price_idr: int
    cost_idr: int
    estimate: Estimate | None

    @property
    def markup(self) -> Fraction | None:
        """Price over cost; None where the cost is unknown or nothing."""
        return Fraction(self.price_idr, self.cost_idr) if self.cost_idr else None

    @property
    def is_unusual(self) -> bool:
        """Whether the markup is known and another than prices are meant to have."""
        return self.markup is not None and is_unusual(self.markup)

    @property
    def is_loss(self) -> bool:
        """Whether it is sold for less than it costs."""
        return self.price_idr < self.cost_idr


@dataclass(frozen=True)
class ModelMargins:
    """The margins of everything that a model makes; `plain` is that of the clip which its base price is for."""

    entry: Entry
    plain: Margin
    every: Sequence[Margin]

    @cached_property
    def markups(self) -> Sequence[Fraction]:
        """The known ones, the lowest first."""
        return sorted(one.markup for one in self.every if one.markup is not None)

    @cached_property
    def losses(self) -> Sequence[Margin]:
        """What is sold for less than it costs."""
        return [one for one in self.every if one.is_loss]

    @cached_property
    def is_unusual(self) -> bool:
        """Whether anything that it makes has a markup that prices are not meant to have."""
        return any(one.is_unusual for one in self.every)

    @cached_property
    def is_unknown(self) -> bool:
        """Whether there is anything of which nobody knows what it costs."""
        return any(one.estimate is None for one in self.every)


def of_models(known: Catalogue, at: datetime, *, idr_per_usd: int) -> Sequence[ModelMargins]:
    """The margins of all models that can be ordered at a moment.

    Worked out once for a catalogue and a rate, and anew when anything that the catalogue dates begins.
    """
    return _since(known, known.last_begun(at), idr_per_usd)


@lru_cache(maxsize=8)
def _since(known: Catalogue, begun: datetime, idr_per_usd: int) -> Sequence[ModelMargins]:
    found = (_of_model(entry, begun, idr_per_usd=idr_per_usd) for entry in known.orderable(begun))
    return tuple(one for one in found if one is not None)


def _of_model(entry: Entry, at: datetime, *, idr_per_usd: int) -> ModelMargins | None:
    every = margins(entry, at, idr_per_usd=idr_per_usd)
    wanted = pricing.plain_clip(entry.model)
    size = (wanted.resolution, wanted.duration_seconds)
    plain = [one for one in every if (one.spec.resolution, one.spec.duration_seconds) == size]
    return ModelMargins(entry, plain[0], every) if plain else None  # first without sound, where there is a choice


def is_unusual(markup: Fraction | float) -> bool:
    """Whether a markup is another than prices are meant to have; two places decide, as people read them."""
    least, most = USUAL
    return not least <= round(Fraction(markup), 2) <= most


def margins(entry: Entry, at: datetime, *, idr_per_usd: int) -> Sequence[Margin]:
    """Of every resolution, length and choice of sound that a model makes, by price and cost of a moment.

    A size without a price is left out; a model that makes nothing from text alone has its start image.
    """
    price, cost = entry.price(at), entry.cost(at)
    if price is None:
        return ()
    found = []
    for spec in _all(entry):
        try:
            price_idr = pricing.priced_by(price, spec, entry.model).total_idr
        except errors.InvalidRequest:
            continue
        estimate = costs.estimate(cost, spec, entry.model) if cost else None
        cost_idr = idr_of_microusd(estimate.microusd, idr_per_usd) if estimate else 0
        found.append(Margin(spec, price_idr, cost_idr, estimate))
    return found


def _all(entry: Entry) -> Iterator[GenerationSpec]:
    model = entry.model
    for resolution in model.resolutions:
        for seconds in model.durations:
            for sound in (False, True) if model.audio and not model.always_audio else (model.always_audio,):
                yield GenerationSpec(
                    model_id=model.id,
                    resolution=resolution,
                    duration_seconds=seconds,
                    aspect_ratio=model.aspect_ratios[0],
                    generate_audio=sound,
                    start_image_key=None if model.text_to_video else "any",
                )
