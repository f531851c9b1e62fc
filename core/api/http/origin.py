"""Where a request comes from, and the id by which people find it again: in its answer, in the audit log and in ours.

An id that a proxy or a client has given is kept if it is harmless to write down; else one is made.
"""

import re

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core import audit_log, ids, logs

HEADER = "X-Request-Id"
PATTERN = r"[A-Za-z0-9._:=+/~-]{1,64}"
_HARMLESS = re.compile(PATTERN)


class OriginMiddleware:
    """Lets everything behind it know the client's address and the request's id, and answers with the id.

    The address is the one that the server goes by: of whoever has connected, or, behind a proxy that
    `FORWARDED_ALLOW_IPS` names, of whom that proxy speaks for. Where it stands around the whole server and around a
    part of it, the outer one gives the id.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; its answer gets the id as a header."""
        if scope["type"] not in ("http", "websocket") or _GIVEN in scope:
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get(HEADER, "")
        request_id = given if _HARMLESS.fullmatch(given) else ids.new_id()

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[HEADER] = request_id
            await send(message)

        client = (scope.get("client") or ("",))[0]
        with audit_log.acting_from(client, request_id), logs.bound(request_id=request_id):
            await self._app({**scope, _GIVEN: request_id}, receive, send_with_id)


_GIVEN = "request_id"
