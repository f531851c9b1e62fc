from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.catalog import rules
from core.catalog.adaptation import Adjustment, adapt, nearest_ratio
from core.providers import registry
from core.spec import FIELDS
from tests.factories.generations import build_spec

IMAGE = "images/ab/x.jpg"


def test_fit_when_everything_fits() -> None:
    """What another model can make as it is stays as it is, but for the model."""
    wanted = build_spec(model_id="demo-film", resolution="1080p", duration_seconds=10, start_image_key=IMAGE)
    fitted = adapt(wanted, registry.model("kling-2.5"))

    assert fitted.changes == ()
    assert fitted.spec == replace(wanted, model_id="kling-2.5")


@pytest.mark.parametrize(
    ("model_id", "changes", "expected"),
    [
        ("veo3", {"duration_seconds": 10}, Adjustment("duration_seconds", 10, 8)),
        ("kling-2.5", {"duration_seconds": 7}, Adjustment("duration_seconds", 7, 5)),
        ("kling-2.5", {"duration_seconds": 8}, Adjustment("duration_seconds", 8, 10)),
        ("kling-2.5", {"resolution": "4K"}, Adjustment("resolution", "4K", "720p")),
        ("nova-reel", {"aspect_ratio": "9:16", "duration_seconds": 6}, Adjustment("aspect_ratio", "9:16", "16:9")),
        ("seedance-t2v", {"start_image_key": IMAGE}, Adjustment("start_image_key", IMAGE)),
        ("kling-2.5", {"start_image_key": IMAGE, "end_image_key": IMAGE}, Adjustment("end_image_key", IMAGE)),
        ("fal-kling-2.5-turbo", {"end_image_key": IMAGE}, Adjustment("end_image_key", IMAGE)),
        ("kling-2.5", {"negative_prompt": "rain"}, Adjustment("negative_prompt", "rain")),
        ("kling-2.5", {"generate_audio": True}, Adjustment("generate_audio", True)),
        ("demo-film", {"enhance_prompt": True}, Adjustment("enhance_prompt", True)),
    ],
)
def test_fit_when_one_thing_does_not(model_id: str, changes: dict[str, Any], expected: Adjustment) -> None:
    """What cannot stay becomes the nearest the model makes, or is left out, and nothing else changes."""
    assert adapt(build_spec(**changes), registry.model(model_id)).changes == (expected,)


@given(
    model=st.sampled_from(registry.models()),
    resolution=st.sampled_from(["480p", "720p", "1080p", "4K"]),
    seconds=st.integers(1, 30),
    ratio=st.sampled_from(["16:9", "9:16", "1:1", "4:3"]),
    flags=st.tuples(st.booleans(), st.booleans(), st.booleans(), st.booleans()),
)
def test_fit_gives_what_the_model_can_make(model, resolution, seconds, ratio, flags) -> None:  # type: ignore[no-untyped-def]  # drawn
    """A fitted order is refused for nothing but an image the model needs and nobody gave; fitting again is a no-op."""
    start, end, audio, enhance = flags
    wanted = build_spec(
        resolution=resolution,
        duration_seconds=seconds,
        aspect_ratio=ratio,
        negative_prompt="rain",
        start_image_key=IMAGE if start else None,
        end_image_key=IMAGE if end else None,
        generate_audio=audio,
        enhance_prompt=enhance,
    )
    fitted = adapt(wanted, model)
    refused = rules.check(model, fitted.spec)

    assert set(refused) <= ({"startImagePath"} if not model.text_to_video and not start else set())
    assert adapt(fitted.spec, model).changes == ()
    assert {change.field for change in fitted.changes} == {
        name for name in FIELDS if getattr(fitted.spec, name) != getattr(wanted, name)
    } - {"model_id"}


@pytest.mark.parametrize(
    ("width", "height", "expected"),
    [(1080, 1920, "9:16"), (1920, 1080, "16:9"), (1000, 1010, "1:1"), (4000, 2800, "16:9"), (1, 9000, "9:16")],
)
def test_ratio_nearest_to_a_picture(width: int, height: int, expected: str) -> None:
    """A picture goes with the ratio of its own shape, whichever of its sides is the longer one."""
    assert nearest_ratio(["16:9", "1:1", "9:16"], width, height) == expected


def test_ratio_where_none_is_one_of_figures() -> None:
    """A word such as `auto` is left to the model."""
    assert nearest_ratio(["auto"], 10, 10) is None
    assert nearest_ratio(["auto", "1:1", "0:1"], 100, 10) == "1:1"
