"""Chooses the scene for a look."""

from core.demo_studio.canvas import Scene, Size
from core.demo_studio.landscape import Landscape
from core.demo_studio.reading import Look


def choose(look: Look, size: Size, seconds: float) -> Scene:
    """The scene of a clip that lasts `seconds`."""
    return Landscape(size, look, seconds)
