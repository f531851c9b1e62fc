"""Tells people of what is not a clip: credits, storage, budgets, and where they belong.

Each is called in the transaction of its cause; who is told must still belong there when it is sent.
"""

import hashlib
from collections.abc import Collection
from datetime import date, datetime

from sqlalchemy import select

from core import db
from core.db import ReadSession
from core.db.enums import NoticeAudience, NoticeKind, Role, WorkspaceRole
from core.db.tables import Workspace
from core.messages import Message, message
from core.notices import outbox
from core.notices.outbox import KEY_LIMIT_CHARS, News

LOW_BALANCE = "low_balance_credits"
"""Under this name a session's `info` has below how many credits a balance is low (`LOW_BALANCE_CREDITS`)."""

STORAGE_QUOTA = "storage_quota_bytes"
"""Under this name a session's `info` has how much a workspace may keep (`STORAGE_QUOTA_BYTES`)."""

LOW_BALANCE_CREDITS = 5_000
NEARLY_NOTHING = 10
"""With this part of what is low, a balance is nearly used up."""

NEARLY_FULL_PERCENT = 90

_INSTALLATION_ROLE = {
    Role.USER: message("notice_role_user"),
    Role.ANALYST: message("notice_role_analyst"),
    Role.ADMIN: message("notice_role_admin"),
}
_WORKSPACE_ROLE = {
    WorkspaceRole.VIEWER: message("notice_role_viewer"),
    WorkspaceRole.MAKER: message("notice_role_maker"),
    WorkspaceRole.MANAGER: message("notice_role_manager"),
}


def balance_fell(session: ReadSession, workspace_id: str, *, before: int, after: int) -> None:
    """Tell the managers when credits that can be spent fell below a mark, once a day and mark."""
    low = _figure(session, LOW_BALANCE, LOW_BALANCE_CREDITS)
    crossed = [mark for mark in (low // NEARLY_NOTHING, low) if after < mark <= before]
    if not crossed:
        return
    name = _name(session, workspace_id)
    title = message("notice_balance_low", workspace=name)
    if crossed[0] < low:
        title = message("notice_balance_nearly_nothing", workspace=name)
    day = db.now(session).date().isoformat()
    news = News(
        NoticeKind.BALANCE_LOW,
        f"balance:{workspace_id}:{crossed[0]}:{day}",
        title,
        message("notice_balance", credits=after),
        workspace_id=workspace_id,
    )
    outbox.tell(session, outbox.managers(session, workspace_id), news)


def credits_added(
    session: ReadSession, workspace_id: str, *, credits: int, key: str, actor: str, actor_id: str
) -> None:
    """Tell the managers, but not who did it, of credits that came in; `key` is that of the booking."""
    news = News(
        NoticeKind.CREDITS_ADDED,
        _key(f"credits:{workspace_id}:{key}"),
        message("notice_credits_added", credits=credits, workspace=_name(session, workspace_id)),
        message("notice_by", actor=actor),
        workspace_id=workspace_id,
    )
    outbox.tell(session, set(outbox.managers(session, workspace_id)) - {actor_id}, news)


def member_has_role(
    session: ReadSession, workspace_id: str, user_id: str, role: WorkspaceRole, *, actor: str, is_new: bool
) -> None:
    """Tell somebody that they were put into a team, or have another role there."""
    place: dict[str, str | Message] = {"workspace": _name(session, workspace_id), "role": _WORKSPACE_ROLE[role]}
    title = message("notice_member_added", **place) if is_new else message("notice_member_role", **place)
    news = News(
        NoticeKind.MEMBERSHIP,
        f"member:{workspace_id}:{db.now(session).isoformat()}",
        title,
        message("notice_by", actor=actor),
        workspace_id=workspace_id,
    )
    outbox.tell(session, [user_id], news)


def invited(session: ReadSession, user_id: str, invitation_id: str, *, workspace_id: str | None, actor: str) -> None:
    """Tell somebody who is known here that there is an invitation for them; its link comes from who has made it."""
    name = None if workspace_id is None else _name(session, workspace_id)
    title = message("notice_invited_here") if name is None else message("notice_invited", workspace=name)
    news = News(
        NoticeKind.MEMBERSHIP,
        f"invitation:{invitation_id}",
        title,
        message("notice_invited_by", actor=actor),
        audience=NoticeAudience.SELF,
    )
    outbox.tell(session, [user_id], news)


def has_installation_role(session: ReadSession, user_id: str, role: Role, *, actor: str) -> None:
    """Tell somebody that they are something else in the installation."""
    news = News(
        NoticeKind.MEMBERSHIP,
        f"role:{db.now(session).isoformat()}",
        message("notice_installation_role", role=_INSTALLATION_ROLE[role]),
        message("notice_by", actor=actor),
        audience=NoticeAudience.SELF,
    )
    outbox.tell(session, [user_id], news)


def storage_grew(session: ReadSession, workspace_id: str, *, before_bytes: int, after_bytes: int) -> None:
    """Tell the managers when what a workspace keeps has come near its quota, once a day."""
    quota_bytes = _figure(session, STORAGE_QUOTA, 0)
    mark = quota_bytes * NEARLY_FULL_PERCENT // 100
    if not quota_bytes or not before_bytes < mark <= after_bytes:
        return
    news = News(
        NoticeKind.STORAGE_FULL,
        f"storage:{workspace_id}:{db.now(session).date().isoformat()}",
        message("notice_storage", workspace=_name(session, workspace_id)),
        message("notice_storage_used", percent=after_bytes * 100 // quota_bytes),
        workspace_id=workspace_id,
    )
    outbox.tell(session, outbox.managers(session, workspace_id), news)


def budget_reached(
    session: ReadSession,
    workspace_id: str,
    *,
    budget_id: str,
    name: str,
    month: date,
    percent: int,
    used_credits: int,
    budget_credits: int,
    also_tell: str | None = None,
) -> None:
    """Tell the managers that so much of a budget is used, once a month and percent; with `also_tell` a person as well.

    `budget_id` tells budgets apart, `name` is what people call what it is for, empty for the workspace, `month` its
    first day. To be called in the transaction that counts what was held, with the marks that it has passed.
    """
    news = News(
        NoticeKind.BUDGET,
        _key(f"budget:{budget_id}:{month.isoformat()}:{percent}"),
        message("notice_budget", percent=percent, name=name or _name(session, workspace_id)),
        message("notice_budget_used", used=used_credits, budget=budget_credits),
        workspace_id=workspace_id,
    )
    told = set(outbox.managers(session, workspace_id)) | ({also_tell} if also_tell else set())
    outbox.tell(session, told, news)


def provider_refuses(session: ReadSession, provider: str, *, name: str, reason: Message, since: datetime) -> None:
    """Tell the administrators that a provider refuses our key or account, once for each spell of it, from `since` on.

    To be called in the transaction that writes the beginning of the spell down, and by none that finds it begun.
    """
    news = News(
        NoticeKind.PROVIDER_ACCOUNT,
        f"account:{provider}:{since.isoformat()}",
        message("notice_provider_refuses", provider=name),
        message("notice_provider_refuses_meaning", reason=reason),
        audience=NoticeAudience.OPERATOR,
    )
    outbox.tell(session, outbox.operators(session), news)


def provider_works(session: ReadSession, provider: str, *, name: str, by_order: bool) -> None:
    """Tell the administrators that a spell is over, since an order was accepted or a check of the key succeeded.

    To be called in the transaction that ends the spell.
    """
    news = News(
        NoticeKind.PROVIDER_ACCOUNT,
        f"account-works:{provider}:{db.now(session).isoformat()}",
        message("notice_provider_works", provider=name),
        message("notice_provider_took_order") if by_order else message("notice_provider_took_key"),
        audience=NoticeAudience.OPERATOR,
    )
    outbox.tell(session, outbox.operators(session), news)


def model_ends(session: ReadSession, user_ids: Collection[str], model: str, *, name: str, day: date, part: str) -> None:
    """Tell these people that a model ends on a day, or has ended: each once for each `part` of the time before."""
    title = message("notice_model_ends", model=name, day=day.isoformat())
    if db.now(session).date() >= day:
        title = message("notice_model_ended", model=name)
    news = News(
        NoticeKind.MODEL_ENDS,
        model_ends_key(model, day, part),
        title,
        message("notice_model_ends_meaning"),
        audience=NoticeAudience.SELF,
    )
    outbox.tell(session, user_ids, news)


def model_ends_key(model: str, day: date, part: str) -> str:
    """What tells the end of a model apart, on a day and in a part of the time before it."""
    return _key(f"model:{model}:{day.isoformat()}:{part}")


def _figure(session: ReadSession, name: str, otherwise: int) -> int:
    known = session.info.get(name, otherwise)
    return known if isinstance(known, int) else otherwise


def _name(session: ReadSession, workspace_id: str) -> str:
    return session.scalar(select(Workspace.name).where(Workspace.id == workspace_id)) or ""


def _key(text: str) -> str:
    """A key of any length as one that fits."""
    if len(text) <= KEY_LIMIT_CHARS:
        return text
    return f"{text[:80]}:{hashlib.sha256(text.encode()).hexdigest()}"
