"""The ways in which you are told, over REST: mail, chats, a webhook of your own, and which kinds take which."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import Field

from core import db, errors
from core.api.http import routing
from core.api.http.auth import CurrentMember, PathId
from core.api.openapi.answers import leads_to, refuses
from core.api.schemas import fields, requests, responses
from core.db import WriteSession
from core.db.enums import NoticeKind, NoticeWay
from core.db.tables import WayToTell
from core.installation import current
from core.messages import message
from core.notifications import ways, webhooks
from core.notifications.webhooks import ValidUrl
from core.redaction import shown_address
from core.workspaces import months
from core.workspaces.access import Member

router = routing.router("ways")

Kinds = Annotated[list[Annotated[NoticeKind, Field(strict=False)]], Field(examples=[["clips_done", "clips_failed"]])]


class WayBody(requests.Body):
    """A way to be told; chats and webhooks need an address: https, on the public internet.

    Mail goes to the address you sign in with. `kinds` are those that take this way, all of them where it is new.
    """

    way: Annotated[NoticeWay, Field(strict=False, examples=[NoticeWay.WEBHOOK])]
    address: Annotated[str | None, Field(examples=["https://hooks.example.org/told"])] = None
    kinds: Kinds | None = None


class WayChanges(requests.Changes):
    """What to change of a way; what is absent or null stays.

    `daily` is one e-mail a day, at eight in the morning of `timeZone`.
    """

    enabled: bool | None = None
    kinds: Kinds | None = None
    daily: bool | None = None
    time_zone: Annotated[requests.Word | None, Field(examples=["Asia/Jakarta"])] = None


class WayShape(responses.ApiModel):
    """How you are told; the inbox is always there, and has an `id` once something of it was changed.

    The path of an address is its secret and is not shown. `failingSince` is the first failure after the last success.
    """

    id: Annotated[str | None, Field(examples=["0197a3c2-5e1b-7c40-8f21-3b9f6d2a7e10"])]
    way: NoticeWay
    address: Annotated[str, Field(examples=["https://hooks.example.org/***"])]
    enabled: bool
    kinds: Kinds
    daily_at: fields.MomentOrNull
    time_zone: Annotated[str, Field(examples=["Asia/Jakarta"])]
    failing_since: fields.MomentOrNull
    error: fields.TextOrNull
    created_at: datetime | None

    @classmethod
    def of(cls, row: WayToTell, member: Member) -> Self:
        """The shape of a row."""
        return cls(
            id=row.id,
            way=row.way,
            address=member.email if row.way is NoticeWay.EMAIL else shown_address(row.address) if row.address else "",
            enabled=row.is_on,
            kinds=[kind for kind in ways.KINDS if kind not in row.muted],
            daily_at=row.digest_at,
            time_zone=row.time_zone,
            failing_since=row.failing_since,
            error=None if row.error is None else str(row.error),
            created_at=row.created_at,
        )


class WaysAnswer(responses.Response):
    """The inbox, then every way that is set up."""

    ways: list[WayShape]


class WayAnswer(responses.Response):
    """One way."""

    way: WayShape


class WaySetUp(WayAnswer):
    """A way; `secret` is what messages to a webhook are signed with, told when it is set up and not again."""

    secret: Annotated[str | None, Field(examples=["whsec_3vQx9LmT…"])]


@router.get("/ways", responses=refuses(403))
def list_ways(member: CurrentMember) -> WaysAnswer:
    """List the ways in which you are told."""
    with db.read_session() as session:
        found = ways.of_person(session, member)
    inbox = found.get(NoticeWay.INBOX) or _inbox(member)
    others = [found[way] for way in NoticeWay if way in found and way is not NoticeWay.INBOX]
    return WaysAnswer(ways=[WayShape.of(row, member) for row in (inbox, *others)])


@router.put(
    "/ways",
    responses=refuses(403, 404, 409)
    | {200: {"links": leads_to("changeWay", "sendTestOfWay", "deleteWay", id_at="way/id")}},
)
def put_way(member: CurrentMember, body: WayBody) -> WaySetUp:
    """Set up a way to be told, or give it another address; it is turned on.

    A webhook keeps its secret with another address: delete it for a new one. 409 for mail where none is sent from here.
    """
    with db.read_session() as session:
        is_new = body.way not in ways.of_person(session, member)  # refuses before a name is looked up
    address = _checked(body)
    with db.write_session() as session:
        _set_up(session, member, body.way, address)
        if body.kinds is not None or body.way is NoticeWay.INBOX:
            ways.set_kinds(session, member, body.way, ways.KINDS if body.kinds is None else body.kinds)
        row = ways.of_person(session, member)[body.way]
        shape = WayShape.of(row, member)
    is_told = is_new and body.way is NoticeWay.WEBHOOK
    return WaySetUp(way=shape, secret=ways.secret(row, key=current().settings.secret_key) if is_told else None)


@router.patch("/ways/{id}", responses=refuses(403, 404, 409))
def change_way(member: CurrentMember, way_id: PathId, body: WayChanges) -> WayAnswer:
    """Turn a way on or off, choose which kinds take it, or let mail come once a day.

    What was still to be sent by a way that is turned off is dropped.
    """
    with db.write_session() as session:
        way = ways.by_id(session, member, way_id).way
        if body.enabled is not None:
            if way is NoticeWay.INBOX:
                raise errors.InvalidRequest(fields={"enabled": message("inbox_stays_on")})
            (ways.turn_on if body.enabled else ways.turn_off)(session, member, way)
        if body.kinds is not None:
            ways.set_kinds(session, member, way, body.kinds)
        if body.daily is not None or body.time_zone is not None:
            _set_digest(session, member, way, body)
        return WayAnswer(way=WayShape.of(ways.by_id(session, member, way_id), member))


@router.delete("/ways/{id}", responses=refuses(403, 404, 409))
def delete_way(member: CurrentMember, way_id: PathId) -> responses.Response:
    """Remove a way, its address and what was still to be sent by it."""
    with db.write_session() as session:
        ways.remove(session, member, ways.by_id(session, member, way_id).way)
    return responses.Response()


@router.post("/ways/{id}/test", status_code=202, responses=refuses(403, 404, 409))
def send_test_of_way(member: CurrentMember, way_id: PathId) -> WayAnswer:
    """Send yourself a test by one way; one a minute."""
    with db.write_session() as session:
        row = ways.by_id(session, member, way_id)
        ways.send_test(session, member, row.way)
        return WayAnswer(way=WayShape.of(row, member))


def _checked(body: WayBody) -> ValidUrl | None:
    """The address, looked at as on the page; InvalidRequest where there must be one, or must not."""
    if body.way not in ways.WITH_ADDRESS:
        if body.address is not None:
            raise errors.InvalidRequest(fields={"address": message("way_has_no_address")})
        return None
    settings = current().settings
    return webhooks.validate_url(body.address or "", allow=settings.webhook_allow_hosts, proxies=settings.proxies)


def _set_up(session: WriteSession, member: Member, way: NoticeWay, address: ValidUrl | None) -> None:
    if address is not None:
        ways.set_address(session, member, way, address)
    elif way is NoticeWay.EMAIL:
        ways.turn_on_mail(session, member, can_mail=current().settings.can_mail)


def _set_digest(session: WriteSession, member: Member, way: NoticeWay, body: WayChanges) -> None:
    if way is not NoticeWay.EMAIL:
        raise errors.InvalidRequest(fields={"daily": message("way_has_no_digest")})
    if body.time_zone is not None and body.time_zone not in months.zones():
        raise errors.InvalidRequest(fields={"timeZone": message("time_zone_unknown")})
    present = ways.of_person(session, member)[way]
    is_daily = present.digest_at is not None if body.daily is None else body.daily
    ways.set_digest(session, member, is_daily=is_daily, time_zone=body.time_zone or present.time_zone)


def _inbox(member: Member) -> WayToTell:
    """As it is before anything of it was changed."""
    return WayToTell(user_id=member.id, way=NoticeWay.INBOX, address="", is_on=True, muted=[], time_zone=ways.UTC)
