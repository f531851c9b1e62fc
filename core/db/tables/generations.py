"""Tables of generations, their timeline and their tags."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    false,
    func,
    literal_column,
    null,
    select,
    text,
)
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, column_property, mapped_column

from core import normal_form
from core.clock import utc_now
from core.db.enums import CostBasis, RejectReason, SourceKind, Stage, Status
from core.db.tables.flights import Flight
from core.db.types import Base, ReferenceList, check_in_enum
from core.ids import new_id
from core.messages import Message
from core.spec import GenerationSpec, Reference


def _words_of_prompt(context: DefaultExecutionContext) -> str:
    return " ".join(normal_form.words(context.get_current_parameters()["prompt"]))  # type: ignore[no-untyped-call]  # SQLAlchemy has none there


def _of_flight(column: Any, generation_id: Any, otherwise: Any) -> Any:
    """What the flight of a generation says while there is one, otherwise a column of its own."""
    found = select(column).where(Flight.id == generation_id).correlate_except(Flight).scalar_subquery()
    return column_property(func.coalesce(found, otherwise), expire_on_flush=False)


BEFORE_OPENINGS = datetime(1970, 1, 1, tzinfo=UTC)
"""`first_opened_at` of a clip of which nobody knows whether it was opened: it was ordered before that was noted."""

IN_VAIN = "status IN ('failed', 'cancelled') OR kept = false"
"""What gave nothing, in the words of its index: SQLite uses a partial index only for the very same."""

UNOPENED = "status = 'completed' AND first_opened_at IS NULL"
"""What is there and nobody has opened, in the words of its index."""

UNKEPT = "status = 'completed' AND deleted_at IS NULL AND leaves_at IS NULL"
LEAVING = "leaves_at IS NOT NULL AND deleted_at IS NULL"
"""What may be told to leave, and what will, in the words of their indexes."""

_WHAT_AND_WHOSE = ("provider", "model_id", "user_id", "project_id", "charged_project_id", "credits")
UNOPENED_COLUMNS = ("workspace_id", "ended_at", *_WHAT_AND_WHOSE)
IN_VAIN_COLUMNS = (
    *UNOPENED_COLUMNS,
    *("status", "kept", "error_code", "reject_reason", "created_at", "submitted_at"),
    *("provider_cost", "provider_cost_currency", "estimated_cost_microusd", "idr_per_usd"),
)

RELATIONS = {"retries": "retry_of_id", "extensions": "extends_id", "made_from": "source_id"}
"""What the indexes of how clips are related are called -> the column that says so."""


class Generation(Base):
    """One request for one clip, and all that became of it; the row is the job. `user_id` is who made it.

    `version` grows with every move, so that a late worker's write finds nothing to change. While it lives, when it is
    due and what looks tell stands in its flight alone, and `next_at` here is what its last move said. On a completed
    row `next_at` says when its preview is to be made and it is to be looked over, None when nothing is to be done any
    more; `preview_attempt` counts the tries. `progress` is what its flight knows, and after its end what that knew.
    `deadline_at` ends the present part of its life; None is a day after the order (`lifecycle.PENDING_LIMIT`).
    `recipe_hash` is the same for the same order in any project; `batch_id` for those ordered with one press.
    `source_id` is another clip that it was made from, and `source_kind` what of it.
    `token_id` is the API token it was ordered with, None for an order in a browser. `request_id` is the request it came
    with, as the log has it, and `traceparent` the span that it was ordered in, where spans are made.
    `prompt_words` are the words of the prompt as searches compare them, written with it; prompts never change.
    `kept` is a person's verdict on the clip, None before there is one. `charged_project_id` is set when a clip is moved
    to another project: what it cost stays where it was charged, which is `project_id` as long as it is None.
    `first_opened_at` is when somebody first opened the finished clip; who that was is not kept. None is nobody so far,
    `BEFORE_OPENINGS` that nobody knows; rows of an older release's process have that by themselves.
    `reject_reason` says why it was rejected, None for no reason given; `judged_by_id` is whose verdict it is.
    `findings` is what was noticed about the clip (`core.generations.delivery_findings`), empty for nothing, None while
    nobody has looked; `finding_kinds` are their kinds as bits, 0 for none, before that those of its gaps to the order.
    `budget_month` is the month of whose budgets its credits were taken (`BudgetMonth`), None for orders of before.
    `estimated_cost_microusd` is what the provider would probably take, as it was known at the order: from the
    provider's price that began at `cost_since`; None where nobody knew. `idr_per_usd` is the dollar of that moment.
    `provider_cost` is what it came to at the end, and `cost_basis` where that comes from. Rows of before there were
    providers' prices have none of these but `provider_cost`, and as an estimate that is a share of our own price.
    `visible_mark` is whether its pictures are to show that AI made them, as its workspace wished at the order.
    `retained_since` is from when its time here counts: its verdict, or its return from the trash; None for its end.
    `leaves_at` is when it goes to the trash, set when that was told. `timeline` has steps that are no rows any more.
    `credentials` are the content credentials of the delivered file as they were read back from it, None where it has
    none; `unsigned_reason` is why a clip was delivered without, a word of `content_credentials.Unsigned`.
    """

    __tablename__ = "generations"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id"))
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="RESTRICT"))
    retry_of_id: Mapped[str | None] = mapped_column(ForeignKey("generations.id", ondelete="RESTRICT"))
    extends_id: Mapped[str | None] = mapped_column(ForeignKey("generations.id"))
    source_id: Mapped[str | None] = mapped_column(String(36))
    source_kind: Mapped[SourceKind | None]
    charged_project_id: Mapped[str | None] = mapped_column(ForeignKey("projects.id"))
    batch_id: Mapped[str | None] = mapped_column(String(36))
    token_id: Mapped[str | None] = mapped_column(String(36))
    request_id: Mapped[str | None] = mapped_column(String(64))
    traceparent: Mapped[str | None] = mapped_column(String(55))
    idempotency_key: Mapped[str | None] = mapped_column(String(200))
    request_hash: Mapped[str] = mapped_column(String(64))
    recipe_hash: Mapped[str | None] = mapped_column(String(64))

    provider: Mapped[str] = mapped_column(String(40))
    model_id: Mapped[str] = mapped_column(String(80))
    model_name: Mapped[str] = mapped_column(String(120))
    prompt: Mapped[str] = mapped_column(Text)
    prompt_words: Mapped[str] = mapped_column(Text, default=_words_of_prompt, server_default="")
    negative_prompt: Mapped[str] = mapped_column(Text, default="")
    start_image_key: Mapped[str | None] = mapped_column(String(200))
    end_image_key: Mapped[str | None] = mapped_column(String(200))
    resolution: Mapped[str] = mapped_column(String(10))
    duration_seconds: Mapped[int]
    aspect_ratio: Mapped[str] = mapped_column(String(10))
    generate_audio: Mapped[bool] = mapped_column(default=False)
    enhance_prompt: Mapped[bool] = mapped_column(default=False)
    seed: Mapped[int | None] = mapped_column(BigInteger)
    fps: Mapped[int | None]
    references: Mapped[tuple[Reference, ...]] = mapped_column(ReferenceList, default=(), server_default="")

    credits: Mapped[int] = mapped_column(BigInteger)
    budget_month: Mapped[str | None] = mapped_column(String(7))
    quote: Mapped[dict[str, Any]]

    status: Mapped[Status] = mapped_column(default=Status.PENDING)
    stage: Mapped[Stage] = mapped_column(default=Stage.QUEUED)
    version: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime | None]
    # `expedited_at` and `setbacks` are what processes of the version before read; nothing of ours does.
    expedited_at: Mapped[datetime | None] = mapped_column(deferred=True)
    deadline_at: Mapped[datetime | None]
    attempt: Mapped[int] = mapped_column(default=0)
    collect_attempt: Mapped[int] = mapped_column(default=0)
    setbacks: Mapped[int] = mapped_column(default=0, server_default="0", deferred=True)
    cancel_requested_at: Mapped[datetime | None]
    moved_progress: Mapped[float] = mapped_column("progress", default=0.0)
    moved_progress_is_estimate: Mapped[bool] = mapped_column("progress_is_estimate", default=True)
    progress: Mapped[float] = _of_flight(Flight.progress, id, moved_progress)
    progress_is_estimate: Mapped[bool] = _of_flight(Flight.progress_is_estimate, id, moved_progress_is_estimate)

    provider_job_id: Mapped[str | None] = mapped_column(String(200))
    provider_base_url: Mapped[str | None] = mapped_column(String(300))
    provider_response: Mapped[dict[str, Any] | None]
    provider_video_url: Mapped[str | None] = mapped_column(Text)
    provider_cost: Mapped[Decimal | None]
    provider_cost_currency: Mapped[str | None] = mapped_column(String(3))
    provider_cost_is_estimate: Mapped[bool] = mapped_column(default=True)
    cost_basis: Mapped[CostBasis | None]
    estimated_cost_microusd: Mapped[int | None] = mapped_column(BigInteger)
    cost_since: Mapped[datetime | None]
    idr_per_usd: Mapped[int | None]
    error_code: Mapped[str | None] = mapped_column(String(60))
    error_message: Mapped[str | None] = mapped_column(String(1000))
    error_detail: Mapped[str | None] = mapped_column(Text)
    error: Mapped[Message | None]

    output_key: Mapped[str | None] = mapped_column(String(200))
    thumbnail_key: Mapped[str | None] = mapped_column(String(200))
    preview_key: Mapped[str | None] = mapped_column(String(200))
    preview_attempt: Mapped[int] = mapped_column(default=0, server_default="0")
    stored_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    output_facts: Mapped[dict[str, Any] | None]
    visible_mark: Mapped[bool] = mapped_column(default=False, server_default=false())
    credentials: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), deferred=True)
    unsigned_reason: Mapped[str | None] = mapped_column(String(40))
    favourite: Mapped[bool] = mapped_column(default=False, server_default=false())
    kept: Mapped[bool | None]
    reject_reason: Mapped[RejectReason | None]
    judged_by_id: Mapped[str | None] = mapped_column(String(36))
    first_opened_at: Mapped[datetime | None] = mapped_column(
        default=null(), server_default=text("'1970-01-01 00:00:00.000000'")
    )
    findings: Mapped[list[Any] | None] = mapped_column(JSON(none_as_null=True))
    finding_kinds: Mapped[int | None]
    loudness_lufs: Mapped[float | None]

    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)
    submitted_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]
    purged_at: Mapped[datetime | None]
    retained_since: Mapped[datetime | None]
    leaves_at: Mapped[datetime | None]
    timeline: Mapped[list[Any] | None] = mapped_column(JSON(none_as_null=True), deferred=True)

    replayed = False
    """Of this answer and no column: it was ordered before, and the request was a repeat."""

    @hybrid_property
    def charged_in_id(self) -> str:
        """The project whose spend it belongs to, also after it was moved."""
        return self.charged_project_id or self.project_id

    @charged_in_id.inplace.expression
    @classmethod
    def _charged_in_id(cls) -> ColumnElement[str]:
        return func.coalesce(cls.charged_project_id, cls.project_id)

    @property
    def spec(self) -> GenerationSpec:
        """What was ordered; its settings have columns of the same names."""
        return GenerationSpec.of(self)

    __table_args__ = (
        check_in_enum("status", Status),
        check_in_enum("stage", Stage),
        UniqueConstraint("user_id", "idempotency_key"),
        CheckConstraint("credits >= 0", name="credits_not_negative"),
        CheckConstraint("duration_seconds > 0", name="duration_positive"),
        CheckConstraint("progress >= 0 AND progress <= 1", name="progress_range"),
        CheckConstraint("(stage = 'ended') = (status IN ('completed', 'failed', 'cancelled'))", name="ended"),
        CheckConstraint("stage = 'ended' OR next_at IS NOT NULL", name="live_has_next_at"),
        CheckConstraint("status <> 'completed' OR output_key IS NOT NULL", name="completed_has_file"),
        Index("ix_generations_workspace_newest", "workspace_id", "id"),
        Index("ix_generations_project_newest", "project_id", "id"),
        Index("ix_generations_maker_newest", "workspace_id", "user_id", "id"),
        Index(
            "ix_generations_due",
            "stage",
            "next_at",
            sqlite_where=text("stage <> 'ended'"),
            postgresql_where=text("stage <> 'ended'"),
        ),
        # `stage` makes a look at the ids alone covering; without that SQLite takes the index of the newest instead.
        Index(
            "ix_generations_live",
            "workspace_id",
            "id",
            "stage",
            sqlite_where=text("stage <> 'ended'"),
            postgresql_where=text("stage <> 'ended'"),
        ),
        Index("ix_generations_model_ended", "model_id", "ended_at"),
        Index("ix_generations_workspace_model_ended", "workspace_id", "model_id", "ended_at"),
        Index("ix_generations_recipe", "workspace_id", "recipe_hash", "id"),
        Index(
            "ix_generations_batch",
            "batch_id",
            "id",
            sqlite_where=text("batch_id IS NOT NULL"),
            postgresql_where=text("batch_id IS NOT NULL"),
        ),
        Index(
            "ix_generations_favourite",
            "workspace_id",
            "id",
            sqlite_where=text("favourite AND deleted_at IS NULL"),
            postgresql_where=text("favourite AND deleted_at IS NULL"),
        ),
        Index(
            "ix_generations_judged",
            "workspace_id",
            "kept",
            "id",
            sqlite_where=text("kept IS NOT NULL AND deleted_at IS NULL"),
            postgresql_where=text("kept IS NOT NULL AND deleted_at IS NULL"),
        ),
        Index(
            "ix_generations_reject_reason",
            "workspace_id",
            "reject_reason",
            "id",
            sqlite_where=text("reject_reason IS NOT NULL AND deleted_at IS NULL"),
            postgresql_where=text("reject_reason IS NOT NULL AND deleted_at IS NULL"),
        ),
        # `finding_kinds` makes a look for one kind covering.
        Index(
            "ix_generations_findings",
            "workspace_id",
            "id",
            "finding_kinds",
            sqlite_where=text("finding_kinds > 0 AND deleted_at IS NULL"),
            postgresql_where=text("finding_kinds > 0 AND deleted_at IS NULL"),
        ),
        *(
            Index(
                f"ix_generations_{name}",
                column,
                "id",
                sqlite_where=text(f"{column} IS NOT NULL"),
                postgresql_where=text(f"{column} IS NOT NULL"),
            )
            for name, column in RELATIONS.items()
        ),
        # All columns that waste is told from, so that no row has to be looked at.
        Index("ix_generations_in_vain", *IN_VAIN_COLUMNS, sqlite_where=text(IN_VAIN), postgresql_where=text(IN_VAIN)),
        Index(
            "ix_generations_unopened", *UNOPENED_COLUMNS, sqlite_where=text(UNOPENED), postgresql_where=text(UNOPENED)
        ),
        Index(
            "ix_generations_charged",
            "charged_project_id",
            sqlite_where=text("charged_project_id IS NOT NULL"),
            postgresql_where=text("charged_project_id IS NOT NULL"),
        ),
        Index(
            "ix_generations_unkept", "kept", "ended_at", "id", sqlite_where=text(UNKEPT), postgresql_where=text(UNKEPT)
        ),
        Index("ix_generations_leaving", "leaves_at", "id", sqlite_where=text(LEAVING), postgresql_where=text(LEAVING)),
        Index("ix_generations_status", "workspace_id", "status", "id"),
        Index("ix_generations_workspace_model", "workspace_id", "model_id", "id"),
        Index("ix_generations_workspace_provider", "workspace_id", "provider", "id"),
        Index(
            "ix_generations_uncertain",
            "id",
            sqlite_where=text("status = 'uncertain'"),
            postgresql_where=text("status = 'uncertain'"),
        ),
        Index(
            "ix_generations_unsigned",
            "ended_at",
            sqlite_where=text("unsigned_reason IS NOT NULL"),
            postgresql_where=text("unsigned_reason IS NOT NULL"),
        ),
        Index(
            "ix_generations_cover",
            "project_id",
            "id",
            sqlite_where=text("thumbnail_key IS NOT NULL AND deleted_at IS NULL"),
            postgresql_where=text("thumbnail_key IS NOT NULL AND deleted_at IS NULL"),
        ),
        Index(
            "ix_generations_preview_due",
            "next_at",
            sqlite_where=text("status = 'completed' AND next_at IS NOT NULL AND deleted_at IS NULL"),
            postgresql_where=text("status = 'completed' AND next_at IS NOT NULL AND deleted_at IS NULL"),
        ),
        Index(
            "ix_generations_to_purge",
            "deleted_at",
            sqlite_where=text("deleted_at IS NOT NULL AND purged_at IS NULL"),
            postgresql_where=text("deleted_at IS NOT NULL AND purged_at IS NULL"),
        ),
    )


def is_live() -> ColumnElement[bool]:
    """Not at its end; written as a literal, because SQLite uses a partial index only for the very same words."""
    return Generation.stage != literal_column("'ended'")


def is_uncertain() -> ColumnElement[bool]:
    """Left to a person to decide; a literal as in `is_live`, and for the same reason."""
    return Generation.status == literal_column("'uncertain'")


class GenerationEvent(Base):
    """One step in the life of a generation; together they are the timeline a person sees."""

    __tablename__ = "generation_events"

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    generation_id: Mapped[str] = mapped_column(ForeignKey("generations.id", ondelete="CASCADE"))
    at: Mapped[datetime] = mapped_column(default=utc_now)
    status: Mapped[Status]
    stage: Mapped[Stage]
    what: Mapped[str] = mapped_column(String(300))
    message: Mapped[Message | None]
    actor: Mapped[str] = mapped_column(String(254), default="system")

    __table_args__ = (Index("ix_generation_events_of", "generation_id", "id"),)
