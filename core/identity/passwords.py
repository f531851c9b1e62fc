"""Passwords as they are kept: a hash of scrypt with its parameters, from which nobody can read them."""

import base64
import hashlib
import hmac
import secrets
import unicodedata
from typing import NewType

from core import errors, validation
from core.messages import message

PasswordHash = NewType("PasswordHash", str)
"""What is kept of a password that may be used: `scrypt$N$r$p$salt$hash`, at most 100 characters."""

SHORTEST_CHARS = 8
LONGEST_CHARS = 200

_N, _R, _P = 2**15, 8, 3
"""32 MB and about a third of a second a try; one of the equal choices of OWASP's password storage cheat sheet."""
_MEMORY_LIMIT_BYTES = 128 * 1024**2
_KEY_BYTES = 32


def hashed(password: str) -> PasswordHash:
    """What is kept of a new password; made before a session is opened, since it takes a third of a second.

    InvalidRequest for one that is too short, too long or cannot be typed.
    """
    if len(password) < SHORTEST_CHARS:
        raise errors.InvalidRequest(fields={"password": message("password_too_short", limit=SHORTEST_CHARS)})
    if wrong := validation.text_error(password, limit_chars=LONGEST_CHARS):
        raise errors.InvalidRequest(fields={"password": wrong})
    salt = secrets.token_bytes(16)
    key = _derived(password, salt, _N, _R, _P)
    return PasswordHash(f"scrypt${_N}${_R}${_P}${_text(salt)}${_text(key)}")


def is_right(password: str, kept: str) -> bool:
    """Whether this is the password of which `kept` was kept; takes as long whether it is or not."""
    password = password[: LONGEST_CHARS + 1]
    _scheme, n, r, p, salt, key = kept.split("$")
    derived = _derived(password, _bytes(salt), int(n), int(r), int(p))
    return hmac.compare_digest(derived, _bytes(key))


def _derived(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    # Composed, since keyboards of different systems write the same letter in different ways.
    written = unicodedata.normalize("NFC", password).encode("utf-8", "replace")
    return hashlib.scrypt(written, salt=salt, n=n, r=r, p=p, maxmem=_MEMORY_LIMIT_BYTES, dklen=_KEY_BYTES)


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
