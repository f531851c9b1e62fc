"""Generations as people and scripts act on them: order, cancel, retry, delete."""

import logging
from collections.abc import Collection
from datetime import datetime
from functools import partial

from sqlalchemy import ScalarSelect, bindparam, or_, select, update

from core import db, errors, logs, tracing
from core.assets import made_from
from core.billing import ledger, pricing
from core.billing.quote import Quote
from core.catalog import in_force, offered, rules
from core.catalog_changes import current
from core.clock import utc_now
from core.db import ReadSession, WriteSession
from core.db.enums import SourceKind, Status
from core.db.tables import Generation, Project, Workspace, is_live, table_of
from core.generations import approval_requests, lifecycle, named, spending, told
from core.generations.orders import Order
from core.generations.queries import get, visible
from core.identity import api_tokens, idempotency, users
from core.messages import message
from core.projects import projects, uploads
from core.usage import exchange_rates, limits
from core.workspaces import months, quota
from core.workspaces.access import Member, in_workspace
from core.workspaces.permissions import Action

log = logging.getLogger(__name__)

__all__ = ["Order", "is_repeat", "made_before", "submit", "submit_part"]


@current.ordering
def submit(
    session: WriteSession,
    member: Member,
    order: Order,
    *,
    configured: Collection[str],
    quota_bytes: int,
    idempotency_key: str | None = None,
    retry_of_id: str | None = None,
    extends_id: str | None = None,
) -> Generation:
    """Check, price, reserve and write down one order, all or nothing; a worker takes it from there.

    It waits for approval first where its workspace asks for that (`core.generations.approval_requests`).

    The same `idempotency_key` with the same order returns the first generation, marked as `replayed`; with another
    order, or to go on from another clip, it raises IdempotencyConflict. `configured` names the providers that have a
    key; `extends_id` is the caller's own clip that this one goes on from.
    Names in the prompt (`@mira`) are resolved into references and words, and stay what they are now. One that begins
    with a picture of a clip remembers which.
    Raises InvalidRequest with fields, ModelNotOffered, ProviderNotConfigured, InsufficientCredits, BudgetExceeded,
    TokenCapReached, StorageFull, NotFound for a project or a clip that is not theirs.
    """
    row = submit_part(
        session,
        member,
        order,
        configured=configured,
        quota_bytes=quota_bytes,
        idempotency_key=idempotency_key,
        retry_of_id=retry_of_id,
        extends_id=extends_id,
    )
    if not row.replayed:
        approval_requests.ask_where_needed(session, [row], actor=member.email)
    return row


@current.ordering
def submit_part(
    session: WriteSession,
    member: Member,
    order: Order,
    *,
    configured: Collection[str],
    quota_bytes: int,
    idempotency_key: str | None = None,
    retry_of_id: str | None = None,
    extends_id: str | None = None,
    batch_id: str | None = None,
) -> Generation:
    """The part of `submit` that orders one of several of a press, whose `batch_id` may say so.

    Whoever calls it asks for approval of them all (`approval_requests.ask_where_needed`), in the same transaction.
    """
    order = order.trimmed()
    told.keep_out(order.spec)
    if idempotency_key is not None and (first := _with_key(session, member, idempotency_key)) is not None:
        # A retry goes on from what the old one did while that is there; it is the same request either way.
        if not is_repeat(first, order, extends_id if retry_of_id is None else first.extends_id):
            raise errors.IdempotencyConflict
        projects.check_visible(session, member, first.project_id)  # they may have left where they ordered it
        first.replayed = True
        return first
    now = db.now(session)
    offered.check(order.spec.model_id, now)
    order = named.resolved(session, member, order, configured=configured)
    model = rules.require(order.spec)
    project = projects.get_held(session, member, order.project_id)
    member.require(Action.ORDER, project.workspace_id)
    if project.archived_at is not None:
        raise errors.InvalidRequest(fields={"projectId": message("project_archived")})
    uploads.check_orderable(session, project.workspace_id, list(rules.media(order.spec)))
    for made_from_id in filter(None, (extends_id, order.final_of_id)):
        get(session, member, made_from_id)
    if model.provider not in configured:
        raise errors.ProviderNotConfigured
    if quota.used_bytes(session, project.workspace_id) >= quota_bytes:
        raise errors.StorageFull
    known = in_force.current()
    price = pricing.priced(order.spec, now, known)
    is_marked = select(Workspace.visible_mark).where(Workspace.id == project.workspace_id).scalar_subquery()
    row = new_row(member, project, order, price, now=now, visible_mark=is_marked)
    rate = exchange_rates.at(session, now)
    spending.freeze(row, pricing.estimated_cost(order.spec, now, known), idr_per_usd=rate)
    row.idempotency_key, row.batch_id = idempotency_key, batch_id
    row.retry_of_id, row.extends_id = retry_of_id, extends_id
    row.budget_month = months.month_in(session, project.workspace_id, now)
    row.source_id, row.source_kind = _source(session, row, order.final_of_id)
    session.add(row)
    session.flush()
    made_from.note(session, row, names=order.names)
    ledger.hold(session, project.workspace_id, generation_id=row.id, credits=price.total_credits, actor=member.email)
    limits.take(session, row)
    if member.token_id is not None:
        api_tokens.spend(session, member.token_id, credits=price.total_credits)
    _note(session, row, actor=member.email)
    return row


def _note(session: WriteSession, row: Generation, *, actor: str) -> None:
    """Begin the timeline of an order, count it, and tell the log of it once it is written down."""
    what = message("ordered", total_credits=row.credits)
    lifecycle.begin(session, {row: what}, actor=actor)
    session.execute(_COUNT, {"counted_id": row.project_id, "now": utc_now()})
    session.after_commit(partial(_log, row))


def _log(row: Generation) -> None:
    with told.about(row):
        log.info("%s is ordered", row.id)


def _with_key(session: WriteSession, member: Member, key: str) -> Generation | None:
    """What was ordered with this key before; two submits with one key go one after the other."""
    idempotency.check_key(key)
    users.lock(session, member.id)
    return session.scalar(select(Generation).where(Generation.user_id == member.id, Generation.idempotency_key == key))


def is_repeat(first: Generation, order: Order, extends_id: str | None) -> bool:
    """Whether an order, trimmed, asks for just what a generation was ordered with."""
    return first.request_hash == order.digest() and first.extends_id == extends_id


def _source(session: ReadSession, row: Generation, final_of_id: str | None) -> tuple[str | None, SourceKind | None]:
    """The clip that an order is made from, and what of it."""
    if final_of_id is not None:
        return final_of_id, SourceKind.DRAFT
    clip_id = uploads.source_of(session, row.workspace_id, row.start_image_key) if row.start_image_key else None
    return (None, None) if clip_id is None else (clip_id, SourceKind.FRAME)


_PROJECTS = table_of(Project)
_COUNT = (
    update(_PROJECTS)
    .where(_PROJECTS.c.id == bindparam("counted_id"))
    .values(generation_count=_PROJECTS.c.generation_count + 1, updated_at=bindparam("now"))
)


def new_row(
    member: Member,
    project: Project,
    order: Order,
    price: Quote,
    *,
    now: datetime,
    visible_mark: ScalarSelect[bool] | bool,
) -> Generation:
    """The row of an order that was checked and priced; nothing of it is written yet.

    `visible_mark` is asked for by SQL in the same statement, or known.
    """
    model = in_force.model(order.spec.model_id)
    return Generation(
        workspace_id=project.workspace_id,
        user_id=member.id,
        project_id=order.project_id,
        token_id=member.token_id,
        request_id=logs.ids().get("request_id"),
        traceparent=tracing.traceparent(),
        request_hash=order.digest(),
        recipe_hash=order.recipe(),
        provider=model.provider,
        model_name=model.name,
        credits=price.total_credits,
        quote=price.to_json(),
        visible_mark=visible_mark,
        next_at=now,
        progress=0.0,  # of its flight, which it gets when it is written
        progress_is_estimate=True,
        created_at=now,
        updated_at=now,
        **order.spec.values(),
    )


def made_before(session: ReadSession, member: Member, order: Order) -> Generation | None:
    """The newest clip of the workspace, there or under way, from the very same recipe; in whatever project."""
    same = Generation.recipe_hash == order.trimmed().recipe()
    found = or_(is_live(), Generation.status == Status.COMPLETED)
    return session.scalar(
        visible(member).where(in_workspace(Generation, member), same, found).order_by(Generation.id.desc()).limit(1)
    )
