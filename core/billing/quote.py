"""The one function that turns a request and a price into credits; pure, and it knows neither model nor provider.

Everything that shows, holds or charges a price calls `quote()`. Prices are whole credits (1 credit = Rp 50).
Surcharges of a published price are shares of its base, so they add up and never compound; each line is rounded half up.
A price by the second has a rate for every size instead, and its extras are amounts.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any

from core import errors
from core.catalog.price_list import (
    AUDIO_CREDITS,
    BOTH_IMAGES_PERCENT,
    DURATION_PERCENT_PER_SECOND,
    END_IMAGE_PERCENT,
    IDR_PER_CREDIT,
    PROMPT_ENHANCEMENT_CREDITS,
    RESOLUTION_PERCENT,
    START_IMAGE_PERCENT,
)
from core.catalog.records import PerSecondPrice, Price, PublishedPrice
from core.messages import message
from core.providers.contract import MediaKind
from core.spec import GenerationSpec


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a quote; `kind` is its stable name (`base`, `resolution`, ... as in the API's breakdown)."""

    kind: str
    credits: int
    percent: int | None = None


@dataclass(frozen=True, slots=True)
class Quote:
    """The price of one request, explained; `lines` add up to `total_credits`, which may be 0.

    `since` is when the price that it was made with began.
    """

    model_id: str
    lines: tuple[Line, ...]
    since: datetime

    @property
    def version(self) -> str:
        """Which of a model's prices it is: the month that it began with, else the day, else the moment."""
        if self.since.timetz() != time(tzinfo=self.since.tzinfo):
            return self.since.isoformat()
        return f"{self.since:%Y-%m}" if self.since.day == 1 else f"{self.since:%Y-%m-%d}"

    @property
    def total_credits(self) -> int:
        """Sum of the lines."""
        return sum(line.credits for line in self.lines)

    @property
    def total_idr(self) -> int:
        """The total in whole rupiah, 50 a credit."""
        return self.total_credits * IDR_PER_CREDIT

    def to_json(self) -> dict[str, Any]:
        """The JSON that is stored with a generation and never changes afterwards."""
        lines = [{"kind": line.kind, "credits": line.credits, "percent": line.percent} for line in self.lines]
        return {
            "model_id": self.model_id,
            "version": self.version,
            "since": self.since.isoformat(),
            "total": self.total_credits,
            "lines": lines,
        }


def quote(spec: GenerationSpec, price: Price) -> Quote:
    """Price a spec, also one the model cannot make (`catalog.rules` judges that).

    Raises InvalidRequest for a resolution that has no price and for a duration that is not positive.
    Lines that cost nothing are left out, except the base.
    """
    if spec.duration_seconds <= 0:
        raise errors.InvalidRequest(fields={"duration": message("duration_not_positive")})
    found = _published(spec, price) if isinstance(price, PublishedPrice) else _by_the_second(spec, price)
    return Quote(spec.model_id, tuple(line for line in found if line.credits or line.kind == "base"), price.since)


def _published(spec: GenerationSpec, price: PublishedPrice) -> Iterator[Line]:
    if spec.resolution not in RESOLUTION_PERCENT:
        raise _unpriced(spec, RESOLUTION_PERCENT)
    base = price.base_credits
    yield Line("base", base)
    extra_seconds = max(0, spec.duration_seconds - price.default_seconds)
    shares = [
        ("resolution", RESOLUTION_PERCENT[spec.resolution]),
        ("duration", extra_seconds * DURATION_PERCENT_PER_SECOND),
    ]
    kind = _images(spec)
    if kind:
        shares.append((kind, _IMAGE_PERCENT[kind]))
    yield from (Line(kind, share(base, percent), percent) for kind, percent in shares if percent)
    if spec.generate_audio:
        yield Line("audio", AUDIO_CREDITS)
    if spec.enhance_prompt:
        yield Line("promptEnhancement", PROMPT_ENHANCEMENT_CREDITS)


def _by_the_second(spec: GenerationSpec, price: PerSecondPrice) -> Iterator[Line]:
    """Every clip of a model that always makes sound has the one rate of its size."""
    rates = price.credits_per_second
    with_sound = rates.get(f"{spec.resolution} sound", rates.get("any sound"))
    rate = rates.get(spec.resolution, rates.get("any", with_sound))
    if rate is None:
        raise _unpriced(spec, dict.fromkeys(name.removesuffix(" sound") for name in rates))
    seconds = max(spec.duration_seconds, price.minimum_seconds)
    yield Line("base", rate * seconds)
    if kind := _images(spec):
        yield Line(kind, price.image_credits * (2 if kind == "images" else 1))
    pictures = sum(reference.kind == MediaKind.IMAGE for reference in spec.references)
    yield Line("references", price.reference_credits * max(0, pictures - price.free_references))
    if spec.generate_audio and with_sound is not None:
        yield Line("audio", max(0, with_sound - rate) * seconds)


_IMAGE_PERCENT = {"startImage": START_IMAGE_PERCENT, "endImage": END_IMAGE_PERCENT, "images": BOTH_IMAGES_PERCENT}


def _images(spec: GenerationSpec) -> str:
    """The kind of the line for start and end image: both together are one line; empty without either."""
    start, end = spec.start_image_key is not None, spec.end_image_key is not None
    return "images" if start and end else "startImage" if start else "endImage" if end else ""


def _unpriced(spec: GenerationSpec, priced: Iterable[str]) -> errors.InvalidRequest:
    wrong = message("no_price_of_resolution", resolution=spec.resolution, known=", ".join(priced))
    return errors.InvalidRequest(fields={"resolution": wrong})


def share(base_credits: int, percent: int) -> int:
    """`percent` of a base price, rounded half up to a whole credit."""
    return (base_credits * percent + 50) // 100


def idr_of_microusd(amount_microusd: int, idr_per_usd: int) -> int:
    """Millionths of a dollar in whole rupiah, half up."""
    return (amount_microusd * idr_per_usd + 500_000) // 1_000_000
