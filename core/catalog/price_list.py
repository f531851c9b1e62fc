"""What every model costs in credits; data, and it knows no provider."""

from collections.abc import Mapping
from dataclasses import dataclass

from core import errors
from core.messages import message

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


def price(model_id: str) -> Price:
    """The price of a model; InvalidRequest when it has none: unpriced is an error, never 0."""
    try:
        return PRICES[model_id]
    except KeyError:
        raise errors.InvalidRequest(fields={"modelId": message("no_price_of_model", model_id=model_id)}) from None
