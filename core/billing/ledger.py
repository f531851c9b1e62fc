"""Money: the only module that changes an account, always together with one append-only row.

Every movement has a unique key. The account is changed by one conditional UPDATE and the row appended in the
same transaction: a repeated key changes nothing, an overdraft is refused by the database however many
processes try at once. Settle and release of a generation share one key, so only one of them can ever happen.
No row gets a time in a month that is closed.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy import BindParameter, bindparam, case, func, insert, literal_column, select, update

from core import errors, metrics
from core.billing import months
from core.clock import utc_now
from core.db import Reader, ReadSession, WriteSession
from core.db.enums import EntryKind
from core.db.tables import Account, ClosedPeriod, LedgerEntry, table_of
from core.db.types import UtcDateTime
from core.messages import Message, message
from core.notices import causes

EFFECTS: Mapping[EntryKind, tuple[int, int]] = {
    EntryKind.GRANT: (1, 0),
    EntryKind.HOLD: (-1, 1),
    EntryKind.SETTLE: (0, -1),
    EntryKind.RELEASE: (1, -1),
    EntryKind.ADJUST: (1, 0),
    EntryKind.TRANSFER: (1, 0),
}
"""How an entry of each kind moves (available, held), times its amount. Spent is what was settled."""

CREDITED = "ledger_entries.kind IN ('grant', 'adjust', 'transfer')"
"""What came in and was not for a clip; in these words, since SQLite uses a partial index only for the very same."""

BOOKING_LIMIT_CREDITS = 10**12
"""The most that one grant or correction may move; beyond it somebody has mistyped."""

REASON_LIMIT_CHARS = 500

_BALANCE = select(Account.available_credits, Account.held_credits).where(
    Account.workspace_id == bindparam("workspace_id")
)


_ACCOUNT_IDS: BindParameter[str] = bindparam("account_ids", expanding=True)
_CREDITED = (
    select(LedgerEntry.account_id, func.sum(LedgerEntry.amount_credits))
    .where(LedgerEntry.account_id.in_(_ACCOUNT_IDS), literal_column(CREDITED))
    .group_by(LedgerEntry.account_id)
)


@dataclass(frozen=True, slots=True)
class Balance:
    """What a workspace can spend and what is reserved for generations under way, in credits."""

    available_credits: int
    held_credits: int


def balance(session: Reader, workspace_id: str) -> Balance:
    """The figures of a workspace's account; zero before the first movement."""
    row = session.execute(_BALANCE, {"workspace_id": workspace_id}).first()
    return Balance(*row) if row else Balance(0, 0)


def open_account(session: WriteSession, workspace_id: str) -> None:
    """Create the empty account of a new workspace."""
    session.add(Account(workspace_id=workspace_id))
    session.flush()


def grant(
    session: ReadSession, workspace_id: str, *, credits: int, key: str, actor: str, reason: Message | str
) -> bool:
    """Book credits to a workspace. True if it moved, False if the key was already booked.

    Raises InvalidRequest for an amount or a reason that cannot be booked.
    """
    _check_booking(credits, reason, problem=message("grant_not_positive") if credits <= 0 else None)
    return _book(session, workspace_id, EntryKind.GRANT, credits, key=key, actor=actor, reason=reason)


def adjust(
    session: ReadSession, workspace_id: str, *, credits: int, key: str, actor: str, reason: Message | str
) -> bool:
    """Correct a balance by a signed amount. InsufficientCredits when it would go below zero.

    Raises InvalidRequest for an amount or a reason that cannot be booked.
    """
    _check_booking(credits, reason, problem=message("adjustment_of_nothing") if credits == 0 else None)
    return _book(session, workspace_id, EntryKind.ADJUST, credits, key=key, actor=actor, reason=reason)


def transfer(
    session: ReadSession,
    from_workspace_id: str,
    to_workspace_id: str,
    *,
    credits: int,
    key: str,
    actor: str,
    reason: Message | str,
) -> bool:
    """Move available credits from one workspace to another: two rows, `key:out` and `key:in`, or none.

    True if they moved, False if the key was already booked. Raises InvalidRequest for an amount or a reason that cannot
    be booked, InsufficientCredits.
    """
    _check_booking(credits, reason, problem=message("transfer_not_positive") if credits <= 0 else None)
    for workspace_id in sorted((from_workspace_id, to_workspace_id)):  # so that two that cross do not deadlock
        lock_account(session, workspace_id)
    return all(
        _book(session, workspace_id, EntryKind.TRANSFER, moved, key=f"{key}:{side}", actor=actor, reason=reason)
        for workspace_id, moved, side in ((from_workspace_id, -credits, "out"), (to_workspace_id, credits, "in"))
    )


def hold(session: ReadSession, workspace_id: str, *, generation_id: str, credits: int, actor: str) -> bool:
    """Reserve the price of a generation; one that costs nothing leaves no row. Raises InsufficientCredits."""
    if credits == 0:
        return True
    key = f"generation:{generation_id}:hold"
    reason = message("reserved_at_submit")
    return _book(
        session, workspace_id, EntryKind.HOLD, credits, key=key, actor=actor, reason=reason, generation_id=generation_id
    )


def hold_many(session: ReadSession, workspace_id: str, credits_of: Mapping[str, int], *, actor: str) -> None:
    """Reserve the prices of generations that are new in this transaction, by one change of the account; a row for each.

    `credits_of` has them by their ids; what costs nothing leaves no row. Raises InsufficientCredits for the sum.
    """
    total = sum(credits_of.values())
    account_id = lock_account(session, workspace_id)
    after = session.execute(_CHANGE, {"account_id": account_id, "available": -total, "held": total}).first()
    if after is None:
        available = balance(session, workspace_id).available_credits
        raise errors.InsufficientCredits(needed_credits=total, available_credits=available)
    reason, left, rows = message("reserved_at_submit"), total, []
    for generation_id, credits in credits_of.items():
        left -= credits
        if credits:
            rows.append(
                {
                    "account_id": account_id,
                    "kind": EntryKind.HOLD,
                    "amount_credits": credits,
                    "generation_id": generation_id,
                    "key": f"generation:{generation_id}:hold",
                    "available_after": after.available_credits + left,
                    "held_after": after.held_credits - left,
                    "actor": actor,
                    "reason": str(reason),
                    "message": reason,
                    "booked_at": utc_now(),
                }
            )
    if rows:
        session.execute(_APPEND, rows)
    _tell_if_low(session, workspace_id, moved=-total, after=after.available_credits)
    _count(session, EntryKind.HOLD, total)


def settle(
    session: ReadSession,
    workspace_id: str,
    *,
    generation_id: str,
    credits: int,
    actor: str,
    at: datetime | None = None,
) -> bool:
    """Charge a completed generation: the reserved credits are spent. `at` is its end, now where none is given."""
    return _end_hold(
        session,
        workspace_id,
        EntryKind.SETTLE,
        credits,
        generation_id=generation_id,
        actor=actor,
        reason=message("clip_stored"),
        at=at,
    )


def release(
    session: ReadSession,
    workspace_id: str,
    *,
    generation_id: str,
    credits: int,
    actor: str,
    reason: Message | str,
    at: datetime | None = None,
) -> bool:
    """Give the reserved credits of a generation back; `at` as for `settle`."""
    return _end_hold(
        session,
        workspace_id,
        EntryKind.RELEASE,
        credits,
        generation_id=generation_id,
        actor=actor,
        reason=reason,
        at=at,
    )


def open_moment(session: ReadSession, moment: datetime) -> datetime:
    """This moment, or the first one after all closed months where a clock was set back into one of them."""
    closed_until = session.scalar(_CLOSED_UNTIL)
    return moment if closed_until is None else max(moment, closed_until)


def entries(
    session: ReadSession,
    workspace_id: str,
    *,
    before_id: int | None = None,
    limit: int = 100,
    month: str | None = None,
) -> Sequence[LedgerEntry]:
    """A workspace's movements, of one month or of all, newest first, a keyset page at a time."""
    query = select(LedgerEntry).join(Account).where(Account.workspace_id == workspace_id)
    if month is not None:
        begin, end = months.bounds(month)
        query = query.where(LedgerEntry.created_at >= begin, LedgerEntry.created_at < end)
    if before_id is not None:
        query = query.where(LedgerEntry.id < before_id)
    return session.scalars(query.order_by(LedgerEntry.id.desc()).limit(limit)).all()


def total_credited(session: ReadSession, account_ids: Collection[str]) -> Mapping[str, int]:
    """Account id -> credits that came in by grants, corrections and transfers, less those handed on.

    An index of these rows alone answers it.
    """
    rows = session.execute(_CREDITED, {"account_ids": list(account_ids)})
    return {account_id: int(credits) for account_id, credits in rows}


def entries_of_generation(session: ReadSession, generation_id: str) -> Sequence[LedgerEntry]:
    """The movements of one generation, oldest first: its receipt."""
    query = select(LedgerEntry).where(LedgerEntry.generation_id == generation_id).order_by(LedgerEntry.id)
    return session.scalars(query).all()


def reason_error(reason: Message | str) -> Message | None:
    """What is wrong with the reason of a grant or correction, or None; one of our own messages is always fine."""
    if isinstance(reason, str) and not (reason.strip() and reason.isprintable() and len(reason) <= REASON_LIMIT_CHARS):
        return message("reason_unusable", limit=REASON_LIMIT_CHARS)
    return None


def _check_booking(credits: int, reason: Message | str, *, problem: Message | None) -> None:
    """InvalidRequest, naming each field, for what a person may not book."""
    if abs(credits) > BOOKING_LIMIT_CREDITS:
        problem = message("booking_too_large", limit=BOOKING_LIMIT_CREDITS)
    wrong = {"credits": problem, "reason": reason_error(reason)}
    if any(wrong.values()):
        raise errors.InvalidRequest(fields={name: why for name, why in wrong.items() if why})


def _end_hold(
    session: ReadSession,
    workspace_id: str,
    kind: EntryKind,
    credits: int,
    *,
    generation_id: str,
    actor: str,
    reason: Message | str,
    at: datetime | None,
) -> bool:
    """Settle or release: one key for both, so that only one can happen. What cost nothing has no hold to end."""
    if credits == 0:
        return True
    key = f"generation:{generation_id}:end"
    return _book(
        session,
        workspace_id,
        kind,
        credits,
        key=key,
        actor=actor,
        reason=reason,
        generation_id=generation_id,
        at=at,
    )


def _book(
    session: ReadSession,
    workspace_id: str,
    kind: EntryKind,
    credits: int,
    *,
    key: str,
    actor: str,
    reason: Message | str,
    generation_id: str | None = None,
    at: datetime | None = None,
) -> bool:
    """Change the account and append the row; False, and nothing changed, when the key is already there."""
    account_id = lock_account(session, workspace_id)
    if session.scalar(_BOOKED, {"booked_key": key}) is not None:
        return False
    available, held = (sign * credits for sign in EFFECTS[kind])
    after = session.execute(_CHANGE, {"account_id": account_id, "available": available, "held": held}).first()
    if after is None:
        now = balance(session, workspace_id)
        if kind in (EntryKind.HOLD, EntryKind.ADJUST, EntryKind.TRANSFER):
            raise errors.InsufficientCredits(needed_credits=abs(available), available_credits=now.available_credits)
        raise errors.AppError(detail=f"{kind} of {credits} on {workspace_id}: only {now.held_credits} are held")
    session.execute(
        _APPEND,
        {
            "account_id": account_id,
            "kind": kind,
            "amount_credits": credits,
            "generation_id": generation_id,
            "key": key,
            "available_after": after.available_credits,
            "held_after": after.held_credits,
            "actor": actor,
            "reason": str(reason)[:500],
            "message": reason if isinstance(reason, Message) else None,
            "booked_at": at or utc_now(),
        },
    )
    _tell_if_low(session, workspace_id, moved=available, after=after.available_credits)
    _count(session, kind, credits)
    return True


def _count(session: ReadSession, kind: EntryKind, credits: int) -> None:
    """For whoever watches this process; what is not committed did not happen."""
    session.after_commit(partial(metrics.CREDITS.labels(kind).inc, abs(credits)))


def _tell_if_low(session: ReadSession, workspace_id: str, *, moved: int, after: int) -> None:
    if moved < 0:
        causes.balance_fell(session, workspace_id, before=after - moved, after=after)


def lock_account(session: ReadSession, workspace_id: str) -> str:
    """The account's id, its row locked until the transaction ends (SQLite's write lock covers the whole file).

    The lock puts movements of one account in order, so that looking for the key before writing is safe;
    the unique constraint on the key stands behind it.
    """
    account_id: str | None = session.scalar(_LOCK, {"owner": workspace_id})
    if account_id is None:
        raise errors.NotFound(message("no_account", user_id=workspace_id))
    return account_id


# Put together once: every movement runs all four, and putting them together takes longer than running them.
_ACCOUNTS, _ENTRIES = table_of(Account), table_of(LedgerEntry)
_LOCK = select(_ACCOUNTS.c.id).where(_ACCOUNTS.c.workspace_id == bindparam("owner")).with_for_update()
_BOOKED = select(_ENTRIES.c.id).where(_ENTRIES.c.key == bindparam("booked_key"))
_AVAILABLE_AFTER = _ACCOUNTS.c.available_credits + bindparam("available")
_HELD_AFTER = _ACCOUNTS.c.held_credits + bindparam("held")
_CHANGE = (
    update(_ACCOUNTS)
    .where(_ACCOUNTS.c.id == bindparam("account_id"), _AVAILABLE_AFTER >= 0, _HELD_AFTER >= 0)
    .values(available_credits=_AVAILABLE_AFTER, held_credits=_HELD_AFTER)
    .returning(_ACCOUNTS.c.available_credits, _ACCOUNTS.c.held_credits)
)
_CLOSED_UNTIL = select(func.max(ClosedPeriod.ends_at))
_BOOKED_AT = bindparam("booked_at", type_=UtcDateTime())
_OPEN_SINCE = _CLOSED_UNTIL.scalar_subquery()
_APPEND = insert(_ENTRIES).values(created_at=case((_OPEN_SINCE > _BOOKED_AT, _OPEN_SINCE), else_=_BOOKED_AT))
