"""Projects: folders of generations, each in one workspace."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Select, and_, bindparam, func, or_, select, tuple_
from sqlalchemy import delete as delete_rows
from sqlalchemy.orm import InstrumentedAttribute, aliased

from core import audit_log, errors, normal_form
from core.audit_log import Act
from core.clock import utc_now
from core.db import Reader, ReadSession, WriteSession
from core.db.enums import BudgetMode, BudgetScope
from core.db.tables import Budget, BudgetMonth, Generation, Project, UsageDay, is_live
from core.messages import message
from core.validation import text_error
from core.workspaces import months
from core.workspaces.access import Member, in_bound_workspace, visible_to_bound
from core.workspaces.permissions import Action

NAME_LIMIT_CHARS = 120
DESCRIPTION_LIMIT_CHARS = 2000
COST_CENTRE_LIMIT_CHARS = 60
COVERS = 4
"""How many of its newest posters stand for a project."""

# Statements of every run of a page are put together once: that costs several times what running them does.
_ONE = select(Project).where(Project.id == bindparam("project_id"), visible_to_bound(Project))
_ONE_HELD = _ONE.with_for_update(read=True, key_share=True).execution_options(populate_existing=True)
_ONE_ID = _ONE.with_only_columns(Project.id)
_NOT_FOUND = message("project_not_found")

_NAMES = {
    archived: select(Project.id, Project.name)
    .where(in_bound_workspace(Project), Project.archived_at.is_not(None) if archived else Project.archived_at.is_(None))
    .order_by(Project.updated_at.desc(), Project.id.desc())
    .limit(bindparam("limit"))
    for archived in (False, True)
}
_NAME = select(Project.name).where(in_bound_workspace(Project), Project.id == bindparam("project_id"))
_IDS: BindParameter[str] = bindparam("ids", expanding=True)

_OLDER = aliased(Generation)
_LAST_SHOWN = (
    select(_OLDER.id)
    .where(_OLDER.project_id == Project.id, _OLDER.thumbnail_key.is_not(None), _OLDER.deleted_at.is_(None))
    .order_by(_OLDER.id.desc())
    .offset(COVERS - 1)
    .limit(1)
    .correlate(Project)
    .scalar_subquery()
)
# For each project the index finds the id of its last one to show; numbering rows in a window would read all of them.
_POSTERS = (
    select(Generation.project_id, Generation.thumbnail_key, Generation.preview_key, Generation.ended_at)
    .join(Project, Project.id == Generation.project_id)
    .where(
        Project.id.in_(_IDS),
        visible_to_bound(Project),
        Generation.thumbnail_key.is_not(None),
        Generation.deleted_at.is_(None),
        Generation.id >= func.coalesce(_LAST_SHOWN, ""),
    )
    .order_by(Generation.id.desc())
)

# What is under way is few, and is read first, by its own index: left to itself, SQLite would go by the person or the
# project and read through everything that has ended.
_LIVE = (
    select(Generation.project_id, Generation.credits, visible_to_bound(Generation).label("mine"))
    .where(is_live())
    .cte("live")
    .prefix_with("MATERIALIZED")
)
_IN_FLIGHT = (
    select(_LIVE.c.project_id, func.count(), func.sum(_LIVE.c.credits))
    .where(_LIVE.c.mine, _LIVE.c.project_id.in_(_IDS))
    .group_by(_LIVE.c.project_id)
)


class Sort(StrEnum):
    """In which order projects are listed."""

    ACTIVITY = "activity"
    NAME = "name"
    SPENT = "spent"
    NEWEST = "newest"


@dataclass(frozen=True, slots=True)
class Summary:
    """A project as a list shows it; `cover_keys` are the storage keys of its newest posters, newest first.

    `preview_key` is the small moving picture of the newest, which ended at `last_clip_at`; None without one.
    `spent_credits` was charged in it since its beginning; `month_credits` are what this month's orders have taken,
    reserved or charged, of the budget if there is one; `in_flight_credits` are reserved for what is under way.
    """

    id: str
    name: str
    description: str
    archived_at: datetime | None
    created_at: datetime
    updated_at: datetime
    generation_count: int
    in_flight_count: int
    in_flight_credits: int
    spent_credits: int
    month_credits: int
    monthly_budget_credits: int | None
    budget_stops: bool
    cover_keys: tuple[str, ...]
    preview_key: str | None = None
    last_clip_at: datetime | None = None
    cost_centre: str = ""


def create(session: WriteSession, member: Member, *, name: str, description: str = "") -> Project:
    """Make a project; InvalidRequest for an empty or overlong name, Forbidden for who may not."""
    member.require(Action.EDIT)
    project = Project(
        workspace_id=member.workspace_id, user_id=member.id, name=_name(name), description=_description(description)
    )
    session.add(project)
    session.flush()
    return project


def get(session: ReadSession, member: Member, project_id: str) -> Project:
    """A project of a workspace of theirs; NotFound also when it is in another one."""
    project = session.scalar(_ONE, {"workspace_ids": member.workspace_ids, "project_id": project_id})
    if project is None:
        raise errors.NotFound(_NOT_FOUND)
    return project


def get_held(session: WriteSession, member: Member, project_id: str) -> Project:
    """The same, kept from going to another workspace or away until the transaction ends."""
    project = session.scalar(_ONE_HELD, {"workspace_ids": member.workspace_ids, "project_id": project_id})
    if project is None:
        raise errors.NotFound(_NOT_FOUND)
    return project


def check_visible(session: Reader, member: Member, project_id: str) -> None:
    """Return when a project is in a workspace of theirs; else NotFound."""
    if session.scalar(_ONE_ID, {"workspace_ids": member.workspace_ids, "project_id": project_id}) is None:
        raise errors.NotFound(_NOT_FOUND)


def update(
    session: WriteSession,
    member: Member,
    project_id: str,
    *,
    name: str | None = None,
    description: str | None = None,
    archived: bool | None = None,
    cost_centre: str | None = None,
) -> Project:
    """Rename, describe, archive, bring back, or say what finance charges it to; None leaves a field as it is."""
    project = get(session, member, project_id)
    member.require(Action.EDIT, project.workspace_id)
    if name is not None:
        project.name = _name(name)
        project.name_key = normal_form.normal(project.name)
    if description is not None:
        project.description = _description(description)
    if cost_centre is not None:
        project.cost_centre = _cost_centre(cost_centre)
    is_news = archived is not None and archived is (project.archived_at is None)
    if archived is not None:
        project.archived_at = (project.archived_at or utc_now()) if archived else None
    project.updated_at = utc_now()
    session.flush()
    if is_news:
        _record(session, member, Act.PROJECT_ARCHIVED if archived else Act.PROJECT_RESTORED, project)
    return project


def delete(session: WriteSession, member: Member, project_id: str) -> None:
    """Delete an empty project. One with generations is archived instead: its charges must stay explainable."""
    project = get(session, member, project_id)
    member.require(Action.DELETE, project.workspace_id)
    has_clips = select(Generation.id).where(Generation.project_id == project_id)
    has_charges = select(UsageDay.day).where(UsageDay.project_id == project_id)  # also of clips that were moved away
    if session.scalar(select(or_(has_clips.exists(), has_charges.exists()))):
        raise errors.Conflict(message("project_has_generations"))
    session.delete(project)
    of_project = (Budget.scope == BudgetScope.PROJECT, Budget.subject_id == project_id)
    session.execute(delete_rows(Budget).where(Budget.workspace_id == project.workspace_id, *of_project))
    _record(session, member, Act.PROJECT_DELETED, project)


def _record(session: WriteSession, member: Member, act: Act, project: Project) -> None:
    audit_log.record(
        session, member.user, act, target=project.name, target_id=project.id, workspace_id=project.workspace_id
    )


def list_page(
    session: ReadSession,
    member: Member,
    *,
    search: str = "",
    archived: bool = False,
    sort: Sort = Sort.ACTIVITY,
    after_id: str | None = None,
    limit: int = 200,
) -> Sequence[Summary]:
    """The workspace's projects with what a card says of them, a keyset page at a time.

    `after_id` is the last project of the page before; NotFound when they see none such.
    """
    query = _listed(sort, archived)
    if search.strip():
        query = query.where(Project.name_key.contains(normal_form.normal(search.strip()), autoescape=True))
    if after_id is not None:
        query = query.where(_beyond(sort, get(session, member, after_id)))
    present = months.month_in(session, member.workspace_id, utc_now())
    rows = session.execute(query, {"workspace_id": member.workspace_id, "limit": limit, "month": present}).all()
    ids = [row.id for row in rows]
    posters = _posters(session, member, ids)
    live = _in_flight(session, member, ids)
    return [
        Summary(
            id=row.id,
            name=row.name,
            description=row.description,
            archived_at=row.archived_at,
            created_at=row.created_at,
            updated_at=row.updated_at,
            generation_count=row.generation_count,
            in_flight_count=live.get(row.id, (0, 0))[0],
            in_flight_credits=live.get(row.id, (0, 0))[1],
            spent_credits=row.spent_credits,
            month_credits=row.taken_credits,
            monthly_budget_credits=row.limit_credits,
            budget_stops=row.mode is BudgetMode.STOP,
            cover_keys=tuple(poster.thumbnail_key for poster in posters.get(row.id, ())),
            preview_key=posters[row.id][0].preview_key if row.id in posters else None,
            last_clip_at=posters[row.id][0].ended_at if row.id in posters else None,
            cost_centre=row.cost_centre,
        )
        for row in rows
    ]


def names(session: Reader, member: Member, *, archived: bool = False, limit: int = 200) -> dict[str, str]:
    """Id and name of the workspace's projects, last changed first: `list_page` without what cards say, far cheaper."""
    rows = session.execute(_NAMES[archived], {"workspace_id": member.workspace_id, "limit": limit})
    return {row.id: row.name for row in rows}


def name_of(session: Reader, member: Member, project_id: str) -> str | None:
    """What a project of the workspace is called, archived or not; None for none of it."""
    named: str | None = session.scalar(_NAME, {"workspace_id": member.workspace_id, "project_id": project_id})
    return named


@cache  # to put it together takes as long as to run it
def _listed(sort: Sort, archived: bool) -> Select[*tuple[Any, ...]]:
    """Those of a workspace, sorted; the id decides between equals."""
    found = (
        select(
            Project.id,
            Project.name,
            Project.description,
            Project.archived_at,
            Project.created_at,
            Project.updated_at,
            Project.generation_count,
            Project.spent_credits,
            Budget.limit_credits,
            Budget.mode,
            func.coalesce(BudgetMonth.taken_credits, 0).label("taken_credits"),
            Project.cost_centre,
        )
        .outerjoin(Budget, and_(*_of_project(Budget)))
        .outerjoin(BudgetMonth, and_(*_of_project(BudgetMonth), BudgetMonth.month == bindparam("month")))
        .where(in_bound_workspace(Project))
        .where(Project.archived_at.is_not(None) if archived else Project.archived_at.is_(None))
        .limit(bindparam("limit"))
    )
    column = _COLUMN[sort]
    return found.order_by(column, Project.id) if sort is Sort.NAME else found.order_by(column.desc(), Project.id.desc())


def _of_project(table: type[Budget] | type[BudgetMonth]) -> tuple[ColumnElement[bool], ...]:
    """The row of a project's budget, or of what was counted against it in a month."""
    in_its_workspace = table.workspace_id == Project.workspace_id
    return in_its_workspace, table.scope == BudgetScope.PROJECT, table.subject_id == Project.id


def _beyond(sort: Sort, last: Project) -> ColumnElement[bool]:
    """After the last row of the page before."""
    there, place = tuple_(_COLUMN[sort], Project.id), tuple_(getattr(last, _COLUMN[sort].key), last.id)
    return there > place if sort is Sort.NAME else there < place


_COLUMN: Mapping[Sort, InstrumentedAttribute[Any]] = {
    Sort.ACTIVITY: Project.updated_at,
    Sort.NAME: Project.name_key,
    Sort.SPENT: Project.spent_credits,
    Sort.NEWEST: Project.created_at,
}


def _posters(session: ReadSession, member: Member, ids: Collection[str]) -> Mapping[str, Sequence[Any]]:
    """The newest clips of each project that have a poster."""
    found: dict[str, list[Any]] = {}
    for row in session.execute(_POSTERS, {"workspace_ids": member.workspace_ids, "ids": list(ids)}):
        found.setdefault(row.project_id, []).append(row)
    return found


def _in_flight(session: ReadSession, member: Member, ids: Collection[str]) -> Mapping[str, tuple[int, int]]:
    """Project id -> how many are under way and the credits reserved for them."""
    rows = session.execute(_IN_FLIGHT, {"workspace_ids": member.workspace_ids, "ids": list(ids)})
    return {project_id: (count, int(credits)) for project_id, count, credits in rows}


def _name(value: str) -> str:
    name = " ".join(value.split())
    if not name:
        raise errors.InvalidRequest(fields={"name": message("project_name_missing")})
    if wrong := text_error(name, limit_chars=NAME_LIMIT_CHARS):
        raise errors.InvalidRequest(fields={"name": wrong})
    return name


def _description(value: str) -> str:
    if wrong := text_error(value, limit_chars=DESCRIPTION_LIMIT_CHARS):
        raise errors.InvalidRequest(fields={"description": wrong})
    return value.strip()


def _cost_centre(value: str) -> str:
    cost_centre = " ".join(value.split())
    if wrong := text_error(cost_centre, limit_chars=COST_CENTRE_LIMIT_CHARS):
        raise errors.InvalidRequest(fields={"costCentre": wrong})
    return cost_centre
