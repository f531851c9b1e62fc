"""Credits booked to workspaces and moved between them, over REST."""

from typing import Annotated, Self

from fastapi import Query
from pydantic import Field
from starlette.responses import Response

from core import db
from core.api.http import idempotency, routing
from core.api.http.auth import CurrentMember
from core.api.http.idempotency import IdempotencyKey
from core.api.openapi.answers import refuses
from core.api.schemas import fields, requests, responses
from core.identity import idempotency as keys
from core.ids import new_id
from core.workspaces import credits as credit_bookings

router = routing.router("grants")

WorkspaceId = Annotated[fields.Id, Field(pattern=requests.ID_PATTERN)]
Reason = Annotated[str, Field(examples=["Spring campaign"])]


class GrantsQuery(requests.Query):
    """Which bookings, and which page of them."""

    workspace_id: Annotated[str, Field(pattern=requests.ID_PATTERN)] | None = None
    cursor: Annotated[int, Field(ge=1, le=2**63 - 1)] | None = None
    limit: requests.PageSize = 100


class NewGrant(requests.Body):
    """Credits to book to a workspace; a negative amount corrects its balance downwards."""

    workspace_id: WorkspaceId
    credits: Annotated[int, Field(examples=[50_000])]
    reason: Reason


class NewTransfer(requests.Body):
    """Credits to move from one workspace to another."""

    from_workspace_id: WorkspaceId
    to_workspace_id: WorkspaceId
    credits: Annotated[int, Field(examples=[50_000])]
    reason: Reason


class BookingShape(responses.LedgerEntryShape):
    """A grant, a correction or one side of a transfer, on the account of a workspace."""

    workspace_id: fields.Id
    workspace_name: Annotated[str, Field(examples=["Film unit"])]

    @classmethod
    def of_booking(cls, booking: credit_bookings.Booking) -> Self:
        """The shape of a booking."""
        entry = responses.LedgerEntryShape.of(booking.entry)
        return cls(**dict(entry), workspace_id=booking.workspace_id, workspace_name=booking.workspace_name)


class GrantsAnswer(responses.Response):
    """A page of bookings, newest first; `nextCursor` asks for the next one."""

    grants: list[BookingShape]
    next_cursor: fields.TextOrNull


class GrantAnswer(responses.Response):
    """Credits were booked."""

    grant: BookingShape


class TransferAnswer(responses.Response):
    """Credits were moved: what left the one workspace, as a negative amount, and what arrived in the other."""

    out_of: BookingShape
    into: BookingShape


@router.get("/grants", responses=refuses(403))
def list_grants(member: CurrentMember, query: Annotated[GrantsQuery, Query()]) -> GrantsAnswer:
    """List grants, corrections and transfers of all workspaces or of one, for administrators, a page at a time."""
    with db.read_session() as session:
        found = credit_bookings.list_bookings(
            session, member, workspace_id=query.workspace_id, before_id=query.cursor, limit=query.limit + 1
        )
    page = found[: query.limit]
    return GrantsAnswer(
        grants=[BookingShape.of_booking(each) for each in page],
        next_cursor=str(page[-1].entry.id) if len(found) > query.limit else None,
    )


@router.post(
    "/grants",
    status_code=201,
    response_model=GrantAnswer,
    responses=refuses(402, 403, 404, 409) | idempotency.says_so(201, {}),
)
def grant(member: CurrentMember, body: NewGrant, idempotency_key: IdempotencyKey = None) -> Response:
    """Book credits to a workspace, a person's own or a team's, for administrators.

    402 when a correction would leave less than nothing.
    """
    request = f"grant\n{body.model_dump_json()}"
    with db.write_session() as session:
        made_id = keys.made_before(session, member.user, idempotency_key, request=request)
        grant_id = made_id or new_id()
        booking = credit_bookings.grant(
            session, member, body.workspace_id, credits=body.credits, reason=body.reason, grant_id=grant_id
        )
        if made_id is None:
            keys.remember(session, member.user, idempotency_key, request=request, made_id=grant_id)
    answer = GrantAnswer(grant=BookingShape.of_booking(booking))
    return routing.written(answer, status=201, headers=idempotency.headers(replayed=made_id is not None))


@router.post(
    "/transfers",
    status_code=201,
    response_model=TransferAnswer,
    responses=refuses(402, 403, 404, 409) | idempotency.says_so(201, {}),
)
def transfer_credits(member: CurrentMember, body: NewTransfer, idempotency_key: IdempotencyKey = None) -> Response:
    """Move credits from one workspace to another: from your own to a team of yours; any, for administrators."""
    request = f"transfer\n{body.model_dump_json()}"
    with db.write_session() as session:
        made_id = keys.made_before(session, member.user, idempotency_key, request=request)
        transfer_id = made_id or new_id()
        gone, come = credit_bookings.transfer(
            session,
            member,
            from_id=body.from_workspace_id,
            to_id=body.to_workspace_id,
            credits=body.credits,
            reason=body.reason,
            transfer_id=transfer_id,
        )
        if made_id is None:
            keys.remember(session, member.user, idempotency_key, request=request, made_id=transfer_id)
    answer = TransferAnswer(out_of=BookingShape.of_booking(gone), into=BookingShape.of_booking(come))
    return routing.written(answer, status=201, headers=idempotency.headers(replayed=made_id is not None))
