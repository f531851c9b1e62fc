"""Links for people outside over REST: made, listed, looked into and revoked by who may share."""

from datetime import datetime
from typing import Annotated, Self

from fastapi import Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from core import config, db
from core.api.http import addresses, idempotency, routing
from core.api.http.auth import CurrentMember, PathId
from core.api.http.idempotency import IdempotencyKey
from core.api.http.installed import CurrentInstallation
from core.api.openapi.answers import leads_to, next_page, refuses
from core.api.schemas import fields, requests, responses
from core.db.enums import VisitKind
from core.db.tables import ShareLinkVisit
from core.generations import share_links, share_visits
from core.generations.share_links import LinkRow, LinkState
from core.identity import idempotency as keys
from core.identity import passwords

router = routing.router("share-links")

Title = Annotated[str, Field(examples=["Spring campaign, for the client"])]


class NewShareLink(requests.Body):
    """A link to make, to completed clips of one workspace that are shown in this order."""

    generation_ids: Annotated[
        list[Annotated[str, Field(pattern=requests.ID_PATTERN)]], Field(min_length=1, max_length=share_links.MAX_CLIPS)
    ]
    title: Title = ""
    lifetime_hours: Annotated[int, Field(ge=1, le=share_links.LONGEST_DAYS * 24)] = share_links.DEFAULT_HOURS
    password: Annotated[
        str | None,
        Field(min_length=passwords.SHORTEST_CHARS, max_length=passwords.LONGEST_CHARS, examples=["a long password"]),
    ] = None
    allow_download: bool = False
    show_prompt: bool = False


class ShareLinksQuery(requests.Query):
    """Which page of the links."""

    cursor: Annotated[str, Field(pattern=requests.ID_PATTERN)] | None = None
    limit: requests.PageSize = 50


class VisitsQuery(requests.Query):
    """Which page of the visits."""

    cursor: Annotated[int, Field(ge=1, lt=2**63)] | None = None
    limit: requests.PageSize = 50


class ShareLinkShape(responses.ApiModel):
    """A link as lists show it: `clipCount` are the clips that it still shows, `madeBy` is a name as it is now."""

    id: fields.Id
    title: Title
    state: LinkState
    clip_count: int
    has_password: bool
    allow_download: bool
    show_prompt: bool
    made_by: str
    created_at: datetime
    expires_at: datetime
    revoked_at: fields.MomentOrNull
    view_count: int
    last_viewed_at: fields.MomentOrNull

    @classmethod
    def of(cls, row: LinkRow) -> Self:
        """The shape of a row."""
        link = row.link
        return cls(
            id=link.id,
            title=link.title,
            state=row.state,
            clip_count=row.clip_count,
            has_password=link.password_hash is not None,
            allow_download=link.allow_download,
            show_prompt=link.show_prompt,
            made_by=row.maker,
            created_at=link.created_at,
            expires_at=link.expires_at,
            revoked_at=link.revoked_at,
            view_count=link.view_count,
            last_viewed_at=link.last_viewed_at,
        )


class Visit(responses.ApiModel):
    """Somebody who came by a link; `refused` is a wrong password."""

    at: datetime
    kind: VisitKind
    generation_id: fields.TextOrNull
    address: Annotated[str, Field(examples=["203.0.113.7"])]
    agent: str

    @classmethod
    def of(cls, row: ShareLinkVisit) -> Self:
        """The shape of a row."""
        return cls(at=row.at, kind=row.kind, generation_id=row.generation_id, address=row.address, agent=row.agent)


class ShareLinksAnswer(responses.Response):
    """A page of links, newest first; `nextCursor` asks for the next one."""

    share_links: list[ShareLinkShape]
    next_cursor: fields.TextOrNull


class NewShareLinkAnswer(responses.Response):
    """A link was made; `url` is told this once, and is null in the answer to a repeat."""

    share_link: ShareLinkShape
    url: Annotated[str | None, Field(examples=["https://video.example.org/share/3vQx9LmT…"])]


class ShareLinkAnswer(responses.Response):
    """A link with a page of its visits, newest first; `nextCursor` asks for the next one."""

    share_link: ShareLinkShape
    visits: list[Visit]
    next_cursor: Annotated[int | None, Field(examples=[None])]


@router.get("/share-links", responses=refuses(403, 404) | {200: {"links": next_page("listShareLinks")}})
def list_share_links(member: CurrentMember, query: Annotated[ShareLinksQuery, Query()]) -> ShareLinksAnswer:
    """List the links of the workspace, newest first, with those that have ended.

    Makers and managers may.
    """
    with db.read_session() as session:
        page = share_links.list_page(session, member, cursor=query.cursor, limit=query.limit)
    return ShareLinksAnswer(share_links=[ShareLinkShape.of(row) for row in page.rows], next_cursor=page.next_cursor)


@router.post(
    "/share-links",
    status_code=201,
    response_model=NewShareLinkAnswer,
    responses=refuses(404, 409)
    | idempotency.says_so(201, {"links": leads_to("getShareLink", "revokeShareLink", id_at="shareLink/id")}),
)
def create_share_link(
    request: Request,
    member: CurrentMember,
    installation: CurrentInstallation,
    body: NewShareLink,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Make a link that opens clips to whoever has it, for 1 hour to 90 days; its `url` is told only once.

    With `password` it asks for that first. A repeat tells the link without its address, of which only a hash is kept.
    404 when one of the clips does not exist or is not yours.
    """
    wanted, token = f"share link\n{member.workspace_id}\n{body.model_dump_json()}", None
    password_hash = None if body.password is None else passwords.hashed(body.password)
    with db.write_session() as session:
        made_id = keys.made_before(session, member.user, idempotency_key, request=wanted)
        if made_id is None:
            made = share_links.make(
                session,
                member,
                body.generation_ids,
                title=body.title,
                lifetime_hours=body.lifetime_hours,
                password_hash=password_hash,
                allow_download=body.allow_download,
                show_prompt=body.show_prompt,
            )
            keys.remember(session, member.user, idempotency_key, request=wanted, made_id=made.link.id)
            token = made.token
        row = share_links.get(session, member, made_id or made.link.id)
    base = addresses.base_url(request, installation.settings).removesuffix(config.API_PATH)
    url = None if token is None else f"{base}{share_visits.path_of(token)}"
    answer = NewShareLinkAnswer(share_link=ShareLinkShape.of(row), url=url)
    return routing.written(answer, status=201, headers=idempotency.headers(replayed=made_id is not None))


@router.get("/share-links/{id}", responses=refuses(403, 404))
def get_share_link(member: CurrentMember, link_id: PathId, query: Annotated[VisitsQuery, Query()]) -> ShareLinkAnswer:
    """Get a link and who came by it, newest first, a page at a time."""
    with db.read_session() as session:
        row = share_links.get(session, member, link_id)
        visits = share_links.visits(session, row.link, before_id=query.cursor, limit=query.limit + 1)
    page = visits[: query.limit]
    return ShareLinkAnswer(
        share_link=ShareLinkShape.of(row),
        visits=[Visit.of(visit) for visit in page],
        next_cursor=page[-1].id if len(visits) > query.limit else None,
    )


@router.delete("/share-links/{id}", responses=refuses(404, 409))
def revoke_share_link(member: CurrentMember, link_id: PathId) -> responses.Response:
    """Revoke a link: the next request by it, for a part of a clip as well, is answered with 404."""
    with db.write_session() as session:
        share_links.revoke(session, member, link_id)
    return responses.Response()
