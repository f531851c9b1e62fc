"""Packs that are made in the background: asked for, looked at, claimed by a worker, made in a night, removed in time.

A claim is a lease with a version: who lost theirs (killed, or too slow) finds nothing to write, and the pack is made
anew from a snapshot of then. Each claim stores its file under a key of its own.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, func, or_, select

from core import audit_log, db, errors
from core.analyst_pack import asked as asking
from core.analyst_pack.asked import Asked
from core.analyst_pack.packing import Order
from core.audit_log import Act
from core.clock import utc_now
from core.db import ReadSession, WriteSession, types, update_where
from core.db.enums import BulkState
from core.db.tables import AnalystPack, ApiToken, User
from core.identity import api_tokens, users
from core.ids import new_id
from core.messages import Message, message
from core.workspaces import members
from core.workspaces.access import Member
from core.workspaces.permissions import Action

LIVE = (BulkState.WAITING, BulkState.RUNNING)
MAX_LIVE = 5
"""So many packs one person may have under way."""
LISTED = 20
LEASE = timedelta(seconds=60)
TRIES = 3
AGAIN_AFTER = timedelta(seconds=20)
KEPT = timedelta(days=90)
"""How long a pack is told of after its end."""


def start(session: WriteSession, member: Member, asked: Asked) -> AnalystPack:
    """Write down that a pack is to be made. Raises Forbidden, and Conflict for too many under way."""
    asking.check(member, asked)
    users.lock(session, member.id)  # two presses count one after the other
    live = select(func.count()).select_from(AnalystPack).where(AnalystPack.user_id == member.id, _is_live())
    if (session.scalar(live) or 0) >= MAX_LIVE:
        raise errors.Conflict(message("pack_too_many", limit=MAX_LIVE))
    now = db.now(session)
    pack = AnalystPack(
        workspace_id=asked.workspace_id,
        user_id=member.id,
        token_id=member.token_id,
        asked=dict(asked.to_json()),
        next_at=now,
        created_at=now,
    )
    session.add(pack)
    session.flush()
    note_export(session, member.user, asked, form="zip", target_id=pack.id)
    return pack


def note_export(
    session: WriteSession,
    user: User | None,
    asked: Asked,
    *,
    form: str,
    what: str = "analyst_pack",
    target_id: str | None = None,
) -> None:
    """Write down that data is taken away, with what decides which."""
    details = {name: value for name, value in asked.to_json().items() if name != "workspace_id"} | {"format": form}
    audit_log.record(
        session, user, Act.EXPORT_MADE, target=what, target_id=target_id, workspace_id=asked.workspace_id, after=details
    )


def start_nightly(session: WriteSession, *, is_pseudonymous: bool) -> bool:
    """Write down the pack of this night (UTC), if no process has yet; of the whole installation, without prompts."""
    now = db.now(session)
    asked = Asked(None, is_pseudonymous=is_pseudonymous)
    row = types.insert(session, AnalystPack).values(
        id=new_id(), night=f"{now:%Y-%m-%d}", asked=dict(asked.to_json()), next_at=now, created_at=now
    )
    is_first = session.scalar(row.on_conflict_do_nothing(index_elements=["night"]).returning(AnalystPack.id))
    if is_first is not None:
        note_export(session, None, asked, form="zip", target_id=is_first)
    return is_first is not None


def is_made(session: ReadSession, now: datetime) -> bool:
    """Whether the pack of this night is written down; a plain read, so that an idle process takes no write lock."""
    return session.scalar(select(AnalystPack.id).where(AnalystPack.night == f"{now:%Y-%m-%d}")) is not None


def visible(member: Member) -> ColumnElement[bool]:
    """Packs that a person finds: their own while they may have them, and, for those who see all figures, nightly ones.

    One with prompts is theirs as long as they are in every workspace that these are of, which `get` looks at.
    """
    sees_all = member.may(Action.SEE_ALL_USAGE)
    theirs = [each for each in member.workspace_ids if member.may(Action.TAKE_PACK, each)]
    of_theirs = AnalystPack.workspace_id.in_(theirs)
    if not sees_all:
        return and_(AnalystPack.user_id == member.id, of_theirs)
    mine = and_(AnalystPack.user_id == member.id, or_(AnalystPack.workspace_id.is_(None), of_theirs))
    return or_(mine, and_(AnalystPack.user_id.is_(None), AnalystPack.workspace_id.is_(None)))


def list_visible(session: ReadSession, member: Member, *, limit: int = LISTED) -> Sequence[AnalystPack]:
    """What they find, newest first."""
    found = select(AnalystPack).where(visible(member)).order_by(AnalystPack.id.desc()).limit(limit)
    packs = session.scalars(found.execution_options(populate_existing=True)).all()
    return [each for each in packs if _reads_prompts(member, each)]


def get(session: ReadSession, member: Member, pack_id: str) -> AnalystPack:
    """One of them; else NotFound."""
    found = select(AnalystPack).where(visible(member), AnalystPack.id == pack_id)
    pack = session.scalar(found.execution_options(populate_existing=True))
    if pack is None or not _reads_prompts(member, pack):
        raise errors.NotFound(message("pack_not_found"))
    return pack


def has_file(pack: AnalystPack) -> bool:
    """Whether it can be fetched."""
    return pack.state is BulkState.DONE and pack.expires_at is not None


def share(pack: AnalystPack) -> float:
    """0 to 1 of its rows."""
    if pack.state is BulkState.DONE:
        return 1.0
    return min(1.0, pack.done_count / pack.row_count) if pack.row_count else 0.0


def file_name(pack: AnalystPack) -> str:
    """What a browser saves it as."""
    return f"{Asked.from_json(pack.asked).file_name}-made-{pack.created_at:%Y-%m-%d}.zip"


def key_of(pack: AnalystPack) -> str:
    """Under which key the file of this claim lies."""
    return f"packs/{pack.id}/{pack.version}.zip"


def any_due(session: ReadSession) -> bool:
    """Whether one is to be made now."""
    return session.scalar(select(select(AnalystPack.id).where(AnalystPack.next_at <= db.now(session)).exists())) is True


def claim(session: WriteSession) -> AnalystPack | None:
    """The pack that is longest due, leased; one that came to no end too often is ended instead."""
    due = (
        select(AnalystPack)
        .where(AnalystPack.next_at <= db.now(session))
        .order_by(AnalystPack.next_at, AnalystPack.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    pack = session.scalar(due.execution_options(populate_existing=True))
    if pack is None:
        return None
    if pack.attempt >= TRIES:
        pack.state, pack.next_at, pack.ended_at = BulkState.FAILED, None, utc_now()
        pack.error = pack.error or message("bulk_broke")
        session.flush()
        return None
    pack.state, pack.attempt, pack.version = BulkState.RUNNING, pack.attempt + 1, pack.version + 1
    pack.done_count, pack.next_at = 0, db.now(session) + LEASE
    session.flush()
    return pack


def order_of(session: ReadSession, pack: AnalystPack, *, secret: bytes) -> Order:
    """What decides what stands in it, by what its person may see now; Forbidden when they may not have it any more."""
    asked = Asked.from_json(pack.asked)
    if pack.user_id is None:
        return Order(asked, (), secret)
    user = session.get(User, pack.user_id, populate_existing=True)
    if user is None or user.deactivated_at is not None:
        raise errors.Forbidden(message("pack_departed"))
    try:
        member = members.at_work(session, user)
        if pack.token_id is not None:
            member = members.with_token(session, user, _live_token(session, pack.token_id))
        asking.check(member, asked)
    except (errors.NotFound, errors.Unauthorized, errors.Forbidden):
        raise errors.Forbidden(message("pack_departed")) from None
    return Order(asked, asking.prompts_of(member, asked), secret)


def own(pack: AnalystPack) -> tuple[ColumnElement[bool], ...]:
    """The pack as it was claimed, and not another worker's since."""
    return AnalystPack.id == pack.id, AnalystPack.version == pack.version, AnalystPack.state == BulkState.RUNNING


def extend(session: WriteSession, pack: AnalystPack, *, row_count: int, done_count: int) -> bool:
    """Say that its maker lives and how far it is; False when it is another's by now."""
    values = {"row_count": row_count, "done_count": done_count, "next_at": db.now(session) + LEASE}
    return bool(update_where(session, AnalystPack, *own(pack), **values))


def record(session: WriteSession, pack: AnalystPack, order: Order, *, size_bytes: int, days: int) -> bool:
    """Write down that it is made and stored; False when it is another's by now."""
    now = db.now(session)
    kept = update_where(
        session,
        AnalystPack,
        *own(pack),
        state=BulkState.DONE,
        next_at=None,
        ended_at=now,
        expires_at=now + timedelta(days=days),
        storage_key=key_of(pack),
        size_bytes=size_bytes,
        prompts_of=list(order.prompts_of),
        done_count=AnalystPack.row_count,
        error=None,
    )
    return bool(kept)


def end(session: WriteSession, pack: AnalystPack, error: Message) -> None:
    """Write down that it cannot be made, and why."""
    values = {"state": BulkState.FAILED, "next_at": None, "ended_at": db.now(session), "error": error}
    update_where(session, AnalystPack, *own(pack), **values)


def put_off(session: WriteSession, pack: AnalystPack, error: Message) -> None:
    """Try again a little later: a disk may be emptied."""
    update_where(session, AnalystPack, *own(pack), error=error, next_at=db.now(session) + AGAIN_AFTER * pack.attempt)


def give_back(session: WriteSession, pack: AnalystPack) -> None:
    """Let another worker make it at once, since this one ends; it is no failed try."""
    update_where(session, AnalystPack, *own(pack), attempt=pack.attempt - 1, next_at=db.now(session))


def _is_live() -> ColumnElement[bool]:
    return AnalystPack.state.in_(LIVE)


def _reads_prompts(member: Member, pack: AnalystPack) -> bool:
    return set(pack.prompts_of) <= set(member.workspace_ids)


def _live_token(session: ReadSession, token_id: str) -> ApiToken:
    if not api_tokens.is_valid(session, token_id):
        raise errors.Unauthorized
    return session.get_one(ApiToken, token_id)
