"""What each workspace, project or cost centre is charged for a month, from the ledger; for analysts and administrators.

Figures are those of the ledger's rows, which never change once the month is closed; names and cost centres are those of
today.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Select, SQLColumnExpression, Subquery, func, select
from sqlalchemy.orm import aliased

from core import db
from core.billing import months
from core.billing.chain import in_month
from core.catalog import price_list
from core.db import ReadSession
from core.db.enums import EntryKind
from core.db.tables import Account, ClosedPeriod, Generation, LedgerEntry, Project, User, Workspace
from core.usage.spreadsheet import Line, Separator, SpreadsheetFormat, write
from core.workspaces import profiles
from core.workspaces.access import Member, all_rows_for_analyst


class ChargedTo(StrEnum):
    """Who is charged: a line each."""

    WORKSPACE = "workspace"
    PROJECT = "project"
    COST_CENTRE = "cost_centre"


class ChargeBackFormat(StrEnum):
    """What a sheet can be: for spreadsheets, or for people."""

    CSV = "csv"
    XLSX = "xlsx"
    PDF = "pdf"


@dataclass(frozen=True, slots=True)
class Charge:
    """What one of them is charged: clips that were delivered, their price, and the same in rupiah."""

    keys: tuple[str, ...]
    clips: int
    credits: int

    @property
    def idr(self) -> int:
        """In rupiah."""
        return self.credits * price_list.IDR_PER_CREDIT


HEADS = {
    ChargedTo.WORKSPACE: ("workspace", "workspace_id"),
    ChargedTo.PROJECT: ("cost_centre", "workspace", "project", "owner", "project_id"),
    ChargedTo.COST_CENTRE: ("cost_centre",),
}
FIGURES = ("clips", "credits", "idr", "month", "month_is_closed")

_owner = aliased(User)
_CHARGED = (
    select(func.count().label("clips"), func.sum(LedgerEntry.amount_credits).label("credits"))
    .select_from(LedgerEntry)
    .join(Account, Account.id == LedgerEntry.account_id)
    .join(Generation, Generation.id == LedgerEntry.generation_id)
    .join(Project, Project.id == Generation.charged_in_id)
    .where(LedgerEntry.kind == EntryKind.SETTLE)
)
_TO: Mapping[ChargedTo, SQLColumnExpression[str]] = {
    ChargedTo.WORKSPACE: Account.workspace_id.expression,
    ChargedTo.PROJECT: Generation.charged_in_id,
    ChargedTo.COST_CENTRE: Project.cost_centre.expression,
}


def charges(session: ReadSession, member: Member, month: str, to: ChargedTo) -> Iterator[Charge]:
    """A line each, by name; read as they are used. Raises Forbidden, InvalidRequest for what is no month.

    A project is charged for clips that were made in it, also for those that have been moved since, and stands in the
    workspace that paid.
    """
    whose = all_rows_for_analyst(member)
    charged = _CHARGED.where(whose, *in_month(month)).add_columns(_TO[to].label("charged_to")).group_by(_TO[to])
    query = _with_names(charged.subquery(), to)
    found = session.execute(query, execution_options={"yield_per": 500})
    return (Charge(tuple(str(key) for key in row[2:]), int(row[0]), int(row[1])) for row in found)


def _with_names(charged: Subquery, to: ChargedTo) -> Select[*tuple[Any, ...]]:
    """The same with the columns of `HEADS`, in their order."""
    figures = select(charged.c.clips, charged.c.credits)
    workspace = profiles.workspace_name(Workspace).label("workspace")
    match to:
        case ChargedTo.WORKSPACE:
            named = figures.add_columns(workspace, Workspace.id)
            return named.join(Workspace, Workspace.id == charged.c.charged_to).order_by(workspace, Workspace.id)
        case ChargedTo.PROJECT:
            owner = profiles.person_name(_owner).label("owner")
            return (
                figures.add_columns(Project.cost_centre, workspace, Project.name, owner, Project.id)
                .join(Project, Project.id == charged.c.charged_to)
                .join(Workspace, Workspace.id == Project.workspace_id)
                .join(_owner, _owner.id == Project.user_id)
                .order_by(Project.cost_centre, workspace, Project.name, Project.id)
            )
        case ChargedTo.COST_CENTRE:
            return figures.add_columns(charged.c.charged_to).order_by(charged.c.charged_to)


def is_closed(session: ReadSession, month: str) -> bool:
    """Whether the figures of a month are final."""
    return session.get(ClosedPeriod, month) is not None


def sheet(
    member: Member,
    month: str,
    to: ChargedTo,
    form: SpreadsheetFormat = SpreadsheetFormat.CSV,
    separator: Separator = Separator.COMMA,
) -> Iterator[bytes]:
    """The charges of a month and their sum as a file in pieces; raises as `charges`, before the first of them."""
    all_rows_for_analyst(member)
    months.bounds(month)
    return write(_lines(member, month, to), form, separator)


def _lines(member: Member, month: str, to: ChargedTo) -> Iterator[Line]:
    clips = credits = 0
    with db.read_session() as session:
        state = "yes" if is_closed(session, month) else "no"
        yield [*HEADS[to], *FIGURES]
        for charge in charges(session, member, month, to):
            clips, credits = clips + charge.clips, credits + charge.credits
            yield [*charge.keys, charge.clips, charge.credits, charge.idr, month, state]
    total = Charge(("total", *[""] * (len(HEADS[to]) - 1)), clips, credits)
    yield [*total.keys, total.clips, total.credits, total.idr, month, state]
