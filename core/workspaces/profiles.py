"""What people and workspaces are called wherever things of several stand together; one indexed look a page.

A name is the same wherever it is met: what it is told apart by never depends on what stands beside it.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import BindParameter, ColumnElement, String, bindparam, case, cast, exists, func, select
from sqlalchemy.orm import aliased

from core.db import Reader
from core.db.enums import WorkspaceKind
from core.db.tables import Generation, User, Workspace
from core.workspaces.access import Member

_AT_ONCE = 500
"""So many ids a statement: databases limit their parameters."""


@dataclass(frozen=True, slots=True)
class Profile:
    """A person as others see them: `name` is their address where they have none or several have the same."""

    id: str
    name: str
    email: str


def person_name(person: type[User]) -> ColumnElement[str]:
    """What the person of a row is called; `person` is the table `users` of a statement, or an alias of it."""
    namesake = aliased(User)
    is_shared = exists().where(namesake.name == person.name, namesake.id != person.id).correlate(person)
    return case((person.name == "", person.email), (is_shared, person.email), else_=person.name)


def workspace_name(workspace: type[Workspace]) -> ColumnElement[str]:
    """What the workspace of a row is called: a personal one as its person, the second team of a name `Lakes (2)`.

    `workspace` is the table `workspaces` of a statement, or an alias of it.
    """
    older, owner = aliased(Workspace), aliased(User)
    place = (
        select(func.count() + 1)
        .where(older.name_key == workspace.name_key, older.id < workspace.id, older.kind == WorkspaceKind.TEAM)
        .correlate(workspace)
        .scalar_subquery()
    )
    of_owner = select(person_name(owner)).where(owner.id == workspace.id).correlate(workspace).scalar_subquery()
    return case(
        (workspace.kind == WorkspaceKind.PERSONAL, func.coalesce(of_owner, workspace.name)),
        (place > 1, workspace.name + " (" + cast(place, String) + ")"),
        else_=workspace.name,
    )


_IDS: BindParameter[str] = bindparam("ids", expanding=True)
_PEOPLE = select(User.id, person_name(User).label("name"), User.email).where(User.id.in_(_IDS))
_WORKSPACES = select(Workspace.id, workspace_name(Workspace).label("name")).where(Workspace.id.in_(_IDS))


def people(session: Reader, ids: Collection[str]) -> Mapping[str, Profile]:
    """Id -> profile of these people."""
    found: dict[str, Profile] = {}
    for some in _in_parts(ids):
        found |= {row.id: Profile(*row) for row in session.execute(_PEOPLE, {"ids": some})}
    return found


def workspace_names(session: Reader, ids: Collection[str]) -> Mapping[str, str]:
    """Id -> what a workspace is called."""
    found: dict[str, str] = {}
    for some in _in_parts(ids):
        found |= {row.id: row.name for row in session.execute(_WORKSPACES, {"ids": some})}
    return found


def _in_parts(ids: Collection[str]) -> list[list[str]]:
    wanted = list(dict.fromkeys(ids))
    return [wanted[at : at + _AT_ONCE] for at in range(0, len(wanted), _AT_ONCE)]


# The index of makers is leapt through, from one person to the next: how much each has made does not matter.
_FIRST = (
    select(func.min(Generation.user_id)).where(Generation.workspace_id == Workspace.id).correlate(Workspace)
).scalar_subquery()
_LEAPT = select(Workspace.id.label("workspace_id"), _FIRST.label("user_id")).where(Workspace.id.in_(_IDS))
_MAKERS = _LEAPT.cte("makers", recursive=True)
_NEXT = (
    select(func.min(Generation.user_id))
    .where(Generation.workspace_id == _MAKERS.c.workspace_id, Generation.user_id > _MAKERS.c.user_id)
    .correlate(_MAKERS)
).scalar_subquery()
_MAKERS = _MAKERS.union_all(select(_MAKERS.c.workspace_id, _NEXT).where(_MAKERS.c.user_id.is_not(None)))
_WHO_MADE = (
    select(User.id, person_name(User).label("name"), User.email)
    .where(User.id.in_(select(_MAKERS.c.user_id).where(_MAKERS.c.user_id.is_not(None))))
    .order_by(User.name, User.id)
)


def makers(session: Reader, member: Member, *, everywhere: bool) -> Mapping[str, Profile]:
    """Id -> profile of everybody who made something in the present workspace, or in all of theirs, by name."""
    ids = list(member.workspace_ids) if everywhere else [member.workspace_id]
    return {row.id: Profile(*row) for row in session.execute(_WHO_MADE, {"ids": ids})}
