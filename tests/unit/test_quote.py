from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from math import floor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import errors
from core.billing import pricing
from core.billing.quote import Line, Quote, idr_of_microusd, quote, share
from core.catalog import catalogue, price_list
from core.catalog.catalogue import Catalogue, Entry
from core.catalog.records import PerSecondPrice, PublishedPrice
from core.spec import Reference
from tests.factories.generations import build_spec
from tests.unit.test_price_list import PUBLISHED

IMAGE = "images/ab/x.jpg"
SIZES = list(price_list.RESOLUTION_PERCENT)
SINCE = datetime(2026, 11, 28, tzinfo=UTC)
images = st.sampled_from([None, IMAGE])
rates = st.tuples(st.integers(0, 999), st.integers(0, 999)).map(lambda pair: (pair[0], sum(pair)))
prices = st.one_of(
    st.builds(PublishedPrice, st.just(SINCE), st.integers(1, 99_999), st.integers(1, 60)),
    st.builds(
        lambda rate, least, image: PerSecondPrice(
            SINCE,
            {f"{size}{sound}": rate[place] for size in SIZES for place, sound in enumerate(("", " sound"))},
            minimum_seconds=least,
            image_credits=image,
        ),
        rates,
        st.integers(0, 10),
        st.integers(0, 99),
    ),
)
orders: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "resolution": st.sampled_from(SIZES),
        "duration_seconds": st.integers(1, 600),
        "start_image_key": images,
        "end_image_key": images,
        "generate_audio": st.booleans(),
        "enhance_prompt": st.booleans(),
    }
)


@pytest.mark.parametrize(("model_id", "published"), PUBLISHED.items(), ids=list(PUBLISHED))
def test_quote_of_default_settings_when_published(model_id: str, published: tuple[int, int]) -> None:
    """A published model at 720p and its default length costs its base price, on one line."""
    base, default_seconds = published
    priced = pricing.priced(build_spec(model_id, duration_seconds=default_seconds))

    assert priced.lines == (Line("base", base),)
    assert priced.total_idr == base * 50


@pytest.mark.parametrize(
    ("model_id", "settings", "lines"),
    [
        ("veo3", {"resolution": "720p", "duration_seconds": 8}, {"base": 2500}),
        (
            "veo3",
            {"resolution": "1080p", "duration_seconds": 16},
            {"base": 2500, "resolution": 750, "duration": 2000},
        ),
        (
            "kling-2.5",
            {"resolution": "1080p", "duration_seconds": 10, "start_image_key": IMAGE},
            {"base": 500, "startImage": 100, "resolution": 150, "duration": 250},
        ),
        (
            "demo-film",
            {"resolution": "4K", "duration_seconds": 5, "start_image_key": IMAGE, "end_image_key": IMAGE},
            {"base": 50, "resolution": 50, "images": 20},
        ),
        (
            "nova-reel",
            {"resolution": "720p", "duration_seconds": 3, "generate_audio": True, "enhance_prompt": True},
            {"base": 400, "audio": 10, "promptEnhancement": 5},
        ),
        (
            "veo2",
            {"resolution": "720p", "duration_seconds": 8, "end_image_key": IMAGE},
            {"base": 2200, "endImage": 660},
        ),
    ],
)
def test_quote_when_worked_by_hand(model_id: str, settings: dict[str, Any], lines: dict[str, int]) -> None:
    """The worked examples hold line by line."""
    priced = pricing.priced(build_spec(model_id, **settings))

    assert {line.kind: line.credits for line in priced.lines} == lines
    assert priced.total_credits == sum(lines.values())


@given(prices, orders)
def test_quote_lines_add_up(price: PublishedPrice | PerSecondPrice, settings: dict[str, Any]) -> None:
    """Lines add up to the total, none is negative, and the frozen form says the same."""
    priced = quote(build_spec(**settings), price)
    frozen = priced.to_json()

    assert priced.total_credits == sum(line.credits for line in priced.lines)
    assert all(line.credits >= 0 for line in priced.lines)
    assert priced.lines[0].kind == "base"
    assert frozen["total"] == priced.total_credits == sum(line["credits"] for line in frozen["lines"])


@given(prices, orders, st.integers(1, 60))
def test_quote_when_longer(price: PublishedPrice | PerSecondPrice, settings: dict[str, Any], more_seconds: int) -> None:
    """A longer clip never costs less."""
    shorter = quote(build_spec(**settings), price)
    settings["duration_seconds"] = settings["duration_seconds"] + more_seconds
    longer = quote(build_spec(**settings), price)

    assert longer.total_credits >= shorter.total_credits


@given(st.integers(1, 100_000), st.integers(0, 1000))
def test_share_when_base_is_odd(base_credits: int, percent: int) -> None:
    """A share is rounded half up, also on bases that are not multiples of ten."""
    assert share(base_credits, percent) == floor(base_credits * percent / 100 + 0.5)


@pytest.mark.parametrize(
    ("base", "percent", "expected"), [(5, 10, 1), (15, 30, 5), (25, 10, 3), (33, 50, 17), (1, 49, 0)]
)
def test_share_when_exactly_half(base: int, percent: int, expected: int) -> None:
    """Exactly half a credit goes up."""
    assert share(base, percent) == expected


@pytest.mark.parametrize(
    ("model_id", "settings", "field"),
    [
        ("nobody", {"resolution": "720p", "duration_seconds": 5}, "modelId"),
        ("veo3", {"resolution": "8K", "duration_seconds": 8}, "resolution"),
        ("veo3", {"resolution": "720p", "duration_seconds": 0}, "duration"),
        ("veo3", {"resolution": "720p", "duration_seconds": -1}, "duration"),
    ],
)
def test_quote_when_it_has_no_price(model_id: str, settings: dict[str, Any], field: str) -> None:
    """What has no price is an error on its field, never 0."""
    with pytest.raises(errors.InvalidRequest) as raised:
        pricing.priced(build_spec(model_id, **settings))

    assert list(raised.value.fields) == [field]


def test_every_shipped_model_has_a_price_for_all_it_makes() -> None:
    """No combination of resolution, length, sound and images that the form offers is without a price."""
    for entry in catalogue.shipped().entries.values():
        model = entry.model
        assert entry.prices, f"{model.id} has no price"
        for resolution in model.resolutions:
            for sound in {False, model.audio or model.always_audio}:
                spec = build_spec(
                    model.id,
                    resolution=resolution,
                    duration_seconds=model.durations[-1],
                    generate_audio=sound,
                    start_image_key=IMAGE if model.start_image else None,
                )
                assert all(quote(spec, price).total_credits >= 0 for price in entry.prices)


BY_THE_SECOND = PerSecondPrice(
    SINCE,
    {"720p": 77, "720p sound": 116, "1080p": 154},
    minimum_seconds=4,
    image_credits=9,
    reference_credits=11,
    free_references=2,
)
FOUR_IMAGES = [Reference("image", "", f"images/ab/{number}.jpg") for number in range(4)]


@pytest.mark.parametrize(
    ("settings", "lines"),
    [
        ({"duration_seconds": 8}, {"base": 616}),
        ({"duration_seconds": 2}, {"base": 308}),
        ({"duration_seconds": 8, "generate_audio": True}, {"base": 616, "audio": 312}),
        ({"duration_seconds": 8, "resolution": "1080p", "generate_audio": True}, {"base": 1232}),
        ({"duration_seconds": 8, "start_image_key": IMAGE}, {"base": 616, "startImage": 9}),
        ({"duration_seconds": 8, "end_image_key": IMAGE}, {"base": 616, "endImage": 9}),
        ({"duration_seconds": 8, "start_image_key": IMAGE, "end_image_key": IMAGE}, {"base": 616, "images": 18}),
        ({"duration_seconds": 8, "references": FOUR_IMAGES}, {"base": 616, "references": 22}),
        ({"duration_seconds": 8, "references": FOUR_IMAGES[:2], "enhance_prompt": True}, {"base": 616}),
    ],
)
def test_quote_by_the_second_when_worked_by_hand(settings: dict[str, Any], lines: dict[str, int]) -> None:
    """The rate of the size times the seconds, of which a least number is charged; extras are lines of their own."""
    priced = quote(build_spec("any", **settings), BY_THE_SECOND)

    assert {line.kind: line.credits for line in priced.lines} == lines
    assert priced.total_credits == sum(lines.values())


def test_quote_by_the_second_when_sound_has_the_only_rate() -> None:
    """A model that always makes sound has one rate a size, whether sound was asked for or not."""
    price = PerSecondPrice(SINCE, {"720p sound": 116})
    asked = quote(build_spec("any", duration_seconds=5, generate_audio=True), price)
    not_asked = quote(build_spec("any", duration_seconds=5), price)

    assert asked.lines == not_asked.lines == (Line("base", 580),)


def test_quote_by_the_second_when_one_rate_is_for_all_sizes() -> None:
    """A size without a rate of its own has that of all, with sound and without; sound makes nothing cheaper."""
    price = PerSecondPrice(SINCE, {"any": 10, "any sound": 15, "4K": 40})
    spec = build_spec("any", duration_seconds=5, generate_audio=True)

    assert quote(spec, price).lines == (Line("base", 50), Line("audio", 25))
    assert quote(replace(spec, resolution="4K"), price).lines == (Line("base", 200),)


def test_model_that_always_makes_sound_has_one_price() -> None:
    """Of the shipped ones, whether sound is asked for or not."""
    for entry in catalogue.shipped().entries.values():
        model = entry.model
        for resolution in model.resolutions if model.always_audio and entry.prices else ():
            spec = build_spec(model.id, resolution=resolution, duration_seconds=model.default_seconds)
            with_sound = quote(replace(spec, generate_audio=True), entry.prices[-1])
            assert quote(spec, entry.prices[-1]).total_credits == with_sound.total_credits, model.id


def test_quote_when_the_model_costs_nothing() -> None:
    """A model on machines of one's own may cost nothing: its one line says so."""
    assert quote(build_spec("any"), PerSecondPrice(SINCE, {"720p": 0})).lines == (Line("base", 0),)


def test_quote_by_the_second_when_the_size_has_no_rate() -> None:
    """A size without a rate is an error that names those with one, never 0."""
    with pytest.raises(errors.InvalidRequest) as raised:
        quote(build_spec("any", resolution="4K"), BY_THE_SECOND)

    assert str(raised.value.fields["resolution"]) == "'4K' has no price. Use one of: 720p, 1080p."


@pytest.mark.parametrize(
    ("since", "version"),
    [
        (datetime(2026, 11, 1, tzinfo=UTC), "2026-11"),
        (datetime(2026, 11, 28, tzinfo=UTC), "2026-11-28"),
        (datetime(2026, 11, 1, 9, 30, tzinfo=UTC), "2026-11-01T09:30:00+00:00"),
    ],
)
def test_version_when_frozen(since: datetime, version: str) -> None:
    """What is kept with an order says which price it was made with, and when that began."""
    frozen = Quote("any", (Line("base", 5),), since).to_json()

    assert (frozen["version"], frozen["since"]) == (version, since.isoformat())


@given(st.integers(0, 10**12), st.integers(1_000, 1_000_000))
def test_idr_of_microusd_is_rounded_half_up(amount_microusd: int, idr_per_usd: int) -> None:
    """Dollars in whole rupiah, off by half a rupiah at most."""
    exact = Fraction(amount_microusd * idr_per_usd, 1_000_000)

    assert -Fraction(1, 2) < idr_of_microusd(amount_microusd, idr_per_usd) - exact <= Fraction(1, 2)


def test_base_price_of_a_model_that_always_makes_sound() -> None:
    """Who asks for the sound that comes anyway pays nothing for it, whatever shape the price has."""
    model = replace(catalogue.shipped().get("demo-film").model, audio=False, always_audio=True)
    known = Catalogue({model.id: Entry(model, (PublishedPrice(SINCE, 50, 5),))})
    spec = pricing.plain_clip(model)
    quotes = [pricing.priced(replace(spec, generate_audio=asked), SINCE, known) for asked in (False, True)]
    assert [found.total_credits for found in quotes] == [50, 50]
