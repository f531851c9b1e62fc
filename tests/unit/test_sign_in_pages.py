"""The written pages of signing in, and what a browser keeps of sign-ins under way."""

import html
from html.parser import HTMLParser
from typing import Any

import pytest

from core.messages import Writer, message, plain
from core.sign_in import page, under_way
from core.sign_in.page import Form, Link, Page
from core.sign_in.under_way import UnderWay


class Seen(HTMLParser):
    """The tags of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def test_page_escapes_what_others_say() -> None:
    """Names, addresses and tokens come from outside and stay text."""
    bad = '"><script>alert(1)</script>'
    shown = Page(
        plain(bad),
        [plain(bad)],
        [plain(bad)],
        [Link(plain(bad), f"/x?{bad}"), Form(plain(bad), {"token": bad})],
        plain(bad),
    )
    written = page.written(shown, language="en", writer=Writer())
    seen = Seen(written)
    assert "script" not in {tag for tag, _attributes in seen.tags}
    [field] = [attributes for tag, attributes in seen.tags if tag == "input"]
    assert field["value"] == bad
    assert html.escape(bad) in written


def test_page_says_its_language_and_fits_a_phone() -> None:
    """The language and the width of the screen are said to the browser."""
    written = page.written(Page(message("signed_out")), language="id", writer=Writer())
    assert '<html lang="id">' in written
    assert 'content="width=device-width, initial-scale=1"' in written
    assert "prefers-color-scheme: dark" in written


@pytest.mark.parametrize(
    ("asked", "path"),
    [
        ("/history?clip=42", "/history?clip=42"),
        ("/", "/"),
        ("", "/"),
        (None, "/"),
        ("history", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example", "/"),
        ("/a b", "/"),
        ("/a\r\nSet-Cookie: x=y", "/"),
        ("/é", "/"),
        (f"/{'x' * 700}", "/"),
    ],
)
def test_only_a_path_of_ours_is_gone_on_to(asked: str | None, path: str) -> None:
    """Whatever could lead to another site leads home."""
    assert under_way.local_path(asked) == path


def test_several_tabs_sign_in_at_once() -> None:
    """Each answer ends its own sign-in, once; the oldest of many is forgotten, which keeps the cookie small."""
    cookie: dict[str, Any] = {}
    for number in range(6):
        under_way.keep(cookie, f"state-{number}", UnderWay("1", "nonce", "verifier", f"/{number}"))
    assert under_way.take(cookie, "state-0") is None
    found = under_way.take(cookie, "state-3")
    assert found is not None
    assert found.next_path == "/3"
    assert under_way.take(cookie, "state-3") is None
    assert under_way.take(cookie, "") is None
    for number in (4, 5):
        under_way.take(cookie, f"state-{number}")
    assert cookie == {}
