"""Generations as people and scripts act on them: order, cancel, retry, delete."""

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from sqlalchemy import Connection, Select, bindparam, or_, select, update
from sqlalchemy.orm import Session

from core import capability, errors, ledger, lifecycle, pricing, projects, uploads, users
from core.columns import utc_now
from core.models import Generation, Project, User, is_live, table_of
from core.ownership import owned, owned_by_bound
from core.providers import registry
from core.states import ENDED_STATUSES, Stage, Status
from core.video import VideoModel

KEY_LIMIT_CHARS = 200
NOT_THERE = "This generation does not exist, or it is not yours."


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a generation is: what somebody who waits for it needs. `progress` is 0 to 1."""

    id: str
    status: Status
    progress: float
    output_key: str | None
    thumbnail_key: str | None
    error_code: str | None
    error_message: str | None


@dataclass(frozen=True, slots=True)
class Order:
    """What a person asks for; the same for form, API and retry. Image keys are those of their uploads."""

    project_id: str
    model_id: str
    prompt: str
    resolution: str
    duration_seconds: int
    aspect_ratio: str
    negative_prompt: str = ""
    start_image_key: str | None = None
    end_image_key: str | None = None
    generate_audio: bool = False
    enhance_prompt: bool = False

    def trimmed(self) -> "Order":
        """The same without white space around the texts."""
        return replace(self, prompt=self.prompt.strip(), negative_prompt=self.negative_prompt.strip())

    def digest(self) -> str:
        """The same for the same request, whoever sends it."""
        return _digest(asdict(self))

    def recipe(self) -> str:
        """The same for the same clip, whatever project it is for."""
        return _digest({name: value for name, value in asdict(self).items() if name != "project_id"})


def _digest(values: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True, ensure_ascii=True).encode()).hexdigest()


def quote(order: Order) -> pricing.Quote:
    """The price of an order, by the one price function."""
    return pricing.quote(
        order.model_id,
        resolution=order.resolution,
        duration_seconds=order.duration_seconds,
        start_image=order.start_image_key is not None,
        end_image=order.end_image_key is not None,
        generate_audio=order.generate_audio,
        enhance_prompt=order.enhance_prompt,
    )


def validate(order: Order) -> dict[str, str]:
    """Field name -> what to change before this order can be made; empty when it can."""
    try:
        model = registry.model(order.model_id)
    except errors.NotFound as unknown:
        return {"modelId": str(unknown)}
    return capability.prompt_problems(
        model, prompt=order.prompt, negative_prompt=order.negative_prompt
    ) | capability.problems(
        model,
        resolution=order.resolution,
        duration_seconds=order.duration_seconds,
        aspect_ratio=order.aspect_ratio,
        negative_prompt=order.negative_prompt,
        start_image=order.start_image_key is not None,
        end_image=order.end_image_key is not None,
        generate_audio=order.generate_audio,
        enhance_prompt=order.enhance_prompt,
    )


def submit(
    session: Session,
    user: User,
    order: Order,
    *,
    configured: Collection[str],
    quota_bytes: int,
    idempotency_key: str | None = None,
    retry_of_id: str | None = None,
    extends_id: str | None = None,
    batch_id: str | None = None,
) -> Generation:
    """Check, price, reserve and write down one order, all or nothing; a worker takes it from there.

    The same `idempotency_key` with the same order returns the first generation; with another order, or to go on
    from another clip, it raises IdempotencyConflict. `configured` names the providers that have a key; `extends_id`
    is the caller's own clip that this one goes on from, `batch_id` what was ordered with one press. Raises
    InvalidRequest with fields, ProviderNotConfigured, InsufficientCredits, StorageFull, NotFound for a project or a
    clip that is not theirs.
    """
    order = order.trimmed()
    if idempotency_key is not None:
        _check_key(idempotency_key)
        ledger.lock_account(session, user.id)  # two submits with one key go one after the other
        first = session.scalar(
            select(Generation).where(owned(Generation, user), Generation.idempotency_key == idempotency_key)
        )
        if first is not None:
            # A retry goes on from what the old one did while that is there; it is the same request either way.
            if not is_repeat(first, order, extends_id if retry_of_id is None else first.extends_id):
                raise errors.IdempotencyConflict
            return first
    if wrong := validate(order):
        raise errors.InvalidRequest(fields=wrong)
    model = registry.model(order.model_id)
    project = projects.get(session, user, order.project_id)
    if project.archived_at is not None:
        raise errors.InvalidRequest(fields={"projectId": "This project is archived. Bring it back first."})
    for field, key in (("startImagePath", order.start_image_key), ("endImagePath", order.end_image_key)):
        if key is not None:
            uploads.check_owned(session, user, key, field=field)
    if extends_id is not None:
        get(session, user, extends_id)
    if model.provider not in configured:
        raise errors.ProviderNotConfigured
    if users.storage_bytes(session, user) >= quota_bytes:
        raise errors.StorageFull
    price = quote(order)
    row = _row(user, order, model, price)
    row.idempotency_key, row.retry_of_id, row.extends_id, row.batch_id = (
        idempotency_key,
        retry_of_id,
        extends_id,
        batch_id,
    )
    session.add(row)
    session.flush()
    ledger.hold(session, user.id, generation_id=row.id, credits=price.total_credits, actor=user.email)
    what = f"Ordered; {price.total_credits:,} credits reserved"
    lifecycle.note(session, row.id, row.status, row.stage, what=what, actor=user.email)
    session.execute(_COUNT, {"counted_id": project.id, "now": utc_now()})
    return row


def is_repeat(first: Generation, order: Order, extends_id: str | None) -> bool:
    """Whether an order, trimmed, asks for just what a generation was ordered with."""
    return first.request_hash == order.digest() and first.extends_id == extends_id


def get(session: Session, user: User, generation_id: str) -> Generation:
    """A person's own generation; NotFound also when it is somebody else's or deleted."""
    row = session.scalar(_visible(user).where(Generation.id == generation_id))
    if row is None:
        raise errors.NotFound(NOT_THERE)
    return row


def standing(session: Session | Connection, user: User, generation_id: str) -> Standing:
    """Where a person's own generation stands, for those who ask again and again; NotFound as in `get`."""
    row = session.execute(_STANDING, {"user_id": user.id, "generation_id": generation_id}).first()
    if row is None:
        raise errors.NotFound(NOT_THERE)
    return Standing(*row)


def made_before(session: Session, user: User, order: Order) -> Generation | None:
    """The newest clip this person has, or has under way, from the very same recipe; in whatever project."""
    same = Generation.recipe_hash == order.trimmed().recipe()
    found = or_(is_live(), Generation.status == Status.COMPLETED)
    return session.scalar(_visible(user).where(same, found).order_by(Generation.id.desc()).limit(1))


def cancel(session: Session, user: User, generation_id: str) -> Generation:
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
        if not provider.can_cancel or row.stage in (Stage.READY, Stage.DOWNLOADING):
            raise errors.Conflict(provider.cancel_note if not provider.can_cancel else "The clip is already made.")
        now = utc_now()
        row.cancel_requested_at = now
        if row.stage is Stage.WAITING:
            row.next_at = now
        lifecycle.note(session, row.id, row.status, row.stage, what="Cancelling was asked for", actor=user.email)
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
    session: Session,
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
    extended = _visible(user).with_only_columns(Generation.id).where(Generation.id == old.extends_id)
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


def delete(session: Session, user: User, generation_id: str) -> None:
    """Take an ended generation out of sight; its files follow soon, its charges stay on record."""
    row = lifecycle.locked(session, get(session, user, generation_id).id)
    if row is None or row.status not in ENDED_STATUSES:
        raise errors.Conflict("This generation is still under way. Cancel it first, or wait for its end.")
    row.deleted_at = utc_now()
    session.execute(
        update(Project)
        .where(Project.id == row.project_id)
        .values(generation_count=Project.generation_count - 1)
        .execution_options(synchronize_session=False)
    )
    session.flush()


def delete_several(session: Session, user: User, ids: Collection[str]) -> int:
    """Delete those of these generations that have ended; how many. NotFound when one is not theirs."""
    ended = [row_id for row_id in sorted(set(ids)) if get(session, user, row_id).status in ENDED_STATUSES]
    for row_id in ended:
        delete(session, user, row_id)
    return len(ended)


def file_name(row: Generation) -> str:
    """A name to save a clip under: the start of its prompt and the end of its id, harmless on every system."""
    words = "".join(char if char.isascii() and char.isalnum() else " " for char in row.prompt.lower()).split()
    stem = "-".join(words)[:48].strip("-") or "clip"
    return f"{stem}-{row.id[-6:]}.mp4"


def _visible(user: User) -> Select[Generation]:
    return select(Generation).where(owned(Generation, user), Generation.deleted_at.is_(None))


# Put together once: they are run more often than others, and putting them together takes longer than running them.
_STANDING = select(*(getattr(Generation, field.name) for field in fields(Standing))).where(
    owned_by_bound(Generation), Generation.deleted_at.is_(None), Generation.id == bindparam("generation_id")
)
_PROJECTS = table_of(Project)
_COUNT = (
    update(_PROJECTS)
    .where(_PROJECTS.c.id == bindparam("counted_id"))
    .values(generation_count=_PROJECTS.c.generation_count + 1, updated_at=bindparam("now"))
)


def _check_key(key: str) -> None:
    if not key or len(key) > KEY_LIMIT_CHARS or not key.isprintable():
        raise errors.InvalidRequest(
            fields={"Idempotency-Key": f"Use 1 to {KEY_LIMIT_CHARS} printable characters, new for each request."}
        )


def _row(user: User, order: Order, model: VideoModel, price: pricing.Quote) -> Generation:
    return Generation(
        user_id=user.id,
        request_hash=order.digest(),
        recipe_hash=order.recipe(),
        provider=model.provider,
        model_name=model.name,
        credits=price.total_credits,
        quote=price.to_json(),
        next_at=utc_now(),
        **asdict(order),
    )
