import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages.ui import language
from tests import words

OTHERS = [tag for tag in language.LANGUAGES if tag != language.SOURCE]


def test_words_without_a_session_are_the_source() -> None:
    """Outside of a page there is no reader to ask, so texts stay as they are written."""
    assert language.current() == "en"
    assert language._("Total") == "Total"
    assert language.plural("{number} clip", "{number} clips", 2) == "{number} clips"


@pytest.mark.parametrize("tag", OTHERS)
def test_catalogue_has_every_text_translated(tag: str) -> None:
    """A catalogue holds exactly the texts there are, each with its words; `python -m tests.words` brings it in step."""
    kept = {message.id: message.string for message in words.read(tag) if message.id}

    assert set(kept) == {message.id for message in words.gathered() if message.id}
    assert [text for text, said in kept.items() if not said or (isinstance(said, tuple) and not all(said))] == []
    assert [message.id for message in words.read(tag) if message.fuzzy] == []  # they count as untranslated


def test_text_marked_within_an_f_string_is_gathered() -> None:
    """A text is found wherever it is marked, on every version of Python."""
    assert words.gathered().get("Nothing was charged by this.") is not None


@pytest.mark.parametrize("tag", OTHERS)
def test_translation_keeps_the_places_of_its_text(tag: str) -> None:
    """What is filled into a text is filled into its translation, and nothing else is asked for."""
    for message in words.read(tag):
        if not message.id:
            continue
        wanted, given = (
            [set(re.findall(r"{(\w+)", text)) for text in ([form] if isinstance(form, str) else form)]
            for form in (message.id, message.string or "")
        )
        assert all(places == wanted[-1] for places in given), message.id


def page() -> None:
    """A page that says three sentences of core in the language of its address."""
    import streamlit as st

    from pages.ui import language

    language.set_language(st.query_params.get("language"))
    st.write(language.translate_message("Veo 3 takes no start image. Remove it or choose another model."))
    st.write(language.translate_message("Failed; 50 credits returned. The provider could not make this clip."))
    st.write(language.translate_message("A sentence that nobody says any more."))


def test_sentence_of_core_is_translated_by_its_form() -> None:
    """A sentence with places is found whatever stands in them, also within another one; an unknown one stays."""
    app = AppTest.from_function(page)
    app.query_params["language"] = "id"
    shown = [text.value for text in app.run().markdown]

    assert "Veo 3" in shown[0]
    assert "start image" not in shown[0]
    assert "50" in shown[1]
    assert "credits returned" not in shown[1]
    assert shown[2] == "A sentence that nobody says any more."


@pytest.mark.parametrize(
    ("sentence", "words"),
    [
        ("Veo 3 makes 480p, 720p or 1080p.", "Veo 3 membuat 480p, 720p atau 1080p."),
        ("Kling 2.5 makes clips of 5 or 10 seconds.", "Kling 2.5 membuat klip berdurasi 5 atau 10 detik."),
        ("Demo Film makes clips of 1 to 16 seconds.", "Demo Film membuat klip berdurasi 1 sampai 16 detik."),
        ("This generation is already completed.", "Status klip ini sudah selesai."),
        (
            "Nothing was sent: printer.lan is not a public address.",
            "Tidak ada yang dikirim: printer.lan bukan alamat publik.",
        ),
        ("Ordered; 1,250 credits reserved", "Dipesan; 1.250 kredit dicadangkan"),
        (
            "Clip stored and checked; 9 credits charged. Asked for 5 s, delivered 4.17 s. "
            "Asked for 1:1, delivered 4 × 3.",
            "Klip disimpan dan diperiksa; 9 kredit ditagih. Dipesan 5 dtk, dikirim 4,17 dtk. "
            "Dipesan 1:1, dikirim 4 × 3.",
        ),
        (
            "You have a preset named '2.5 or more' already. Choose another name, or change that one.",
            "Anda sudah memiliki preset bernama '2.5 or more'. Pilih nama lain atau ubah preset itu.",
        ),
        ("Tea or coffee", "Tea or coffee"),
    ],
)
def test_what_stands_in_a_sentence_is_in_its_language_too(sentence: str, words: str) -> None:
    """Lists, statuses, reasons and figures within a sentence, sentences in a row; never a person's own word."""
    with language.using_language("id"):
        assert language.translate_message(sentence) == words


def test_catalogues_are_those_that_can_be_chosen() -> None:
    """No catalogue without a choice, no choice without a catalogue."""
    assert {path.stem for path in Path(words.CATALOGUES).glob("*.po")} == set(OTHERS)
