"""Tables and their constraints; no query and no rule that a constraint cannot hold.

What is told to people stands twice: as a `Message`, and beside it as its English text, which is all that rows have
from before there were messages, and what the REST API answers.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any, cast

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    literal_column,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from core.clock import utc_now
from core.db.enums import DeliveryState, DisabledReason, EntryKind, Role, Scope, Stage, Status
from core.db.types import Base, check_in_enum
from core.ids import new_id
from core.messages import Message
from core.spec import GenerationSpec


class User(Base):
    """A person. `storage_bytes` counts what they keep, against their quota.

    `usage_version` grows with every change of their roll-ups, so that figures read from them can be kept until then.
    `language` is what they chose to read, None while the browser decides. `monthly_budget_credits` warns and never
    refuses.
    """

    __tablename__ = "users"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(120), default="")
    role: Mapped[Role] = mapped_column(default=Role.USER)
    storage_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    language: Mapped[str | None] = mapped_column(String(8))
    monthly_budget_credits: Mapped[int | None] = mapped_column(BigInteger)
    usage_version: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    __table_args__ = (
        check_in_enum("role", Role),
        CheckConstraint("storage_bytes >= 0", name="storage_not_negative"),
    )


class ApiToken(Base):
    """A bearer token, kept as a SHA-256 hash only; `prefix` is how its person recognises it in a list."""

    __tablename__ = "api_tokens"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"), index=True)
    name: Mapped[str] = mapped_column(String(120), default="")
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    prefix: Mapped[str] = mapped_column(String(12), default="", server_default="")
    scope: Mapped[Scope] = mapped_column(default=Scope.GENERATE, server_default=Scope.GENERATE)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    last_used_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]

    __table_args__ = (check_in_enum("scope", Scope),)


class Account(Base):
    """The credits of one person; always the sum of its ledger rows."""

    __tablename__ = "accounts"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"), unique=True)
    available_credits: Mapped[int] = mapped_column(BigInteger, default=0)
    held_credits: Mapped[int] = mapped_column(BigInteger, default=0)

    __table_args__ = (
        CheckConstraint("available_credits >= 0", name="available_not_negative"),
        CheckConstraint("held_credits >= 0", name="held_not_negative"),
    )


class LedgerEntry(Base):
    """One movement, never changed afterwards. `actor` is who, `reason` why, `key` makes it happen once."""

    __tablename__ = "ledger_entries"

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id", ondelete="RESTRICT"))
    kind: Mapped[EntryKind]
    amount_credits: Mapped[int] = mapped_column(BigInteger)
    generation_id: Mapped[str | None] = mapped_column(ForeignKey("generations.id", ondelete="RESTRICT"), index=True)
    key: Mapped[str] = mapped_column(String(120), unique=True)
    available_after: Mapped[int] = mapped_column(BigInteger)
    held_after: Mapped[int] = mapped_column(BigInteger)
    actor: Mapped[str] = mapped_column(String(254))
    reason: Mapped[str] = mapped_column(String(500), default="")
    message: Mapped[Message | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    __table_args__ = (
        check_in_enum("kind", EntryKind),
        CheckConstraint("amount_credits <> 0", name="amount_not_zero"),
        CheckConstraint("amount_credits > 0 OR kind = 'adjust'", name="only_adjust_is_negative"),
        Index("ix_ledger_entries_account_newest", "account_id", "id"),
        Index(
            "ix_ledger_entries_given",
            "account_id",
            "amount_credits",
            sqlite_where=text("kind IN ('grant', 'adjust')"),
            postgresql_where=text("kind IN ('grant', 'adjust')"),
        ),
    )


class Project(Base):
    """A folder of generations that belongs to one person.

    `spent_credits` is the sum of what was charged in it, booked with each charge.
    """

    __tablename__ = "projects"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    name: Mapped[str] = mapped_column(String(120))
    description: Mapped[str] = mapped_column(String(2000), default="")
    archived_at: Mapped[datetime | None]
    generation_count: Mapped[int] = mapped_column(default=0)
    spent_credits: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    monthly_budget_credits: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)

    __table_args__ = (
        CheckConstraint("length(name) > 0", name="name_not_empty"),
        Index("ix_projects_user_newest", "user_id", "updated_at", "id"),
    )


class Upload(Base):
    """An image a person brought, after cleaning; the same bytes are kept once a person."""

    __tablename__ = "uploads"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    storage_key: Mapped[str] = mapped_column(String(200))
    original_sha256: Mapped[str] = mapped_column(String(64))
    file_name: Mapped[str] = mapped_column(String(255))
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    width: Mapped[int]
    height: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    __table_args__ = (UniqueConstraint("user_id", "original_sha256"),)


class Generation(Base):
    """One request for one clip, and all that became of it; the row is the job.

    `next_at` is schedule and lease in one: the row is due when it has passed, and is claimed by moving it
    forward. `version` grows with every move, so that a late worker's write finds nothing to change. On a completed row
    `next_at` says when its preview is to be made, None when there is nothing to do any more.
    `recipe_hash` is the same for the same order in any project; `batch_id` for those ordered with one press.
    `kept` is a person's verdict on the clip, None before there is one. `charged_project_id` is set when a clip is moved
    to another project: what it cost stays where it was charged, which is `project_id` as long as it is None.
    """

    __tablename__ = "generations"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="RESTRICT"))
    retry_of_id: Mapped[str | None] = mapped_column(ForeignKey("generations.id", ondelete="RESTRICT"))
    extends_id: Mapped[str | None] = mapped_column(ForeignKey("generations.id"))
    charged_project_id: Mapped[str | None] = mapped_column(ForeignKey("projects.id"))
    batch_id: Mapped[str | None] = mapped_column(String(36))
    idempotency_key: Mapped[str | None] = mapped_column(String(200))
    request_hash: Mapped[str] = mapped_column(String(64))
    recipe_hash: Mapped[str | None] = mapped_column(String(64))

    provider: Mapped[str] = mapped_column(String(40))
    model_id: Mapped[str] = mapped_column(String(80))
    model_name: Mapped[str] = mapped_column(String(120))
    prompt: Mapped[str] = mapped_column(Text)
    negative_prompt: Mapped[str] = mapped_column(Text, default="")
    start_image_key: Mapped[str | None] = mapped_column(String(200))
    end_image_key: Mapped[str | None] = mapped_column(String(200))
    resolution: Mapped[str] = mapped_column(String(10))
    duration_seconds: Mapped[int]
    aspect_ratio: Mapped[str] = mapped_column(String(10))
    generate_audio: Mapped[bool] = mapped_column(default=False)
    enhance_prompt: Mapped[bool] = mapped_column(default=False)

    credits: Mapped[int] = mapped_column(BigInteger)
    quote: Mapped[dict[str, Any]]

    status: Mapped[Status] = mapped_column(default=Status.PENDING)
    stage: Mapped[Stage] = mapped_column(default=Stage.QUEUED)
    version: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime | None]
    deadline_at: Mapped[datetime | None]
    attempt: Mapped[int] = mapped_column(default=0)
    collect_attempt: Mapped[int] = mapped_column(default=0)
    cancel_requested_at: Mapped[datetime | None]
    progress: Mapped[float] = mapped_column(default=0.0)
    progress_is_estimate: Mapped[bool] = mapped_column(default=True)

    provider_job_id: Mapped[str | None] = mapped_column(String(200))
    provider_base_url: Mapped[str | None] = mapped_column(String(300))
    provider_response: Mapped[dict[str, Any] | None]
    provider_video_url: Mapped[str | None] = mapped_column(Text)
    provider_cost: Mapped[Decimal | None]
    provider_cost_currency: Mapped[str | None] = mapped_column(String(3))
    provider_cost_is_estimate: Mapped[bool] = mapped_column(default=True)
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
    favourite: Mapped[bool] = mapped_column(default=False, server_default=false())
    kept: Mapped[bool | None]

    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)
    submitted_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]
    purged_at: Mapped[datetime | None]

    @property
    def spec(self) -> GenerationSpec:
        """What was ordered; its settings have columns of the same names."""
        return GenerationSpec.of(self)

    __table_args__ = (
        check_in_enum("status", Status),
        check_in_enum("stage", Stage),
        UniqueConstraint("user_id", "idempotency_key"),
        CheckConstraint("credits > 0", name="credits_positive"),
        CheckConstraint("duration_seconds > 0", name="duration_positive"),
        CheckConstraint("progress >= 0 AND progress <= 1", name="progress_range"),
        CheckConstraint("(stage = 'ended') = (status IN ('completed', 'failed', 'cancelled'))", name="ended"),
        CheckConstraint("stage = 'ended' OR next_at IS NOT NULL", name="live_has_next_at"),
        CheckConstraint("status <> 'completed' OR output_key IS NOT NULL", name="completed_has_file"),
        Index("ix_generations_user_newest", "user_id", "id"),
        Index("ix_generations_project_newest", "project_id", "id"),
        Index(
            "ix_generations_due",
            "stage",
            "next_at",
            sqlite_where=text("stage <> 'ended'"),
            postgresql_where=text("stage <> 'ended'"),
        ),
        # `stage` makes a look at the ids alone covering; without that SQLite takes ix_generations_user_newest instead.
        Index(
            "ix_generations_live",
            "user_id",
            "id",
            "stage",
            sqlite_where=text("stage <> 'ended'"),
            postgresql_where=text("stage <> 'ended'"),
        ),
        Index("ix_generations_model_ended", "model_id", "ended_at"),
        Index("ix_generations_user_model_ended", "user_id", "model_id", "ended_at"),
        Index("ix_generations_recipe", "user_id", "recipe_hash", "id"),
        Index(
            "ix_generations_favourite",
            "user_id",
            "id",
            sqlite_where=text("favourite AND deleted_at IS NULL"),
            postgresql_where=text("favourite AND deleted_at IS NULL"),
        ),
        Index(
            "ix_generations_judged",
            "user_id",
            "kept",
            "id",
            sqlite_where=text("kept IS NOT NULL AND deleted_at IS NULL"),
            postgresql_where=text("kept IS NOT NULL AND deleted_at IS NULL"),
        ),
        Index("ix_generations_status", "user_id", "status", "id"),
        Index("ix_generations_user_model", "user_id", "model_id", "id"),
        Index("ix_generations_user_provider", "user_id", "provider", "id"),
        Index(
            "ix_generations_uncertain",
            "id",
            sqlite_where=text("status = 'uncertain'"),
            postgresql_where=text("status = 'uncertain'"),
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


def table_of(entity: type[Base]) -> Table:
    """The table of a class, for statements that are put together once and give no entities."""
    return cast(Table, entity.__table__)


def is_live() -> ColumnElement[bool]:
    """Not at its end; written as a literal, because SQLite uses a partial index only for the very same words."""
    return Generation.stage != literal_column("'ended'")


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


class GenerationTag(Base):
    """A word a person put on a clip."""

    __tablename__ = "generation_tags"

    generation_id: Mapped[str] = mapped_column(ForeignKey("generations.id", ondelete="CASCADE"), primary_key=True)
    tag: Mapped[str] = mapped_column(String(40), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))

    __table_args__ = (Index("ix_generation_tags_of", "user_id", "tag", "generation_id"),)


class Preset(Base):
    """Settings of the order form under a name; a shared one is seen by everybody, changed by its person only."""

    __tablename__ = "presets"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    name: Mapped[str] = mapped_column(String(80))
    shared: Mapped[bool] = mapped_column(default=False)
    settings: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    @property
    def spec(self) -> GenerationSpec:
        """What it keeps; it has no images."""
        return GenerationSpec.of_mapping(self.settings)

    __table_args__ = (
        UniqueConstraint("user_id", "name"),
        Index(
            "ix_presets_shared",
            "name",
            sqlite_where=text("shared"),
            postgresql_where=text("shared"),
        ),
    )


class WebhookEndpoint(Base):
    """An address that a person wants to be told at when a generation ends.

    Its signing secret is derived (`SECRET_KEY`, id, `secret_version`) and kept nowhere. `failing_since` is the first
    failure after the last success. `events` are those it is told, None for all that there are or will be.
    """

    __tablename__ = "webhook_endpoints"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"), index=True)
    url: Mapped[str] = mapped_column(String(2000))
    description: Mapped[str] = mapped_column(String(200), default="")
    events: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    secret_version: Mapped[int] = mapped_column(default=1)
    rotated_at: Mapped[datetime | None]
    failing_since: Mapped[datetime | None]
    disabled_at: Mapped[datetime | None]
    disabled_reason: Mapped[DisabledReason | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    __table_args__ = (
        check_in_enum("disabled_reason", DisabledReason),
        CheckConstraint("(disabled_at IS NULL) = (disabled_reason IS NULL)", name="disabled_has_reason"),
    )


class WebhookDelivery(Base):
    """One event on its way to one endpoint; written with the move that ends a generation, so that none is lost.

    `event_id` is the same for all endpoints and every replay of an event, and `body` is what is sent, to the byte.
    A test belongs to no generation. `attempts` grows with each claim, so that each attempt is one sender's.
    """

    __tablename__ = "webhook_deliveries"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    endpoint_id: Mapped[str] = mapped_column(ForeignKey("webhook_endpoints.id", ondelete="CASCADE"))
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    generation_id: Mapped[str | None] = mapped_column(ForeignKey("generations.id", ondelete="RESTRICT"), index=True)
    event: Mapped[str] = mapped_column(String(60))
    event_id: Mapped[str] = mapped_column(String(36))
    body: Mapped[str] = mapped_column(Text)
    state: Mapped[DeliveryState] = mapped_column(default=DeliveryState.DUE)
    attempts: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime | None] = mapped_column(default=utc_now)
    last_status: Mapped[int | None]
    last_error: Mapped[str | None] = mapped_column(String(500))
    error: Mapped[Message | None]
    delivered_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    __table_args__ = (
        check_in_enum("state", DeliveryState),
        CheckConstraint("(state = 'due') = (next_at IS NOT NULL)", name="due_has_next_at"),
        Index("ix_webhook_deliveries_newest", "endpoint_id", "id"),
        Index(
            "ix_webhook_deliveries_due",
            "next_at",
            "endpoint_id",
            sqlite_where=text("state = 'due'"),
            postgresql_where=text("state = 'due'"),
        ),
    )


class UsageDay(Base):
    """Roll-up by day (UTC, of the end), person, project and model; written with the move that ends a generation.

    `estimated_cost_idr` is of all completed clips; `estimate_replaced_idr` is the part of it whose real cost the
    provider reported, which stands in `reported_cost_microusd`. `kept_*` follow people's verdicts on the clips.
    """

    __tablename__ = "usage_days"

    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"), primary_key=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="RESTRICT"), primary_key=True)
    provider: Mapped[str] = mapped_column(String(40), primary_key=True)
    model_id: Mapped[str] = mapped_column(String(80), primary_key=True)
    completed: Mapped[int] = mapped_column(default=0)
    failed: Mapped[int] = mapped_column(default=0)
    cancelled: Mapped[int] = mapped_column(default=0)
    settled_credits: Mapped[int] = mapped_column(BigInteger, default=0)
    released_credits: Mapped[int] = mapped_column(BigInteger, default=0)
    video_seconds: Mapped[int] = mapped_column(BigInteger, default=0)
    estimated_cost_idr: Mapped[int] = mapped_column(BigInteger, default=0)
    estimate_replaced_idr: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    reported_cost_microusd: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    kept_count: Mapped[int] = mapped_column(default=0, server_default="0")
    kept_seconds: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    rejected_count: Mapped[int] = mapped_column(default=0, server_default="0")

    __table_args__ = (Index("ix_usage_days_user_day", "user_id", "day"),)


class ProviderHealth(Base):
    """How a provider fares, for all workers and for people to see; `retry_at` set means it is being left alone.

    `failures` counts its own failures in a row. `key_works` is the last answer of its free key check, if it has one.
    """

    __tablename__ = "provider_health"

    provider: Mapped[str] = mapped_column(String(40), primary_key=True)
    failures: Mapped[int] = mapped_column(default=0)
    retry_at: Mapped[datetime | None]
    error_code: Mapped[str | None] = mapped_column(String(60))
    error_detail: Mapped[str | None] = mapped_column(Text)
    error_at: Mapped[datetime | None]
    key_works: Mapped[bool | None]
    key_checked_at: Mapped[datetime | None]


class AuditRun(Base):
    """The last result of the always-true checks, so that a page can show when they last ran."""

    __tablename__ = "audit_runs"

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    at: Mapped[datetime] = mapped_column(default=utc_now)
    broken: Mapped[int]
    results: Mapped[dict[str, Any]]
