"""Projects: folders of generations, each of one person."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from core import errors
from core.models import Generation, Project, UsageDay, User, is_live, utc_now
from core.ownership import owned
from core.text import problem

NAME_LIMIT_CHARS = 120
DESCRIPTION_LIMIT_CHARS = 2000


@dataclass(frozen=True, slots=True)
class Summary:
    """A project as a list shows it; `cover_key` is the storage key of its newest poster."""

    id: str
    name: str
    description: str
    archived_at: datetime | None
    created_at: datetime
    updated_at: datetime
    generation_count: int
    in_flight_count: int
    cover_key: str | None


def create(session: Session, user: User, *, name: str, description: str = "") -> Project:
    """Make a project; InvalidRequest for an empty or overlong name."""
    project = Project(user_id=user.id, name=_name(name), description=_description(description))
    session.add(project)
    session.flush()
    return project


def get(session: Session, user: User, project_id: str) -> Project:
    """A person's own project; NotFound also when it is somebody else's."""
    project = session.scalar(select(Project).where(Project.id == project_id, owned(Project, user)))
    if project is None:
        raise errors.NotFound("This project does not exist, or it is not yours.")
    return project


def change(
    session: Session,
    user: User,
    project_id: str,
    *,
    name: str | None = None,
    description: str | None = None,
    archived: bool | None = None,
) -> Project:
    """Rename, describe, archive or bring back; None leaves a field as it is."""
    project = get(session, user, project_id)
    if name is not None:
        project.name = _name(name)
    if description is not None:
        project.description = _description(description)
    if archived is not None:
        project.archived_at = (project.archived_at or utc_now()) if archived else None
    project.updated_at = utc_now()
    session.flush()
    return project


def delete(session: Session, user: User, project_id: str) -> None:
    """Delete an empty project. One with generations is archived instead: its charges must stay explainable."""
    project = get(session, user, project_id)
    has_clips = select(Generation.id).where(Generation.project_id == project_id)
    has_charges = select(UsageDay.day).where(UsageDay.project_id == project_id)  # also of clips that were moved away
    if session.scalar(select(or_(has_clips.exists(), has_charges.exists()))):
        raise errors.Conflict("This project has generations, so its charges must stay on record. Archive it instead.")
    session.delete(project)
    session.flush()


def browse(
    session: Session, user: User, *, search: str = "", archived: bool = False, limit: int = 200
) -> Sequence[Summary]:
    """A person's projects, last changed first, with counts and cover."""
    in_flight = (
        select(Generation.project_id, func.count().label("live"))
        .where(owned(Generation, user), is_live())
        .group_by(Generation.project_id)
        .subquery()
    )
    cover = (
        select(Generation.thumbnail_key)
        .where(
            Generation.project_id == Project.id,
            Generation.thumbnail_key.is_not(None),
            Generation.deleted_at.is_(None),
        )
        .order_by(Generation.id.desc())
        .limit(1)
        .correlate(Project)
        .scalar_subquery()
    )
    query = (
        select(Project, func.coalesce(in_flight.c.live, 0), cover)
        .outerjoin(in_flight, in_flight.c.project_id == Project.id)
        .where(owned(Project, user))
    )
    query = query.where(Project.archived_at.is_not(None) if archived else Project.archived_at.is_(None))
    if search.strip():
        query = query.where(Project.name.icontains(search.strip(), autoescape=True))
    rows = session.execute(query.order_by(Project.updated_at.desc(), Project.id.desc()).limit(limit)).all()
    return [
        Summary(p.id, p.name, p.description, p.archived_at, p.created_at, p.updated_at, p.generation_count, live, key)
        for p, live, key in rows
    ]


def _name(value: str) -> str:
    name = " ".join(value.split())
    if not name:
        raise errors.InvalidRequest(fields={"name": "Give the project a name."})
    if wrong := problem(name, limit_chars=NAME_LIMIT_CHARS):
        raise errors.InvalidRequest(fields={"name": wrong})
    return name


def _description(value: str) -> str:
    if wrong := problem(value, limit_chars=DESCRIPTION_LIMIT_CHARS):
        raise errors.InvalidRequest(fields={"description": wrong})
    return value.strip()
