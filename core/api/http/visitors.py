"""Who is behind a request that comes without an API token: the session of its cookie, and what a front says of it.

For pages, the API and websockets alike: whoever lets somebody in asks here.
"""

import logging
from dataclasses import dataclass
from urllib.parse import urlsplit

from sqlalchemy.exc import SQLAlchemyError
from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.types import Scope

from core import config, db, errors, installation
from core.config import Settings
from core.db import availability
from core.db.tables import User
from core.identity import api_tokens, fronts, identities, sessions
from core.identity.claims import Claims
from core.identity.sessions import SignedIn, Visit
from core.messages import message
from core.workspaces import admission

log = logging.getLogger(__name__)

PEER = "peer"
"""Where a scope has the address of the machine that is really connected, whoever it says it asks for."""

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who comes without a token: a session that holds, or who a front says they are, or neither."""

    signed_in: SignedIn | None = None
    named: Claims | None = None


def recognise(scope: Scope, *, notes_use: bool) -> Visitor:
    """Whose session the cookie of a request names, and in proxy mode only if the front says the same.

    With `notes_use` it counts as use: what a page asks by itself does not. Raises Forbidden when somebody who may not
    says who they are, SignInUnavailable when what a front has signed cannot be checked.
    """
    here = installation.current()
    settings = here.settings
    found = _session_of(cookie(scope, settings), settings, notes_use=notes_use)
    if settings.auth_mode != "proxy":
        return Visitor(found)
    headers = [(name.lower(), value) for name, value in Headers(scope=scope).items()]
    named = fronts.named(headers, peer=peer_of(scope), settings=settings, keys=here.front_keys)
    if found is not None and found.issuer is None:
        return Visitor(found)  # came in by a link of ours, since the front is of no use
    if found is not None and named is not None and (found.issuer, found.subject) == (named.issuer, named.subject):
        return Visitor(found)
    return Visitor(None, named)


def session_holds(scope: Scope) -> bool:
    """Whether the session that a connection came in with holds still."""
    settings = installation.current().settings
    with db.read_connection() as connection:
        session_id = api_tokens.hash_of(cookie(scope, settings))
        return sessions.is_live(connection, session_id, idle=settings.session_idle)


def person_named(named: Claims, settings: Settings) -> User:
    """The person whom a front names, for a request that begins no session; SignInRefused."""
    with db.read_session() as session:
        found = identities.find(session, named.issuer, named.subject)
    if found is not None and found.deactivated_at is None:
        return found
    with db.write_session() as session:
        return admission.recognise(session, named, settings=settings)


def check_link(scope: Scope, *, token_id: str | None = None, user_id: str | None = None) -> User | None:
    """Return when whoever sends this request may follow a signed link, with the person of a browser; else Unauthorized.

    One that was made for an API token is its own permission while that token is valid. Any other needs the session of a
    browser, of this person where the link is for one.
    """
    user: User | None = None
    if token_id is not None:
        with db.read_session() as session:
            is_valid = api_tokens.is_valid(session, token_id)
    else:
        found = recognise(scope, notes_use=False)
        settings = installation.current().settings
        if found.named is not None:
            user = person_named(found.named, settings)
        elif found.signed_in is not None:
            user = found.signed_in.user
        is_valid = user is not None and user_id in (None, user.id)
    if not is_valid:
        raise errors.Unauthorized
    return user


def cookie(scope: Scope, settings: Settings) -> str:
    """What the cookie of our session holds; empty without one."""
    return cookie_parser(Headers(scope=scope).get("cookie", "")).get(settings.session_cookie, "")


def visit_of(scope: Scope) -> Visit:
    """From where a request comes, as far as the proxies before us are believed."""
    client = scope.get("client")
    return Visit(client[0] if client else "", Headers(scope=scope).get("user-agent", ""))


def peer_of(scope: Scope) -> str:
    """The address of the machine that is really connected."""
    client = scope.get("client")
    return str(scope.get(PEER) or (client[0] if client else ""))


def check_origin(scope: Scope, settings: Settings) -> None:
    """Return when a request that comes by a cookie may change something: one of our own pages sends it; else Forbidden.

    A browser says from where it was told to ask (Fetch Metadata, or the Origin header); what says neither is refused.
    """
    if scope["method"] in SAFE_METHODS:
        return
    headers = Headers(scope=scope)
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site == "same-origin" or (site is None and origin is not None and _is_ours(origin, headers, settings)):
        return
    raise errors.Forbidden(message("from_another_site"))


def _is_ours(origin: str, headers: Headers, settings: Settings) -> bool:
    parts = urlsplit(origin)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        return False
    if settings.public_url:
        return _origin_of(origin) == _origin_of(settings.public_url)
    return parts.netloc == headers.get("host")


def _origin_of(url: str) -> tuple[str, str]:
    return urlsplit(url).scheme, config.host_port(url)


def _session_of(token: str, settings: Settings, *, notes_use: bool) -> SignedIn | None:
    if not token:
        return None
    with db.read_session() as session:
        found = sessions.look(session, token, idle=settings.session_idle)
    if found is not None and notes_use and sessions.use_is_old(found, now=db.clock().now()):
        _note_use(found.id)
    return found


def _note_use(session_id: str) -> None:
    """Write down that a session is in use, in a transaction of its own: most looks only read."""
    try:
        with db.write_session() as session:
            sessions.note_use(session, session_id)
    except SQLAlchemyError as failure:
        if not availability.is_away(failure):
            raise  # the look itself can still be answered; the next one notes it
