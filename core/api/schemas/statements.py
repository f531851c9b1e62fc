"""What vendors' statements are over REST: what is sent of them, and the shapes of their lines and sums."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from fastapi import UploadFile
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from core.api.schemas import fields, requests, responses
from core.billing import months
from core.db.enums import LineOutcome
from core.db.tables import VendorStatement
from core.statements import listing
from core.statements.accepting import MOST_AT_ONCE, Booked
from core.statements.columns import Field as Column
from core.statements.columns import Settings
from core.usage.spreadsheet import SpreadsheetFormat

Head = Annotated[str | None, Field(max_length=500, examples=["request_id"])]
Money = Annotated[int, Field(examples=[5_775])]


class StatementUpload(BaseModel):
    """A statement as a file, and how it is read; what is left out is as it was the last time, or guessed.

    Each column is named by its head. `currency`, `timeZone` hold where a line names none.
    """

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", frozen=True)

    file: Annotated[UploadFile, Field(description="A CSV file or an Excel workbook (.xlsx) of 10 MB at most.")]
    provider: Annotated[requests.Word, Field(examples=["fal"])]
    month: Annotated[str, Field(pattern=months.PATTERN, examples=["2026-10"])]
    job_column: Head = None
    model_column: Head = None
    time_column: Head = None
    amount_column: Head = None
    currency_column: Head = None
    currency: Literal["USD", "IDR"] | None = None
    decimal: Literal[".", ","] | None = None
    day_first: bool | None = None
    time_zone: Annotated[str | None, Field(max_length=64, examples=["UTC"])] = None

    def settings(self, guessed: Settings) -> Settings:
        """How the file is read; a column that is named takes the place of the guess, an empty name leaves it out."""
        columns = dict(guessed.columns)
        for which in Column:
            head = getattr(self, f"{which.value}_column")
            if head is not None:
                columns.pop(which, None)
                columns |= {which: head} if head else {}
        given: dict[str, Any] = {
            name: getattr(self, name) for name in ("currency", "decimal", "day_first", "time_zone")
        }
        kept = {name: getattr(guessed, name) if value is None else value for name, value in given.items()}
        return Settings(columns, **kept)


class StatementShape(responses.ApiModel):
    """A statement of a provider for a month. `columns` says which column was read as what."""

    id: fields.Id
    provider: fields.ProviderName
    month: Annotated[str, Field(examples=["2026-10"])]
    file_name: Annotated[str, Field(examples=["october.csv"])]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$", examples=["0" * 64])]
    version: Annotated[int, Field(examples=[1])]
    line_count: Annotated[int, Field(examples=[1_000])]
    columns: Annotated[dict[str, str], Field(examples=[{"job": "request_id", "amount": "cost"}])]
    currency: Annotated[str, Field(examples=["USD"])]
    time_zone: Annotated[str, Field(examples=["UTC"])]
    uploaded_at: datetime
    uploaded_by: Annotated[str, Field(examples=["finance@example.org"])]
    compared_at: fields.MomentOrNull

    @classmethod
    def of(cls, statement: VendorStatement) -> Self:
        """The shape of a statement."""
        settings = statement.settings
        return cls(
            id=statement.id,
            provider=statement.provider,
            month=statement.month,
            file_name=statement.file_name,
            sha256=statement.sha256,
            version=statement.version,
            line_count=statement.line_count,
            columns=settings["columns"],
            currency=settings["currency"],
            time_zone=settings["time_zone"],
            uploaded_at=statement.uploaded_at,
            uploaded_by=statement.uploaded_by,
            compared_at=statement.compared_at,
        )


class OutcomeShape(responses.ApiModel):
    """Lines of one kind: their money and ours in rupiah, and how many wait to be accepted with what they come to."""

    outcome: LineOutcome
    lines: int
    amount_idr: Money
    cost_idr: Money
    open_lines: int
    open_idr: Money

    @classmethod
    def of(cls, outcome: LineOutcome, found: listing.Found) -> Self:
        """The shape of a kind."""
        return cls(
            outcome=outcome,
            lines=found.lines,
            amount_idr=found.amount_idr,
            cost_idr=found.cost_idr,
            open_lines=found.open_lines,
            open_idr=found.open_idr,
        )


class StatementAnswer(responses.Response):
    """A statement and what was found in it. `bookedIdr` is what its acceptances come to.

    `goneLines` were accepted and are not in the newest file any more; they stay in the costs until they are undone.
    """

    statement: StatementShape
    outcomes: list[OutcomeShape]
    booked_idr: Money
    gone_lines: int

    @classmethod
    def of(cls, found: listing.Summary) -> Self:
        """The shape of what was found."""
        return cls(
            statement=StatementShape.of(found.statement),
            outcomes=[OutcomeShape.of(outcome, one) for outcome, one in found.found.items()],
            booked_idr=found.booked_idr,
            gone_lines=found.gone.lines,
        )


class StatementsAnswer(responses.Response):
    """Every statement, the newest month first."""

    statements: list[StatementShape]


class CellProblem(responses.ApiModel):
    """A cell that cannot be read: the head of its column, and why."""

    column: Annotated[str, Field(examples=["Amount"])]
    message: Annotated[str, Field(examples=["'abc' is no amount as this file writes them."])]


class LineShape(responses.ApiModel):
    """A line as the file numbers it, and what it was matched with; `row` is null for a clip that has no line.

    `amountMicro` is in millionths of `currency`, null where it cannot be read. `differenceIdr` is what accepting it
    books. `matchedBy` is `job` or `time`. `present` is false for an accepted line that the newest file lacks.
    """

    id: fields.Id
    row: Annotated[int | None, Field(examples=[17])]
    outcome: LineOutcome
    matched_by: Annotated[Literal["", "job", "time"], Field(examples=["job"])]
    present: bool
    accepted: bool
    job_id: Annotated[str, Field(examples=["764cabcf-b745-4b3e-ae38-1200304cf45b"])]
    model: Annotated[str, Field(examples=["fal-ai/kling-video/v2.5-turbo/pro"])]
    model_id: Annotated[str, Field(examples=["fal-kling-2.5-turbo"])]
    time: fields.MomentOrNull
    currency: Annotated[str, Field(examples=["USD"])]
    amount_micro: Annotated[int | None, Field(examples=[350_000])]
    amount_idr: Annotated[int | None, Field(examples=[5_775])]
    cost_idr: Annotated[int | None, Field(examples=[5_775])]
    difference_idr: Money
    generation_id: Annotated[str | None, Field(examples=["0197a3c2-5e1b-7c40-8f21-3b9f6d2a7e10"])]
    problems: list[CellProblem]

    @classmethod
    def of(cls, line: listing.Line) -> Self:
        """The shape of a line."""
        row = line.row
        return cls(
            id=row.id,
            row=row.number,
            outcome=row.outcome,
            matched_by=row.matched_by,  # type: ignore[arg-type]  # a word of `matching.By`, or none
            present=row.is_present,
            accepted=line.is_accepted,
            job_id=row.job_id,
            model=row.model_name,
            model_id=row.model_id,
            time=row.begins_at,
            currency=row.currency,
            amount_micro=row.amount_micro,
            amount_idr=row.amount_idr,
            cost_idr=row.cost_idr,
            difference_idr=row.difference_idr,
            generation_id=row.generation_id,
            problems=[CellProblem(column=head, message=str(why)) for head, why in line.problems],
        )


class LinesAnswer(responses.Response):
    """A page of lines by their place in the file, clips without a line at the end."""

    lines: list[LineShape]
    next_cursor: fields.TextOrNull


class LinesFormat(StrEnum):
    """A page of them, or all of them as a file."""

    JSON = "json"
    CSV = SpreadsheetFormat.CSV.value
    XLSX = SpreadsheetFormat.XLSX.value


class LinesQuery(requests.Query):
    """Which lines; `gone` asks for accepted ones that the newest file lacks."""

    outcome: LineOutcome | None = None
    gone: bool = False
    cursor: Annotated[str, Field(pattern=requests.ID_PATTERN)] | None = None
    limit: requests.PageSize = 100
    format: LinesFormat = LinesFormat.JSON


class AcceptLines(requests.Body):
    """Lines by their ids, and a word why, which stays with the rows of cost and in the audit log."""

    line_ids: Annotated[list[requests.Word], Field(min_length=1, max_length=MOST_AT_ONCE)]
    reason: Annotated[requests.Word, Field(examples=["their new price"])]


class BookedAnswer(responses.Response):
    """How many lines were booked now, and what they come to; lines that had been before are in neither."""

    booked_lines: int
    booked_idr: Money

    @classmethod
    def of(cls, booked: Booked) -> Self:
        """The shape of what was booked."""
        return cls(booked_lines=booked.lines, booked_idr=booked.idr)


class DiscardedAnswer(responses.Response):
    """The statement is gone."""
