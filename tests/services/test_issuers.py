"""What a sign-in with an identity provider proves, and what does not count as proof."""

import base64
import hmac
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from core import errors
from core.identity import issuers, signed_tokens
from core.identity.issuers import Begun, Issuer, Proof
from core.identity.signed_tokens import InvalidToken
from core.proxies import DIRECT
from core.sign_in_settings import IssuerSettings
from tests.fixtures import issuer as provider
from tests.fixtures.issuer import ANA, CLIENT_ID, CLIENT_SECRET

LONG_AGO = 1_700_000_000

BACK = "https://studio.example.org/auth/callback"


@pytest.fixture
def far() -> Iterator[provider.Issuer]:
    """The provider."""
    with provider.issuer() as server:
        yield server


class Clock:
    """A clock that a test moves."""

    seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    """By which metadata and keys grow old."""
    return Clock()


@pytest.fixture
def near(far: provider.Issuer, clock: Clock) -> Issuer:
    """What we know of it."""
    return Issuer(IssuerSettings("1", far.issuer, CLIENT_ID, CLIENT_SECRET, name="Corp"), DIRECT, monotonic=clock)


def finish(near: Issuer, far: provider.Issuer, begun: Begun, **changes: Any) -> Proof:
    """Come back from the provider."""
    back = far.authorize(begun.url) | changes
    return near.finish(
        code=back["code"],
        redirect_uri=BACK,
        verifier=back.get("verifier", begun.verifier),
        nonce=back.get("nonce", begun.nonce),
        answered_by=back["iss"],
    )


def encoded(part: dict[str, Any]) -> str:
    """A part of a token."""
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def test_sign_in_proves_who_somebody_is(near: Issuer, far: provider.Issuer) -> None:
    """The claims of the ID token, the provider's own session, and the token for signing out come back."""
    proof = finish(near, far, near.begin(BACK))
    assert proof.claims["email"] == "ana@example.org"
    assert (proof.issuer, proof.sid) == (far.issuer, "sid-1")
    assert proof.id_token.count(".") == 2
    assert far.forms[0]["redirect_uri"] == BACK
    assert far.forms[0]["authorization"].startswith("Basic ")


def test_client_without_secret_says_its_name(far: provider.Issuer) -> None:
    """A public client is known by its id, and by PKCE."""
    near = Issuer(IssuerSettings("1", far.issuer, CLIENT_ID), DIRECT)
    finish(near, far, near.begin(BACK))
    assert (far.forms[0]["client_id"], far.forms[0]["authorization"]) == (CLIENT_ID, "")


def test_secret_goes_into_the_form_where_the_provider_wants_it(near: Issuer, far: provider.Issuer) -> None:
    """The provider's metadata say how it wants the secret."""
    far.metadata = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    finish(near, far, near.begin(BACK))
    assert far.forms[0]["client_secret"] == CLIENT_SECRET


@pytest.mark.parametrize(
    "changes",
    [
        {"nonce": "of another sign-in"},
        {"nonce": None},
        {"aud": "another client"},
        {"aud": ["another client"]},
        {"iss": "https://elsewhere.example.org"},
        {"exp": LONG_AGO},
        {"exp": None},
        {"sub": None},
        {"azp": "another client"},
        {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
    ],
    ids=lambda changes: str(sorted(changes.items())),
)
def test_id_token_of_something_else_is_refused(near: Issuer, far: provider.Issuer, changes: dict[str, Any]) -> None:
    """Each claim that ties the token to this sign-in, this client and this moment is looked at."""
    far.changes = changes
    with pytest.raises(errors.SignInFailed):
        finish(near, far, near.begin(BACK))


def test_id_token_of_another_key_is_refused(near: Issuer, far: provider.Issuer) -> None:
    """Neither a strange key under the known name, nor none at all, nor the public key as a shared secret signs."""
    begun = near.begin(BACK)
    now = int(time.time())
    claims = ANA | {"iss": far.issuer, "aud": CLIENT_ID, "iat": now, "exp": now + 300, "nonce": begun.nonce}
    far.id_token = far.signed(claims, key=provider.new_key(), kid=far.key.kid)
    with pytest.raises(errors.SignInFailed):
        finish(near, far, begun)
    unsigned = f"{encoded({'alg': 'none'})}.{encoded(claims)}"
    far.id_token = f"{unsigned}."
    with pytest.raises(errors.SignInFailed):
        finish(near, far, begun)
    shared = f"{encoded({'alg': 'HS256', 'kid': far.key.kid})}.{encoded(claims)}"
    mark = hmac.digest(far.key.as_pem(private=False), shared.encode(), "sha256")
    far.id_token = f"{shared}.{base64.urlsafe_b64encode(mark).rstrip(b'=').decode()}"
    with pytest.raises(errors.SignInFailed):
        finish(near, far, begun)


def test_code_needs_the_verifier_of_its_sign_in(near: Issuer, far: provider.Issuer) -> None:
    """A code that somebody has seen on its way is of no use to them."""
    with pytest.raises(errors.SignInFailed):
        finish(near, far, near.begin(BACK), verifier="another verifier" * 4)


def test_answer_of_another_provider_is_refused(near: Issuer, far: provider.Issuer) -> None:
    """With several providers, one may not answer in place of another (RFC 9207)."""
    with pytest.raises(errors.SignInFailed):
        finish(near, far, near.begin(BACK), iss="https://elsewhere.example.org")


def test_key_that_was_changed_is_fetched(near: Issuer, far: provider.Issuer, clock: Clock) -> None:
    """A provider may change its key at any time; unknown keys are asked for, but not without a pause."""
    finish(near, far, near.begin(BACK))
    far.key = provider.new_key()
    far.published = [far.key]
    with pytest.raises(errors.SignInFailed):
        finish(near, far, near.begin(BACK))
    assert far.asked.count("/jwks") == 1
    clock.seconds += signed_tokens.NOT_AGAIN_SECONDS + 1
    assert finish(near, far, near.begin(BACK)).claims["sub"] == "ana"


def test_userinfo_is_asked_for_what_the_token_lacks(near: Issuer, far: provider.Issuer) -> None:
    """Some providers put address and groups only there; what the signed token says counts more."""
    far.claims = {"sub": "ana", "name": "of the token"}
    far.userinfo = {"sub": "ana", "email": "ana@example.org", "groups": ["staff"], "name": "of the userinfo"}
    claims = finish(near, far, near.begin(BACK)).claims
    assert (claims["email"], claims["groups"], claims["name"]) == ("ana@example.org", ["staff"], "of the token")


def test_userinfo_of_somebody_else_is_refused(near: Issuer, far: provider.Issuer) -> None:
    """An access token that was swapped names another subject (OpenID Connect Core 1.0, 5.3.2)."""
    far.claims = {"sub": "ana"}
    far.userinfo = {"sub": "ben", "email": "ben@example.org", "groups": []}
    with pytest.raises(errors.SignInFailed):
        finish(near, far, near.begin(BACK))


def test_provider_that_calls_itself_otherwise_is_not_used(near: Issuer, far: provider.Issuer) -> None:
    """Metadata of another issuer could lead anywhere."""
    far.metadata = {"issuer": "https://elsewhere.example.org"}
    with pytest.raises(errors.SignInUnavailable):
        near.begin(BACK)


def test_nobody_is_sent_where_others_can_listen(near: Issuer, far: provider.Issuer) -> None:
    """An endpoint without https, off this machine, is none."""
    far.metadata = {"authorization_endpoint": "http://elsewhere.example.org/authorize"}
    with pytest.raises(errors.SignInUnavailable):
        near.begin(BACK)


def test_provider_that_is_away_is_not_asked_at_once_again(near: Issuer, far: provider.Issuer, clock: Clock) -> None:
    """People who press again do not wait again; a moment later it is asked, and works when it is back."""
    far.status = 503
    for _press in range(3):
        with pytest.raises(errors.SignInUnavailable):
            near.begin(BACK)
    assert (near.is_away, len(far.asked)) == (True, 1)
    far.status = 200
    clock.seconds += issuers.AWAY_SECONDS + 1
    near.begin(BACK)
    assert not near.is_away


def test_who_comes_back_is_let_in_though_the_metadata_are_old(near: Issuer, far: provider.Issuer, clock: Clock) -> None:
    """A provider that does not tell its metadata again can still answer a code."""
    begun = near.begin(BACK)
    clock.seconds += issuers.METADATA_SECONDS + 1
    far.metadata = {"issuer": "of another one for this moment"}
    assert finish(near, far, begun).claims["sub"] == "ana"


def test_answer_without_end_is_given_up(near: Issuer, far: provider.Issuer) -> None:
    """Nothing from outside is read without a limit."""
    far.metadata = {"padding": "x" * 2_000_000}
    with pytest.raises(errors.SignInUnavailable):
        near.begin(BACK)


def test_logout_token_names_whom_it_ends(near: Issuer, far: provider.Issuer) -> None:
    """One session of the provider, or all of a subject."""
    assert near.logout_notice(far.logout_token(sid="sid-1")).sid == "sid-1"
    notice = near.logout_notice(far.logout_token())
    assert (notice.issuer, notice.sid, notice.subject) == (far.issuer, None, "ana")


@pytest.mark.parametrize(
    "changes",
    [
        {"nonce": "an ID token has one"},
        {"events": {}},
        {"events": None},
        {"events": "http://schemas.openid.net/event/backchannel-logout"},
        {"aud": "another client"},
        {"iss": "https://elsewhere.example.org"},
        {"iat": None},
        {"exp": LONG_AGO},
        {"sub": None},
    ],
    ids=lambda changes: str(sorted(changes.items())),
)
def test_logout_token_that_does_not_hold_ends_nothing(
    near: Issuer, far: provider.Issuer, changes: dict[str, Any]
) -> None:
    """What the specification asks to be looked at is looked at (Back-Channel Logout 1.0, 2.6)."""
    with pytest.raises(InvalidToken):
        near.logout_notice(far.logout_token(**changes))


def test_id_token_is_no_logout_token(near: Issuer, far: provider.Issuer) -> None:
    """A token that lets somebody in cannot be sent to put them out."""
    proof = finish(near, far, near.begin(BACK))
    with pytest.raises(InvalidToken):
        near.logout_notice(proof.id_token)


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "\u0000", "." * 5000])
def test_what_is_no_token_is_refused(near: Issuer, token: str) -> None:
    """Whatever strangers post is read without harm."""
    with pytest.raises(InvalidToken):
        near.logout_notice(token)


def test_signing_out_leads_to_the_provider(near: Issuer, far: provider.Issuer) -> None:
    """With its own token and the way back; without an endpoint for it, or without the provider, it leads nowhere."""
    url = near.sign_out_url("the.id.token", back_to="https://studio.example.org/auth/signed-out")
    assert url is not None
    assert url.startswith(f"{far.issuer}/end?client_id=studio&post_logout_redirect_uri=https%3A")
    assert "id_token_hint=the.id.token" in url
    long = near.sign_out_url("x" * 30_000, back_to="https://studio.example.org/auth/signed-out")
    assert long is not None
    assert len(long) < 300, "an address that proxies take"
    far.metadata = {"end_session_endpoint": None}
    fresh = Issuer(near.settings, DIRECT)
    assert fresh.sign_out_url(None, back_to=BACK) is None
    far.status = 503
    assert Issuer(near.settings, DIRECT).sign_out_url(None, back_to=BACK) is None
