"""What one connection may take of the server: how large a head is, how long head and body may come, how many there are.

An ASGI application sees a request once its head is here, so these limits stand in the server's own protocol.
"""

import asyncio
import http
import ipaddress
import weakref
from collections import defaultdict
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from core import installation
from core.api.http.visitors import PEER
from core.webserver import hosts

HEAD_LIMIT_BYTES = 64 * 1024
HEAD_SECONDS = 20.0
"""How long the head of a request may take, from the beginning of a connection or from its first byte."""

BODY_SECONDS = 30.0
BODY_BYTES_PER_SECOND = 2048
"""A body may take BODY_SECONDS, and a second more for so many bytes that have come (as Apache's mod_reqtimeout)."""

UVICORN_DEFAULT = "127.0.0.1,::1"
"""Whose word counts where FORWARDED_ALLOW_IPS is not set; nobody has named a proxy then."""


class ConnectionLimits:
    """Puts the limits into the uvicorn that serves this application, before it begins to listen."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on; the server is found by the lifespan, which it begins."""
        if scope["type"] == "lifespan":
            server = getattr(getattr(receive, "__self__", None), "config", None)
            if isinstance(server, Config):
                server.http_protocol_class = limited(server)
                server.loaded_app = RememberPeer(server.loaded_app)
        await self._app(scope, receive, send)


class RememberPeer:
    """Notes who is really connected, before uvicorn believes what proxies say of whom they ask for."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on."""
        client = scope.get("client")
        await self._app({**scope, PEER: client[0] if client else ""}, receive, send)


def limited(server: Config) -> type[HttpToolsProtocol]:
    """A protocol for this server, whose connections are counted together."""
    census = Census(trusted=server.forwarded_allow_ips)
    return type("LimitedProtocol", (LimitedHttpProtocol,), {"census": census})


class Census:
    """How many connections each address has open; those of a proxy that the operator has named are not counted."""

    def __init__(self, *, trusted: list[str] | str | None) -> None:
        self._open: defaultdict[str, weakref.WeakSet[asyncio.Transport]] = defaultdict(weakref.WeakSet)
        self._trusts_all = trusted in ("*", ["*"])
        self._proxies = _networks(trusted)
        self._is_named = trusted != UVICORN_DEFAULT

    def admits(self, transport: asyncio.Transport, peer: str, *, limit: int) -> bool:
        """Count a new connection; False when its address has as many as may be. 0: no limit."""
        if limit == 0 or (self._is_named and self.trusts(peer)):
            return True
        mine = self._open[_counted_as(peer)]
        if len(mine) >= limit:
            # A connection that became a websocket does not come back here at its end.
            for other in [other for other in mine if other.is_closing()]:
                mine.discard(other)
        if len(mine) >= limit:
            return False
        mine.add(transport)
        return True

    def ended(self, transport: asyncio.Transport, peer: str) -> None:
        """Count a connection no more."""
        place = _counted_as(peer)
        if place in self._open:
            self._open[place].discard(transport)
            if not self._open[place]:
                del self._open[place]

    def trusts(self, peer: str) -> bool:
        """Whether a peer is a proxy whose word counts."""
        found = hosts.address(peer)
        return self._trusts_all or (found is not None and any(found in network for network in self._proxies))


class LimitedHttpProtocol(HttpToolsProtocol):
    """HTTP/1.1 as uvicorn reads it, within limits."""

    census: Census
    head_seconds = HEAD_SECONDS
    body_seconds = BODY_SECONDS

    _head_bytes: int | None = 0
    """How much of a head has come; None while none is being read."""

    _body_bytes = 0
    _body_began = 0.0
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a head, if the address may have another connection."""
        super().connection_made(transport)
        if self.census.admits(transport, self._peer, limit=installation.current().settings.connections_per_address):
            self._wait_for_head()
        else:
            self._refuse(http.HTTPStatus.SERVICE_UNAVAILABLE)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._stop_waiting()
        self.census.ended(self.transport, self._peer)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on; of a head no more than may be."""
        if self._head_bytes is None and self._deadline is None:
            self._wait_for_head()  # what follows a request is the next one's, be it an empty line
        while data and not self.transport.is_closing():
            if self._head_bytes is None:
                super().data_received(data)
                return
            part, data = data[: HEAD_LIMIT_BYTES - self._head_bytes], data[HEAD_LIMIT_BYTES - self._head_bytes :]
            self._head_bytes += len(part)
            super().data_received(part)
            if self._head_bytes is not None and self._head_bytes >= HEAD_LIMIT_BYTES:
                self._refuse(http.HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def on_message_begin(self) -> None:
        """Begin to count a head, which may stand right behind the request before it."""
        super().on_message_begin()
        if self._head_bytes is None:
            self._wait_for_head()

    def on_headers_complete(self) -> None:
        """Begin to wait for the body."""
        self._stop_waiting()
        if not self.census.trusts(self._peer):
            self.headers[:] = [header for header in self.headers if header[0] != b"x-forwarded-prefix"]
        super().on_headers_complete()
        self._body_bytes, self._body_began = 0, self.loop.time()
        self._deadline = self.loop.call_later(self.body_seconds, self._look_at_body)

    def on_body(self, body: bytes) -> None:
        """Count a piece of the body."""
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Wait for nothing more of this request."""
        self._stop_waiting()
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        """Leave the connection to another protocol, which has times of its own."""
        self._stop_waiting()
        super().handle_websocket_upgrade()

    @property
    def _peer(self) -> str:
        return self.client[0] if self.client else ""

    def _wait_for_head(self) -> None:
        self._stop_waiting()
        self._head_bytes = 0
        self._deadline = self.loop.call_later(self.head_seconds, self._refuse, http.HTTPStatus.REQUEST_TIMEOUT)

    def _look_at_body(self) -> None:
        """Let a body go on that comes fast enough, or that waits for us; end the others."""
        if self.flow.read_paused:
            self._body_began = self.loop.time() - self._body_bytes / BODY_BYTES_PER_SECOND
        left = self._body_began + self.body_seconds + self._body_bytes / BODY_BYTES_PER_SECOND - self.loop.time()
        if left <= 0:
            self._refuse(http.HTTPStatus.REQUEST_TIMEOUT)
        else:
            self._deadline = self.loop.call_later(left, self._look_at_body)

    def _stop_waiting(self) -> None:
        self._head_bytes = None
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _refuse(self, status: http.HTTPStatus) -> None:
        """Say why, unless an answer is on its way, and end the connection."""
        self._stop_waiting()
        if self.transport.is_closing():
            return
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            head = f"HTTP/1.1 {status.value} {status.phrase}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
            self.transport.write(head.encode())
        self.transport.close()


def _counted_as(peer: str) -> str:
    """What counts as one address: of IPv6 the /64 that one subscriber is given."""
    found = hosts.address(peer)
    return str(ipaddress.ip_network((found, 64), strict=False)) if isinstance(found, ipaddress.IPv6Address) else peer


def _networks(trusted: list[str] | str | None) -> list[Any]:
    """The addresses and networks of FORWARDED_ALLOW_IPS; what is neither names no peer of ours."""
    found = []
    for item in trusted.split(",") if isinstance(trusted, str) else trusted or ():
        try:
            found.append(ipaddress.ip_network(item.strip(), strict=False))
        except ValueError:
            continue
    return found
