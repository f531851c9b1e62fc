"""What was spent, on what and by whom: figures come from the roll-ups, never from raw rows."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from operator import add, attrgetter

from sqlalchemy import ColumnElement, case, exists, func, literal_column, select, tuple_
from sqlalchemy.orm import aliased

from core import errors
from core.billing.quote import idr_of_microusd
from core.catalog import price_list
from core.db import ReadSession
from core.db.tables import Project, UsageDay, User
from core.messages import message
from core.workspaces.access import Member, Owned, all_rows_for_analyst, in_workspace, visible_to


class Group(StrEnum):
    """What figures can be added up by. Weeks begin on Monday (ISO 8601); days are UTC."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    MODEL = "model"
    PROVIDER = "provider"
    PROJECT = "project"
    USER = "user"


LONGEST_DAYS = 731
"""The longest period that is added up at once: two years, one of them a leap year."""

KEYS: Mapping[Group, tuple[str, ...]] = {
    Group.DAY: ("day",),
    Group.WEEK: ("week",),
    Group.MONTH: ("month",),
    Group.MODEL: ("provider", "model_id"),
    Group.PROVIDER: ("provider",),
    Group.PROJECT: ("project_id", "project_name"),
    Group.USER: ("user_id", "user_email"),
}
"""What tells the rows of a group apart, in the order of their columns. A week is its Monday, a month `2026-11`."""


@dataclass(frozen=True, slots=True)
class UsageQuery:
    """Which usage is looked at: days (UTC, both included) of one project, model, provider or person, or of all.

    `everybody` asks for all people's figures and is for administrators; `user_id` narrows it to one of them.
    Raises InvalidRequest for a period that runs backwards or is longer than `LONGEST_DAYS`.
    """

    since: date
    until: date
    project_id: str | None = None
    provider: str | None = None
    model_id: str | None = None
    everybody: bool = False
    user_id: str | None = None

    def __post_init__(self) -> None:
        if self.since > self.until:
            raise errors.InvalidRequest(fields={"since": message("period_backwards")})
        if self.until - self.since >= timedelta(days=LONGEST_DAYS):
            raise errors.InvalidRequest(fields={"since": message("period_too_long", limit=LONGEST_DAYS)})


@dataclass(frozen=True, slots=True)
class UsageTotals:
    """Sums of roll-ups, named as their columns. What they cost the providers is partly an estimate, see `cost_idr`."""

    completed: int = 0
    failed: int = 0
    cancelled: int = 0
    settled_credits: int = 0
    released_credits: int = 0
    video_seconds: int = 0
    estimated_cost_idr: int = 0
    estimate_replaced_idr: int = 0
    reported_cost_microusd: int = 0
    kept_count: int = 0
    kept_seconds: int = 0
    rejected_count: int = 0

    def __add__(self, other: "UsageTotals") -> "UsageTotals":
        return UsageTotals(*map(add, _all(self), _all(other)))

    @property
    def settled_idr(self) -> int:
        """What was charged, in rupiah."""
        return self.settled_credits * price_list.IDR_PER_CREDIT

    @property
    def success_rate(self) -> float | None:
        """Completed of those that were not cancelled; None before there are any."""
        ended = self.completed + self.failed
        return self.completed / ended if ended else None

    @property
    def reported_cost_idr(self) -> int:
        """What providers reported, at the rate of the price list."""
        return idr_of_microusd(self.reported_cost_microusd)

    @property
    def still_estimated_idr(self) -> int:
        """The estimated cost of clips whose provider reported none."""
        return self.estimated_cost_idr - self.estimate_replaced_idr

    @property
    def cost_idr(self) -> int:
        """What the providers took: as reported where they did, estimated from price and markup elsewhere."""
        return self.reported_cost_idr + self.still_estimated_idr

    @property
    def margin_idr(self) -> int:
        """What was charged less what the providers took; as much an estimate as that."""
        return self.settled_idr - self.cost_idr

    @property
    def credits_per_kept_second(self) -> float | None:
        """All credits charged over the seconds of clips that people kept; None while none is kept."""
        return self.settled_credits / self.kept_seconds if self.kept_seconds else None


TOTAL_FIELDS = tuple(field.name for field in fields(UsageTotals))
_all = attrgetter(*TOTAL_FIELDS)


@dataclass(frozen=True, slots=True)
class Row:
    """The figures of one group; `keys` has the names of `KEYS`."""

    keys: Mapping[str, str]
    figures: UsageTotals


def aggregate(session: ReadSession, member: Member, chosen: UsageQuery, groups: Iterable[Group] = ()) -> Iterator[Row]:
    """Figures by any groups, in their order; read as they are used, so the session must stay open until then.

    Without a group it is one row; the figures of nothing are zeros. Forbidden for everybody's figures asked for by
    others than administrators, NotFound for a project that they may not see.
    """
    if chosen.project_id is not None:
        project_name(session, member, chosen)
    wanted = tuple(dict.fromkeys(groups))
    names = tuple(dict.fromkeys(name for group in wanted for name in KEYS[group]))
    columns = {name: _column(session, name) for name in names if name not in _LOOKED_UP}
    sums = [func.coalesce(func.sum(getattr(UsageDay, name)), 0).label(name) for name in TOTAL_FIELDS]
    summed = (
        select(*(column.label(name) for name, column in columns.items()), *sums)
        .where(*_conditions(member, chosen))
        .group_by(*columns.values())
        .subquery()
    )
    shown = [summed.c[name] if name in columns else _LOOKED_UP[name].label(name) for name in names]
    query = select(*shown, *(summed.c[name] for name in TOTAL_FIELDS))
    if Group.PROJECT in wanted:
        query = query.join(Project, Project.id == summed.c.project_id)
    if Group.USER in wanted:
        query = query.join(User, User.id == summed.c.user_id)
    found = session.execute(query.order_by(*(summed.c[name] for name in columns)), execution_options={"yield_per": 500})
    place = len(names)
    return (
        Row(dict(zip(names, row[:place], strict=True)), UsageTotals(*(int(figure) for figure in row[place:])))
        for row in found
    )


def total(session: ReadSession, member: Member, chosen: UsageQuery) -> UsageTotals:
    """The figures of all that is chosen; raises as `grouped`."""
    return next(aggregate(session, member, chosen)).figures


def add_up(rows: Iterable[Row]) -> UsageTotals:
    """The sum of rows."""
    return sum((row.figures for row in rows), UsageTotals())


_LOOKED_UP: Mapping[str, ColumnElement[str]] = {
    "project_name": Project.__table__.c.name,
    "user_email": User.__table__.c.email,
}


def _column(session: ReadSession, name: str) -> ColumnElement[str]:
    """A key as an expression over usage_days, without parameters: PostgreSQL has to see the same one in GROUP BY."""
    if name == "month":
        return literal_column("substr(usage_days.day, 1, 7)")
    if name == "week":
        if session.get_bind().dialect.name == "postgresql":
            return literal_column("to_char(date_trunc('week', CAST(usage_days.day AS date)), 'YYYY-MM-DD')")
        return literal_column("date(usage_days.day, 'weekday 0', '-6 days')")
    column: ColumnElement[str] = UsageDay.__table__.c[name]
    return column


def _conditions(member: Member, chosen: UsageQuery) -> list[ColumnElement[bool]]:
    whose = all_rows_for_analyst(member) if chosen.everybody else in_reach(UsageDay, member, chosen)
    narrowed = {name: getattr(chosen, name) for name in ("project_id", "provider", "model_id", "user_id")}
    return [
        whose,
        UsageDay.day >= chosen.since.isoformat(),
        UsageDay.day <= chosen.until.isoformat(),
        *(getattr(UsageDay, name) == value for name, value in narrowed.items() if value is not None),
    ]


def in_reach(table: Owned, member: Member, chosen: UsageQuery) -> ColumnElement[bool]:
    """The present workspace; of a project, which may be in another one of theirs, that of the project."""
    return in_workspace(table, member) if chosen.project_id is None else visible_to(table, member)


def project_name(session: ReadSession, member: Member, chosen: UsageQuery) -> str:
    """The name of the chosen project; NotFound where there is none that they may see."""
    whose = all_rows_for_analyst(member) if chosen.everybody else visible_to(Project, member)
    name = session.scalar(select(Project.name).where(Project.id == chosen.project_id, whose))
    if name is None:
        raise errors.NotFound(message("project_not_found"))
    return name


@dataclass(frozen=True, slots=True)
class ProjectLabel:
    """What tells a project from every other, whenever it is asked for.

    `owner` is a name, or an address where several have the name; `place` is counted among the owner's projects of the
    same name, from the oldest on.
    """

    name: str
    owner: str
    place: int


def project_labels(
    session: ReadSession, member: Member, project_ids: Collection[str], *, everybody: bool
) -> Mapping[str, ProjectLabel]:
    """Id -> label of those of these projects that the person may see; Forbidden as `aggregate`."""
    older, namesake = aliased(Project), aliased(User)
    place = (
        select(func.count() + 1)
        .where(
            older.user_id == Project.user_id,
            older.name == Project.name,
            tuple_(older.created_at, older.id) < tuple_(Project.created_at, Project.id),
        )
        .scalar_subquery()
    )
    is_shared_name = exists().where(namesake.name == User.name, namesake.id != User.id)
    owner = case((User.name == "", User.email), (is_shared_name, User.email), else_=User.name)
    query = select(Project.id, Project.name, owner.label("owner"), place.label("place")).join(
        User, User.id == Project.user_id
    )
    whose = all_rows_for_analyst(member) if everybody else visible_to(Project, member)
    wanted = list(project_ids)
    found = {}
    for at in range(0, len(wanted), 500):  # databases limit their parameters
        for row in session.execute(query.where(whose, Project.id.in_(wanted[at : at + 500]))):
            found[row.id] = ProjectLabel(row.name, row.owner, row.place)
    return found


def people(session: ReadSession, admin: Member) -> dict[str, str]:
    """Id and address of everybody there is, by address; Forbidden for others than administrators."""
    rows = session.execute(select(User.id, User.email).where(all_rows_for_analyst(admin)).order_by(User.email)).all()
    return {row.id: row.email for row in rows}


def moments(chosen: UsageQuery) -> tuple[datetime, datetime]:
    """The days of a selection as a span of time, its end not included; one past the calendar's end is its last."""
    begin = datetime.combine(chosen.since, time(), UTC)
    after = min(chosen.until, date.max - timedelta(days=1)) + timedelta(days=1)
    return begin, datetime.combine(after, time(), UTC)
