"""The page for people outside, behind everything that stands in front of it."""

import asyncio
import logging
import re
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select, update
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from core import db
from core.api import share_page
from core.clock import utc_now
from core.db import Database
from core.db.enums import VisitKind
from core.db.tables import FailedAttempts, Generation, ShareLink, ShareLinkVisit
from core.generations import commands, share_links, share_visits
from core.identity import failed_attempts, passwords
from core.installation import Installation, current, using
from core.sign_in.gate import SignInGate
from core.webserver.base_path import BasePath
from core.webserver.gate import Gate
from core.webserver.security_headers import SecurityHeaders
from core.workspaces.access import Member
from pages.ui import language
from tests.factories import installations
from tests.factories.generations import create_completed, load_generation
from tests.factories.users import create_member

CLIP = bytes(range(256)) * 40
POSTER = b"RIFF0000WEBP" + bytes(500)
PASSWORD = "correct horse"
SIGN_IN = {
    "proxy": {"TRUSTED_PROXIES": "192.0.2.1", "PROXY_USER_HEADER": "X-Auth-Request-Email"},
    "oidc": {
        "OIDC_ISSUER": "https://id.example.org",
        "OIDC_CLIENT_ID": "video",
        "OIDC_CLIENT_SECRET": "not used here",
        "PUBLIC_URL": "https://video.example.org",
    },
}
"""What a mode of sign-in needs to start."""

GONE = "/share/" + "A" * 43


async def dashboard(request: Request) -> Response:
    """Stands for Streamlit, which answers whatever it is asked for."""
    return PlainTextResponse(f"page {request.url.path}")


def build(base_path: str = "") -> Starlette:
    """What app.py puts together, without Streamlit."""
    paths = dict.fromkeys(("/share", f"{base_path}/share"))
    return Starlette(
        routes=[
            *(share_page.mounted(path, language.writers()) for path in paths),
            Route("/{path:path}", dashboard),
        ],
        middleware=[
            Middleware(SecurityHeaders),
            Middleware(BasePath, base_path=base_path),
            Middleware(Gate, base_path=base_path),
            Middleware(
                SignInGate,
                base_path=base_path,
                writers=language.writers(),
                open_paths=(f"{share_visits.PATH}/",),
                rerun=lambda message: message,  # no page is open here
            ),
        ],
    )


APP = build()


@dataclass
class Stranger:
    """Somebody with a browser, which keeps its cookies, and no account."""

    app: Starlette = field(default_factory=lambda: APP)
    address: str = "http://localhost:8501"
    peer: str = "127.0.0.1"
    cookies: httpx.Cookies = field(default_factory=httpx.Cookies)

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.send("GET", path, **options)

    def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        async def exchange() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app, client=(self.peer, 1), raise_app_exceptions=False)
            client = httpx.AsyncClient(transport=transport, base_url=self.address, cookies=self.cookies)
            async with client:
                answer = await client.request(method, path, **options)
                self.cookies = client.cookies
                return answer

        return asyncio.run(exchange())

    def unlock(self, path: str, password: str = PASSWORD) -> httpx.Response:
        return self.send("POST", f"{path}/password", data={"password": password})


@pytest.fixture
def ana(installation: Installation) -> Member:
    """Somebody with clips."""
    return create_member(db.default(), "ana@studio.example")


def finished(member: Member, **changes: Any) -> Generation:
    """A completed clip whose files are in storage."""
    row = create_completed(db.default(), member, **changes)
    storage = current().storage
    storage.put_bytes(row.output_key or "", CLIP, media_type="video/mp4")
    storage.put_bytes(row.thumbnail_key or "", POSTER, media_type="image/webp")
    return row


def share(member: Member, *rows: Generation, password: str | None = None, **choices: Any) -> str:
    """The path of a new link to these clips."""
    password_hash = None if password is None else passwords.hashed(password)
    with db.write_session() as session:
        made = share_links.make(session, member, [row.id for row in rows], password_hash=password_hash, **choices)
    return f"/share/{made.token}"


def revoke_all(member: Member) -> None:
    """Take every link back."""
    with db.write_session() as session:
        for row in share_links.list_page(session, member).rows:
            share_links.revoke(session, member, row.link.id)


def expire_all(_member: Member) -> None:
    """Let the time of every link pass."""
    with db.write_session() as session:
        session.execute(update(ShareLink).values(expires_at=utc_now()))


def delete_all(member: Member) -> None:
    """Delete every clip."""
    with db.write_session() as session:
        commands.delete_many(session, member, list(session.scalars(select(Generation.id))))


def visits() -> list[tuple[str, str | None]]:
    """What is written down: kind and clip, in order."""
    with db.read_session() as session:
        rows = session.execute(select(ShareLinkVisit.kind, ShareLinkVisit.generation_id).order_by(ShareLinkVisit.id))
        return [(row.kind.value, row.generation_id) for row in rows]


def media_of(answer: httpx.Response) -> list[str]:
    """The addresses of files that a page names, as its browser understands them."""
    found = re.findall(r'(?:src|href|poster)="([^"]*/media/[^"]*)"', answer.text)
    return [str(answer.url.join(address).path) for address in found]


def check_headers(headers: Mapping[str, str]) -> None:
    """Robots stay out, nobody is told the address, nothing runs."""
    assert headers["x-robots-tag"] == "noindex, nofollow, noarchive"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-content-type-options"] == "nosniff"
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "script-src" not in policy


def test_one_clip(ana: Member) -> None:
    """A stranger sees the player and gets clip and poster, in parts too; each visit is written down."""
    row = finished(ana, prompt="a secret recipe")
    path = share(ana, row, title="Lake <b>one</b>")
    stranger = Stranger()

    answer = stranger.get(path)

    assert answer.status_code == 200
    check_headers(answer.headers)
    assert answer.headers["cache-control"] == "private, no-store"
    assert "<h1>Lake &lt;b&gt;one&lt;/b&gt;</h1>" in answer.text
    assert '<meta name="robots" content="noindex, nofollow, noarchive">' in answer.text
    assert "<script" not in answer.text
    assert media_of(answer) == [f"{path}/media/1/video", f"{path}/media/1/poster"]
    clip, poster = (stranger.get(address) for address in media_of(answer))
    assert (clip.content, clip.headers["content-type"]) == (CLIP, "video/mp4")
    assert (poster.content, poster.headers["content-type"]) == (POSTER, "image/webp")
    assert clip.headers["cache-control"].startswith("private, max-age=0")
    check_headers(clip.headers)
    part = stranger.get(f"{path}/media/1/video", headers={"Range": "bytes=100-199"})
    assert (part.status_code, part.content) == (206, CLIP[100:200])
    assert visits() == [("view", row.id)]


def test_nothing_of_the_inside(ana: Member) -> None:
    """Neither ids, names, addresses, prompts, models nor prices stand on the page or in its headers."""
    rows = [finished(ana, prompt="a secret recipe") for _ in range(2)]
    path = share(ana, *rows, allow_download=True)
    answers = [Stranger().get(address) for address in (path, f"{path}/1", f"{path}/media/1/download")]
    told = " ".join(f"{answer.headers} {answer.text}" for answer in answers if answer.status_code == 200)
    assert len(answers) == told.count("x-robots-tag")
    for inner in ("secret", "recipe", ana.id, ana.email, "ana", "demo", "Demo", rows[0].id, rows[1].id, "credits"):
        assert not re.search(rf"\b{inner}\b", told), inner


def test_set(ana: Member) -> None:
    """Several are a grid that leads to each, and each leads on; a deleted one is left out and the others stay."""
    rows = [finished(ana) for _ in range(3)]
    path = share(ana, *rows, title="Takes")
    stranger = Stranger()
    answer = stranger.get(path)
    assert media_of(answer) == [f"{path}/media/{place}/poster" for place in (1, 2, 3)]
    assert "3 videos" in answer.text
    tiles = [
        str(answer.url.join(link).path) for link in re.findall(r'<a class="tile[^"]*" href="([^"]+)"', answer.text)
    ]
    assert tiles == [f"{path}/{place}" for place in (1, 2, 3)]

    middle = stranger.get(tiles[1])
    ways = {
        rel: str(middle.url.join(link).path) for rel, link in re.findall(r'<a rel="(\w+)" href="([^"]+)"', middle.text)
    }
    assert ways == {"prev": tiles[0], "up": path, "next": tiles[2]}
    assert media_of(middle) == [f"{path}/media/2/video", f"{path}/media/2/poster"]
    assert visits() == [("view", None), ("view", rows[1].id)]

    with db.write_session() as session:
        commands.delete(session, ana, rows[1].id)
    assert "2 videos" in stranger.get(path).text
    for address in (tiles[1], f"{path}/media/2/video", f"{path}/4", f"{path}/media/{10**30}/video"):
        assert stranger.get(address).status_code == 404
    last = stranger.get(tiles[2])
    assert dict(re.findall(r'<a rel="(\w+)" href="([^"]+)"', last.text)) == {"prev": "./1", "up": f"../{path[7:]}"}


def test_prompt(ana: Member) -> None:
    """It is shown, as a text, only where the maker has ticked that."""
    row = finished(ana, prompt="a lake & <i>mist</i>")
    assert "mist" not in Stranger().get(share(ana, row)).text
    assert "a lake &amp; &lt;i&gt;mist&lt;/i&gt;" in Stranger().get(share(ana, row, show_prompt=True)).text


@pytest.mark.parametrize("end", [revoke_all, expire_all, delete_all])
@pytest.mark.parametrize("password", [None, PASSWORD])
def test_gone(ana: Member, end: Any, password: str | None) -> None:
    """What has ended is 404 at once: page, password, media and their next part; as what never was, to the byte."""
    path = share(ana, finished(ana), finished(ana), password=password, allow_download=True)
    stranger = Stranger()
    stranger.unlock(path)
    addresses = ("", "/1", "/media/1/video", "/media/1/poster", "/media/1/download")
    assert [stranger.get(path + address).status_code for address in addresses] == [200] * 5
    never = stranger.get(GONE)
    before = visits()

    end(ana)

    for address in addresses:
        answer = stranger.get(path + address, headers={"Range": "bytes=10-19"})
        assert (answer.status_code, answer.text) == (404, never.text)
        check_headers(answer.headers)
        assert answer.headers["cache-control"] == "private, no-store"
    assert stranger.unlock(path).status_code == 404
    assert stranger.send("HEAD", path).status_code == 404
    assert visits() == before


def test_head(ana: Member) -> None:
    """HEAD is answered as GET and is no visit."""
    row = finished(ana)
    path = share(ana, row, allow_download=True)
    for address in (path, f"{path}/1", f"{path}/media/1/video", f"{path}/media/1/download"):
        answer = Stranger().send("HEAD", address)
        assert answer.status_code == 200
        check_headers(answer.headers)
    size = Stranger().send("HEAD", f"{path}/media/1/video").headers["content-length"]
    assert int(size) == len(CLIP)
    assert visits() == []


def test_download(ana: Member) -> None:
    """Only where the link allows it, under a name that tells no more than the page; each is written down once."""
    row = finished(ana, prompt="a secret recipe")
    closed, opened = share(ana, row), share(ana, row, title="Für Ben: Takes", allow_download=True)
    stranger = Stranger()
    assert "/download" not in stranger.get(closed).text
    assert stranger.get(f"{closed}/media/1/download").status_code == 403
    assert f"{opened}/media/1/download" in media_of(stranger.get(opened))

    answer = stranger.get(f"{opened}/media/1/download")
    assert (answer.status_code, answer.content) == (200, CLIP)
    assert answer.headers["content-disposition"].startswith('attachment; filename="F_r Ben- Takes-1.mp4"')
    rest = stranger.get(f"{opened}/media/1/download", headers={"Range": "bytes=5000-"})
    assert (rest.status_code, rest.content) == (206, CLIP[5000:])
    assert visits() == [("view", row.id), ("view", row.id), ("download", row.id)]


def test_password(ana: Member) -> None:
    """Nothing is told before the right password; then a cookie of this link alone opens all of it."""
    row = finished(ana, prompt="a secret recipe")
    path = share(ana, row, title="Confidential", password=PASSWORD, allow_download=True, show_prompt=True)
    stranger = Stranger()

    asked = stranger.get(path)
    assert asked.status_code == 200
    for secret in ("Confidential", "secret", "/media/", "og:", "2026"):
        assert secret not in asked.text
    for address in ("video", "poster", "download"):
        assert stranger.get(f"{path}/media/1/{address}").status_code == 404
    wrong = stranger.unlock(path, "wrong horse")
    assert wrong.status_code == 403
    assert "This is not the password of this link." in wrong.text
    assert "set-cookie" not in wrong.headers
    assert visits() == [("refused", None)]

    right = stranger.unlock(path)
    assert (right.status_code, str(right.url.join(right.headers["location"]).path)) == (303, path)
    cookie = right.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Path=" not in cookie, "by itself it is that of the link"
    assert [kept.path for kept in stranger.cookies.jar] == [path]
    assert "Confidential" in stranger.get(path).text
    assert stranger.get(f"{path}/media/1/video").content == CLIP
    assert stranger.get(f"{path}/1").status_code == 200
    assert visits()[1:] == [("view", row.id), ("view", row.id)]


def test_password_of_another_link(ana: Member) -> None:
    """What one password has opened opens no other link, though the password is the same."""
    row = finished(ana)
    first, second = share(ana, row, password=PASSWORD), share(ana, row, password=PASSWORD)
    stranger = Stranger()
    stranger.unlock(first)
    value = next(iter(stranger.cookies.jar)).value
    for cookie in (value, "", "1.2", f"{10**20}.x", "9" * 15 + ".x", "é.é", None):
        jar = httpx.Cookies()
        if cookie is not None and cookie.isascii():
            jar.set("share", cookie)
        assert Stranger(cookies=jar).get(f"{second}/media/1/video").status_code == 404
    assert stranger.get(f"{first}/media/1/video").status_code == 200


def test_password_when_it_is_forgotten(ana: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cookie ends by itself within hours, and with the key that has signed it."""
    path = share(ana, finished(ana), password=PASSWORD)
    stranger = Stranger()
    stranger.unlock(path)
    expires, _, signature = str(next(iter(stranger.cookies.jar)).value).partition(".")
    assert int(expires) - utc_now().timestamp() < timedelta(hours=13).total_seconds()
    later = httpx.Cookies()
    later.set("share", f"{int(expires) + 3600}.{signature}")
    assert Stranger(cookies=later).get(f"{path}/media/1/video").status_code == 404
    monkeypatch.setenv("SECRET_KEY", "another key that is long enough to be taken")
    installations.reopen()
    assert stranger.get(f"{path}/media/1/video").status_code == 404


def test_password_when_it_is_guessed(ana: Member) -> None:
    """After a few mistakes everybody waits, and is told how long."""
    path = share(ana, finished(ana), password=PASSWORD)
    for _ in range(failed_attempts.FREE):
        assert Stranger().unlock(path, "guess").status_code == 403
    with db.write_session() as session:
        counted = session.scalars(select(FailedAttempts)).one()
        assert counted.count == failed_attempts.FREE
        counted.count, counted.last_at = 12, utc_now()  # such waits are longer than a slow machine takes
    slowed = Stranger(peer="127.0.0.2").unlock(path)
    assert slowed.status_code == 429
    assert 100 < int(slowed.headers["retry-after"]) <= 256
    assert "too many wrong passwords" in slowed.text
    with db.write_session() as session:
        session.execute(update(FailedAttempts).values(last_at=utc_now() - timedelta(seconds=257)))
    assert Stranger().unlock(path).status_code == 303


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"password=" + b"x" * 5000, 413),
        (b"password=%ff%00&password=b", 403),
        (b"", 403),
        (b"\xff\xfe=;&&&", 403),
        (b'{"password": "correct horse"}', 403),
    ],
)
def test_password_when_the_form_is_odd(ana: Member, body: bytes, status: int) -> None:
    """What is no form with a password opens nothing and breaks nothing."""
    path = share(ana, finished(ana), password=PASSWORD)
    assert Stranger().send("POST", f"{path}/password", content=body).status_code == status


def test_password_where_there_is_none(ana: Member) -> None:
    """Who sends one all the same is led to the page."""
    path = share(ana, finished(ana))
    answer = Stranger().unlock(path)
    assert (answer.status_code, "set-cookie" in answer.headers) == (303, False)


def test_cookie_where_the_connection_is_encrypted(ana: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    """It never goes over an open line then."""
    path = share(ana, finished(ana), password=PASSWORD)
    assert "Secure" not in Stranger().unlock(path).headers["set-cookie"]
    assert "Secure" in Stranger(address="https://localhost").unlock(path).headers["set-cookie"]
    monkeypatch.setenv("PUBLIC_URL", "https://video.example.org")
    installations.reopen()
    assert "Secure" in Stranger().unlock(path).headers["set-cookie"]


def test_preview_in_a_chat(ana: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    """An open link shows its title, and its poster where the public address is known; a protected one shows nothing."""
    row = finished(ana)
    opened, protected = share(ana, row, title="Takes"), share(ana, row, title="Takes", password=PASSWORD)
    assert 'property="og:title" content="Takes"' in Stranger().get(opened).text
    assert "og:image" not in Stranger().get(opened).text
    monkeypatch.setenv("PUBLIC_URL", "https://video.example.org/films")
    installations.reopen()
    assert f'content="https://video.example.org/films{opened}/media/1/poster"' in Stranger().get(opened).text
    stranger = Stranger()
    assert "og:" not in stranger.get(protected).text
    stranger.unlock(protected)
    assert "og:" not in stranger.get(protected).text


@pytest.mark.parametrize(
    ("wanted", "tag", "words"),
    [
        ("", "en", "This link does not work"),
        ("id", "id", "Tautan ini tidak berfungsi"),
        ("id-ID,id;q=0.9,en;q=0.8", "id", "Tautan ini tidak berfungsi"),
        ("en-GB,en;q=0.9,id;q=0.8", "en", "This link does not work"),
        ("de, id;q=0.5", "id", "Tautan ini tidak berfungsi"),
        ("id;q=0, *", "en", "This link does not work"),
        ("id;q=nonsense, \xff", "en", "This link does not work"),
    ],
)
def test_language(installation: Installation, wanted: str, tag: str, words: str) -> None:
    """A stranger reads in the language that their browser asks for, if there is a catalogue of it."""
    answer = Stranger().get(GONE, headers={"Accept-Language": wanted.encode("latin-1")})
    assert f'<html lang="{tag}">' in answer.text
    assert words in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/share/",
        "/share/x",
        "/share/%0a",
        GONE + "/",
        GONE + "/nothing",
        GONE + "/media/1/video",
        "/share/..%2f..%2fetc",
    ],
)
def test_address_that_was_never_given(installation: Installation, path: str) -> None:
    """It is 404 in our words; the dashboard is not asked."""
    answer = Stranger().get(path)
    assert answer.status_code == 404
    assert "This link does not work" in answer.text
    check_headers(answer.headers)


def test_method_that_is_not_known(ana: Member) -> None:
    """Nothing but looking, and giving a password, is possible."""
    path = share(ana, finished(ana))
    for method, address in (("POST", path), ("DELETE", path), ("GET", f"{path}/password")):
        answer = Stranger().send(method, address)
        assert answer.status_code == 405
        check_headers(answer.headers)


@pytest.mark.parametrize(
    ("base_path", "address"),
    [("/films", "http://localhost:8501/films"), ("", "http://localhost:8501"), ("/films", "http://localhost:8501")],
)
def test_below_a_path(ana: Member, base_path: str, address: str) -> None:
    """Links, media, form and cookie hold below the path at which Streamlit serves the pages, and without it."""
    path = share(ana, finished(ana), finished(ana), password=PASSWORD)
    stranger = Stranger(build(base_path), address)
    before = httpx.URL(address).path.rstrip("/")
    form = stranger.get(path)
    action = re.findall(r'action="([^"]+)"', form.text)[0]
    right = stranger.send("POST", str(form.url.join(action)), data={"password": PASSWORD})
    page = stranger.get(str(right.url.join(right.headers["location"])))
    assert page.status_code == 200
    assert media_of(page) == [f"{before}{path}/media/{place}/poster" for place in (1, 2)]
    assert stranger.get(str(page.url.join(media_of(page)[1]))).content == POSTER


def test_behind_a_front(ana: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    """A front that takes a path off gets links that hold where the browser is."""
    monkeypatch.setenv("PUBLIC_URL", "https://video.example.org/films")
    monkeypatch.setenv("AUTH_MODE", "open")
    installations.reopen()
    path = share(ana, finished(ana), finished(ana), password=PASSWORD)
    for address in ("https://video.example.org/films", "https://video.example.org"):
        stranger = Stranger(address=address, peer="10.0.0.7")
        right = stranger.unlock(path)
        assert right.headers["location"] == f"../{path[7:]}"
        assert stranger.get(path).status_code == 200


@pytest.mark.parametrize(
    ("auth_mode", "stranger", "status"),
    [
        ("local", Stranger(), 200),
        ("local", Stranger(peer="10.0.0.7"), 403),
        ("local", Stranger(address="http://video.example.org"), 403),
        ("open", Stranger(peer="10.0.0.7", address="http://10.0.0.1"), 200),
        ("open", Stranger(peer="10.0.0.7", address="http://rebound.example"), 403),
        ("proxy", Stranger(peer="203.0.113.7", address="http://10.0.0.1"), 200),
        ("proxy", Stranger(peer="203.0.113.7", address="http://rebound.example"), 403),
        ("oidc", Stranger(peer="203.0.113.7", address="https://video.example.org"), 200),
    ],
)
def test_gate(ana: Member, monkeypatch: pytest.MonkeyPatch, auth_mode: str, stranger: Stranger, status: int) -> None:
    """Strangers come in where the installation is reachable; without sign-in it answers this machine only."""
    path = share(ana, finished(ana))
    for name, value in SIGN_IN.get(auth_mode, {}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AUTH_MODE", auth_mode)
    installations.reopen()
    assert stranger.get(path).status_code == status
    if auth_mode in SIGN_IN:
        assert stranger.get("/history").status_code in (401, 403), "the dashboard asks who it is"


def test_database_that_is_locked(ana: Member, installation: Installation, caplog: pytest.LogCaptureFixture) -> None:
    """What cannot be written down is not shown, and comes back; a clip that plays goes on, and the log is short."""
    path = share(ana, finished(ana))
    file = installation.database.engine.url.database
    hasty = Database(f"sqlite:///{file}", patience_seconds=0.1)
    with caplog.at_level(logging.INFO), using(replace(installation, database=hasty)):
        holder = sqlite3.connect(str(file), isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        answer = Stranger().get(path)
        assert Stranger().get(f"{path}/media/1/video").status_code == 200
        holder.execute("ROLLBACK")
        holder.close()
        assert Stranger().get(path).status_code == 200
    hasty.dispose()
    assert (answer.status_code, int(answer.headers["retry-after"]) > 0) == (503, True)
    check_headers(answer.headers)
    assert "locked" not in answer.text
    assert "This cannot be shown now" in answer.text
    assert not any(record.exc_info for record in caplog.records)


def test_file_that_is_lost(ana: Member) -> None:
    """A clip whose file is not there is 404 as well, and the page stays."""
    row = finished(ana)
    path = share(ana, row)
    current().storage.delete(row.output_key or "")
    assert Stranger().get(path).status_code == 200
    assert Stranger().get(f"{path}/media/1/video").status_code == 404


def test_visits_are_counted(ana: Member) -> None:
    """The list of the workspace tells how often and when a link was last looked at."""
    path = share(ana, finished(ana))
    for _ in range(3):
        Stranger().get(path, headers={"User-Agent": "Browser\t1 " + "x" * 500})
    with db.read_session() as session:
        row = share_links.list_page(session, ana).rows[0]
        last = share_links.visits(session, row.link)[0]
    assert row.link.view_count == 3
    assert row.link.last_viewed_at is not None
    assert (last.kind, last.address, len(last.agent)) == (VisitKind.VIEW, "127.0.0.1", 200)


def test_who_watches_from_outside_has_opened_the_clip(ana: Member) -> None:
    """The clip itself counts; its poster, a HEAD, and a page without it do not."""
    row, other = finished(ana), finished(ana)
    path = share(ana, row, other)
    stranger = Stranger(APP)

    def opened() -> list[bool]:
        assert current().openings.written(60)
        return [load_generation(each.id).first_opened_at is not None for each in (row, other)]

    for answer in (
        stranger.get(path),
        stranger.get(f"{path}/media/1/poster"),
        stranger.send("HEAD", f"{path}/media/1/video"),
    ):
        assert answer.is_success
    assert opened() == [False, False]
    assert stranger.get(f"{path}/media/2/video").is_success
    assert opened() == [False, True]
