"""What people do with a generation after it was submitted: cancel, retry, delete."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace

from sqlalchemy import select

from core import audit_log, db, errors
from core.audit_log import Act
from core.catalog_changes import current
from core.clock import utc_now
from core.db import WriteSession, update_where
from core.db.enums import ENDED_STATUSES, SourceKind, Stage, Status
from core.db.tables import Generation, Project, is_live
from core.generations import approval_requests, flights, lifecycle
from core.generations.queries import NOT_FOUND, get, visible
from core.generations.submit import Order, submit, submit_part
from core.identity import idempotency
from core.messages import message, plain
from core.providers import registry
from core.workspaces.access import Member
from core.workspaces.permissions import Action


def cancel(session: WriteSession, member: Member, generation_id: str) -> Generation:
    """Cancel: at once and free while pending; afterwards only where the provider can, as a wish its worker carries out.

    Conflict when it has ended, or when its provider cannot stop it (the sentence says what that costs).
    """
    row = get(session, member, generation_id)
    member.require(Action.ORDER, row.workspace_id)
    stop(session, lifecycle.locked(session, row.id) or row, actor=member.email)
    session.flush()
    return get(session, member, generation_id)


def stop(session: WriteSession, row: Generation, *, actor: str) -> bool:
    """Cancel a locked row for somebody who may; True if it was not cancelled, or that not asked for, before.

    Conflict as in `cancel`.
    """
    if row.status in ENDED_STATUSES:
        raise errors.Conflict(message("already_ended", status=lifecycle.status_word(row.status)))
    if row.status is Status.PENDING:
        return approval_requests.withdraw(session, row, actor=actor)
    is_first = row.cancel_requested_at is None
    if is_first:
        provider = registry.provider_class(row.provider)
        if not provider.can_cancel or row.stage in (Stage.READY_TO_DOWNLOAD, Stage.DOWNLOADING):
            why = message("already_made") if provider.can_cancel else plain(provider.cancel_note)
            raise errors.Conflict(why)
        now = db.now(session)
        row.cancel_requested_at = now
        at_once = {"next_at": now} if row.stage is Stage.WAITING else {}
        flights.note(session, row.id, cancel_requested_at=now, **at_once)
        lifecycle.add_event(session, row.id, row.status, row.stage, what=message("cancel_requested"), actor=actor)
    return is_first


@current.ordering
def retry(
    session: WriteSession,
    member: Member,
    generation_id: str,
    *,
    configured: Collection[str],
    quota_bytes: int,
    idempotency_key: str | None = None,
    shown_credits: int | None = None,
    is_part: bool = False,
) -> Generation:
    """Order a failed or cancelled one again, at today's price, as a new generation that points to the old.

    It still goes on from the clip that the old one went on from, unless that was deleted meanwhile. While one retry is
    under way, every other is that one, marked as `replayed`, whatever its key. One that
    `is_part` of several leaves it to its caller to ask for approval of all. Raises as `submit`, Conflict when the old
    one has not failed, and PriceChanged where the price is not `shown_credits`, which the person was shown.
    """
    old = get(session, member, generation_id)
    member.require(Action.ORDER, old.workspace_id)
    if old.status not in (Status.FAILED, Status.CANCELLED):
        raise errors.Conflict(message("cannot_retry"))
    lifecycle.locked(session, old.id)  # retries of one go one after the other
    if (under_way := _retry_under_way(session, member, old, idempotency_key)) is not None:
        under_way.replayed = True
        return under_way
    seen = visible(member).with_only_columns(Generation.id)
    extended, drafted = (seen.where(Generation.id == id_) for id_ in (old.extends_id, old.source_id))
    draft_id = session.scalar(drafted) if old.source_kind is SourceKind.DRAFT else None
    with session.begin_nested():  # a refusal takes back what was written, whoever catches it
        row = (submit_part if is_part else submit)(
            session,
            member,
            replace(Order.of(old), final_of_id=draft_id),
            configured=configured,
            quota_bytes=quota_bytes,
            idempotency_key=idempotency_key,
            retry_of_id=old.id,
            extends_id=session.scalar(extended),
        )
        if not row.replayed and shown_credits not in (None, row.credits):
            raise errors.PriceChanged
    return row


def _retry_under_way(session: WriteSession, member: Member, old: Generation, key: str | None) -> Generation | None:
    """The retry that this request is, or would repeat; None when it is to be ordered.

    A key that was answered by another request's retry is remembered, so that its own repeat buys nothing later.
    """
    request = f"retry\n{old.id}"
    if key is not None:
        if (made_id := idempotency.made_before(session, member.user, key, request=request)) is not None:
            return get(session, member, made_id)
        if session.scalar(
            select(Generation.id).where(Generation.user_id == member.id, Generation.idempotency_key == key)
        ):
            return None  # `submit` tells a repeat from a conflict
    live = select(Generation).where(
        Generation.workspace_id == old.workspace_id, is_live(), Generation.retry_of_id == old.id
    )
    found = session.scalar(live.order_by(Generation.id).limit(1))
    if found is not None and key is not None:
        idempotency.remember(session, member.user, key, request=request, made_id=found.id)
    return found


def delete(session: WriteSession, member: Member, generation_id: str) -> None:
    """Take an ended generation out of sight; its files follow soon, its charges stay on record."""
    seen = get(session, member, generation_id)
    member.require(Action.DELETE, seen.workspace_id)
    row = lifecycle.locked(session, seen.id)
    if row is None or row.status not in ENDED_STATUSES:
        raise errors.Conflict(message("cannot_delete_yet"))
    _delete(session, member, [row])


def delete_many(session: WriteSession, member: Member, ids: Collection[str]) -> int:
    """Delete those of these generations that have ended; how many. NotFound when they do not see one.

    Forbidden when one of them is where they may not delete, whether it has ended or not.
    """
    wanted = set(ids)
    query = visible(member).where(Generation.id.in_(wanted)).order_by(Generation.id).with_for_update()
    rows = session.scalars(query.execution_options(populate_existing=True)).all()
    if len(rows) != len(wanted):
        raise errors.NotFound(NOT_FOUND)
    for workspace_id in {row.workspace_id for row in rows}:
        member.require(Action.DELETE, workspace_id)
    ended = [row for row in rows if row.status in ENDED_STATUSES]
    _delete(session, member, ended)
    return len(ended)


def _delete(session: WriteSession, member: Member, rows: Sequence[Generation]) -> None:
    """Delete locked rows, each with an entry of its own in the audit log."""
    update_where(session, Generation, Generation.id.in_([row.id for row in rows]), deleted_at=utc_now())
    for project_id, count in sorted(Counter(row.project_id for row in rows).items()):
        update_where(session, Project, Project.id == project_id, generation_count=Project.generation_count - count)
    for row in rows:
        audit_log.record(
            session,
            member.user,
            Act.CLIP_DELETED,
            target=row.model_name,  # not the prompt, which administrators of the installation do not see
            target_id=row.id,
            workspace_id=row.workspace_id,
            before={"project": row.project_id, "credits": row.credits},
        )
