"""The price list and the one function that turns a request into credits; pure, and it knows no provider.

Everything that shows, holds or charges a price calls `quote()`. Prices are whole credits (1 credit = Rp 50).
Surcharges are shares of the base price, so they add up and never compound; each line is rounded half up.
"""

from dataclasses import dataclass
from typing import Any

from core import errors
from core.catalog.price_list import (
    AUDIO_CREDITS,
    BOTH_IMAGES_PERCENT,
    DEFAULT_MARKUP_PERCENT,
    DURATION_PERCENT_PER_SECOND,
    END_IMAGE_PERCENT,
    IDR_PER_CREDIT,
    IDR_PER_USD,
    PRICES,
    PROMPT_ENHANCEMENT_CREDITS,
    RESOLUTION_PERCENT,
    START_IMAGE_PERCENT,
    VERSION,
    price,
)
from core.messages import message
from core.spec import GenerationSpec


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a quote; `kind` is its stable name (`base`, `resolution`, ... as in the API's breakdown)."""

    kind: str
    credits: int
    percent: int | None = None


@dataclass(frozen=True, slots=True)
class Quote:
    """The price of one request, explained; `lines` add up to `total_credits`."""

    model_id: str
    lines: tuple[Line, ...]
    version: str = VERSION

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
        return {"model_id": self.model_id, "version": self.version, "total": self.total_credits, "lines": lines}


def quote(spec: GenerationSpec, *, base_credits: int | None = None) -> Quote:
    """Price a spec, also one the model cannot make (`catalog.rules` judges that).

    `base_credits` puts another base price in place of the list's, to see what would be.
    Raises InvalidRequest for an unpriced model or resolution and for a duration that is not positive.
    Lines that cost nothing are left out, except the base.
    """
    model = price(spec.model_id)
    base = model.base_credits if base_credits is None else base_credits
    if spec.duration_seconds <= 0:
        raise errors.InvalidRequest(fields={"duration": message("duration_not_positive")})
    if spec.resolution not in RESOLUTION_PERCENT:
        known = ", ".join(RESOLUTION_PERCENT)
        raise errors.InvalidRequest(
            fields={"resolution": message("no_price_of_resolution", resolution=spec.resolution, known=known)}
        )
    extra_seconds = max(0, spec.duration_seconds - model.default_seconds)
    shares = [
        ("resolution", RESOLUTION_PERCENT[spec.resolution]),
        ("duration", extra_seconds * DURATION_PERCENT_PER_SECOND),
    ]
    if spec.start_image_key is not None and spec.end_image_key is not None:
        shares.append(("images", BOTH_IMAGES_PERCENT))
    elif spec.start_image_key is not None:
        shares.append(("startImage", START_IMAGE_PERCENT))
    elif spec.end_image_key is not None:
        shares.append(("endImage", END_IMAGE_PERCENT))
    lines = [Line("base", base)]
    lines += [Line(kind, share(base, percent), percent) for kind, percent in shares if percent]
    if spec.generate_audio:
        lines.append(Line("audio", AUDIO_CREDITS))
    if spec.enhance_prompt:
        lines.append(Line("promptEnhancement", PROMPT_ENHANCEMENT_CREDITS))
    return Quote(spec.model_id, tuple(lines))


def share(base_credits: int, percent: int) -> int:
    """`percent` of a base price, rounded half up to a whole credit."""
    return (base_credits * percent + 50) // 100


def estimated_cost_idr(model_id: str, total_credits: int, *, markup_percent: int | None = None) -> int:
    """What the provider probably took for this, in whole rupiah: the price over the model's markup, half up.

    `markup_percent` puts another markup in place of the list's, to see what would be. A model that is no longer in the
    list had the usual one.
    """
    listed = PRICES.get(model_id)
    usual = listed.markup_percent if listed else DEFAULT_MARKUP_PERCENT
    markup = usual if markup_percent is None else markup_percent
    return (total_credits * IDR_PER_CREDIT * 200 + markup) // (2 * markup)


def idr_of_microusd(amount_microusd: int) -> int:
    """Millionths of a dollar in whole rupiah, half up."""
    return (amount_microusd * IDR_PER_USD + 500_000) // 1_000_000
