"""Who a trusted front says is asking, by a header or by what it has signed; a stranger's word is refused."""

from collections.abc import Sequence

from core import db, errors, sign_in_settings
from core.config import Settings
from core.identity import claims as said
from core.identity import signed_tokens
from core.identity.claims import Claims
from core.identity.signed_tokens import InvalidToken, PublishedKeys
from core.messages import message
from core.sign_in_settings import IssuerSettings

PLAIN_ISSUER = "proxy"
"""The issuer of people whom a front names in a plain header."""


def named(
    headers: Sequence[tuple[str, str]], *, peer: str, settings: Settings, keys: PublishedKeys | None
) -> Claims | None:
    """Who the front says is asking, None when it names nobody. `peer` is the machine that is really connected.

    `headers` are in small letters. Raises Forbidden when a stranger, or a front in a way that does not hold, says who
    somebody is; SignInUnavailable when what it has signed cannot be checked.
    """
    ours = [name for name in (settings.proxy_jwt_header, settings.proxy_user_header) if name]
    if not any(name in ours for name, _value in headers):
        return None
    if not sign_in_settings.within(settings.trusted_proxies, peer):
        raise errors.Forbidden(message("front_not_trusted"))
    groups = ",".join(value for name, value in headers if name == settings.proxy_groups_header)
    if settings.proxy_jwt_header:
        token = _only(headers, settings.proxy_jwt_header)
        return None if not token else _asserted(token, groups, settings, keys)
    email = _only(headers, settings.proxy_user_header)
    return said.of_front(issuer=PLAIN_ISSUER, subject=email.lower(), email=email, groups=groups) if email else None


def _asserted(token: str, groups: str, settings: Settings, keys: PublishedKeys | None) -> Claims:
    """What the front has signed, such as Cf-Access-Jwt-Assertion or X-Goog-IAP-JWT-Assertion."""
    if keys is None:
        raise errors.Forbidden(message("front_not_trusted"))
    try:
        _header, claims = keys.verified(token)
        signed_tokens.check_claims(
            claims,
            needed=("exp", "sub"),
            audience=settings.proxy_jwt_audience,
            now=db.clock().now(),
            issuer=settings.proxy_jwt_issuer or None,
        )
    except InvalidToken as wrong:
        raise errors.Forbidden(message("front_not_trusted")) from wrong
    issuer = str(claims.get("iss") or settings.proxy_jwks_url)
    as_issuer = IssuerSettings("", issuer, settings.proxy_jwt_audience, trusts_email=True)
    found = said.read(claims, issuer=issuer, settings=as_issuer)
    more = said.of_front(issuer=issuer, subject=found.subject, email=found.email, groups=groups)
    return said.joined(found, more.groups)


def _only(headers: Sequence[tuple[str, str]], name: str) -> str:
    """The value of a header that must come once; Forbidden when it comes twice, of which one may be a stranger's."""
    values = [value for found, value in headers if found == name]
    if len(values) > 1:
        raise errors.Forbidden(message("front_not_trusted"))
    return values[0].strip() if values else ""
