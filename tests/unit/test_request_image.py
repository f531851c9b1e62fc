"""The copy of an image that an order takes along: whatever was uploaded, its vendor takes it."""

import io
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from PIL import Image

from core import errors
from core.files import request_image
from core.providers import registry
from core.providers.contract import SourceImage
from core.providers.models import VideoModel, plain_frame_size
from tests.factories.models import FIFTEEN

WITH_IMAGE = [model for model in (*registry.models(), *FIFTEEN) if model.start_image or model.end_image]
MODELSLAB_MOST_BYTES = 5_000_000
USUAL_MOST_BYTES = 3_700_000

PAIRS = [
    (resolution, ratio)
    for resolution in ("480p", "720p", "1080p", "4K", "768p")
    for ratio in ("16:9", "9:16", "1:1", "4:3", "21:9")
]


@cache
def jpeg(width: int, height: int, *, grain: int = 40) -> bytes:
    """A photo as it is kept: a gradient with as much grain as this."""
    chance = np.random.default_rng(7)
    across, down = np.linspace(0, 200, width)[None, :, None], np.linspace(0, 55, height)[:, None, None]
    pixels = np.clip(across + down + chance.normal(0, grain, (height, width, 3)), 0, 255).astype(np.uint8)
    target = io.BytesIO()
    Image.fromarray(pixels).save(target, "JPEG", quality=92, subsampling=0)
    return target.getvalue()


def limits_of(model: VideoModel) -> dict[str, Any]:
    """What a model asks of its images, as `fitted` takes it."""
    return {
        "max_bytes": model.image_max_bytes,
        "min_side": model.image_min_side,
        "max_side": model.image_max_side,
        "max_ratio": model.image_max_ratio,
        "is_exact": model.image_exact,
    }


def assert_suits(made: bytes, frame: tuple[int, int], **limits: Any) -> None:
    """The copy is a JPEG within every limit."""
    image = Image.open(io.BytesIO(made))
    assert image.format == "JPEG"
    assert len(made) <= limits["max_bytes"]
    if limits.get("is_exact"):
        assert image.size == frame
        return
    assert min(image.size) >= limits.get("min_side", 0)
    assert max(image.size) <= (limits.get("max_side") or max(image.size))
    assert max(image.size) <= min(image.size) * (limits.get("max_ratio") or max(image.size))


@cache
def copy_of_photo(frame: tuple[int, int], **limits: Any) -> bytes:
    """The copy of a phone's photo; many models ask for the same."""
    return request_image.fitted(jpeg(4032, 3024), frame, **limits)


@pytest.mark.parametrize("model", WITH_IMAGE, ids=lambda model: model.id)
def test_photo_of_12_megapixels_suits_every_model(model: VideoModel) -> None:
    """A phone's photo fits each vendor's limits in each resolution; within a few megabytes also as a data URI."""
    assert len(jpeg(4032, 3024)) > MODELSLAB_MOST_BYTES
    for resolution in model.resolutions:
        frame = model.frame_size(resolution, model.aspect_ratios[0])
        made = copy_of_photo(frame, **limits_of(model))
        assert_suits(made, frame, **limits_of(model))
        if model.image_max_bytes <= USUAL_MOST_BYTES:
            assert len(SourceImage(made).data_url) <= MODELSLAB_MOST_BYTES


UNLIKE = list({tuple(limits_of(model).values()): model for model in WITH_IMAGE}.values())
"""A model for each set of limits."""


@pytest.mark.parametrize("size", [(32, 32), (32, 4096), (4096, 32), (1170, 2532), (500, 40)])
@pytest.mark.parametrize("model", UNLIKE, ids=lambda model: model.id)
def test_every_upload_suits_every_model(model: VideoModel, size: tuple[int, int]) -> None:
    """Also the smallest that is taken in, strips, and what a phone's screen shows: enlarged, made smaller, or cut."""
    frame = model.frame_size(model.resolutions[0], model.aspect_ratios[0])
    assert_suits(request_image.fitted(jpeg(*size), frame, **limits_of(model)), frame, **limits_of(model))


@settings(max_examples=60, deadline=None)
@given(
    width=st.integers(32, 1600),
    height=st.integers(32, 1600),
    frame=st.sampled_from(sorted({plain_frame_size(*pair) for pair in PAIRS})),
    max_bytes=st.integers(20_000, 400_000),
    min_side=st.sampled_from([0, 0, 128, 300]),
    max_side=st.none() | st.integers(300, 2000),
    max_ratio=st.none() | st.floats(1, 4),
    is_exact=st.just(False),
)
def test_any_image_fits_any_limit(width: int, height: int, frame: tuple[int, int], **limits: Any) -> None:
    """Bytes, sides and ratio are within the limits, twice gives the same, and only a limit changes size or shape."""
    enlarged = limits["min_side"] / min(width, height)
    assume(width * height * enlarged**2 <= 15 * limits["max_bytes"])  # else no JPEG of such sides is so small
    data = jpeg(width, height)
    made = request_image.fitted(data, frame, **limits)
    image = Image.open(io.BytesIO(made))
    assert_suits(made, frame, **limits)
    assert made == request_image.fitted(data, frame, **limits)
    if not limits["min_side"]:
        assert image.width <= width
        assert image.height <= height
    if limits["max_ratio"] is None and not limits["min_side"]:
        assert abs(image.width * height - image.height * width) <= 3 * max(width, height)


def test_image_is_cut_in_the_middle() -> None:
    """Of a strip that no vendor takes, the middle goes along; it is never stretched."""
    strip = Image.new("RGB", (900, 100), "black")
    strip.paste((255, 255, 255), (400, 0, 500, 100))
    target = io.BytesIO()
    strip.save(target, "JPEG", quality=95)
    made = Image.open(io.BytesIO(request_image.fitted(target.getvalue(), (1280, 720), max_bytes=10**6, max_ratio=2)))
    assert made.size == (200, 100)
    across = [made.convert("L").getpixel((x, 50)) for x in (20, 100, 180)]
    assert [int(str(light)) > 128 for light in across] == [False, True, False]


def test_image_that_suits_goes_as_it_is() -> None:
    """What is small enough keeps the quality in which it is kept."""
    data = jpeg(1280, 720, grain=5)
    assert request_image.fitted(data, (1280, 720), max_bytes=10**7) == data


def test_copy_still_fills_the_frame() -> None:
    """An image of another shape is made no smaller than a vendor needs that cuts it to the clip's shape."""
    made = request_image.fitted(jpeg(3000, 3000), (1920, 1080), max_bytes=10**7)
    assert Image.open(io.BytesIO(made)).size == (1920, 1920)


@pytest.mark.parametrize(("width", "height"), [(3000, 1000), (400, 900), (1280, 720), (640, 360)])
def test_exact_copy_has_the_size_of_the_clip(width: int, height: int) -> None:
    """It is cut in the middle, never stretched, and enlarged where it has to be."""
    made = request_image.fitted(jpeg(width, height), (1280, 720), max_bytes=10**6, is_exact=True)
    assert Image.open(io.BytesIO(made)).size == (1280, 720)


@pytest.mark.parametrize("data", [b"", b"no image", jpeg(64, 64)[:-200]])
def test_damaged_file_is_refused(data: bytes) -> None:
    """A kept image that can no longer be read ends the order with a reason, not the worker."""
    with pytest.raises(errors.MediaRejected):
        request_image.fitted(data, (1280, 720), max_bytes=10**6)
