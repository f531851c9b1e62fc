"""What usage can be broken down by, how that is read from roll-ups or clips, and what its values are called.

Three sources have the same columns: the roll-up of all that has ended, that of what gave no clip (which knows why), and
the tags of clips that have ended, which know of their clips what is told here.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, FromClause, case, exists, func, literal_column, select

from core.catalog import in_force
from core.db import ReadSession
from core.db.enums import Status
from core.db.tables import GenerationTag, Project, UndeliveredDay, UsageDay
from core.providers import registry
from core.usage import reports
from core.workspaces import profiles
from core.workspaces.access import Member


class Dimension(StrEnum):
    """One way to break figures down."""

    WORKSPACE = "workspace"
    PERSON = "person"
    PROJECT = "project"
    PROVIDER = "provider"
    MODEL = "model"
    OUTCOME = "outcome"
    """`completed`, `failed` or `cancelled`."""
    REASON = "reason"
    """Why a clip failed, as the code of its error; `completed` and `cancelled` stand beside them."""
    TAG = "tag"
    """A clip has any number of them, so that what is added up by tag comes to more than there is."""
    WEEKDAY = "weekday"
    """Of the day that counts (UTC), from `1`, which is Monday, to `7` (ISO 8601)."""


class Interval(StrEnum):
    """The steps of a course over time: a day, the Monday of a week, a month as `2026-11`."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Value:
    """A value of a dimension: what tells it apart, and what it is called, the same in every answer.

    `shown` is what people read: a project with its workspace or owner only beside a namesake in this answer.
    """

    key: str
    name: str
    shown: str


UNKNOWN = ""
"""The key of what has no value: no tag, or a reason from when reasons were not counted."""

WITH_IDS = frozenset({Dimension.WORKSPACE, Dimension.PERSON, Dimension.PROJECT, Dimension.PROVIDER, Dimension.MODEL})
"""Those whose values have a name beside what tells them apart."""

ENDS = frozenset({Dimension.OUTCOME, Dimension.REASON})


class Source(StrEnum):
    """Where figures are read."""

    DAYS = "days"
    UNDELIVERED = "undelivered"
    TAGGED = "tagged"


_TABLES: Mapping[Source, type[UsageDay] | type[UndeliveredDay] | type[GenerationTag]] = {
    Source.DAYS: UsageDay,
    Source.UNDELIVERED: UndeliveredDay,
    Source.TAGGED: GenerationTag,
}


def column(source: Source, dimension: Dimension | Interval, *, is_postgresql: bool) -> ColumnElement[str]:
    """A dimension as an expression, without parameters: PostgreSQL has to see the same one in GROUP BY."""
    if dimension in (Dimension.WEEKDAY, *Interval):
        day = _day_sql(source)
        return literal_column(_of_day(dimension, day, is_postgresql=is_postgresql))
    if dimension is Dimension.TAG:
        return GenerationTag.__table__.c.tag
    table = _TABLES[source].__table__
    if source is Source.TAGGED and dimension in _OF_TAGS:
        return table.c[_OF_TAGS[Dimension(dimension)]]
    names = {
        Dimension.WORKSPACE: "workspace_id",
        Dimension.PERSON: "user_id",
        Dimension.PROJECT: "project_id",
        Dimension.PROVIDER: "provider",
        Dimension.MODEL: "model_id",
        Dimension.OUTCOME: "outcome",
    }
    if dimension is Dimension.REASON:
        return literal_column(
            "CASE WHEN undelivered_days.outcome = 'cancelled' THEN 'cancelled' ELSE undelivered_days.reason END"
        )
    found: ColumnElement[str] = table.c[names[Dimension(dimension)]]
    return found


def day_column(source: Source) -> ColumnElement[str]:
    """The day (UTC) that a row counts on."""
    return literal_column(_day_sql(source))


def _day_sql(source: Source) -> str:
    return f"{_TABLES[source].__tablename__}.{'ended_on' if source is Source.TAGGED else 'day'}"


def _of_day(dimension: Dimension | Interval, day: str, *, is_postgresql: bool) -> str:
    if dimension is Interval.DAY:
        return day
    if dimension is Interval.MONTH:
        return f"substr({day}, 1, 7)"
    if dimension is Interval.WEEK:
        if is_postgresql:
            return f"to_char(date_trunc('week', CAST({day} AS date)), 'YYYY-MM-DD')"
        return f"date({day}, 'weekday 0', '-6 days')"
    if is_postgresql:
        return f"CAST(CAST(extract(isodow FROM CAST({day} AS date)) AS integer) AS text)"
    return f"CAST(CAST(julianday({day}) + 0.5 AS integer) % 7 + 1 AS text)"  # day 0 was a Monday; quicker than strftime


_OF_TAGS: Mapping[Dimension, str] = {
    Dimension.PERSON: "maker_id",
    Dimension.PROJECT: "charged_in_id",
    Dimension.REASON: "reason",
}
"""What is called otherwise beside a tag than in the roll-ups."""


@dataclass(frozen=True, slots=True)
class Sums:
    """The sums of a source, in the order of `explorer.Amounts`."""

    table: FromClause
    columns: tuple[ColumnElement[int], ...]


def sums(source: Source) -> Sums:
    """What is added up: completed, failed, cancelled, charged, returned, seconds."""
    if source is Source.DAYS:
        names = ("completed", "failed", "cancelled", "settled_credits", "released_credits", "video_seconds")
        return Sums(UsageDay.__table__, tuple(func.sum(UsageDay.__table__.c[name]) for name in names))
    none: ColumnElement[int] = literal_column("0")
    if source is Source.UNDELIVERED:
        table = UndeliveredDay.__table__
        failed, cancelled = (
            func.sum(case((table.c.outcome == literal_column(f"'{end}'"), table.c.clips), else_=0))
            for end in (Status.FAILED.value, Status.CANCELLED.value)
        )
        return Sums(table, (none, failed, cancelled, none, func.sum(table.c.released_credits), none))
    tags = GenerationTag.__table__
    done, undone, stopped = (
        tags.c.outcome == literal_column(f"'{end.value}'")
        for end in (Status.COMPLETED, Status.FAILED, Status.CANCELLED)
    )
    columns = (
        func.sum(case((done, 1), else_=0)),
        func.sum(case((undone, 1), else_=0)),
        func.sum(case((stopped, 1), else_=0)),
        func.sum(case((done, tags.c.credits), else_=0)),
        func.sum(case((done, 0), else_=tags.c.credits)),
        func.sum(case((done, tags.c.seconds), else_=0)),
    )
    return Sums(tags, columns)


def is_told_by_tag() -> ColumnElement[bool]:
    """Only tags in the workspace that paid for a clip count: what it is tagged with where it went since is told there.

    A subquery, since SQLite would begin a join with the projects.
    """
    tags = GenerationTag.__table__
    paid_by = select(Project.workspace_id).where(Project.id == tags.c.charged_in_id).correlate(tags).scalar_subquery()
    return tags.c.workspace_id == paid_by


def is_first_tag() -> ColumnElement[bool]:
    """One tag of each clip, so that it is counted once; all its tags are of one workspace."""
    tags, other = GenerationTag.__table__, GenerationTag.__table__.alias("other")
    return ~exists().where(other.c.generation_id == tags.c.generation_id, other.c.tag < tags.c.tag)


def values(
    session: ReadSession, member: Member, dimension: Dimension, keys: Collection[str], *, everybody: bool, wide: bool
) -> Mapping[str, Value]:
    """Key -> what it is called; those without a name are called by their key.

    `wide` is where several workspaces stand together, so that projects of one name are told apart by theirs.
    """
    if dimension is Dimension.PROJECT:
        labels = reports.project_labels(session, member, keys, everybody=everybody)
        titles = {id: reports.project_title(label, everybody=wide) for id, label in labels.items()}
        shown = _told_apart({id: label.name for id, label in labels.items()}, titles)
        return {key: Value(key, titles.get(key, key), shown.get(key, key)) for key in keys}
    names = _names(session, dimension, keys)
    return {key: Value(key, names.get(key, key), names.get(key, key)) for key in keys}


def _told_apart(names: Mapping[str, str], titles: Mapping[str, str]) -> Mapping[str, str]:
    """Names alone where nothing else is called so, as a name or a title; else titles."""
    count = Counter(names.values())
    shown = {id: name if count[name] == 1 else titles[id] for id, name in names.items()}
    return shown if len(set(shown.values())) == len(shown) else titles


def _names(session: ReadSession, dimension: Dimension, keys: Collection[str]) -> Mapping[str, str]:
    if dimension is Dimension.WORKSPACE:
        return profiles.workspace_names(session, keys)
    if dimension is Dimension.PERSON:
        return {id: profile.name for id, profile in profiles.people(session, keys).items()}
    if dimension is Dimension.PROVIDER:
        return {name: registry.provider_class(name).display_name for name in keys}
    if dimension is Dimension.MODEL:
        known = {key: in_force.find(key) for key in keys}
        return {key: entry.model.name for key, entry in known.items() if entry is not None}
    return {}
