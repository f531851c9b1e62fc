"""What is read out of the claims of an identity provider."""

from typing import Any

import pytest

from core.db.enums import Role, WorkspaceRole
from core.identity import claims
from core.identity.claims import Claims
from core.sign_in_settings import IssuerSettings, role_map

PLAIN = IssuerSettings("1", "https://id.example.org", "studio")
ENTRA = IssuerSettings("1", "https://id.example.org", "studio", trusts_email=True)


def read(said: dict[str, Any], settings: IssuerSettings = PLAIN) -> Claims:
    """The claims of somebody called ana."""
    return claims.read({"sub": "ana"} | said, issuer=settings.issuer, settings=settings)


def test_claims_of_the_standard() -> None:
    """Who, which address, and whether it is verified."""
    found = read({"email": "Ana@Example.org", "email_verified": True, "name": " Ana  Maker ", "groups": ["a", "b"]})
    assert found == Claims(PLAIN.issuer, "ana", "Ana@Example.org", True, "Ana Maker", frozenset("ab"))


@pytest.mark.parametrize(
    ("said", "verified"), [(True, True), (False, False), ("true", True), ("False", False), (None, None), (1, None)]
)
def test_address_is_verified_only_where_it_says_so(said: Any, verified: bool | None) -> None:
    """Some write it as text; what says neither says nothing."""
    assert read({"email": "a@b.c", "email_verified": said}).email_verified is verified


def test_trusted_issuer_verifies_all_its_addresses() -> None:
    """Entra says no `email_verified`, and may have the address in the name that people sign in with."""
    assert read({"email": "a@b.c"}, ENTRA).email_verified is True
    assert read({"preferred_username": "a@b.c"}, ENTRA).email == "a@b.c"
    assert read({"upn": "a@b.c", "preferred_username": "+62 812"}, ENTRA).email == "a@b.c"


def test_name_to_sign_in_with_is_no_address_by_itself() -> None:
    """People may choose it themselves at many providers."""
    assert read({"preferred_username": "boss@example.org"}).email == ""


@pytest.mark.parametrize(
    ("said", "path", "groups"),
    [
        ({"groups": "one"}, "groups", {"one"}),
        ({"groups": ["one", 2, None, "", "two"]}, "groups", {"one", "two"}),
        ({"groups": {"one": 1}}, "groups", set()),
        ({}, "groups", set()),
        ({"realm_access": {"roles": ["one"]}}, "realm_access.roles", {"one"}),
        ({"realm_access": "x"}, "realm_access.roles", set()),
        ({"https://example.org/groups": ["one"]}, "https://example.org/groups", {"one"}),
        ({"groups": ["one"], "roles": ["Video.Admin"]}, "groups", {"one", "Video.Admin"}),
    ],
)
def test_groups_wherever_they_are(said: dict[str, Any], path: str, groups: set[str]) -> None:
    """A list, one text, nested as Keycloak has it, and the roles of the application as Entra has them."""
    settings = IssuerSettings("1", PLAIN.issuer, "studio", groups_claim=path)
    assert claims.read({"sub": "ana"} | said, issuer=PLAIN.issuer, settings=settings).groups == groups


@pytest.mark.parametrize(
    "said", [{"_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {}}}, {"hasgroups": True}]
)
def test_groups_that_were_left_out_are_noticed(said: dict[str, Any]) -> None:
    """Entra leaves out more than 200 groups; app roles come all the same."""
    found = read(said | {"roles": ["Video.Admin"]})
    assert not found.has_all_groups
    assert found.groups == {"Video.Admin"}


def test_what_nobody_sees_is_not_taken() -> None:
    """A database may refuse it, and two names could look alike."""
    found = read({"email": "ana\u0000@example.org", "name": "Ana\u0000\u200b Maker\n"})
    assert (found.email, found.name) == ("ana@example.org", "Ana Maker")
    assert read({"sub": "a\u0000"}).subject == ""
    assert read({"sub": 7}).subject == ""


def test_four_hundred_groups_are_read() -> None:
    """Large companies have many."""
    groups = [f"cn=department-number-{n},ou=groups,dc=example,dc=org" for n in range(400)]
    found = read({"groups": groups})
    assert len(found.groups) == 400
    assert claims.installation_role(found, role_map(f"{groups[-1]}=analyst;")) is Role.ANALYST


def test_highest_role_counts() -> None:
    """Who is in several groups has the role that reaches furthest, here and in each workspace."""
    rules = role_map(
        "a=user,b=admin,c=analyst,a=workspace:Spring:manager,b=workspace:Spring:viewer,x=workspace:Y:maker"
    )
    found = read({"groups": ["a", "b", "c"]})
    assert claims.installation_role(found, rules) is Role.ADMIN
    assert claims.workspace_roles(found, rules) == {"Spring": WorkspaceRole.MANAGER}
    assert claims.installation_role(read({"groups": ["x"]}), rules) is None


@pytest.mark.parametrize(
    ("email", "domains", "is_of"),
    [
        ("ana@example.org", set(), True),
        ("ana@EXAMPLE.org", {"example.org"}, True),
        ("ana@sub.example.org", {"example.org"}, False),
        ("ana@example.org@evil.example", {"example.org"}, False),
        ("ana@evilexample.org", {"example.org"}, False),
    ],
)
def test_domain_of_an_address(email: str, domains: set[str], is_of: bool) -> None:
    """The domain is what stands behind the last @, whole."""
    assert claims.is_of_domain(email, domains) is is_of
