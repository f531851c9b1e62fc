"""Signing in and out in a browser, at a certified identity provider."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from playwright.sync_api import APIResponse, BrowserContext, Page, expect

from core.clock import utc_now
from core.db import Database
from core.db.tables import User
from tests.browser.conftest import Visit, Visitor, picture, settle
from tests.browser.signing_in import (
    agree_to_sign_out,
    come_back_from_provider,
    expect_signed_out,
    log_in_at_provider,
    press_sign_in,
    sign_in,
    sign_out_at_provider,
)
from tests.fixtures.identity_provider import Account
from tests.fixtures.raw_server import raw_server, saying, whole
from tests.system.app import API
from tests.system.sign_in import Site, browser, signing_in

LDAP_GROUPS = tuple(f"cn=department-number-{n},ou=groups,dc=example,dc=org" for n in range(400))
ACCOUNTS = [
    *(Account(name, f"{name}@example.org", name.title()) for name in ("ana", "ben", "cleo", "dan", "eva", "finn")),
    Account("big", "big@example.org", "Big Groups", LDAP_GROUPS),
    Account("una", "una@example.org", "Una Verified", email_verified=False),
]
DEEP = "/history?status=failed&text=lake%20at%20dawn"
DEAD_LINK = "/history?clip=00000000-0000-4000-8000-000000000000"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """An installation where nobody has been yet."""
    with signing_in(tmp_path_factory.mktemp("sign-in"), ACCOUNTS) as found:
        yield found


def came_in(visit: Visit, subject: str, path: str = "/") -> Page:
    """A tab of somebody who has just signed in."""
    page = visit.open(path)
    sign_in(page, subject)
    settle(page)
    return page


def asks(context: BrowserContext, address: str, method: str = "GET", **options: object) -> APIResponse:
    """What the API answers to this browser, cookies and all."""
    return context.request.fetch(f"{address}{API}/projects", method=method, **options)  # type: ignore[arg-type]  # as they are


def create_project(context: BrowserContext, address: str, name: str) -> str:
    """Make a project as a script of our own page would; its id."""
    answer = asks(context, address, "POST", data={"name": name}, headers={"Origin": origin(address)})
    assert answer.status == 201, answer.text()
    found: str = answer.json()["project"]["id"]
    return found


def origin(address: str) -> str:
    """Scheme, host and port."""
    return "/".join(address.split("/")[:3])


def test_cold_deep_link(site: Site, visitor: Visitor) -> None:
    """Who follows a link without a session signs in and is where the link leads, with all that it says."""
    visit = visitor(site.address)
    page = visit.open(DEEP)
    expect(page.get_by_role("link", name=re.compile("^Sign in with"))).to_be_visible()
    assert page.url == site.address + DEEP, "the sign-in page is at the address itself"
    picture(page, "sign-in")
    sign_in(page, "ana")
    settle(page)

    assert page.url == site.address + DEEP
    expect(page.get_by_role("heading", name="History", level=1)).to_be_visible()
    picture(page, "sign-in-done")


def test_session_cookie(site: Site, visitor: Visitor) -> None:
    """It is one small cookie that no script reads and no other site sends; what it holds says nothing."""
    visit = visitor(site.address)
    came_in(visit, "ana")

    [cookie] = [each for each in visit.context.cookies(site.address) if each["name"] == "avg"]
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Lax", "/")
    assert 20 < len(cookie["value"]) < 100
    others = [each["name"] for each in visit.context.cookies(site.address) if len(each["value"]) > 200]
    assert others == []
    assert not Path(site.app.environ["DATA_DIR"], "studio.db").read_bytes().count(cookie["value"].encode())


def test_api_with_the_cookie(site: Site, visitor: Visitor) -> None:
    """The browser's own session answers for the API, and for nobody who has not got it."""
    visit = visitor(site.address)
    came_in(visit, "ana")
    create_project(visit.context, site.address, "Made with a cookie")

    names = [each["name"] for each in asks(visit.context, site.address).json()["projects"]]
    assert "Made with a cookie" in names
    assert asks(visitor(site.address).context, site.address).status == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {},
    ],
    ids=str,
)
def test_foreign_pages_change_nothing(site: Site, visitor: Visitor, headers: dict[str, str]) -> None:
    """With the cookie alone, what changes something must come from our own page."""
    visit = visitor(site.address)
    came_in(visit, "ben")

    refused = asks(visit.context, site.address, "POST", data={"name": "Forged"}, headers=headers)
    assert refused.status == 403, refused.text()
    assert "Forged" not in asks(visit.context, site.address).text()


def test_page_of_a_neighbour(site: Site, visitor: Visitor) -> None:
    """A page on another port of this host, to which the browser does send the cookie, changes nothing either."""
    visit = visitor(site.address)
    page = came_in(visit, "ben")
    sent = f"""() => fetch("{site.address}{API}/projects", {{
        method: "POST", mode: "no-cors", credentials: "include",
        headers: {{"Content-Type": "text/plain"}}, body: '{{"name": "Forged by a neighbour"}}'}})"""
    with raw_server(saying(whole(b"<p>A neighbour</p>", b"Content-Type: text/html"))) as neighbour:
        page.goto(neighbour.url)
        with page.expect_response(f"**{API}/projects") as answered:
            page.evaluate(sent)

    assert answered.value.status == 403, "401 would say that the cookie did not come along"
    assert "Forged" not in asks(visit.context, site.address).text()


def test_sign_out(site: Site, visitor: Visitor) -> None:
    """Who signs out in one tab is signed out in all at the next click, at the provider, and at the API."""
    visit = visitor(site.address)
    page, other = came_in(visit, "cleo"), visit.open("/history")
    settle(other)
    cookie = visit.context.cookies(site.address)
    page.goto(f"{site.address}/account")
    settle(page)
    page.get_by_role("link", name="Sign out").click()
    agree_to_sign_out(page)
    expect(page.get_by_text("You are signed out")).to_be_visible()
    assert page.url == f"{site.address}/auth/signed-out"
    picture(page, "signed-out")

    other.get_by_role("link", name="Usage", exact=True).first.click()
    expect_signed_out(other)
    picture(other, "signed-out-tab")
    assert asks(visit.context, site.address).status == 401
    visit.context.add_cookies([{"url": site.address, "name": each["name"], "value": each["value"]} for each in cookie])
    assert asks(visit.context, site.address).status == 401, "the cookie of a session that ended is worth nothing"
    press_sign_in(other)
    sign_in(other, "cleo")
    expect(other.get_by_role("heading", name="Usage", level=1)).to_be_visible()


def test_session_that_ends_at_the_provider(site: Site, visitor: Visitor) -> None:
    """Who signs out at their provider is signed out of every tab here."""
    visit = visitor(site.address)
    page, other = came_in(visit, "dan"), visit.open("/usage")
    settle(other)
    sign_out_at_provider(visit.context.new_page(), site.provider.issuer)

    for tab in (page, other):
        tab.get_by_role("link", name="History", exact=True).first.click()
        expect_signed_out(tab)
    assert asks(visit.context, site.address).status == 401


def test_sessions_that_an_administrator_of_the_provider_ends(site: Site, visitor: Visitor) -> None:
    """All browsers of a person are signed out, and nobody else's."""
    laptop, phone, other = visitor(site.address), visitor(site.address, width=400), visitor(site.address)
    tabs = [came_in(laptop, "eva"), came_in(phone, "eva")]
    came_in(other, "finn")
    site.provider.end_sessions("eva")

    for tab in tabs:
        tab.get_by_role("link", name="History", exact=True).first.click()
        expect_signed_out(tab)
    assert [asks(visit.context, site.address).status for visit in (laptop, phone, other)] == [401, 401, 200]


def test_deactivated_person(site: Site, visitor: Visitor) -> None:
    """From the moment in which somebody is deactivated, their next click and their next call are refused."""
    visit = visitor(site.address)
    page = came_in(visit, "finn")
    token = site.app.admin("token", "finn@example.org").splitlines()[-1]
    bearer = {"Authorization": f"Bearer {token}"}
    assert httpx.get(f"{site.address}{API}/projects", headers=bearer).status_code == 200
    database = Database(f"sqlite:///{site.app.environ['DATA_DIR']}/studio.db")
    try:
        with database.write_session() as session:
            [person] = session.query(User).filter_by(email="finn@example.org")
            person.deactivated_at = utc_now()
        page.get_by_role("link", name="History", exact=True).first.click()
        expect(page.get_by_role("heading", name="History", level=1)).to_have_count(0)
        assert asks(visit.context, site.address).status in (401, 403)
        page.wait_for_timeout(1_100)  # a token is believed for a second
        assert httpx.get(f"{site.address}{API}/projects", headers=bearer).status_code == 401
        page.goto(f"{site.address}/history")
        press_sign_in(page)
        expect(page.get_by_text(re.compile("deactivated", re.IGNORECASE))).to_be_visible()
        picture(page, "sign-in-deactivated")
    finally:
        with database.write_session() as session:
            session.query(User).filter_by(email="finn@example.org").update({"deactivated_at": None})
        database.dispose()


def test_four_hundred_groups(site: Site, visitor: Visitor) -> None:
    """However much a provider says about somebody, they come in, and their cookies stay small."""
    visit = visitor(site.address)
    came_in(visit, "big", "/usage")

    assert asks(visit.context, site.address).status == 200
    assert sum(len(each["name"] + each["value"]) for each in visit.context.cookies(site.address)) < 300


def test_address_that_nobody_has_verified(site: Site, visitor: Visitor) -> None:
    """An address that the provider has not verified lets nobody in, and the page says why."""
    visit = visitor(site.address)
    page = visit.open("/")
    sign_in(page, "una")

    expect(page.get_by_text(re.compile("verified"))).to_be_visible()
    picture(page, "sign-in-unverified")
    assert asks(visit.context, site.address).status == 401


def test_person_who_changes_their_mind(site: Site, visitor: Visitor) -> None:
    """Who does not agree at the provider comes back to a page that says so and lets them try again."""
    visit = visitor(site.address)
    page = visit.open("/usage")
    press_sign_in(page)
    log_in_at_provider(page, "ana")
    page.get_by_role("link", name="Cancel").click()

    page.wait_for_url(f"{site.address}/auth/callback**")
    picture(page, "sign-in-cancelled")
    expect(page.get_by_role("heading", name="You are not signed in")).to_be_visible()
    page.get_by_role("link", name="Try again").click()
    expect(page.get_by_role("link", name=re.compile("^Sign in with"))).to_be_visible()
    assert asks(visit.context, site.address).status == 401


@pytest.mark.parametrize(
    "target",
    ["https://evil.example/", "//evil.example/", "/\\evil.example", "/%09/evil.example", "javascript:alert(1)"],
)
def test_link_that_would_lead_elsewhere(site: Site, visitor: Visitor, target: str) -> None:
    """After signing in, nobody is led out of this installation."""
    visit = visitor(site.address)
    page = visit.open("/")
    page.goto(f"{site.address}/auth/login?next={quote(target, safe='%')}")
    come_back_from_provider(page, "ana")
    settle(page)

    assert page.url.startswith(f"{site.address}/")
    assert [each for each in visit.complaints if "evil.example" in each] == []


def test_answer_that_another_browser_began(site: Site, visitor: Visitor) -> None:
    """Nobody can be signed in as somebody else by an address that these have begun and hand on."""
    visit = visitor(site.address)
    with browser(site) as attacker:
        begun = attacker.get("/auth/login").headers["location"]
        handed_on = site.provider.let_in(attacker, begun, "ana")
    page = visit.open("/")
    page.goto(handed_on)

    expect(page.get_by_role("heading", name="You are not signed in")).to_be_visible()
    picture(page, "sign-in-foreign-answer")
    assert asks(visit.context, site.address).status == 401
