"""Several orders with one press: priced together, reserved together, and made all or not at all."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from sqlalchemy import select

from core import db, errors
from core.billing import ledger, pricing
from core.catalog import rules
from core.catalog_changes import current
from core.db import ReadSession, WriteSession
from core.db.tables import Generation, Project
from core.generations import approval_requests, named
from core.generations.orders import Order
from core.generations.submit import is_repeat, submit_part
from core.identity import users
from core.ids import new_id
from core.messages import message
from core.usage import limits
from core.workspaces.access import Member, visible_to

MAX_BATCH = 20
"""Up to so many orders with one press."""


def total_credits(orders: Sequence[Order]) -> int:
    """The price of all of them: the sum of their quotes."""
    return sum(pricing.priced(order.spec).total_credits for order in orders)


@current.ordering
def submit_batch(
    session: WriteSession,
    member: Member,
    orders: Sequence[Order],
    *,
    configured: Collection[str],
    quota_bytes: int,
    key: str | None = None,
    extends_id: str | None = None,
    shown_credits: int | None = None,
) -> Sequence[Generation]:
    """Submit 1 to `MAX_BATCH` orders in their order, or none of them; a batch of one is a plain order.

    The same `key` with the same orders and clip to go on from returns the first batch; with others it raises
    IdempotencyConflict. The first item carries the key itself, so a plain order and a batch cannot share one either.
    With `shown_credits`, the price of all that the person was shown, another one raises PriceChanged.
    Raises as `generations.submit`, fields named by item (`generations.1.duration`) and InsufficientCredits and
    BudgetExceeded for the total.
    """
    if not 1 <= len(orders) <= MAX_BATCH:
        raise errors.InvalidRequest(fields={"generations": message("batch_size", limit=MAX_BATCH, ordered=len(orders))})
    orders = [order.trimmed() for order in orders]
    users.lock(session, member.id)  # two presses with one key go one after the other
    if key is not None and (first := _earlier_batch(session, member, key)):
        repeated = (is_repeat(row, order, extends_id) for row, order in zip(first, orders, strict=False))
        if len(first) != len(orders) or not all(repeated):
            raise errors.IdempotencyConflict
        for row in first:
            row.replayed = True
        return first
    for place, order in enumerate(orders):
        with _fields_named_by(place if len(orders) > 1 else None):
            orders[place] = named.resolved(session, member, order, configured=configured)
    check_total(session, member, orders)
    batch_id = new_id() if len(orders) > 1 else None
    rows: list[Generation] = []
    with session.begin_nested():  # a refusal in the middle takes back what was written before it, whoever catches it
        for place, order in enumerate(orders):
            with _fields_named_by(place if len(orders) > 1 else None):
                row = submit_part(
                    session,
                    member,
                    order,
                    configured=configured,
                    quota_bytes=quota_bytes,
                    idempotency_key=item_key(key, place),
                    extends_id=extends_id,
                    batch_id=batch_id,
                )
            rows.append(row)
        if shown_credits not in (None, sum(row.credits for row in rows)):
            raise errors.PriceChanged
        approval_requests.ask_where_needed(session, rows, actor=member.email)
    return rows


@contextmanager
def _fields_named_by(place: int | None) -> Iterator[None]:
    """Name the fields of an InvalidRequest by the item they are wrong in; None leaves them."""
    try:
        yield
    except errors.InvalidRequest as wrong:
        if place is None:
            raise
        raise errors.InvalidRequest(
            fields={f"generations.{place}.{field}": sentence for field, sentence in wrong.fields.items()},
            problems=[replace(each, field=f"generations.{place}.{each.field}") for each in wrong.problems],
        ) from None


def check_total(session: ReadSession, member: Member, orders: Sequence[Order]) -> None:
    """InsufficientCredits or BudgetExceeded that names the price of all that one workspace pays.

    Orders that cannot be priced, or are for no project of theirs, are refused one by one later.
    """
    if any(rules.validate(order.spec) for order in orders):
        return
    wanted = {order.project_id for order in orders}
    now = db.now(session)
    owned = select(Project.id, Project.workspace_id).where(Project.id.in_(wanted), visible_to(Project, member))
    payer_of = {row.id: row.workspace_id for row in session.execute(owned)}
    needed: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for order in orders:
        if order.project_id in payer_of:
            needed[payer_of[order.project_id]][order.project_id] += pricing.priced(order.spec).total_credits
    for workspace_id, in_projects in needed.items():
        credits = sum(in_projects.values())
        available = ledger.balance(session, workspace_id).available_credits
        if credits > available:
            raise errors.InsufficientCredits(needed_credits=credits, available_credits=available)
        limits.check(session, workspace_id=workspace_id, user_id=member.id, credits_by_project=in_projects, at=now)


def item_key(key: str | None, place: int) -> str | None:
    """The key of one item, the same for the same key and place; of the first it is the key itself."""
    if key is None or place == 0:
        return key
    return f"batch-{hashlib.sha256(f'{place}:{key}'.encode()).hexdigest()}"


def _earlier_batch(session: ReadSession, member: Member, key: str) -> Sequence[Generation]:
    """What was ordered with this key before, in its order."""
    places = {item_key(key, place): place for place in range(MAX_BATCH)}
    rows = session.scalars(
        select(Generation).where(
            Generation.user_id == member.id,
            visible_to(Generation, member),
            Generation.idempotency_key.in_(places),
        )
    ).all()
    return sorted(rows, key=lambda row: places[row.idempotency_key])
