"""Who may still be told of a notice: asked when it is read and once more when it is sent."""

from sqlalchemy import ColumnElement, and_, exists, or_

from core.db.enums import NoticeAudience, Role
from core.db.tables import Notice, User, Workspace, WorkspaceMember


def may_be_told() -> ColumnElement[bool]:
    """Its person is active, and still in its workspace or still an administrator where it is for those."""
    is_inside = exists().where(
        WorkspaceMember.workspace_id == Notice.workspace_id,
        WorkspaceMember.user_id == Notice.user_id,
        Workspace.id == Notice.workspace_id,
        Workspace.archived_at.is_(None),
    )
    is_operator = exists().where(User.id == Notice.user_id, User.role == Role.ADMIN)
    is_active = exists().where(User.id == Notice.user_id, User.deactivated_at.is_(None))
    return and_(
        is_active.correlate(Notice),
        or_(
            Notice.audience == NoticeAudience.SELF,
            and_(Notice.audience == NoticeAudience.MEMBER, is_inside.correlate(Notice)),
            and_(Notice.audience == NoticeAudience.OPERATOR, is_operator.correlate(Notice)),
        ),
    )
