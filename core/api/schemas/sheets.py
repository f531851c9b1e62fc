"""What tables of orders are over REST: what is sent of them, and the shapes of their rows, columns and clips."""

from datetime import datetime
from typing import Annotated, Self

from fastapi import UploadFile
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from core.api.schemas import fields, requests, responses
from core.catalog.price_list import IDR_PER_CREDIT
from core.db.enums import Status
from core.db.tables import Sheet
from core.generations.sheets import columns, kept, result
from core.generations.sheets.checked import CellNote, Defaults
from core.generations.sheets.progress import SheetClipRow, Standing
from core.generations.sheets.variables import Combine

MAX_LISTS = 20
MAX_VALUES = 10_000


class CellNoteShape(responses.ApiModel):
    """Something about a cell: its column as the table names it, the field it stands for, and what would be right.

    An empty text among `allowed` is an empty cell.
    """

    column: Annotated[str, Field(examples=["Seconds"])]
    field: Annotated[str, Field(examples=["duration"])]
    message: Annotated[str, Field(examples=["Kling 2.5 makes clips of 5 or 10 seconds."])]
    allowed: Annotated[list[str | int], Field(examples=[[5, 10]])]

    @classmethod
    def of(cls, note: CellNote) -> Self:
        """The shape of a note."""
        return cls(column=note.head, field=note.column, message=str(note.message), allowed=list(note.allowed))


class RowClip(responses.ApiModel):
    """A clip that a row has ordered; `status` is null, and nothing else told, once it is deleted or went elsewhere."""

    id: fields.Id
    status: Status | None
    progress: fields.Percent | None
    credit_used: fields.Credits
    error_code: fields.TextOrNull
    error_message: fields.TextOrNull

    @classmethod
    def of(cls, clip: SheetClipRow) -> Self:
        """The shape of a clip of a table."""
        failed = clip.is_here and clip.status in (Status.FAILED, Status.UNCERTAIN)
        return cls(
            id=clip.id,
            status=clip.status if clip.is_here else None,
            progress=100
            if clip.status is Status.COMPLETED
            else min(99, int(clip.progress * 100))
            if clip.is_here
            else None,
            credit_used=clip.credits,
            error_code=clip.error_code if failed else None,
            error_message=str(result.error_of(clip)) if failed else None,
        )


class SheetRow(responses.ApiModel):
    """A row as the file numbers it. Before the order `credits` is its price, null while it has `problems`.

    `notes` say what was taken for what. `clips` are there once it was ordered.
    """

    row: Annotated[int, Field(examples=[2])]
    left_out: bool
    values: Annotated[dict[str, str], Field(examples=[{"Prompt": "A lake at dusk, mist rising"}])]
    credits: int | None
    problems: list[CellNoteShape]
    notes: list[CellNoteShape]
    clips: list[RowClip]


class SheetColumn(responses.ApiModel):
    """A column by its head, and what it says of an order; null for one that is only carried along."""

    name: Annotated[str, Field(examples=["Prompt"])]
    field: Annotated[str | None, Field(examples=["prompt"])]


class SheetShape(responses.ApiModel):
    """A table of orders; `orderedAt` is null until it was ordered, `total` is its price or what it was ordered for."""

    id: fields.Id
    name: Annotated[str, Field(examples=["spring.xlsx"])]
    created_at: datetime
    ordered_at: fields.MomentOrNull
    row_count: Annotated[int, Field(examples=[500])]
    clip_count: Annotated[int, Field(examples=[500])]
    total: fields.Credits
    total_idr: int
    columns: list[SheetColumn]
    notes: list[str]

    @classmethod
    def of(cls, sheet: Sheet, *, clip_count: int, total: int) -> Self:
        """The shape of a kept table."""
        known = {place: column for column, place in columns.places(sheet.heads).items()}
        return cls(
            id=sheet.id,
            name=sheet.name,
            created_at=sheet.created_at,
            ordered_at=sheet.ordered_at,
            row_count=sheet.row_count,
            clip_count=clip_count,
            total=total,
            total_idr=total * IDR_PER_CREDIT,
            columns=[SheetColumn(name=head, field=known.get(place)) for place, head in enumerate(sheet.heads)],
            notes=[str(note) for note in kept.notes_of(sheet)],
        )


class SheetProgress(responses.ApiModel):
    """How many clips are in each status; `elsewhere` went to another workspace with their project."""

    pending: int
    processing: int
    uncertain: int
    completed: int
    failed: int
    cancelled: int
    elsewhere: int
    charged_credits: int
    held_credits: int

    @classmethod
    def of(cls, standing: Standing) -> Self:
        """The shape of the counts."""
        counts = {status.value: standing.counts.get(status, 0) for status in Status}
        return cls(
            **counts,
            elsewhere=standing.moved_count,
            charged_credits=standing.charged_credits,
            held_credits=standing.held_credits,
        )


class SheetAnswer(responses.Response):
    """A table with its rows; `faultyRows` have to change, or be left out, before it can be ordered."""

    sheet: SheetShape
    faulty_rows: int
    progress: SheetProgress | None
    rows: list[SheetRow]


class OrderedSheetAnswer(responses.Response):
    """A table was ordered; how its clips go is told by `/sheets/{id}`."""

    sheet: SheetShape
    message: Annotated[str, Field(examples=["25,000 credits are reserved for 500 clips."])]


class SheetsAnswer(responses.Response):
    """A page of tables, newest first; one that was not ordered has neither clips nor a total here."""

    sheets: list[SheetShape]
    next_cursor: fields.TextOrNull


class CancelledAnswer(responses.Response):
    """How many clips were cancelled, free of charge; what was begun goes on."""

    cancelled: int


class _DefaultsFields(BaseModel):
    """What an empty cell means; what is left out here is what the model does by itself."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", frozen=True)

    project_id: requests.ProjectId | None = None
    model_id: requests.ModelId | None = None
    resolution: requests.Resolution | None = None
    duration_seconds: Annotated[requests.Seconds | None, Field(alias="duration")] = None
    aspect_ratio: requests.AspectRatio | None = None
    generate_audio: bool = False
    enhance_prompt: bool = False

    def defaults(self) -> Defaults:
        """The same as tables take it."""
        return Defaults(**{name: getattr(self, name) for name in _DefaultsFields.model_fields})


class SheetUpload(_DefaultsFields):
    """A table of orders as a file, and what its empty cells mean."""

    file: Annotated[UploadFile, Field(description="A CSV file or an Excel workbook (.xlsx) of 10 MB at most.")]


class PromptSheet(_DefaultsFields, requests.Body):
    """A prompt with variables in braces, and values for each: every combination, or (`zip`) row by row."""

    prompt: Annotated[str, Field(max_length=20_000, examples=["A {animal} at the {place}, mist rising"])]
    lists: Annotated[
        dict[str, Annotated[list[requests.Word], Field(max_length=MAX_VALUES)]],
        Field(max_length=MAX_LISTS, examples=[{"animal": ["fox", "heron"], "place": ["lake", "wood"]}]),
    ]
    combine: Annotated[Combine, Field(strict=False)] = Combine.PRODUCT
    name: Annotated[str, Field(max_length=200, examples=["Animals"])] = "Prompt with lists"


class OrderSheet(requests.Body):
    """The total that you were shown: at another one nothing is ordered (`price_changed`)."""

    expected_credits: Annotated[int, Field(ge=0, le=2**53, examples=[25_000])]


class SheetsQuery(requests.Query):
    """Which page of the tables."""

    cursor: Annotated[str, Field(pattern=requests.ID_PATTERN)] | None = None
    limit: requests.PageSize = 50
