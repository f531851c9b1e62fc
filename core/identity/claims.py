"""What an identity provider says of somebody, read into what we go by: who, which address, which roles; pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.db.enums import Role, WorkspaceRole
from core.sign_in_settings import IssuerSettings, RoleRule

_GROUPS_LIMIT = 10_000
_NAME_LIMIT_CHARS = 120
_ROLES = tuple(Role)
_WORKSPACE_ROLES = tuple(WorkspaceRole)

ENTRA_APP_ROLES = "roles"
"""Where Microsoft Entra puts the roles of the application itself, which are never left out for being many."""


@dataclass(frozen=True, slots=True)
class Claims:
    """Somebody, as `issuer` knows them under `subject`; `email` is empty where it says none.

    `email_verified` None: it does not say. Not `has_all_groups`: it left some out, for being too many.
    """

    issuer: str
    subject: str
    email: str
    email_verified: bool | None
    name: str
    groups: frozenset[str] = frozenset()
    has_all_groups: bool = True


def read(said: Mapping[str, Any], *, issuer: str, settings: IssuerSettings) -> Claims:
    """The claims of an ID token (OpenID Connect Core 1.0, 5.1), and of Microsoft Entra what it has beside them.

    Entra puts a pointer into `_claim_names` in place of more than 200 groups ("groups overage claim").
    """
    email, verified = _text(said.get("email")), said.get("email_verified")
    if settings.trusts_email:
        names = (email, _text(said.get("preferred_username")), _text(said.get("upn")))
        email, verified = next((name for name in names if "@" in name), ""), True
    pointed = said.get("_claim_names")
    left_out = said.get("hasgroups") in (True, "true") or (
        isinstance(pointed, Mapping) and settings.groups_claim in pointed
    )
    groups = _texts(_at(said, settings.groups_claim)) | _texts(said.get(ENTRA_APP_ROLES))
    return Claims(
        issuer=issuer,
        subject=_printable(said.get("sub")),
        email=email,
        email_verified=_truth(verified),
        name=_text(said.get("name"))[:_NAME_LIMIT_CHARS],
        groups=groups,
        has_all_groups=not left_out,
    )


def of_front(*, issuer: str, subject: str, email: str, groups: str) -> Claims:
    """What a trusted front says in headers; groups are separated by commas."""
    names = frozenset(group for item in groups.split(",") if (group := item.strip()))
    return Claims(issuer, subject, email, True, "", names)


def joined(claims: Claims, groups: frozenset[str]) -> Claims:
    """The same person with further groups."""
    return replace(claims, groups=claims.groups | groups)


def is_of_domain(email: str, domains: Collection[str]) -> bool:
    """Whether an address is of one of these domains; any is where none are named."""
    return not domains or email.rpartition("@")[2].lower() in domains


def installation_role(claims: Claims, rules: Sequence[RoleRule]) -> Role | None:
    """The highest role in the installation that their groups give; None where they give none."""
    given = [Role(rule.role) for rule in rules if rule.workspace is None and rule.group in claims.groups]
    return max(given, key=_ROLES.index, default=None)


def decide_roles(rules: Sequence[RoleRule]) -> bool:
    """Whether the map speaks of roles in the installation at all; else administrators give them by hand."""
    return any(rule.workspace is None for rule in rules)


def is_higher(role: Role, than: Role) -> bool:
    """Whether a role reaches further than another."""
    return _ROLES.index(role) > _ROLES.index(than)


def workspace_roles(claims: Claims, rules: Sequence[RoleRule]) -> Mapping[str, WorkspaceRole]:
    """Name of a workspace -> the highest role in it that their groups give."""
    found: dict[str, WorkspaceRole] = {}
    for rule in rules:
        if rule.workspace is not None and rule.group in claims.groups:
            role = WorkspaceRole(rule.role)
            before = found.get(rule.workspace, role)
            found[rule.workspace] = max(role, before, key=_WORKSPACE_ROLES.index)
    return found


def _at(said: Mapping[str, Any], path: str) -> Any:
    """A claim by its name, or by a path with dots where there is none of that name, as Keycloak nests its roles."""
    if path in said:
        return said[path]
    found: Any = said
    for part in path.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _texts(value: Any) -> frozenset[str]:
    items = value if isinstance(value, list) else [value]
    return frozenset(item for item in items[:_GROUPS_LIMIT] if isinstance(item, str) and item)


def _text(value: Any) -> str:
    """A text in one line; without what nobody sees, which a database may refuse."""
    return "".join(char for char in " ".join(value.split()) if char.isprintable()) if isinstance(value, str) else ""


def _printable(value: Any) -> str:
    """A name that must stay as it is; empty for what cannot be one."""
    return value if isinstance(value, str) and value.isprintable() else ""


def _truth(value: Any) -> bool | None:
    """A claim that is true or false; some providers write it as text."""
    if isinstance(value, str):
        value = {"true": True, "false": False}.get(value.lower())
    return value if isinstance(value, bool) else None
