"""What all tables are made of: ids, times, words, the base and its names for constraints."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import (
    JSON,
    CheckConstraint,
    DateTime,
    MetaData,
    Numeric,
    String,
    Table,
    Text,
    TypeDecorator,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Session

from core.db.enums import (
    ApprovalCause,
    BudgetMode,
    BudgetScope,
    BulkKind,
    BulkState,
    ChangeKind,
    CostBasis,
    Decision,
    DeliveryState,
    DisabledReason,
    EntryKind,
    ErasureState,
    GroupKind,
    LineOutcome,
    MemberSource,
    NoteKind,
    NoticeAudience,
    NoticeKind,
    NoticeWay,
    RejectReason,
    ReportEvery,
    Role,
    Scope,
    SendState,
    SourceKind,
    Stage,
    Status,
    VisitKind,
    WorkspaceKind,
    WorkspaceRole,
)
from core.messages import Message
from core.spec import Reference


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC in Python on every database; SQLite keeps no zone of its own."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive time: it would be somebody's local one."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive datetime {value!r}")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Aware UTC, also where the database keeps no zone."""
        if value is None:
            return None
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


class EnumString(TypeDecorator[StrEnum]):
    """An enum kept as its plain word; the known words are held by a check constraint of the table."""

    impl = String
    cache_ok = True

    def __init__(self, words: type[StrEnum], length: int) -> None:
        super().__init__(length)
        self.words = words
        self._by_value = {word.value: word for word in words}

    def process_bind_param(self, value: StrEnum | str | None, dialect: Dialect) -> str | None:
        """Refuse a word that is not in the enum before the database has to."""
        return None if value is None else self.words(value).value

    def process_result_value(self, value: str | None, dialect: Dialect) -> StrEnum | None:
        """The member of the enum with this stored word."""
        return None if value is None else self._by_value[value]


class MessageJson(TypeDecorator[Message]):
    """A message as its code and parameters; None, too, for one that this release does not know."""

    impl = JSON(none_as_null=True)
    cache_ok = True

    def process_bind_param(self, value: Message | None, dialect: Dialect) -> dict[str, Any] | None:
        """As JSON."""
        return None if value is None else value.to_json()

    def process_result_value(self, value: dict[str, Any] | None, dialect: Dialect) -> Message | None:
        """Give the message back."""
        return None if value is None else Message.from_json(value)


class ReferenceList(TypeDecorator[tuple[Reference, ...]]):
    """What an order refers to, as JSON text, which both databases can compare and group by; "" where there is none."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: tuple[Reference, ...] | None, dialect: Dialect) -> str:
        """As JSON text."""
        return json.dumps(value) if value else ""

    def process_result_value(self, value: str | None, dialect: Dialect) -> tuple[Reference, ...]:
        """Give them back."""
        return tuple(Reference(*each) for each in json.loads(value)) if value else ()


class Base(DeclarativeBase):
    """Naming convention for constraints, so that migrations can name them on every database."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {
        datetime: UtcDateTime(),
        dict[str, Any]: JSON(),
        Message: MessageJson(),
        Status: EnumString(Status, 12),
        Stage: EnumString(Stage, 12),
        ApprovalCause: EnumString(ApprovalCause, 8),
        Decision: EnumString(Decision, 10),
        CostBasis: EnumString(CostBasis, 10),
        LineOutcome: EnumString(LineOutcome, 16),
        RejectReason: EnumString(RejectReason, 20),
        EntryKind: EnumString(EntryKind, 8),
        ErasureState: EnumString(ErasureState, 10),
        GroupKind: EnumString(GroupKind, 12),
        Role: EnumString(Role, 8),
        Scope: EnumString(Scope, 8),
        DeliveryState: EnumString(DeliveryState, 12),
        DisabledReason: EnumString(DisabledReason, 8),
        WorkspaceKind: EnumString(WorkspaceKind, 8),
        WorkspaceRole: EnumString(WorkspaceRole, 8),
        MemberSource: EnumString(MemberSource, 8),
        VisitKind: EnumString(VisitKind, 8),
        ChangeKind: EnumString(ChangeKind, 12),
        NoteKind: EnumString(NoteKind, 12),
        BulkKind: EnumString(BulkKind, 12),
        BudgetMode: EnumString(BudgetMode, 8),
        BudgetScope: EnumString(BudgetScope, 12),
        BulkState: EnumString(BulkState, 10),
        SourceKind: EnumString(SourceKind, 8),
        NoticeKind: EnumString(NoticeKind, 20),
        NoticeAudience: EnumString(NoticeAudience, 8),
        NoticeWay: EnumString(NoticeWay, 8),
        SendState: EnumString(SendState, 8),
        ReportEvery: EnumString(ReportEvery, 8),
        Decimal: Numeric(18, 6),
    }


def check_in_enum(column: str, words: type[StrEnum]) -> CheckConstraint:
    """A constraint that allows a column only the values of an enum."""
    values = ", ".join(f"'{word.value}'" for word in words)
    return CheckConstraint(f"{column} IN ({values})", name=f"{column}_known")


def insert(session: Session, table: type[Base]) -> postgresql.Insert | sqlite.Insert:
    """An insert that can say what to do `on_conflict`, in the words of this session's database."""
    if session.get_bind().dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)


def table_of(entity: type[Base]) -> Table:
    """The table of a class, for statements that are put together once and give no entities."""
    return cast(Table, entity.__table__)
