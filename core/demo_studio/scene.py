"""Chooses the scene for a look."""

from collections.abc import Mapping

from PIL import Image

from core.demo_studio.canvas import Scene, Size
from core.demo_studio.landscape import Landscape
from core.demo_studio.reading import Look


def choose(look: Look, size: Size, seconds: float, pictures: Mapping[str, Image.Image]) -> Scene:
    """The scene of a clip that lasts `seconds`, with the pictures it shall start from (`start`) or end with (`end`)."""
    return Landscape(size, look, seconds)
