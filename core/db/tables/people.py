"""Tables of people, their API tokens and the keys of what they asked for."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, String, Text
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.orm import Mapped, mapped_column

from core import normal_form
from core.clock import utc_now
from core.db.enums import Role, Scope
from core.db.types import Base, check_in_enum
from core.ids import new_id


def _key_of_person(context: DefaultExecutionContext) -> str:
    given = context.get_current_parameters()  # type: ignore[no-untyped-call]  # SQLAlchemy has none there
    return normal_form.normal(f"{given['email']} {given.get('name', '')}")


class User(Base):
    """A person. `storage_bytes` counts what they keep, against their quota.

    `usage_version` grows with every change of their roll-ups, so that figures read from them can be kept until then.
    `language` is what they chose to read, None while the browser decides. `monthly_budget_credits` warns and never
    refuses. `search_key` is address and name as they are searched, written with them.
    """

    __tablename__ = "users"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(120), default="")
    search_key: Mapped[str] = mapped_column(Text, default=_key_of_person, server_default="")
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


class IdempotencyRecord(Base):
    """What a person's key has made, beside orders, which carry theirs; `request_hash` tells whether a repeat is one."""

    __tablename__ = "idempotency_records"

    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"), primary_key=True)
    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    request_hash: Mapped[str] = mapped_column(String(64))
    made_id: Mapped[str] = mapped_column(String(36))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
