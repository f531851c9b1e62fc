"""What the API takes: the form of bodies and queries. What a model can make and a person may do, services judge."""

import re
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from core import validation
from core.api.schemas import fields
from core.db.enums import RejectReason, Scope, Status
from core.files.findings import FindingKind
from core.projects.projects import Sort
from core.providers.contract import MediaKind
from core.spec import MAX_SEED, GenerationSpec, Reference

DURATION_LIMIT_SECONDS = 1_000_000
PAGE_LIMIT = 200
WORD_LIMIT_CHARS = 200
MAX_REFERENCES = 100
ID_PATTERN = "^[0-9a-f-]{36}$"
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def _storable(value: str) -> str:
    if wrong := validation.text_error(value, limit_chars=WORD_LIMIT_CHARS):
        raise ValueError(wrong)
    return value


def _utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("This time is out of range.") from None


def _written(value: object) -> object:
    """Times are written out; a bare number would be taken for seconds since 1970."""
    if isinstance(value, str) and not _DAY.match(value):
        raise ValueError("Write the day as 2026-11-21 and a time as 2026-11-21T09:30:00Z.")
    return value


Word = Annotated[str, AfterValidator(_storable)]
ProjectId = Annotated[fields.Id, AfterValidator(_storable)]
ModelId = Annotated[fields.ModelId, AfterValidator(_storable)]
Resolution = Annotated[fields.Resolution, AfterValidator(_storable)]
AspectRatio = Annotated[fields.AspectRatio, AfterValidator(_storable)]
Seconds = Annotated[fields.ClipSeconds, Field(ge=1, le=DURATION_LIMIT_SECONDS)]
FilePath = Annotated[str, Field(min_length=1), AfterValidator(_storable)]
Moment = Annotated[AwareDatetime, BeforeValidator(_written), AfterValidator(_utc)]
Day = Annotated[date, BeforeValidator(_written)]
PageSize = Annotated[int, Field(ge=1, le=PAGE_LIMIT)]


class Body(BaseModel):
    """A JSON body: exact types and no unknown fields, since a misspelt or ignored one would be a silent mistake."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", strict=True, frozen=True)


class Changes(Body):
    """A body that changes something: what is absent stays, and so does what is null if `null_is_absent`."""

    null_is_absent: ClassVar[bool] = True

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if all(self.null_is_absent and getattr(self, name) is None for name in self.model_fields_set):
            names = (field.alias or name for name, field in type(self).model_fields.items())
            raise ValueError(f"Give at least one of: {', '.join(names)}.")
        return self


class Query(BaseModel):
    """A query string: text that is read as what it should be; no unknown names."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", frozen=True)


class NewProject(Body):
    """A project to create."""

    name: fields.Name
    description: fields.Description = ""


class ProjectChanges(Changes):
    """What to change of a project; what is absent or null stays."""

    name: fields.Name | None = None
    description: fields.Description | None = None
    archived: bool | None = None
    cost_centre: fields.CostCentre | None = None


class NewToken(Body):
    """A token to create; without `expiresAt` it is valid until it is revoked.

    It reaches one workspace of yours, or all of them where none is named, and orders for `capCredits` at most.
    """

    name: fields.Name
    scope: Annotated[Scope, Field(strict=False)] = Scope.GENERATE
    expires_at: Annotated[Moment, Field(strict=False)] | None = None
    workspace_id: Annotated[str, Field(pattern=ID_PATTERN)] | None = None
    cap_credits: Annotated[int, Field(examples=[10_000])] | None = None


class ProjectTransfer(Body):
    """The workspace that a project is to go to."""

    workspace_id: Annotated[fields.Id, Field(pattern=ID_PATTERN)]


class SpecFields(Body):
    """Base of every body that says what a clip shall be; a setting added here is in all of them.

    Fields are named as `GenerationSpec` has them, the published name is their alias. The settings stand in several
    bases so that each is written once and a body shows them in its published order.
    """

    model_id: ModelId
    resolution: Resolution
    duration_seconds: Annotated[Seconds | None, Field(alias="duration")] = None

    def spec(self, **otherwise: Any) -> GenerationSpec:
        """The settings that are given; `otherwise` has those that are not, by their names."""
        given = {name: value for name, value in self if value is not None}
        if "references" in given:
            given["references"] = [each.reference() for each in given["references"]]
        return GenerationSpec.of_mapping(otherwise | given)


class ReferenceBody(Body):
    """A file that the clip refers to; `role` is one of the model's, and is left out where it tells none apart.

    `filePath` is that of an asset or of an uploaded image; which kinds a model takes stands in its `references`.
    """

    file_path: Annotated[FilePath, Field(examples=["images/ab/abcdef.jpg"])]
    kind: Annotated[MediaKind, Field(strict=False)] = MediaKind.IMAGE
    role: Word = ""

    def reference(self) -> Reference:
        """The same as an order has it."""
        return Reference(self.kind.value, self.role, self.file_path)


class _Images(SpecFields):
    start_image_key: Annotated[FilePath | None, Field(alias="startImagePath", examples=[None])] = None
    end_image_key: Annotated[FilePath | None, Field(alias="endImagePath", examples=[None])] = None
    references: Annotated[list[ReferenceBody], Field(max_length=MAX_REFERENCES, examples=[[]])] = []


class _Extras(SpecFields):
    generate_audio: bool = False
    enhance_prompt: bool = False
    seed: Annotated[int | None, Field(ge=0, le=MAX_SEED, examples=[None])] = None
    fps: Annotated[int | None, Field(gt=0, le=240, examples=[None])] = None


class _Texts(SpecFields):
    aspect_ratio: AspectRatio
    prompt: fields.Prompt = ""
    negative_prompt: fields.NegativePrompt = ""


class EstimateBody(_Extras, _Images):
    """Settings to be priced; without `duration` the model's default. Whose images they are changes no price."""


class OrderBody(EstimateBody):
    """A clip to be made; image paths are those that the upload gave."""

    project_id: ProjectId
    prompt: fields.Prompt
    negative_prompt: fields.NegativePrompt | None = None
    aspect_ratio: AspectRatio


class SettingsBody(_Extras, _Texts):
    """Settings to keep, named as generate takes them. Images are not kept."""

    duration_seconds: Annotated[Seconds, Field(alias="duration")]


ExpectedCredits = Annotated[int | None, Field(ge=0, le=2**53, examples=[None])]


class GenerateBody(OrderBody):
    """A clip to be made; `extendsId` is a clip of yours that it goes on from (see `/generations/{id}/last-frame`).

    With `expectedCredits`, the price that you were shown, nothing is ordered at another one (`price_changed`).
    """

    extends_id: Annotated[str, Field(pattern=ID_PATTERN)] | None = None
    expected_credits: ExpectedCredits = None


class GenerationChanges(Changes):
    """What to change of a clip; what is absent stays. `kept` null takes the verdict back, `tags` replaces all tags.

    `rejectReason` goes with `kept` false.
    """

    null_is_absent = False

    favourite: bool | None = None
    kept: bool | None = None
    reject_reason: Annotated[RejectReason, Field(strict=False)] | None = None
    tags: list[str] | None = None
    project_id: ProjectId | None = None


class GenerationIds(Body):
    """Several generations by their ids."""

    ids: Annotated[list[Annotated[str, Field(pattern=ID_PATTERN)]], Field(min_length=1, max_length=PAGE_LIMIT)]


class ProjectsQuery(Query):
    """Which projects to list, and which page of them."""

    search: Word = ""
    archived: bool = False
    sort: Sort = Sort.ACTIVITY
    cursor: Annotated[str, Field(pattern=ID_PATTERN)] | None = None
    limit: PageSize = PAGE_LIMIT


class PageQuery(Query):
    """Which page of a project's generations."""

    cursor: Annotated[str, Field(pattern=ID_PATTERN)] | None = None
    limit: PageSize = 100


class GenerationsQuery(Query):
    """Which generations to list; `status` may be given more than once, `until` is not included.

    `text` are words, or beginnings of words, that the prompt must have, in any order. `kept` is the verdict: true,
    false, or `undecided`. `opened` is whether anybody has opened the finished clip; of clips of before that was noted
    neither is known. `assetId` is an asset that the clip was ordered with. `finding` is what was noticed about the
    delivered clip, may be given more than once and then means one of them; `any` is whatever was noticed.
    """

    project_id: Word | None = None
    status: list[Status] = Field(default_factory=list)
    model_id: Word | None = None
    provider: Word | None = None
    text: Word = ""
    since: Moment | None = None
    until: Moment | None = None
    favourite: bool | None = None
    kept: bool | Literal["undecided"] | None = None
    reject_reason: RejectReason | None = None
    error_code: Word | None = None
    opened: bool | None = None
    tag: Word | None = None
    asset_id: Annotated[str, Field(pattern=ID_PATTERN)] | None = None
    finding: list[FindingKind | Literal["any"]] = Field(default_factory=list)
    oldest_first: bool = False
    cursor: Annotated[str, Field(pattern=ID_PATTERN)] | None = None
    limit: PageSize = 50


class LedgerQuery(Query):
    """Which page of the movements."""

    cursor: Annotated[int, Field(ge=1, lt=2**63)] | None = None
    limit: PageSize = 100


class ImageRole(StrEnum):
    """What an uploaded image is for."""

    START = "start"
    END = "end"
    REFERENCE = "reference"
