"""Moves a project with its clips to another workspace; what it cost stays in the workspace that paid for it.

In its old place an archived project of the same name keeps the charges, so that every figure there is as before.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, exists, func, or_, select, union

from core import audit_log, errors
from core.audit_log import Act
from core.clock import utc_now
from core.db import WriteSession, update_where
from core.db.enums import BudgetScope
from core.db.tables import (
    Budget,
    BudgetMonth,
    Generation,
    GenerationTag,
    Project,
    ShareLink,
    ShareLinkClip,
    UndeliveredDay,
    Upload,
    UsageDay,
    Workspace,
    is_live,
)
from core.messages import message
from core.projects import projects
from core.workspaces import quota, workspaces
from core.workspaces.access import Member
from core.workspaces.permissions import Action


@dataclass(frozen=True, slots=True)
class Transferred:
    """A project in its new place, and the one that keeps its charges in the old one; None where nothing was charged."""

    project: Project
    left_behind: Project | None
    clip_count: int


def transfer(
    session: WriteSession, member: Member, project_id: str, *, to_workspace_id: str, quota_bytes: int | None
) -> Transferred:
    """Move a project, for who manages both workspaces. It is refused while anything in it is under way.

    Clips take their tags, notes and the images they were made from along. Links for people outside that show nothing
    else go with them, others lose these clips. Raises NotFound for a project or workspace out of reach, Forbidden,
    Conflict for what is under way or the same workspace, StorageFull where it does not fit.
    """
    project = _locked(session, member, project_id)
    if to_workspace_id not in member.roles:
        raise errors.NotFound(message("workspace_not_found"))
    for workspace_id in (project.workspace_id, to_workspace_id):
        member.require(Action.TRANSFER, workspace_id)
    if to_workspace_id == project.workspace_id:
        raise errors.Conflict(message("project_is_there"))
    if session.scalar(select(exists().where(is_live(), Generation.project_id == project.id))):
        raise errors.Conflict(message("project_under_way"))
    origin, destination = (session.get_one(Workspace, each) for each in (project.workspace_id, to_workspace_id))
    workspaces.check_together(origin, destination)
    left_behind = _leave_charges(session, project)
    clip_count = _move_clips(session, project, to_workspace_id, quota_bytes)
    _of_project(session, Budget, project, workspace_id=to_workspace_id)
    project.workspace_id, project.updated_at = to_workspace_id, utc_now()
    session.flush()
    for workspace_id in sorted((origin.id, destination.id)):  # figures that were kept are read anew
        update_where(session, Workspace, Workspace.id == workspace_id, usage_version=Workspace.usage_version + 1)
    for workspace in (origin, destination):  # the log of each tells it
        audit_log.record(
            session,
            member.user,
            Act.PROJECT_TRANSFERRED,
            target=project.name,
            target_id=project.id,
            workspace_id=workspace.id,
            before={"workspace": origin.name, "workspace_id": origin.id},
            after={"workspace": destination.name, "workspace_id": destination.id, "clips": clip_count},
        )
    return Transferred(project, left_behind, clip_count)


def _locked(session: WriteSession, member: Member, project_id: str) -> Project:
    """The project, kept from anything that points to it, so that no order comes into it meanwhile.

    Its clips are locked before it, as by whoever moves or ends one of them.
    """
    projects.check_visible(session, member, project_id)
    session.execute(
        select(Generation.id).where(Generation.project_id == project_id).order_by(Generation.id).with_for_update()
    )
    query = select(Project).where(Project.id == project_id).with_for_update()
    project = session.scalar(query.execution_options(populate_existing=True))
    if project is None:
        raise errors.NotFound(message("project_not_found"))
    projects.check_visible(session, member, project_id)  # it may have gone elsewhere while this waited
    return project


def _leave_charges(session: WriteSession, project: Project) -> Project | None:
    """Book what was charged in the project to an archived one beside it; nothing where nothing was counted there."""
    if not session.scalar(select(exists().where(UsageDay.project_id == project.id))):
        return None
    remains = Project(
        workspace_id=project.workspace_id,
        user_id=project.user_id,
        name=project.name,
        description=project.description,
        cost_centre=project.cost_centre,
        archived_at=utc_now(),
        spent_credits=project.spent_credits,
    )
    session.add(remains)
    session.flush()
    project.spent_credits = 0
    session.flush()
    update_where(
        session,
        Generation,
        or_(
            Generation.charged_project_id == project.id,
            and_(Generation.project_id == project.id, Generation.charged_project_id.is_(None)),
        ),
        charged_project_id=remains.id,
    )
    update_where(session, GenerationTag, GenerationTag.charged_in_id == project.id, charged_in_id=remains.id)
    for days in (UsageDay, UndeliveredDay):
        update_where(session, days, days.project_id == project.id, project_id=remains.id)
    _of_project(session, BudgetMonth, project, subject_id=remains.id)
    return remains


def _of_project(
    session: WriteSession, table: type[Budget] | type[BudgetMonth], project: Project, **values: str
) -> None:
    """Change the project's budget, or what was counted against it."""
    where = (
        table.workspace_id == project.workspace_id,
        table.scope == BudgetScope.PROJECT,
        table.subject_id == project.id,
    )
    update_where(session, table, *where, **values)


def _move_clips(session: WriteSession, project: Project, to_workspace_id: str, quota_bytes: int | None) -> int:
    """Hand over the clips with what hangs on them, and count their files in the other workspace; how many they are."""
    in_project = Generation.project_id == project.id
    size_bytes = session.scalar(
        select(func.coalesce(func.sum(Generation.stored_bytes), 0)).where(in_project, Generation.purged_at.is_(None))
    )
    images = _missing_images(session, project, to_workspace_id)
    needed_bytes = (size_bytes or 0) + sum(image["size_bytes"] for image in images)
    quota.reserve(session, to_workspace_id, size_bytes=needed_bytes, quota_bytes=quota_bytes)
    quota.free(session, project.workspace_id, size_bytes=size_bytes or 0)
    _bring_images(session, to_workspace_id, images)
    _move_links(session, project, to_workspace_id)
    clip_ids = select(Generation.id).where(in_project)
    update_where(session, GenerationTag, GenerationTag.generation_id.in_(clip_ids), workspace_id=to_workspace_id)
    update_where(session, Generation, in_project, workspace_id=to_workspace_id)
    return project.generation_count


def _missing_images(session: WriteSession, project: Project, to_workspace_id: str) -> list[dict[str, Any]]:
    """The files that clips of the project were made from, as uploads that the other workspace lacks."""
    columns = (Generation.start_image_key, Generation.end_image_key)
    keys = union(*(select(key).where(Generation.project_id == project.id, key.is_not(None)) for key in columns))
    lists = session.scalars(
        select(Generation.references).where(Generation.project_id == project.id, Generation.references != ()).distinct()
    )
    referred_to = {reference.key for references in lists for reference in references}
    there = select(Upload.original_sha256).where(
        Upload.workspace_id == to_workspace_id, Upload.purging_at.is_(None), Upload.purged_at.is_(None)
    )
    found = session.scalars(
        select(Upload)
        .where(
            Upload.workspace_id == project.workspace_id,
            or_(Upload.storage_key.in_(keys), Upload.storage_key.in_(referred_to)),
            Upload.original_sha256.not_in(there),
        )
        .order_by(Upload.id)
        .with_for_update()  # so that no one begins to remove the file meanwhile
    )
    return [{name: getattr(upload, name) for name in _COPIED} for upload in found]


_COPIED = (
    *("user_id", "kind", "name", "name_key", "storage_key", "poster_key", "original_sha256", "file_name", "size_bytes"),
    *("width", "height", "seconds", "source_generation_id", "created_at", "archived_at", "deleted_at"),
)
"""What of an upload is the same in another workspace."""


def _bring_images(session: WriteSession, to_workspace_id: str, images: list[dict[str, Any]]) -> None:
    """Write them down there; one whose file had been removed there has it again."""
    for image in images:
        own = Upload.workspace_id == to_workspace_id, Upload.original_sha256 == image["original_sha256"]
        if not update_where(session, Upload, *own, **image, purging_at=None, purged_at=None):
            session.add(Upload(workspace_id=to_workspace_id, **image))


def _move_links(session: WriteSession, project: Project, to_workspace_id: str) -> None:
    """Links for people outside show clips of one workspace only."""

    def shows(condition: ColumnElement[bool]) -> ColumnElement[bool]:
        return exists().where(
            ShareLinkClip.link_id == ShareLink.id, Generation.id == ShareLinkClip.generation_id, condition
        )

    update_where(
        session,
        ShareLink,
        ShareLink.workspace_id == project.workspace_id,
        shows(Generation.project_id == project.id),
        ~shows(Generation.project_id != project.id),
        workspace_id=to_workspace_id,
    )
    others = select(ShareLink.id).where(ShareLink.workspace_id == project.workspace_id)
    clip_ids = select(Generation.id).where(Generation.project_id == project.id)
    session.execute(
        delete(ShareLinkClip)
        .where(ShareLinkClip.link_id.in_(others), ShareLinkClip.generation_id.in_(clip_ids))
        .execution_options(synchronize_session=False)
    )
