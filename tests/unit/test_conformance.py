from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.generations import conformance
from core.messages import plain
from core.providers.models import plain_frame_size
from tests.factories.generations import build_spec

ASKED = build_spec(generate_audio=True)
FACTS: dict[str, Any] = {"width": 1280, "height": 720, "duration_seconds": 5.04, "audio_codec": "aac"}

PAIRS = [
    (resolution, ratio)
    for resolution in ("480p", "720p", "1080p", "4K", "768p")
    for ratio in ("16:9", "9:16", "1:1", "4:3", "21:9")
]


@pytest.mark.parametrize(
    ("facts", "codes"),
    [
        ({}, []),
        ({"width": 1284, "height": 716}, []),
        ({"width": 864, "height": 480}, ["other_size"]),
        ({"width": 720, "height": 1280}, ["other_shape"]),
        ({"duration_seconds": 4.2}, ["other_length"]),
        ({"audio_codec": None}, ["no_sound"]),
        ({"width": 1920, "height": 1080, "duration_seconds": 10.0}, ["other_size", "other_length"]),
    ],
)
def test_gaps_when_delivered(facts: dict[str, Any], codes: list[str]) -> None:
    """Each difference that a person would notice is one message."""
    found = conformance.deviations(ASKED, FACTS | facts)

    assert [gap.code for gap in found] == codes


def test_gaps_when_no_size_is_known() -> None:
    """A clip of a model that is gone and had names of its own for sizes is delivered; length and sound are compared."""
    facts = FACTS | {"duration_seconds": 4.2}
    assert [gap.code for gap in conformance.deviations(replace(ASKED, resolution="Large"), facts)] == ["other_length"]
    assert [gap.code for gap in conformance.deviations(replace(ASKED, aspect_ratio="wide"), facts)] == ["other_length"]


def test_gaps_come_back_from_the_facts_they_were_kept_with() -> None:
    """They are kept as messages and in English; older facts have the English alone."""
    gaps = conformance.deviations(ASKED, FACTS | {"duration_seconds": 4.2, "audio_codec": None})
    facts = conformance.to_facts(gaps)

    assert facts["gaps"] == ["Asked for 5 s, delivered 4.2 s.", "Asked for sound, delivered without."]
    assert conformance.from_facts(facts) == gaps
    assert conformance.from_facts({"gaps": facts["gaps"]}) == [plain(text) for text in facts["gaps"]]
    assert conformance.from_facts({}) == []


@given(st.sampled_from(PAIRS), st.integers(1, 16))
def test_gaps_when_exactly_as_asked(pair: tuple[str, str], seconds: int) -> None:
    """A clip of exactly the asked size and length has no gap."""
    width, height = plain_frame_size(*pair)
    facts = {"width": width, "height": height, "duration_seconds": float(seconds), "audio_codec": None}

    asked = build_spec(resolution=pair[0], aspect_ratio=pair[1], duration_seconds=seconds)
    assert conformance.deviations(asked, facts) == []
