from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from studio import stills
from studio.picture import Picture, Shot

WIDTH, HEIGHT, SECONDS = 128, 72, 2.0
SHOT = Shot("x", WIDTH, HEIGHT, SECONDS)


Pixels = NDArray[np.int_]


class Flat:
    """A picture of one colour."""

    def __init__(self, level: int) -> None:
        self._frame = Image.new("RGB", (WIDTH, HEIGHT), (level, level, level))

    def frame(self, t_seconds: float, /) -> Image.Image:
        return self._frame


def drawn(picture: Picture, t_seconds: float) -> Pixels:
    """The frame of a picture as numbers, (height, width, 3)."""
    return np.asarray(picture.frame(t_seconds)).astype(int)


@pytest.mark.parametrize("size", [(16, 16), (3000, 40), (40, 3000), (2400, 1600), (128, 72), (1, 1)])
def test_ken_burns_fills_the_frame_when_the_image_has_any_shape(tmp_path: Path, size: tuple[int, int]) -> None:
    """Cover, never letterbox: a white image leaves no dark border at any time."""
    path = tmp_path / "image.jpg"
    Image.new("RGB", size, "white").save(path)
    move = stills.KenBurns(path, SHOT)
    for t in (0.0, 1.0, SECONDS):
        frame = drawn(move, t)
        assert frame.shape == (HEIGHT, WIDTH, 3)
        assert frame.min() > 250


def test_ken_burns_comes_nearer_when_closing(tmp_path: Path) -> None:
    """A disc in the middle grows towards the end, or shrinks when the camera draws back."""
    path = tmp_path / "image.jpg"
    image = Image.new("RGB", (640, 360), "black")
    image.paste("white", (280, 140, 360, 220))
    image.save(path)
    for closing in (True, False):
        move = stills.KenBurns(path, SHOT, closing=closing)
        grown = bool(drawn(move, SECONDS).sum() > drawn(move, 0).sum())
        assert grown is closing


def test_ken_burns_turns_a_grey_image_upright(tmp_path: Path) -> None:
    """Orientation in EXIF is honoured and greyscale is accepted."""
    path = tmp_path / "image.jpg"
    image = Image.new("L", (72, 128), 0)
    image.paste(255, (0, 0, 72, 64))
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(path, exif=exif)
    frame = drawn(stills.KenBurns(path, SHOT), 0)
    assert frame[:, 100:].mean() > 240
    assert frame[:, :28].mean() < 15


def test_dissolve_goes_from_the_first_to_the_second() -> None:
    """Only the first before 40 %, only the second after 62 %, a growing mix of both between."""
    dissolve = stills.Dissolve(Flat(0), Flat(255), SHOT)
    means = [drawn(dissolve, share * SECONDS).mean() for share in (0, 0.4, 0.45, 0.5, 0.55, 0.6, 0.62, 1)]
    assert means[0] == means[1] == 0
    assert means[-2] == means[-1] == 255
    assert means == sorted(means)
    middle = drawn(dissolve, 0.51 * SECONDS)
    assert middle.min() == 0
    assert middle.max() == 255
