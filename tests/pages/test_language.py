import re

import pytest
from streamlit.testing.v1 import AppTest

from core import errors
from core.messages import Message, message, plain
from pages.ui import language
from tools import catalogues

OTHERS = [tag for tag in language.LANGUAGES if tag != language.SOURCE]


def test_words_without_a_session_are_the_source() -> None:
    """Outside of a page there is no reader to ask, so texts stay as they are written."""
    assert language.current() == "en"
    assert language._("Total") == "Total"
    assert language.plural("{number} clip", "{number} clips", 2) == "{number} clips"


@pytest.mark.parametrize("tag", OTHERS)
def test_catalogue_has_every_text_translated(tag: str) -> None:
    """A catalogue holds exactly the texts there are, each with its words; `make catalogues` brings it in step."""
    kept = catalogues.read(tag)

    assert {text.id for text in kept} == {text.id for text in catalogues.extracted()}
    assert catalogues.untranslated(kept) == []


OF_TAKES = (
    "Take",
    "Takes",
    "Take {number}",
    "Take {place} of {number}",
    "Takes of this order",
    "take {number} of {of}",
    "{number} take",
    "another take on the stage",
    "Another take is better",
    "No other model here can make this take.",
)


def test_take_has_one_word_in_indonesian() -> None:
    """A take is a `versi` wherever one is spoken of: beside its clip, in the strip, among relatives and as a reason."""
    kept = catalogues.read("id")
    said = {text: str(kept[text].string) for text in OF_TAKES}
    assert [text for text, words in said.items() if "versi" not in words.lower()] == []


@pytest.mark.parametrize("tag", OTHERS)
def test_fuzzy_entry_counts_as_untranslated(tag: str) -> None:
    """A guess at a translation is never taken for one."""
    catalogue = catalogues.read(tag)
    catalogue["Total"].flags.add("fuzzy")

    assert catalogues.untranslated(catalogue) == ["Total"]


@pytest.mark.parametrize("tag", OTHERS)
def test_translation_keeps_the_places_of_its_text(tag: str) -> None:
    """What is filled into a text is filled into its translation, in the same form, and nothing else is asked for."""
    for text in catalogues.read(tag):
        if not text.id:
            continue
        wanted, given = (
            [set(re.findall(r"{[^}]*}", form)) for form in ([side] if isinstance(side, str) else side)]
            for side in (text.id, text.string or "")
        )
        assert all(places == wanted[-1] for places in given), text.id


def page() -> None:
    """A page that says a message and a text in the language of its address."""
    import streamlit as st

    from core.messages import message
    from pages.ui import language

    language.set_language(st.query_params.get("language"))
    st.write(language.translate_message(message("cannot_judge_yet")))
    st.write(language.translate_message("A sentence that nobody says any more."))


def test_message_is_said_in_the_language_of_the_session() -> None:
    """A message is put into the reader's words; a text that no catalogue has stays as it is."""
    app = AppTest.from_function(page)
    app.query_params["language"] = "id"
    shown = [text.value for text in app.run().markdown]

    assert shown == [
        "Hanya klip yang sudah selesai dapat dipertahankan atau ditolak.",
        "A sentence that nobody says any more.",
    ]


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (message("already_ended", status=message("status_completed")), "Status klip ini sudah selesai."),
        (
            message("nothing_sent", refused=message("host_not_public", host="printer.lan")),
            "Tidak ada yang dikirim: printer.lan bukan alamat publik.",
        ),
        (message("ordered", total_credits=1250), "Dipesan; 1.250 kredit dicadangkan"),
        (
            message(
                "stored_otherwise",
                credits=9,
                gaps=(
                    message("other_length", duration_seconds=5, seconds=4.17),
                    message("other_shape", aspect_ratio="1:1", width=4, height=3),
                ),
            ),
            "Klip disimpan dan diperiksa; 9 kredit ditagih. Dipesan 5 dtk, dikirim 4,2 dtk. "
            "Dipesan 1:1, dikirim 4 × 3.",
        ),
        (
            message("preset_name_taken", name="2.5 or more"),
            "Anda sudah memiliki preset bernama '2.5 or more'. Pilih nama lain atau ubah preset itu.",
        ),
        (
            errors.StorageFull().message,
            "Penyimpanan Anda penuh. Hapus klip yang tidak diperlukan lagi, lalu coba lagi.",
        ),
        (plain("Calm product shots and landscapes."), "Gambar produk dan pemandangan yang tenang."),
        ("Fetching the finished clip", "Mengambil klip yang sudah jadi"),
        ("Failed; 50 credits returned. An old row.", "Failed; 50 credits returned. An old row."),
        (plain("Tea {or} coffee"), "Tea {or} coffee"),
        (None, ""),
        ("", ""),
    ],
)
def test_message_is_said_with_all_that_stands_in_it(said: Message | str | None, words: str) -> None:
    """Statuses, reasons and figures within a message, several in a row, a marked text; never a person's own word."""
    with language.using_language("id"):
        assert language.translate_message(said) == words


def test_catalogues_are_those_that_can_be_chosen() -> None:
    """No catalogue without a choice, no choice without a catalogue."""
    assert {path.stem for path in catalogues.CATALOGUES.glob("*.po")} == set(OTHERS)
