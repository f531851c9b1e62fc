from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.generations import conformance
from core.providers.contract import FRAME_SIZES

ASKED: dict[str, Any] = {"resolution": "720p", "aspect_ratio": "16:9", "duration_seconds": 5, "generate_audio": True}
FACTS: dict[str, Any] = {"width": 1280, "height": 720, "duration_seconds": 5.04, "audio_codec": "aac"}


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({}, []),
        ({"width": 1284, "height": 716}, []),
        ({"width": 864, "height": 480}, ["720p"]),
        ({"width": 720, "height": 1280}, ["16:9"]),
        ({"duration_seconds": 4.2}, ["5 s"]),
        ({"audio_codec": None}, ["sound"]),
        ({"width": 1920, "height": 1080, "duration_seconds": 10.0}, ["720p", "5 s"]),
    ],
)
def test_gaps_when_delivered(facts: dict[str, Any], words: list[str]) -> None:
    """Each difference that a person would notice is one sentence that names what was asked."""
    found = conformance.deviations(**ASKED, facts=FACTS | facts)

    assert len(found) == len(words)
    assert all(word in sentence for word, sentence in zip(words, found, strict=True))


@given(st.sampled_from(list(FRAME_SIZES)), st.integers(1, 16))
def test_gaps_when_exactly_as_asked(pair: tuple[str, str], seconds: int) -> None:
    """A clip of exactly the asked size and length has no gap."""
    width, height = FRAME_SIZES[pair]
    facts = {"width": width, "height": height, "duration_seconds": float(seconds), "audio_codec": None}

    assert (
        conformance.deviations(
            resolution=pair[0], aspect_ratio=pair[1], duration_seconds=seconds, generate_audio=False, facts=facts
        )
        == []
    )
