"""What a model can make, for programs: the values of each field, and what does not go together."""

from typing import Annotated, Any, Self

from pydantic import Field

from core.api.schemas import fields, responses
from core.catalog import order_fields, rules
from core.providers import constraints
from core.providers.models import CapabilityRule, Condition, VideoModel


class FrameSize(responses.ApiModel):
    """Width and height of a clip in pixels."""

    resolution: fields.Resolution
    aspect_ratio: fields.AspectRatio
    width: Annotated[int, Field(examples=[1920])]
    height: Annotated[int, Field(examples=[1080])]


class References(responses.ApiModel):
    """How many references a model takes at most, and what each may stand for."""

    images: int
    videos: int
    sounds: int
    roles: list[str]


class ImageNeeds(responses.ApiModel):
    """What the vendor takes as an image; yours is made to fit, so no upload is refused for it.

    `maxBytes` of a JPEG; sides in pixels; `maxRatio` is the longer side by the shorter one; `exact`: cut to the very
    size of the clip.
    """

    max_bytes: int
    min_side: int
    max_side: int | None
    max_ratio: float | None
    exact: bool


class Domain(responses.ApiModel):
    """All values that a field can have, by its name in rules; `field` is what it is called in a body, if it is in one.

    Things that are given or not are 1 or 0, references and images are counted; `fps` 0: the model decides.
    """

    name: Annotated[str, Field(examples=["seconds"])]
    field: Annotated[str | None, Field(examples=["duration"])]
    values: Annotated[list[str | int], Field(examples=[[5, 10]])]


class ConditionShape(responses.ApiModel):
    """What a field has to be: one of `values`, or a figure from `atLeast` to `atMost`, or the same as another field."""

    values: Annotated[list[str | int] | None, Field(examples=[["1080p"]])]
    at_least: Annotated[int | None, Field(examples=[None])]
    at_most: Annotated[int | None, Field(examples=[None])]
    same_as: Annotated[str | None, Field(examples=[None])]

    @classmethod
    def of(cls, condition: Condition) -> Self:
        """The shape of a condition."""
        return cls(
            values=list(condition.values) or None,
            at_least=condition.at_least,
            at_most=condition.at_most,
            same_as=condition.same_as or None,
        )


class Rule(responses.ApiModel):
    """When all of `when` hold, all of `then` must hold; a refused order names the `id`.

    `visuals` are images and videos together, `references` these and sounds.
    """

    id: Annotated[str, Field(examples=["short-at-1080p"])]
    when: dict[str, ConditionShape]
    then: dict[str, ConditionShape]
    sentence: Annotated[str, Field(examples=["At 1080p a clip has 6 seconds."])]

    @classmethod
    def of(cls, model: VideoModel, rule: CapabilityRule) -> Self:
        """The shape of a model's rule."""
        return cls(
            id=rule.id,
            when={name: ConditionShape.of(condition) for name, condition in rule.when.items()},
            then={name: ConditionShape.of(condition) for name, condition in rule.then.items()},
            sentence=str(order_fields.sentence(model, rule)),
        )


class Constraints(responses.ApiModel):
    """What an order is judged by: first each field by its domain, then the fields together by the rules."""

    domains: list[Domain]
    rules: list[Rule]


class Abilities(responses.ApiModel):
    """What a model can make, beside its published fields."""

    always_audio: bool
    seed: bool
    frame_rates: Annotated[list[int], Field(examples=[[24, 30]])]
    frame_sizes: list[FrameSize]
    references: References
    image_needs: ImageNeeds
    constraints: Constraints


def abilities(model: VideoModel) -> dict[str, Any]:
    """The fields of `Abilities`, by their names, of a model."""
    known = constraints.constraints(model)
    return {
        "always_audio": model.always_audio,
        "seed": model.seed,
        "frame_rates": list(model.frame_rates),
        "frame_sizes": [
            FrameSize(resolution=resolution, aspect_ratio=ratio, width=width, height=height)
            for resolution in model.resolutions
            for ratio in model.aspect_ratios
            for width, height in [model.frame_size(resolution, ratio)]
        ],
        "references": References(
            images=model.reference_images,
            videos=model.reference_videos,
            sounds=model.reference_sounds,
            roles=list(model.reference_roles),
        ),
        "image_needs": ImageNeeds(
            max_bytes=model.image_max_bytes,
            min_side=model.image_min_side,
            max_side=model.image_max_side,
            max_ratio=model.image_max_ratio,
            exact=model.image_exact,
        ),
        "constraints": Constraints(
            domains=[
                Domain(name=name, field=rules.FIELD_NAMES.get(name), values=list(values))
                for name, values in known.domains.items()
            ],
            rules=[Rule.of(model, rule) for rule in known.rules],
        ),
    }
