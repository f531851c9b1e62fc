"""What a model can make, in the words that all vendors share; facts alone, read from files and never decided here."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

RESOLUTION_LINES: Mapping[str, int] = {"2K": 1440, "4K": 2160}
"""Names of resolutions that do not say their shorter side themselves, as `720p` does -> that side in pixels."""
_LINES = re.compile(r"([1-9][0-9]{1,3})p")
_RATIO = re.compile(r"([1-9][0-9]?):([1-9][0-9]?)")


def lines_of(resolution: str) -> int:
    """The shorter side in pixels that a resolution such as `720p` or `4K` stands for; ValueError for no resolution."""
    if resolution in RESOLUTION_LINES:
        return RESOLUTION_LINES[resolution]
    if named := _LINES.fullmatch(resolution):
        return int(named[1])
    raise ValueError(f"'{resolution}' is no resolution, as 720p or 4K is.")


def plain_frame_size(resolution: str, aspect_ratio: str) -> tuple[int, int]:
    """(width, height) in pixels where a model names no size of its own: the shorter side names the resolution.

    The longer one is rounded to an even number, as video codecs need it. ValueError for what is no resolution or ratio.
    """
    lines, shape = lines_of(resolution), _RATIO.fullmatch(aspect_ratio)
    if shape is None:
        raise ValueError(f"'{aspect_ratio}' is no aspect ratio, as 16:9 is.")
    across, up = int(shape[1]), int(shape[2])
    longer = 2 * round(lines * max(across, up) / min(across, up) / 2)
    return (longer, lines) if across >= up else (lines, longer)


@dataclass(frozen=True, slots=True)
class Condition:
    """What one field of an order has to be: one of `values`, or a figure from `at_least` to `at_most`, or as another.

    For things that are given or not (`start`, `end`) and for counts (`images`) at least 1 means given, at most 0 not.
    """

    values: tuple[str | int, ...] = ()
    at_least: int | None = None
    at_most: int | None = None
    same_as: str = ""


@dataclass(frozen=True, slots=True)
class CapabilityRule:
    """When all of `when` hold, all of `then` must hold; `sentence` says so to people.

    `id` is what programs know it by; without one it is named after its place among the model's rules.
    """

    when: Mapping[str, Condition]
    then: Mapping[str, Condition]
    sentence: str
    id: str = ""


@dataclass(frozen=True, slots=True)
class VideoModel:
    """What one model of one provider can really make; the form and the capability check read only this.

    `durations` are all whole seconds it can make, ascending. `upstream_id` is the vendor's own name for it.
    `typical_seconds` is a first guess of how long one takes, used until there is a history;
    `deadline_seconds` ends the wait. An image is sent as a JPEG of `image_max_bytes` at most, by itself less than 5 MB
    also as base64, with no side shorter than `image_min_side` or longer than `image_max_side` pixels and none more than
    `image_max_ratio` times the other; with `image_exact` a start or end image has the very size of the clip.
    `sizes` are exact frame sizes in pixels, (width, height) by "RESOLUTION RATIO", where the plain ones are wrong.
    `always_audio`: every clip has sound, there is no choice. `frame_rates` are the choices of frames a second, none
    where the model decides. `reference_images`, `reference_videos` and `reference_sounds` are how many it takes at
    most, `reference_roles` what each may stand for. `reference_tag` is what the vendor calls one in a prompt, with its
    `kind`, its `number` among these, from 1, or its `index`, from 0; `mention` is what it reads in place of a person's
    `name` for several: that and their tags, the `references`. `rules` say what does not go together, in the fields of
    `core.providers.constraints`; `further` are fields of the model's own that they speak of, each with its values, of
    which an order has the first. `options` are facts that only the vendor's adapter reads.
    `ignores_negative_prompt`: one may come along and has no effect, so it is not refused. `limits` are sentences on
    what the model does not honour. `published_seconds` is the longest clip that the published price list names, where
    its vendor has been found to offer less.
    """

    id: str
    name: str
    provider: str
    description: str
    default_seconds: int
    durations: tuple[int, ...]
    resolutions: tuple[str, ...]
    aspect_ratios: tuple[str, ...]
    upstream_id: str = ""
    text_to_video: bool = True
    start_image: bool = False
    end_image: bool = False
    end_image_needs_start: bool = False
    image_max_bytes: int = 3_700_000
    image_min_side: int = 0
    image_max_side: int | None = None
    image_max_ratio: float | None = None
    image_exact: bool = False
    reference_images: int = 0
    reference_videos: int = 0
    reference_sounds: int = 0
    reference_roles: tuple[str, ...] = ()
    reference_tag: str = "{kind} {number}"
    mention: str = "{name} ({references})"
    seed: bool = False
    frame_rates: tuple[int, ...] = ()
    negative_prompt: bool = False
    ignores_negative_prompt: bool = False
    audio: bool = False
    always_audio: bool = False
    prompt_enhancement: bool = False
    prompt_limit_chars: int = 2000
    typical_seconds: int = 90
    deadline_seconds: int = 1800
    limits: tuple[str, ...] = ()
    published_seconds: int | None = None
    sizes: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    rules: tuple[CapabilityRule, ...] = ()
    further: Mapping[str, tuple[str | int, ...]] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)

    def __hash__(self) -> int:
        return hash((self.provider, self.id))

    def frame_size(self, resolution: str, aspect_ratio: str) -> tuple[int, int]:
        """(width, height) in pixels of a clip; ValueError for what is no resolution or ratio."""
        return self.sizes.get(f"{resolution} {aspect_ratio}") or plain_frame_size(resolution, aspect_ratio)

    @property
    def max_seconds(self) -> int:
        """The longest clip of the published list, else the longest it can make."""
        return self.published_seconds or self.durations[-1]

    @property
    def deadline(self) -> timedelta:
        """How long a job of this model is waited for."""
        return timedelta(seconds=self.deadline_seconds)
