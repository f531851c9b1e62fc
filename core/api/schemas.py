"""What the API takes: the form of bodies and queries. What a model can make and a person may do, services judge."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from core import text
from core.models import Status

DURATION_LIMIT_SECONDS = 1_000_000
PAGE_LIMIT = 200
WORD_LIMIT_CHARS = 200
ID_PATTERN = "^[0-9a-f-]{36}$"


def _storable(value: str) -> str:
    if wrong := text.problem(value, limit_chars=WORD_LIMIT_CHARS):
        raise ValueError(wrong)
    return value


def _utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("This time is out of range.") from None


Word = Annotated[str, AfterValidator(_storable)]
Seconds = Annotated[int, Field(ge=1, le=DURATION_LIMIT_SECONDS)]
FilePath = Annotated[str, Field(min_length=1), AfterValidator(_storable)]
Moment = Annotated[AwareDatetime, AfterValidator(_utc)]
PageSize = Annotated[int, Field(ge=1, le=PAGE_LIMIT)]


class Body(BaseModel):
    """A JSON body: exact types and no unknown fields, since a misspelt or ignored one would be a silent mistake."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", strict=True, frozen=True)


class Query(BaseModel):
    """A query string: text that is read as what it should be; no unknown names."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", frozen=True)


class NewProject(Body):
    """A project to be made."""

    name: str
    description: str = ""


class ProjectChanges(Body):
    """What to change of a project; what is absent or null stays."""

    name: str | None = None
    description: str | None = None
    archived: bool | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.name is None and self.description is None and self.archived is None:
            raise ValueError("Give at least one of: name, description, archived.")
        return self


class EstimateBody(Body):
    """Settings to be priced; without `duration` the model's default. Whose images they are changes no price."""

    model_id: Word
    resolution: Word
    duration: Seconds | None = None
    start_image_path: FilePath | None = None
    end_image_path: FilePath | None = None
    generate_audio: bool = False
    enhance_prompt: bool = False


class GenerateBody(EstimateBody):
    """A clip to be made; image paths are those that the upload gave."""

    project_id: Word
    prompt: str
    negative_prompt: str | None = None
    aspect_ratio: Word


class ProjectsQuery(Query):
    """Which projects to list."""

    search: Word = ""
    archived: bool = False
    limit: PageSize = PAGE_LIMIT


class PageQuery(Query):
    """Which page of a project's generations."""

    cursor: Annotated[str, Field(pattern=ID_PATTERN)] | None = None
    limit: PageSize = 100


class GenerationsQuery(Query):
    """Which generations to list; `status` may be given more than once, `until` is not included."""

    project_id: Word | None = None
    status: list[Status] = Field(default_factory=list)
    model_id: Word | None = None
    provider: Word | None = None
    text: Word = ""
    since: Moment | None = None
    until: Moment | None = None
    cursor: Annotated[str, Field(pattern=ID_PATTERN)] | None = None
    limit: PageSize = 50


class EntriesQuery(Query):
    """Which page of the movements."""

    cursor: Annotated[int, Field(ge=1, lt=2**63)] | None = None
    limit: PageSize = 100


class ImageRole(StrEnum):
    """What an uploaded image is for."""

    START = "start"
    END = "end"
