"""What can be found wrong with the picture or the sound of a delivered clip; says what, and looks at nothing."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Self


class FindingKind(StrEnum):
    """What is noticed about a clip; new ones go to the end, since their places are kept (see `mask`)."""

    BLACK = "black"
    """The picture is black where it should not be."""
    FROZEN = "frozen"
    """The picture stands still."""
    FLICKER = "flicker"
    """The brightness jumps up and down."""
    LETTERBOX = "letterbox"
    """Black bars above and below the picture, or left and right of it."""
    SILENT = "silent"
    """Sound was ordered, and none can be heard."""
    CLIPPED = "clipped"
    """The sound is cut off at its limit."""
    TOO_LOUD = "too_loud"
    TOO_QUIET = "too_quiet"
    OTHER_SHAPE = "other_shape"
    """Another aspect ratio than was ordered."""
    OTHER_SIZE = "other_size"
    """Another resolution than was ordered."""
    OTHER_LENGTH = "other_length"
    """Longer or shorter than was ordered."""


_PLACES: Mapping[FindingKind, int] = {kind: 1 << place for place, kind in enumerate(FindingKind)}


def mask(kinds: Iterable[FindingKind]) -> int:
    """Kinds as one number with a bit for each, as databases compare them; 0 for none."""
    found = 0
    for kind in kinds:
        found |= _PLACES[kind]
    return found


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was noticed: from when to when, in seconds of the clip, where it has a moment.

    `measured` is the figure behind it: for `flicker` flashes a second, for `letterbox` the share of the picture (0 to
    1) that the bars take, for what is too loud or too quiet LUFS, else None.
    """

    kind: FindingKind
    start_seconds: float | None = None
    end_seconds: float | None = None
    measured: float | None = None

    def to_json(self) -> dict[str, Any]:
        """As it is handed from one process to another, and kept."""
        return asdict(self)

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """A finding as it was kept. ValueError for a kind that this release does not know, or no number."""
        figures = [kept.get(name) for name in ("start_seconds", "end_seconds", "measured")]
        if not all(figure is None or math.isfinite(figure) for figure in figures):
            raise ValueError(f"{figures} are no figures")
        return cls(FindingKind(kept["kind"]), *figures)
