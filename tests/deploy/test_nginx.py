"""What nginx does with our files, before two nodes that tell what they were asked."""

import json
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from tests.deploy import nginx
from tests.system.app import free_port


class Node:
    """A web process in the place of ours; an event stream says one word, and the next when it is let go on."""

    def __init__(self, name: str) -> None:
        node, self.goes_on = self, threading.Event()
        self.connections: list[socket.socket] = []

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                node.connections.append(self.connection)

            def do_GET(self) -> None:
                self.send_response(200)
                if self.path.endswith("/generations/events"):
                    self.send_header("Content-Type", "text/event-stream")
                    self.send_header("Connection", "close")
                    self.end_headers()
                    self.wfile.write(b"data: one\n\n")
                    node.goes_on.wait(60)
                    self.wfile.write(b"data: two\n\n")
                    self.close_connection = True
                    return
                body = json.dumps({"node": name, "headers": dict(self.headers)}).encode()
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_given: object) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]

    @contextmanager
    def running(self) -> Iterator["Node"]:
        """While the block runs, unless it is ended before."""
        thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.goes_on.set()
            self.end()

    def end(self) -> None:
        """Take no more connections, and close those that are open."""
        self.server.shutdown()
        self.server.server_close()
        for connection in self.connections:
            with suppress(OSError):  # closed already
                connection.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def nodes() -> Iterator[tuple[Node, Node]]:
    """Two of them."""
    with Node("one").running() as one, Node("two").running() as two:
        yield one, two


@pytest.fixture
def client(nodes: tuple[Node, Node], tmp_path: Path) -> Iterator[httpx.Client]:
    """Asks nginx; keeps no cookies by itself."""
    port = free_port()
    with (
        nginx.running(tmp_path, port=port, nodes=[node.port for node in nodes]),
        httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60) as found,
    ):
        yield found


def node_of(client: httpx.Client, cookie: str) -> str:
    """Which node answers a browser with this cookie."""
    answer = client.get("/", headers={"Cookie": f"avg_node={cookie}"})
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
    found: str = answer.json()["node"]
    return found


def test_browser_stays_at_one_node(client: httpx.Client, nodes: tuple[Node, Node]) -> None:
    """A first answer brings a cookie, with which one node answers; browsers are spread, and go on where one node is."""
    first = client.get("/")
    said = first.headers["set-cookie"]
    assert said.endswith("; Path=/; HttpOnly; SameSite=Lax")
    cookie = said.partition("=")[2].partition(";")[0]
    assert {node_of(client, cookie) for _ in range(6)} == {first.json()["node"]}
    before = {each: node_of(client, each) for each in (uuid.uuid4().hex for _ in range(40))}
    assert set(before.values()) == {"one", "two"}
    assert {each: node_of(client, each) for each in before} == before

    nodes[0].end()
    assert {node_of(client, each) for each in before} == {"two"}


def test_what_the_app_is_told(client: httpx.Client) -> None:
    """It hears the name and port that were asked for and who asks; nobody outside says below which path it is."""
    told = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Prefix": "/evil", "X-Forwarded-Proto": "https"}
    heard = client.get("/", headers=told | {"Host": "video.example.org:8443", "X-Request-Id": "mine-1"}).json()[
        "headers"
    ]
    assert heard["Host"] == "video.example.org:8443"
    assert (heard["X-Forwarded-For"], heard["X-Forwarded-Proto"]) == ("203.0.113.9, 127.0.0.1", "http")
    assert (heard.get("X-Forwarded-Prefix"), heard["X-Request-Id"]) == (None, "mine-1")
    other = client.get("/", headers={"X-Request-Id": "not one{}"}).json()["headers"]["X-Request-Id"]
    assert len(other) == 32


def test_event_stream_is_passed_on_at_once(client: httpx.Client, nodes: tuple[Node, Node]) -> None:
    """The first word is there before the second is said, also below a path."""
    for path in ("/api/apps/video-generator/generations/events", "/studio/api/apps/video-generator/generations/events"):
        for node in nodes:
            node.goes_on.clear()
        with client.stream("GET", path) as answer:
            words = answer.iter_lines()
            assert next(words) == "data: one"
            for node in nodes:
                node.goes_on.set()
            assert "data: two" in list(words)


def test_bodies_have_a_limit(client: httpx.Client) -> None:
    """What is larger than anything that the app takes is refused here, before it is sent."""
    with socket.create_connection((client.base_url.host, client.base_url.port or 80), timeout=60) as asking:
        head = f"POST /api/apps/video-generator/assets HTTP/1.1\r\nHost: a\r\nContent-Length: {36 * 1024**2}\r\n\r\n"
        asking.sendall(head.encode())
        assert asking.recv(100).startswith(b"HTTP/1.1 413 ")


def test_log_holds_no_key_to_anything(client: httpx.Client, tmp_path: Path) -> None:
    """Neither a signature of a link, nor the word by which people outside see a clip, is written into the log."""
    client.get("/api/apps/video-generator/media/videos/1.mp4?signature=planted-signature")
    client.get("/share/planted-word")
    client.get("/studio/share/planted-word/clip.mp4")
    client.get("/share/planted-word/a/share/b")
    end = time.monotonic() + 60
    while (log := (tmp_path / "access.log").read_text(encoding="utf-8")).count("/share/...") < 3:  # after its answer
        assert time.monotonic() < end, log
        time.sleep(0.05)
    assert "/media/videos/1.mp4" in log
    assert "planted" not in log
