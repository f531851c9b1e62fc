"""Compares what stands in the files of a pack with the books: ledger, accounts, generations; in the same snapshot.

The files are read from the views, the books from their tables, so a fault of a view, of a condition or of the books
themselves is a difference. What differs is not handed out.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select

from core import errors
from core.analyst_pack import rows
from core.analyst_pack.asked import Asked
from core.analyst_pack.columns import Table
from core.analyst_pack.description import ACCOUNTS, BUDGETS, CLIPS, JUDGEMENTS, LEDGER, USAGE_DAYS
from core.analyst_pack.tallies import Tallies
from core.audit import budget_counters
from core.db import ReadSession
from core.db.enums import BudgetScope, EntryKind, Status
from core.db.tables import Account, ClipNote, Generation, LedgerEntry, UsageDay
from core.messages import message


@dataclass(frozen=True, slots=True)
class Check:
    """One comparison: a file's figure and that of the books. Where it says how many differ, that is 0."""

    code: str
    meaning: str
    pack: int
    books: int

    @property
    def agrees(self) -> bool:
        """Whether they are the same."""
        return self.pack == self.books

    def to_json(self) -> Mapping[str, Any]:
        """As it stands in `checks.json`."""
        return {
            "code": self.code,
            "meaning": self.meaning,
            "pack": self.pack,
            "books": self.books,
            "agrees": self.agrees,
        }


def run(session: ReadSession, tallies: Tallies, asked: Asked, tables: Sequence[Table]) -> list[Check]:
    """All comparisons that these files allow."""
    found: list[Check] = []
    for table in tables:
        found += _row_counts(session, tallies, asked, table)
        if table in _CHECKS:
            found += _CHECKS[table](session, tallies, asked)
    if {LEDGER, ACCOUNTS} <= set(tables):
        found += _balances(tallies)
    return found


def require(checks: Iterable[Check]) -> None:
    """Return when all agree; else BooksDisagree, which names those that do not."""
    wrong = [each.code for each in checks if not each.agrees]
    if wrong:
        raise errors.BooksDisagree(message("pack_disagrees", checks=", ".join(wrong)))


def expected_rows(session: ReadSession, asked: Asked, tables: Sequence[Table]) -> int:
    """About how many rows will be written: those of the large files."""
    return sum(session.scalar(_count(each, asked)) or 0 for each in tables if each in _COUNTED)


def _row_counts(session: ReadSession, tallies: Tallies, asked: Asked, table: Table) -> list[Check]:
    if table not in _COUNTED:
        return []
    books = session.scalar(_count(table, asked)) or 0
    return [Check(f"{table.name}_rows", f"Rows of {table.name}.parquet.", tallies.rows[table.name], books)]


def _count(table: Table, asked: Asked) -> Select[int]:
    """How many rows the books have for a file, from their own tables."""
    match table.name:
        case "ledger":
            return select(func.count()).select_from(LedgerEntry).where(*_booked(asked))
        case "usage_days":
            return select(func.count()).select_from(UsageDay).where(*_on_days(asked))
        case "judgements":
            return select(func.count()).select_from(Generation).where(*_of_clips(asked), _JUDGED)
    return select(func.count()).select_from(Generation).where(*_of_clips(asked))


_COUNTED = (CLIPS, LEDGER, USAGE_DAYS, JUDGEMENTS)
_COMMENTED = exists().where(ClipNote.generation_id == Generation.id, ClipNote.deleted_at.is_(None))
_JUDGED = or_(Generation.kept.is_not(None), Generation.favourite.is_(True), _COMMENTED)


def _booked(asked: Asked) -> list[ColumnElement[bool]]:
    """The movements that it is about."""
    found: list[ColumnElement[bool]] = []
    if asked.workspace_id is not None:
        found.append(LedgerEntry.account_id.in_(select(Account.id).where(Account.workspace_id == asked.workspace_id)))
    if asked.since is not None:
        found += [LedgerEntry.created_at >= asked.begin, LedgerEntry.created_at < asked.end]
    return found


def _of_clips(asked: Asked) -> list[ColumnElement[bool]]:
    columns = {"ordered_at": Generation.created_at, "ended_at": Generation.ended_at}
    whose = [] if asked.workspace_id is None else [Generation.workspace_id == asked.workspace_id]
    return [*whose, *rows.within(CLIPS, columns, asked)]


def _on_days(asked: Asked) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if asked.workspace_id is not None:
        found.append(UsageDay.workspace_id == asked.workspace_id)
    if asked.since is not None and asked.until is not None:
        found += [UsageDay.day >= asked.since.isoformat(), UsageDay.day <= asked.until.isoformat()]
    return found


def _ledger(session: ReadSession, tallies: Tallies, asked: Asked) -> list[Check]:
    """Sums of the movements by their kind."""
    sums = select(LedgerEntry.kind, func.sum(LedgerEntry.amount_credits)).where(*_booked(asked))
    books = {kind.value: int(total) for kind, total in session.execute(sums.group_by(LedgerEntry.kind))}
    pack = tallies.of("ledger", "kind")
    return [
        Check(
            f"ledger_{kind.value}", f"Credits of all movements `{kind.value}`.", pack.get(kind, 0), books.get(kind, 0)
        )
        for kind in EntryKind
    ]


def _accounts(session: ReadSession, tallies: Tallies, asked: Asked) -> list[Check]:
    """What the accounts say now, against the sum of all movements ever."""
    whose = [] if asked.workspace_id is None else [Account.workspace_id == asked.workspace_id]
    sums = select(*(func.coalesce(func.sum(rows.effect(place)), 0) for place in (0, 1))).select_from(LedgerEntry)
    books = session.execute(sums.join(Account, Account.id == LedgerEntry.account_id).where(*whose)).one()
    now = tallies.of("accounts", "now")
    return [
        Check(
            f"accounts_{what}", f"Credits that are {what}, and the sum of all movements.", now.get(what, 0), int(total)
        )
        for what, total in zip(("available", "held"), books, strict=True)
    ]


def _balances(tallies: Tallies) -> list[Check]:
    """Of each workspace: what moved in the period leads from its opening balance to its closing one."""
    return [
        Check(
            f"balances_{what}",
            f"Workspaces whose movements do not lead from the opening to the closing balance ({what}).",
            _differing(tallies.of("ledger", what), tallies.of("accounts", what)),
            0,
        )
        for what in ("available", "held")
    ]


def _usage(session: ReadSession, tallies: Tallies, asked: Asked) -> list[Check]:
    """Daily usage, against what the ledger charged and gave back for clips that ended on these days."""
    found = []
    for kind, meaning in ((EntryKind.SETTLE, "charged"), (EntryKind.RELEASE, "given back")):
        books = {row[0]: int(row[1]) for row in session.execute(_booked_for_ended(asked, kind))}
        pack = tallies.of("usage_days", kind.value)
        told = f"Credits {meaning} by daily usage, and by the ledger for the clips that ended then."
        found.append(Check(f"usage_{kind.value}", told, sum(pack.values()), sum(books.values())))
        told = f"Workspaces whose daily usage has other credits {meaning} than the ledger."
        found.append(Check(f"usage_{kind.value}_workspaces", told, _differing(pack, books), 0))
    return found


def _booked_for_ended(asked: Asked, kind: EntryKind) -> Select[*tuple[Any, ...]]:
    """Workspace -> credits of a kind, for clips that ended in the period, whenever that was booked."""
    ended = [] if asked.since is None else [and_(Generation.ended_at >= asked.begin, Generation.ended_at < asked.end)]
    whose = [] if asked.workspace_id is None else [Account.workspace_id == asked.workspace_id]
    return (
        select(Account.workspace_id, func.sum(LedgerEntry.amount_credits))
        .select_from(LedgerEntry)
        .join(Account, Account.id == LedgerEntry.account_id)
        .join(Generation, Generation.id == LedgerEntry.generation_id)
        .where(LedgerEntry.kind == kind, *ended, *whose)
        .group_by(Account.workspace_id)
    )


def _clips(session: ReadSession, tallies: Tallies, asked: Asked) -> list[Check]:
    """Prices of delivered clips, against what was charged for them, wherever they are today."""
    ended = [] if asked.since is None else [Generation.ended_at >= asked.begin, Generation.ended_at < asked.end]
    whose = [] if asked.workspace_id is None else [Generation.workspace_id == asked.workspace_id]
    charged = (
        select(func.coalesce(func.sum(LedgerEntry.amount_credits), 0))
        .join(Generation, Generation.id == LedgerEntry.generation_id)
        .where(LedgerEntry.kind == EntryKind.SETTLE, *ended, *whose)
    )
    pack = tallies.of("clips", "ended").get(Status.COMPLETED.value, 0)
    told = "Prices of the clips that were delivered in the period, and what the ledger charged for them."
    return [Check("clips_charged", told, pack, int(session.scalar(charged) or 0))]


def _budgets(session: ReadSession, tallies: Tallies, asked: Asked) -> list[Check]:
    """Counters by scope, against what orders of these months have taken and not given back."""
    pack, found = tallies.of("budgets", "taken"), []
    for scope in BudgetScope:
        counted = budget_counters.of_ledger(scope).subquery()
        where = [] if asked.workspace_id is None else [counted.c.workspace_id == asked.workspace_id]
        where += rows.within(BUDGETS, counted.c, asked)
        books = int(session.scalar(select(func.coalesce(func.sum(counted.c.credits), 0)).where(*where)) or 0)
        told = f"Credits taken of the months by {scope.value}, and what the ledger holds and has charged of them."
        found.append(Check(f"budgets_{scope.value}", told, pack.get(scope.value, 0), books))
    return found


def _judgements(session: ReadSession, tallies: Tallies, asked: Asked) -> list[Check]:
    pack = tallies.of("judgements", "verdict")
    verdicts = select(Generation.kept, func.count()).where(*_of_clips(asked), Generation.kept.is_not(None))
    books = {row[0]: int(row[1]) for row in session.execute(verdicts.group_by(Generation.kept))}
    return [
        Check(f"judgements_{word}", f"Clips that were {word}.", pack.get(word, 0), books.get(kept, 0))
        for word, kept in (("kept", True), ("rejected", False))
    ]


def _differing(one: Mapping[str, int], other: Mapping[str, int]) -> int:
    return sum(one.get(key, 0) != other.get(key, 0) for key in one.keys() | other.keys())


_CHECKS = {
    LEDGER: _ledger,
    ACCOUNTS: _accounts,
    USAGE_DAYS: _usage,
    CLIPS: _clips,
    BUDGETS: _budgets,
    JUDGEMENTS: _judgements,
}
