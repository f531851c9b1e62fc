"""Tables of how the installation itself fares: providers, workers, audits, and who administered what."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Connection, Index, Integer, String, Text, event
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.orm import Mapped, Mapper, mapped_column

from core import normal_form
from core.clock import utc_now
from core.db.types import Base


class ProviderHealth(Base):
    """How a provider fares, for all workers and for people to see; `retry_at` set means it is being left alone.

    `failures` counts its own failures in a row. `key_works` is the last answer of its free key check, if it has one.
    `called_at` is when it last called an address of ours, at most some minutes too old, and `calls_missed` counts clips
    in a row that ended since without a call.
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
    called_at: Mapped[datetime | None]
    calls_missed: Mapped[int] = mapped_column(default=0, server_default="0")


class Heartbeat(Base):
    """When a part of the installation was last known to work: a role of the workers, or Redis.

    One row a part, however many processes there are of it; no decision hangs on its time, it is told.
    """

    __tablename__ = "heartbeats"

    part: Mapped[str] = mapped_column(String(40), primary_key=True)
    seen_at: Mapped[datetime]


class InstallationIdentity(Base):
    """The one row that says which installation this is (`id`, the same in every copy) and where its database lies.

    `place` is None until a process has looked; see `core.db.identity`.
    """

    __tablename__ = "installation"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    place: Mapped[str | None] = mapped_column(String(200))


class SigningCertificate(Base):
    """Certificates that clips of this installation are or were signed with, by the SHA-256 of the signer's own.

    `sealed_key` is the private key of those that the installation has made itself, readable with SECRET_KEY alone; of
    others only the certificates are kept, to know them again.
    """

    __tablename__ = "signing_certificates"

    fingerprint: Mapped[str] = mapped_column(String(64), primary_key=True)
    certificates_pem: Mapped[str] = mapped_column(Text)
    sealed_key: Mapped[str | None] = mapped_column(Text)
    expires_at: Mapped[datetime]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class StorageSweep(Base):
    """The one row that says how far the search for files without rows is; `after_key` is empty between two rounds."""

    __tablename__ = "storage_sweeps"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    after_key: Mapped[str] = mapped_column(String(600), default="")
    started_at: Mapped[datetime | None]
    looked: Mapped[int] = mapped_column(BigInteger, default=0)
    removed: Mapped[int] = mapped_column(BigInteger, default=0)
    next_at: Mapped[datetime]


class FullAudit(Base):
    """The one row of the look at everything that is under way, a slice at a time; `started_at` is None between two.

    Slices go through `part` after part by ascending keys, up to `after_key` as yet; `found` is what they have come to.
    Who has `claim` goes on with it until `claimed_until`. `seen` is where the tables ended when it began.
    """

    __tablename__ = "full_audits"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    started_at: Mapped[datetime | None]
    seen: Mapped[dict[str, Any]] = mapped_column(default=dict)
    part: Mapped[int] = mapped_column(default=0)
    after_key: Mapped[str] = mapped_column(String(80), default="")
    found: Mapped[dict[str, Any]] = mapped_column(default=dict)
    claim: Mapped[str | None] = mapped_column(String(36))
    claimed_until: Mapped[datetime | None]


class SchemaPromise(Base):
    """What a migration promises: `oldest_head` is the head that the oldest code knows which works on its schema."""

    __tablename__ = "schema_promises"

    revision: Mapped[str] = mapped_column(String(32), primary_key=True)
    oldest_head: Mapped[str] = mapped_column(String(32))


class BackfillProgress(Base):
    """How far the filling in of something that a migration made room for is; see `core.db.backfills`."""

    __tablename__ = "backfills"

    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    last_id: Mapped[str] = mapped_column(String(80), default="")
    row_count: Mapped[int] = mapped_column(BigInteger, default=0)
    began_at: Mapped[datetime]
    done_at: Mapped[datetime | None]


class AuditRun(Base):
    """The last result of the always-true checks, so that a page can show when they last ran."""

    __tablename__ = "audit_runs"

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    at: Mapped[datetime] = mapped_column(default=utc_now)
    broken: Mapped[int]
    results: Mapped[dict[str, Any]]


def _key_of_entry(context: DefaultExecutionContext) -> str:
    given = context.get_current_parameters()  # type: ignore[no-untyped-call]  # SQLAlchemy has none there
    return normal_form.normal(f"{given['actor']} {given.get('target', '')}")


class AuditLogEntry(Base):
    """One administrative act, written in its own transaction and never changed: who, what, on what, from where.

    `actor` is their address at that moment, or the name of a part of the system; `before` and `after` are what the act
    changed. `search_key` is actor and target as they are searched. Nothing points to other tables, so that what is told
    of may go. The database itself refuses to change a row, and to remove one before `AUDIT_LOG_KEPT_DAYS` are over.
    """

    __tablename__ = "audit_log"

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    at: Mapped[datetime] = mapped_column(default=utc_now)
    actor_id: Mapped[str | None] = mapped_column(String(36))
    actor: Mapped[str] = mapped_column(String(254))
    address: Mapped[str] = mapped_column(String(64), default="")
    noun: Mapped[str] = mapped_column(String(30))
    action: Mapped[str] = mapped_column(String(60))
    target: Mapped[str] = mapped_column(String(300), default="")
    target_id: Mapped[str | None] = mapped_column(String(80))
    workspace_id: Mapped[str | None] = mapped_column(String(36))
    before: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    after: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    request_id: Mapped[str | None] = mapped_column(String(64))
    search_key: Mapped[str] = mapped_column(Text, default=_key_of_entry)

    __table_args__ = (
        Index("ix_audit_log_at", "at", "id"),
        Index("ix_audit_log_noun", "noun", "at", "id"),
        Index("ix_audit_log_action", "action", "at", "id"),
        Index("ix_audit_log_actor", "actor", "at", "id"),
        Index("ix_audit_log_actor_id", "actor_id", "at", "id"),
        Index("ix_audit_log_workspace", "workspace_id", "at", "id"),
        Index("ix_audit_log_target", "target_id", "at", "id"),
    )


AUDIT_LOG_KEPT_DAYS = 30
"""So long each entry of the audit log is kept whatever is set; the triggers of migration 0013 hold it."""


class AppendOnly(Exception):
    """A program has tried to change or remove an entry of the audit log."""


@event.listens_for(AuditLogEntry, "before_update")
@event.listens_for(AuditLogEntry, "before_delete")
def _refuse(_mapper: Mapper[AuditLogEntry], _connection: Connection, entry: AuditLogEntry) -> None:
    """Say so where it is tried; statements that name no row are refused by the database."""
    raise AppendOnly(f"entry {entry.id} of the audit log stays as it is")
