import numpy as np
import pytest
from PIL import Image

from studio.chip import Chip

SIZES = [(128, 72), (64, 64), (720, 1280), (640, 640), (1280, 720)]


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_chip_lies_in_the_top_right_corner(width: int, height: int) -> None:
    """The chip is whole and where it is looked for, with light letters on a dark box."""
    chip = Chip(width=width, height=height)
    left, top, right, bottom = chip.box
    assert 0 <= left < right <= width
    assert 0 <= top < bottom < height / 2
    assert right > width * 0.9
    frame = Image.new("RGB", (width, height), (128, 128, 128))
    chip.paint(frame)
    levels = np.asarray(frame.crop(chip.box))
    assert levels.max() > 180
    assert levels.min() < 75
    assert (np.asarray(frame)[bottom:] == 128).all()
