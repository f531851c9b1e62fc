import hashlib
import json
from dataclasses import asdict

from core.catalog import price_list

DIGESTS = {"2026-11": "5a1c559e69b6b4c5f334c53b68410db385d4e2b1e0221d0a800644f8d8f53194"}
"""Version of the price list -> SHA-256 of everything that decides a price. Append a line; never change one."""


def test_version_is_tied_to_the_content() -> None:
    """Any change of a price, share, flat or rate needs a version of its own, which orders keep."""
    content = {
        "prices": {model_id: asdict(price) for model_id, price in price_list.PRICES.items()},
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
