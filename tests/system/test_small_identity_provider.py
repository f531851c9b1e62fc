"""Signing in at a small provider of another make: what it says of somebody counts anew at each sign-in."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import httpx
import pytest

from tests.fixtures.identity_provider_mock import IdentityProviderMock, identity_provider_mock
from tests.system.app import API, App, free_port
from tests.system.sign_in import SECRET_KEY

pytestmark = pytest.mark.process

ANA = {"email": "ana@example.org", "email_verified": True, "name": "Ana", "groups": ["admins"]}


@dataclass(frozen=True)
class Site:
    """The app at `address`, and who says who its people are."""

    address: str
    provider: IdentityProviderMock

    @contextmanager
    def browser(self) -> Iterator[httpx.Client]:
        """A client with cookies, of nobody yet."""
        with httpx.Client(base_url=self.address, trust_env=False, timeout=30) as client:
            yield client

    def come_in(self, client: httpx.Client, subject: str) -> httpx.Response:
        """Sign in as a subject; what the app says to it."""
        begun = client.get("/auth/login?next=/usage").headers["location"]
        return client.get(self.provider.authorize(begun, subject))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """An installation whose administrators are in a group."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with ExitStack() as opened:
        provider = opened.enter_context(identity_provider_mock({"ana": ANA}))
        environ = {"AUTH_MODE": "oidc", "PUBLIC_URL": address, "SECRET_KEY": SECRET_KEY, "ROLE_MAP": "admins=admin"}
        environ |= {"OIDC_ISSUER": provider.issuer, "OIDC_CLIENT_ID": "studio", "OIDC_CLIENT_SECRET": "any"}
        app = App(tmp_path_factory.mktemp("small"), port=port, environ=environ)
        opened.callback(app.stop)
        yield Site(address, provider)


def test_claims_that_change(site: Site) -> None:
    """Somebody with another address and name is the same person with the same things; a group that is gone is gone."""
    same = {"Sec-Fetch-Site": "same-origin"}
    with site.browser() as client:
        answer = site.come_in(client, "ana")
        assert (answer.status_code, answer.headers["location"]) == (303, f"{site.address}/usage")
        assert client.post(f"{API}/projects", json={"name": "Lakes"}, headers=same).status_code == 201
        assert client.get(f"{API}/people").status_code == 200

    site.provider.claim("ana", ANA | {"email": "ana.maker@example.org", "name": "Ana Maker"})
    with site.browser() as client:
        assert site.come_in(client, "ana").status_code == 303
        [person] = [each for each in client.get(f"{API}/people").json()["people"] if "ana" in each["email"]]
        assert (person["email"], person["name"]) == ("ana.maker@example.org", "Ana Maker")
        assert "Lakes" in client.get(f"{API}/projects").text

    site.provider.claim("ana", ANA | {"groups": ["staff"]})
    with site.browser() as client:
        assert site.come_in(client, "ana").status_code == 303
        assert client.get(f"{API}/people").status_code == 403


def test_address_of_somebody_else(site: Site) -> None:
    """Another subject with the address of somebody who is known is not taken for them."""
    site.provider.claim("ben", {"email": "ben@example.org", "email_verified": True})
    with site.browser() as client:
        assert site.come_in(client, "ben").status_code == 303
    site.provider.claim("other", {"email": "ben@example.org", "email_verified": True})
    with site.browser() as client:
        assert site.come_in(client, "other").status_code == 403
        assert client.get(f"{API}/projects").status_code == 401


def test_provider_that_says_no(site: Site) -> None:
    """Who is refused there comes back to a page of ours, and is nobody here."""
    with site.browser() as client:
        begun = client.get("/auth/login").headers["location"]
        answer = client.get(site.provider.deny(begun))
        assert answer.status_code == 400
        assert "You are not signed in" in answer.text
        assert client.get(f"{API}/projects").status_code == 401
