"""Reads that clients repeat: an ETag on every JSON answer, 304 where nothing has changed, and HEAD beside GET.

Streams and stored files pass through untouched; `ranges` answers conditions on those.
"""

import hashlib

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.api.http import ranges
from core.api.http.permissions import RouteTable, route_path

_HELD_BACK = "application/json"
_NOT_IN_304 = ("content-length", "content-type")


class ConditionalGetMiddleware:
    """Answers conditions on what the API says, once it is known what it would say."""

    def __init__(self, app: ASGIApp, *, table: RouteTable) -> None:
        self._app = app
        self._table = table

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a read on as GET and look at its answer; let everything else be."""
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        method = scope["method"]
        if method == "HEAD" and not self._table.has("HEAD", route_path(scope)):
            scope = {**scope, "method": "GET"}
        if_none_match = Headers(scope=scope).get("if-none-match")
        await self._app(
            scope, receive, _ConditionalSend(send, if_none_match=if_none_match, without_body=method == "HEAD")
        )


class _ConditionalSend:
    """One answer on its way out; its head is held back until the body is known, if it comes in one piece."""

    def __init__(self, send: Send, *, if_none_match: str | None, without_body: bool) -> None:
        self._send = send
        self._if_none_match = if_none_match
        self._without_body = without_body
        self._head: Message | None = None
        self._ended = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=message["headers"])
            if message["status"] == 200 and headers.get("content-type", "").startswith(_HELD_BACK):
                self._head = message
                return
        elif message["type"] == "http.response.body":
            if self._head is not None:
                message = await self._decide(self._head, message)
                self._head = None
            if self._without_body:
                if self._ended:
                    return
                # The first piece is the last, or HEAD of a stream would go on for as long as the stream.
                message, self._ended = {**message, "body": b"", "more_body": False}, True
        await self._send(message)

    async def _decide(self, head: Message, message: Message) -> Message:
        """Send the head, as it is or as 304; the body that goes with it."""
        headers = MutableHeaders(raw=head["headers"])
        body: bytes = message.get("body", b"")
        if not message.get("more_body", False) and "etag" not in headers:
            etag = f'W/"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
            headers["ETag"] = etag
            headers.setdefault("Cache-Control", "private, no-cache")
            headers.add_vary_header("Authorization")
            if self._if_none_match is not None and ranges.matches(etag, self._if_none_match):
                for name in _NOT_IN_304:
                    del headers[name]
                head, message = {**head, "status": 304}, {**message, "body": b""}
        await self._send(head)
        return message
