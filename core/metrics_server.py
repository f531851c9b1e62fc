"""A small server of its own thread, for who watches a process: what it answers is handed in, by path.

It is for loopback and closed networks: nobody says who they are here.
"""

import logging
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

log = logging.getLogger(__name__)

METRICS = "/metrics"

SLOWEST_SECONDS = 5.0
"""How long somebody may take to say what they want."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said at a path."""

    body: bytes
    content_type: str = "text/plain; charset=utf-8"
    status: int = 200


@contextmanager
def serving(host: str, port: int, paths: Mapping[str, Callable[[], Answer]]) -> Iterator[int]:
    """Answer at these paths while the block runs; yields the port, a free one for 0. OSError if it is taken."""
    server = _server(host, port, paths)
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


def _server(host: str, port: int, paths: Mapping[str, Callable[[], Answer]]) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        timeout = SLOWEST_SECONDS

        def do_GET(self) -> None:
            """Answer, or say that there is nothing or that it broke."""
            found = paths.get(self.path.partition("?")[0])
            answer = Answer(b"There is nothing here.\n", status=404)
            if found is not None:
                try:
                    answer = found()
                except Exception:
                    log.exception("%s cannot be answered", self.path)
                    answer = Answer(b"It cannot be said now.\n", status=500)
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: it is asked every few seconds."""

    class Server(ThreadingHTTPServer):
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        daemon_threads = True

        def server_bind(self) -> None:
            """Without asking a name server what this address is called."""
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.socket.bind(self.server_address)
            self.server_address = self.socket.getsockname()
            self.server_name, self.server_port = host, self.server_address[1]

    return Server((host, port), Handler)
