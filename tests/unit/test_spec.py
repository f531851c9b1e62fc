from dataclasses import dataclass, replace

import pytest

from core.generations.submit import Order
from core.spec import GenerationSpec
from tests.factories.generations import build_spec

PROJECT = "0198a000-0000-7000-8000-000000000001"
PLAIN = build_spec()
PLAIN_REQUEST_HASH = "4b425ed38fe653fda3803b98fecc6ed1d7d4dc8b41d1f367b242e9945829c908"
FULL = build_spec(
    "kling-2.5",
    prompt="Danau \U0001f30a saat senja",
    negative_prompt="rain",
    resolution="1080p",
    duration_seconds=10,
    aspect_ratio="9:16",
    start_image_key="images/ab/x.jpg",
    end_image_key="images/ab/y.jpg",
    generate_audio=True,
    enhance_prompt=True,
)


@pytest.mark.parametrize(
    ("wanted", "request_hash", "recipe_hash"),
    [
        (
            PLAIN,
            PLAIN_REQUEST_HASH,
            "4b92061965ca06235bf302ee3950a1aaabf1478581057237292bdfc48774082d",
        ),
        (
            FULL,
            "fbd9981eccc052570899ba693276f2d9295ace0e1ced8552e3bc1a607bd4f4cf",
            "72898183ca979b4ae03efb764c7b1191a1f5a15a5fe281b9c50a0cfc82357d0c",
        ),
    ],
)
def test_digest_when_it_was_stored_long_ago(wanted: GenerationSpec, request_hash: str, recipe_hash: str) -> None:
    """The digests of an order are the ones that stand in databases everywhere."""
    order = Order(PROJECT, wanted)

    assert (order.digest(), order.recipe()) == (request_hash, recipe_hash)


@pytest.mark.parametrize(
    "changes",
    [
        {"model_id": "veo3"},
        {"prompt": "a lake"},
        {"negative_prompt": "rain"},
        {"resolution": "480p"},
        {"duration_seconds": 6},
        {"aspect_ratio": "1:1"},
        {"start_image_key": "images/ab/x.jpg"},
        {"end_image_key": "images/ab/x.jpg"},
        {"generate_audio": True},
        {"enhance_prompt": True},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_digest_when_a_setting_differs(changes: dict[str, object]) -> None:
    """Every setting makes another clip."""
    assert replace(PLAIN, **changes).digest() != PLAIN.digest()  # type: ignore[arg-type]  # a table of settings


def test_digest_when_it_is_for_another_project() -> None:
    """The same clip for another project is another request from the same recipe."""
    here, there = Order("p", PLAIN), Order("q", PLAIN)

    assert here.digest() != there.digest()
    assert here.recipe() == there.recipe()


def test_trimmed_when_there_is_white_space() -> None:
    """White space around the texts makes no other clip; without any, nothing is made anew."""
    spaced = replace(FULL, prompt=f" {FULL.prompt}\n", negative_prompt="\train ")

    assert spaced.trimmed() == FULL
    assert FULL.trimmed() is FULL


def test_of_mapping_when_written_by_another_version() -> None:
    """What nobody knows today is left aside, and what is missing is at its default."""
    stored = PLAIN.values() | {"mood": "calm"}
    del stored["generate_audio"]

    assert GenerationSpec.of_mapping(stored) == PLAIN


def test_of_when_something_has_the_settings() -> None:
    """Whatever has the settings as attributes gives a spec, whatever else it has."""

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Kept(GenerationSpec):
        name: str = "Reels"

    assert GenerationSpec.of(Kept(**FULL.values())) == FULL
