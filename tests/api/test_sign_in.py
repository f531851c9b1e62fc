"""Signing in, as a browser meets it: what stands in front of the pages, the provider, and who is refused what."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select, update

from core import config, db
from core.clock import utc_now
from core.config import API_PATH
from core.db.enums import Role
from core.db.tables import ApiToken, AuditLogEntry, BrowserSession, User
from core.files import signed_urls
from core.generations import progress
from core.identity import api_tokens, sign_in_links
from core.identity.api_tokens import hash_of
from core.installation import Installation, current
from tests.api.conftest import CLIP
from tests.factories import installations
from tests.factories.generations import create_completed
from tests.factories.users import ensure_member
from tests.fixtures import issuer as provider
from tests.fixtures.signed_in_browser import HOME, NAVIGATES, OURS, RERUN, Browser, sign_in_link


@pytest.fixture
def far() -> Iterator[provider.Issuer]:
    """The identity provider."""
    with provider.issuer() as server:
        yield server


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
def here(start: Start, far: provider.Issuer) -> Installation:
    """An installation whose people sign in with the provider."""
    return start(**far.settings(OIDC_NAME="Corp"))


def acts(action: str) -> list[Any]:
    """What the audit log tells of such acts."""
    with db.read_session() as session:
        query = select(AuditLogEntry).where(AuditLogEntry.action == action).order_by(AuditLogEntry.id)
        return [(row.actor, row.address, row.after) for row in session.scalars(query)]


def change(**values: Any) -> None:
    """As if time had passed for every session."""
    with db.write_session() as session:
        session.execute(update(BrowserSession).values(**values))


def known(email: str = "ana@example.org") -> User:
    """The person with this address."""
    with db.read_session() as session:
        return session.scalars(select(User).where(User.email == email)).one()


def token_of(email: str, **values: Any) -> str:
    """An API token of a person."""
    with db.write_session() as session:
        member = ensure_member(session, email)
        return api_tokens.create(session, member.user, name="script", **values)


@pytest.mark.parametrize("path", ["/", "/history?clip=42", "/generate", "/nowhere", "/auth", "/authx/login"])
def test_signed_out_browser_sees_the_sign_in_page_at_every_address(here: Installation, path: str) -> None:
    """A page of ours, at that very address, which leads back to it; no part of the dashboard."""
    answer = Browser().open(path)
    assert answer.status_code == 401
    assert "page /" not in answer.text
    assert "Sign in with Corp" in answer.text
    asked = parse_qs(urlsplit(sign_in_link(answer)).query)
    assert asked == {"issuer": ["1"], "next": [path]}
    assert answer.headers["cache-control"] == "no-store"
    assert "script-src" not in answer.headers["content-security-policy"]
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


def test_sign_in_page_speaks_the_language_of_the_browser(here: Installation) -> None:
    """English, or Indonesian for who reads that first."""
    answer = Browser().open("/", Accept_Language="id-ID,id;q=0.9,en;q=0.5")
    assert '<html lang="id">' in answer.text
    assert "Masuk dengan Corp" in answer.text


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/static/js/main.js"),
        ("GET", "/_stcore/host-config"),
        ("PUT", "/_stcore/upload_file/x/y"),
        ("POST", "/"),
        ("GET", "/app/static/inter.woff2"),
        ("GET", f"{API_PATH}/projects"),
        ("POST", f"{API_PATH}/generate"),
        ("GET", f"{API_PATH}/live"),
        ("GET", f"{API_PATH}/docs"),
        ("GET", f"{API_PATH}/openapi.json"),
        ("GET", f"{API_PATH}/generations/events"),
        ("GET", f"{API_PATH}/no/such/thing"),
        ("GET", f"{API_PATH}/metrics"),
    ],
)
def test_signed_out_browser_gets_nothing_else(here: Installation, method: str, path: str) -> None:
    """No file, no answer of the API, no look at what moves."""
    answer = Browser().ask(path, method=method)
    assert answer.status_code == 401
    assert "page /" not in answer.text


@pytest.mark.parametrize("path", ["/_stcore/health", f"{API_PATH}/health"])
def test_probes_need_nobody(here: Installation, path: str) -> None:
    """A balancer has no session."""
    assert Browser().ask(path).status_code == 200


def test_signed_out_websocket_is_refused(here: Installation) -> None:
    """Before it is accepted, also with a made-up cookie."""
    assert not Browser().connects()
    assert not Browser().connects(Cookie="avg=made-up")


def test_sign_in_leads_back_to_where_somebody_wanted_to_go(here: Installation, far: provider.Issuer) -> None:
    """The deep link is kept, the cookie is small and hidden from scripts, and everything opens."""
    ana = Browser()
    answer = ana.sign_in(far, "/history?clip=42&status=failed")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{HOME}/history?clip=42&status=failed")
    [cookie] = [value for value in answer.headers.get_list("set-cookie") if value.startswith("avg=")]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Path=/;" in cookie
    assert f"Max-Age={12 * 3600}" in cookie
    token = ana.cookies["avg"]
    assert len(token) == 43
    assert ana.open("/history").text == "page /history"
    assert ana.connects() == token
    assert ana.api("/projects").status_code == 200
    assert ana.api("/openapi.json").status_code == 200
    assert acts("sign_in.succeeded") == [("ana@example.org", "10.9.9.9", {"by": "oidc", "issuer": far.issuer})]
    assert "avg_sign_in" not in ana.cookies, "nothing of it is under way any more"


def test_four_hundred_groups_make_no_larger_cookie(start: Start, far: provider.Issuer) -> None:
    """Groups stay with the session's row, so that no proxy is in the way of large companies."""
    groups = [f"cn=department-number-{number},ou=groups,dc=example,dc=org" for number in range(400)]
    far.claims["groups"] = groups
    start(**far.settings(ROLE_MAP=f"{groups[399]}=admin;"))
    ana = Browser()
    answer = ana.sign_in(far)
    assert answer.status_code == 303
    assert sum(len(value) for value in answer.headers.get_list("set-cookie")) < 500
    assert known().role is Role.ADMIN
    assert len(ana.ask("/auth/logout").headers["location"]) < 1000


def test_heads_of_answers_fit_into_what_proxies_take(here: Installation, far: provider.Issuer) -> None:
    """nginx takes 4 KB by itself, also of somebody who signs in in several tabs at long addresses."""
    ana = Browser()
    for tab in range(4):
        away = ana.ask("/auth/login", params={"next": f"/history?{tab}{'q' * 480}"})
        assert len(repr(away.headers.multi_items())) < 4096
    assert ana.ask(far.sent_back(away.headers["location"])).headers["location"].endswith("q" * 480)


def test_below_a_path_everything_is_below_it(start: Start, far: provider.Issuer) -> None:
    """Links, callback, cookie of the sign-in under way and the way back have the path of PUBLIC_URL."""
    start(**far.settings(PUBLIC_URL=f"{HOME}/studio"))
    ana = Browser(base_path="/studio")
    assert ana.open("/studio/history").status_code == 401
    answer = ana.sign_in(far, "/studio/history?clip=1")
    assert answer.headers["location"] == f"{HOME}/studio/history?clip=1"
    assert ana.open("/studio/history").status_code == 200
    assert ana.ask(f"/studio{API_PATH}/projects").status_code == 200
    assert Browser(base_path="/studio").ask(f"/studio{API_PATH}/projects").status_code == 401


def test_front_that_takes_its_path_off_changes_nothing(start: Start, far: provider.Issuer) -> None:
    """Streamlit then serves at the root, and the browser is below the path all the same."""
    start(**far.settings(PUBLIC_URL=f"{HOME}/studio"))
    browser = Browser()
    shown = browser.open("/history")
    assert f"{HOME}/studio/auth/login?issuer=1&amp;next=%2Fhistory" in shown.text
    away = browser.ask("/auth/login?next=/history")
    assert "Path=/studio/auth" in away.headers["set-cookie"] or "path=/studio/auth" in away.headers["set-cookie"]


def test_over_https_the_cookie_is_of_this_host_alone(start: Start, far: provider.Issuer) -> None:
    """`__Host-`, Secure, for the whole host."""
    start(**far.settings(PUBLIC_URL="https://studio.example.org", ALLOWED_HOSTS="studio.example.org"))
    browser = Browser(home="https://studio.example.org")
    answer = browser.sign_in(far)
    [cookie] = [value for value in answer.headers.get_list("set-cookie") if value.startswith("__Host-avg=")]
    assert "Secure" in cookie
    assert "Path=/;" in cookie
    assert "Domain" not in cookie
    assert "secure" in browser.ask("/auth/login").headers["set-cookie"]


def test_signing_out_ends_the_session_everywhere(here: Installation, far: provider.Issuer) -> None:
    """Every tab, every call and every websocket has the one cookie; the provider is told, too."""
    ana = Browser()
    ana.sign_in(far)
    kept = ana.cookies["avg"]
    out = ana.ask("/auth/logout", headers=OURS)
    assert out.status_code == 303
    where = urlsplit(out.headers["location"])
    assert f"{where.scheme}://{where.netloc}{where.path}" == f"{far.issuer}/end"
    asked = parse_qs(where.query)
    assert asked["post_logout_redirect_uri"] == [f"{HOME}/auth/signed-out"]
    assert asked["id_token_hint"][0].count(".") == 2
    assert ana.ask("/auth/signed-out").status_code == 200
    ana.put_cookie("avg", kept)
    assert ana.open("/").status_code == 401
    assert ana.api("/projects").status_code == 401
    assert not ana.connects()
    assert [actor for actor, _address, _after in acts("sign_in.ended")] == ["ana@example.org"]


def test_another_site_cannot_sign_somebody_out(here: Installation, far: provider.Issuer) -> None:
    """A picture or a link elsewhere that leads to the address does nothing."""
    ana = Browser()
    ana.sign_in(far)
    assert ana.ask("/auth/logout", headers={"Sec-Fetch-Site": "cross-site"}).headers["location"] == f"{HOME}/"
    assert ana.post("/auth/logout", headers={"Origin": "https://evil.example"}).status_code == 403
    assert ana.open("/").status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:9999"},
        {"Sec-Fetch-Site": "cross-site", "Origin": HOME},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
    ],
    ids=str,
)
def test_cookie_changes_nothing_for_another_site(
    here: Installation, far: provider.Issuer, headers: dict[str, str]
) -> None:
    """Everything but a read has to come from a page of ours."""
    ana = Browser()
    ana.sign_in(far)
    refused = ana.post(f"{API_PATH}/projects", json={"name": "Lakes"}, headers=headers)
    assert refused.status_code == 403
    assert ana.ask(f"{API_PATH}/projects", headers=headers).json()["projects"] == []
    for ours in (OURS, {"Origin": HOME}):
        assert ana.post(f"{API_PATH}/projects", json={"name": "Lakes"}, headers=ours).status_code == 201


def test_cookie_reaches_as_far_as_its_person(here: Installation, far: provider.Issuer) -> None:
    """In a workspace of theirs by its header, in no other; and as an administrator only when they are one."""
    ana = Browser()
    ana.sign_in(far)
    assert ana.api("/tokens").status_code == 200
    own = known().id
    assert ana.api("/projects", headers={"Workspace-Id": own}).status_code == 200
    assert ana.api("/projects", headers={"Workspace-Id": own[::-1]}).status_code == 404


@pytest.mark.parametrize(
    "values",
    [{"ends_at": -timedelta(seconds=1)}, {"seen_at": -timedelta(minutes=481)}],
    ids=["longest", "idle"],
)
def test_session_that_is_over_leads_to_the_sign_in_page(
    here: Installation, far: provider.Issuer, values: dict[str, timedelta]
) -> None:
    """After its hours, and after a while without use; the page says so."""
    ana = Browser()
    ana.sign_in(far)
    change(**{name: utc_now() + moved for name, moved in values.items()})
    assert "You are signed out." in ana.open("/history").text
    assert ana.api("/projects").status_code == 401
    assert not ana.connects()


def test_what_a_page_asks_by_itself_does_not_keep_a_session(here: Installation, far: provider.Issuer) -> None:
    """Files and looks at what moves are no use; opening a page is."""
    ana = Browser()
    ana.sign_in(far)
    before = utc_now() - timedelta(minutes=100)
    change(seen_at=before)
    ana.ask("/static/js/main.js")
    with db.read_session() as session:
        assert session.scalars(select(BrowserSession.seen_at)).one() == before
    ana.open("/")
    with db.read_session() as session:
        assert session.scalars(select(BrowserSession.seen_at)).one() > before


def test_deactivated_person_is_refused_at_the_next_call(here: Installation, far: provider.Issuer) -> None:
    """Pages, calls, websockets, what moves and the token of a script: all from that moment on."""
    ana = Browser()
    ana.sign_in(far)
    script = {"Authorization": f"Bearer {token_of('ana@example.org')}"}
    user = known()
    moves = progress.sign_token(
        user.id,
        user.id,
        "en",
        secret=here.settings.secret_key,
        now=utc_now(),
        session_id=hash_of(ana.cookies["avg"]),
    )
    look = {"Authorization": f"Bearer {moves}"}
    assert ana.ask(f"{API_PATH}/live", headers=look).status_code == 200
    with db.write_session() as session:
        session.execute(update(User).values(deactivated_at=utc_now()))
    current().callers.clear()
    assert ana.open("/").status_code == 401
    assert ana.api("/projects").status_code == 401
    assert not ana.connects()
    assert ana.ask(f"{API_PATH}/live", headers=look).status_code == 401
    assert Browser().ask(f"{API_PATH}/projects", headers=script).status_code == 401
    answer = ana.sign_in(far)
    assert answer.status_code == 403
    assert "deactivated" in answer.text
    assert acts("sign_in.refused") == [("system", "10.9.9.9", {"reason": "deactivated", "issuer": far.issuer})]


def test_look_at_what_moves_ends_with_the_session(here: Installation, far: provider.Issuer) -> None:
    """Its token says which session it was made in; one of no session is none."""
    ana = Browser()
    ana.sign_in(far)
    user, session_id = known(), hash_of(ana.cookies["avg"])

    def status(session_id: str) -> int:
        made = progress.sign_token(
            user.id, user.id, "en", secret=here.settings.secret_key, now=utc_now(), session_id=session_id
        )
        return int(ana.ask(f"{API_PATH}/live", headers={"Authorization": f"Bearer {made}"}).status_code)

    assert (status(session_id), status("")) == (200, 401)
    ana.ask("/auth/logout")
    assert status(session_id) == 401


def test_message_of_a_session_that_is_over_does_nothing(here: Installation, far: provider.Issuer) -> None:
    """An open page hears no press any more from the moment on; it is only told to draw itself again, and says so."""
    ana = Browser()
    ana.sign_in(far)

    def deactivate() -> None:
        with db.write_session() as session:
            session.execute(update(User).values(deactivated_at=utc_now()))

    said = ana.converse(b"a press", deactivate, b"another press", b"and another")
    assert said == [ana.cookies["avg"], b"a press", RERUN, RERUN]


def clip_of(email: str) -> str:
    """The key of the file of a completed clip of this person."""
    with db.write_session() as session:
        member = ensure_member(session, email, signup_credits=10_000)
    row = create_completed(db.default(), member)
    assert row.output_key is not None
    current().storage.put_bytes(row.output_key, CLIP, media_type="video/mp4")
    return row.output_key


def test_old_client_with_a_token_goes_on_working(here: Installation, far: provider.Issuer) -> None:
    """As before, without a cookie and without saying from where; its links to files end with its token."""
    key, token = clip_of("script@example.org"), token_of("script@example.org")
    script = Browser(Authorization=f"Bearer {token}")
    assert script.ask(f"{API_PATH}/projects").status_code == 200
    assert script.post(f"{API_PATH}/projects", json={"name": "Lakes"}).status_code == 201
    [clip] = script.ask(f"{API_PATH}/generations").json()["generations"]
    link = clip["videoUrl"]
    assert link.startswith(f"{HOME}{API_PATH}/media/{key}")
    path = link.removeprefix(HOME)
    stranger = Browser()
    assert stranger.ask(path).content == CLIP
    with db.write_session() as session:
        session.execute(update(ApiToken).values(revoked_at=utc_now()))
    assert stranger.ask(path).status_code == 401


def test_link_of_a_page_needs_the_session(here: Installation, far: provider.Issuer) -> None:
    """Signed out it opens nothing; a link of a token that says another one is no link at all."""
    ana, key = Browser(), clip_of("ana@example.org")
    ana.sign_in(far)
    path = signed_urls.sign(key, secret=here.settings.secret_key, now=utc_now())
    seen = ana.ask(path)
    assert seen.content == CLIP
    assert seen.headers["vary"] == "Cookie", "what the browser has kept goes with the session"
    stranger = Browser()
    assert stranger.ask(path).status_code == 401
    assert stranger.ask(f"{path}&t=made-up").status_code == 403
    packed = signed_urls.sign_archive(known().id, [], secret=here.settings.secret_key, now=utc_now())
    assert ana.ask(packed).status_code == 200
    assert stranger.ask(packed).status_code == 401
    ben = Browser()
    far.claims |= {"sub": "ben", "email": "ben@example.org"}
    ben.sign_in(far)
    assert ben.ask(packed).status_code == 401, "it was made for somebody else"


def test_answer_without_a_sign_in_of_this_browser_is_refused(here: Installation, far: provider.Issuer) -> None:
    """A link with somebody else's code signs nobody in; nor does the same answer twice."""
    ana, ben = Browser(), Browser()
    away = ana.ask("/auth/login")
    back = far.sent_back(away.headers["location"])
    refused = ben.ask(back)
    assert refused.status_code == 400
    assert "avg" not in ben.cookies
    assert ana.ask(back).status_code == 303
    assert ana.ask(back).status_code == 400


def test_provider_that_says_no_is_told(here: Installation, far: provider.Issuer) -> None:
    """Its words go to the log; the page says that it did not work, and offers to try again."""
    ana = Browser()
    away = ana.ask("/auth/login")
    state = parse_qs(urlsplit(away.headers["location"]).query)["state"][0]
    answer = ana.ask(f"/auth/callback?error=access_denied&error_description=%3Cb%3E&state={state}")
    assert answer.status_code == 400
    assert "<b>" not in answer.text
    assert "Try again" in answer.text


def test_provider_that_is_away_is_said_on_the_page(here: Installation, far: provider.Issuer, start: Start) -> None:
    """Who is signed in stays so; who is not is told, and how somebody can still come in."""
    ana = Browser()
    ana.sign_in(far)
    far.status = 503
    start()
    ben = Browser()
    answer = ben.ask("/auth/login", headers=NAVIGATES)
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert "one-time link" in answer.text
    assert "could not be reached" in ben.open("/").text
    assert ana.open("/").status_code == 200
    assert ana.ask("/auth/logout").headers["location"] == f"{HOME}/auth/signed-out"


def test_several_providers_have_a_button_each(start: Start, far: provider.Issuer) -> None:
    """Each leads to its own; who names none is asked."""
    with provider.issuer() as second:
        more = {"OIDC_2_ISSUER": second.issuer, "OIDC_2_CLIENT_ID": provider.CLIENT_ID, "OIDC_2_NAME": "Partners"}
        start(**far.settings(OIDC_NAME="Corp"), **more)
        browser = Browser()
        shown = browser.ask("/auth/login?next=/usage")
        assert shown.status_code == 200
        assert "Sign in with Corp" in shown.text
        assert "Sign in with Partners" in shown.text
        away = browser.ask("/auth/login?issuer=2&next=/usage")
        assert away.headers["location"].startswith(second.issuer)
        answer = browser.ask(second.sent_back(away.headers["location"]))
        assert answer.headers["location"] == f"{HOME}/usage"
        mixed = browser.ask("/auth/login?issuer=2")
        query = far.authorize(mixed.headers["location"])
        assert browser.ask("/auth/callback", params=query).status_code == 400, "the first answers for the second"


def test_back_channel_ends_sessions(here: Installation, far: provider.Issuer) -> None:
    """The provider says that a session has ended: from then on everything is refused; no cookie is needed for it."""
    ana = Browser()
    ana.sign_in(far)
    told = Browser(peer="10.0.0.2").post("/auth/backchannel", data={"logout_token": far.logout_token(sid="sid-1")})
    assert (told.status_code, told.headers["cache-control"]) == (200, "no-store")
    assert ana.open("/").status_code == 401
    assert not ana.connects()
    forged = far.signed({"iss": far.issuer}, key=provider.new_key())
    for bad in ({"logout_token": "x"}, {}, {"logout_token": forged}):
        refused = Browser().post("/auth/backchannel", data=bad)
        assert refused.status_code == 400
        assert refused.json()["error"] == "invalid_request"
    assert Browser().post("/auth/backchannel", content=b"x" * 100_000).status_code == 413


def test_one_time_link_lets_in_while_the_provider_is_away(here: Installation, far: provider.Issuer) -> None:
    """It is used by a press, so that what follows links in mail does not use it up; once."""
    far.status = 503
    with db.write_session() as session:
        link = sign_in_links.make(session, ensure_member(session, "ana@example.org").user)
    ana = Browser()
    for _look in range(2):
        shown = ana.open(f"/auth/link?token={link}")
        assert (shown.status_code, "ana@example.org" in shown.text) == (200, True)
    assert ana.post("/auth/link", data={"token": link}).status_code == 403, "another site presses"
    came = ana.post("/auth/link", data={"token": link}, headers=OURS)
    assert (came.status_code, came.headers["location"]) == (303, f"{HOME}/")
    assert ana.open("/").status_code == 200
    assert Browser().post("/auth/link", data={"token": link}, headers=OURS).status_code == 404
    assert acts("sign_in.succeeded") == [("ana@example.org", "10.9.9.9", {"by": "link"})]
    assert acts("sign_in.refused") == [("system", "10.9.9.9", {"reason": "link_over", "issuer": ""})]


def test_failures_are_slowed_by_address_and_by_account(start: Start, far: provider.Issuer) -> None:
    """Whoever fails often waits; somebody else at another address does not."""
    start(**far.settings(ALLOWED_EMAIL_DOMAINS="elsewhere.org"))
    ana = Browser()
    statuses = [ana.sign_in(far).status_code for _try in range(7)]
    assert statuses == [403] * 5 + [429] * 2
    slowed = ana.sign_in(far)
    assert int(slowed.headers["retry-after"]) > 0
    assert Browser(peer="10.9.9.10").sign_in(far).status_code == 429, "the account"
    far.claims |= {"sub": "ben", "email": "ben@elsewhere.org"}
    assert Browser(peer="10.9.9.10").sign_in(far).status_code == 303
    guesses = [Browser(peer="10.9.9.11").ask(f"/auth/link?token={guess}").status_code for guess in range(7)]
    assert guesses == [404] * 5 + [429] * 2


def test_without_sign_in_nothing_of_it_is_there(start: Start) -> None:
    """Local and open mode have no such addresses and no gate."""
    start(AUTH_MODE="open")
    browser = Browser(peer="127.0.0.1")
    assert browser.open("/history").text.startswith("page /history")
    for path in ("/auth/login", "/auth/callback", "/auth/logout", "/auth/link"):
        assert browser.ask(path).status_code == 404
    assert browser.ask(f"{API_PATH}/docs").status_code == 200
    assert browser.connects() is not None
    assert config.LOCAL_PERSON not in browser.cookies
