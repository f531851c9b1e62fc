"""The workspaces that a person can work in: as they choose between them, and the one that a link leads to."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, select

from core.db import Reader, ReadSession
from core.db.enums import WorkspaceRole
from core.db.tables import Generation, Project, Workspace
from core.workspaces.access import Member, visible_to

_NAMES = (
    select(Workspace.id, Workspace.name)
    .where(Workspace.id.in_(bindparam("workspace_ids", expanding=True)))
    .order_by(Workspace.name_key, Workspace.id)
)


@dataclass(frozen=True, slots=True)
class Choice:
    """A workspace and what the person is in it; `is_own` marks their personal one."""

    id: str
    name: str
    role: WorkspaceRole
    is_own: bool


def list_choices(session: Reader, member: Member) -> Sequence[Choice]:
    """Every workspace in a person's reach: their personal one first, then the others by name."""
    rows = session.execute(_NAMES, {"workspace_ids": member.workspace_ids})
    found = [Choice(row.id, row.name, member.roles[row.id], row.id == member.id) for row in rows]
    return sorted(found, key=lambda choice: not choice.is_own)


def workspace_of_link(
    session: ReadSession, member: Member, *, clip_id: str | None, project_id: str | None
) -> str | None:
    """The workspace of a clip, else of a project, that an address names; None where it is in none of theirs."""
    for table, row_id in ((Generation, clip_id), (Project, project_id)):
        if row_id is not None:
            return session.scalar(select(table.workspace_id).where(table.id == row_id, visible_to(table, member)))
    return None
