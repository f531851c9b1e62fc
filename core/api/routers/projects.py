"""Projects over REST."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Annotated

from fastapi import Query
from sqlalchemy import func, select
from sqlalchemy.orm import aliased
from starlette.responses import Response

from core import db
from core.api.http import idempotency, routing
from core.api.http.auth import CurrentMember, PathId
from core.api.http.idempotency import IdempotencyKey
from core.api.http.installed import CurrentInstallation
from core.api.openapi.answers import fills, leads_to, refuses
from core.api.routers.media import RequestLinks
from core.api.schemas import fields, requests, responses
from core.db import ReadSession
from core.db.tables import Generation, Project
from core.generations import queries
from core.generations.list_filter import ListFilter
from core.identity import idempotency as keys
from core.projects import projects, transfer
from core.workspaces.access import Member, visible_to

router = routing.router("projects")

NEWEST = 20


class ProjectShape(responses.ApiModel):
    """A project with its newest generations, or a page of them; `spentCredits` were charged since its beginning.

    `costCentre` is what finance charges it to.
    """

    id: fields.Id
    name: fields.Name
    description: fields.Description
    created_at: datetime
    updated_at: datetime
    archived_at: fields.MomentOrNull
    generation_count: int
    spent_credits: int
    cost_centre: fields.CostCentre
    generations: list[responses.Clip]


class ProjectsAnswer(responses.Response):
    """A page of projects; `nextCursor` asks for the next one."""

    projects: list[ProjectShape]
    next_cursor: fields.TextOrNull


class ProjectAnswer(responses.Response):
    """One project."""

    project: ProjectShape


class ProjectPageAnswer(ProjectAnswer):
    """One project and a page of its generations; `nextCursor` asks for the next one."""

    next_cursor: fields.TextOrNull


@router.get("/projects", responses=refuses(404))
def list_projects(
    member: CurrentMember, link: RequestLinks, query: Annotated[requests.ProjectsQuery, Query()]
) -> ProjectsAnswer:
    """List projects, recently changed first by default, each with its newest generations."""
    with db.read_session() as session:
        found = projects.list_page(
            session,
            member,
            search=query.search,
            archived=query.archived,
            sort=query.sort,
            after_id=query.cursor,
            limit=query.limit + 1,
        )
        page = found[: query.limit]
        newest = _newest(session, member, [project.id for project in page])
    return ProjectsAnswer(
        projects=[_shape(project, newest.get(project.id, []), link) for project in page],
        next_cursor=page[-1].id if len(found) > query.limit else None,
    )


@router.post(
    "/projects",
    status_code=201,
    response_model=ProjectAnswer,
    responses=refuses(404, 409)
    | idempotency.says_so(
        201,
        {
            "links": leads_to("getProject", "changeProject", "deleteProject", id_at="project/id")
            | fills("generate", projectId="project/id")
        },
    ),
)
def create_project(
    member: CurrentMember, body: requests.NewProject, link: RequestLinks, idempotency_key: IdempotencyKey = None
) -> Response:
    """Create a project.

    A repeat tells the project as it is by then; 404 when it was deleted.
    """
    request = f"project\n{body.model_dump_json()}"
    with db.write_session() as session:
        made_id = keys.made_before(session, member.user, idempotency_key, request=request)
        if made_id is None:
            project = projects.create(session, member, name=body.name, description=body.description)
            keys.remember(session, member.user, idempotency_key, request=request, made_id=project.id)
        else:
            project = projects.get(session, member, made_id)
        newest = _newest(session, member, [project.id])
    answer = ProjectAnswer(project=_shape(project, newest.get(project.id, []), link))
    return routing.written(answer, status=201, headers=idempotency.headers(replayed=made_id is not None))


@router.get("/projects/{id}", responses=refuses(404))
def get_project(
    member: CurrentMember, project_id: PathId, link: RequestLinks, query: Annotated[requests.PageQuery, Query()]
) -> ProjectPageAnswer:
    """Get a project and its generations, newest first, a page at a time."""
    with db.read_session() as session:
        project = projects.get(session, member, project_id)
        chosen = ListFilter(project_id=project.id)
        page = queries.list_page(session, member, chosen, cursor=query.cursor, limit=query.limit)
    return ProjectPageAnswer(project=_shape(project, page.rows, link), next_cursor=page.next_cursor)


@router.patch("/projects/{id}", responses=refuses(404, 409))
def change_project(
    member: CurrentMember, project_id: PathId, link: RequestLinks, body: requests.ProjectChanges
) -> ProjectAnswer:
    """Rename, describe, archive or restore a project, or say which cost centre it is charged to."""
    with db.write_session() as session:
        changes = body.model_dump()
        project = projects.update(session, member, project_id, **changes)
        newest = _newest(session, member, [project.id])
    return ProjectAnswer(project=_shape(project, newest.get(project.id, []), link))


@router.delete("/projects/{id}", responses=refuses(404, 409))
def delete_project(member: CurrentMember, project_id: PathId) -> responses.Response:
    """Delete an empty project; one with generations can only be archived."""
    with db.write_session() as session:
        projects.delete(session, member, project_id)
    return responses.Response()


@router.post("/projects/{id}/transfer", responses=refuses(404, 409))
def transfer_project(
    member: CurrentMember,
    installation: CurrentInstallation,
    project_id: PathId,
    link: RequestLinks,
    body: requests.ProjectTransfer,
) -> ProjectAnswer:
    """Move a project with its clips to another workspace, for who manages both.

    What it cost stays in the workspace that has paid, under an archived project of the same name; `spentCredits` begins
    at 0. 409 while a clip of it is under way.
    """
    with db.write_session() as session:
        done = transfer.transfer(
            session,
            member,
            project_id,
            to_workspace_id=body.workspace_id,
            quota_bytes=installation.settings.storage_quota_bytes,
        )
        newest = _newest(session, member, [project_id])
    return ProjectAnswer(project=_shape(done.project, newest.get(project_id, []), link))


def _newest(session: ReadSession, member: Member, project_ids: Collection[str]) -> Mapping[str, Sequence[Generation]]:
    """The newest generations of each project, in one query.

    For each project the index finds the id of its 20th newest; numbering rows in a window would read all of them.
    """
    older = aliased(Generation)
    last_shown = (
        select(older.id)
        .where(older.project_id == Project.id, older.deleted_at.is_(None))
        .order_by(older.id.desc())
        .offset(NEWEST - 1)
        .limit(1)
        .correlate(Project)
        .scalar_subquery()
    )
    query = (
        select(Generation)
        .join(Project, Project.id == Generation.project_id)
        .where(
            Project.id.in_(project_ids),
            visible_to(Project, member),
            Generation.deleted_at.is_(None),
            Generation.id >= func.coalesce(last_shown, ""),
        )
        .order_by(Generation.id.desc())
    )
    found: dict[str, list[Generation]] = defaultdict(list)
    for row in session.scalars(query):
        found[row.project_id].append(row)
    return found


def _shape(
    project: Project | projects.Summary, rows: Sequence[responses.ClipRow], link: responses.Link
) -> ProjectShape:
    return ProjectShape(
        id=project.id,
        name=project.name,
        description=project.description,
        created_at=project.created_at,
        updated_at=project.updated_at,
        archived_at=project.archived_at,
        generation_count=project.generation_count,
        spent_credits=project.spent_credits,
        cost_centre=project.cost_centre,
        generations=responses.clips(rows, link),
    )
