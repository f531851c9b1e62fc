"""Who is in a workspace, over REST; a caller needs a token of scope admin."""

from datetime import datetime
from typing import Annotated, Self

from fastapi import Path, Query
from pydantic import Field

from core import db
from core.api.http import auth, routing
from core.api.http.auth import CurrentMember, PathId
from core.api.openapi.answers import refuses
from core.api.schemas import fields, requests, responses
from core.db.enums import MemberSource, WorkspaceRole
from core.workspaces import members

router = routing.router("members")

UserId = Annotated[str, Path(alias="userId", json_schema_extra=auth.ID_SCHEMA), auth.WellFormedId]
GivenRole = Annotated[WorkspaceRole, Field(strict=False)]


class MembersQuery(requests.Query):
    """Which people, and which page of them."""

    search: requests.Word = ""
    cursor: requests.Word = ""
    limit: requests.PageSize = 100


class NewMember(requests.Body):
    """Somebody to put into a team, by their address."""

    email: Annotated[str, Field(examples=["ben@example.org"])]
    role: GivenRole


class MemberChanges(requests.Body):
    """What somebody is in a team from now on."""

    role: GivenRole


class MemberShape(responses.ApiModel):
    """Somebody in a workspace; `source` is `claims` for who is in it by the groups of their sign-in.

    `isActive` is false for who was deactivated.
    """

    user_id: fields.Id
    email: Annotated[str, Field(examples=["ben@example.org"])]
    name: Annotated[str, Field(examples=["Ben"])]
    role: WorkspaceRole
    source: MemberSource
    since: datetime
    is_active: bool

    @classmethod
    def of(cls, entry: members.RosterEntry) -> Self:
        """The shape of somebody."""
        return cls(**{name: getattr(entry, name) for name in cls.model_fields})


class MembersAnswer(responses.Response):
    """A page of people by address; `nextCursor` asks for the next one."""

    members: list[MemberShape]
    next_cursor: fields.TextOrNull


class MemberAnswer(responses.Response):
    """Somebody in a workspace."""

    member: MemberShape


@router.get("/workspaces/{id}/members", responses=refuses(404))
def list_members(member: CurrentMember, workspace_id: PathId, query: Annotated[MembersQuery, Query()]) -> MembersAnswer:
    """List who is in a workspace, by address, a page at a time."""
    with db.read_session() as session:
        found = members.list_page(
            session, member, workspace_id, search=query.search, after_email=query.cursor, limit=query.limit + 1
        )
    page = found[: query.limit]
    return MembersAnswer(
        members=[MemberShape.of(entry) for entry in page],
        next_cursor=page[-1].email if len(found) > query.limit else None,
    )


@router.post("/workspaces/{id}/members", status_code=201, responses=refuses(404, 409))
def add_member(member: CurrentMember, workspace_id: PathId, body: NewMember) -> MemberAnswer:
    """Put somebody who is known here into a team, for its managers and administrators.

    409 for who is in it already. Somebody who is not known here is invited.
    """
    with db.write_session() as session:
        entry = members.add(session, member, workspace_id, email=body.email, role=body.role)
    return MemberAnswer(member=MemberShape.of(entry))


@router.patch("/workspaces/{id}/members/{userId}", responses=refuses(404, 409))
def change_member(member: CurrentMember, workspace_id: PathId, user_id: UserId, body: MemberChanges) -> MemberAnswer:
    """Change a role in a team, for its managers and administrators.

    409 for the last manager, and for who is in it by the groups of their sign-in.
    """
    with db.write_session() as session:
        entry = members.change_role(session, member, workspace_id, user_id, body.role)
    return MemberAnswer(member=MemberShape.of(entry))


@router.delete("/workspaces/{id}/members/{userId}", responses=refuses(404, 409))
def remove_member(member: CurrentMember, workspace_id: PathId, user_id: UserId) -> responses.Response:
    """Take somebody out of a team, or leave it: their tokens and webhooks there end, what they made stays.

    409 for the last manager, and for who is in it by the groups of their sign-in.
    """
    with db.write_session() as session:
        if user_id == member.id and workspace_id in member.roles:
            members.leave(session, member, workspace_id)
        else:
            members.remove(session, member, workspace_id, user_id)
    return responses.Response()
