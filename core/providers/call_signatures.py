"""How vendors sign their calls to us, and whether one of their calls is signed so; pure."""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from core.providers.vendor_calls import VendorCall

TOLERANCE = timedelta(minutes=5)
"""How far from our clock a call may be dated; fal, OpenRouter and Standard Webhooks all name this."""
_SECRET_PREFIX = "whsec_"  # noqa: S105 -- what such secrets begin with


def is_standard_webhook(call: VendorCall, secrets: Sequence[str], now: datetime) -> bool:
    """Standard Webhooks: HMAC-SHA256 over id, time and body; each of the signatures in the header may be the one."""
    sent_id, sent_at = call.headers.get("webhook-id", ""), call.headers.get("webhook-timestamp", "")
    given = [value for value in call.headers.get("webhook-signature", "").split() if value.startswith("v1,")]
    said = f"{sent_id}.{sent_at}.".encode() + call.raw
    if not sent_id or not is_fresh(sent_at, now):
        return False
    right = [base64.b64encode(hmac.digest(key, said, hashlib.sha256)) for key in map(_secret_bytes, secrets) if key]
    return any(hmac.compare_digest(b"v1," + each, value.encode()) for each in right for value in given)


def is_timed_hmac(value: str, secrets: Sequence[str], raw: bytes, now: datetime) -> bool:
    """A header like `t=1764410000,v1=9f…`: HMAC-SHA256 in hex over the time, a comma and the body."""
    parts = dict(part.strip().split("=", 1) for part in value.split(",") if "=" in part)
    sent_at, given = parts.get("t", ""), parts.get("v1", "")
    said = f"{sent_at},".encode() + raw
    right = [hmac.digest(secret.encode(), said, hashlib.sha256).hex() for secret in secrets]
    return is_fresh(sent_at, now) and any(hmac.compare_digest(each.encode(), given.encode()) for each in right)


def is_ed25519(said: bytes, signature_hex: str, key_sets: Sequence[str]) -> bool:
    """Whether one of the Ed25519 keys of these JWK sets (RFC 8037) has signed it."""
    try:
        signature = bytes.fromhex(signature_hex)
    except ValueError:
        return False
    for key in _ed25519_keys(key_sets):
        try:
            key.verify(signature, said)
        except InvalidSignature:
            continue
        return True
    return False


def is_rsa(said: bytes, signature_hex: str, public_keys: Sequence[str]) -> bool:
    """Whether one of these RSA keys (PEM) has signed it (PKCS #1 v1.5, SHA-256)."""
    for text in public_keys:
        try:
            key = serialization.load_pem_public_key(text.encode())
            if isinstance(key, RSAPublicKey):
                key.verify(bytes.fromhex(signature_hex), said, PKCS1v15(), hashes.SHA256())
                return True
        except (InvalidSignature, ValueError):
            continue
    return False


def is_signed_token(token: str, key_sets: Sequence[str], now: datetime) -> bool:
    """Whether one of these JWK sets has signed this token (RS256), and it has not run out."""
    for text in key_sets:
        try:
            found = jwt.decode(token, KeySet.import_key_set(json.loads(text)), algorithms=["RS256"])
        except (JoseError, ValueError, TypeError, KeyError):
            continue
        expires = found.claims.get("exp")
        return expires is None or (isinstance(expires, int | float) and expires >= (now - TOLERANCE).timestamp())
    return False


def key_set(body: Mapping[str, Any] | None) -> list[str]:
    """A set of public keys (JWK, RFC 7517) as one text; nothing where that is none."""
    keys = (body or {}).get("keys")
    return [json.dumps(body)] if isinstance(keys, list) and keys else []


def is_fresh(sent_at: str, now: datetime) -> bool:
    """Whether a call that says when it was sent, in seconds since 1970, was sent about now."""
    return (
        0 < len(sent_at) < 16
        and sent_at.isascii()
        and sent_at.isdigit()
        and abs(int(sent_at) - now.timestamp()) <= TOLERANCE.total_seconds()
    )


def _secret_bytes(secret: str) -> bytes:
    """The key in a secret such as `whsec_…`; empty where it holds none."""
    try:
        return base64.b64decode(secret.removeprefix(_SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _ed25519_keys(key_sets: Sequence[str]) -> Iterator[Ed25519PublicKey]:
    for text in key_sets:
        try:
            keys = json.loads(text)["keys"]
            for key in keys:
                if key.get("crv") == "Ed25519":
                    yield Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(f"{key['x']}=="))
        except (ValueError, TypeError, KeyError, AttributeError):
            continue
