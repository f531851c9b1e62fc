"""Chooses the scene for a look."""

from collections.abc import Mapping

from PIL import Image

from core.demo_studio.canvas import Scene, Size
from core.demo_studio.landscape import Landscape
from core.demo_studio.pictures import Dissolve, Still
from core.demo_studio.reading import Look
from core.demo_studio.silk import Silk
from core.demo_studio.space import Space


def choose(look: Look, size: Size, seconds: float, pictures: Mapping[str, Image.Image]) -> Scene:
    """The scene of a clip that lasts `seconds`, with the pictures it shall start from (`start`) or end with (`end`)."""
    start, end = pictures.get("start"), pictures.get("end")
    if start is None and end is None:
        return _drawn(look, size, seconds)
    if end is None and start is not None:
        return Still(start, size, look, seconds, closer=True)
    first = _drawn(look, size, seconds) if start is None else Still(start, size, look, seconds, closer=True)
    if end is None:
        return first
    return Dissolve(first, Still(end, size, look, seconds, closer=False), size, look, seconds)


def _drawn(look: Look, size: Size, seconds: float) -> Scene:
    if look.kind == "space":
        return Space(size, look, seconds)
    if look.kind == "silk":
        return Silk(size, look)
    return Landscape(size, look, seconds)
