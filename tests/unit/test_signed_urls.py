import uuid
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from core import errors
from core.files import signed_urls

KEY = "videos/42/0123456789abcdef.mp4"
SECRET = b"a secret of this test"
NOW = datetime(2026, 3, 1, 12, 7, tzinfo=UTC)


def parts(link: str) -> tuple[int, str, str | None]:
    """Expiry, signature and download name as a route reads them from the query."""
    query = parse_qs(urlsplit(link).query)
    return int(query["e"][0]), query["s"][0], query.get("n", [None])[0]


@pytest.mark.parametrize("name", [None, "Café & Söhne? 50 %.mp4", "клип\n.mp4"])
def test_check_accepts_what_was_signed(name: str | None) -> None:
    """A link is good from now on and for at least its lifetime, with any name."""
    link = signed_urls.sign(KEY, secret=SECRET, now=NOW, lifetime_seconds=3600, download_name=name)
    assert urlsplit(link).path == f"/api/apps/video-generator/media/{KEY}"
    expires, signature, said = parts(link)
    assert said == name
    for moment in (NOW, NOW + timedelta(seconds=3599)):
        signed_urls.check(KEY, expires, signature, said, secrets=[SECRET], now=moment)


def test_check_refuses_an_expired_link() -> None:
    """At its expiry, and not more than 15 minutes after its lifetime, a link is over."""
    expires, signature, _ = parts(signed_urls.sign(KEY, secret=SECRET, now=NOW, lifetime_seconds=3600))
    signed_urls.check(KEY, expires, signature, None, secrets=[SECRET], now=datetime.fromtimestamp(expires - 1, UTC))
    for late in (datetime.fromtimestamp(expires, UTC), NOW + timedelta(seconds=3600 + 900)):
        with pytest.raises(errors.Forbidden):
            signed_urls.check(KEY, expires, signature, None, secrets=[SECRET], now=late)


def test_check_refuses_any_change() -> None:
    """Another file, expiry, name, secret or signature is another link."""
    expires, signature, _ = parts(signed_urls.sign(KEY, secret=SECRET, now=NOW, download_name="a.mp4"))
    changed: list[tuple[str, int, str, str | None, bytes]] = [
        ("videos/43/0123456789abcdef.mp4", expires, signature, "a.mp4", SECRET),
        (KEY, expires + 900, signature, "a.mp4", SECRET),
        (KEY, expires, signature, "b.html", SECRET),
        (KEY, expires, signature, None, SECRET),
        (KEY, expires, signature, "a.mp4", b"another secret"),
        (KEY, expires, signature[:-1], "a.mp4", SECRET),
        (KEY, expires, "", "a.mp4", SECRET),
        (KEY, expires, "é" * 43, "a.mp4", SECRET),
    ]
    for key, when, proof, name, secret in changed:
        with pytest.raises(errors.Forbidden):
            signed_urls.check(key, when, proof, name, secrets=[secret], now=NOW)


def test_sign_gives_the_same_link_for_a_quarter_of_an_hour() -> None:
    """A page drawn again within a step carries the same address, so the browser's cache is hit."""
    start = datetime(2026, 3, 1, 12, 0, 1, tzinfo=UTC)
    signed = {
        signed_urls.sign(KEY, secret=SECRET, now=start + timedelta(seconds=second)) for second in range(0, 899, 31)
    }
    assert len(signed) == 1
    assert signed_urls.sign(KEY, secret=SECRET, now=start + timedelta(minutes=15)) not in signed


def test_sign_refuses_a_bad_key_and_an_empty_secret() -> None:
    """Neither a path outside of storage nor an unprotected link can be made."""
    with pytest.raises(ValueError, match="Not a storage key"):
        signed_urls.sign("../secret.key", secret=SECRET, now=NOW)
    with pytest.raises(ValueError, match="secret"):
        signed_urls.sign(KEY, secret=b"", now=NOW)


def test_check_while_the_key_is_changed() -> None:
    """What either key has signed is good, until the one before is dropped; what a third has signed is not."""
    old, new, other = b"the old key", b"the new key", b"another key"
    for secret in (old, new, other):
        expires, signature, _ = parts(signed_urls.sign(KEY, secret=secret, now=NOW))
        link = signed_urls.sign_archive("u", [str(uuid.UUID(int=1))], secret=secret, now=NOW)
        query = {name: values[0] for name, values in parse_qs(urlsplit(link).query).items()}
        for held in ([new, old], [new]):
            with pytest.raises(errors.Forbidden) if secret not in held else nullcontext():
                signed_urls.check(KEY, expires, signature, None, secrets=held, now=NOW)
            with pytest.raises(errors.Forbidden) if secret not in held else nullcontext():
                signed_urls.check_archive("u", query["c"], int(query["e"]), query["s"], secrets=held, now=NOW)
