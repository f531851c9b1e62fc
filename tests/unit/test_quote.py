from fractions import Fraction
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import errors
from core.billing.quote import Line, estimated_cost_idr, idr_of_microusd, quote, share
from core.catalog import catalogue, price_list
from core.catalog.records import PublishedPrice
from tests.factories.generations import build_spec

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

IMAGE = "images/ab/x.jpg"
images = st.sampled_from([None, IMAGE])
orders = st.fixed_dictionaries(
    {
        "resolution": st.sampled_from(list(price_list.RESOLUTION_PERCENT)),
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
    priced = quote(build_spec(model_id, duration_seconds=default_seconds))

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
def test_quote_when_worked_by_hand(model_id: str, settings: dict[str, object], lines: dict[str, int]) -> None:
    """The worked examples hold line by line."""
    priced = quote(build_spec(model_id, **settings))

    assert {line.kind: line.credits for line in priced.lines} == lines
    assert priced.total_credits == sum(lines.values())


@given(st.sampled_from(list(price_list.PRICES)), orders)
def test_quote_lines_add_up(model_id: str, settings: dict[str, object]) -> None:
    """Lines add up to the total, none is negative, and the frozen form says the same."""
    priced = quote(build_spec(model_id, **settings))
    frozen = priced.to_json()

    assert priced.total_credits == sum(line.credits for line in priced.lines)
    assert all(line.credits >= 0 for line in priced.lines)
    assert priced.total_credits >= price_list.PRICES[model_id].base_credits
    assert frozen["total"] == priced.total_credits == sum(line["credits"] for line in frozen["lines"])


@given(st.sampled_from(list(price_list.PRICES)), orders, st.integers(1, 60))
def test_quote_when_longer(model_id: str, settings: dict[str, object], more_seconds: int) -> None:
    """A longer clip never costs less."""
    shorter = quote(build_spec(model_id, **settings))
    settings["duration_seconds"] = int(str(settings["duration_seconds"])) + more_seconds
    longer = quote(build_spec(model_id, **settings))

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
def test_quote_when_it_has_no_price(model_id: str, settings: dict[str, object], field: str) -> None:
    """What has no price is an error on its field, never 0."""
    with pytest.raises(errors.InvalidRequest) as raised:
        quote(build_spec(model_id, **settings))

    assert list(raised.value.fields) == [field]


def test_prices_and_models_match() -> None:
    """Every model with a price of the published shape has it for its default length, and each resolution a share."""
    entries = catalogue.shipped().entries.values()
    models = {entry.model.id: entry.model for entry in entries if isinstance(entry.prices[0], PublishedPrice)}

    assert models.keys() == price_list.PRICES.keys()
    for model in models.values():
        assert price_list.PRICES[model.id].default_seconds == model.default_seconds
        assert set(model.resolutions) <= price_list.RESOLUTION_PERCENT.keys()


def test_markups_of_the_published_models() -> None:
    """The published list was made with a margin of 2.5 to 3 times the cost; other models may have any, also none."""
    assert all(250 <= price_list.PRICES[model_id].markup_percent <= 300 for model_id in PUBLISHED)


@given(st.sampled_from(list(price_list.PRICES)), st.integers(1, 100_000))
def test_estimated_cost_when_marked_up(model_id: str, total_credits: int) -> None:
    """The estimated cost times the markup is the price, to the rupiah."""
    markup = price_list.PRICES[model_id].markup_percent
    cost = estimated_cost_idr(model_id, total_credits)

    assert abs(cost * markup - total_credits * 50 * 100) <= markup


@given(st.integers(0, 10**12))
def test_idr_of_microusd_is_rounded_half_up(amount_microusd: int) -> None:
    """Dollars in whole rupiah, off by half a rupiah at most."""
    exact = Fraction(amount_microusd * price_list.IDR_PER_USD, 1_000_000)

    assert -Fraction(1, 2) < idr_of_microusd(amount_microusd) - exact <= Fraction(1, 2)
