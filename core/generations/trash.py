"""Deleted clips that can still be brought back, for as many days as the installation keeps them."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, or_, select, tuple_

from core import audit_log, db, errors
from core.audit_log import Act
from core.db import ReadSession, WriteSession, update_where
from core.db.tables import Generation, Project
from core.generations.queries import NOT_FOUND
from core.messages import message
from core.workspaces.access import Member, in_workspace, visible_to
from core.workspaces.permissions import Action


def page(
    session: ReadSession, member: Member, *, days: int, before_id: str | None = None, limit: int = 24
) -> Sequence[Generation]:
    """Deleted clips of the workspace that can be brought back, newest deletion first; for who may delete there.

    NotFound when `before_id` is not among them.
    """
    member.require(Action.DELETE)
    query = select(Generation).where(in_workspace(Generation, member), *_can_return(session, days))
    if before_id is not None:
        last = session.scalar(query.where(Generation.id == before_id))
        if last is None:
            raise errors.NotFound(NOT_FOUND)
        query = query.where(tuple_(Generation.deleted_at, Generation.id) < tuple_(last.deleted_at, last.id))
    return session.scalars(query.order_by(Generation.deleted_at.desc(), Generation.id.desc()).limit(limit)).all()


def gone_at(row: Generation, *, days: int) -> datetime:
    """When the files of a deleted clip go for good."""
    assert row.deleted_at is not None, "it is in the trash"  # noqa: S101 -- for the type checker
    return row.deleted_at + timedelta(days=days)


def bring_back(session: WriteSession, member: Member, ids: Collection[str], *, days: int) -> int:
    """Take clips out of the trash again; how many. Their time here begins anew.

    NotFound when one is not theirs or is gone for good, Forbidden where they may not delete, Conflict for one that was
    not deleted.
    """
    wanted = set(ids)
    if len(wanted) > _MAX:
        raise errors.InvalidRequest(fields={"ids": message("too_many_at_once", limit=_MAX)})
    can_return = or_(Generation.deleted_at.is_(None), and_(*_can_return(session, days)))
    query = select(Generation).where(visible_to(Generation, member), Generation.id.in_(wanted), can_return)
    rows = session.scalars(
        query.order_by(Generation.id).with_for_update().execution_options(populate_existing=True)
    ).all()
    if len(rows) != len(wanted):
        raise errors.NotFound(NOT_FOUND)
    for workspace_id in {row.workspace_id for row in rows}:
        member.require(Action.DELETE, workspace_id)
    if any(row.deleted_at is None for row in rows):
        raise errors.Conflict(message("not_in_trash"))
    now = db.now(session)
    update_where(session, Generation, Generation.id.in_(wanted), deleted_at=None, leaves_at=None, retained_since=now)
    for row in rows:
        count = Project.generation_count + 1
        update_where(session, Project, Project.id == row.project_id, generation_count=count)
        audit_log.record(
            session,
            member.user,
            Act.CLIP_BROUGHT_BACK,
            target=row.model_name,
            target_id=row.id,
            workspace_id=row.workspace_id,
        )
    return len(rows)


_MAX = 200


def _can_return(session: ReadSession, days: int) -> Sequence[ColumnElement[bool]]:
    """Deleted not too long ago; whoever removes files goes by the same moment and takes none that is younger."""
    return (
        Generation.deleted_at > db.now(session) - timedelta(days=days),
        Generation.purged_at.is_(None),
    )
