"""Filters of the library under a name: kept by their person, shared with the workspace if they like."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, bindparam, exists, func, literal_column, or_, select

from core import errors, normal_form, validation
from core.catalog import in_force
from core.db import Reader, ReadSession, WriteSession
from core.db.tables import Generation, GenerationTag, SavedFilter
from core.generations.filters import KeptFilter
from core.generations.list_filter import canonical_tag
from core.messages import Message, message
from core.projects import projects
from core.workspaces.access import Member, in_bound_workspace, in_workspace, visible_to
from core.workspaces.permissions import Action

NAME_LIMIT_CHARS = 80
MAX_FILTERS = 100
"""How many one person can keep in a workspace."""

SHARED_LIMIT = 200
"""How many of other people's a list shows."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A saved filter as it can be used today. What it names that is no longer there is left out and told in `gone`."""

    kept: KeptFilter
    gone: tuple[Message, ...] = ()


def list_visible(session: ReadSession, member: Member) -> Sequence[SavedFilter]:
    """A person's own filters in the workspace by name, then those that others share there, by name."""
    who = {"workspace_id": member.workspace_id, "user_id": member.id}
    return [*session.scalars(_OWN, who), *session.scalars(_OF_OTHERS, who)]


def get(session: ReadSession, member: Member, filter_id: str) -> SavedFilter:
    """A filter that the person may use: their own or a shared one of a workspace in reach; else NotFound."""
    found = session.scalar(
        select(SavedFilter).where(
            SavedFilter.id == filter_id,
            visible_to(SavedFilter, member),
            or_(SavedFilter.user_id == member.id, _shared()),
        )
    )
    if found is None:
        raise errors.NotFound(message("saved_filter_not_found"))
    return found


def open_it(session: ReadSession, member: Member, filter_id: str) -> Opened:
    """A filter to look through. What was deleted since, or is out of this person's reach, is left out and told.

    NotFound as `get`.
    """
    row = get(session, member, filter_id)
    kept = KeptFilter.from_json(row.asked)
    asked, gone = kept.filter, list[Message]()
    there = member.moved_to(row.workspace_id)
    if asked.project_id is not None and not _sees_project(session, member, asked.project_id):
        asked, gone = replace(asked, project_id=None), [*gone, message("filter_project_gone")]
    if asked.tag is not None and not _is_used(session, there, asked.tag, everywhere=asked.everywhere):
        gone.append(message("filter_tag_gone", tag=asked.tag))
        asked = replace(asked, tag=None)
    if asked.maker_id is not None and not _is_maker(session, there, asked.maker_id, everywhere=asked.everywhere):
        asked, gone = replace(asked, maker_id=None), [*gone, message("filter_maker_gone")]
    if asked.model_id is not None and in_force.find_model(asked.model_id) is None:
        gone.append(message("filter_model_gone", model_id=asked.model_id))
        asked = replace(asked, model_id=None)
    return Opened(replace(kept, filter=asked), tuple(gone))


def create(session: WriteSession, member: Member, *, name: str, kept: KeptFilter, shared: bool = False) -> SavedFilter:
    """Keep a filter under a new name in the present workspace.

    Who only looks may keep filters of their own; sharing is for who may edit. InvalidRequest for an empty or overlong
    name, or too many; Conflict for a name the person has used; NotFound for a project they do not see.
    """
    member.require(Action.EDIT if shared else Action.SEE)
    _check(session, member, kept)
    name = _free_name(session, member, name, own_id="")
    count = session.scalar(select(func.count()).select_from(SavedFilter).where(*_own_here(member))) or 0
    if count >= MAX_FILTERS:
        raise errors.InvalidRequest(fields={"name": message("too_many_saved_filters", limit=MAX_FILTERS)})
    row = SavedFilter(
        workspace_id=member.workspace_id, user_id=member.id, name=name, shared=shared, asked=kept.to_json()
    )
    session.add(row)
    session.flush()
    return row


def update(
    session: WriteSession,
    member: Member,
    filter_id: str,
    *,
    name: str | None = None,
    shared: bool | None = None,
    kept: KeptFilter | None = None,
) -> SavedFilter:
    """Rename, share, or keep another filter under the name; None leaves it. NotFound unless it is the person's own."""
    row = _own(session, member, filter_id)
    there = member.moved_to(row.workspace_id)
    there.require(Action.EDIT if shared else Action.SEE)
    if kept is not None:
        _check(session, there, kept)
        row.asked = kept.to_json()
    if name is not None and name.strip() != row.name:
        row.name = _free_name(session, there, name, own_id=row.id)
    if shared is not None:
        row.shared = shared
    session.flush()
    return row


def delete(session: WriteSession, member: Member, filter_id: str) -> None:
    """Forget a filter; NotFound unless it is the person's own."""
    session.delete(_own(session, member, filter_id))
    session.flush()


def _check(session: ReadSession, member: Member, kept: KeptFilter) -> None:
    if kept.filter.project_id is not None:
        projects.check_visible(session, member, kept.filter.project_id)


def _sees_project(session: Reader, member: Member, project_id: str) -> bool:
    try:
        projects.check_visible(session, member, project_id)
    except errors.NotFound:
        return False
    return True


def _is_used(session: Reader, member: Member, tag: str, *, everywhere: bool) -> bool:
    where = visible_to(GenerationTag, member) if everywhere else in_workspace(GenerationTag, member)
    used = exists().where(where, GenerationTag.tag == canonical_tag(tag))
    return session.execute(select(used)).scalar() is True


def _is_maker(session: Reader, member: Member, user_id: str, *, everywhere: bool) -> bool:
    """The person themselves also before their first clip."""
    if user_id == member.id:
        return True
    ids = member.workspace_ids if everywhere else (member.workspace_id,)
    made = exists().where(Generation.workspace_id.in_(ids), Generation.user_id == user_id)
    return session.execute(select(made)).scalar() is True


def _own(session: ReadSession, member: Member, filter_id: str) -> SavedFilter:
    row = session.scalar(
        select(SavedFilter).where(
            SavedFilter.id == filter_id, visible_to(SavedFilter, member), SavedFilter.user_id == member.id
        )
    )
    if row is None:
        raise errors.NotFound(message("saved_filter_not_found"))
    return row


def _own_here(member: Member) -> tuple[ColumnElement[bool], ...]:
    return in_workspace(SavedFilter, member), SavedFilter.user_id == member.id


def _shared() -> Any:
    """Shared with the workspace; a literal, because SQLite uses a partial index only for the very same words."""
    return literal_column("saved_filters.shared")


_OWN = (
    select(SavedFilter)
    .where(in_bound_workspace(SavedFilter), SavedFilter.user_id == bindparam("user_id"))
    .order_by(SavedFilter.name)
)
_OF_OTHERS = (
    select(SavedFilter)
    .where(_shared(), in_bound_workspace(SavedFilter), SavedFilter.user_id != bindparam("user_id"))
    .order_by(SavedFilter.name, SavedFilter.id)
    .limit(SHARED_LIMIT)
)


def _free_name(session: ReadSession, member: Member, name: str, *, own_id: str) -> str:
    name = name.strip()
    if not name:
        raise errors.InvalidRequest(fields={"name": message("saved_filter_name_missing")})
    if wrong := validation.text_error(name, limit_chars=NAME_LIMIT_CHARS):
        raise errors.InvalidRequest(fields={"name": wrong})
    taken = session.scalars(select(SavedFilter.name).where(*_own_here(member), SavedFilter.id != own_id))
    if normal_form.normal(name) in map(normal_form.normal, taken):
        raise errors.Conflict(message("saved_filter_name_taken", name=name))
    return name
