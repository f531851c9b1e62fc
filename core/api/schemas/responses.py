"""What the API sends: camelCase shapes, and how rows become them. Links are made by whoever knows the request."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from core import errors
from core.api.schemas import fields
from core.catalog import price_list
from core.db.enums import ApprovalCause, BudgetScope, Decision, EntryKind, RejectReason, Stage, Status
from core.db.tables import Generation, GenerationEvent, LedgerEntry
from core.files.findings import FindingKind
from core.generations import delivery_findings, queries
from core.generations.approval_list import Told
from core.generations.delivery_findings import Noticed
from core.generations.queries import Details, ListRow, StatusSnapshot
from core.generations.timeline import Step
from core.spec import Reference, settings_of

Link = Callable[[str | None], str | None]
"""Storage key -> address at which a browser can load it; None for None."""

ClipRow = Generation | ListRow
"""What clips are made of: a whole row or one of a list."""

NOT_APPROVED = (errors.ApprovalDeclined.code, errors.ApprovalLapsed.code)
"""Why an order that waited for approval was cancelled, where its maker did not."""


class ApiModel(BaseModel):
    """Base of every shape: camelCase outside, the product's own names inside."""

    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True, validate_by_alias=True, frozen=True)


class Response(ApiModel):
    """A successful answer."""

    success: bool = True


class Problem(ApiModel):
    """What is wrong with a field, for programs: by which rule of its model, and what the field could be instead.

    `rule` is an id of the model's constraints, `domain` for what it never makes, `text` for words. `allowed` are values
    as the constraints have them, while all other fields stay.
    """

    field: Annotated[str, Field(examples=["duration"])]
    rule: Annotated[str, Field(examples=["domain"])]
    message: Annotated[str, Field(examples=["Kling 2.5 makes clips of 5 or 10 seconds."])]
    allowed: Annotated[list[str | int], Field(examples=[[5, 10]])]


class BudgetLimit(ApiModel):
    """The monthly budget that refuses an order: `scope` and `id` say whose, `leftCredits` what can still be ordered."""

    scope: BudgetScope
    id: fields.Id
    month: Annotated[str, Field(examples=["2026-11"])]
    limit_credits: fields.Credits
    left_credits: fields.Credits
    needed_credits: fields.Credits


class Error(ApiModel):
    """Why something was refused; `fields` maps field name to what to change, `requestId` finds it again.

    `problems` tell programs more of the same, where an order is not what its model makes; `limit` which budget it was
    that an order would have exceeded (`budget_exceeded`).
    """

    code: str
    message: str
    fields: dict[str, str] | None = None
    problems: list[Problem] | None = None
    limit: BudgetLimit | None = None
    request_id: str | None = None


class Refusal(ApiModel):
    """A refused request."""

    success: bool = False
    error: Error


class NoticedShape(ApiModel):
    """One thing that was noticed about a delivered clip, and the sentence that tells it.

    `measured` is the figure behind it: for `flicker` flashes a second, for `letterbox` the share of the picture that
    the bars take (0 to 1), for `too_loud` and `too_quiet` LUFS.
    """

    kind: FindingKind
    message: str
    start_seconds: float | None
    end_seconds: float | None
    measured: float | None

    @classmethod
    def of(cls, noticed: Noticed) -> Self:
        """The shape of what is kept."""
        found = noticed.finding
        return cls(
            kind=found.kind,
            message=str(noticed.message),
            start_seconds=found.start_seconds,
            end_seconds=found.end_seconds,
            measured=found.measured,
        )


class File(ApiModel):
    """What was measured in the stored file, as it is shown; null where it was not.

    `gaps` say how it differs from the order. `findings` are these and, once the clip was looked over (`checked`),
    whatever else was noticed about it. `loudnessLufs` is the loudness of its sound as EBU R 128 measures it.
    """

    size_bytes: int
    width: int | None
    height: int | None
    duration_seconds: float | None
    frame_rate: float | None
    video_codec: str | None
    audio_codec: str | None
    container: str | None
    sha256: str | None
    gaps: list[str]
    checked: bool
    findings: list[NoticedShape]
    loudness_lufs: float | None

    @classmethod
    def of(cls, row: ClipRow) -> Self | None:
        """The file of a completed generation."""
        if row.status is not Status.COMPLETED:
            return None
        facts: Mapping[str, Any] = row.output_facts or {}
        of_the_row = {"size_bytes", "gaps", "checked", "findings", "loudness_lufs"}
        return cls(
            size_bytes=queries.file_bytes(row),
            gaps=facts.get("gaps", []),
            checked=row.findings is not None,
            findings=[NoticedShape.of(noticed) for noticed in delivery_findings.of(row)],
            loudness_lufs=row.loudness_lufs,
            **{name: facts.get(name) for name in cls.model_fields.keys() - of_the_row},
        )


class ReferenceShape(ApiModel):
    """An image, video or sound that an order refers to, and what it stands for."""

    file_path: str
    kind: str
    role: str

    @classmethod
    def of(cls, reference: Reference) -> Self:
        """The shape of a reference."""
        return cls(file_path=reference.key, kind=reference.kind, role=reference.role)


class Clip(ApiModel):
    """A generation, as lists show it. `creditUsed` is its price: reserved while it is made, charged at completion.

    `kept` is its person's verdict: true for kept, false for rejected, null while undecided. `rejectReason` is why it
    was rejected, null where nobody said.
    """

    id: fields.Id
    project_id: fields.Id
    status: Status
    stage: Stage
    progress: fields.Percent
    progress_is_estimate: bool
    provider: fields.ProviderName
    model_id: fields.ModelId
    model_name: fields.ModelName
    prompt: fields.Prompt
    negative_prompt: fields.NegativePrompt
    resolution: fields.Resolution
    duration_seconds: Annotated[fields.ClipSeconds, Field(alias="duration")]
    aspect_ratio: fields.AspectRatio
    start_image_key: Annotated[fields.TextOrNull, Field(alias="startImagePath")]
    end_image_key: Annotated[fields.TextOrNull, Field(alias="endImagePath")]
    generate_audio: bool
    enhance_prompt: bool
    seed: fields.NumberOrNull
    fps: fields.NumberOrNull
    references: Annotated[list[ReferenceShape], Field(examples=[[]])]
    credit_used: fields.Credits
    breakdown: fields.Breakdown
    price_version: Annotated[str, Field(examples=[price_list.VERSION])]
    video_url: fields.TextOrNull
    thumbnail_url: fields.TextOrNull
    preview_url: fields.TextOrNull
    error_code: fields.TextOrNull
    error_message: fields.TextOrNull
    retry_of: fields.TextOrNull
    favourite: bool
    kept: bool | None
    reject_reason: RejectReason | None
    created_at: datetime
    submitted_at: datetime | None
    completed_at: fields.MomentOrNull
    file: Annotated[File | None, Field(examples=[None])]

    @classmethod
    def of(cls, row: ClipRow, link: Link, **more: Any) -> Self:
        """The shape of a row."""
        done = row.status is Status.COMPLETED
        return cls(
            id=row.id,
            project_id=row.project_id,
            status=row.status,
            stage=row.stage,
            progress=percent(row),
            progress_is_estimate=row.progress_is_estimate and not done,
            provider=row.provider,
            model_name=row.model_name,
            credit_used=row.credits,
            breakdown={line["kind"]: line["credits"] for line in row.quote["lines"]},
            price_version=row.quote["version"],
            video_url=link(row.output_key) if done else None,
            thumbnail_url=link(row.thumbnail_key) if done else None,
            preview_url=link(row.preview_key) if done else None,
            error_code=row.error_code if has_error(row) else None,
            error_message=row.error_message if has_error(row) else None,
            retry_of=row.retry_of_id,
            favourite=row.favourite,
            kept=row.kept,
            reject_reason=row.reject_reason,
            created_at=row.created_at,
            submitted_at=row.submitted_at,
            completed_at=row.ended_at if done else None,
            file=File.of(row),
            **settings_of(row) | {"references": [ReferenceShape.of(each) for each in row.references]},
            **more,
        )


class SettingsShape(ApiModel):
    """The settings of a preset."""

    model_id: fields.ModelId
    resolution: fields.Resolution
    duration_seconds: Annotated[fields.ClipSeconds, Field(alias="duration")]
    aspect_ratio: fields.AspectRatio
    prompt: fields.Prompt
    negative_prompt: fields.NegativePrompt
    generate_audio: bool
    enhance_prompt: bool
    seed: fields.NumberOrNull
    fps: fields.NumberOrNull


class Event(ApiModel):
    """One step of a generation's timeline."""

    at: datetime
    status: Status
    stage: Stage
    what: str
    actor: str

    @classmethod
    def of(cls, event: GenerationEvent) -> Self:
        """The shape of a row."""
        return cls(at=event.at, status=event.status, stage=event.stage, what=event.what, actor=event.actor)


class LedgerEntryShape(ApiModel):
    """One movement of credits; `amount` is positive except in a correction downwards, `kind` says where it goes."""

    id: int
    kind: EntryKind
    amount: int
    available_after: int
    held_after: int
    generation_id: fields.Id | None
    actor: str
    reason: str
    created_at: datetime

    @classmethod
    def of(cls, entry: LedgerEntry) -> Self:
        """The shape of a row."""
        return cls(
            id=entry.id,
            kind=entry.kind,
            amount=entry.amount_credits,
            available_after=entry.available_after,
            held_after=entry.held_after,
            generation_id=entry.generation_id,
            actor=entry.actor,
            reason=entry.reason,
            created_at=entry.created_at,
        )


def _is_none(value: object) -> bool:
    return value is None


class ApprovalShape(ApiModel):
    """An order that asked for approval: why, until when it waits for that, and what became of it.

    `cause` is `price` or `budget`. `lapsesAt` is null once it does not wait any more, `decision` while nobody has
    decided, and for one that was cancelled meanwhile.
    """

    cause: ApprovalCause
    asked_at: datetime
    lapses_at: datetime | None
    decision: Decision | None
    decided_by: fields.TextOrNull
    decided_at: datetime | None
    note: str


class ClipDetails(Clip):
    """A generation with its tags, its timeline and its receipt; `approval` is there where it needed one."""

    tags: list[str]
    approval: Annotated[ApprovalShape | None, Field(exclude_if=_is_none)]
    events: list[Event]
    entries: list[LedgerEntryShape]

    @classmethod
    def with_history(
        cls, row: Generation, details: Details, tags: Sequence[str], link: Link, *, approval: Told | None
    ) -> Self:
        """The shape of a row and what belongs to it."""
        return cls.of(
            row,
            link,
            tags=list(tags),
            approval=None if approval is None else ApprovalShape(**asdict(approval)),
            events=[Event.of(event) for event in details.events],
            entries=[LedgerEntryShape.of(entry) for entry in details.entries],
        )


def clips(rows: Iterable[ClipRow], link: Link) -> list[Clip]:
    """The shapes of rows."""
    return [Clip.of(row, link) for row in rows]


def percent(row: ClipRow | StatusSnapshot | Step) -> int:
    """Whole percent of progress; 100 says that the file is here."""
    return 100 if row.status is Status.COMPLETED else min(99, int(row.progress * 100))


def has_error(row: ClipRow | StatusSnapshot) -> bool:
    """Whether the row's error is about its present state, not one it has left behind."""
    if row.status is Status.CANCELLED:
        return row.error_code in NOT_APPROVED
    return row.status in (Status.FAILED, Status.UNCERTAIN)
