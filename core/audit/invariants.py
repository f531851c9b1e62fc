"""The rules that must always be true of money and clips, each as two queries: how many it looks at, and which break it.

Each rule has one form for everything and one for what changed since a place, which reads by index only: a movement or a
timeline row is never changed afterwards, so what was found right once can only go wrong by a row that is new. What is
everything can be looked at by ranges of the keys that the rule goes by, which together find the same.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    case,
    exists,
    func,
    literal_column,
    or_,
    select,
    true,
    union,
)
from sqlalchemy.orm import InstrumentedAttribute, aliased

from core.audit import adjusted_costs, approvals_given, budget_counters, flights_follow, told_by_tags, verdicts_counted
from core.audit.scope import Scope, Since, charged_within, within
from core.billing import ledger
from core.clock import utc_now
from core.db.enums import EntryKind, Status
from core.db.tables import Account, Generation, GenerationEvent, LedgerEntry, Project, UsageDay, is_live
from core.generations import lifecycle

DEADLINE_GRACE = timedelta(hours=1)

Queries = tuple[Select[Any], Select[Any]]


@dataclass(frozen=True, slots=True)
class Invariant:
    """The messages `rule_<code>` and `promise_<code>` say what is compared and what it means to a person.

    `queries(scope)` count and find offenders. `by` is the key whose ranges part them; None: they are few.
    """

    code: str
    queries: Callable[[Scope], Queries]
    by: InstrumentedAttribute[Any] | None = None


def _generations(wrong: ColumnElement[bool], among: ColumnElement[bool] | None = None) -> Callable[..., Queries]:
    """Statements that count the changed generations and find those where `wrong` holds."""

    def queries(scope: Scope) -> Queries:
        which = [_changed(scope), true() if among is None else among]
        return select(func.count(Generation.id)).where(*which), select(Generation.id).where(*which, wrong)

    return queries


def _changed(since: Scope) -> ColumnElement[bool]:
    """A generation that moved or whose money moved: both leave a row."""
    if not isinstance(since, Since):
        return within(since, Generation.id)
    moved = select(GenerationEvent.generation_id).where(GenerationEvent.id > since.event_id)
    booked = select(LedgerEntry.generation_id).where(
        LedgerEntry.id > since.entry_id, LedgerEntry.generation_id.is_not(None)
    )
    return Generation.id.in_(union(moved, booked))


def _number_of(kind: EntryKind) -> ColumnElement[int]:
    """How many ledger rows of a kind a generation has that carry exactly its price."""
    return (
        select(func.count())
        .where(
            LedgerEntry.generation_id == Generation.id,
            LedgerEntry.kind == kind,
            LedgerEntry.amount_credits == Generation.credits,
        )
        .correlate(Generation)
        .scalar_subquery()
    )


_ONCE = case((Generation.credits > 0, 1), else_=0)
"""How many rows of a kind a generation must have; one that costs nothing moves nothing."""


def _has_any(*kinds: EntryKind) -> ColumnElement[bool]:
    return exists().where(LedgerEntry.generation_id == Generation.id, LedgerEntry.kind.in_(kinds))


def _effect(position: int) -> ColumnElement[int]:
    """What a ledger row did to available (0) or held (1)."""
    signs = {kind.value: effect[position] for kind, effect in ledger.EFFECTS.items()}
    return case(signs, value=LedgerEntry.kind, else_=0) * LedgerEntry.amount_credits


def _figures(since: Scope) -> Queries:
    """In full: the sum of all rows. Else: what stands on the newest row, which is the sum while the chain holds."""
    count = select(func.count(Account.id)).where(within(since, Account.workspace_id))
    if not isinstance(since, Since):
        moved = [func.coalesce(func.sum(_effect(position)), 0) for position in (0, 1)]
        return count, (
            select(Account.id)
            .outerjoin(LedgerEntry, LedgerEntry.account_id == Account.id)
            .where(within(since, Account.workspace_id))
            .group_by(Account.id, Account.available_credits, Account.held_credits)
            .having(or_(moved[0] != Account.available_credits, moved[1] != Account.held_credits))
        )
    newest = (
        select(func.max(LedgerEntry.id))
        .where(LedgerEntry.account_id == Account.id)
        .correlate(Account)
        .scalar_subquery()
    )
    return count, (
        select(Account.id)
        .outerjoin(LedgerEntry, LedgerEntry.id == newest)
        .where(
            or_(
                func.coalesce(LedgerEntry.available_after, 0) != Account.available_credits,
                func.coalesce(LedgerEntry.held_after, 0) != Account.held_credits,
            )
        )
    )


def _chain(since: Scope) -> Queries:
    """Rows whose balances after are not those of the row before plus their own effect."""
    before = aliased(LedgerEntry)
    place = aliased(LedgerEntry)
    before_id = (
        select(func.max(place.id))
        .where(place.account_id == LedgerEntry.account_id, place.id < LedgerEntry.id)
        .correlate(LedgerEntry)
        .scalar_subquery()
    )
    which = LedgerEntry.id > since.entry_id if isinstance(since, Since) else within(since, LedgerEntry.id)
    broken = or_(
        LedgerEntry.available_after != func.coalesce(before.available_after, 0) + _effect(0),
        LedgerEntry.held_after != func.coalesce(before.held_after, 0) + _effect(1),
    )
    return (
        select(func.count(LedgerEntry.id)).where(which),
        select(LedgerEntry.id).outerjoin(before, before.id == before_id).where(which, broken),
    )


def _held(scope: Scope) -> Queries:
    """Accounts that hold something else than the prices of their workspace's live generations, which are few."""
    live = select(Generation.workspace_id, func.sum(Generation.credits).label("credits")).where(is_live())
    among = live.where(within(scope, Generation.workspace_id))
    prices = among.group_by(Generation.workspace_id).subquery()
    wrong = Account.held_credits != func.coalesce(prices.c.credits, 0)
    which = within(scope, Account.workspace_id)
    return (
        select(func.count(Account.id)).where(which),
        select(Account.id).outerjoin(prices, prices.c.workspace_id == Account.workspace_id).where(which, wrong),
    )


def _live(_scope: Scope) -> Queries:
    """Live ones are few, so all of them are looked at every time."""
    wrong = _has_any(EntryKind.SETTLE, EntryKind.RELEASE)
    return select(func.count(Generation.id)).where(is_live()), select(Generation.id).where(is_live(), wrong)


def _in_time(_scope: Scope) -> Queries:
    """Live ones that go on by themselves, which are few; what is uncertain waits for a person as long as it takes."""
    latest = utc_now() - DEADLINE_GRACE
    going = (is_live(), Generation.status != Status.UNCERTAIN)
    without_one = and_(Generation.deadline_at.is_(None), Generation.created_at < latest - lifecycle.PENDING_LIMIT)
    late = or_(Generation.deadline_at < latest, without_one)
    return select(func.count(Generation.id)).where(*going), select(Generation.id).where(*going, late)


def _transfers(since: Scope) -> Queries:
    """Rows of transfers that are not cancelled out by one of the same transfer on another account."""
    other = aliased(LedgerEntry)
    which = [LedgerEntry.kind == EntryKind.TRANSFER, literal_column(ledger.CREDITED)]
    which.append(LedgerEntry.id > since.entry_id if isinstance(since, Since) else within(since, LedgerEntry.id))
    key = LedgerEntry.key
    other_key = case((key.endswith(":out"), func.replace(key, ":out", ":in")), else_=func.replace(key, ":in", ":out"))
    pair = exists().where(
        other.key == other_key,
        other.kind == EntryKind.TRANSFER,
        other.amount_credits == -LedgerEntry.amount_credits,
        other.account_id != LedgerEntry.account_id,
    )
    return select(func.count(LedgerEntry.id)).where(*which), select(LedgerEntry.id).where(*which, ~pair)


def _charged() -> ColumnElement[int]:
    """What a workspace was charged in all, from few rows: what came in and is neither available nor held any more."""
    given = (
        select(func.coalesce(func.sum(LedgerEntry.amount_credits), 0))
        .where(LedgerEntry.account_id == Account.id, literal_column(ledger.CREDITED))
        .correlate(Account)
        .scalar_subquery()
    )
    return given - Account.available_credits - Account.held_credits


def _usage(since: Scope) -> Queries:
    """Workspaces whose daily usage differs from what their ledger settled and, in full, released.

    Else only of those whose credits moved: the roll-ups of all together are many.
    """
    count = select(func.count()).select_from(UsageDay).where(within(since, UsageDay.workspace_id))
    if isinstance(since, Since):
        settled = (
            select(func.coalesce(func.sum(UsageDay.settled_credits), 0))
            .where(UsageDay.workspace_id == Account.workspace_id)
            .correlate(Account)
            .scalar_subquery()
        )
        moved = select(LedgerEntry.account_id).where(LedgerEntry.id > since.entry_id)
        return count, select(Account.workspace_id).where(Account.id.in_(moved), _charged() != settled)
    totals = (
        select(
            UsageDay.workspace_id,
            func.sum(UsageDay.settled_credits).label("settled"),
            func.sum(UsageDay.released_credits).label("released"),
        )
        .where(within(since, UsageDay.workspace_id))
        .group_by(UsageDay.workspace_id)
        .subquery()
    )

    def booked(kind: EntryKind) -> ColumnElement[int]:
        return func.coalesce(func.sum(case((LedgerEntry.kind == kind, LedgerEntry.amount_credits), else_=0)), 0)

    return count, (
        select(Account.workspace_id)
        .outerjoin(totals, totals.c.workspace_id == Account.workspace_id)
        .outerjoin(LedgerEntry, LedgerEntry.account_id == Account.id)
        .where(within(since, Account.workspace_id))
        .group_by(Account.workspace_id, totals.c.settled, totals.c.released)
        .having(
            or_(
                booked(EntryKind.SETTLE) != func.coalesce(totals.c.settled, 0),
                booked(EntryKind.RELEASE) != func.coalesce(totals.c.released, 0),
            )
        )
    )


def _projects(since: Scope) -> Queries:
    """In full: projects that say something else than the charges in them. Else: workspaces whose projects do in sum."""
    count = select(func.count(Project.id)).where(within(since, Project.workspace_id))
    if not isinstance(since, Since):
        here = within(since, Project.workspace_id)
        charges = (
            select(Generation.charged_in_id.label("project_id"), func.sum(LedgerEntry.amount_credits).label("credits"))
            .join(Generation, Generation.id == LedgerEntry.generation_id)
            .where(LedgerEntry.kind == EntryKind.SETTLE)
            .where(charged_within(since))
            .group_by(Generation.charged_in_id)
            .subquery()
        )
        wrong = Project.spent_credits != func.coalesce(charges.c.credits, 0)
        return count, select(Project.id).outerjoin(charges, charges.c.project_id == Project.id).where(here, wrong)
    spent = (
        select(Project.workspace_id, func.sum(Project.spent_credits).label("credits"))
        .group_by(Project.workspace_id)
        .subquery()
    )
    differs = _charged() != func.coalesce(spent.c.credits, 0)
    return count, select(Account.workspace_id).outerjoin(spent, spent.c.workspace_id == Account.workspace_id).where(
        differs
    )


COMPLETED = Generation.status == Status.COMPLETED

INVARIANTS: Sequence[Invariant] = (
    Invariant(
        "account_figures",
        _figures,
        Account.workspace_id,
    ),
    Invariant(
        "balance_chain",
        _chain,
        LedgerEntry.id,
    ),
    Invariant(
        "reserved_once",
        _generations(_number_of(EntryKind.HOLD) != _ONCE),
        Generation.id,
    ),
    Invariant(
        "charged_once",
        _generations(or_(_number_of(EntryKind.SETTLE) != _ONCE, _has_any(EntryKind.RELEASE)), COMPLETED),
        Generation.id,
    ),
    Invariant(
        "checked_file",
        _generations(
            or_(Generation.output_key.is_(None), Generation.stored_bytes <= 0, Generation.output_facts.is_(None)),
            COMPLETED,
        ),
        Generation.id,
    ),
    Invariant(
        "returned_once",
        _generations(
            or_(_number_of(EntryKind.RELEASE) != _ONCE, _has_any(EntryKind.SETTLE)),
            Generation.status.in_((Status.FAILED, Status.CANCELLED)),
        ),
        Generation.id,
    ),
    Invariant(
        "no_stray_hold",
        _held,
        Account.workspace_id,
    ),
    Invariant(
        "live_uncharged",
        _live,
    ),
    Invariant(
        "flights_follow",
        flights_follow.queries,
    ),
    Invariant(
        "in_time",
        _in_time,
    ),
    Invariant(
        "approved_by_another",
        _generations(approvals_given.handed_over_without(), approvals_given.asked()),
        Generation.id,
    ),
    Invariant(
        "first_event",
        _generations(
            and_(~exists().where(GenerationEvent.generation_id == Generation.id), Generation.timeline.is_(None))
        ),
        Generation.id,
    ),
    Invariant(
        "daily_usage",
        _usage,
        Account.workspace_id,
    ),
    Invariant(
        "project_spend",
        _projects,
        Account.workspace_id,
    ),
    Invariant(
        "verdicts",
        verdicts_counted.queries,
        Account.workspace_id,
    ),
    Invariant(
        "tags_told",
        told_by_tags.queries,
        Generation.id,
    ),
    Invariant(
        "transfers_balance",
        _transfers,
        LedgerEntry.id,
    ),
    Invariant(
        "budgets_counted",
        budget_counters.queries,
        Account.workspace_id,
    ),
    Invariant(
        "costs_adjusted",
        adjusted_costs.queries,
    ),
)
