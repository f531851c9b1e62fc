"""A front before us has signed people in and says who they are: whose word counts, for pages, API and websockets."""

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from joserfc.jwk import RSAKey
from sqlalchemy import select, update

from core import db
from core.api.http.visitors import PEER
from core.clock import utc_now
from core.config import API_PATH
from core.db.enums import Role
from core.db.tables import AuditLogEntry, BrowserSession, User
from core.identity import api_tokens, sign_in_links
from core.installation import Installation, current
from core.webserver.connection_limits import RememberPeer
from tests.factories import installations
from tests.factories.users import ensure_member
from tests.fixtures import issuer as provider
from tests.fixtures.signed_in_browser import OURS, Browser

FRONT = "10.0.0.5"
STRANGER = "10.9.9.9"
EMAIL, GROUPS, ASSERTION = "X-Auth-Request-Email", "X-Auth-Request-Groups", "Cf-Access-Jwt-Assertion"
AUDIENCE = "the-app"
PLAIN = {
    "AUTH_MODE": "proxy",
    "TRUSTED_PROXIES": f"{FRONT}/32",
    "PROXY_USER_HEADER": EMAIL,
    "PROXY_GROUPS_HEADER": GROUPS,
    "ROLE_MAP": "video-admins=admin",
}
Start = Callable[..., Installation]


@pytest.fixture
def start(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> Start:
    """Start the installation with these settings."""

    def started(**variables: str) -> Installation:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return installations.reopen()

    return started


@pytest.fixture
def here(start: Start) -> Installation:
    """An installation that believes the plain headers of its front."""
    return start(**PLAIN)


@pytest.fixture
def far() -> Iterator[provider.Issuer]:
    """Who signs for the front."""
    with provider.issuer() as server:
        yield server


@pytest.fixture
def signed(start: Start, far: provider.Issuer) -> Installation:
    """An installation that believes what its front has signed, and nothing else."""
    return start(
        AUTH_MODE="proxy",
        TRUSTED_PROXIES=f"{FRONT}/32",
        PROXY_JWT_HEADER=ASSERTION,
        PROXY_JWKS_URL=f"{far.issuer}/jwks",
        PROXY_JWT_AUDIENCE=AUDIENCE,
        PROXY_JWT_ISSUER=far.issuer,
    )


def named(email: str = "ana@example.org", groups: str = "") -> dict[str, str]:
    """The headers of the front."""
    return {EMAIL: email} | ({GROUPS: groups} if groups else {})


def assertion(far: provider.Issuer, *, key: RSAKey | None = None, **changes: Any) -> dict[str, str]:
    """What the front has signed."""
    now = int(time.time())
    claims = {
        "iss": far.issuer,
        "aud": [AUDIENCE],
        "sub": "ana",
        "email": "ana@example.org",
        "iat": now,
        "exp": now + 60,
    }
    return {ASSERTION: far.signed(claims | changes, key=key)}


def people() -> list[tuple[str, Role]]:
    """Everybody, with their role."""
    with db.read_session() as session:
        return [(user.email, user.role) for user in session.scalars(select(User).order_by(User.email))]


def acts() -> list[tuple[str, Any]]:
    """What the audit log tells of signing in."""
    with db.read_session() as session:
        rows = session.scalars(select(AuditLogEntry).order_by(AuditLogEntry.id)).all()
        return [(row.action, row.after) for row in rows if row.action.startswith("sign_in")]


def sessions() -> int:
    """How many sessions there are."""
    with db.read_session() as session:
        return len(session.scalars(select(BrowserSession)).all())


def test_front_names_somebody(here: Installation) -> None:
    """The first page makes the person and one session, whose cookie the rest comes with."""
    ana = Browser(peer=FRONT, **named(groups="staff,video-admins"))
    assert ana.open("/history").text == "page /history"
    assert ana.cookies["avg"]
    assert ana.open("/usage").status_code == 200
    assert ana.ask("/static/js/main.js").status_code == 200
    assert ana.api("/projects").status_code == 200
    assert ana.connects() == ana.cookies["avg"]
    assert people() == [("ana@example.org", Role.ADMIN)]
    assert sessions() == 1
    assert acts() == [("sign_in.succeeded", {"by": "proxy", "issuer": "proxy"})]


def test_websocket_that_comes_first_has_a_session_too(here: Installation) -> None:
    """A page reads its session from the websocket, so one that keeps no cookies is given one for it."""
    token = Browser(peer=FRONT, **named()).connects()
    assert token
    assert sessions() == 1


@pytest.mark.parametrize("path", ["/", "/static/js/main.js", f"{API_PATH}/projects", f"{API_PATH}/docs"])
def test_stranger_who_forges_the_header_is_refused(here: Installation, path: str) -> None:
    """Not taken for nobody, but refused; and nothing is made."""
    stranger = Browser(peer=STRANGER, **named("boss@example.org", "video-admins"))
    assert stranger.ask(path).status_code == 403
    assert stranger.open(path).status_code == 403
    assert stranger.connects() is None
    assert people() == []


def test_nobody_is_somebody_without_the_header(here: Installation) -> None:
    """Neither past the front nor through one that names nobody; a page says where to come in."""
    for peer in (FRONT, STRANGER):
        browser = Browser(peer=peer)
        answer = browser.open("/history")
        assert answer.status_code == 401
        assert "own entrance" in answer.text
        assert browser.api("/projects").status_code == 401
        assert browser.connects() is None


def test_cookie_without_the_front_is_nothing(here: Installation) -> None:
    """Whoever has the cookie and goes past the front is refused."""
    ana = Browser(peer=FRONT, **named())
    ana.open("/")
    past = Browser(peer=FRONT)
    past.put_cookie("avg", ana.cookies["avg"])
    assert past.open("/").status_code == 401
    assert past.api("/projects").status_code == 401
    assert past.connects() is None


def test_another_name_is_another_session(here: Installation) -> None:
    """Somebody else at the same browser does not go on as the one before; their session is over."""
    ana = Browser(peer=FRONT, **named())
    ana.open("/")
    before = ana.cookies["avg"]
    ben = Browser(peer=FRONT, **named("ben@example.org"))
    ben.put_cookie("avg", before)
    assert ben.api("/tokens").status_code == 200
    assert ben.open("/").status_code == 200
    assert ben.cookies["avg"] != before
    assert [email for email, _role in people()] == ["ana@example.org", "ben@example.org"]
    back = Browser(peer=FRONT, **named())
    back.put_cookie("avg", before)
    back.open("/")
    assert back.cookies["avg"] != before, "it was ended"


def test_header_that_comes_twice_is_refused(here: Installation) -> None:
    """One of them may have been a stranger's before the front added its own."""
    browser = Browser(peer=FRONT)
    twice = [(EMAIL, "ana@example.org"), (EMAIL, "boss@example.org"), ("Accept", "text/html")]
    assert browser.ask("/", headers=twice).status_code == 403
    assert people() == []


def test_script_through_the_front_begins_no_sessions(here: Installation) -> None:
    """A program without cookies is its person, by each call; a change has to come from a page of ours."""
    script = Browser(peer=FRONT, **named())
    for _call in range(3):
        assert script.ask(f"{API_PATH}/projects").status_code == 200
    assert script.post(f"{API_PATH}/projects", json={"name": "Lakes"}).status_code == 403
    assert script.post(f"{API_PATH}/projects", json={"name": "Lakes"}, headers=OURS).status_code == 201
    assert sessions() == 0


@pytest.mark.parametrize("peer", [FRONT, STRANGER])
def test_old_client_with_a_token_goes_on_working(here: Installation, peer: str) -> None:
    """A bearer token is its own proof, through the front and past it."""
    with db.write_session() as session:
        token = api_tokens.create(session, ensure_member(session, "script@example.org").user, name="script")
    script = Browser(peer=peer, Authorization=f"Bearer {token}")
    assert script.ask(f"{API_PATH}/projects").status_code == 200
    assert script.post(f"{API_PATH}/projects", json={"name": "Lakes"}).status_code == 201


def test_deactivated_person_is_refused_at_the_next_call(here: Installation) -> None:
    """Whatever the front says; refused people are slowed, not the front that all come through."""
    ana = Browser(peer=FRONT, **named())
    ana.open("/")
    with db.write_session() as session:
        session.execute(update(User).values(deactivated_at=utc_now()))
    assert ana.api("/projects").status_code == 403
    assert ana.connects() is None
    assert "deactivated" in ana.open("/").text
    for _try in range(6):
        ana.open("/")
    assert ana.open("/").status_code == 429
    assert Browser(peer=FRONT, **named("ben@example.org")).open("/").status_code == 200


def test_one_time_link_works_without_the_front(here: Installation) -> None:
    """For the day on which it is the front that is away."""
    with db.write_session() as session:
        link = sign_in_links.make(session, ensure_member(session, "ana@example.org").user)
    ana = Browser(peer=STRANGER)
    assert ana.open(f"/auth/link?token={link}").status_code == 200
    assert ana.post("/auth/link", data={"token": link}, headers=OURS).status_code == 303
    assert ana.open("/").status_code == 200
    assert ana.connects()
    assert ana.api("/projects").status_code == 200


def test_what_the_front_has_signed_is_believed(signed: Installation, far: provider.Issuer) -> None:
    """Issuer and subject are those of the assertion, on every request and websocket."""
    ana = Browser(peer=FRONT, **assertion(far))
    assert ana.open("/").status_code == 200
    assert ana.connects() == ana.cookies["avg"]
    assert ana.api("/projects").status_code == 200
    with db.read_session() as session:
        kept = session.scalars(select(BrowserSession)).one()
    assert (kept.issuer, kept.subject) == (far.issuer, "ana")
    assert far.asked.count("/jwks") == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": ["another-app"]},
        {"aud": None},
        {"exp": int(time.time()) - 600},
        {"exp": None},
        {"iss": "https://elsewhere.example.org"},
        {"sub": None},
        {"key": provider.new_key()},
    ],
    ids=["another app", "no app", "over", "for ever", "another issuer", "nobody", "another key"],
)
def test_assertion_that_does_not_hold_is_refused(
    signed: Installation, far: provider.Issuer, changes: dict[str, Any]
) -> None:
    """For pages, API and websockets alike; the plain header beside it counts nothing."""
    forged = Browser(peer=FRONT, **assertion(far, **changes), **named("boss@example.org"))
    assert forged.open("/").status_code == 403
    assert forged.api("/projects").status_code == 403
    assert forged.connects() is None
    assert Browser(peer=FRONT, **named("boss@example.org")).open("/").status_code == 401, "not a header that counts"
    assert Browser(peer=STRANGER, **assertion(far)).open("/").status_code == 403, "from somewhere else"
    assert people() == []


def test_keys_that_cannot_be_had_are_said(signed: Installation, far: provider.Issuer) -> None:
    """Nobody is let in unchecked."""
    far.status = 503
    assert Browser(peer=FRONT, **assertion(far)).open("/").status_code == 503
    assert current().settings.auth_mode == "proxy"
    assert people() == []


def test_peer_is_who_is_connected(here: Installation) -> None:
    """Not whom a proxy says that it asks for: uvicorn rewrites the client by X-Forwarded-For."""
    seen: list[Any] = []

    async def behind(scope: Any, _receive: Any, _send: Any) -> None:
        seen.append(scope[PEER])

    async def nothing() -> Any:
        return {}

    async def drop(_message: Any) -> None:
        return None

    asyncio.run(RememberPeer(behind)({"type": "http", "client": (FRONT, 1)}, nothing, drop))
    assert seen == [FRONT]
