"""Generations as people and scripts act on them: order, cancel, retry, delete."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, or_, select, update

from core import db, errors
from core.billing import ledger, pricing
from core.billing.quote import Quote
from core.catalog import in_force, offered, rules
from core.catalog_changes import current
from core.clock import utc_now
from core.db import ReadSession, WriteSession
from core.db.enums import Status
from core.db.tables import Generation, Project, Workspace, is_live, table_of
from core.generations import lifecycle, spending
from core.generations.queries import get, visible
from core.identity import api_tokens, idempotency, users
from core.messages import message
from core.projects import projects, uploads
from core.spec import GenerationSpec
from core.usage import exchange_rates
from core.workspaces import quota
from core.workspaces.access import Member, in_workspace
from core.workspaces.permissions import Action


@dataclass(frozen=True, slots=True)
class Order:
    """What a person asks for, and in which project; the same for form, API and retry."""

    project_id: str
    spec: GenerationSpec

    @classmethod
    def of(cls, row: Generation) -> "Order":
        """The order that a generation was made from."""
        return cls(row.project_id, row.spec)

    def trimmed(self) -> "Order":
        """The same without white space around the texts."""
        return Order(self.project_id, self.spec.trimmed())

    def digest(self) -> str:
        """The same for the same request, whoever sends it."""
        return self.spec.digest(project_id=self.project_id)

    def recipe(self) -> str:
        """The same for the same clip, whatever project it is for."""
        return self.spec.digest()


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
    batch_id: str | None = None,
) -> Generation:
    """Check, price, reserve and write down one order, all or nothing; a worker takes it from there.

    The same `idempotency_key` with the same order returns the first generation, marked as `replayed`; with another
    order, or to go on from another clip, it raises IdempotencyConflict. `configured` names the providers that have a
    key; `extends_id` is the caller's own clip that this one goes on from, `batch_id` what was ordered with one press.
    Raises InvalidRequest with fields, ModelNotOffered, ProviderNotConfigured, InsufficientCredits, TokenCapReached,
    StorageFull, NotFound for a project or a clip that is not theirs.
    """
    order = order.trimmed()
    if idempotency_key is not None:
        idempotency.check_key(idempotency_key)
        users.lock(session, member.id)  # two submits with one key go one after the other
        first = session.scalar(
            select(Generation).where(Generation.user_id == member.id, Generation.idempotency_key == idempotency_key)
        )
        if first is not None:
            # A retry goes on from what the old one did while that is there; it is the same request either way.
            if not is_repeat(first, order, extends_id if retry_of_id is None else first.extends_id):
                raise errors.IdempotencyConflict
            projects.check_visible(session, member, first.project_id)  # they may have left where they ordered it
            first.replayed = True
            return first
    now = db.now(session)
    offered.check(order.spec.model_id, now)
    model = rules.require(order.spec)
    project = projects.get_held(session, member, order.project_id)
    member.require(Action.ORDER, project.workspace_id)
    if project.archived_at is not None:
        raise errors.InvalidRequest(fields={"projectId": message("project_archived")})
    for key, field in rules.images(order.spec):
        uploads.check_owned(session, project.workspace_id, key, field=field)
    if extends_id is not None:
        get(session, member, extends_id)
    if model.provider not in configured:
        raise errors.ProviderNotConfigured
    if quota.used_bytes(session, project.workspace_id) >= quota_bytes:
        raise errors.StorageFull
    known = in_force.current()
    price = pricing.priced(order.spec, now, known)
    row = _row(member, project, order, price, now)
    spending.freeze(row, known, idr_per_usd=exchange_rates.at(session, now))
    row.idempotency_key, row.retry_of_id, row.extends_id, row.batch_id = (
        idempotency_key,
        retry_of_id,
        extends_id,
        batch_id,
    )
    session.add(row)
    session.flush()
    ledger.hold(session, project.workspace_id, generation_id=row.id, credits=price.total_credits, actor=member.email)
    if member.token_id is not None:
        api_tokens.spend(session, member.token_id, credits=price.total_credits)
    what = message("ordered", total_credits=price.total_credits)
    lifecycle.add_event(session, row.id, row.status, row.stage, what=what, actor=member.email)
    session.execute(_COUNT, {"counted_id": project.id, "now": utc_now()})
    return row


def is_repeat(first: Generation, order: Order, extends_id: str | None) -> bool:
    """Whether an order, trimmed, asks for just what a generation was ordered with."""
    return first.request_hash == order.digest() and first.extends_id == extends_id


_PROJECTS = table_of(Project)
_COUNT = (
    update(_PROJECTS)
    .where(_PROJECTS.c.id == bindparam("counted_id"))
    .values(generation_count=_PROJECTS.c.generation_count + 1, updated_at=bindparam("now"))
)


def _row(member: Member, project: Project, order: Order, price: Quote, now: datetime) -> Generation:
    model = in_force.model(order.spec.model_id)
    return Generation(
        workspace_id=project.workspace_id,
        user_id=member.id,
        project_id=order.project_id,
        token_id=member.token_id,
        request_hash=order.digest(),
        recipe_hash=order.recipe(),
        provider=model.provider,
        model_name=model.name,
        credits=price.total_credits,
        quote=price.to_json(),
        visible_mark=select(Workspace.visible_mark).where(Workspace.id == project.workspace_id).scalar_subquery(),
        next_at=now,
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
