"""Views of the usage explorer under a name: kept by their person, shared with the workspace if they like."""

from collections.abc import Sequence

from core.db import ReadSession, WriteSession
from core.db.tables import UsageView
from core.usage.views import View, Whose
from core.workspaces.access import Member
from core.workspaces.named import VIEWS
from core.workspaces.permissions import Action


def list_visible(session: ReadSession, member: Member) -> Sequence[UsageView]:
    """A person's own views in the workspace by name, then those that others share there, by name."""
    return VIEWS.list_visible(session, member)


def get(session: ReadSession, member: Member, view_id: str) -> UsageView:
    """A view that the person may use: their own or a shared one of a workspace in reach; else NotFound.

    What it shows is read with the rights of who opens it.
    """
    return VIEWS.get(session, member, view_id)


def create(session: WriteSession, member: Member, *, name: str, view: View, shared: bool = False) -> UsageView:
    """Keep a view under a new name in the present workspace.

    Who only looks may keep views of their own; sharing is for who may edit. InvalidRequest for an empty or overlong
    name, or too many; Conflict for a name the person has used; Forbidden for everybody's figures that they do not see.
    """
    member.require(Action.EDIT if shared else Action.SEE)
    _check(member, view)
    name = VIEWS.new_name(session, member, name)
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
    row = VIEWS.own(session, member, view_id)
    there = member.moved_to(row.workspace_id)
    there.require(Action.EDIT if shared else Action.SEE)
    if view is not None:
        _check(member, view)
        row.asked = view.to_json()
    if name is not None:
        VIEWS.rename(session, member, row, name)
    if shared is not None:
        row.shared = shared
    session.flush()
    return row


def delete(session: WriteSession, member: Member, view_id: str) -> None:
    """Forget a view; NotFound unless it is the person's own."""
    session.delete(VIEWS.own(session, member, view_id))
    session.flush()


def _check(member: Member, view: View) -> None:
    if view.whose is Whose.ALL:
        member.require(Action.SEE_ALL_USAGE)
