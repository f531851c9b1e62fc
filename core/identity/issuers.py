"""The OpenID Connect side of a sign-in: where to send a browser, and what the answer proves.

Authorization Code with PKCE (RFC 7636), state, nonce and, where the provider sends it, its own name (RFC 9207); Authlib
makes and reads the protocol's messages, `provider_http` carries them. Nothing here knows a browser or a database.
"""

import hmac
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import httpx
from authlib.common.security import generate_token
from authlib.oauth2.base import OAuth2Error
from authlib.oauth2.client import OAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc.errors import JoseError

from core import errors
from core.clock import utc_now
from core.identity import provider_http, signed_tokens
from core.identity.signed_tokens import InvalidToken, PublishedKeys
from core.proxies import Proxies
from core.sign_in_settings import IssuerSettings, is_safe_address

METADATA_SECONDS = 3600.0
SEEN_SECONDS = 5.0
"""Whoever is sent to a provider, in or out, is sent to one that has answered within this time."""

AWAY_SECONDS = 5.0
"""So long a provider that did not answer is not asked again: people who press again do not wait again."""

SID_LIMIT_CHARS = 255
HINT_LIMIT_CHARS = 3000
"""A longer token, as of who is in hundreds of groups, makes an address that proxies refuse; the provider then asks."""

LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in that was begun: `url` is where the browser goes, the rest is kept for when it comes back."""

    url: str
    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True, slots=True)
class Proof:
    """What a provider has proved: the claims about somebody, its token for signing out, and its own session."""

    issuer: str
    claims: Mapping[str, Any]
    id_token: str
    sid: str | None


@dataclass(frozen=True, slots=True)
class LogoutNotice:
    """What a provider says has ended: one session of its own, or all of a subject where `sid` is None."""

    issuer: str
    sid: str | None
    subject: str | None


class Issuer:
    """One identity provider, as the settings name it and its own metadata describe it."""

    def __init__(
        self,
        settings: IssuerSettings,
        proxies: Proxies,
        *,
        now: Callable[[], datetime] = utc_now,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.settings = settings
        self._now = now
        self._proxies = proxies
        self._lock = threading.Lock()
        self._metadata: Mapping[str, Any] | None = None
        self._seen_at = self._failed_at = float("-inf")
        self._keys = PublishedKeys(lambda: self._get(self._endpoint("jwks_uri")), monotonic=monotonic)
        self._monotonic = monotonic

    @property
    def is_away(self) -> bool:
        """Whether it did not answer when it was last asked."""
        return self._failed_at > self._seen_at

    def begin(self, redirect_uri: str, *, scopes: str | None = None) -> Begun:
        """Where to send a browser that wants to sign in; SignInUnavailable when the provider does not answer."""
        self._described(SEEN_SECONDS)
        nonce, verifier = generate_token(32), generate_token(64)
        client = self._client(redirect_uri, scope=scopes or self.settings.scopes)
        url, state = client.create_authorization_url(
            self._endpoint("authorization_endpoint"), state=generate_token(32), code_verifier=verifier, nonce=nonce
        )
        return Begun(url, state, nonce, verifier)

    def finish(self, *, code: str, redirect_uri: str, verifier: str, nonce: str, answered_by: str | None) -> Proof:
        """What the code of a callback proves. Raises SignInFailed, SignInUnavailable.

        `answered_by` is the `iss` of the callback: with several providers it tells which one has answered.
        """
        metadata = self._described(METADATA_SECONDS)
        if answered_by is not None and answered_by != metadata["issuer"]:
            raise errors.SignInFailed(detail=f"{answered_by} has answered in place of {metadata['issuer']}")
        try:
            answer = self._client(redirect_uri).fetch_token(
                self._endpoint("token_endpoint"), code=code, code_verifier=verifier, grant_type="authorization_code"
            )
        except OAuth2Error as refused:
            raise errors.SignInFailed(detail=f"the provider refused the code: {refused}") from refused
        except (httpx.HTTPError, ValueError, TypeError, KeyError) as wrong:
            raise errors.SignInUnavailable(detail=f"the provider's answer to a code: {wrong!r}") from wrong
        claims = self._claims(answer, nonce)
        sid = claims.get("sid")
        is_usable = isinstance(sid, str) and sid.isprintable() and len(sid) <= SID_LIMIT_CHARS
        return Proof(metadata["issuer"], claims, answer["id_token"], sid if is_usable else None)

    def logout_notice(self, logout_token: str) -> LogoutNotice:
        """What a logout token says (Back-Channel Logout 1.0, 2.6); InvalidToken when it does not hold."""
        issuer = self._described(METADATA_SECONDS)["issuer"]
        header, claims = self._keys.verified(logout_token)
        signed_tokens.check_claims(
            claims, needed=("iat",), audience=self.settings.client_id, now=self._now(), issuer=issuer
        )
        events, sid, subject = claims.get("events"), claims.get("sid"), claims.get("sub")
        if str(header.get("typ", "logout+jwt")).lower() not in ("logout+jwt", "jwt"):
            raise InvalidToken("it is of another type")
        if not isinstance(events, dict) or LOGOUT_EVENT not in events:
            raise InvalidToken("it tells of no logout")
        if "nonce" in claims:
            raise InvalidToken("it has a nonce, as tokens that let people in do")
        if not sid and not subject:
            raise InvalidToken("it names neither a session nor a subject")
        return LogoutNotice(issuer, str(sid) if sid else None, str(subject) if subject else None)

    def sign_out_url(self, id_token: str | None, *, back_to: str) -> str | None:
        """Where a browser signs out at the provider, too (RP-Initiated Logout 1.0); None where it cannot."""
        try:
            endpoint = self._described(SEEN_SECONDS).get("end_session_endpoint")
        except errors.SignInUnavailable:
            return None
        if not isinstance(endpoint, str) or not is_safe_address(endpoint):
            return None
        query = {"client_id": self.settings.client_id, "post_logout_redirect_uri": back_to}
        if id_token and len(id_token) <= HINT_LIMIT_CHARS:
            query["id_token_hint"] = id_token
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"

    def is_named(self, issuer: str) -> bool:
        """Whether this is how the provider calls itself; a slash at the end makes no difference to people."""
        return issuer.rstrip("/") == self.settings.issuer.rstrip("/")

    def _claims(self, answer: Mapping[str, Any], nonce: str) -> Mapping[str, Any]:
        """The claims of the ID token, and where it says no address or no groups those of the userinfo endpoint."""
        metadata = self._described(METADATA_SECONDS)
        try:
            header, said = self._keys.verified(str(answer["id_token"]))
            options: dict[str, Any] = {
                "iss": {"essential": True, "value": metadata["issuer"]},
                "aud": {"essential": True, "value": self.settings.client_id},
            }
            params = {
                "nonce": nonce,
                "client_id": self.settings.client_id,
                "access_token": answer.get("access_token"),
            }
            claims = CodeIDToken(said, header, options, params)
            claims.validate(now=int(self._now().timestamp()), leeway=signed_tokens.LEEWAY_SECONDS)
        except (JoseError, InvalidToken, KeyError, TypeError, ValueError) as wrong:
            raise errors.SignInFailed(detail=f"the ID token does not hold: {wrong!r}") from wrong
        if not hmac.compare_digest(str(claims["nonce"]).encode(), nonce.encode()):
            raise errors.SignInFailed(detail="the ID token is of another sign-in")
        missing = "email" not in said or (self.settings.groups_claim not in said and "_claim_names" not in said)
        if missing and (endpoint := metadata.get("userinfo_endpoint")) and answer.get("access_token"):
            more = self._get(str(endpoint), {"Authorization": f"Bearer {answer['access_token']}"})
            if more.get("sub") != said["sub"]:
                raise errors.SignInFailed(detail="the userinfo is of somebody else")
            return {**more, **said}
        return said

    def _described(self, newer_than_seconds: float) -> Mapping[str, Any]:
        """The provider's metadata (OpenID Connect Discovery 1.0), asked for anew when they are older than this.

        Who has come back is let in with what was known, when the provider does not tell it again.
        """
        with self._lock:  # one look for all that wait
            if self._metadata is None or self._monotonic() - self._seen_at > newer_than_seconds:
                try:
                    self._metadata, self._seen_at = self._asked(), self._monotonic()
                except errors.SignInUnavailable:
                    if self._metadata is None or newer_than_seconds <= SEEN_SECONDS:
                        raise
            return self._metadata

    def _asked(self) -> Mapping[str, Any]:
        """The metadata as the provider tells them; SignInUnavailable also when it did not answer a moment ago."""
        address = self.settings.issuer
        if self._monotonic() - self._failed_at < AWAY_SECONDS:
            raise errors.SignInUnavailable(detail=f"{address} did not answer a moment ago")
        try:
            found = self._get(f"{address.rstrip('/')}/.well-known/openid-configuration")
        except errors.SignInUnavailable:
            self._failed_at = self._monotonic()
            raise
        if not self.is_named(str(found.get("issuer"))):
            self._failed_at = self._monotonic()
            raise errors.SignInUnavailable(detail=f"{address} calls itself {str(found.get('issuer'))[:200]}")
        return found

    def _endpoint(self, name: str) -> str:
        """An address of the metadata; SignInUnavailable where it is missing, or where others could listen."""
        found = self._described(METADATA_SECONDS).get(name)
        if not isinstance(found, str) or not is_safe_address(found):
            raise errors.SignInUnavailable(detail=f"{self.settings.issuer} has no usable {name}")
        return found

    def _client(self, redirect_uri: str, *, scope: str | None = None) -> OAuth2Client:
        methods = self._described(METADATA_SECONDS).get("token_endpoint_auth_methods_supported")
        method = "none" if not self.settings.client_secret else "client_secret_basic"
        if self.settings.client_secret and isinstance(methods, list) and method not in methods:
            method = "client_secret_post"
        return OAuth2Client(
            _Sender(self._proxies),
            client_id=self.settings.client_id,
            client_secret=self.settings.client_secret,
            token_endpoint_auth_method=method,
            scope=scope,
            redirect_uri=redirect_uri,
            code_challenge_method="S256",
        )

    def _get(self, url: str, headers: Mapping[str, str] | None = None) -> Mapping[str, Any]:
        return provider_http.get_json(url, proxies=self._proxies, headers=headers)


class _Sender:
    """What Authlib takes for a session: its POST goes out by our own way."""

    def __init__(self, proxies: Proxies) -> None:
        self._proxies = proxies

    def post(self, url: str, *, data: Mapping[str, str], headers: Mapping[str, str], auth: Any) -> httpx.Response:
        """Send a form, with whatever proves who we are."""
        url, sent, body = auth.prepare("POST", url, dict(headers), urlencode(data))
        return provider_http.send("POST", url, proxies=self._proxies, headers=sent, content=body)


class Issuers:
    """All identity providers of an installation; `now` tells the time that what they sign is judged by."""

    def __init__(self, settings: tuple[IssuerSettings, ...], proxies: Proxies, now: Callable[[], datetime]) -> None:
        self.all = tuple(Issuer(each, proxies, now=now) for each in settings)

    def by_key(self, key: str) -> Issuer | None:
        """The one with this number in the settings."""
        return next((each for each in self.all if each.settings.key == key), None)

    def named(self, issuer: str) -> Issuer | None:
        """The one that calls itself so."""
        return next((each for each in self.all if each.is_named(issuer)), None)
