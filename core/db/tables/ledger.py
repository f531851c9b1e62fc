"""Tables of credit accounts and the append-only ledger."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from core.clock import utc_now
from core.db.enums import EntryKind
from core.db.types import Base, check_in_enum
from core.ids import new_id
from core.messages import Message


class Account(Base):
    """The credits of one workspace; always the sum of its ledger rows."""

    __tablename__ = "accounts"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id", ondelete="RESTRICT"), unique=True)
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
        CheckConstraint("amount_credits > 0 OR kind IN ('adjust', 'transfer')", name="sign_fits_kind"),
        Index("ix_ledger_entries_account_newest", "account_id", "id"),
        Index("ix_ledger_entries_account_time", "account_id", "created_at", "id"),
        Index(
            "ix_ledger_entries_credited",
            "account_id",
            "amount_credits",
            sqlite_where=text("kind IN ('grant', 'adjust', 'transfer')"),
            postgresql_where=text("kind IN ('grant', 'adjust', 'transfer')"),
        ),
        Index(
            "ix_ledger_entries_booked",
            "id",
            sqlite_where=text("kind IN ('grant', 'adjust', 'transfer')"),
            postgresql_where=text("kind IN ('grant', 'adjust', 'transfer')"),
        ),
    )


class ClosedPeriod(Base):
    """A closed month of the books (`2026-10`, UTC): its figures for ever, chained to the closed month before.

    `ends_at` is the first moment that is not in it any more. `totals` are sums of its ledger rows and of its daily
    usage; `entries_hash` is the end of the chain over its rows, and `hash` covers all of this. `core.billing.chain`
    says how. Nothing points to other tables, so that what acts on those leaves the books as they are.
    """

    __tablename__ = "closed_periods"

    month: Mapped[str] = mapped_column(String(7), primary_key=True)
    ends_at: Mapped[datetime]
    closed_at: Mapped[datetime]
    closed_by_id: Mapped[str] = mapped_column(String(36))
    closed_by: Mapped[str] = mapped_column(String(254))
    last_entry_id: Mapped[int] = mapped_column(BigInteger)
    entry_count: Mapped[int] = mapped_column(BigInteger)
    totals: Mapped[dict[str, Any]]
    previous_hash: Mapped[str] = mapped_column(String(64))
    entries_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class ClosedEntry(Base):
    """The link of one ledger row in the chain of its closed month, so that the first row that differs can be named."""

    __tablename__ = "closed_entries"

    month: Mapped[str] = mapped_column(String(7), primary_key=True)
    place: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    entry_id: Mapped[int] = mapped_column(BigInteger)
    link: Mapped[bytes] = mapped_column(LargeBinary(32))
