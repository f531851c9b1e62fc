"""A page whose browser has no session that holds, though it was let as far as this."""

import pytest
from streamlit.testing.v1 import AppTest

from core.installation import Installation
from tests.factories import installations
from tests.pages.conftest import Open, sent


@pytest.fixture
def company(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> Installation:
    """An installation whose people sign in."""
    told = {
        "AUTH_MODE": "oidc",
        "PUBLIC_URL": "https://studio.example.org",
        "OIDC_ISSUER": "https://id.example.org",
        "OIDC_CLIENT_ID": "studio",
    }
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    return installations.reopen()


@pytest.mark.parametrize("page", ["projects", "generate", "history", "usage", "admin", "account", "audit_log"])
def test_page_says_so_and_nothing_else(company: Installation, open_page: Open, page: str) -> None:
    """Neither a field nor a figure is drawn, and nothing looks at what moves; a link leads to the same address."""
    at: AppTest = open_page(page)
    assert not at.exception
    assert [each.value for each in at.subheader] == ["You are signed out."]
    assert "Sign in again" in at.get("html")[0].proto.body
    assert 'target="_self"' in at.get("html")[0].proto.body
    assert len(at.main) == 2
    assert sent(at, "live") is None
