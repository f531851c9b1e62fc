"""What the catalogue says of a model besides what it can make: what we ask, what the vendor takes, and its life; pure.

All of it is dated and append-only: an order keeps the price of its moment, and history is not counted anew. The same
tables stand in the files of shipped models, in a file of further vendors, and in what administrators change.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class PublishedPrice:
    """A price as the published list has it: `base_credits` for `default_seconds` at 720p, and surcharges as shares."""

    since: datetime
    base_credits: int
    default_seconds: int


@dataclass(frozen=True, slots=True)
class PerSecondPrice:
    """A price by the second: "RESOLUTION", or "RESOLUTION sound" where sound costs more -> credits a second.

    "any" stands for every resolution that has no rate of its own. At least `minimum_seconds` are charged.
    `image_credits` is of each start and end image, `reference_credits` of each reference after the first
    `free_references`. All may be 0: a model on own machines need cost nothing.
    """

    since: datetime
    credits_per_second: Mapping[str, int]
    minimum_seconds: int = 0
    image_credits: int = 0
    reference_credits: int = 0
    free_references: int = 0


Price = PublishedPrice | PerSecondPrice


class Sure(StrEnum):
    """How well a vendor's price is known."""

    VENDOR = "vendor"
    """The vendor's own page, list or software."""
    OTHERS = "others"
    """Somebody else who quotes it."""
    DERIVED = "derived"
    """Computed from what is known."""
    UNSURE = "unsure"


@dataclass(frozen=True, slots=True)
class Cost:
    """What the vendor takes for a clip, in millionths of a dollar; exactly one of the five ways is filled.

    Keys are "RESOLUTION", "RESOLUTION sound" (of `per_clip` with the seconds behind: "720p 5", "720p sound 5"), or
    "any". `per_million_tokens` counts width * height * (frames_per_second * seconds + 1) / 1024 tokens a clip.
    `per_gpu_second` is of the time that the job ran. On top: `per_image` for each start and end image, `per_reference`
    for each reference after `free_references`, `minimum` for a whole clip. `factor_percent` is what an agent adds.
    """

    since: datetime
    source: str
    sure: Sure = Sure.UNSURE
    per_second: Mapping[str, int] = field(default_factory=dict)
    per_clip: Mapping[str, int] = field(default_factory=dict)
    per_million_tokens: Mapping[str, int] = field(default_factory=dict)
    per_call: int | None = None
    per_gpu_second: int | None = None
    frames_per_second: int = 24
    per_image: int = 0
    per_reference: int = 0
    free_references: int = 0
    minimum: int = 0
    factor_percent: int = 100


class LifeState(StrEnum):
    """Whether a model can be ordered."""

    AVAILABLE = "available"
    WITHDRAWN = "withdrawn"
    """It has ended; it is shown with its successor, priced, and cannot be ordered."""
    HIDDEN = "hidden"
    """It is shown to nobody who has no clip of it."""


@dataclass(frozen=True, slots=True)
class Life:
    """Whether a model can be ordered from a moment on, why not, and which model comes after it."""

    since: datetime
    state: LifeState = LifeState.AVAILABLE
    successor: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class VendorId:
    """What the vendor calls a model from a moment on."""

    since: datetime
    upstream_id: str
