"""What people do with a generation after it was submitted: cancel, retry, delete."""

from collections.abc import Collection

from core import errors
from core.clock import utc_now
from core.db import WriteSession, update_where
from core.db.enums import ENDED_STATUSES, Stage, Status
from core.db.tables import Generation, Project, User
from core.generations import lifecycle
from core.generations.queries import get, visible
from core.generations.submit import Order, submit
from core.messages import message
from core.providers import registry


def cancel(session: WriteSession, user: User, generation_id: str) -> Generation:
    """Cancel: at once and free while pending; afterwards only where the provider can, as a wish its worker carries out.

    Conflict when it has ended, or when its provider cannot stop it (the sentence says what that costs).
    """
    row = get(session, user, generation_id)
    row = lifecycle.locked(session, row.id) or row
    if row.status in ENDED_STATUSES:
        raise errors.Conflict(f"This generation is already {row.status}.")
    if row.status is Status.PENDING:
        lifecycle.cancel(session, row, actor=user.email)
    elif row.cancel_requested_at is None:
        provider = registry.provider_class(row.provider)
        if not provider.can_cancel or row.stage in (Stage.READY_TO_DOWNLOAD, Stage.DOWNLOADING):
            raise errors.Conflict(provider.cancel_note if not provider.can_cancel else "The clip is already made.")
        now = utc_now()
        row.cancel_requested_at = now
        if row.stage is Stage.WAITING:
            row.next_at = now
        lifecycle.add_event(session, row.id, row.status, row.stage, what=message("cancel_requested"), actor=user.email)
    session.flush()
    return get(session, user, generation_id)


def retry_order(row: Generation) -> Order:
    """The order that a generation was made from."""
    return Order(
        project_id=row.project_id,
        model_id=row.model_id,
        prompt=row.prompt,
        resolution=row.resolution,
        duration_seconds=row.duration_seconds,
        aspect_ratio=row.aspect_ratio,
        negative_prompt=row.negative_prompt,
        start_image_key=row.start_image_key,
        end_image_key=row.end_image_key,
        generate_audio=row.generate_audio,
        enhance_prompt=row.enhance_prompt,
    )


def retry(
    session: WriteSession,
    user: User,
    generation_id: str,
    *,
    configured: Collection[str],
    quota_bytes: int,
    idempotency_key: str | None = None,
) -> Generation:
    """Order a failed or cancelled one again, at today's price, as a new generation that points to the old.

    It still goes on from the clip that the old one went on from, unless that was deleted meanwhile. Raises as `submit`,
    and Conflict when the old one has not failed.
    """
    old = get(session, user, generation_id)
    if old.status not in (Status.FAILED, Status.CANCELLED):
        raise errors.Conflict("Only a failed or cancelled generation can be tried again.")
    extended = visible(user).with_only_columns(Generation.id).where(Generation.id == old.extends_id)
    return submit(
        session,
        user,
        retry_order(old),
        configured=configured,
        quota_bytes=quota_bytes,
        idempotency_key=idempotency_key,
        retry_of_id=old.id,
        extends_id=session.scalar(extended),
    )


def delete(session: WriteSession, user: User, generation_id: str) -> None:
    """Take an ended generation out of sight; its files follow soon, its charges stay on record."""
    row = lifecycle.locked(session, get(session, user, generation_id).id)
    if row is None or row.status not in ENDED_STATUSES:
        raise errors.Conflict("This generation is still under way. Cancel it first, or wait for its end.")
    row.deleted_at = utc_now()
    update_where(session, Project, Project.id == row.project_id, generation_count=Project.generation_count - 1)
    session.flush()


def delete_many(session: WriteSession, user: User, ids: Collection[str]) -> int:
    """Delete those of these generations that have ended; how many. NotFound when one is not theirs."""
    ended = [row_id for row_id in sorted(set(ids)) if get(session, user, row_id).status in ENDED_STATUSES]
    for row_id in ended:
        delete(session, user, row_id)
    return len(ended)
