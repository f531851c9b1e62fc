"""When the provider is away: what the pages say, who stays, and how somebody comes in all the same."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visitor, picture, settle
from tests.browser.signing_in import come_back_from_provider, press_sign_in, sign_in
from tests.fixtures.identity_provider import Account
from tests.system.app import API
from tests.system.sign_in import Site, browser, signing_in

ACCOUNTS = [Account("ana", "ana@example.org", "Ana Maker"), Account("ben", "ben@example.org", "Ben Maker")]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """An installation whose provider was there when it started."""
    folder, named = tmp_path_factory.mktemp("trouble"), {"OIDC_NAME": "Example Login"}
    with signing_in(folder, ACCOUNTS, environ=named) as found, browser(found, "ana"):
        yield found


def test_provider_that_is_away(site: Site, visitor: Visitor) -> None:
    """A page says that the provider cannot be reached; who is signed in stays, and it works again by itself."""
    inside = visitor(site.address)
    page = inside.open("/")
    expect(page.get_by_role("link", name="Sign in with Example Login")).to_be_visible()
    sign_in(page, "ana")
    settle(page)
    visit = visitor(site.address)
    tab = visit.open("/usage")
    page.wait_for_timeout(5_100)  # longer than a provider is believed to be there
    site.provider.stop()
    try:
        press_sign_in(tab)
        expect(tab.get_by_role("heading", name="Not just now")).to_be_visible()
        expect(tab.get_by_text(re.compile("identity provider cannot be reached"))).to_be_visible()
        picture(tab, "sign-in-away")
        page.get_by_role("link", name="History", exact=True).first.click()
        expect(page.get_by_role("heading", name="History", level=1)).to_be_visible()
        assert inside.context.request.get(f"{site.address}{API}/projects").status == 200
    finally:
        site.provider.start()
    tab.wait_for_timeout(5_100)  # longer than a provider is left alone that did not answer
    tab.get_by_role("link", name="Try again").click()
    press_sign_in(tab)
    come_back_from_provider(tab, "ben")
    settle(tab)
    assert tab.url.startswith(site.address)
    expect(tab.get_by_role("heading", level=1)).to_be_visible()


def test_provider_that_says_nothing(site: Site) -> None:
    """A provider that takes a question and does not answer is as good as away, and nobody else waits for it."""
    with browser(site) as client:
        begun = client.get("/auth/login").headers["location"]
        came_back = site.provider.let_in(client, begun, "ana")
        with site.provider.silent(), ThreadPoolExecutor() as pool:
            answered = pool.submit(client.get, came_back)
            assert httpx.get(f"{site.address}{API}/health", timeout=5).status_code == 200
            answer = answered.result(30)
    assert answer.status_code == 503
    assert "Not just now" in answer.text
    assert "retry-after" in answer.headers


def test_signing_out_while_the_provider_is_away(site: Site, visitor: Visitor) -> None:
    """The session here ends all the same, and the person lands on a page of ours."""
    visit = visitor(site.address)
    page = visit.open("/")
    sign_in(page, "ben")
    settle(page)
    page.wait_for_timeout(5_100)  # longer than a provider is believed to be there
    site.provider.stop()
    try:
        page.goto(f"{site.address}/auth/logout")
        expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()
        assert visit.context.request.get(f"{site.address}{API}/projects").status == 401
    finally:
        site.provider.start()


def test_one_time_link(site: Site, visitor: Visitor) -> None:
    """With the provider away, an administrator's link lets one person in, once, and into nobody else's things."""
    visit = visitor(site.address)
    site.provider.stop()
    try:
        [link] = re.findall(r"http\S+/auth/link\?token=\S+", site.app.admin("session", "ana@example.org"))
        page = visit.open(link.removeprefix(site.address))
        expect(page.get_by_role("heading", name="One-time link")).to_be_visible()
        picture(page, "sign-in-link")
        assert visit.context.request.get(f"{site.address}{API}/projects").status == 401, "a look at it is no use of it"
        page.get_by_role("button", name=re.compile("ana@example.org")).click()
        expect(page.get_by_role("heading", name="Generate", level=1)).to_be_visible()  # where newcomers begin
        settle(page)
        assert visit.context.request.get(f"{site.address}{API}/projects").status == 200

        other = visitor(site.address)
        again = other.open(link.removeprefix(site.address))
        expect(again.get_by_text(re.compile("was used, or is over"))).to_be_visible()
        assert other.context.request.get(f"{site.address}{API}/projects").status == 401
    finally:
        site.provider.start()
