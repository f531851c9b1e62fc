"""What is left of our prices, recomputed by hand from what vendors take, at 16,500 rupiah a dollar."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.billing import margins
from core.billing.margins import Margin
from core.catalog import catalogue
from core.catalog.catalogue import Catalogue, Entry
from core.catalog.records import Cost, Life, LifeState, PerSecondPrice, PublishedPrice, Sure
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


@given(
    st.tuples(st.integers(1, 2_000), st.integers(0, 200)),
    st.tuples(st.integers(1, 2_000_000), st.integers(0, 500_000), st.integers(100, 250)),
    st.integers(1_000, 1_000_000),
)
def test_every_margin_is_what_the_two_lists_say(
    ours: tuple[int, int], theirs: tuple[int, int, int], idr_per_usd: int
) -> None:
    """For any price and any vendor's: recomputed from both lists by themselves, size by size and second by second."""
    (price, image_credits), (cost_microusd, per_image, factor_percent) = ours, theirs
    model = catalogue.shipped().get("svd").model  # it needs a start image
    rates = {resolution: price * place for place, resolution in enumerate(model.resolutions, 1)}
    entry = Entry(
        model,
        (PerSecondPrice(AT, rates, image_credits=image_credits),),
        (
            Cost(
                AT,
                "",
                Sure.VENDOR,
                per_second={"any": cost_microusd},
                per_image=per_image,
                factor_percent=factor_percent,
            ),
        ),
    )

    found = margins.margins(entry, AT, idr_per_usd=idr_per_usd)

    assert [(one.spec.resolution, one.spec.duration_seconds) for one in found] == [
        (resolution, seconds) for resolution in model.resolutions for seconds in model.durations
    ]
    for one in found:
        seconds = one.spec.duration_seconds
        price_idr = 50 * (rates[one.spec.resolution] * seconds + image_credits)
        in_dollars = Fraction((cost_microusd * seconds + per_image) * factor_percent, 100 * 1_000_000)
        assert one.price_idr == price_idr
        # Twice rounded: to a millionth of a dollar and to a rupiah.
        assert abs(one.cost_idr - in_dollars * idr_per_usd) <= Fraction(1, 2) + Fraction(idr_per_usd, 2_000_000)
        assert one.markup == (Fraction(price_idr, one.cost_idr) if one.cost_idr else None)
        assert one.is_loss is (price_idr < one.cost_idr)


def test_margins_of_models_tell_the_plainest_and_the_worst() -> None:
    """Of each model that can be ordered: the clip of its base price, the lowest and highest markup, and its losses."""
    found = {one.entry.model.id: one for one in margins.of_models(catalogue.shipped(), AT, idr_per_usd=16_500)}

    seedance, own, unknown = found["replicate-seedance-1-pro"], found["demo-film"], found["seedance-t2v"]
    assert (seedance.plain.price_idr, seedance.plain.cost_idr) == (12_500, 4_950)
    assert [round(float(markup), 2) for markup in (seedance.markups[0], seedance.markups[-1])] == [
        0.84,
        12.63,
    ]  # 480p, 2 s: Rp 990
    assert {(one.spec.resolution, one.spec.duration_seconds) for one in seedance.losses} == {
        (resolution, seconds) for _, resolution, seconds in KNOWN_LOSSES
    }
    assert (own.markups, own.losses, own.is_unusual, own.is_unknown) == ([], [], False, False)
    assert (unknown.markups, unknown.is_unusual, unknown.is_unknown) == ([], False, True)


def test_margins_of_a_model_that_is_priced_in_part() -> None:
    """A size without a price is left out, and so is a model whose plain clip has none."""
    film = catalogue.shipped().get("demo-film").model
    only_large = Entry(film, (PerSecondPrice(AT, {"1080p": 20}),))
    unpriced = Entry(film)

    found = margins.margins(only_large, AT, idr_per_usd=16_500)
    assert {one.spec.resolution for one in found} == {"1080p"}
    assert margins.margins(unpriced, AT, idr_per_usd=16_500) == ()
    for entry in (only_large, unpriced):
        assert margins.of_models(Catalogue({film.id: entry}), AT, idr_per_usd=16_500) == ()


def test_margins_of_a_model_that_always_makes_sound() -> None:
    """Its price is what is charged: nobody pays for the sound that comes anyway."""
    film = replace(catalogue.shipped().get("demo-film").model, audio=False, always_audio=True)
    entry = Entry(film, (PublishedPrice(AT, 50, 5),))
    assert of(entry, generate_audio=True).price_idr == 50 * 50


def test_margins_are_worked_out_once_and_never_out_of_date() -> None:
    """The same answer serves until the catalogue or the rate is another one, or a dated price, cost or end begins."""
    shipped = catalogue.shipped()
    film = shipped.get("demo-film")
    begins = AT + timedelta(days=3)
    dearer = replace(film, prices=(*film.prices, PublishedPrice(begins, 500, film.model.default_seconds)))
    known = Catalogue(dict(shipped.entries) | {film.model.id: dearer})

    def price_idr(known: Catalogue, at: datetime) -> int:
        found = {one.entry.model.id: one for one in margins.of_models(known, at, idr_per_usd=16_500)}
        return found[film.model.id].plain.price_idr

    just_before = begins - timedelta(microseconds=1)
    assert margins.of_models(known, AT, idr_per_usd=16_500) is margins.of_models(known, just_before, idr_per_usd=16_500)
    assert price_idr(known, just_before) == price_idr(shipped, begins) == price_idr(shipped, just_before)
    assert price_idr(known, begins) == 500 * 50
    hidden = replace(film, lives=(Life(begins, LifeState.HIDDEN),))
    ending = Catalogue(dict(shipped.entries) | {film.model.id: hidden})
    ids = [{one.entry.model.id for one in margins.of_models(ending, at, idr_per_usd=1)} for at in (just_before, begins)]
    assert ids[0] - ids[1] == {film.model.id}


@given(st.integers(0, 40), st.sampled_from([1_000, 16_500, 40_000]))
def test_margins_that_are_kept_are_those_that_would_be_worked_out(days: int, idr_per_usd: int) -> None:
    """At any moment and rate."""
    at, known = AT - timedelta(days=20) + timedelta(days=days), catalogue.shipped()
    for one in margins.of_models(known, at, idr_per_usd=idr_per_usd):
        assert list(one.every) == list(margins.margins(one.entry, at, idr_per_usd=idr_per_usd))
