from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from core.studio import stills

WIDTH, HEIGHT, SECONDS = 128, 72, 2.0


class Flat:
    """A picture of one colour."""

    def __init__(self, level: int) -> None:
        self._frame = np.full((HEIGHT, WIDTH, 3), level, np.uint8)

    def frame(self, t_seconds: float, /) -> NDArray[np.uint8]:
        return self._frame


@pytest.mark.parametrize("size", [(16, 16), (3000, 40), (40, 3000), (2400, 1600), (128, 72), (1, 1)])
def test_ken_burns_fills_the_frame_when_the_image_has_any_shape(tmp_path: Path, size: tuple[int, int]) -> None:
    """Cover, never letterbox: a white image leaves no dark border at any time."""
    path = tmp_path / "image.jpg"
    Image.new("RGB", size, "white").save(path)
    move = stills.KenBurns(path, width=WIDTH, height=HEIGHT, seconds=SECONDS, words="x")
    for t in (0.0, 1.0, SECONDS):
        frame = move.frame(t)
        assert frame.shape == (HEIGHT, WIDTH, 3)
        assert frame.min() > 250


def test_ken_burns_comes_nearer_when_closing(tmp_path: Path) -> None:
    """A disc in the middle grows towards the end, or shrinks when the camera draws back."""
    path = tmp_path / "image.jpg"
    image = Image.new("RGB", (640, 360), "black")
    image.paste("white", (280, 140, 360, 220))
    image.save(path)
    for closing in (True, False):
        move = stills.KenBurns(path, width=WIDTH, height=HEIGHT, seconds=SECONDS, words="x", closing=closing)
        grown = int(move.frame(SECONDS).sum()) > int(move.frame(0).sum())
        assert grown is closing


def test_ken_burns_turns_a_grey_image_upright(tmp_path: Path) -> None:
    """Orientation in EXIF is honoured and greyscale is accepted."""
    path = tmp_path / "image.jpg"
    image = Image.new("L", (72, 128), 0)
    image.paste(255, (0, 0, 72, 64))
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(path, exif=exif)
    frame = stills.KenBurns(path, width=WIDTH, height=HEIGHT, seconds=SECONDS, words="x").frame(0)
    assert frame[:, 100:].mean() > 240
    assert frame[:, :28].mean() < 15


def test_dissolve_goes_from_the_first_to_the_second() -> None:
    """Only the first before 40 %, only the second after 62 %, a growing mix of both between."""
    dissolve = stills.Dissolve(Flat(0), Flat(255), width=WIDTH, height=HEIGHT, seconds=SECONDS, words="x")
    means = [dissolve.frame(share * SECONDS).mean() for share in (0, 0.4, 0.45, 0.5, 0.55, 0.6, 0.62, 1)]
    assert means[0] == means[1] == 0
    assert means[-2] == means[-1] == 255
    assert means == sorted(means)
    middle = dissolve.frame(0.51 * SECONDS)
    assert middle.min() == 0
    assert middle.max() == 255


def test_light_leak_warms_the_picture_and_moves() -> None:
    """Light is only ever added, more red than blue, and it wanders."""
    leak = stills.LightLeak(Flat(60), width=WIDTH, height=HEIGHT, seconds=SECONDS, words="x")
    early, late = leak.frame(0.2).astype(int), leak.frame(1.8).astype(int)
    assert early.min() >= 59
    assert early[..., 0].mean() > early[..., 2].mean() + 1
    assert np.abs(early - late).max() > 3
