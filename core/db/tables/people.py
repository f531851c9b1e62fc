"""Tables of people: how they sign in, their API tokens, and the keys of what they asked for."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, false
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
    """A person. `language` is what they chose to read, None while the browser decides.

    `search_key` is address and name as they are searched, written with them. From `deactivated_at` on they have no
    page, no token and no webhook; their things stay. One that was merged into another person is deactivated, too.
    `last_workspace_id` is where they were last at work, in the browser. `clip_names` is the template by which the clips
    they fetch are named, None for the usual one. Who was erased (`erased_at`) is deactivated for ever, has a made-up
    address and no name. `prompts_gone_at` is when the prompts of somebody deactivated were last forgotten.
    """

    __tablename__ = "users"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(120), default="")
    search_key: Mapped[str] = mapped_column(Text, default=_key_of_person, server_default="")
    role: Mapped[Role] = mapped_column(default=Role.USER)
    language: Mapped[str | None] = mapped_column(String(8))
    is_sample: Mapped[bool] = mapped_column(default=False, server_default=false())
    deactivated_at: Mapped[datetime | None]
    last_workspace_id: Mapped[str | None] = mapped_column(String(36))
    clip_names: Mapped[str | None] = mapped_column(String(200))
    merged_into_id: Mapped[str | None] = mapped_column(String(36))
    erased_at: Mapped[datetime | None]
    prompts_gone_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    __table_args__ = (check_in_enum("role", Role), Index("ix_users_name", "name"))


class Identity(Base):
    """Who a person is at an identity provider: the issuer's own name for them, which stays while addresses change."""

    __tablename__ = "identities"

    issuer: Mapped[str] = mapped_column(String(300), primary_key=True)
    subject: Mapped[str] = mapped_column(String(255), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"), index=True)
    email: Mapped[str] = mapped_column(String(254))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    last_seen_at: Mapped[datetime] = mapped_column(default=utc_now)


class BrowserSession(Base):
    """A browser that is signed in; what its cookie holds is kept as a SHA-256 hash only.

    `sid` and `id_token` are the identity provider's, for signing out there and being signed out from there.
    """

    __tablename__ = "browser_sessions"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"), index=True)
    issuer: Mapped[str | None] = mapped_column(String(300))
    subject: Mapped[str | None] = mapped_column(String(255))
    sid: Mapped[str | None] = mapped_column(String(255))
    id_token: Mapped[str | None] = mapped_column(Text)
    address: Mapped[str] = mapped_column(String(64), default="")
    agent: Mapped[str] = mapped_column(String(200), default="")
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    seen_at: Mapped[datetime] = mapped_column(default=utc_now)
    ends_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]

    __table_args__ = (Index("ix_browser_sessions_sid", "issuer", "sid"),)


class SignInLink(Base):
    """A link, kept as a hash only, that lets a person in once without their identity provider."""

    __tablename__ = "sign_in_links"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class FailedAttempts(Base):
    """How often somebody failed to come in, by `key`: an address, an account or a link; what slows them down."""

    __tablename__ = "failed_attempts"

    key: Mapped[str] = mapped_column(String(300), primary_key=True)
    count: Mapped[int]
    last_at: Mapped[datetime]


class ApiToken(Base):
    """A bearer token, kept as a SHA-256 hash only; `prefix` is how its person recognises it in a list.

    It reaches `workspace_id`, or all workspaces of its person where that is None. `spent_credits` is what was ordered
    with it and not given back, never more than `cap_credits` where it has a cap.
    """

    __tablename__ = "api_tokens"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"), index=True)
    name: Mapped[str] = mapped_column(String(120), default="")
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    prefix: Mapped[str] = mapped_column(String(12), default="", server_default="")
    scope: Mapped[Scope] = mapped_column(default=Scope.GENERATE, server_default=Scope.GENERATE)
    workspace_id: Mapped[str | None] = mapped_column(ForeignKey("workspaces.id"))
    cap_credits: Mapped[int | None] = mapped_column(BigInteger)
    spent_credits: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
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
