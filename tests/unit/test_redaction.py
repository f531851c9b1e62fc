import base64
import html
import json
import logging
from collections.abc import Callable, Iterator
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.redaction import MASK, SHORTEST_PIECE_CHARS, Redactor, guard_logs, shown_address

SECRETS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zs"]), min_size=8, max_size=40)
AROUND = st.text("abc <>&%\\\"'/?=:+\n é", max_size=20)


def _lower_percent(text: str) -> str:
    return "".join(f"%{byte:02x}" for byte in text.encode())


def _basic(text: str) -> str:
    return base64.b64encode(f"{text}:".encode()).decode()


WRITTEN: list[Callable[[str], str]] = [
    str,
    quote,
    quote_plus,
    lambda text: quote(text, safe=""),
    _lower_percent,
    lambda text: quote(quote(text, safe=""), safe=""),
    html.escape,
    lambda text: "".join(f"&#{ord(char)};" for char in text),
    lambda text: "".join(f"&#x{ord(char):X};" for char in text),
    lambda text: json.dumps(text)[1:-1],
    lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    lambda text: json.dumps(json.dumps(text))[1:-1],
    lambda text: text.encode().hex(),
    lambda text: base64.b64encode(text.encode()).decode(),
    lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    lambda text: base64.b64encode(b"x" + text.encode()).decode(),
    lambda text: quote(_basic(text), safe=""),
    _basic,
    lambda text: base64.b64encode(f"user:{text}".encode()).decode(),
]
"""Ways in which somebody may write a key back at us."""


@given(SECRETS, st.sampled_from(WRITTEN), AROUND, AROUND)
@example("key-of-somebody", _basic, "Authorization: Basic ", "\n")
def test_redactor_finds_a_secret_however_it_is_written(
    secret: str, written: Callable[[str], str], before: str, behind: str
) -> None:
    """Neither the secret nor what it was written as is left, and what stands around it mostly is."""
    said = Redactor([secret])(f"{before} {written(secret)} {behind}")
    assert MASK in said
    assert written(secret) not in said
    assert secret not in said


@given(SECRETS, st.data())
def test_redactor_finds_pieces(secret: str, data: st.DataObject) -> None:
    """A piece that is long enough to be of use to somebody is blacked out as well."""
    secret += "0123456789abcdef"
    start = data.draw(st.integers(0, len(secret) - SHORTEST_PIECE_CHARS))
    end = data.draw(st.integers(start + SHORTEST_PIECE_CHARS, len(secret)))
    assert secret[start:end] not in Redactor([secret])(f"Incorrect key: {secret[start:end]}...")


@given(st.text(), st.text())
def test_redactor_never_raises(secret: str, text: str) -> None:
    """Whatever the text and the secret are, there is an answer, and a text without the secret stays as it is."""
    assert isinstance(Redactor([secret])(text), str)
    assert Redactor([])(text) == text


def test_redactor_leaves_other_text_alone() -> None:
    """Text that has nothing of the secret is not changed; what is too short to be one is not looked for."""
    text = "HTTP 500: look at https://host/%7Euser?page=2&amp;x=1 \\u00e9"
    assert Redactor(["sk-0123456789abcdef", "k", ""])(text) == text


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("redi://:password@host:6379/0", "redi://***@host:6379/***"),
        ("redi://:pass/word@host", "redi://***"),
        ("redi://:pass?word@host", "redi://***"),
        ("https://host/v1/sk-12345", "https://host/***"),
        ("https://host/?key=sk-12345", "https://host?***"),
        ("https://host#sk-12345", "https://host?***"),
        ("https://host:8443/", "https://host:8443"),
        ("postgresql+psycopg://user:pw@[::1]:5432/db?password=x", "postgresql+psycopg://***@[::1]:5432/db?***"),
        ("sqlite:////srv/studio.db", "sqlite:////srv/studio.db"),
        ("sk-12345", "***"),
        ("user:pw@host", "***"),
        ("localhost:6379", "localhost:6379"),
        ("foo", "foo"),
        ("sk 1://host", "***"),
        ("", "***"),
    ],
)
def test_shown_address(value: str, shown: str) -> None:
    """An address is shown with what helps to find it and nothing that may be secret, however misspelt it is."""
    assert shown_address(value) == shown


@given(st.text("abc:/@?#%[]", max_size=10), st.text("abc:/@?#%[]", max_size=10))
def test_shown_address_never_shows_a_password(before: str, behind: str) -> None:
    """Whatever a slip of the keyboard makes of an address, a password before its host is not shown."""
    assert "s3cret" not in shown_address(f"redis://{before}s3cret{behind}@host")


@pytest.fixture
def guarded() -> Iterator[None]:
    """Logs that keep one secret, for as long as the test runs."""
    before = logging.getLogRecordFactory()
    guard_logs(["other-secret"])
    guard_logs(["sk-0123456789"])  # takes the place of the one before
    yield
    logging.setLogRecordFactory(before)


@pytest.mark.usefixtures("guarded")
def test_guard_logs(caplog: pytest.LogCaptureFixture) -> None:
    """A log record holds no secret: not in its sentence, nor in a parameter, nor in the trace of an exception."""
    try:
        int("sk-0123456789")
    except ValueError:
        logging.getLogger("somebody").exception("broke with %s", "Bearer sk-0123456789")
    logging.getLogger("somebody").warning("%d of other-secret", "sk-0123456789")  # does not fit
    assert "0123456789" not in caplog.text
    assert "%d of other-secret ('***',)" in caplog.text
    assert "broke with Bearer ***" in caplog.text
    assert "ValueError: invalid literal for int() with base 10: '***'" in caplog.text
