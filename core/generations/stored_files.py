"""Whose a stored file is, by its key, for those who follow a link to it."""

from sqlalchemy import select

from core.db import Reader
from core.db.tables import BulkJob, Generation, Upload, Workspace, WorkspaceMember


def is_of_deleted(session: Reader, key: str) -> bool:
    """Whether a stored file belongs to a clip that was deleted; the keys of a clip's files begin with its id."""
    folder, _, rest = key.partition("/")
    if folder != "videos":
        return False
    deleted = select(Generation.id).where(Generation.id == rest.partition("/")[0], Generation.deleted_at.is_not(None))
    return session.scalar(deleted) is not None


def is_in_reach(session: Reader, user_id: str, key: str) -> bool:
    """Whether a stored file is a clip, or an asset, of a workspace that this person is in.

    What somebody has had packed is theirs alone, as long as they are in that workspace.
    """
    folder, _, rest = key.partition("/")
    if folder == "videos":
        where = select(Generation.workspace_id).where(Generation.id == rest.partition("/")[0])
    elif folder == "exports":
        job = BulkJob.id == rest.partition("/")[0]
        where = select(BulkJob.workspace_id).where(job, BulkJob.user_id == user_id)
    else:
        of_still = key.removesuffix(".webp") + ".mp4"  # the still picture of a video lies beside it
        where = select(Upload.workspace_id).where(Upload.storage_key.in_((key, of_still)))
    theirs = (
        select(WorkspaceMember.workspace_id)
        .join(Workspace, Workspace.id == WorkspaceMember.workspace_id)
        .where(
            WorkspaceMember.user_id == user_id, WorkspaceMember.workspace_id.in_(where), Workspace.archived_at.is_(None)
        )
    )
    return session.scalars(theirs.limit(1)).first() is not None
