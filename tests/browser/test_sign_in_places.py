"""Signing in and out where the installation is not one server at the root of an address."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visitor, picture, settle
from tests.browser.signing_in import expect_signed_out, press_sign_in, sign_in, sign_out_at_provider
from tests.fixtures.identity_provider import Account
from tests.system.app import API
from tests.system.sign_in import Site, signing_in

ACCOUNTS = [Account("ana", "ana@example.org", "Ana Maker")]
PLACES: dict[str, dict[str, Any]] = {
    "base-path": {"base_path": "/studio"},
    "front": {"prefix": "/films/studio"},
    "front-and-base-path": {"prefix": "/films", "base_path": "/studio"},
    "two-nodes": {"nodes": 2},
}


@pytest.fixture(scope="module", params=PLACES)
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """An installation below a path, or on two nodes of which a front asks now one and now the other."""
    folder: Path = tmp_path_factory.mktemp(request.param)
    with ExitStack() as opened:
        yield opened.enter_context(signing_in(folder, ACCOUNTS, **PLACES[request.param]))


def test_in_and_out(site: Site, visitor: Visitor) -> None:
    """A cold deep link, its page and the API work, and a session that ends is over in every tab."""
    visit = visitor(site.address)
    page = visit.open("/usage?period=365")
    sign_in(page, "ana")
    settle(page)
    assert page.url == f"{site.address}/usage?period=365"
    expect(page.get_by_role("heading", name="Usage", level=1)).to_be_visible()
    other = visit.open("/history")
    settle(other)
    picture(page, f"sign-in-{site.address.rpartition('/')[2].replace(':', '-')}")
    for _ in range(4):
        assert visit.context.request.get(f"{site.address}{API}/projects").status == 200
    if len(site.nodes) > 1:
        assert site.front is not None
        assert min(site.front.asked.values()) > 10, "both nodes took part"

    sign_out_at_provider(visit.context.new_page(), site.provider.issuer)
    for tab in (page, other):
        tab.get_by_role("link", name="Assets", exact=True).first.click()
        expect_signed_out(tab)
    for _ in range(4):
        assert visit.context.request.get(f"{site.address}{API}/projects").status == 401
    press_sign_in(other)
    sign_in(other, "ana")
    settle(other)
    assert other.url == f"{site.address}/assets", "back to the page that was asked for"
