"""Invitations over REST: a link for one address, into a team or only into the installation."""

from datetime import datetime
from typing import Annotated, Self
from urllib.parse import urlencode

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from core import db
from core.api.http import addresses, idempotency, routing
from core.api.http.auth import CurrentMember, PathId
from core.api.http.idempotency import IdempotencyKey
from core.api.openapi.answers import leads_to, refuses
from core.api.schemas import fields, requests, responses
from core.db.enums import Role, WorkspaceRole
from core.identity import idempotency as keys
from core.installation import current
from core.workspaces import invitations
from core.workspaces.access import Member

router = routing.router("invitations")

Address = Annotated[str, Field(examples=["ben@example.org"])]


class NewInvitation(requests.Body):
    """Somebody to invite into the installation, where they have this role from then on."""

    email: Address
    role: Annotated[Role, Field(strict=False)] = Role.USER


class NewTeamInvitation(requests.Body):
    """Somebody to invite into a team, where they have this role from then on."""

    email: Address
    role: Annotated[WorkspaceRole, Field(strict=False)]


class InvitationSecret(requests.Body):
    """What the link of an invitation holds as its parameter `token`."""

    token: Annotated[str, Field(min_length=1, max_length=200, examples=["pX2v…"])]


class InvitationShape(responses.ApiModel):
    """An invitation that can be accepted; the workspace is null in one that is only for the installation."""

    id: fields.Id
    email: Address
    role: Role
    workspace_id: fields.Id | None
    workspace_name: Annotated[str | None, Field(examples=["Film unit"])]
    workspace_role: WorkspaceRole | None
    invited_by: Annotated[str, Field(examples=["ana@example.org"])]
    created_at: datetime
    expires_at: datetime

    @classmethod
    def of(cls, invited: invitations.Invited) -> Self:
        """The shape of an invitation."""
        return cls(**{name: getattr(invited, name) for name in cls.model_fields})


class InvitationsAnswer(responses.Response):
    """The invitations that can still be accepted, newest first."""

    invitations: list[InvitationShape]


class InvitationAnswer(responses.Response):
    """One invitation."""

    invitation: InvitationShape


class NewInvitationAnswer(InvitationAnswer):
    """An invitation was made; `link` is shown this once, and is null in the answer to a repeat."""

    link: Annotated[str | None, Field(examples=["https://studio.example.org/invitation?token=pX2v…"])]


_MADE = idempotency.says_so(201, {"links": leads_to("revokeInvitation", id_at="invitation/id")})


@router.get("/invitations", responses=refuses(403))
def list_invitations(member: CurrentMember) -> InvitationsAnswer:
    """List all invitations that can still be accepted, for administrators."""
    with db.read_session() as session:
        found = invitations.list_open(session, member)
    return InvitationsAnswer(invitations=[InvitationShape.of(each) for each in found])


@router.post(
    "/invitations", status_code=201, response_model=NewInvitationAnswer, responses=refuses(403, 404, 409) | _MADE
)
def invite(
    request: Request, member: CurrentMember, body: NewInvitation, idempotency_key: IdempotencyKey = None
) -> Response:
    """Invite an address into the installation, for administrators; the link works once, for seven days.

    A repeat tells the invitation without its link, since only a hash is kept; 404 when it can be accepted no more.
    """
    return _invite(request, member, idempotency_key, body)


@router.get("/workspaces/{id}/invitations", responses=refuses(404))
def list_invitations_to_workspace(member: CurrentMember, workspace_id: PathId) -> InvitationsAnswer:
    """List the invitations into a team that can still be accepted, for its managers and administrators."""
    with db.read_session() as session:
        found = invitations.list_open(session, member, workspace_id=workspace_id)
    return InvitationsAnswer(invitations=[InvitationShape.of(each) for each in found])


@router.post(
    "/workspaces/{id}/invitations",
    status_code=201,
    response_model=NewInvitationAnswer,
    responses=refuses(404, 409) | _MADE,
)
def invite_to_workspace(
    request: Request,
    member: CurrentMember,
    workspace_id: PathId,
    body: NewTeamInvitation,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Invite an address into a team, for its managers and administrators; the link works once, for seven days.

    A repeat tells the invitation without its link, since only a hash is kept; 404 when it can be accepted no more.
    """
    return _invite(request, member, idempotency_key, body, workspace_id)


@router.delete("/invitations/{id}", responses=refuses(404, 409))
def revoke_invitation(member: CurrentMember, invitation_id: PathId) -> responses.Response:
    """Take an invitation back: its link opens nothing more."""
    with db.write_session() as session:
        invitations.revoke(session, member, invitation_id)
    return responses.Response()


@router.post("/invitations/look", responses=refuses(404))
def look_at_invitation(_member: CurrentMember, body: InvitationSecret) -> InvitationAnswer:
    """Say what an invitation is for, before it is accepted; 404 when it can be accepted no more."""
    with db.read_session() as session:
        return InvitationAnswer(invitation=InvitationShape.of(invitations.look(session, body.token)))


@router.post("/invitations/accept", responses=refuses(404, 409))
def accept_invitation(member: CurrentMember, body: InvitationSecret) -> InvitationAnswer:
    """Accept an invitation for your own address; a repeat changes nothing more.

    403 when it is for another address, 404 when it was used by somebody else, taken back, or has expired.
    """
    with db.write_session() as session:
        accepted = invitations.accept(session, member, body.token)
    return InvitationAnswer(invitation=InvitationShape.of(accepted))


def _invite(
    request: Request,
    member: Member,
    key: str | None,
    body: NewInvitation | NewTeamInvitation,
    workspace_id: str | None = None,
) -> Response:
    asked, link = f"invitation\n{workspace_id}\n{body.model_dump_json()}", None
    with db.write_session() as session:
        made_id = keys.made_before(session, member.user, key, request=asked)
        if made_id is None:
            made, token = invitations.create(
                session,
                member,
                email=body.email,
                workspace_id=workspace_id,
                workspace_role=body.role if isinstance(body, NewTeamInvitation) else None,
                role=body.role if isinstance(body, NewInvitation) else Role.USER,
            )
            keys.remember(session, member.user, key, request=asked, made_id=made.id)
            page = addresses.page_url(request, current().settings, invitations.PAGE)
            link = f"{page}?{urlencode({'token': token})}"
        else:
            made = invitations.get_open(session, member, made_id)
    answer = NewInvitationAnswer(invitation=InvitationShape.of(made), link=link)
    return routing.written(answer, status=201, headers=idempotency.headers(replayed=made_id is not None))
