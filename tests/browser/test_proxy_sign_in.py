"""Signing in at a front that says who is asking, and strangers who say it themselves."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visitor, settle
from tests.fixtures.front import Front, front
from tests.system.app import API, App, free_port
from tests.system.sign_in import status_of_websocket

FRONT_ADDRESS = "127.0.0.2"
"""The front asks from another address than the browser and this test, which are strangers."""

USER, GROUPS = "X-Auth-Request-Email", "X-Auth-Request-Groups"
NAVIGATION = {"Sec-Fetch-Mode": "navigate", "Accept": "text/html"}
FORGERIES = {
    "the header": {USER: "ana@example.org"},
    "in small letters": {USER.lower(): "ana@example.org"},
    "as if for the front": {USER: "ana@example.org", "X-Forwarded-For": FRONT_ADDRESS, "X-Real-IP": FRONT_ADDRESS},
    "as an administrator": {USER: "ana@example.org", GROUPS: "video-admins"},
    "forwarded": {USER: "ana@example.org", "Forwarded": f"for={FRONT_ADDRESS}"},
}


@dataclass(frozen=True)
class Site:
    """What browsers reach at `address`, whom the front names, and the app that strangers reach as well."""

    address: str
    front: Front
    app: App

    @property
    def behind(self) -> str:
        """The app's own address, which nobody should reach but the front."""
        return f"http://127.0.0.1:{self.app.port}"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """An installation behind a front."""
    port = free_port()
    with ExitStack() as opened:
        headers = {USER: "ana@example.org", GROUPS: "staff,video-admins"}
        address, proxy = opened.enter_context(front("", port, headers=headers, source=FRONT_ADDRESS))
        environ = {"AUTH_MODE": "proxy", "PUBLIC_URL": address, "ROLE_MAP": "video-admins=admin"}
        environ |= {"TRUSTED_PROXIES": FRONT_ADDRESS, "PROXY_USER_HEADER": USER, "PROXY_GROUPS_HEADER": GROUPS}
        app = App(tmp_path_factory.mktemp("proxy"), port=port, environ=environ)
        opened.callback(app.stop)
        yield Site(address, proxy, app)


def test_person_whom_the_front_names(site: Site, visitor: Visitor) -> None:
    """They are in at once, page, websocket and API, with the roles of their groups; the next one is somebody else."""
    visit = visitor(site.address)
    page = visit.open("/usage?period=365")
    settle(page)
    expect(page.get_by_role("heading", name="Usage", level=1)).to_be_visible()
    expect(page.get_by_role("link", name="Admin").first).to_be_visible()
    assert visit.context.request.get(f"{site.address}{API}/projects").status == 200
    assert visit.complaints == []

    site.front.headers |= {USER: "ben@example.org", GROUPS: "staff"}
    page = visit.open("/usage")
    settle(page)
    expect(page.get_by_role("heading", name="Usage", level=1)).to_be_visible()
    expect(page.get_by_role("link", name="Admin")).to_have_count(0)


def opens_websocket(site: Site, headers: Mapping[str, str]) -> int:
    """How a websocket is answered to somebody who goes past the front."""
    return status_of_websocket(site.app.port, "/_stcore/stream", origin=site.address, headers=headers)


@pytest.mark.parametrize("forged", FORGERIES.values(), ids=FORGERIES)
def test_stranger_who_says_who_they_are(site: Site, forged: dict[str, str]) -> None:
    """Whoever reaches the port and is not the front is refused, whatever they say, by HTTP and by websocket."""
    for path in ("/", "/usage", f"{API}/projects", f"{API}/credits", "/_stcore/host-config"):
        for more in ({}, NAVIGATION, {"Sec-Fetch-Site": "same-origin"}):
            answer = httpx.get(f"{site.behind}{path}", headers=forged | more, trust_env=False)
            assert answer.status_code == 403, f"{path}: {answer.status_code}"
            assert "ana@example.org" not in answer.text
    assert opens_websocket(site, forged) == 403


def test_stranger_with_the_cookie_of_a_session(site: Site, visitor: Visitor) -> None:
    """A session that was begun through the front is worth nothing without it."""
    visit = visitor(site.address)
    settle(visit.open("/"))
    cookie = "; ".join(f"{each['name']}={each['value']}" for each in visit.context.cookies(site.address))
    assert "avg=" in cookie

    for path in ("/usage", f"{API}/projects"):
        assert httpx.get(f"{site.behind}{path}", headers={"Cookie": cookie}, trust_env=False).status_code == 401
    assert opens_websocket(site, {"Cookie": cookie}) in (401, 403)


def test_nobody_named(site: Site) -> None:
    """Without a name there is a page that says by which way to come, and nothing else."""
    answer = httpx.get(f"{site.behind}/usage", headers=NAVIGATION, trust_env=False)

    assert answer.status_code == 401
    assert "entrance" in answer.text
    assert opens_websocket(site, {}) in (401, 403)
