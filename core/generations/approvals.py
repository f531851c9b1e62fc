"""Decisions on orders that wait for approval: by somebody else than who made them, each once.

Managers of the workspace decide. Where nobody but its maker manages it, administrators of the installation do, without
the prompt. What hinders is asked before anything moves, with the row locked: of several who decide, cancel or let it
lapse at once one wins, and the others are told what became of it.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import exists, select

from core import audit_log, db, errors, validation
from core.audit_log import Act
from core.catalog import in_force, offered, rules
from core.catalog_changes import current
from core.db import ReadSession, WriteSession, update_where
from core.db.enums import Decision, Stage, Status
from core.db.tables import Approval, Generation, User, Workspace, WorkspaceMember
from core.generations import lifecycle
from core.generations.queries import NOT_FOUND
from core.messages import Message, message
from core.notices import approvals as told
from core.notifications import outbox
from core.workspaces import profiles
from core.workspaces.access import Member
from core.workspaces.permissions import IN_WORKSPACE, Action

NOTE_LIMIT_CHARS = 500
MOST = 200
"""Up to so many are decided with one press."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a decision made of one order: `refused` says why it changed nothing, None where it counts."""

    generation_id: str
    refused: errors.AppError | None = None


def decide(
    session: WriteSession,
    member: Member,
    generation_id: str,
    *,
    approve: bool,
    note: str = "",
    configured: Collection[str],
) -> Generation:
    """Approve an order, which then goes its way at the price of its moment, or decline it, which gives its hold back.

    A `note` is for its maker, and must be given with a no. Raises InvalidRequest for a note, NotFound for what they do
    not see, OwnOrder, Forbidden, AlreadyDecided, and for a yes that comes too late NoLongerOrderable or
    ProviderNotConfigured.
    """
    [outcome] = decide_many(session, member, [generation_id], approve=approve, note=note, configured=configured)
    if outcome.refused is not None:
        raise outcome.refused
    return session.get_one(Generation, generation_id)


@current.ordering
def decide_many(
    session: WriteSession,
    member: Member,
    ids: Sequence[str],
    *,
    approve: bool,
    note: str = "",
    configured: Collection[str],
) -> Sequence[Outcome]:
    """Decide about each of these as `decide` does; one that cannot be decided hinders no other one.

    Raises InvalidRequest for a note, and for none or more than `MOST` of them.
    """
    note, wanted = _checked_note(note, approve=approve), list(dict.fromkeys(ids))
    if not 1 <= len(wanted) <= MOST:
        raise errors.InvalidRequest(fields={"generationIds": message("approval_none_chosen", limit=MOST)})
    locked = select(Generation).where(Generation.id.in_(wanted)).order_by(Generation.id).with_for_update()
    rows = {row.id: row for row in session.scalars(locked.execution_options(populate_existing=True))}
    refused: dict[str, errors.AppError] = {}
    done: list[Generation] = []
    for generation_id in wanted:
        try:
            row = _decidable(session, member, rows.get(generation_id))
            if approve:
                _check_orderable(session, row, configured)
            _decide(session, member, row, approve=approve, note=note)
        except errors.AppError as problem:
            refused[generation_id] = problem
        else:
            done.append(row)
    _tell(session, member, done, Decision.APPROVED if approve else Decision.DECLINED, note)
    return [Outcome(generation_id, refused.get(generation_id)) for generation_id in wanted]


def may_decide(session: ReadSession, member: Member, row: Generation) -> bool:
    """Whether this person may say yes or no to an order, should it wait for that."""
    try:
        _check_person(session, member, row)
    except errors.AppError:
        return False
    return True


def _checked_note(note: str, *, approve: bool) -> str:
    note = note.strip()
    if not note and not approve:
        raise errors.InvalidRequest(fields={"note": message("approval_note_missing")})
    if wrong := validation.text_error(note, limit_chars=NOTE_LIMIT_CHARS):
        raise errors.InvalidRequest(fields={"note": wrong})
    return note


def _decidable(session: ReadSession, member: Member, row: Generation | None) -> Generation:
    """The row, if this person may decide about it now."""
    if row is None or row.deleted_at is not None:
        raise errors.NotFound(NOT_FOUND)
    _check_person(session, member, row)
    if (row.status, row.stage) != (Status.PENDING, Stage.AWAITING_APPROVAL):
        raise errors.AlreadyDecided(_what_became(session, row))
    return row


def _check_person(session: ReadSession, member: Member, row: Generation) -> None:
    """Return for who may decide about an order: never its maker, by whatever role or door."""
    inside = row.workspace_id in member.roles
    elsewhere = member.may(Action.APPROVE_ELSEWHERE) and not has_other_manager(session, row.workspace_id, row.user_id)
    if not inside and not elsewhere:
        raise errors.NotFound(NOT_FOUND)
    if _is_own(session, member, row):
        raise errors.OwnOrder
    if not elsewhere:
        member.require(Action.APPROVE, row.workspace_id)


def _is_own(session: ReadSession, member: Member, row: Generation) -> bool:
    """Whether they ordered it, or somebody who is one with them by now."""
    if row.user_id == member.id:
        return True
    merged_into: str | None = session.scalar(select(User.merged_into_id).where(User.id == row.user_id))
    return merged_into == member.id


def has_other_manager(session: ReadSession, workspace_id: str, maker_id: str) -> bool:
    """Whether somebody else than this person manages the workspace and can act."""
    other = exists().where(
        WorkspaceMember.workspace_id == workspace_id,
        WorkspaceMember.role.in_(IN_WORKSPACE[Action.APPROVE]),
        WorkspaceMember.user_id != maker_id,
        User.id == WorkspaceMember.user_id,
        User.deactivated_at.is_(None),
    )
    return session.scalar(select(other)) is True


def _check_orderable(session: ReadSession, row: Generation, configured: Collection[str]) -> None:
    """Return where an order can be made now as it was asked for, by somebody who may still order there."""
    may_order = exists().where(
        WorkspaceMember.workspace_id == row.workspace_id,
        WorkspaceMember.user_id == row.user_id,
        WorkspaceMember.role.in_(IN_WORKSPACE[Action.ORDER]),
        User.id == WorkspaceMember.user_id,
        User.deactivated_at.is_(None),
        Workspace.id == WorkspaceMember.workspace_id,
        Workspace.archived_at.is_(None),
    )
    if session.scalar(select(may_order)) is not True:
        name = profiles.people(session, [row.user_id])[row.user_id].name
        raise errors.NoLongerOrderable(message("approval_of_departed", name=name))
    try:
        offered.check(row.model_id, db.now(session))
        rules.require(row.spec)
    except errors.InvalidRequest as wrong:
        reason = next(iter(wrong.fields.values()), wrong.message)
        raise errors.NoLongerOrderable(message("approval_not_makeable", reason=reason)) from None
    entry = in_force.find(row.model_id)
    if entry is None or entry.model.provider not in configured:
        raise errors.ProviderNotConfigured


def _decide(session: WriteSession, member: Member, row: Generation, *, approve: bool, note: str) -> None:
    approval = session.get_one(Approval, row.id, populate_existing=True)
    name = _name(member)
    if approve:
        what = message("approved_by_with", name=name, note=note) if note else message("approved_by", name=name)
        waits = timedelta(seconds=approval.pending_seconds)
        moved = lifecycle.approve(session, row, what=what, waits=waits, actor=member.email)
    else:
        because = errors.ApprovalDeclined(message("declined_by", name=name, note=note))
        moved = lifecycle.cancel(session, row, actor=member.email, because=because)
    if not moved:
        raise errors.AlreadyDecided
    decision = Decision.APPROVED if approve else Decision.DECLINED
    decided = {"decision": decision, "decided_by_id": member.id, "decided_at": db.now(session), "note": note}
    update_where(session, Approval, Approval.generation_id == row.id, Approval.decision.is_(None), **decided)
    session.refresh(approval)
    outbox.enqueue_event(session, row.id, row.workspace_id, outbox.APPROVAL_DECIDED)
    audit_log.record(
        session,
        member.user,
        Act.APPROVAL_GIVEN if approve else Act.APPROVAL_REFUSED,
        target=row.model_name,  # not the prompt, which administrators of the installation do not see
        target_id=row.id,
        workspace_id=row.workspace_id,
        after={"credits": row.credits, "maker_id": row.user_id, "note": note},
    )


def _tell(session: WriteSession, member: Member, rows: Sequence[Generation], decision: Decision, note: str) -> None:
    """One message for each press."""
    presses: Mapping[str, list[Generation]] = defaultdict(list)
    for row in rows:
        presses[session.get_one(Approval, row.id).press_id].append(row)
    for press_id, in_one in sorted(presses.items()):
        told.decided(session, in_one[0], press_id, decision, name=_name(member), note=note)


def _name(member: Member) -> str:
    return member.user.name or member.email


def _what_became(session: ReadSession, row: Generation) -> Message:
    """What became of an order that does not wait for approval, in a sentence."""
    approval = session.get(Approval, row.id, populate_existing=True)
    if approval is None:
        return message("approval_not_asked")
    if approval.decision is Decision.LAPSED:
        return message("approval_has_lapsed")
    if approval.decision is None or approval.decided_by_id is None:
        return message("approval_was_cancelled")
    name = profiles.people(session, [approval.decided_by_id])[approval.decided_by_id].name
    return message(f"approval_was_{approval.decision}", name=name)
