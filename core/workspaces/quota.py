"""How much a workspace keeps, counted against its quota."""

from sqlalchemy import bindparam, select, true

from core import errors
from core.db import ReadSession, WriteSession, update_where
from core.db.tables import Workspace
from core.notices import causes

_USED = select(Workspace.storage_bytes).where(Workspace.id == bindparam("workspace_id"))


def used_bytes(session: ReadSession, workspace_id: str) -> int:
    """How much a workspace keeps, as of now."""
    return session.scalar(_USED, {"workspace_id": workspace_id}) or 0


def reserve(session: WriteSession, workspace_id: str, *, size_bytes: int, quota_bytes: int | None) -> None:
    """Count bytes against a workspace's quota; StorageFull when they do not fit. `quota_bytes` None: no limit.

    A clip that was paid for is counted but never refused.
    """
    fits = true() if quota_bytes is None else Workspace.storage_bytes + size_bytes <= quota_bytes
    counted = update_where(
        session, Workspace, Workspace.id == workspace_id, fits, storage_bytes=Workspace.storage_bytes + size_bytes
    )
    if counted != 1:
        raise errors.StorageFull
    used = used_bytes(session, workspace_id)
    causes.storage_grew(session, workspace_id, before_bytes=used - size_bytes, after_bytes=used)


def free(session: WriteSession, workspace_id: str, *, size_bytes: int) -> None:
    """Give bytes back to a workspace's quota."""
    update_where(session, Workspace, Workspace.id == workspace_id, storage_bytes=Workspace.storage_bytes - size_bytes)
