"""How people sign in, as settings say it."""

from pathlib import Path

import pytest

from core import config, sign_in_settings
from core.config import BadSetting
from core.db.enums import Role, WorkspaceRole
from core.sign_in_settings import RoleRule

OIDC = {
    "AUTH_MODE": "oidc",
    "PUBLIC_URL": "https://studio.example.org",
    "OIDC_ISSUER": "https://id.example.org",
    "OIDC_CLIENT_ID": "studio",
}
PROXY = {"AUTH_MODE": "proxy", "TRUSTED_PROXIES": "10.0.0.0/8", "PROXY_USER_HEADER": "X-Auth-Request-Email"}
SIGNED = {"PROXY_JWT_HEADER": "Cf-Access-Jwt-Assertion", "PROXY_JWKS_URL": "https://x.example.org/certs"}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the key of these settings is kept."""
    monkeypatch.chdir(tmp_path)


def test_roles_are_the_words_of_the_tables() -> None:
    """Settings stand below the database, so they have the words once more."""
    assert tuple(Role) == sign_in_settings.INSTALLATION_ROLES
    assert tuple(WorkspaceRole) == sign_in_settings.WORKSPACE_ROLES


def test_one_issuer_with_its_defaults() -> None:
    """A provider needs an address and a client, the rest has a usual value."""
    [issuer] = config.load(OIDC).issuers
    assert (issuer.key, issuer.issuer, issuer.client_id) == ("1", "https://id.example.org", "studio")
    assert (issuer.scopes, issuer.groups_claim, issuer.name) == ("openid email profile", "groups", "id.example.org")
    assert not issuer.trusts_email


def test_several_issuers_in_the_order_of_their_numbers() -> None:
    """Any number of providers, each with variables of its own."""
    more = {
        "OIDC_10_ISSUER": "https://ten.example.org",
        "OIDC_10_CLIENT_ID": "ten",
        "OIDC_2_ISSUER": "https://two.example.org",
        "OIDC_2_CLIENT_ID": "two",
        "OIDC_2_CLIENT_SECRET": "hidden",
        "OIDC_2_SCOPES": "openid,groups",
        "OIDC_2_GROUPS_CLAIM": "realm_access.roles",
        "OIDC_2_NAME": "Partners",
        "OIDC_2_EMAIL_VERIFIED": "always",
    }
    settings = config.load(OIDC | more)
    assert [issuer.key for issuer in settings.issuers] == ["1", "2", "10"]
    two = settings.issuers[1]
    assert (two.scopes, two.groups_claim, two.name, two.trusts_email) == (
        "openid groups",
        "realm_access.roles",
        "Partners",
        True,
    )
    assert "hidden" not in repr(settings)
    assert "hidden" in settings.secrets


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        (OIDC | {"PUBLIC_URL": ""}, "PUBLIC_URL: "),
        (OIDC | {"PUBLIC_URL": "http://studio.example.org"}, "PUBLIC_URL: "),
        (OIDC | {"OIDC_ISSUER": "", "OIDC_CLIENT_ID": ""}, "OIDC_ISSUER: "),
        (OIDC | {"OIDC_CLIENT_ID": ""}, "OIDC_CLIENT_ID is missing"),
        (OIDC | {"OIDC_2_CLIENT_ID": "x"}, "OIDC_2_ISSUER is missing"),
        (OIDC | {"OIDC_ISSUER": "http://id.example.org"}, "OIDC_ISSUER: "),
        (OIDC | {"OIDC_ISSUER": "id.example.org"}, "OIDC_ISSUER: "),
        (OIDC | {"OIDC_SCOPES": "email"}, "OIDC_SCOPES: "),
        (OIDC | {"OIDC_EMAIL_VERIFIED": "yes"}, "OIDC_EMAIL_VERIFIED: "),
        (OIDC | {"OIDC_2_ISSUER": "https://id.example.org", "OIDC_2_CLIENT_ID": "x"}, "OIDC_ISSUER is given twice"),
        (OIDC | {"ROLE_MAP": "staff=king"}, "ROLE_MAP: 'staff=king'"),
        (OIDC | {"ROLE_MAP": "staff=workspace:Spring"}, "ROLE_MAP: "),
        (OIDC | {"ROLE_MAP": "staff=workspace::maker"}, "ROLE_MAP: "),
        (OIDC | {"ROLE_MAP": "=admin"}, "ROLE_MAP: "),
        (OIDC | {"DEFAULT_ROLE": "admin"}, "DEFAULT_ROLE: "),
        (OIDC | {"ALLOWED_EMAIL_DOMAINS": "ana@example.org"}, "ALLOWED_EMAIL_DOMAINS: "),
        (OIDC | {"ADMIN_EMAILS": "ana"}, "ADMIN_EMAILS: "),
        (OIDC | {"SESSION_HOURS": "0"}, "SESSION_HOURS: "),
        (OIDC | {"SESSION_IDLE_MINUTES": "-5"}, "SESSION_IDLE_MINUTES: "),
        (PROXY | {"TRUSTED_PROXIES": ""}, "TRUSTED_PROXIES: "),
        (PROXY | {"TRUSTED_PROXIES": "front.example.org"}, "TRUSTED_PROXIES: "),
        (PROXY | {"TRUSTED_PROXIES": "0.0.0.0/0"}, "TRUSTED_PROXIES: "),
        (PROXY | {"PROXY_USER_HEADER": ""}, "PROXY_USER_HEADER: "),
        (PROXY | {"PROXY_USER_HEADER": "X Auth"}, "PROXY_USER_HEADER: "),
        (PROXY | {"PUBLIC_URL": "http://studio.example.org"}, "PUBLIC_URL: "),
        (PROXY | {"PROXY_JWT_HEADER": "X-Jwt"}, "PROXY_JWKS_URL is missing"),
        (PROXY | SIGNED, "PROXY_JWT_AUDIENCE is missing"),
        (PROXY | SIGNED | {"PROXY_JWKS_URL": "http://x.example.org", "PROXY_JWT_AUDIENCE": "a"}, "PROXY_JWKS_URL "),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_settings_that_let_nobody_or_anybody_in_stop_the_start(variables: dict[str, str], said: str) -> None:
    """One sentence names the variable."""
    with pytest.raises(BadSetting) as refused:
        config.load(variables)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("url", ["https://studio.example.org", "http://localhost:8501", "http://127.0.0.1:8501/studio"])
def test_address_that_nobody_can_listen_to_is_taken(url: str) -> None:
    """Https, or this machine itself."""
    assert config.load(OIDC | {"PUBLIC_URL": url}).has_sign_in


def test_modes_without_sign_in_need_nothing_of_it() -> None:
    """What is set for signing in does not stop an installation that has none."""
    assert not config.load(OIDC | {"AUTH_MODE": "open", "PUBLIC_URL": ""}).has_sign_in


def test_role_map_says_roles_here_and_in_workspaces() -> None:
    """A group may have several roles; names of workspaces may have blanks and colons in them."""
    rules = sign_in_settings.role_map("boss=admin, boss=workspace:Spring 2: late:manager ,cost=analyst,")
    assert rules == (
        RoleRule("boss", "admin"),
        RoleRule("boss", "manager", "Spring 2: late"),
        RoleRule("cost", "analyst"),
    )


def test_role_map_takes_names_with_commas_where_entries_end_with_semicolons() -> None:
    """LDAP writes `=` and `,` into names of groups."""
    rules = sign_in_settings.role_map("cn=boss,ou=groups,dc=example=admin; cn=all,dc=example=workspace:Spring:viewer")
    assert rules == (
        RoleRule("cn=boss,ou=groups,dc=example", "admin"),
        RoleRule("cn=all,dc=example", "viewer", "Spring"),
    )
    assert sign_in_settings.role_map("cn=one,dc=org=user;") == (RoleRule("cn=one,dc=org", "user"),)


@pytest.mark.parametrize(
    ("address", "is_within"),
    [
        ("10.1.2.3", True),
        ("::ffff:10.1.2.3", True),
        ("11.0.0.1", False),
        ("fd00::1", True),
        ("", False),
        ("testclient", False),
    ],
)
def test_address_within_networks(address: str, is_within: bool) -> None:
    """An IPv4 address is the same where it is written as IPv6; what is no address lies nowhere."""
    networks = sign_in_settings.networks("10.0.0.0/8 fd00::/8")
    assert sign_in_settings.within(networks, address) is is_within


def test_slips_in_names_are_told() -> None:
    """A variable that looks like one of these and is none is warned about; those of further providers are known."""
    names = [
        "OIDC_ISUER",
        "OIDC_2_ISSUER",
        "OIDC_2_ISUER",
        "TRUSTED_PROXY",
        "ROLE_MAPS",
        "PROXY_JWKS",
        "SESSION_MANAGER",
    ]
    assert config.unknown_names(names, []) == ["OIDC_2_ISUER", "OIDC_ISUER", "PROXY_JWKS", "ROLE_MAPS", "TRUSTED_PROXY"]


def test_cookie_of_https_is_of_this_host_alone() -> None:
    """The prefix keeps other hosts of the same domain from setting it."""
    assert config.load(OIDC).session_cookie == "__Host-avg"
    assert config.load(OIDC | {"PUBLIC_URL": "http://localhost:8501"}).session_cookie == "avg"
