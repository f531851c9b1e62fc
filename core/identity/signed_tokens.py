"""Verifies what others have signed (JWTs), with the keys that they publish; keys are fetched anew when they change."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from core import errors

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Those with a public key; with the others, whoever can check a token can make one."""

KEYS_SECONDS = 3600.0
NOT_AGAIN_SECONDS = 30.0
"""So long at least between two fetches because of a key that is not known: anybody can send tokens with such."""

LEEWAY_SECONDS = 120
"""So far may the clocks of the two sides be apart."""


class InvalidToken(Exception):
    """A token that does not hold; its text is for the log."""


class PublishedKeys:
    """The keys that somebody publishes as a JWK set (RFC 7517), kept for an hour.

    `fetch` gets the set and raises SignInUnavailable; a set that was fetched once is used until there is another one.
    """

    def __init__(
        self, fetch: Callable[[], Mapping[str, Any]], *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._fetch, self._monotonic = fetch, monotonic
        self._lock = threading.Lock()
        self._keys: KeySet | None = None
        self._fetched_at = float("-inf")

    def verified(self, token: str, *, algorithms: Sequence[str] = ALGORITHMS) -> tuple[dict[str, Any], dict[str, Any]]:
        """Header and claims of a token whose signature holds, which is all that is checked.

        Raises InvalidToken, SignInUnavailable.
        """
        try:
            return self._decoded(token, self._current(KEYS_SECONDS), algorithms)
        except InvalidToken:
            if self._monotonic() - self._fetched_at < NOT_AGAIN_SECONDS:
                raise
            return self._decoded(token, self._current(NOT_AGAIN_SECONDS), algorithms)

    def _decoded(self, token: str, keys: KeySet, algorithms: Sequence[str]) -> tuple[dict[str, Any], dict[str, Any]]:
        registry = JWSRegistry(algorithms=list(algorithms), strict_check_header=False)
        try:
            found = jwt.decode(token, keys, registry=registry)
        except (JoseError, ValueError, TypeError, KeyError) as wrong:
            raise InvalidToken(repr(wrong)) from wrong
        return dict(found.header), found.claims

    def _current(self, newer_than_seconds: float) -> KeySet:
        with self._lock:  # one fetch for all that wait
            if self._keys is None or self._monotonic() - self._fetched_at > newer_than_seconds:
                try:
                    self._keys = _key_set(self._fetch())
                    self._fetched_at = self._monotonic()
                except errors.SignInUnavailable:
                    if self._keys is None:
                        raise
            return self._keys


def check_claims(
    claims: Mapping[str, Any], *, needed: Sequence[str], audience: str, now: datetime, issuer: str | None = None
) -> None:
    """Return when the registered claims hold `now` (RFC 7519, 4.1); else InvalidToken. `issuer` None: any."""
    options: dict[str, Any] = {name: {"essential": True} for name in needed}
    options["aud"] = {"essential": True, "value": audience}
    if issuer is not None:
        options["iss"] = {"essential": True, "value": issuer}
    try:
        jwt.JWTClaimsRegistry(int(now.timestamp()), leeway=LEEWAY_SECONDS, **options).validate(dict(claims))
    except JoseError as wrong:
        raise InvalidToken(repr(wrong)) from wrong


def _key_set(published: Mapping[str, Any]) -> KeySet:
    """The keys for signatures in a JWK set; SignInUnavailable for what is none."""
    found = published.get("keys")
    usable = [
        key
        for key in (found if isinstance(found, list) else [])
        if isinstance(key, dict) and key.get("kty") in ("RSA", "EC", "OKP") and key.get("use", "sig") == "sig"
    ]
    try:
        return KeySet.import_key_set({"keys": usable})
    except (JoseError, ValueError, TypeError, KeyError) as wrong:
        raise errors.SignInUnavailable(detail=f"the published keys cannot be used: {wrong!r}") from wrong
