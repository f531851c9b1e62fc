"""Orders that ask for approval as they are written down, and those that nobody answered.

Every way to order ends here, in its own transaction and after its money, with all that it has ordered with one press.
Who decides, and how, is `core.generations.approvals`.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Select, insert, select

from core import db, errors
from core.db import Reader, WriteSession, update_where
from core.db.enums import ApprovalCause, BudgetScope, Decision, Stage
from core.db.tables import Approval, Flight, Generation, table_of
from core.generations import lifecycle
from core.messages import Message, message
from core.notices import approvals as told
from core.notifications import outbox
from core.usage import approval_rules, limits
from core.usage.approval_rules import Reason, Rule
from core.workspaces.access import Member

LAPSES_AFTER = timedelta(days=7)
"""How long an order waits for approval."""


def foreseen(session: Reader, member: Member, credits_by_project: Mapping[str, int], *, at: datetime) -> Reason | None:
    """Why a press of this person, where they are at work, would need approval as things stand; None where it would not.

    Without a project its id is empty. `ask_where_needed` is what decides.
    """
    rule = approval_rules.of(session, member.workspace_id)
    if rule.is_off:
        return None
    asked = limits.asked_of(
        session,
        workspace_id=member.workspace_id,
        user_id=member.id,
        credits_by_project=credits_by_project,
        at=at,
    )
    return rule.reason(sum(credits_by_project.values()), asked)


def ask_where_needed(session: WriteSession, rows: Sequence[Generation], *, actor: str) -> bool:
    """Let what was just ordered with one press wait for approval where its workspace asks for that; whether any does.

    `rows` are of one person and were taken of their budgets in this transaction. Of a press for several workspaces each
    looks at what it pays.
    """
    of_workspace = defaultdict(list)
    for row in rows:
        of_workspace[row.workspace_id].append(row)
    asked = False
    for workspace_id, in_one in of_workspace.items():
        rule = approval_rules.of(session, workspace_id)
        if rule.is_off:
            continue
        reason = rule.reason(sum(row.credits for row in in_one), limits.taken_by(session, in_one))
        if reason is not None:
            _ask(session, in_one, rule, reason, actor=actor)
            asked = True
    return asked


def _ask(session: WriteSession, rows: Sequence[Generation], rule: Rule, reason: Reason, *, actor: str) -> None:
    now, press_credits = db.now(session), sum(row.credits for row in rows)
    asked = [
        {
            "generation_id": row.id,
            "maker_id": row.user_id,
            "press_id": rows[0].id,
            "cause": reason.cause,
            "press_credits": press_credits,
            "pending_seconds": round(_may_wait(row, now).total_seconds()),
            "asked_at": now,
            "note": "",
        }
        for row in rows
    ]
    what = _said(rule, reason, press_credits)
    lifecycle.await_approval(session, rows, what=what, until=now + LAPSES_AFTER, actor=actor)
    session.execute(insert(table_of(Approval)), asked)
    for row in rows:
        outbox.enqueue_event(session, row.id, row.workspace_id, outbox.APPROVAL_REQUESTED)
    told.asked(session, rows[0], clips=len(rows), credits=press_credits, days=LAPSES_AFTER.days)


def _may_wait(row: Generation, now: datetime) -> timedelta:
    """How long it may wait for its provider, once it is approved."""
    return lifecycle.PENDING_LIMIT if row.deadline_at is None else row.deadline_at - now


def _said(rule: Rule, reason: Reason, press_credits: int) -> Message:
    if reason.cause is ApprovalCause.PRICE:
        above = {"press_credits": press_credits, "above_credits": rule.above_credits or 0}
        return message("approval_needed_price", **above)
    if reason.limit is None or reason.limit.scope is BudgetScope.WORKSPACE:
        return message("approval_needed_budget_here")
    return message("approval_needed_budget", name=reason.limit.name)


def withdraw(session: WriteSession, row: Generation, *, actor: str) -> bool:
    """Cancel an order that waits, in line or for approval, of which nobody is asked any longer; True if it did."""
    asked = session.get(Approval, row.id) if row.stage is Stage.AWAITING_APPROVAL else None
    moved = lifecycle.cancel(session, row, actor=actor)
    if moved and asked is not None:
        told.end_asking(session, row.workspace_id, asked.press_id)
    return moved


def overdue(now: datetime) -> Select[Generation]:
    """Orders that nobody has decided about in time."""
    late = select(Flight.id).where(Flight.stage == Stage.AWAITING_APPROVAL, Flight.deadline_at < now)
    return select(Generation).where(Generation.id.in_(late), Generation.stage == Stage.AWAITING_APPROVAL)


def lapse(session: WriteSession, rows: Sequence[Generation]) -> int:
    """End these of `overdue`, which are locked: they are not made, their holds go back; how many this has ended."""
    presses = defaultdict(list)
    for row in rows:
        maker = row.user_id
        if not lifecycle.cancel(session, row, actor=lifecycle.SYSTEM, because=errors.ApprovalLapsed()):
            continue
        found = session.get(Approval, row.id)
        update_where(
            session,
            Approval,
            Approval.generation_id == row.id,
            Approval.decision.is_(None),
            decision=Decision.LAPSED,
            decided_at=db.now(session),
        )
        outbox.enqueue_event(session, row.id, row.workspace_id, outbox.APPROVAL_DECIDED)
        presses[maker, found.press_id if found else row.id].append(row)
    for (_maker, press_id), ended in presses.items():
        told.decided(session, ended[0], press_id, Decision.LAPSED)
    return sum(map(len, presses.values()))
