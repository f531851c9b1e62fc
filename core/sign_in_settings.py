"""How people sign in, as settings say it: identity providers, a trusted front, and which group is which role; pure."""

import ipaddress
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlsplit

from core import setting_values
from core.proxies import is_loopback
from core.redaction import shown_address

MODES = ("oidc", "proxy")
"""The values of AUTH_MODE with which everybody has to say who they are."""

INSTALLATION_ROLES = ("user", "analyst", "admin")
WORKSPACE_ROLES = ("viewer", "maker", "manager")
"""The words of `core.db.enums.Role` and `WorkspaceRole`, lowest first; settings stand below them."""

DEFAULT_ROLES = ("user", "none")
SCOPES = "openid email profile"
GROUPS_CLAIM = "groups"
EMAIL_VERIFIED = ("claim", "always")

_ISSUER_NAME = re.compile(
    r"OIDC_(?:(\d{1,3})_)?(ISSUER|CLIENT_ID|CLIENT_SECRET|SCOPES|GROUPS_CLAIM|NAME|EMAIL_VERIFIED)"
)
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")


@dataclass(frozen=True, slots=True)
class IssuerSettings:
    """One identity provider. `key` is its number in the settings, "1" for the one without.

    With `trusts_email` its addresses count as verified though it does not say so of each.
    """

    key: str
    issuer: str
    client_id: str
    client_secret: str = field(default="", repr=False)
    scopes: str = SCOPES
    groups_claim: str = GROUPS_CLAIM
    name: str = ""
    trusts_email: bool = False


@dataclass(frozen=True, slots=True)
class RoleRule:
    """Who is in this group has this role: in the workspace of that name, or in the installation where it is None."""

    group: str
    role: str
    workspace: str | None = None


class Chosen(Protocol):
    """What of the settings decides whether people can sign in, and nobody else."""

    @property
    def auth_mode(self) -> str: ...  # noqa: D102 -- the fields of `core.config.Settings`
    @property
    def public_url(self) -> str: ...  # noqa: D102 -- same
    @property
    def issuers(self) -> Sequence[IssuerSettings]: ...  # noqa: D102 -- same
    @property
    def trusted_proxies(self) -> Sequence[str]: ...  # noqa: D102 -- same
    @property
    def proxy_user_header(self) -> str: ...  # noqa: D102 -- same
    @property
    def proxy_jwt_header(self) -> str: ...  # noqa: D102 -- same
    @property
    def proxy_jwks_url(self) -> str: ...  # noqa: D102 -- same
    @property
    def proxy_jwt_audience(self) -> str: ...  # noqa: D102 -- same


def contradiction(settings: Chosen) -> str | None:
    """What keeps these settings from letting people in, and nobody else, in a sentence."""
    mode = f"AUTH_MODE={settings.auth_mode}"
    if settings.auth_mode not in MODES:
        return None
    if settings.public_url and not is_safe_address(settings.public_url):
        return f"PUBLIC_URL: {mode} needs https, except on this machine itself: others could read who signs in."
    if settings.auth_mode == "oidc":
        if not settings.issuers:
            return f"OIDC_ISSUER: {mode} needs the address of an identity provider, and OIDC_CLIENT_ID."
        if not settings.public_url:
            return f"PUBLIC_URL: {mode} needs the address at which people reach this installation."
        return None
    if not settings.trusted_proxies:
        return f"TRUSTED_PROXIES: {mode} needs the addresses of the front, else anybody could say who they are."
    if not settings.proxy_user_header and not settings.proxy_jwt_header:
        return f"PROXY_USER_HEADER: {mode} needs the header in which the front says who somebody is."
    if settings.proxy_jwt_header and not (settings.proxy_jwks_url and settings.proxy_jwt_audience):
        missing = "PROXY_JWT_AUDIENCE" if settings.proxy_jwks_url else "PROXY_JWKS_URL"
        return f"{missing} is missing, without which what is in PROXY_JWT_HEADER cannot be checked."
    if settings.proxy_jwks_url and not is_safe_address(settings.proxy_jwks_url):
        return "PROXY_JWKS_URL is not https, so that anybody could answer in its place."
    return None


def is_issuer_name(name: str) -> bool:
    """Whether a variable is one of an identity provider's."""
    return _ISSUER_NAME.fullmatch(name) is not None


def issuers(variables: Mapping[str, str]) -> tuple[IssuerSettings, ...]:
    """The identity providers of `OIDC_ISSUER`, `OIDC_2_ISSUER` and so on, in the order of their numbers.

    ValueError names the variable that is wrong or missing.
    """
    given: dict[int, dict[str, str]] = {}
    for name, value in variables.items():
        if (found := _ISSUER_NAME.fullmatch(name)) and (cut := setting_values.cut(value)):
            given.setdefault(int(found[1] or 1), {})[found[2]] = cut
    made = [_issuer(number, values) for number, values in sorted(given.items())]
    addresses = [each.issuer for each in made]
    if len(set(addresses)) < len(addresses):
        raise ValueError("OIDC_ISSUER is given twice: two providers have one address.")
    return tuple(made)


def _issuer(number: int, values: Mapping[str, str]) -> IssuerSettings:
    begins = "OIDC_" if number == 1 else f"OIDC_{number}_"
    for needed in ("ISSUER", "CLIENT_ID"):
        if needed not in values:
            raise ValueError(f"{begins}{needed} is missing, and others that begin with {begins} are set.")
    try:
        address = setting_values.web_address(values["ISSUER"])
    except ValueError as wrong:
        raise ValueError(f"{begins}ISSUER: {wrong}") from None
    if not is_safe_address(address):
        raise ValueError(
            f"{begins}ISSUER: '{shown_address(address)}' is not https, so that anybody could answer for it."
        )
    scopes = " ".join(re.split(r"[,\s]+", values.get("SCOPES", SCOPES)))
    if "openid" not in scopes.split():
        raise ValueError(f"{begins}SCOPES: 'openid' is missing, without which nobody is named.")
    verified = values.get("EMAIL_VERIFIED", EMAIL_VERIFIED[0])
    if verified not in EMAIL_VERIFIED:
        raise ValueError(f"{begins}EMAIL_VERIFIED: '{verified}' is not one of {', '.join(EMAIL_VERIFIED)}.")
    return IssuerSettings(
        key=str(number),
        issuer=address,
        client_id=values["CLIENT_ID"],
        client_secret=values.get("CLIENT_SECRET", ""),
        scopes=scopes,
        groups_claim=values.get("GROUPS_CLAIM", GROUPS_CLAIM),
        name=values.get("NAME", urlsplit(address).hostname or ""),
        trusts_email=verified == "always",
    )


def is_safe_address(url: str) -> bool:
    """Whether nobody on the way can read or change what is said there: https, or this machine itself."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))


def role_map(value: str) -> tuple[RoleRule, ...]:
    """`group=role` entries, separated by commas, or by semicolons where there is one in the value.

    A role is one of INSTALLATION_ROLES, or `workspace:NAME:` and one of WORKSPACE_ROLES. Names of groups may have `=`
    in them, and commas where entries are separated by semicolons, as LDAP has them.
    """
    separator = ";" if ";" in value else ","
    return tuple(_rule(entry.strip()) for entry in value.split(separator) if entry.strip())


def _rule(entry: str) -> RoleRule:
    group, _, role = (part.strip() for part in entry.rpartition("="))
    if group and role in INSTALLATION_ROLES:
        return RoleRule(group, role)
    kind, _, rest = role.partition(":")
    name, _, workspace_role = (part.strip() for part in rest.rpartition(":"))
    if group and kind == "workspace" and name and workspace_role in WORKSPACE_ROLES:
        return RoleRule(group, workspace_role, name)
    shown = entry if len(entry) <= 80 else f"{entry[:80]}..."
    raise ValueError(
        f"'{shown}' is not group=role with {', '.join(INSTALLATION_ROLES)} "
        f"or workspace:NAME:role with {', '.join(WORKSPACE_ROLES)}."
    )


def default_role(value: str) -> str:
    """What somebody is who is in no group of the map: one of DEFAULT_ROLES."""
    if value not in DEFAULT_ROLES:
        raise ValueError(f"'{value[:40]}' is not one of {', '.join(DEFAULT_ROLES)}.")
    return value


def email_domains(value: str) -> frozenset[str]:
    """Domains of addresses, separated by commas or blanks; a leading @ is taken off."""
    found = frozenset(item.lower().removeprefix("@") for item in _items(value))
    for domain in found:
        if not re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)*", domain):
            raise ValueError(f"'{domain[:80]}' is not the domain of an address, such as example.org.")
    return found


def emails(value: str) -> frozenset[str]:
    """Addresses of people, separated by commas or blanks."""
    found = frozenset(item.lower() for item in _items(value))
    for email in found:
        if not re.fullmatch(r"[^@\s]+@[^@\s]+", email):
            raise ValueError(f"'{email[:80]}' is not an address such as ana@example.org.")
    return found


def networks(value: str) -> tuple[str, ...]:
    """IP addresses and networks, separated by commas or blanks, each as a network."""
    found = []
    for item in _items(value):
        try:
            network = ipaddress.ip_network(item, strict=False)
        except ValueError:
            raise ValueError(f"'{item[:80]}' is neither an IP address nor a network such as 10.0.0.0/8.") from None
        if network.prefixlen == 0:
            raise ValueError(f"'{item[:80]}' is every address there is, so that anybody could say who they are.")
        found.append(str(network))
    return tuple(found)


def header_name(value: str) -> str:
    """The name of a header, in small letters."""
    if not _HEADER.fullmatch(value):
        raise ValueError(f"'{value[:40]}' is not the name of a header.")
    return value.lower()


def within(networks: Iterable[str], address: str) -> bool:
    """Whether an address lies in one of these networks; an IPv4 one also where it is written as IPv6."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        found = found.ipv4_mapped or found
    return any(found in ipaddress.ip_network(network) for network in networks)


def _items(value: str) -> Sequence[str]:
    return [item for item in re.split(r"[,\s]+", value) if item]
