"""Certified providers that differ in what the standard leaves to them; one installation takes people from all."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.fixtures.identity_provider import CLIENT_ID, CLIENT_SECRET, Account, IdentityProvider, identity_provider
from tests.system.app import API, App, free_port
from tests.system.sign_in import SECRET_KEY, Site, browser

pytestmark = pytest.mark.process

MANY = tuple(f"cn=department-number-{n},ou=groups,dc=example,dc=org" for n in range(400))
KINDS: dict[str, dict[str, Any]] = {
    "claims in the userinfo": {},
    "claims in the ID token": {"claims_in_id_token": True},
    "secret in the body": {"client": {"token_endpoint_auth_method": "client_secret_post"}},
    "no secret": {"client": {"token_endpoint_auth_method": "none", "client_secret": None}},
    "signed by a curve": {"client": {"id_token_signed_response_alg": "ES256"}},
    "signed by Edwards": {"client": {"id_token_signed_response_alg": "EdDSA"}, "claims_in_id_token": True},
    "signed with PSS": {"client": {"id_token_signed_response_alg": "PS256"}},
    "logout by subject": {"client": {"backchannel_logout_session_required": False}},
}


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, tuple[str, Site]]]:
    """The installation as people of each provider meet it: kind -> its number in the settings, and the site."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    variables = {"AUTH_MODE": "oidc", "PUBLIC_URL": address, "SECRET_KEY": SECRET_KEY, "ROLE_MAP": "admins=admin"}
    with ExitStack() as opened:
        providers: dict[str, IdentityProvider] = {}
        for number, (kind, options) in enumerate(KINDS.items(), start=1):
            groups = (*MANY, "admins")
            account = Account("me", f"me@provider-{number}.example.org", f"Person {number}", groups)
            found = opened.enter_context(identity_provider(address, [account], **options))
            providers[kind] = found
            begins = "OIDC_" if number == 1 else f"OIDC_{number}_"
            variables |= {f"{begins}ISSUER": found.issuer, f"{begins}CLIENT_ID": CLIENT_ID}
            if kind != "no secret":
                variables[f"{begins}CLIENT_SECRET"] = CLIENT_SECRET
        app = App(tmp_path_factory.mktemp("providers"), port=port, environ=variables)
        opened.callback(app.stop)
        yield {
            kind: (str(number), Site(address, [app], found, None))
            for number, (kind, found) in enumerate(providers.items(), start=1)
        }


@pytest.mark.parametrize("kind", KINDS)
def test_in_and_out(sites: dict[str, tuple[str, Site]], kind: str) -> None:
    """Somebody comes in with address, name and groups, is nobody else, and the provider can end their session."""
    number, site = sites[kind]
    with browser(site) as client, browser(site) as other:
        for each in (client, other):
            begun = each.get("/auth/login", params={"issuer": number, "next": "/usage"}).headers["location"]
            answer = each.get(site.provider.let_in(each, begun, "me"))
            assert (answer.status_code, answer.headers["location"]) == (303, f"{site.address}/usage")
        assert client.get(f"{API}/projects").status_code == 200
        people = client.get(f"{API}/people").json()["people"]
        [me] = [each for each in people if each["email"] == f"me@provider-{number}.example.org"]
        assert (me["name"], me["role"]) == (f"Person {number}", "admin")

        site.provider.end_sessions("me")
        assert [each.get(f"{API}/projects").status_code for each in (client, other)] == [401, 401]


def test_sign_in_page_offers_all(sites: dict[str, tuple[str, Site]]) -> None:
    """Where there are several providers the page has a button for each."""
    _number, site = sites["claims in the userinfo"]
    with browser(site) as client:
        page = client.get("/usage", headers={"Sec-Fetch-Mode": "navigate", "Accept": "text/html"})
    assert page.status_code == 401
    assert page.text.count("/auth/login?issuer=") == len(KINDS)
