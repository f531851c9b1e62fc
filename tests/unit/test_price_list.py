import hashlib
import json

from core.catalog import catalogue, price_list
from core.catalog.catalogue import Entry
from core.catalog.records import PublishedPrice

DIGESTS = {"2026-11": "5a1c559e69b6b4c5f334c53b68410db385d4e2b1e0221d0a800644f8d8f53194"}
"""Version of the price list -> SHA-256 of everything that decides a price. Append a line; never change one."""

PUBLISHED = {
    "veo3": (2500, 8),
    "veo2": (2200, 8),
    "text-to-video-ultra": (1300, 8),
    "wan-2.2-t2v": (1200, 10),
    "seedance-t2v": (400, 5),
    "runway-gen3": (750, 10),
    "kling-2.5": (500, 5),
    "nova-reel": (400, 6),
    "svd": (600, 4),
    "replicate-seedance-1-pro": (250, 5),
    "replicate-kling-2.5-turbo-pro": (320, 5),
    "fal-kling-2.5-turbo": (320, 5),
    "fal-veo-3.1-fast": (730, 8),
    "fal-hailuo-2.3": (250, 6),
    "demo-film": (50, 5),
}
"""What is asked for ever for the models of the first list: base credits, for so many seconds."""


def test_published_list_stands_for_ever() -> None:
    """The first price of each of its models is the one that was published, with the surcharges of then."""
    for model_id, (base_credits, default_seconds) in PUBLISHED.items():
        first = catalogue.shipped().get(model_id).prices[0]
        assert first == PublishedPrice(first.since, base_credits, default_seconds)
        assert f"{first.since:%Y-%m}" == price_list.VERSION


def test_version_is_tied_to_the_content() -> None:
    """Any change of a published price, share, flat or rate needs a version of its own, which orders keep."""
    content = {
        # It was taken for a share of the price by every model of the list when the digest was made.
        "prices": {id: _as_published(catalogue.shipped().get(id)) | {"markup_percent": 275} for id in PUBLISHED},
        "resolution": dict(price_list.RESOLUTION_PERCENT),
        "percents": [
            price_list.DURATION_PERCENT_PER_SECOND,
            price_list.START_IMAGE_PERCENT,
            price_list.END_IMAGE_PERCENT,
            price_list.BOTH_IMAGES_PERCENT,
        ],
        "flats": [price_list.AUDIO_CREDITS, price_list.PROMPT_ENHANCEMENT_CREDITS],
        "idr": [price_list.IDR_PER_CREDIT, price_list.IDR_PER_USD],
    }
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    assert DIGESTS[price_list.VERSION] == digest, "give the price list a new version"


def _as_published(entry: Entry) -> dict[str, int]:
    first = entry.prices[0]
    assert isinstance(first, PublishedPrice)
    return {"base_credits": first.base_credits, "default_seconds": first.default_seconds}
