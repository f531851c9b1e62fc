"""The price list and the one function that turns a request into credits; pure, and it knows no provider.

Everything that shows, holds or charges a price calls `quote()`. Prices are whole credits (1 credit = Rp 50).
Surcharges are shares of the base price, so they add up and never compound; each line is rounded half up.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core import errors

VERSION = "2026-11"
"""Changes with any price below; frozen on every generation."""

IDR_PER_CREDIT = 50
IDR_PER_USD = 16_500
"""What a dollar is taken for, in prices below and in what providers report; it does not follow the market."""

DEFAULT_MARKUP_PERCENT = 275


@dataclass(frozen=True, slots=True)
class Price:
    """Price of one model: `base_credits` for up to `default_seconds` at 720p.

    `markup_percent` is price over provider cost (275 = 2.75x), used to estimate the cost where the provider
    reports none.
    """

    base_credits: int
    default_seconds: int
    markup_percent: int = DEFAULT_MARKUP_PERCENT


PRICES: Mapping[str, Price] = {
    "veo3": Price(2500, default_seconds=8),
    "veo2": Price(2200, default_seconds=8),
    "text-to-video-ultra": Price(1300, default_seconds=8),
    "wan-2.2-t2v": Price(1200, default_seconds=10),
    "seedance-t2v": Price(400, default_seconds=5),
    "runway-gen3": Price(750, default_seconds=10),
    "kling-2.5": Price(500, default_seconds=5),
    "nova-reel": Price(400, default_seconds=6),
    "svd": Price(600, default_seconds=4),
    # Up to the demo's: the vendor's list price in USD * IDR_PER_USD / IDR_PER_CREDIT * 2.75, rounded to tens.
    # Replicate: 0.27 for 5 s at 720p (ByteDance's 2.5 a million tokens); 0.35 for 5 s.
    "replicate-seedance-1-pro": Price(250, default_seconds=5),
    "replicate-kling-2.5-turbo-pro": Price(320, default_seconds=5),
    # fal: 0.35 for 5 s; 0.80 for 8 s without sound; 0.28 for 6 s.
    "fal-kling-2.5-turbo": Price(320, default_seconds=5),
    "fal-veo-3.1-fast": Price(730, default_seconds=8),
    "fal-hailuo-2.3": Price(250, default_seconds=6),
    "demo-film": Price(50, default_seconds=5),
}

RESOLUTION_PERCENT: Mapping[str, int] = {"480p": 0, "720p": 0, "1080p": 30, "4K": 100}
DURATION_PERCENT_PER_SECOND = 10
START_IMAGE_PERCENT = 20
END_IMAGE_PERCENT = 30
BOTH_IMAGES_PERCENT = 40
AUDIO_CREDITS = 10
PROMPT_ENHANCEMENT_CREDITS = 5


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
        """The same in whole rupiah."""
        return self.total_credits * IDR_PER_CREDIT

    def to_json(self) -> dict[str, Any]:
        """The form frozen on a generation."""
        lines = [{"kind": line.kind, "credits": line.credits, "percent": line.percent} for line in self.lines]
        return {"model_id": self.model_id, "version": self.version, "total": self.total_credits, "lines": lines}


def price(model_id: str) -> Price:
    """The price of a model; InvalidRequest when it has none: unpriced is an error, never 0."""
    try:
        return PRICES[model_id]
    except KeyError:
        raise errors.InvalidRequest(fields={"modelId": f"There is no price for the model '{model_id}'."}) from None


def quote(
    model_id: str,
    *,
    resolution: str,
    duration_seconds: int,
    start_image: bool = False,
    end_image: bool = False,
    generate_audio: bool = False,
    enhance_prompt: bool = False,
    base_credits: int | None = None,
) -> Quote:
    """Price a request, also one the model cannot make (`generations.validate` judges that).

    `base_credits` puts another base price in place of the list's, to see what would be.
    Raises InvalidRequest for an unpriced model or resolution and for a duration that is not positive.
    Lines that cost nothing are left out, except the base.
    """
    model = price(model_id)
    base = model.base_credits if base_credits is None else base_credits
    if duration_seconds <= 0:
        raise errors.InvalidRequest(fields={"duration": "The duration must be a positive number of seconds."})
    if resolution not in RESOLUTION_PERCENT:
        known = ", ".join(RESOLUTION_PERCENT)
        raise errors.InvalidRequest(fields={"resolution": f"'{resolution}' has no price. Use one of: {known}."})
    extra_seconds = max(0, duration_seconds - model.default_seconds)
    shares = [("resolution", RESOLUTION_PERCENT[resolution]), ("duration", extra_seconds * DURATION_PERCENT_PER_SECOND)]
    if start_image and end_image:
        shares.append(("images", BOTH_IMAGES_PERCENT))
    elif start_image:
        shares.append(("startImage", START_IMAGE_PERCENT))
    elif end_image:
        shares.append(("endImage", END_IMAGE_PERCENT))
    lines = [Line("base", base)]
    lines += [Line(kind, share(base, percent), percent) for kind, percent in shares if percent]
    if generate_audio:
        lines.append(Line("audio", AUDIO_CREDITS))
    if enhance_prompt:
        lines.append(Line("promptEnhancement", PROMPT_ENHANCEMENT_CREDITS))
    return Quote(model_id, tuple(lines))


def share(base_credits: int, percent: int) -> int:
    """`percent` of a base price, rounded half up to a whole credit."""
    return (base_credits * percent + 50) // 100


def estimated_cost_idr(model_id: str, total_credits: int, *, markup_percent: int | None = None) -> int:
    """What the provider probably took for this, in whole rupiah: the price over the model's markup, half up.

    `markup_percent` puts another markup in place of the list's, to see what would be.
    """
    markup = price(model_id).markup_percent if markup_percent is None else markup_percent
    return (total_credits * IDR_PER_CREDIT * 200 + markup) // (2 * markup)


def idr_of_microusd(amount_microusd: int) -> int:
    """Millionths of a dollar in whole rupiah, half up."""
    return (amount_microusd * IDR_PER_USD + 500_000) // 1_000_000
