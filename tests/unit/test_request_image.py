"""The copy of an image that an order takes along: whatever was uploaded, its vendor takes it."""

import io
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from core import errors
from core.files import request_image
from core.providers import registry
from core.providers.contract import SourceImage, VideoModel, plain_frame_size

WITH_IMAGE = [model for model in registry.models() if model.start_image or model.end_image]
MODELSLAB_MOST_BYTES = 5_000_000

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


@cache
def copy_of_photo(frame: tuple[int, int], max_bytes: int, max_side: int | None, *, is_exact: bool) -> bytes:
    """The copy of a phone's photo; many models ask for the same."""
    return request_image.fitted(jpeg(4032, 3024), frame, max_bytes=max_bytes, max_side=max_side, is_exact=is_exact)


@pytest.mark.parametrize("model", WITH_IMAGE, ids=lambda model: model.id)
def test_photo_of_12_megapixels_suits_every_model(model: VideoModel) -> None:
    """A phone's photo fits each vendor's limits in each resolution, as a file and as a data URI."""
    assert len(jpeg(4032, 3024)) > MODELSLAB_MOST_BYTES
    for resolution in model.resolutions:
        frame = model.frame_size(resolution, model.aspect_ratios[0])
        made = copy_of_photo(frame, model.image_max_bytes, model.image_max_side, is_exact=model.image_exact)
        image = Image.open(io.BytesIO(made))
        assert len(made) <= model.image_max_bytes
        assert len(SourceImage(made).data_url) <= MODELSLAB_MOST_BYTES
        assert image.format == "JPEG"
        if model.image_exact:
            assert image.size == frame


@settings(max_examples=30, deadline=None)
@given(
    width=st.integers(32, 1600),
    height=st.integers(32, 1600),
    frame=st.sampled_from(sorted({plain_frame_size(*pair) for pair in PAIRS})),
    max_bytes=st.integers(20_000, 400_000),
    max_side=st.none() | st.integers(200, 2000),
)
def test_any_image_fits_any_limit(
    width: int, height: int, frame: tuple[int, int], max_bytes: int, max_side: int | None
) -> None:
    """Bytes and sides are within the limits, the shape stays, nothing is blown up, and twice gives the same."""
    data = jpeg(width, height)
    made = request_image.fitted(data, frame, max_bytes=max_bytes, max_side=max_side)
    image = Image.open(io.BytesIO(made))
    assert len(made) <= max_bytes
    assert max(image.size) <= (max_side or max(width, height))
    assert image.width <= width
    assert image.height <= height
    assert abs(image.width * height - image.height * width) <= 3 * max(width, height)
    assert made == request_image.fitted(data, frame, max_bytes=max_bytes, max_side=max_side)


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
