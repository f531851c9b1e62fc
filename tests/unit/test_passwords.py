import pytest

from core import errors
from core.identity import passwords


def test_hash_when_a_password_is_kept() -> None:
    """What is kept says how it was made, holds no password, and fits its column; the same password is kept anew."""
    kept = passwords.hashed("correct horse")
    scheme, n, r, p, salt, key = kept.split("$")
    assert (scheme, int(n), int(r), int(p)) == ("scrypt", 2**15, 8, 3)
    assert "horse" not in kept
    assert len(kept) <= 200
    assert passwords.hashed("correct horse").split("$")[4:] != [salt, key]
    assert passwords.is_right("correct horse", kept)
    assert not passwords.is_right("correct horse ", kept)
    assert not passwords.is_right("", kept)


def test_password_when_another_system_types_it() -> None:
    """A letter in two code points is the same letter."""
    assert passwords.is_right("cafe\u0301 noir", passwords.hashed("caf\u00e9 noir"))


def test_hash_when_its_parameters_are_older() -> None:
    """What was kept with other parameters goes on being right: they stand in it."""
    kept = "scrypt$1024$8$1$c2FsdHNhbHRzYWx0c2FsdA$"
    derived = passwords._text(passwords._derived("older one", b"saltsaltsaltsalt", 1024, 8, 1))
    assert passwords.is_right("older one", kept + derived)


@pytest.mark.parametrize(
    ("password", "code"),
    [("seven77", "password_too_short"), ("x" * 201, "text_too_long"), ("nul\x00 nul1", "control_characters")],
)
def test_password_when_it_cannot_be_used(password: str, code: str) -> None:
    """Too short, too long, or not to be typed: said of its field."""
    with pytest.raises(errors.InvalidRequest) as refused:
        passwords.hashed(password)
    assert refused.value.fields["password"].code == code


def test_password_when_a_stranger_sends_a_book() -> None:
    """What is longer than a password can be is wrong, though it begins with the right one."""
    kept = passwords.hashed("x" * 200)
    assert passwords.is_right("x" * 200, kept)
    assert not passwords.is_right("x" * 10_000, kept)
