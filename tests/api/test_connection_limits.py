"""The server's protocol on a real socket, with short times."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from core.installation import Installation
from core.webserver.connection_limits import HEAD_LIMIT_BYTES, ConnectionLimits, LimitedHttpProtocol, limited
from tests.factories import installations

HEAD = b"GET / HTTP/1.1\r\nHost: localhost\r\n"
POST = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n"
UPGRADE = (
    b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
PATIENCE_SECONDS = 30


async def echo(request: Request) -> Response:
    """How much came, and below which path the front says it is."""
    return PlainTextResponse(f"{len(await request.body())} {request.headers.get('x-forwarded-prefix')}")


async def hold(websocket: WebSocket) -> None:
    """A websocket that stays until its client goes."""
    await websocket.accept()
    with contextlib.suppress(Exception):
        await websocket.receive()


@contextlib.contextmanager
def serving(*, forwarded_allow_ips: str | None = None) -> Iterator[int]:
    """The port of a server with the limits, whose times are short."""
    app = Starlette(routes=[Route("/", echo, methods=["GET", "POST"]), WebSocketRoute("/ws", hold)])
    config = uvicorn.Config(
        ConnectionLimits(app), log_level="critical", forwarded_allow_ips=forwarded_allow_ips, lifespan="on"
    )
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:

        async def serve() -> None:
            config.load()
            server.lifespan = config.lifespan_class(config)
            await server.startup([listening])
            assert issubclass(config.http_protocol_class, LimitedHttpProtocol), "the lifespan has put it in"
            short = type("Short", (limited(config),), {"head_seconds": 0.3, "body_seconds": 0.5})
            config.http_protocol_class = short
            started.set()
            await server.main_loop()
            await server.shutdown([listening])

        started = threading.Event()
        thread = threading.Thread(target=lambda: asyncio.run(serve()))
        thread.start()
        assert started.wait(PATIENCE_SECONDS)
        try:
            yield listening.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(PATIENCE_SECONDS)


def call(port: int) -> socket.socket:
    """A new connection."""
    return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS)


def until_closed(connection: socket.socket) -> bytes:
    """All that comes until the server ends the connection."""
    found = b""
    with contextlib.suppress(ConnectionError):
        while piece := connection.recv(65536):
            found += piece
    return found


@pytest.mark.parametrize(
    "sent", [b"", b"\r\n", b"G", HEAD, HEAD + b"\r\n" + b"\r\n", HEAD + b"\r\n" + HEAD, POST, POST + b"x" * 100]
)
def test_request_sent_by_half(installation: Installation, sent: bytes) -> None:
    """Wherever a request stops, its connection ends."""
    with serving() as port, call(port) as connection:
        connection.sendall(sent)
        until_closed(connection)


def test_body_that_comes_slowly_and_steadily(installation: Installation) -> None:
    """A body that comes fast enough is taken, however long all of it takes."""
    with serving() as port, call(port) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 20000\r\n\r\n")
        for _ in range(10):
            connection.sendall(b"x" * 2000)
            threading.Event().wait(0.1)
        assert b"20000 None" in until_closed(connection)


@pytest.mark.parametrize("piece_bytes", [100, 7000, 1_000_000])
def test_head_without_end(installation: Installation, piece_bytes: int) -> None:
    """A head is read up to its limit and no further, in one header or in many, in pieces of whatever size."""
    head = HEAD + b"X-A: " + b"a" * HEAD_LIMIT_BYTES * 3
    with serving() as port, call(port) as connection:
        with contextlib.suppress(ConnectionError):
            for start in range(0, len(head), piece_bytes):
                connection.sendall(head[start : start + piece_bytes])
        assert until_closed(connection)[:12] in (b"HTTP/1.1 431", b"")  # the answer may be lost with what was unread


def test_head_just_below_the_limit(installation: Installation) -> None:
    """A large head is read, and the next request of the same connection as well."""
    large = HEAD + b"X-A: " + b"a" * (HEAD_LIMIT_BYTES - 200) + b"\r\n\r\n"
    with serving() as port, call(port) as connection:
        connection.sendall(large + large.replace(b"GET / HTTP/1.1", b"GET / HTTP/1.1\r\nConnection: close"))
        assert until_closed(connection).count(b"200 OK") == 2


def test_connections_of_one_address(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    """An address has so many connections at once, websockets among them; one that ends makes room."""
    monkeypatch.setenv("CONNECTIONS_PER_ADDRESS", "3")
    installations.reopen()
    with serving() as port:
        sockets = [call(port) for _ in range(3)]
        for each in sockets:
            each.sendall(b"GET /ws HTTP/1.1\r\nHost: localhost\r\n" + UPGRADE)
            assert each.recv(1000).startswith(b"HTTP/1.1 101")
        with call(port) as refused:
            assert until_closed(refused)[:12] in (b"HTTP/1.1 503", b"")
        sockets.pop().close()
        for _attempt in range(100):
            with call(port) as connection:
                connection.sendall(HEAD + b"Connection: close\r\n\r\n")
                if b"200 OK" in until_closed(connection):
                    break
        else:
            pytest.fail("an ended websocket made no room")
        for each in sockets:
            each.close()


def test_connections_of_a_named_proxy(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever comes through a proxy that the operator names is not counted as the proxy."""
    monkeypatch.setenv("CONNECTIONS_PER_ADDRESS", "1")
    installations.reopen()
    with serving(forwarded_allow_ips="127.0.0.1") as port:
        connections = [call(port) for _ in range(4)]
        for connection in connections:
            connection.sendall(HEAD + b"Connection: close\r\n\r\n")
            assert b"200 OK" in until_closed(connection)
            connection.close()


@pytest.mark.parametrize(("trusted", "prefix"), [("127.0.0.1", b"0 /studio"), ("10.0.0.0/8", b"0 None")])
def test_prefix_of_a_peer(installation: Installation, trusted: str, prefix: bytes) -> None:
    """Only a trusted proxy says below which path it is."""
    with serving(forwarded_allow_ips=trusted) as port, call(port) as connection:
        connection.sendall(HEAD + b"X-Forwarded-Prefix: /studio\r\nConnection: close\r\n\r\n")
        assert prefix in until_closed(connection)
