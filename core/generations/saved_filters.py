"""Filters of the library under a name: kept by their person, shared with the workspace if they like."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import exists, select

from core import errors
from core.catalog import in_force
from core.db import Reader, ReadSession, WriteSession
from core.db.tables import Generation, GenerationTag, SavedFilter
from core.generations.filters import KeptFilter
from core.generations.list_filter import canonical_tag
from core.messages import Message, message
from core.projects import projects
from core.workspaces.access import Member, in_workspace, visible_to
from core.workspaces.named import FILTERS
from core.workspaces.permissions import Action


@dataclass(frozen=True, slots=True)
class Opened:
    """A saved filter as it can be used today. What it names that is no longer there is left out and told in `gone`."""

    kept: KeptFilter
    gone: tuple[Message, ...] = ()


def list_visible(session: ReadSession, member: Member) -> Sequence[SavedFilter]:
    """A person's own filters in the workspace by name, then those that others share there, by name."""
    return FILTERS.list_visible(session, member)


def get(session: ReadSession, member: Member, filter_id: str) -> SavedFilter:
    """A filter that the person may use: their own or a shared one of a workspace in reach; else NotFound."""
    return FILTERS.get(session, member, filter_id)


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
    name = FILTERS.new_name(session, member, name)
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
    row = FILTERS.own(session, member, filter_id)
    there = member.moved_to(row.workspace_id)
    there.require(Action.EDIT if shared else Action.SEE)
    if kept is not None:
        _check(session, there, kept)
        row.asked = kept.to_json()
    if name is not None:
        FILTERS.rename(session, member, row, name)
    if shared is not None:
        row.shared = shared
    session.flush()
    return row


def delete(session: WriteSession, member: Member, filter_id: str) -> None:
    """Forget a filter; NotFound unless it is the person's own."""
    session.delete(FILTERS.own(session, member, filter_id))
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
