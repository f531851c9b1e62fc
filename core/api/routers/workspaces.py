"""Workspaces over REST: those one is in, and teams made, renamed and archived."""

from datetime import datetime
from typing import Annotated, Self

from fastapi import Query
from pydantic import Field
from starlette.responses import Response

from core import db
from core.api.http import idempotency, routing
from core.api.http.auth import CurrentMember, PathId
from core.api.http.idempotency import IdempotencyKey
from core.api.openapi.answers import leads_to, refuses
from core.api.schemas import fields, requests, responses
from core.db.enums import WorkspaceKind, WorkspaceRole
from core.identity import idempotency as keys
from core.workspaces import members, workspaces

router = routing.router("workspaces")
managing = routing.router("workspaces")


class WorkspacesQuery(requests.Query):
    """Which workspaces, and which page of them; `all` asks for everybody's and is for administrators.

    Without `all` every one that the token reaches is on the one page, and the rest of the query says nothing.
    """

    all: bool = False
    search: requests.Word = ""
    archived: bool = False
    cursor: Annotated[str, Field(pattern=requests.ID_PATTERN)] | None = None
    limit: requests.PageSize = requests.PAGE_LIMIT


class NewWorkspace(requests.Body):
    """A team to make; `managerEmail` is who manages it, you where it is left out."""

    name: Annotated[str, Field(examples=["Film unit"])]
    manager_email: Annotated[str, Field(examples=["ana@example.org"])] | None = None


class WorkspaceChanges(requests.Changes):
    """What to change of a workspace; what is absent or null stays. Only administrators bring an archived one back.

    `visibleMark` and `tellsPrompts` are also for your personal workspace; the rest is for teams.
    `turnWeight`, from 1 to 100, is set by administrators, of any workspace.
    """

    name: Annotated[str, Field(examples=["Film unit"])] | None = None
    archived: bool | None = None
    visible_mark: bool | None = None
    tells_prompts: bool | None = None
    turn_weight: Annotated[int, Field(ge=1, le=workspaces.MOST_WEIGHT)] | None = None


class WorkspaceShape(responses.ApiModel):
    """A workspace; `role` is what you are in it, null for an administrator who looks from outside.

    `spentCredits` were charged since its beginning; `heldCredits` are reserved for what is under way. With
    `visibleMark` clips that are ordered from then on show a small "AI" in a corner; with `tellsPrompts` prompts may be
    in the mail and chats that its people are told by. What is ordered in it comes `turnWeight` times as often out of a
    line as what is ordered in a workspace of weight 1.
    """

    id: fields.Id
    kind: WorkspaceKind
    name: Annotated[str, Field(examples=["Film unit"])]
    role: WorkspaceRole | None
    member_count: int
    available_credits: Annotated[int, Field(examples=[96_750])]
    held_credits: fields.Credits
    spent_credits: fields.Credits
    storage_bytes: int
    visible_mark: bool
    tells_prompts: bool
    turn_weight: int
    created_at: datetime
    archived_at: fields.MomentOrNull

    @classmethod
    def of(cls, found: workspaces.Overview) -> Self:
        """The shape of a workspace."""
        return cls(**{name: getattr(found, name) for name in cls.model_fields})


class WorkspacesAnswer(responses.Response):
    """A page of workspaces; `nextCursor` asks for the next one."""

    workspaces: list[WorkspaceShape]
    next_cursor: fields.TextOrNull


class WorkspaceAnswer(responses.Response):
    """One workspace."""

    workspace: WorkspaceShape


@router.get("/workspaces", responses=refuses(403, 404))
def list_workspaces(member: CurrentMember, query: Annotated[WorkspacesQuery, Query()]) -> WorkspacesAnswer:
    """List the workspaces that you are in, your personal one first.

    Send the `id` of one as `Workspace-Id` to be at work in it. With `all=true` an administrator lists everybody's, by
    name, a page at a time.
    """
    with db.read_session() as session:
        if not query.all:
            own = workspaces.list_own(session, member)
            return WorkspacesAnswer(workspaces=[WorkspaceShape.of(each) for each in own], next_cursor=None)
        found = workspaces.list_all(
            session,
            member,
            search=query.search,
            archived=query.archived,
            after_id=query.cursor,
            limit=query.limit + 1,
        )
    page = found[: query.limit]
    return WorkspacesAnswer(
        workspaces=[WorkspaceShape.of(each) for each in page],
        next_cursor=page[-1].id if len(found) > query.limit else None,
    )


@router.get("/workspaces/{id}", responses=refuses(404))
def get_workspace(member: CurrentMember, workspace_id: PathId) -> WorkspaceAnswer:
    """Get a workspace that you are in; an administrator gets any."""
    with db.read_session() as session:
        return WorkspaceAnswer(workspace=WorkspaceShape.of(workspaces.overview(session, member, workspace_id)))


@managing.post(
    "/workspaces",
    status_code=201,
    response_model=WorkspaceAnswer,
    responses=refuses(403, 404, 409)
    | idempotency.says_so(
        201,
        {
            "links": leads_to(
                "getWorkspace",
                "changeWorkspace",
                "listMembers",
                "addMember",
                "listInvitationsToWorkspace",
                "inviteToWorkspace",
                id_at="workspace/id",
            )
        },
    ),
)
def create_workspace(member: CurrentMember, body: NewWorkspace, idempotency_key: IdempotencyKey = None) -> Response:
    """Make a team, for administrators; it has an account without credits, and one manager.

    A repeat tells the team as it is by then.
    """
    request = f"workspace\n{body.model_dump_json()}"
    with db.write_session() as session:
        made_id = keys.made_before(session, member.user, idempotency_key, request=request)
        if made_id is None:
            team = workspaces.create(session, member, name=body.name, manager_email=body.manager_email)
            keys.remember(session, member.user, idempotency_key, request=request, made_id=team.id)
        by_then = members.at_work(session, member.user, member.workspace_id)  # a manager of it, where nobody was named
        found = workspaces.overview(session, by_then, made_id or team.id)
    answer = WorkspaceAnswer(workspace=WorkspaceShape.of(found))
    return routing.written(answer, status=201, headers=idempotency.headers(replayed=made_id is not None))


@managing.patch("/workspaces/{id}", responses=refuses(404, 409))
def change_workspace(member: CurrentMember, workspace_id: PathId, body: WorkspaceChanges) -> WorkspaceAnswer:
    """Rename, archive or restore a team, for its managers and administrators; turn the visible mark on, for managers.

    Nobody is at work in an archived team; what is in it and its credits stay, and clips under way finish.
    """
    with db.write_session() as session:
        if body.archived is False:
            workspaces.restore(session, member, workspace_id)
        if body.name is not None:
            workspaces.rename(session, member, workspace_id, name=body.name)
        if body.visible_mark is not None:
            workspaces.set_visible_mark(session, member, workspace_id, is_on=body.visible_mark)
        if body.tells_prompts is not None:
            workspaces.set_tells_prompts(session, member, workspace_id, is_on=body.tells_prompts)
        if body.turn_weight is not None:
            workspaces.set_turn_weight(session, member, workspace_id, weight=body.turn_weight)
        if body.archived is True:
            workspaces.archive(session, member, workspace_id)
        return WorkspaceAnswer(workspace=WorkspaceShape.of(workspaces.overview(session, member, workspace_id)))
