"""A small server of its own thread, for who watches a process: what it answers is handed in, by path.

It is for loopback and closed networks: nobody says who they are here.
"""

import logging
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

log = logging.getLogger(__name__)

METRICS = "/metrics"

SLOWEST_SECONDS = 5.0
"""How long somebody may take to say what they want."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What an address says."""

    body: bytes
    media_type: str = "text/plain; charset=utf-8"
    status: HTTPStatus = HTTPStatus.OK


@contextmanager
def serving(host: str, port: int, paths: Mapping[str, Callable[[], Answer]]) -> Iterator[int]:
    """Answer at these paths while the block runs; yields the port, a free one for 0. OSError if it is taken."""
    server = _server(host, port, paths)
    threading.Thread(target=server.serve_forever, name="status", daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


def _server(host: str, port: int, paths: Mapping[str, Callable[[], Answer]]) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        timeout = SLOWEST_SECONDS
        server_version, sys_version = "status", ""

        def do_GET(self) -> None:
            self._answer(with_body=True)

        def do_HEAD(self) -> None:
            self._answer(with_body=False)

        def _answer(self, *, with_body: bool) -> None:
            path = urlsplit(self.path).path
            answer = _said(path, paths.get(path))
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.media_type)
            self.send_header("Content-Length", str(len(answer.body)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            if with_body:
                self.wfile.write(answer.body)

        def log_message(self, *_given: object) -> None:
            """Nothing: it is asked every few seconds."""

    class Server(ThreadingHTTPServer):
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        daemon_threads = True
        block_on_close = False

        def handle_error(self, *_given: object) -> None:
            """Nothing of a client that has left."""

        def server_bind(self) -> None:
            """Without asking a name server what this address is called."""
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.socket.bind(self.server_address)
            self.server_address = self.socket.getsockname()
            self.server_name, self.server_port = host, self.server_address[1]

    return Server((host, port), Handler)


def _said(path: str, look: Callable[[], Answer] | None) -> Answer:
    """The answer, or that there is none, or that it broke."""
    if look is None:
        return Answer(b"There is nothing here.\n", status=HTTPStatus.NOT_FOUND)
    try:
        return look()
    except Exception:
        log.exception("%s cannot be answered", path)
        return Answer(b"It cannot be said now.\n", status=HTTPStatus.INTERNAL_SERVER_ERROR)
