import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.assets import mentions

TEXTS = st.text(alphabet=st.sampled_from("aB9é走ก@\\.-_ \n'"), max_size=30) | st.text(max_size=40)
NAMES = st.text(alphabet="abcXYZ019_-é走", min_size=1, max_size=12).filter(mentions.is_name)


def names(text: str) -> list[str]:
    """The names in a text."""
    return [found.name for found in mentions.find(text)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("@mira walks", ["mira"]),
        ("with @Mira, @red-shoe and @film_noir.", ["Mira", "red-shoe", "film_noir"]),
        ("(@mira)", ["mira"]),
        ("\u201c@mira\u201d", ["mira"]),
        ("@mira's hat", ["mira"]),
        ("@mira.", ["mira"]),
        ("@mira.She waits", ["mira"]),
        ("@mira...", ["mira"]),
        ("@mira-", ["mira"]),
        ("@mira走路", ["mira"]),
        ("让@未来 走路", ["未来"]),
        ("@caf\u00e9", ["caf\u00e9"]),
        ("@มีนา เดิน", ["มีนา"]),
        ("a@@mira", []),
        ("ana@example.com", []),
        ("ana.b+c@mira", []),
        ("see @example.com", []),
        ("ask @ana@example.org", []),
        ("\\@mira", []),
        ("@ mira", []),
        ("@9lives", []),
        ("@_x", []),
        ("@", []),
        ("", []),
    ],
)
def test_names_in_a_text(text: str, found: list[str]) -> None:
    """A name ends where a word ends; addresses and what is escaped are text."""
    assert names(text) == found


@pytest.mark.parametrize(
    ("name", "usable"),
    [
        ("mira", True),
        ("Red-Shoe_2", True),
        ("", False),
        ("red shoe", False),
        ("9a", False),
        ("a-", False),
        ("a" * 41, False),
    ],
)
def test_name_can_be_used(name: str, usable: bool) -> None:
    """What is written with an @ and found whole."""
    assert mentions.is_name(name) is usable


def test_replaced() -> None:
    """Known names become words, large letters or not; others stay, and a backslash before a name goes."""
    words = {"mira": "Mira (image 1)"}
    assert mentions.replaced("@MIRA and @tom \\@mira a@b.c \\n", words) == "Mira (image 1) and @tom @mira a@b.c \\n"


@given(TEXTS)
def test_nothing_changes_without_words(text: str) -> None:
    """Without a known name only backslashes before names go, and parts of the text are what was found there."""
    for found in mentions.find(text):
        assert text[found.start : found.end] == f"@{found.name}"
    assert mentions.replaced(mentions.escaped(text), {}) == text


@given(TEXTS)
def test_escaped_has_no_names(text: str) -> None:
    """What is escaped stays as it is, whatever it is."""
    assert mentions.find(mentions.escaped(text)) == []


@given(NAMES, st.sampled_from(["", " ", "(", "\n", "\u201c"]), st.sampled_from(["", " ", ")", "!", ", and", "\u201d"]))
def test_usable_name_is_found_again(name: str, before: str, after: str) -> None:
    """A name that may be given is found wherever it stands as a word."""
    assert names(f"{before}@{name}{after}") == [name]
