import sys
import unicodedata
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import normal_form


@given(text=st.text(), form=st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"]))
def test_normal_of_any_text(text: str, form: Literal["NFC", "NFD", "NFKC", "NFKD"]) -> None:
    """However a text is composed its normal form is the same, and the normal form of that is itself."""
    found = normal_form.normal(text)

    assert normal_form.normal(found) == found
    assert normal_form.normal(unicodedata.normalize(form, text)) == found
    assert normal_form.words(found) == normal_form.words(text)
    assert normal_form.words(" ".join(normal_form.words(text))) == normal_form.words(text)


def test_normal_of_every_character() -> None:
    """No character of Unicode has a normal form that has another one."""
    every = map(chr, (code for code in range(sys.maxunicode + 1) if not 0xD800 <= code <= 0xDFFF))
    assert [each for each in every if normal_form.normal(normal_form.normal(each)) != normal_form.normal(each)] == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Ein Fluß, 4K_video; 海 – ok!", ["ein", "fluss", "4k", "video", "海", "ok"]),
        ("don't  stop don't", ["don", "t", "stop"]),
        ("Zu\u0308rich Iğdır Øl Łódź", ["zurich", "igdir", "ol", "lodz"]),
        ("夕日の湖", ["夕", "日", "の", "湖"]),
        ("हिन्दी फ़िल्म", ["हिन्दी", "फिल्म"]),
        ("ze\u200bro so\u00adft", ["zero", "soft"]),
        ("x" * 100, ["x" * normal_form.WORD_CHARS]),
        ("\U0001f3ac _ – ' ", []),
        ("", []),
    ],
)
def test_words_of_a_text(text: str, words: list[str]) -> None:
    """Letters, digits and the marks that spell are words, each once; all else only stands between them."""
    assert normal_form.words(text) == words
