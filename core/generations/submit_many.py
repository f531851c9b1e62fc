"""Many orders in one transaction: checked one by one, reserved by one change of the account, and written together."""

import logging
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache

from core import db, errors
from core.assets import made_from
from core.billing import ledger, pricing
from core.billing.quote import Quote
from core.catalog import in_force, offered, rules
from core.catalog_changes import current
from core.clock import utc_now
from core.db import WriteSession, update_where
from core.db.enums import SourceKind
from core.db.tables import Generation, Project, Workspace
from core.generations import approval_requests, flights, lifecycle, named, spending
from core.generations.submit import Order, new_row
from core.identity import api_tokens
from core.ids import new_id
from core.messages import message
from core.projects import projects, uploads
from core.spec import GenerationSpec
from core.usage import exchange_rates, limits
from core.workspaces import months, quota
from core.workspaces.access import Member
from core.workspaces.permissions import Action

log = logging.getLogger(__name__)

PENDING_LIMIT = timedelta(days=7)
"""How long one of many waits for its provider, which may take a few at a time."""


@current.ordering
def submit_many(
    session: WriteSession,
    member: Member,
    orders: Sequence[Order],
    *,
    configured: Collection[str],
    quota_bytes: int,
    batch_id: str,
    shown_credits: int,
) -> Sequence[Generation]:
    """Write down all these orders, which are of one workspace, in their order; or none, and their whole price is held.

    It knows no repeats: the caller sees to it that a request comes once. Raises as `generations.submit`,
    InsufficientCredits and BudgetExceeded for the total, and PriceChanged where that is not `shown_credits`. Fields of
    an InvalidRequest are named by item (`generations.1.duration`).
    """
    orders = [named.resolved(session, member, order.trimmed(), configured=configured) for order in orders]
    now = db.now(session)
    in_projects = _projects(session, member, orders)
    [workspace_id] = {project.workspace_id for project in in_projects.values()}
    _check(orders, configured=configured, now=now)
    media = {each for order in orders for each in rules.media(order.spec)}
    uploads.check_orderable(session, workspace_id, sorted(media))
    if quota.used_bytes(session, workspace_id) >= quota_bytes:
        raise errors.StorageFull
    quotes = _quotes(orders, now)
    total = sum(quote.total_credits for quote in quotes)
    if total != shown_credits:
        raise errors.PriceChanged
    month = months.month_in(session, workspace_id, now)
    with session.begin_nested():  # a refusal takes back what was written before it, whoever catches it
        rows = _rows(session, member, orders, quotes, in_projects=in_projects, now=now)
        for row in rows:
            row.batch_id, row.budget_month = batch_id, month
            row.deadline_at = now + PENDING_LIMIT
        session.add_all(rows)
        session.flush()
        for row, order in zip(rows, orders, strict=True):
            made_from.note(session, row, names=order.names)
        prices = {row.id: row.credits for row in rows}
        ledger.hold_many(session, workspace_id, prices, actor=member.email)
        limits.take_many(session, rows)
        if member.token_id is not None:
            api_tokens.spend(session, member.token_id, credits=total)
        what_of = {row_id: message("ordered", total_credits=credits) for row_id, credits in prices.items()}
        lifecycle.add_events(session, what_of, rows[0].status, rows[0].stage, actor=member.email)
        flights.begin(session, rows)
        _count(session, orders)
        approval_requests.ask_where_needed(session, rows, actor=member.email)
    session.after_commit(lambda: log.info("%d clips are ordered at once, as %s", len(orders), batch_id))
    return rows


def _projects(session: WriteSession, member: Member, orders: Sequence[Order]) -> Mapping[str, Project]:
    """The projects of these orders, kept from going away; all of the workspace where the member is at work."""
    found = {}
    for project_id in sorted({order.project_id for order in orders}):
        project = projects.get_held(session, member, project_id)
        if project.workspace_id != member.workspace_id:
            raise errors.InvalidRequest(fields={"projectId": message("project_of_another_workspace")})
        if project.archived_at is not None:
            raise errors.InvalidRequest(fields={"projectId": message("project_archived")})
        found[project_id] = project
    member.require(Action.ORDER, member.workspace_id)
    return found


def _check(orders: Sequence[Order], *, configured: Collection[str], now: datetime) -> None:
    for model_id in {order.spec.model_id for order in orders}:
        offered.check(model_id, now)
        entry = in_force.find(model_id)
        if entry is not None and entry.model.provider not in configured:
            raise errors.ProviderNotConfigured
    for place, order in enumerate(orders):
        try:
            rules.require(order.spec)
        except errors.InvalidRequest as wrong:
            raise errors.InvalidRequest(
                fields={f"generations.{place}.{field}": said for field, said in wrong.fields.items()},
                problems=[replace(each, field=f"generations.{place}.{each.field}") for each in wrong.problems],
            ) from None


def _quotes(orders: Sequence[Order], now: datetime) -> Sequence[Quote]:
    """The price of each; orders that differ in their words alone are priced once."""
    known = in_force.current()
    price = cache(lambda spec: pricing.priced(spec, now, known))
    return [price(_without_words(order.spec)) for order in orders]


def _rows(
    session: WriteSession,
    member: Member,
    orders: Sequence[Order],
    quotes: Sequence[Quote],
    *,
    in_projects: Mapping[str, Project],
    now: datetime,
) -> list[Generation]:
    """The rows, whose ids sort as the orders stand."""
    known, idr_per_usd = in_force.current(), exchange_rates.at(session, now)
    estimate = cache(lambda spec: pricing.estimated_cost(spec, now, known))
    visible_mark = session.get_one(Workspace, member.workspace_id).visible_mark
    clip_of = cache(lambda key: uploads.source_of(session, member.workspace_id, key) if key else None)
    ids = sorted(new_id() for _order in orders)
    rows = []
    for row_id, order, quote in zip(ids, orders, quotes, strict=True):
        row = new_row(member, in_projects[order.project_id], order, quote, now=now, visible_mark=visible_mark)
        row.id = row_id
        if (clip_id := clip_of(order.spec.start_image_key)) is not None:
            row.source_id, row.source_kind = clip_id, SourceKind.FRAME
        spending.freeze(row, estimate(_without_words(order.spec)), idr_per_usd=idr_per_usd)
        rows.append(row)
    return rows


def _without_words(spec: GenerationSpec) -> GenerationSpec:
    """What of an order its price and cost depend on."""
    return replace(spec, prompt="", negative_prompt="", seed=None)


def _count(session: WriteSession, orders: Sequence[Order]) -> None:
    number_of = Counter(order.project_id for order in orders)
    for project_id in sorted(number_of):
        update_where(
            session,
            Project,
            Project.id == project_id,
            generation_count=Project.generation_count + number_of[project_id],
            updated_at=utc_now(),
        )
