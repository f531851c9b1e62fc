"""Credits given to workspaces and moved between them by people; the books themselves are the ledger's."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import literal_column, select

from core import audit_log, errors
from core.audit_log import Act
from core.billing import ledger
from core.db import ReadSession, WriteSession
from core.db.enums import WorkspaceKind
from core.db.tables import Account, LedgerEntry, Workspace
from core.identity import api_tokens
from core.ids import new_id
from core.messages import message
from core.notices import causes
from core.workspaces import workspaces
from core.workspaces.access import Member
from core.workspaces.permissions import Action


@dataclass(frozen=True, slots=True)
class Booking:
    """A grant, a correction or one side of a transfer, with the workspace whose account it is on."""

    entry: LedgerEntry
    workspace_id: str
    workspace_name: str


def grant(
    session: WriteSession, member: Member, workspace_id: str, *, credits: int, reason: str, grant_id: str | None = None
) -> Booking:
    """Book credits to a workspace, or correct its balance by a negative amount; for administrators.

    `grant_id` makes it happen once: another call with it changes nothing. Raises InvalidRequest for an amount or a
    reason that cannot be booked, InsufficientCredits when a correction would leave less than nothing, Forbidden with a
    token that has a cap.
    """
    member.require(Action.GRANT_CREDITS)
    _require_no_cap(session, member)
    workspace = workspaces.find(session, member, workspace_id)
    key = f"grant:{grant_id or new_id()}"
    book = ledger.adjust if credits < 0 else ledger.grant
    if book(session, workspace.id, credits=credits, key=key, actor=member.email, reason=reason):
        audit_log.record(
            session,
            member.user,
            Act.CREDITS_ADJUSTED if credits < 0 else Act.CREDITS_GRANTED,
            target=workspace.name,
            target_id=workspace.id,
            workspace_id=workspace.id,
            after={"credits": credits, "reason": reason},
        )
        if credits > 0:
            causes.credits_added(
                session, workspace.id, credits=credits, key=key, actor=member.email, actor_id=member.id
            )
    return find(session, member, key)


def transfer(
    session: WriteSession,
    member: Member,
    *,
    from_id: str,
    to_id: str,
    credits: int,
    reason: str,
    transfer_id: str | None = None,
) -> tuple[Booking, Booking]:
    """Move available credits from one workspace to another: what left, and what arrived.

    Everybody may give of their personal workspace to a team they are in; anything else is for administrators.
    `transfer_id` makes it happen once. Raises InvalidRequest for an amount or reason that cannot be booked or one and
    the same workspace, InsufficientCredits, Forbidden (with a token that has a cap, too), NotFound for a workspace out
    of reach, Conflict for an archived receiver, or between the sample company and others.
    """
    _require_no_cap(session, member)
    giver, receiver = (workspaces.find(session, member, each) for each in (from_id, to_id))
    is_own_gift = giver.id == member.id and giver.kind is WorkspaceKind.PERSONAL and receiver.id in member.roles
    if not is_own_gift:
        member.require(Action.GRANT_CREDITS)
    if receiver.id == giver.id:
        raise errors.InvalidRequest(fields={"toWorkspaceId": message("transfer_to_itself")})
    if receiver.archived_at is not None:
        raise errors.Conflict(message("workspace_archived"))
    workspaces.check_together(giver, receiver)
    key = f"transfer:{transfer_id or new_id()}"
    if ledger.transfer(session, giver.id, receiver.id, credits=credits, key=key, actor=member.email, reason=reason):
        details = {"credits": credits, "reason": reason, "from": giver.name, "to": receiver.name}
        for workspace in (giver, receiver):  # the log of each tells it
            audit_log.record(
                session,
                member.user,
                Act.CREDITS_TRANSFERRED,
                target=workspace.name,
                target_id=workspace.id,
                workspace_id=workspace.id,
                after=details,
            )
        causes.credits_added(session, receiver.id, credits=credits, key=key, actor=member.email, actor_id=member.id)
    return find(session, member, f"{key}:out"), find(session, member, f"{key}:in")


def list_bookings(
    session: ReadSession,
    member: Member,
    *,
    workspace_id: str | None = None,
    before_id: int | None = None,
    limit: int = 100,
) -> Sequence[Booking]:
    """Grants, corrections and transfers of all workspaces, or of one, newest first, a keyset page at a time.

    Forbidden for others than administrators.
    """
    member.require(Action.GRANT_CREDITS)
    query = _BOOKINGS.where(literal_column(ledger.CREDITED))
    if workspace_id is not None:
        query = query.where(Account.workspace_id == workspace_id)
    if before_id is not None:
        query = query.where(LedgerEntry.id < before_id)
    rows = session.execute(query.order_by(LedgerEntry.id.desc()).limit(limit))
    return [Booking(entry, workspace.id, workspace.name) for entry, workspace in rows]


def find(session: ReadSession, member: Member, key: str) -> Booking:
    """What was booked under a key, in a workspace that is in reach; else NotFound."""
    row = session.execute(_BOOKINGS.where(LedgerEntry.key == key)).first()
    if row is None or not (row[1].id in member.roles or member.may(Action.GRANT_CREDITS)):
        raise errors.NotFound
    return Booking(row[0], row[1].id, row[1].name)


def _require_no_cap(session: ReadSession, member: Member) -> None:
    """Return unless the person comes with a token that may only spend so much, which credits moved would get around."""
    if member.token_id is not None and api_tokens.get(session, member.user, member.token_id).cap_credits is not None:
        raise errors.Forbidden(message("capped_token_moves_none"))


_BOOKINGS = (
    select(LedgerEntry, Workspace)
    .join(Account, Account.id == LedgerEntry.account_id)
    .join(Workspace, Workspace.id == Account.workspace_id)
)
