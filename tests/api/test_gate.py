"""The product's middleware in front of a page, a websocket and the API."""

import asyncio
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Message

from core.api import mounted
from core.config import API_PATH
from core.installation import Installation
from core.webserver.base_path import BasePath
from core.webserver.gate import Gate
from core.webserver.security_headers import SecurityHeaders
from tests.api.conftest import Client, picture, refusal
from tests.factories import installations

HEADERS = ("content-security-policy", "x-content-type-options", "referrer-policy", "permissions-policy")


async def page(request: Request) -> Response:
    """Stands for every page of Streamlit, which answers whatever it is asked for."""
    if request.url.path.endswith("/"):
        return RedirectResponse("/generate")
    if request.url.path.endswith("/broken"):
        raise RuntimeError
    return PlainTextResponse(f"page {request.url.path}")


def app(base_path: str = "") -> Starlette:
    """What app.py puts together, without Streamlit."""
    mounts = [mounted(path) for path in dict.fromkeys((API_PATH, f"{base_path}{API_PATH}"))]
    return Starlette(
        routes=[*mounts, Route("/{path:path}", page)],
        middleware=[
            Middleware(SecurityHeaders, scripts=["window.here = 1"]),
            Middleware(BasePath, base_path=base_path),
            Middleware(Gate, base_path=base_path, allowed_hosts=["also.example.org"]),
        ],
    )


def ask(
    path: str, *, base_path: str = "", peer: str = "127.0.0.1", method: str = "GET", **options: Any
) -> httpx.Response:
    """One request as it comes from a connection of `peer`."""

    async def exchange() -> httpx.Response:
        transport = httpx.ASGITransport(app=app(base_path), client=(peer, 123), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8501") as client:
            return await client.request(method, path, **options)

    return asyncio.run(exchange())


def connect(headers: dict[str, str]) -> str:
    """What a websocket is answered first."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    async def accept(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})

    scope = {
        "type": "websocket",
        "path": "/_stcore/stream",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
    }
    asyncio.run(Gate(accept)(scope, receive, send))
    return str(sent[0]["type"])


@pytest.mark.parametrize("path", ["/generate", f"{API_PATH}/health", f"{API_PATH}/projects", "/api/x", "/broken"])
def test_answer_has_its_headers(installation: Installation, path: str) -> None:
    """Every answer, also a refusal and a failure, tells the browser what may run and who may frame it."""
    answer = ask(path)

    assert all(answer.headers.get(name) for name in HEADERS)
    assert "frame-ancestors 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_frames_that_are_allowed(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    """A setting names whose pages may frame ours; the page of the documentation keeps its own, stricter policy."""
    monkeypatch.setenv("FRAME_ANCESTORS", "https://intranet.example.org, https://wiki.example.org:8443")
    installations.reopen()

    policy = ask("/generate").headers["content-security-policy"]

    assert policy.endswith("frame-ancestors 'self' https://intranet.example.org https://wiki.example.org:8443")
    assert "'sha256-" in policy
    assert "frame-ancestors 'none'" in ask(f"{API_PATH}/docs").headers["content-security-policy"]


@pytest.mark.parametrize("name", ["X-Real-IP", "X-Forwarded-For", "True-Client-IP", "CF-Connecting-IP", "Client-IP"])
@pytest.mark.parametrize("path", ["/generate", f"{API_PATH}/health", "/_stcore/health"])
def test_stranger_behind_a_proxy(installation: Installation, path: str, name: str) -> None:
    """Without sign-in a proxy that asks for somebody else is refused, by whichever header it says so."""
    assert ask(path, headers={name: "8.8.8.8"}).status_code == 403
    assert ask(path, headers={name: "127.0.0.1"}).status_code != 403


def test_other_machine(installation: Installation) -> None:
    """Without sign-in only this machine is answered, by its own names, however they are written."""
    assert ask("/generate", peer="10.0.0.7").status_code == 403
    assert ask("/generate", headers={"Host": "evil.example"}).status_code == 403
    for host in ("LOCALHOST:8501", "localhost.:8501", "127.0.0.1", "[::1]:8501"):
        assert ask("/generate", headers={"Host": host}).status_code == 200
    assert refusal(ask(f"{API_PATH}/health", peer="10.0.0.7"))[:2] == (403, "forbidden")


def test_host_names_when_open(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages answer by the names that were set and by addresses; the API, whose callers bring a token, by any."""
    monkeypatch.setenv("AUTH_MODE", "open")
    monkeypatch.setenv("ALLOWED_HOSTS", "video.example.org,*.example.net")
    monkeypatch.setenv("PUBLIC_URL", "https://studio.example.com")
    installations.reopen()
    known = ("video.example.org", "a.example.net", "studio.example.com", "also.example.org", "10.0.0.7:8501")
    for host in known:
        assert ask("/generate", peer="10.0.0.9", headers={"Host": host}).status_code == 200
    for path, status in (("/generate", 403), ("/_stcore/health", 200), (f"{API_PATH}/health", 200)):
        assert ask(path, peer="10.0.0.9", headers={"Host": "rebound.example"}).status_code == status


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("http://localhost:8501", True),
        ("http://LOCALHOST:8501", True),
        ("https://studio.example.com", True),
        (None, False),
        ("null", False),
        ("", False),
        ("http://localhost:8502", False),
        ("http://127.0.0.1:8501", False),
        ("http://evil.example", False),
        ("http://localhost:8501.evil.example", False),
        ("http://localhost:8501@evil.example", False),
        ("https://studio.example.com.evil.example", False),
        ("file://localhost:8501", False),
    ],
)
def test_websocket_of_a_page(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, origin: str | None, allowed: bool
) -> None:
    """Only a page of ours opens a websocket; every browser says whose page it is."""
    monkeypatch.setenv("PUBLIC_URL", "https://studio.example.com")
    installations.reopen()

    answer = connect({"host": "localhost:8501"} | ({} if origin is None else {"origin": origin}))

    assert answer == ("websocket.accept" if allowed else "websocket.close")


@pytest.mark.parametrize(
    "headers",
    [
        [("Transfer-Encoding", "identity, chunked")],
        [("Transfer-Encoding", "gzip")],
        [("Transfer-Encoding", "chunked"), ("Transfer-Encoding", "chunked")],
        [("Transfer-Encoding", "chunked"), ("Content-Length", "3")],
        [("Content-Length", "3"), ("Content-Length", "3")],
        [("Content-Length", "+3")],
        [("Content-Length", "3, 3")],
    ],
)
@pytest.mark.parametrize("path", ["/generate", f"{API_PATH}/estimate-credits"])
def test_body_that_ends_in_two_places(installation: Installation, path: str, headers: list[tuple[str, str]]) -> None:
    """What two servers could read differently is read by none."""
    answer = ask(path, method="POST", headers=headers)

    assert answer.status_code == 400
    assert answer.headers["connection"] == "close"


@pytest.mark.parametrize(
    "path",
    [
        *("/_stcore/metrics", "/_stcore/agent/openapi.json", "/_stcore/agent/interact", "/_stcore/script-health-check"),
        *("/_stcore", "/_stcore/", "/_stcore/anything-later", "/auth/login", "/auth/logout", "/oauth2callback"),
    ],
)
@pytest.mark.parametrize("base_path", ["", "/studio"])
def test_inner_address_of_streamlit(installation: Installation, path: str, base_path: str) -> None:
    """What no page of ours asks for is closed to everybody; what pages ask for is open."""
    assert ask(f"{base_path}{path}", base_path=base_path).status_code == 404
    for needed in ("health", "host-config", "stream", "upload_file/1/2", "bidi-components/x/y.js"):
        assert ask(f"{base_path}/_stcore/{needed}", base_path=base_path).status_code == 200


@pytest.mark.parametrize("base_path", ["", "/studio"])
@pytest.mark.parametrize("front", ["", "/front"])
@pytest.mark.parametrize("passed_on", [True, False])
def test_api_below_a_path(
    ana: Client, monkeypatch: pytest.MonkeyPatch, base_path: str, front: str, passed_on: bool
) -> None:
    """Whether the front or Streamlit has a path, and whether the front passes its own on: addresses follow."""
    row = ana.finished()
    there = f"{front if passed_on else ''}{base_path}{API_PATH}"
    headers = {"Authorization": f"Bearer {ana.token}"} | ({"X-Forwarded-Prefix": front} if front else {})

    shown = ask(f"{there}/generations/{row.id}", base_path=base_path, headers=headers).json()["generation"]
    described = ask(f"{there}/openapi.json", base_path=base_path, headers=headers).json()
    docs = ask(f"{there}/docs", base_path=base_path, headers=headers).text

    outside = f"http://localhost:8501{front}{base_path}{API_PATH}"
    assert shown["videoUrl"].startswith(f"{outside}/media/")
    assert described["servers"] == [{"url": f"{front}{base_path}{API_PATH}"}]
    assert outside in docs
    path = shown["videoUrl"].removeprefix("http://localhost:8501")
    for asked in (path, path.removeprefix(front)):
        assert ask(asked, base_path=base_path, headers=headers).status_code == 200
    monkeypatch.setenv("PUBLIC_URL", f"https://video.example.org{front}{base_path}")
    installations.reopen()
    shown = ask(f"{there}/generations/{row.id}", base_path=base_path, headers=headers).json()["generation"]
    assert shown["videoUrl"].startswith(f"https://video.example.org{front}{base_path}{API_PATH}/media/")
    assert f"https://video.example.org{front}{base_path}{API_PATH}" in ask(f"{there}/docs", base_path=base_path).text


@pytest.mark.parametrize(
    "path",
    [
        *("/api", "/api/", "/API/apps/video-generator/health", "/api/apps", API_PATH, f"/generate{API_PATH}/health"),
        *("/elsewhere/api/x", "/studio/api/x", f"/studio/studio{API_PATH}/health"),
    ],
)
def test_address_that_looks_like_the_api(installation: Installation, path: str) -> None:
    """What looks like the API and is not is not found, as JSON, and never a page."""
    assert refusal(ask(path, base_path="/studio"))[:2] == (404, "not_found")


def test_page_below_a_path(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page is found with the front's path or without it, and is sent on below it."""
    monkeypatch.setenv("PUBLIC_URL", "https://video.example.org/front")
    installations.reopen()

    assert ask("/front/generate").text == "page /generate"
    assert ask("/generate").text == "page /generate"
    assert ask("/frontier").text == "page /frontier"
    assert ask("/front/generate/").headers["location"] == "/front/generate"


@pytest.mark.parametrize("said", ["//evil.example", "/a b", "javascript:x", '/a"b', "front", "/a" * 99])
def test_path_of_a_front_that_cannot_be(ana: Client, said: str) -> None:
    """A path that no front has is not taken into a link."""
    row = ana.finished()
    headers = {"Authorization": f"Bearer {ana.token}", "X-Forwarded-Prefix": said}

    shown = ask(f"{API_PATH}/generations/{row.id}", headers=headers).json()["generation"]

    assert shown["videoUrl"].startswith(f"http://localhost:8501{API_PATH}/media/")


def test_upload_comes_through(ana: Client) -> None:
    """What is rightly asked for is answered as before."""
    answer = ask(
        f"{API_PATH}/upload-image",
        method="POST",
        headers={"Authorization": f"Bearer {ana.token}"},
        files={"file": ("a.png", picture())},
        data={"type": "start"},
    )
    assert answer.status_code == 200
