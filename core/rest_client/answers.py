"""What the client tells of models, prices, clips and spend: the part of the API's answers that scripts need.

The names are those of the API, in the manner of Python; what else an answer holds is left out.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

ENDED = ("completed", "failed", "cancelled")
UNCERTAIN = "uncertain"
AWAITING_APPROVAL = "approval"
"""The stage of what waits for a manager."""


class Shape(BaseModel):
    """Base of what is told."""

    model_config = ConfigDict(frozen=True)

    @classmethod
    def of(cls, found: Mapping[str, Any], **more: Any) -> Self:
        """From an object of the API, and what stands elsewhere."""
        named = {name: found[to_camel(name)] for name in cls.model_fields if to_camel(name) in found}
        return cls.model_validate(named | more)


class Model(Shape):
    """A model: what it makes, and what it costs in its usual length. One that is not `orderable` cannot be ordered."""

    id: str
    name: str
    provider: str
    description: str
    base_credits: int
    orderable: bool
    default_duration: int
    durations: list[int]
    resolutions: list[str]
    aspect_ratios: list[str]
    supports_text_to_video: bool
    supports_image_to_video: bool
    supports_audio_generation: bool
    prompt_limit_chars: int
    limits: list[str]

    @classmethod
    def of(cls, found: Mapping[str, Any], **more: Any) -> Self:
        """From one of the API's models."""
        return super().of(found, orderable=found["configured"] and found["state"] == "available", **more)


class Wanted(Shape):
    """A clip to be made; what is left out is what the model usually does.

    The same wish is the same clip, however often it is ordered.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: Annotated[str, Field(description="The id of a model.")]
    prompt: Annotated[str, Field(description="What the clip shows.")]
    project: Annotated[
        str, Field(description="Name or id of a project; a name that there is none of makes one with the order.")
    ]
    duration: Annotated[int | None, Field(description="Seconds; null: the model's usual length.")] = None
    resolution: Annotated[str | None, Field(description="Such as 720p; null: 720p where the model has it.")] = None
    aspect_ratio: Annotated[str | None, Field(description="Such as 16:9; null: the model's first.")] = None
    negative_prompt: Annotated[str, Field(description="What must not be in it.")] = ""
    audio: Annotated[bool, Field(description="With sound, where the model makes it.")] = False
    seed: Annotated[int | None, Field(description="The same number makes similar clips.")] = None
    start_image: Annotated[str | None, Field(description="The filePath that the API gave for an image.")] = None
    end_image: Annotated[str | None, Field(description="The same, for the last picture.")] = None
    take: Annotated[int, Field(description="2, 3, ... are further clips of the very same wish.")] = 1


class Quote(Shape):
    """What a clip would cost; with `credits` and `confirmation` just this is ordered, and nothing else.

    There is no `confirmation` for what cannot be made: `reasons` say why.
    """

    wanted: Wanted
    model_name: str
    credits: int
    breakdown: dict[str, int]
    idr: int
    available_credits: int
    reasons: list[str]
    confirmation: str | None


class Ordered(Shape):
    """A clip that was ordered; `is_repeat` says that an earlier order had made it, and this one nothing.

    One that is `awaiting_approval` is made once a manager has approved it, within a week or not at all.
    """

    id: str
    status: str
    credits: int
    is_repeat: bool
    awaiting_approval: bool = False


class Clip(Shape):
    """A clip as it is now. `progress` is a percentage; `ended` says that nothing more happens to it.

    One whose `stage` is `approval` waits for a manager to approve it.

    `video_url` opens the file without a token for an hour at least, unless people sign in there.
    """

    id: str
    project_id: str
    status: str
    stage: str
    ended: bool
    progress: int
    model_id: str
    prompt: str
    resolution: str
    duration: int
    aspect_ratio: str
    credits: int
    created_at: datetime
    video_url: str | None
    error_code: str | None
    error_message: str | None
    size_bytes: int | None
    sha256: str | None

    @classmethod
    def of(cls, found: Mapping[str, Any], **more: Any) -> Self:
        """From one of the API's generations."""
        file = found.get("file") or {}
        return super().of(
            found,
            ended=found["status"] in ENDED,
            credits=found["creditUsed"],
            size_bytes=file.get("sizeBytes"),
            sha256=file.get("sha256"),
            **more,
        )


class Progress(Shape):
    """How far a clip is."""

    status: str
    progress: int
    awaiting_approval: bool = False

    @property
    def is_at_rest(self) -> bool:
        """Whether waiting longer is of no use: it has ended, or a person has to decide about it."""
        return self.awaiting_approval or self.status in (*ENDED, UNCERTAIN)


class ModelSpend(Shape):
    """What was charged for the clips of one model."""

    model_id: str
    completed: int
    failed: int
    settled_credits: int


class Spend(Shape):
    """What can be spent, what is reserved, and what was charged between two days (UTC, both included)."""

    available_credits: int
    held_credits: int
    since: date
    until: date
    charged_credits: int
    charged_idr: int
    completed: int
    failed: int
    models: list[ModelSpend]
