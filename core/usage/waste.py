"""What gave nothing: clips that failed or were cancelled, by why and whose, that people rejected, or nobody opened.

Credits returned are those of the rows that ended without a clip, which is what the ledger gave back for them. All of it
is read from two indexes of the clips, which have everything that is added up here.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from operator import add
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    String,
    and_,
    case,
    cast,
    func,
    literal,
    literal_column,
    or_,
    select,
)

from core import db
from core.catalog import price_list
from core.db import ReadSession
from core.db.elapsed import seconds_between, week_of
from core.db.enums import Status
from core.db.tables import Generation
from core.db.tables.generations import IN_VAIN, UNOPENED
from core.usage import reports
from core.workspaces import profiles
from core.workspaces.access import Member, all_rows_for_analyst


class Outcome(StrEnum):
    """How a clip was in vain."""

    FAILED = "failed"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    UNOPENED = "unopened"
    """It is there, and nobody has opened it within `UNOPENED_AFTER_DAYS`, or since."""


UNOPENED_AFTER_DAYS = 7
"""So many whole days (UTC) after that of its end a clip that nobody has opened counts as made in vain."""


class WasteGroup(StrEnum):
    """What it can be added up by. Weeks begin on Monday (ISO 8601) and are those of the end; days are UTC."""

    REASON = "reason"
    MODEL = "model"
    PROVIDER = "provider"
    USER = "user"
    WEEK = "week"


KEYS: Mapping[WasteGroup, tuple[str, ...]] = {
    WasteGroup.REASON: ("outcome", "reason"),
    WasteGroup.MODEL: ("provider", "model_id"),
    WasteGroup.PROVIDER: ("provider",),
    WasteGroup.USER: ("user_id",),
    WasteGroup.WEEK: ("week",),
}
"""What tells the rows of a group apart. A reason is an error's code, or why a clip was rejected; it may be empty."""


@dataclass(frozen=True, slots=True)
class Waste:
    """Sums. `lost_seconds` run from the order of what failed to its end.

    `paid_idr` is what providers are known to have taken for what gave no clip; `at_risk_idr` the estimate for what they
    had accepted and nobody knows whether they took it. `rejected_credits` were charged for clips that were rejected,
    `unopened_credits` for those that nobody opened; who judges a clip has opened it.
    """

    failed: int = 0
    cancelled: int = 0
    returned_credits: int = 0
    lost_seconds: int = 0
    paid_idr: int = 0
    at_risk_idr: int = 0
    rejected: int = 0
    rejected_credits: int = 0
    unopened: int = 0
    unopened_credits: int = 0

    def __add__(self, other: "Waste") -> "Waste":
        return Waste(*map(add, astuple(self), astuple(other)))

    @property
    def rejected_idr(self) -> int:
        """What was charged for rejected clips, in rupiah."""
        return self.rejected_credits * price_list.IDR_PER_CREDIT

    @property
    def unopened_idr(self) -> int:
        """What was charged for clips that nobody opened, in rupiah."""
        return self.unopened_credits * price_list.IDR_PER_CREDIT


FIELDS = tuple(Waste.__dataclass_fields__)


@dataclass(frozen=True, slots=True)
class WasteRow:
    """The sums of one group; `keys` has the names of `KEYS`, and `user_name` where people are told apart."""

    keys: Mapping[str, str]
    figures: Waste


def rows(
    session: ReadSession, member: Member, chosen: reports.UsageQuery, groups: Iterable[WasteGroup] = ()
) -> Sequence[WasteRow]:
    """Sums by any groups, most credits first, weeks in their order; without a group one row.

    Forbidden for everybody's figures asked for by others than analysts and administrators, NotFound for a project that
    they may not see.
    """
    if chosen.project_id is not None:
        reports.project_name(session, member, chosen)
    wanted = tuple(dict.fromkeys(groups))
    names = tuple(dict.fromkeys(name for group in wanted for name in KEYS[group]))
    sums: dict[tuple[str, ...], Waste] = defaultdict(Waste)
    for query in (_in_vain(session, member, chosen, names), _unopened(session, member, chosen, names)):
        for row in session.execute(query).mappings():
            figures = {name: int(figure or 0) for name, figure in row.items() if name not in names}
            if any(figures.values()):
                sums[tuple(row[name] for name in names)] += Waste(**figures)
    found = [WasteRow(dict(zip(names, key, strict=True)), figures) for key, figures in sums.items()]
    if not names:
        return found or [WasteRow({}, Waste())]
    return sorted(_with_names(session, found), key=_by_credits(wanted))


def total(session: ReadSession, member: Member, chosen: reports.UsageQuery) -> Waste:
    """The sums of all that is chosen."""
    [row] = rows(session, member, chosen)
    return row.figures


def add_up(some: Iterable[WasteRow]) -> Waste:
    """The sum of rows."""
    return sum((row.figures for row in some), Waste())


def _with_names(session: ReadSession, found: Sequence[WasteRow]) -> Sequence[WasteRow]:
    """The same, with the names of people beside their ids."""
    ids = {row.keys["user_id"] for row in found if "user_id" in row.keys}
    if not ids:
        return found
    names = {id: profile.name for id, profile in profiles.people(session, list(ids)).items()}
    return [WasteRow({**row.keys, "user_name": names[row.keys["user_id"]]}, row.figures) for row in found]


def _by_credits(groups: Sequence[WasteGroup]) -> Callable[[WasteRow], tuple[Any, ...]]:
    def place(row: WasteRow) -> tuple[Any, ...]:
        week = row.keys["week"] if groups[0] is WasteGroup.WEEK else ""
        figures = row.figures
        wasted = figures.returned_credits + figures.rejected_credits + figures.unopened_credits
        return (week, -wasted, *row.keys.values())

    return place


def unopened_before(session: ReadSession) -> datetime:
    """A clip that ended before this moment, and that nobody has opened, counts as made in vain; a midnight (UTC)."""
    today = db.now(session).date()
    return datetime.combine(today - timedelta(days=UNOPENED_AFTER_DAYS), time(), UTC)


def _in_vain(
    session: ReadSession, member: Member, chosen: reports.UsageQuery, names: Sequence[str]
) -> Select[*tuple[Any, ...]]:
    """Sums of what gave no clip and of what was rejected, behind these keys, under the names of `Waste`."""
    keys, figures = _keys(session, chosen), _figures(session)
    in_vain: ColumnElement[bool] = literal_column(f"({IN_VAIN})")
    return _sums(session, member, chosen, {name: keys[name] for name in names}, figures, in_vain)


def _unopened(
    session: ReadSession, member: Member, chosen: reports.UsageQuery, names: Sequence[str]
) -> Select[*tuple[Any, ...]]:
    """The same of clips that nobody has opened."""
    keys = _keys(session, chosen) | {"outcome": literal(Outcome.UNOPENED.value), "reason": literal("")}
    figures = {"unopened": literal(1), "unopened_credits": Generation.credits}
    long_ago = Generation.ended_at < unopened_before(session)
    keys = {name: keys[name] for name in names}
    return _sums(session, member, chosen, keys, figures, literal_column(UNOPENED), long_ago)


def _sums(
    session: ReadSession,
    member: Member,
    chosen: reports.UsageQuery,
    keys: Mapping[str, Any],
    figures: Mapping[str, Any],
    *which: ColumnElement[bool],
) -> Select[*tuple[Any, ...]]:
    begin, end = reports.moments(chosen)
    ended_at = _column(session, chosen, "ended_at")
    whose = all_rows_for_analyst(member) if chosen.everybody else reports.in_reach(Generation, member, chosen)
    narrowed = (
        (Generation.charged_in_id, chosen.project_id),
        (Generation.provider, chosen.provider),
        (Generation.model_id, chosen.model_id),
        (Generation.user_id, chosen.user_id),
    )
    of_each = (
        select(*(column.label(name) for name, column in {**keys, **figures}.items()))
        .where(
            whose,
            *which,
            ended_at >= begin,
            ended_at < end,
            *(column == value for column, value in narrowed if value is not None),
        )
        .subquery()
        .c
    )
    by = [of_each[name] for name in keys]
    return select(*by, *(func.sum(of_each[name]).label(name) for name in figures)).group_by(*by)


def _column(session: ReadSession, chosen: reports.UsageQuery, name: str) -> ColumnElement[Any]:
    """A column; of everybody's in words for which SQLite does not leave the index of what was in vain.

    For a span of ends, or an order of people, it would go by another index and look at a hundred times as many rows.
    """
    column: ColumnElement[Any] = Generation.__table__.c[name]
    if chosen.everybody and session.get_bind().dialect.name == "sqlite":
        return literal_column(f"+generations.{name}", type_=column.type)
    return column


_FAILED, _CANCELLED = Generation.status == Status.FAILED, Generation.status == Status.CANCELLED
_NO_CLIP = or_(_FAILED, _CANCELLED)
_REJECTED = and_(Generation.status == Status.COMPLETED, Generation.kept.is_(False))


def _keys(session: ReadSession, chosen: reports.UsageQuery) -> dict[str, Any]:
    """What tells the rows of every group apart."""
    return {
        "outcome": case(
            (_FAILED, Outcome.FAILED.value), (_CANCELLED, Outcome.CANCELLED.value), else_=Outcome.REJECTED.value
        ),
        "reason": case(
            (_FAILED, func.coalesce(Generation.error_code, "")),
            (_CANCELLED, ""),
            else_=func.coalesce(cast(Generation.reject_reason, String), ""),
        ),
        **{name: _column(session, chosen, name) for name in ("provider", "model_id", "user_id")},
        "week": week_of(session, Generation.ended_at),
    }


def _figures(session: ReadSession) -> dict[str, Any]:
    """The figures of one clip; each is whole, so that whatever it is added up by comes to the same."""
    rate = func.coalesce(Generation.idr_per_usd, price_list.IDR_PER_USD)
    cost: ColumnElement[Any] = Generation.provider_cost.expression
    in_rupiah = case((Generation.provider_cost_currency == "IDR", cost), else_=cost * rate)
    is_open = and_(
        _NO_CLIP,
        cost.is_(None),
        Generation.submitted_at.is_not(None),
        Generation.estimated_cost_microusd.is_not(None),
    )
    at_risk = (Generation.estimated_cost_microusd * rate + 500_000) // 1_000_000
    waited = seconds_between(session, Generation.created_at, Generation.ended_at)
    return {
        "failed": case((_FAILED, 1), else_=0),
        "cancelled": case((_CANCELLED, 1), else_=0),
        "returned_credits": case((_NO_CLIP, Generation.credits), else_=0),
        "lost_seconds": case((_FAILED, cast(func.round(waited), BigInteger)), else_=0),
        "paid_idr": case((and_(_NO_CLIP, cost.is_not(None)), cast(func.round(in_rupiah), BigInteger)), else_=0),
        "at_risk_idr": case((is_open, at_risk), else_=0),
        "rejected": case((_REJECTED, 1), else_=0),
        "rejected_credits": case((_REJECTED, Generation.credits), else_=0),
    }
