"""Signatures: told apart by every character, and ending when they say."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import signing


@given(said=st.text(), other=st.text(), secret=st.binary(min_size=1), wrong=st.binary(min_size=1))
def test_signature_when_anything_differs(said: str, other: str, secret: bytes, wrong: bytes) -> None:
    """The same words with the same secret have the same signature; other words or another secret have another."""
    right = signing.signature(said, secret)

    assert signing.is_same(right, signing.signature(said, secret))
    assert signing.is_same(right, signing.signature(other, secret)) == (said == other)
    # HMAC fills a short key up with zero bytes, so that those at its end make no other key.
    if len(secret) <= 64 and len(wrong) <= 64 and secret.rstrip(b"\0") != wrong.rstrip(b"\0"):
        assert not signing.is_same(right, signing.signature(said, wrong))


def test_signature_when_there_is_no_secret() -> None:
    """Nothing is signed with nothing."""
    with pytest.raises(ValueError, match="secret"):
        signing.signature("said", b"")


def test_is_same_when_it_is_no_ascii() -> None:
    """Any text may be given as a signature; it is wrong and no error."""
    assert not signing.is_same(signing.signature("said", b"key"), "é\ud800")


@given(seconds=st.integers(0, 10**6), lifetime=st.integers(1, 10**6))
def test_expiry_when_rounded_up(seconds: int, lifetime: int) -> None:
    """It lasts at least as long as asked for, at most a step longer, and the same through a step."""
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    ends = signing.expiry(now, lifetime)

    assert 0 <= ends - now.timestamp() - lifetime < signing.STEP_SECONDS
    assert ends % signing.STEP_SECONDS == 0
