"""What a movement of credits was for, as finance reads it: project, model, prompt and person of its clip."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import func, select

from core.db import ReadSession
from core.db.tables import Generation, Project, User
from core.workspaces.access import Member, visible_to

PROMPT_CHARS = 200
"""A statement tells clips apart; the whole prompt stands with the clip."""

_AT_ONCE = 500
"""So many ids a statement: databases limit their parameters."""


@dataclass(frozen=True, slots=True)
class ClipLine:
    """A clip in a statement; the project is the one that it is charged in, the prompt its first `PROMPT_CHARS`."""

    project: str
    model: str
    prompt: str
    person: str


def clip_lines(session: ReadSession, member: Member, generation_ids: Iterable[str | None]) -> Mapping[str, ClipLine]:
    """Generation id -> its line; ids that are not the person's are left out, and so is None."""
    wanted = list(dict.fromkeys(filter(None, generation_ids)))
    query = (
        select(
            Generation.id,
            Project.name,
            Generation.model_name,
            func.substr(Generation.prompt, 1, PROMPT_CHARS).label("prompt"),
            func.coalesce(func.nullif(User.name, ""), User.email).label("person"),
        )
        .join(Project, Project.id == func.coalesce(Generation.charged_project_id, Generation.project_id))
        .join(User, User.id == Generation.user_id)
        .where(visible_to(Generation, member))
    )
    found = {}
    for place in range(0, len(wanted), _AT_ONCE):
        for row in session.execute(query.where(Generation.id.in_(wanted[place : place + _AT_ONCE]))):
            found[row.id] = ClipLine(row.name, row.model_name, row.prompt, row.person)
    return found
