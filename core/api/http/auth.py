"""Who is asking: a bearer token, or else the session of a browser, is looked at before anything of the body is read."""

import re
from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import Depends, Header, Path
from pydantic import AfterValidator
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as Connection

from core import db, errors, installation, logs, security_log
from core.api.http import error_handlers, visitors
from core.api.http.permissions import RouteTable, route_path
from core.db import availability
from core.db.enums import Scope
from core.identity import api_tokens
from core.installation import Installation
from core.messages import plain
from core.redis import rate_limits
from core.retry import OnceAWhile
from core.workspaces import members
from core.workspaces.access import Member

POLICY = "token"
"""How the one rate limit is called in its headers."""

_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


_refusals = OnceAWhile(every_seconds=60)


@dataclass(frozen=True, slots=True)
class Caller:
    """The person of a request at work in a workspace, how far their token reaches, and how often it may still call.

    Whoever comes by the session of a browser reaches as far as they may themselves.
    """

    member: Member
    scope: Scope
    allowance: rate_limits.RateLimitState | None


class AuthMiddleware:
    """Lets a request in when the table asks for nobody, or when its token or its browser's session is valid, reaches
    far enough and is not used too often."""

    def __init__(self, app: ASGIApp, *, table: RouteTable) -> None:
        self._app = app
        self._table = table

    async def __call__(self, scope: Connection, receive: Receive, send: Send) -> None:
        """Pass the request on with its caller, or answer in its place."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        need = self._table.required_scope(scope["method"], route_path(scope))
        has_sign_in = installation.current().settings.has_sign_in
        is_for_visitors = has_sign_in and self._table.is_for_visitors(scope["method"], route_path(scope))
        if need is None and not is_for_visitors:
            await self._app(scope, receive, send)
            return
        try:
            caller = await _identify(scope, has_sign_in=has_sign_in)
            send = _with_rate_headers(caller.allowance, send)
            check_rate_limit(caller.allowance)
            check_scope(caller.scope, need or Scope.READ)
        except errors.AppError as refused:
            if isinstance(refused, errors.Unauthorized | errors.Forbidden):
                _note_refusal(scope, refused)
            answer = await error_handlers.app_error(Request(scope), refused)
            await answer(scope, receive, send)
            return
        scope.setdefault("state", {})["caller"] = caller
        logs.bind(user_id=caller.member.id)
        await self._app(scope, receive, send)


def _note_refusal(scope: Connection, refused: errors.AppError) -> None:
    """In the log, once a minute for an address: a flood must not fill it."""
    client = (scope.get("client") or ("an unknown address",))[0]
    if _refusals.is_news((client, refused.code)):
        security_log.refused(
            f"token refused ({refused.code})", client=client, asked=f"{scope['method']} {scope['path']}"
        )


async def _identify(scope: Connection, *, has_sign_in: bool) -> Caller:
    """The caller of a token; of a browser's session where people sign in and no token came. Unauthorized, Forbidden."""
    authorization = Headers(scope=scope).get("authorization", "")
    if has_sign_in and not authorization.lower().startswith("bearer "):
        return await run_in_threadpool(_of_browser, scope)
    return await authenticate(authorization)


def _of_browser(scope: Connection) -> Caller:
    """Who comes by the session of a browser, from a page of ours, or whom a front names."""
    here = installation.current()
    visitor = visitors.recognise(scope, notes_use=True)
    session_id = None
    if visitor.signed_in is not None:
        user, session_id = visitor.signed_in.user, visitor.signed_in.id
        key = f"session {session_id}"
    elif visitor.named is not None:
        user = visitors.person_named(visitor.named, here.settings)
        key = f"person {user.id}"
    else:
        raise errors.Unauthorized
    visitors.check_origin(scope, here.settings)
    with db.read_session() as session:
        member = replace(members.at_work(session, user), session_id=session_id)
    return Caller(member, Scope.ADMIN, here.request_limiter.consume(key))


async def authenticate(authorization: str) -> Caller:
    """The caller an Authorization header names, counted against their rate; Unauthorized without a valid token.

    It leaves the event loop only to wait: for the database, once a second and token, and for Redis where it counts.
    """
    scheme, _, token = authorization.partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise errors.Unauthorized
    here = installation.current()
    found = here.callers.get(token, now=here.database.clock.now())
    if found is not None and not here.request_limiter.is_enforced:
        return Caller(found[0], found[1].scope, None)
    return await run_in_threadpool(_authenticate, here, token)


def _authenticate(here: Installation, token: str) -> Caller:
    found = here.callers.get(token, now=here.database.clock.now())
    if found is None:
        with db.read_session() as session:
            found = here.callers.authenticate(session, token)
        if api_tokens.use_is_old(found[1], now=here.database.clock.now()):
            _note_use(found[1].id)
    member, row = found
    return Caller(member, row.scope, here.request_limiter.consume(row.id))


def check_scope(scope: Scope, need: Scope) -> None:
    """Return when the token reaches as far as the route needs; else Forbidden."""
    if not api_tokens.satisfies(scope, need):
        raise errors.Forbidden(
            plain(
                f"This token has the scope '{scope}'; this needs '{need}'. "
                "Make a token of that scope on the account page."
            )
        )


def check_rate_limit(allowance: rate_limits.RateLimitState | None) -> None:
    """Return while the token may send; else RateLimited. None: nobody counts."""
    if allowance is not None and allowance.wait_seconds > 0:
        raise errors.RateLimited(
            plain(f"This token may send {allowance.per_minute} requests a minute. Wait, then go on more slowly."),
            retry_after_seconds=allowance.wait_seconds,
        )


WORKSPACE_HEADER = "Workspace-Id"
"""Names the workspace of a request; one that the caller does not reach is 404."""

WorkspaceId = Annotated[
    str | None,
    Header(
        alias=WORKSPACE_HEADER,
        description="Where lists look and new things are made, if not in your personal workspace or in that of the "
        "token. What has an id is found in any workspace that the token reaches.",
    ),
]


async def current_member(request: Request, workspace_id: WorkspaceId = None) -> Member:
    """The person of the request's token, whom the gate has let in; NotFound for a workspace that they do not reach."""
    caller: Caller = request.state.caller
    return caller.member if workspace_id is None else caller.member.moved_to(workspace_id)


def _well_formed_id(id: str) -> str:
    """An id in the path; NotFound at once for what can be nobody's id, so that the database never sees it."""
    if not _ID.fullmatch(id):
        raise errors.NotFound
    return id


CurrentMember = Annotated[Member, Depends(current_member)]
WellFormedId = AfterValidator(_well_formed_id)
ID_SCHEMA = {"pattern": f"^{_ID.pattern}$"}
PathId = Annotated[str, Path(alias="id", json_schema_extra=ID_SCHEMA), WellFormedId]


def _with_rate_headers(allowance: rate_limits.RateLimitState | None, send: Send) -> Send:
    """Send with the two headers of the IETF's draft (draft-ietf-httpapi-ratelimit-headers, 09 and later)."""
    if allowance is None:
        return send
    left, full_in = allowance.remaining, allowance.full_in_seconds
    headers = [
        (b"ratelimit-policy", f'"{POLICY}";q={allowance.per_minute};w=60'.encode()),
        (b"ratelimit", f'"{POLICY}";r={left};t={full_in}'.encode()),
    ]

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], *headers]}
        await send(message)

    return send_with_headers


def _note_use(token_id: str) -> None:
    """Write down that a token was used, in a transaction of its own: most requests only read."""
    try:
        with db.write_session() as session:
            api_tokens.note_use(session, token_id)
    except SQLAlchemyError as failure:
        # The request itself can still be answered; the next one notes it.
        if not availability.is_away(failure):
            raise
