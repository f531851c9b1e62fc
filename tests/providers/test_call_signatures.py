"""Calls that vendors have signed, each as its documentation says, are told from all others."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import respx
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from joserfc import jwt
from joserfc.jwk import RSAKey

from core import errors
from core.providers import registry
from core.providers.vendor_calls import VendorCall

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
SENT_AT = str(int(NOW.timestamp()))
BODY: dict[str, Any] = {"id": "gm3qorzdhgbf", "status": "succeeded", "é": [1, 2.5]}
RAW = json.dumps(BODY).encode()
SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef").decode()
ED25519 = Ed25519PrivateKey.generate()
RSA = generate_private_key(public_exponent=65537, key_size=2048)


def _jwks(key: Mapping[str, Any]) -> str:
    return json.dumps({"keys": [{"kty": "oct", "k": "AA"}, dict(key)]} if key.get("crv") else {"keys": [dict(key)]})


def _fal() -> tuple[VendorCall, str]:
    said = f"r-1\nu-1\n{SENT_AT}\n{hashlib.sha256(RAW).hexdigest()}".encode()
    headers = {
        "x-fal-webhook-request-id": "r-1",
        "x-fal-webhook-user-id": "u-1",
        "x-fal-webhook-timestamp": SENT_AT,
        "x-fal-webhook-signature": ED25519.sign(said).hex(),
    }
    public = base64.urlsafe_b64encode(ED25519.public_key().public_bytes_raw()).rstrip(b"=").decode()
    return VendorCall(BODY, RAW, headers), _jwks({"kty": "OKP", "crv": "Ed25519", "x": public})


def _replicate() -> tuple[VendorCall, str]:
    digest = hmac.digest(b"0123456789abcdef", f"msg-1.{SENT_AT}.".encode() + RAW, hashlib.sha256)
    signature = f"v1,b2xk v1,{base64.b64encode(digest).decode()}"  # the older one of a secret that is being changed
    headers = {"webhook-id": "msg-1", "webhook-timestamp": SENT_AT, "webhook-signature": signature}
    return VendorCall(BODY, RAW, headers), SECRET


def _openrouter() -> tuple[VendorCall, str]:
    digest = hmac.digest(SECRET.encode(), f"{SENT_AT},".encode() + RAW, hashlib.sha256)
    return VendorCall(BODY, RAW, {"x-openrouter-signature": f"t={SENT_AT},v1={digest.hex()}"}), SECRET


def _edenai() -> tuple[VendorCall, str]:
    canonical = json.dumps(BODY, sort_keys=True, indent=2, ensure_ascii=False)
    said = hashlib.sha256(canonical.encode()).hexdigest().encode()
    public = RSA.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    signature = RSA.sign(said, PKCS1v15(), hashes.SHA256()).hex()
    return VendorCall(BODY, RAW, {"x-edenai-signature": signature}), public.decode()


def _gemini() -> tuple[VendorCall, str]:
    return _token(expires=NOW + timedelta(minutes=1)), _jwks(_signing_key(RSA).as_dict(private=False))


def _signing_key(key: RSAPrivateKey) -> RSAKey:
    text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return RSAKey.import_key(text, {"kid": "k-1"})


def _token(*, expires: datetime) -> VendorCall:
    claims = {"iss": "google", "exp": int(expires.timestamp())}
    token = jwt.encode({"alg": "RS256", "kid": "k-1"}, claims, _signing_key(RSA))
    return VendorCall(BODY, RAW, {"webhook-signature": token})


SIGNED = {"fal": _fal, "replicate": _replicate, "openrouter": _openrouter, "edenai": _edenai, "gemini": _gemini}
OVER_THE_BODY = [name for name in SIGNED if name != "gemini"]
DATED = [name for name in SIGNED if name not in ("gemini", "edenai")]


@pytest.mark.parametrize("name", SIGNED)
def test_call_when_its_vendor_has_signed_it(name: str) -> None:
    """It holds by the vendor's key, also beside one that is no key at all, and by no other."""
    call, key = SIGNED[name]()
    provider = registry.provider_class(name)
    assert provider.signs_calls
    assert provider.is_signed(call, ["", "{}", key], NOW)
    assert not provider.is_signed(call, [], NOW)
    assert not provider.is_signed(call, ["", "whsec_", "{", '{"keys": [5, {"crv": "Ed25519", "x": "?"}]}'], NOW)


@pytest.mark.parametrize("name", OVER_THE_BODY)
def test_call_when_its_body_is_another(name: str) -> None:
    """A signature is of one body only."""
    call, key = SIGNED[name]()
    other = BODY | {"id": "another"}
    assert not registry.provider_class(name).is_signed(
        replace(call, body=other, raw=json.dumps(other).encode()), [key], NOW
    )


@pytest.mark.parametrize("name", SIGNED)
@pytest.mark.parametrize("given", [None, "", "v1,", "t=1,v1=", "zz", "ü", "a.b.c"])
def test_call_when_its_signature_is_none(name: str, given: str | None) -> None:
    """A header that is missing or cannot be read is no signature, and breaks nothing."""
    call, key = SIGNED[name]()
    headers = {header: value for header, value in call.headers.items() if "signature" not in header}
    if given is not None:
        headers |= {header: given for header in call.headers if "signature" in header}
    assert not registry.provider_class(name).is_signed(replace(call, headers=headers), [key], NOW)


@pytest.mark.parametrize("name", DATED)
@pytest.mark.parametrize("late", [timedelta(minutes=-6), timedelta(minutes=6)])
def test_call_when_it_is_sent_again_later(name: str, late: timedelta) -> None:
    """What was signed long ago, or by a clock far from ours, does not hold."""
    call, key = SIGNED[name]()
    assert not registry.provider_class(name).is_signed(call, [key], NOW + late)


@pytest.mark.parametrize("name", SIGNED)
def test_call_when_its_body_is_no_text(name: str) -> None:
    """Half a pair of signs, which no vendor sends and no encoding has, is a body that nobody has signed."""
    call, key = SIGNED[name]()
    other = replace(call, body={"id": "\ud800"}, raw=b'{"id": "\\ud800"}')
    assert registry.provider_class(name).is_signed(other, [key], NOW) is (name not in OVER_THE_BODY)


def test_call_when_its_token_has_run_out() -> None:
    """Google's token holds until it ends."""
    _, key = _gemini()
    assert not registry.provider_class("gemini").is_signed(_token(expires=NOW - timedelta(minutes=6)), [key], NOW)


def _keys(name: str, base_url: str = "") -> list[str]:
    async def ask() -> list[str]:
        async with httpx.AsyncClient() as client:
            return [*await registry.provider_class(name)(client=client, key="k-1", base_url=base_url).call_keys()]

    return asyncio.run(ask())


@pytest.mark.parametrize(
    ("name", "url", "body", "wants_key"),
    [
        ("replicate", "https://api.replicate.com/v1/webhooks/default/secret", {"key": SECRET}, True),
        ("fal", "https://rest.fal.ai/.well-known/jwks.json", {"keys": [{"kty": "OKP"}]}, False),
        ("gemini", "https://generativelanguage.googleapis.com/.well-known/jwks.json", {"keys": [{"kty": "RSA"}]}, True),
    ],
)
def test_keys_when_the_vendor_tells_them(name: str, url: str, body: dict[str, Any], *, wants_key: bool) -> None:
    """They come from the vendor itself; an answer without any is an error, since it signs."""
    with respx.mock() as far_side:
        route = far_side.get(url)
        route.mock(return_value=httpx.Response(200, json=body))
        keys = _keys(name)
        assert keys == [SECRET] if name == "replicate" else [json.loads(key) for key in keys] == [body]
        assert any("k-1" in value for value in route.calls[0].request.headers.values()) is wants_key
        route.mock(return_value=httpx.Response(404, json={}))
        with pytest.raises(errors.ProviderError):
            _keys(name)


@pytest.mark.parametrize("name", [*SIGNED, "kling", "minimax"])
def test_keys_when_another_stands_in_for_the_vendor(name: str) -> None:
    """Whoever else answers at another address signs by no keys of the vendor's, and nobody is asked."""
    with respx.mock():
        assert _keys(name, "http://127.0.0.1:9") == []
