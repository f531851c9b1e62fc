"""Turns a prompt into a moving picture: chooses the scene; encodes nothing."""

from collections.abc import Callable, Mapping

from numpy.random import Generator

from studio import brief
from studio.kinetic import Kinetic
from studio.landscape import Landscape
from studio.noise import generator
from studio.picture import Picture, Shot
from studio.silk import Silk
from studio.space import Space

SCENES: Mapping[str, Callable[[brief.Brief, Generator, Shot], Picture]] = {
    "space": Space, "silk": Silk, "landscape": Landscape, "words": Kinetic,
}  # fmt: skip


def compose(shot: Shot, *, take: str = "") -> Picture:
    """Scene for a shot. Same arguments, same pictures to the byte; another `take` is another picture of the words."""
    read = brief.read(shot.prompt)
    return SCENES[read.kind](read, generator(f"{shot.prompt}\n{take}"), shot)
