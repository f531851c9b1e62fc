"""What vendors take, worked out by hand from their own prices; a million is one dollar."""

from collections.abc import Mapping
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.billing.quote import idr_of_microusd
from core.catalog import catalogue, costs
from core.catalog.records import Cost, Sure
from core.providers.models import VideoModel
from core.spec import Reference
from tests.factories.generations import build_spec

SINCE = datetime(2026, 11, 28, tzinfo=UTC)
MODEL = VideoModel(
    "any", "Any", "anybody", "", 5, tuple(range(1, 31)), ("720p", "1080p"), ("16:9",), typical_seconds=90
)
ALWAYS_SOUND = VideoModel("any", "Any", "anybody", "", 5, (5,), ("720p",), ("16:9",), always_audio=True)
IMAGE = "images/ab/x.jpg"
SEEDANCE_2 = {"per_million_tokens": {"720p": 7_000_000, "1080p": 7_700_000}}
SEEDANCE_15 = {"per_million_tokens": {"any": 1_200_000, "720p sound": 2_400_000}}
KLING_3 = {"per_second": {"1080p": 112_000, "1080p sound": 168_000}}
GROK = {"per_second": {"1080p": 250_000}, "per_image": 10_000}


def references(number: int) -> list[Reference]:
    """So many images to refer to."""
    return [Reference("image", "", f"images/ab/{place}.jpg") for place in range(number)]


def cost(**figures: Any) -> Cost:
    """A vendor's price with these figures."""
    return Cost(SINCE, "its page", Sure.VENDOR, **figures)


@pytest.mark.parametrize(
    ("figures", "settings", "microusd", "idr"),
    [
        # 1280 * 720 * 121 / 1024 = 108,900 tokens; 1920 * 1080 * 121 / 1024 = 245,025.
        (SEEDANCE_2, {}, 762_300, 12_578),
        (SEEDANCE_2, {"resolution": "1080p"}, 1_886_693, 31_130),
        ({"per_million_tokens": {"any": 5_600_000}}, {}, 609_840, 10_062),
        ({"per_million_tokens": {"any": 4_200_000}}, {}, 457_380, 7_547),
        (SEEDANCE_15, {}, 130_680, 2_156),
        (SEEDANCE_15, {"generate_audio": True}, 261_360, 4_312),
        # 12 frames a second: 1280 * 720 * 61 / 1024 = 54,900 tokens.
        (SEEDANCE_2 | {"frames_per_second": 12}, {}, 384_300, 6_341),
        (SEEDANCE_2, {"fps": 12}, 384_300, 6_341),
        (KLING_3, {"resolution": "1080p"}, 560_000, 9_240),
        (KLING_3, {"resolution": "1080p", "generate_audio": True}, 840_000, 13_860),
        ({"per_second": {"720p": 70_000}}, {}, 350_000, 5_775),
        # Two of seven references are charged for.
        (
            {"per_second": {"any": 130_000}, "per_reference": 40_000, "free_references": 5},
            {"references": references(7)},
            730_000,
            12_045,
        ),
        ({"per_clip": {"720p 6": 280_000, "720p 10": 560_000}}, {"duration_seconds": 10}, 560_000, 9_240),
        (
            {"per_clip": {"720p 5": 280_000, "720p sound 5": 300_000}},
            {"generate_audio": True},
            300_000,
            4_950,
        ),
        (GROK, {"resolution": "1080p", "duration_seconds": 12, "start_image_key": IMAGE}, 3_010_000, 49_665),
        (
            GROK,
            {"resolution": "1080p", "duration_seconds": 12, "start_image_key": IMAGE, "end_image_key": IMAGE},
            3_020_000,
            49_830,
        ),
        ({"per_second": {"any": 70_000, "any sound": 90_000}}, {"generate_audio": True}, 450_000, 7_425),
        ({"per_call": 200_000}, {"duration_seconds": 9}, 200_000, 3_300),
        ({"per_second": {"any": 280_000}, "minimum": 560_000}, {"duration_seconds": 1}, 560_000, 9_240),
        # An agent that adds 30 percent.
        ({"per_second": {"any": 100_000}, "factor_percent": 130}, {}, 650_000, 10_725),
        # Ninety seconds are the model's usual time.
        ({"per_gpu_second": 1_400}, {}, 126_000, 2_079),
        ({"per_call": 0}, {}, 0, 0),
    ],
)
def test_estimate_when_worked_by_hand(
    figures: Mapping[str, Any], settings: Mapping[str, Any], microusd: int, idr: int
) -> None:
    """Each way that vendors count in comes to what their own bill would say, in dollars and at 16,500 rupiah."""
    found = costs.estimate(cost(**figures), build_spec("any", **settings), MODEL)

    assert found == costs.Estimate(microusd, SINCE, "its page", Sure.VENDOR)
    assert idr_of_microusd(microusd, 16_500) == idr


@pytest.mark.parametrize(
    ("figures", "settings"),
    [
        (KLING_3, {"resolution": "4K"}),
        ({"per_second": {"720p sound": 5}}, {}),
        ({"per_clip": {"720p 6": 280_000}}, {"duration_seconds": 7}),
        ({"per_million_tokens": {"1080p": 7_700_000}}, {}),
    ],
)
def test_estimate_when_a_figure_is_missing(figures: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
    """What the vendor's price does not name is unknown, which is not the same as nothing."""
    assert costs.estimate(cost(**figures), build_spec("any", **settings), MODEL) is None


def test_estimate_when_there_is_always_sound() -> None:
    """A model that cannot do without sound costs what sound costs, whether it was asked for or not."""
    found = costs.estimate(cost(per_second={"720p": 1, "720p sound": 100_000}), build_spec("any"), ALWAYS_SOUND)
    assert found is not None
    assert found.microusd == 500_000


@pytest.mark.parametrize(
    ("figures", "used", "microusd"),
    [
        ({"per_gpu_second": 1_400}, Fraction("57.5"), 80_500),
        ({"per_second": {"any": 70_000}}, Fraction(6), 420_000),
        (SEEDANCE_2, Fraction(100_000), 700_000),
        ({"per_call": 200_000}, Fraction(99), 200_000),
    ],
)
def test_estimate_when_the_use_is_known(figures: Mapping[str, Any], used: Fraction, microusd: int) -> None:
    """What was counted takes the place of what is computed from the order."""
    found = costs.estimate(cost(**figures), build_spec("any"), MODEL, used=used)
    assert found is not None
    assert found.microusd == microusd


@given(st.integers(1, 30), st.integers(0, 10**7), st.integers(100, 300))
def test_estimate_is_rounded_half_up(seconds: int, rate: int, factor: int) -> None:
    """An estimate is off by half a millionth of a dollar at most."""
    price = cost(per_second={"any": rate}, factor_percent=factor)
    found = costs.estimate(price, build_spec("any", duration_seconds=seconds), MODEL)
    assert found is not None
    assert -Fraction(1, 2) < found.microusd - Fraction(seconds * rate * factor, 100) <= Fraction(1, 2)


def test_every_shipped_cost_covers_what_its_model_makes() -> None:
    """A model whose vendor's price is known has it for every size and length that it makes, with a source and a day."""
    for entry in catalogue.shipped().entries.values():
        model = entry.model
        for price in entry.costs:
            assert price.source, f"{model.id}: where is its cost from?"
            for resolution in model.resolutions:
                for seconds in model.durations:
                    for sound in {False, model.audio}:
                        spec = build_spec(
                            model.id,
                            resolution=resolution,
                            duration_seconds=seconds,
                            aspect_ratio=model.aspect_ratios[0],
                            generate_audio=sound,
                        )
                        assert costs.estimate(price, spec, model), f"{model.id}: {resolution}, {seconds} s, {sound}"
