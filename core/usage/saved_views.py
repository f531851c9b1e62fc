"""Views of the usage explorer under a name: kept by their person, shared with the workspace if they like."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, func, or_, select

from core import errors, normal_form, validation
from core.db import ReadSession, WriteSession
from core.db.tables import UsageView
from core.messages import message
from core.usage.views import View, Whose
from core.workspaces.access import Member, in_workspace, visible_to
from core.workspaces.permissions import Action

NAME_LIMIT_CHARS = 80
MAX_VIEWS = 100
"""How many one person can keep in a workspace."""

SHARED_LIMIT = 200
"""How many of other people's a list shows."""


def list_visible(session: ReadSession, member: Member) -> Sequence[UsageView]:
    """A person's own views in the workspace by name, then those that others share there, by name."""
    own = select(UsageView).where(*_own_here(member)).order_by(UsageView.name)
    others = (
        select(UsageView)
        .where(in_workspace(UsageView, member), UsageView.shared.is_(True), UsageView.user_id != member.id)
        .order_by(UsageView.name, UsageView.id)
        .limit(SHARED_LIMIT)
    )
    return [*session.scalars(own), *session.scalars(others)]


def get(session: ReadSession, member: Member, view_id: str) -> UsageView:
    """A view that the person may use: their own or a shared one of a workspace in reach; else NotFound.

    What it shows is read with the rights of who opens it.
    """
    may_use = or_(UsageView.user_id == member.id, UsageView.shared.is_(True))
    found = session.scalar(select(UsageView).where(UsageView.id == view_id, visible_to(UsageView, member), may_use))
    if found is None:
        raise errors.NotFound(message("usage_view_not_found"))
    return found


def create(session: WriteSession, member: Member, *, name: str, view: View, shared: bool = False) -> UsageView:
    """Keep a view under a new name in the present workspace.

    Who only looks may keep views of their own; sharing is for who may edit. InvalidRequest for an empty or overlong
    name, or too many; Conflict for a name the person has used; Forbidden for everybody's figures that they do not see.
    """
    member.require(Action.EDIT if shared else Action.SEE)
    _check(member, view)
    name = _free_name(session, member, name, own_id="")
    count = session.scalar(select(func.count()).select_from(UsageView).where(*_own_here(member))) or 0
    if count >= MAX_VIEWS:
        raise errors.InvalidRequest(fields={"name": message("too_many_usage_views", limit=MAX_VIEWS)})
    row = UsageView(workspace_id=member.workspace_id, user_id=member.id, name=name, shared=shared, asked=view.to_json())
    session.add(row)
    session.flush()
    return row


def update(
    session: WriteSession,
    member: Member,
    view_id: str,
    *,
    name: str | None = None,
    shared: bool | None = None,
    view: View | None = None,
) -> UsageView:
    """Rename, share, or keep another view under the name; None leaves it. NotFound unless it is the person's own."""
    row = _own(session, member, view_id)
    there = member.moved_to(row.workspace_id)
    there.require(Action.EDIT if shared else Action.SEE)
    if view is not None:
        _check(member, view)
        row.asked = view.to_json()
    if name is not None and name.strip() != row.name:
        row.name = _free_name(session, there, name, own_id=row.id)
    if shared is not None:
        row.shared = shared
    session.flush()
    return row


def delete(session: WriteSession, member: Member, view_id: str) -> None:
    """Forget a view; NotFound unless it is the person's own."""
    session.delete(_own(session, member, view_id))
    session.flush()


def _check(member: Member, view: View) -> None:
    if view.whose is Whose.ALL:
        member.require(Action.SEE_ALL_USAGE)


def _own(session: ReadSession, member: Member, view_id: str) -> UsageView:
    query = select(UsageView).where(
        UsageView.id == view_id, visible_to(UsageView, member), UsageView.user_id == member.id
    )
    row = session.scalar(query)
    if row is None:
        raise errors.NotFound(message("usage_view_not_found"))
    return row


def _own_here(member: Member) -> tuple[ColumnElement[bool], ...]:
    return in_workspace(UsageView, member), UsageView.user_id == member.id


def _free_name(session: ReadSession, member: Member, name: str, *, own_id: str) -> str:
    name = name.strip()
    if not name:
        raise errors.InvalidRequest(fields={"name": message("usage_view_name_missing")})
    if wrong := validation.text_error(name, limit_chars=NAME_LIMIT_CHARS):
        raise errors.InvalidRequest(fields={"name": wrong})
    taken = session.scalars(select(UsageView.name).where(*_own_here(member), UsageView.id != own_id))
    if normal_form.normal(name) in map(normal_form.normal, taken):
        raise errors.Conflict(message("usage_view_name_taken", name=name))
    return name
