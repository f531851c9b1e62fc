"""What a movement of credits was for, as finance reads it: its clip, or the workspace at the other end."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import BindParameter, bindparam, func, select
from sqlalchemy.orm import aliased

from core.db import ReadSession
from core.db.enums import EntryKind
from core.db.tables import Account, Generation, LedgerEntry, Project, User, Workspace
from core.workspaces import profiles
from core.workspaces.access import Member, visible_to_bound

PROMPT_CHARS = 200
"""A statement tells clips apart; the whole prompt stands with the clip."""

_AT_ONCE = 500
"""So many ids a statement: databases limit their parameters."""


_IDS: BindParameter[str] = bindparam("ids", expanding=True)
_owner = aliased(User)
_LINES = (
    select(
        Generation.id,
        Project.name,
        Generation.model_name,
        func.substr(Generation.prompt, 1, PROMPT_CHARS).label("prompt"),
        profiles.person_name(User).label("person"),
        profiles.workspace_name(Workspace).label("workspace"),
        profiles.person_name(_owner).label("owner"),
    )
    .join(Project, Project.id == func.coalesce(Generation.charged_project_id, Generation.project_id))
    .join(User, User.id == Generation.user_id)
    .join(Workspace, Workspace.id == Project.workspace_id)
    .join(_owner, _owner.id == Project.user_id)
    .where(visible_to_bound(Generation), Generation.id.in_(_IDS))
)


@dataclass(frozen=True, slots=True)
class ClipLine:
    """A clip in a statement; the project is the one that it is charged in, the prompt its first `PROMPT_CHARS`.

    `person` has made it; `workspace` and `owner` are the project's, and tell it from others of its name.
    """

    project: str
    model: str
    prompt: str
    person: str
    workspace: str
    owner: str


def clip_lines(session: ReadSession, member: Member, generation_ids: Iterable[str | None]) -> Mapping[str, ClipLine]:
    """Generation id -> its line; ids that the person does not see are left out, and so is None."""
    wanted = list(dict.fromkeys(filter(None, generation_ids)))
    found = {}
    for place in range(0, len(wanted), _AT_ONCE):
        some = {"workspace_ids": member.workspace_ids, "ids": wanted[place : place + _AT_ONCE]}
        for row in session.execute(_LINES, some):
            found[row.id] = ClipLine(row.name, row.model_name, row.prompt, row.person, row.workspace, row.owner)
    return found


_OTHER_SIDES = (
    select(LedgerEntry.key, profiles.workspace_name(Workspace))
    .join(Account, Account.id == LedgerEntry.account_id)
    .join(Workspace, Workspace.id == Account.workspace_id)
)


def other_sides(session: ReadSession, entries: Sequence[LedgerEntry]) -> Mapping[int, str]:
    """Id of a transfer's entry -> the workspace that its credits came from or went to; other entries have none."""
    keys = {entry.id: _other_key(entry.key) for entry in entries if entry.kind is EntryKind.TRANSFER}
    names: dict[str, str] = {}
    wanted = list(keys.values())
    for place in range(0, len(wanted), _AT_ONCE):
        rows = session.execute(_OTHER_SIDES.where(LedgerEntry.key.in_(wanted[place : place + _AT_ONCE])))
        names.update((key, name) for key, name in rows)
    return {entry_id: names[key] for entry_id, key in keys.items() if key in names}


def _other_key(key: str) -> str:
    """The two rows of a transfer are `…:out` and `…:in`."""
    stem, _, side = key.rpartition(":")
    return f"{stem}:{'in' if side == 'out' else 'out'}"
