"""What was spent, on what and by whom: figures come from the roll-ups, never from raw rows."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from itertools import islice
from operator import add, attrgetter
from typing import Any, TypeVar

from sqlalchemy import (
    ColumnElement,
    Subquery,
    and_,
    case,
    exists,
    func,
    literal,
    literal_column,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.orm import aliased

from core import errors
from core.catalog import price_list
from core.db import Reader, ReadSession
from core.db.tables import CostAdjustment, Project, UsageDay, User, Workspace
from core.messages import message
from core.workspaces import profiles
from core.workspaces.access import Member, Owned, all_rows_for_analyst, in_workspace, visible_to

T = TypeVar("T")


class Group(StrEnum):
    """What figures can be added up by. Weeks begin on Monday (ISO 8601); days are UTC."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    MODEL = "model"
    PROVIDER = "provider"
    PROJECT = "project"
    USER = "user"
    WORKSPACE = "workspace"


_AT_ONCE = 500
"""So many ids a statement: databases limit their parameters."""

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
    Group.WORKSPACE: ("workspace_id",),
}
"""What tells the rows of a group apart, in the order of their columns. A week is its Monday, a month `2026-11`."""

BESIDE: Mapping[Group, tuple[str, ...]] = {
    Group.PROJECT: ("project_workspace", "project_owner"),
    Group.USER: ("user_name",),
    Group.WORKSPACE: ("workspace_name",),
}
"""What people tell the rows of a group apart by, beside its keys."""


@dataclass(frozen=True, slots=True)
class UsageQuery:
    """Which usage is looked at: days (UTC, both included) of one project, model, provider or person, or of all.

    `everybody` asks for the figures of all workspaces and is for analysts and administrators, else it is those of the
    present one; `user_id` narrows either to what one person has made.
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
    reported_cost_idr: int = 0
    estimate_from_price_idr: int = 0
    wasted_cost_idr: int = 0
    cost_unknown_count: int = 0
    adjusted_cost_idr: int = 0

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
    def still_estimated_idr(self) -> int:
        """The estimated cost of clips whose provider reported none."""
        return self.estimated_cost_idr - self.estimate_replaced_idr

    @property
    def cost_idr(self) -> int:
        """What the providers took: as reported where they did, else estimated from prices, and as adjusted since."""
        return self.reported_cost_idr + self.still_estimated_idr + self.adjusted_cost_idr

    @property
    def margin_idr(self) -> int:
        """What was charged less what the providers took; as much an estimate as that."""
        return self.settled_idr - self.cost_idr

    @property
    def markup(self) -> float | None:
        """What was charged over what the providers took; None while nothing is known to cost anything."""
        return self.settled_idr / self.cost_idr if self.cost_idr else None

    @property
    def credits_per_kept_second(self) -> float | None:
        """All credits charged over the seconds of clips that people kept; None while none is kept."""
        return self.settled_credits / self.kept_seconds if self.kept_seconds else None


TOTAL_FIELDS = tuple(each.name for each in fields(UsageTotals))
_all = attrgetter(*TOTAL_FIELDS)


@dataclass(frozen=True, slots=True)
class Row:
    """The figures of one group; `keys` has the names of `KEYS`, and `beside` those of `BESIDE` after `with_names`."""

    keys: Mapping[str, str]
    figures: UsageTotals
    beside: Mapping[str, str] = field(default_factory=dict)


def aggregate(session: ReadSession, member: Member, chosen: UsageQuery, groups: Iterable[Group] = ()) -> Iterator[Row]:
    """Figures by any groups, in their order; read as they are used, so the session must stay open until then.

    Without a group it is one row; the figures of nothing are zeros. What vendors took for no clip of ours is in those
    of everybody, with empty keys for who and where. Forbidden for everybody's figures asked for by others than
    administrators, NotFound for a project that they may not see.
    """
    if chosen.project_id is not None:
        project_name(session, member, chosen)
    wanted = tuple(dict.fromkeys(groups))
    names = tuple(dict.fromkeys(name for group in wanted for name in KEYS[group]))
    days = _with_vendors_own(session, member, chosen)
    figures = UsageDay.__table__.c if days is None else days.c
    columns = {name: _column(session, name, figures) for name in names if name not in _LOOKED_UP}
    sums = [func.coalesce(func.sum(figures[name]), 0).label(name) for name in TOTAL_FIELDS]
    every = select(*(column.label(name) for name, column in columns.items()), *sums).group_by(*columns.values())
    summed = (every.where(*_conditions(member, chosen)) if days is None else every.select_from(days)).subquery()
    shown = [summed.c[name] if name in columns else _LOOKED_UP[name].label(name) for name in names]
    query = select(*shown, *(summed.c[name] for name in TOTAL_FIELDS))
    if Group.PROJECT in wanted:
        query = query.outerjoin(Project, Project.id == summed.c.project_id)
    if Group.USER in wanted:
        query = query.outerjoin(User, User.id == summed.c.user_id)
    found = session.execute(query.order_by(*(summed.c[name] for name in columns)), execution_options={"yield_per": 500})
    place = len(names)
    return (
        Row(dict(zip(names, row[:place], strict=True)), UsageTotals(*(int(figure) for figure in row[place:])))
        for row in found
    )


def _with_vendors_own(session: ReadSession, member: Member, chosen: UsageQuery) -> Subquery | None:
    """The chosen days with what vendors took for no clip, under the name of their table; None where there is nothing.

    It belongs to no workspace, person or project, so that it is looked for in the figures of everybody and all alone.
    """
    if not chosen.everybody or chosen.project_id is not None or chosen.user_id is not None:
        return None
    narrowed = {name: getattr(chosen, name) for name in ("provider", "model_id")}
    own = [
        CostAdjustment.generation_id.is_(None),
        CostAdjustment.day >= chosen.since.isoformat(),
        CostAdjustment.day <= chosen.until.isoformat(),
        *(getattr(CostAdjustment, name) == value for name, value in narrowed.items() if value is not None),
    ]
    if not session.scalar(select(exists().where(*own))):
        return None
    keys = ("day", "workspace_id", "user_id", "project_id", "provider", "model_id")
    counted = select(*(getattr(UsageDay, name) for name in (*keys, *TOTAL_FIELDS))).where(*_conditions(member, chosen))
    given: Mapping[str, ColumnElement[Any]] = {
        "day": CostAdjustment.day.expression,
        "provider": CostAdjustment.provider.expression,
        "model_id": CostAdjustment.model_id.expression,
        "adjusted_cost_idr": CostAdjustment.amount_idr.expression,
    }
    nothing = {name: literal("") if name in keys else literal(0) for name in (*keys, *TOTAL_FIELDS)}
    booked = select(*(given.get(name, nothing[name]).label(name) for name in nothing)).where(*own)
    return union_all(counted, booked).subquery("usage_days")


def with_names(session: ReadSession, rows: Iterable[Row], groups: Iterable[Group]) -> Iterator[Row]:
    """The same rows with what people tell them apart by; read as they are used, names once each."""
    wanted = [group for group in BESIDE if group in set(groups)]
    known: dict[tuple[Group, str], tuple[str, ...]] = {}
    for some in _in_parts(rows):
        for group in wanted:
            ids = {row.keys[KEYS[group][0]] for row in some}
            new = [id for id in ids if id and (group, id) not in known]
            known |= {(group, id): names for id, names in _names_beside(session, group, new).items()}
        for row in some:
            beside: dict[str, str] = {}
            for group in wanted:
                id = row.keys[KEYS[group][0]]
                names = known[group, id] if id else tuple("" for _name in BESIDE[group])
                beside |= zip(BESIDE[group], names, strict=True)
            yield replace(row, beside=beside)


def _in_parts(found: Iterable[T]) -> Iterator[list[T]]:
    left = iter(found)
    while some := list(islice(left, _AT_ONCE)):
        yield some


def _names_beside(session: ReadSession, group: Group, ids: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
    if group is Group.WORKSPACE:
        return {id: (name,) for id, name in profiles.workspace_names(session, ids).items()}
    if group is Group.USER:
        return {id: (profile.name,) for id, profile in profiles.people(session, ids).items()}
    found = session.execute(_LABELS.where(Project.id.in_(ids)))
    return {row.id: (row.workspace or row.owner, row.owner) for row in found}


def total(session: ReadSession, member: Member, chosen: UsageQuery) -> UsageTotals:
    """The figures of all that is chosen; raises as `grouped`."""
    return next(aggregate(session, member, chosen)).figures


def add_up(rows: Iterable[Row]) -> UsageTotals:
    """The sum of rows."""
    return sum((row.figures for row in rows), UsageTotals())


_LOOKED_UP: Mapping[str, ColumnElement[str]] = {
    "project_name": func.coalesce(Project.__table__.c.name, ""),
    "user_email": func.coalesce(User.__table__.c.email, ""),
}


def _column(session: ReadSession, name: str, days: Any) -> ColumnElement[str]:
    """A key as an expression over usage_days, without parameters: PostgreSQL has to see the same one in GROUP BY."""
    if name == "month":
        return literal_column("substr(usage_days.day, 1, 7)")
    if name == "week":
        if session.get_bind().dialect.name == "postgresql":
            return literal_column("to_char(date_trunc('week', CAST(usage_days.day AS date)), 'YYYY-MM-DD')")
        return literal_column("date(usage_days.day, 'weekday 0', '-6 days')")
    column: ColumnElement[str] = days[name]
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

    `place` is counted among the projects of the same name and owner in its workspace, from the oldest on. `workspace`
    is None for the owner's own one, whose name is theirs. `shares_name` says whether somebody else has a project of
    this name in its workspace.
    """

    name: str
    place: int
    owner: str
    workspace: str | None
    shares_name: bool


def project_title(label: ProjectLabel, *, everybody: bool) -> str:
    """`Spring · Lakes · Ana`, the same in every period: a further one of a name is numbered.

    Within a workspace the owner is named where somebody else's there has the same name, and its workspace never.
    """
    name = f"{label.name} ({label.place})" if label.place > 1 else label.name
    if everybody:
        return " · ".join(filter(None, (name, label.workspace, label.owner)))
    return f"{name} · {label.owner}" if label.shares_name else name


def project_labels(
    session: Reader, member: Member, project_ids: Collection[str], *, everybody: bool
) -> Mapping[str, ProjectLabel]:
    """Id -> label of those of these projects that the person may see; Forbidden as `aggregate`."""
    whose = all_rows_for_analyst(member) if everybody else visible_to(Project, member)
    found = {}
    for some in _in_parts(project_ids):
        for row in session.execute(_LABELS.where(whose, Project.id.in_(some))):
            found[row.id] = ProjectLabel(row.name, row.place, row.owner, row.workspace, bool(row.shares_name))
    return found


_NAMESAKE = aliased(Project)
_HAS_ITS_NAME = and_(_NAMESAKE.workspace_id == Project.workspace_id, _NAMESAKE.name == Project.name)
_LABELS = (
    select(
        Project.id,
        Project.name,
        select(func.count() + 1)
        .where(
            _HAS_ITS_NAME,
            _NAMESAKE.user_id == Project.user_id,
            tuple_(_NAMESAKE.created_at, _NAMESAKE.id) < tuple_(Project.created_at, Project.id),
        )
        .correlate(Project)
        .scalar_subquery()
        .label("place"),
        profiles.person_name(User).label("owner"),
        case((Project.workspace_id != Project.user_id, profiles.workspace_name(Workspace))).label("workspace"),
        exists().where(_HAS_ITS_NAME, _NAMESAKE.user_id != Project.user_id).correlate(Project).label("shares_name"),
    )
    .join(User, User.id == Project.user_id)
    .join(Workspace, Workspace.id == Project.workspace_id)
)


def people(session: ReadSession, member: Member) -> dict[str, str]:
    """Id and name of everybody there is, by name; Forbidden for others than analysts and administrators."""
    whose = all_rows_for_analyst(member)
    rows = session.execute(select(User.id, profiles.person_name(User).label("name")).where(whose)).all()
    return dict(sorted(((row.id, row.name) for row in rows), key=lambda one: (one[1].lower(), one[0])))


def moments(chosen: UsageQuery) -> tuple[datetime, datetime]:
    """The days of a selection as a span of time, its end not included; one past the calendar's end is its last."""
    begin = datetime.combine(chosen.since, time(), UTC)
    after = min(chosen.until, date.max - timedelta(days=1)) + timedelta(days=1)
    return begin, datetime.combine(after, time(), UTC)
