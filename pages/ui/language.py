"""Which language a page is read in, and the words in it: a gettext catalogue a language, English being the source.

Mark every text a person reads: `_("Save")`, with named places `_("{count} of {total}").format(...)`; `plural(...)`
where a number decides; `N_("Save")` for a constant that is shown through `_()` later. What `core` says are messages
(`core.messages`), which `translate_message` puts into words. `python -m tools.catalogues` keeps the catalogues in step.
"""

import gettext
import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from decimal import Decimal
from functools import cache
from pathlib import Path

import streamlit as st
from babel import Locale, numbers
from babel.messages import mofile, pofile
from babel.messages.catalog import Catalog
from streamlit.runtime.scriptrunner import get_script_run_ctx

from core.messages import N_ as N_  # noqa: PLC0414 -- pages mark their constants with it, too
from core.messages import Message, Writer, as_message

SOURCE = "en"
LANGUAGES = {"en": "English", "id": "Bahasa Indonesia"}
"""Language tag -> its name in itself."""

_CATALOGUES = Path(__file__).parents[1] / "locale"
_CHOSEN = "language"
_reading: ContextVar[str | None] = ContextVar("reading", default=None)


def current() -> str:
    """The tag of this session's language: chosen, else the browser's if there is a catalogue for it, else English."""
    return _reading.get() or _of_session()


def _of_session() -> str:
    if get_script_run_ctx(suppress_warning=True) is None:
        return SOURCE
    chosen: str | None = st.session_state.get(_CHOSEN)
    wanted = chosen or (st.context.locale or "").replace("_", "-").partition("-")[0].lower()
    return wanted if wanted in LANGUAGES else SOURCE


def set_language(tag: str | None) -> None:
    """Read in this language from now on in this session; None leaves it to the browser.

    The shell does it once a run. It is noted for the thread of the run, too, because a page asks hundreds of times.
    """
    st.session_state[_CHOSEN] = tag
    _reading.set(_of_session())


@contextmanager
def using_language(tag: str) -> Iterator[None]:
    """Read in this language while the block runs, where there is no session to ask; English for an unknown tag."""
    before = _reading.set(tag if tag in LANGUAGES else SOURCE)
    try:
        yield
    finally:
        _reading.reset(before)


def locale() -> Locale:
    """The language as Babel knows it, for numbers, dates and money."""
    return _locale(current())


@cache
def _locale(tag: str) -> Locale:
    return Locale.parse(tag)


def _(text: str) -> str:
    """A text in the language of this session; itself where the catalogue has none."""
    return _catalogue(current()).gettext(text)


def plural(one: str, many: str, number: int) -> str:
    """The form that goes with a number; both may have the place `{number}`, which is not filled in here."""
    return _catalogue(current()).ngettext(one, many, number)


def translate_message(said: Message | str | None) -> str:
    """What core says, in the language of this session: a message, or a text that is marked where it stands.

    A text that no catalogue has, as rows of before there were messages may hold one, stays as it is; None is empty.
    """
    if not said:
        return ""
    return _writer(current()).write(as_message(said))


def writers() -> Mapping[str, Writer]:
    """Who writes in which language, by its tag, for a door that draws pages of its own."""
    return {tag: _writer(tag) for tag in LANGUAGES}


class _Writer(Writer):
    """Words and figures of one language."""

    def __init__(self, tag: str) -> None:
        self._tag = tag

    def translate(self, sentence: str) -> str:
        return _catalogue(self._tag).gettext(sentence)

    def figure(self, english: str) -> str:
        return numbers.format_decimal(Decimal(english.replace(",", "")), locale=_locale(self._tag))


@cache
def _writer(tag: str) -> Writer:
    return Writer() if tag == SOURCE else _Writer(tag)


@cache
def _catalogue(tag: str) -> gettext.NullTranslations:
    if tag == SOURCE:
        return gettext.NullTranslations()
    compiled = io.BytesIO()
    mofile.write_mo(compiled, _read(tag))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


@cache
def _read(tag: str) -> Catalog:
    with (_CATALOGUES / f"{tag}.po").open("rb") as file:
        return pofile.read_po(file, locale=tag)
