"""What a clip shall be, as one value: whatever prices, checks, sends, stores or repeats an order takes it; pure."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields, replace
from operator import attrgetter
from typing import Any, NamedTuple, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipSettings:
    """What is seen and heard, in words and figures that anybody may know: they are ordered, and told to a provider."""

    prompt: str = ""
    negative_prompt: str = ""
    resolution: str
    duration_seconds: int
    aspect_ratio: str
    generate_audio: bool = False
    enhance_prompt: bool = False
    seed: int | None = None
    fps: int | None = None


MAX_SEED = 2**32 - 1
"""The largest number that every vendor that takes a seed takes."""


class Reference(NamedTuple):
    """Something an order refers to besides its start and end image: an image, video or sound, and what it stands for.

    `key` is of its upload; `role` is one of the model's, empty where the model tells none apart.
    """

    kind: str
    role: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationSpec(ClipSettings):
    """What is ordered: the settings of one clip, under the names of their columns; image keys are of their uploads.

    A setting is added as one field with a default, here or above. It is then compared, stored, repeated and sent with
    the others: nobody else lists them.
    """

    model_id: str
    start_image_key: str | None = None
    end_image_key: str | None = None
    references: tuple[Reference, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "references", tuple(Reference(*each) for each in self.references))

    @classmethod
    def of(cls, row: object) -> Self:
        """The settings of anything that has them as attributes, such as a generation."""
        return cls(**settings_of(row))

    @classmethod
    def of_mapping(cls, stored: Mapping[str, Any]) -> Self:
        """The settings among stored values; what another version wrote and nobody knows today is left aside."""
        return cls(**{name: stored[name] for name in FIELDS if name in stored})

    def values(self) -> dict[str, Any]:
        """Every setting by its name."""
        return settings_of(self)

    def trimmed(self) -> Self:
        """The same without white space around the texts."""
        prompt, negative_prompt = self.prompt.strip(), self.negative_prompt.strip()
        if prompt == self.prompt and negative_prompt == self.negative_prompt:
            return self
        return replace(self, prompt=prompt, negative_prompt=negative_prompt)

    def without_media(self) -> Self:
        """The same without what belongs to the person who ordered."""
        return replace(self, **{name: DEFAULTS[name] for name in MEDIA_FIELDS})

    def digest(self, **more: str) -> str:
        """SHA-256 of these settings and of what else tells one request from another.

        It is stored and compared for years: a setting that came later counts only where it is not at its default, so
        that an order that does without it keeps the digest it always had.
        """
        counted = {
            name: value
            for name, value in self.values().items()
            if name in _ALWAYS_DIGESTED or value != DEFAULTS.get(name)
        }
        return hashlib.sha256(json.dumps(counted | more, sort_keys=True, ensure_ascii=True).encode()).hexdigest()


FIELDS = tuple(field.name for field in fields(GenerationSpec))
DEFAULTS: Mapping[str, Any] = {
    field.name: field.default for field in fields(GenerationSpec) if field.default is not MISSING
}
IMAGE_FIELDS = ("start_image_key", "end_image_key")
"""Images that are a setting each; handed to a provider as bytes."""

MEDIA_FIELDS = (*IMAGE_FIELDS, "references")
"""What belongs to the person who ordered: kept out of what is shared."""

_ALWAYS_DIGESTED = frozenset(
    {
        "model_id",
        "prompt",
        "negative_prompt",
        "resolution",
        "duration_seconds",
        "aspect_ratio",
        "start_image_key",
        "end_image_key",
        "generate_audio",
        "enhance_prompt",
    }
)
"""The settings of the first digests ever stored; closed."""

_values = attrgetter(*FIELDS)


def settings_of(row: object) -> dict[str, Any]:
    """Every setting by its name, of anything that has them as attributes."""
    return dict(zip(FIELDS, _values(row), strict=True))
