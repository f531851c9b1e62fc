"""What is left of our prices, recomputed by hand from what vendors take, at 16,500 rupiah a dollar."""

from collections.abc import Mapping
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

import pytest

from core.billing import margins
from core.billing.margins import Margin
from core.catalog import catalogue
from core.catalog.catalogue import Entry
from core.catalog.records import Cost, PerSecondPrice, Sure
from tests.unit.test_price_list import PUBLISHED

AT = datetime(2026, 11, 29, tzinfo=UTC)
KNOWN_LOSSES = {("replicate-seedance-1-pro", "1080p", seconds) for seconds in (9, 10, 11, 12)}
"""What the published list sells for less than it costs; the list stays, so it is shown and not mended."""


def of(entry: Entry, **settings: Any) -> Margin:
    """The margin of the one clip with these settings."""
    spec = {"resolution": "720p", "duration_seconds": entry.model.default_seconds, "generate_audio": False} | settings
    found = margins.margins(entry, AT, idr_per_usd=16_500)
    [one] = [each for each in found if all(getattr(each.spec, name) == value for name, value in spec.items())]
    return one


@pytest.mark.parametrize(
    ("model_id", "settings", "price_idr", "cost_idr", "markup"),
    [
        ("replicate-seedance-1-pro", {"resolution": "480p"}, 12_500, 2_475, "5.05"),
        ("replicate-seedance-1-pro", {}, 12_500, 4_950, "2.53"),
        ("replicate-seedance-1-pro", {"duration_seconds": 12}, 21_250, 11_880, "1.79"),
        ("replicate-seedance-1-pro", {"resolution": "1080p"}, 16_250, 12_375, "1.31"),
        ("replicate-seedance-1-pro", {"resolution": "1080p", "duration_seconds": 12}, 25_000, 29_700, "0.84"),
        ("fal-kling-2.5-turbo", {}, 16_000, 5_775, "2.77"),
        ("fal-kling-2.5-turbo", {"duration_seconds": 10}, 24_000, 11_550, "2.08"),
        ("fal-veo-3.1-fast", {}, 36_500, 13_200, "2.77"),
        ("fal-veo-3.1-fast", {"generate_audio": True}, 37_000, 19_800, "1.87"),
        ("fal-veo-3.1-fast", {"resolution": "4K"}, 73_000, 39_600, "1.84"),
        ("fal-veo-3.1-fast", {"resolution": "4K", "generate_audio": True}, 73_500, 46_200, "1.59"),
        ("fal-veo-3.1-fast", {"duration_seconds": 4}, 36_500, 6_600, "5.53"),
        ("fal-hailuo-2.3", {}, 12_500, 4_620, "2.71"),
        ("fal-hailuo-2.3", {"duration_seconds": 10}, 17_500, 9_240, "1.89"),
        ("text-to-video-ultra", {}, 65_000, 3_300, "19.70"),
        ("text-to-video-ultra", {"duration_seconds": 10}, 78_000, 3_300, "23.64"),
        ("nova-reel", {}, 20_000, 7_920, "2.53"),
    ],
)
def test_margin_when_worked_by_hand(
    model_id: str, settings: Mapping[str, Any], price_idr: int, cost_idr: int, markup: str
) -> None:
    """Price, cost and the one over the other are what the vendors' lists say."""
    found = of(catalogue.shipped().get(model_id), **settings)

    assert (found.price_idr, found.cost_idr) == (price_idr, cost_idr)
    assert found.markup is not None
    assert f"{float(found.markup):.2f}" == markup


def test_nothing_is_sold_at_a_loss_beyond_the_published_list() -> None:
    """Whatever a model can be ordered with costs no more than it is sold for, but for what has been published."""
    losses = {
        (one.spec.model_id, one.spec.resolution, one.spec.duration_seconds)
        for entry in catalogue.shipped().entries.values()
        for one in margins.margins(entry, AT, idr_per_usd=16_500)
        if one.is_loss
    }

    assert losses == KNOWN_LOSSES
    assert {model_id for model_id, _, _ in losses} <= PUBLISHED.keys()


@pytest.mark.parametrize(
    ("rate", "is_unusual", "is_loss"),
    [
        (99, False, False),
        (100, True, False),
        (83, False, False),
        (82, True, False),
        (33, True, False),
        (32, True, True),
    ],
)
def test_marks_of_a_markup(rate: int, is_unusual: bool, is_loss: bool) -> None:
    """From 2.5 to 3 times the cost is usual; below once it is a loss. A dime is Rp 1,650, so 33 credits."""
    entry = Entry(
        catalogue.shipped().get("fal-kling-2.5-turbo").model,
        (PerSecondPrice(AT, {"720p": rate}),),
        (Cost(AT, "", Sure.VENDOR, per_second={"720p": 100_000}),),
    )
    found = of(entry)

    assert (found.is_unusual, found.is_loss) == (is_unusual, is_loss)


def test_margin_when_the_cost_is_unknown_or_nothing() -> None:
    """Neither has a markup, and neither is marked; what is unknown says so."""
    unknown, free = of(catalogue.shipped().get("veo3")), of(catalogue.shipped().get("demo-film"))

    assert (unknown.markup, unknown.estimate, unknown.is_unusual, unknown.is_loss) == (None, None, False, False)
    assert (free.markup, free.cost_idr, free.is_unusual, free.is_loss) == (None, 0, False, False)
    assert free.estimate is not None


def test_margin_follows_the_dollar() -> None:
    """Twice the dollar is half the markup."""
    entry = catalogue.shipped().get("nova-reel")
    [usual], [dear] = (margins.margins(entry, AT, idr_per_usd=rate) for rate in (16_500, 33_000))

    assert usual.markup == 2 * (dear.markup or Fraction(0))


def test_margin_of_a_model_that_needs_an_image() -> None:
    """The image that it cannot be ordered without is in the price."""
    assert of(catalogue.shipped().get("svd")).price_idr == 50 * (600 + 120)
