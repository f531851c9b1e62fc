"""Which language a page is read in, and the words in it: a gettext catalogue a language, English being the source.

Mark every text a person reads: `_("Save")`, with named places `_("{count} of {total}").format(...)`; `plural(...)`
where a number decides; `N_("Save")` for a constant that is shown through `_()` later. `core` marks nothing: its
sentences are found in the catalogue by what they say (`said`), and what stands in their places by the same: figures,
statuses, lists. `python -m tests.words` keeps the catalogues in step.
"""

import gettext
import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from decimal import Decimal
from functools import cache, lru_cache
from pathlib import Path
from string import Formatter

import streamlit as st
from babel import Locale, numbers
from babel.messages import mofile, pofile
from babel.messages.catalog import Catalog
from streamlit.runtime.scriptrunner import get_script_run_ctx

SOURCE = "en"
LANGUAGES = {"en": "English", "id": "Bahasa Indonesia"}
"""Language tag -> its name in itself."""

_FROM_CORE, _PART = "core", "part"  # how a catalogue marks the sentences of core, and what stands in their places
_CATALOGUES = Path(__file__).parents[1] / "locale"
_ONE = r"(?:(?!\. [A-Z]).)+?"  # what may stand in a place within a sentence; in one at its end, more sentences may
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


def N_(text: str) -> str:  # noqa: N802 -- the name that gettext's tools know for "mark only"
    """Mark a constant for the catalogue; it is shown through `_()`."""
    return text


def plural(one: str, many: str, number: int) -> str:
    """The form that goes with a number; both may have the place `{number}`, which is not filled in here."""
    return _catalogue(current()).ngettext(one, many, number)


def translate_message(sentence: str) -> str:
    """A sentence of `core` in the language of this session, found by its form, whatever stands in its places.

    It may have been written down long ago, as the timeline is; one that no catalogue has any more stays as it is.
    Several, one after another, are found one by one.
    """
    return _translate_message(current(), sentence)


@lru_cache(maxsize=4096)
def _translate_message(tag: str, sentence: str) -> str:
    if tag == SOURCE or not sentence:
        return sentence
    if whole := _found(tag, sentence, _FROM_CORE):
        return whole
    for end in reversed([stop.end() for stop in re.finditer(r"[.!?](?= )", sentence)]):
        if first := _found(tag, sentence[:end], _FROM_CORE):
            return f"{first} {_translate_message(tag, sentence[end + 1 :])}"
    return sentence


def _found(tag: str, text: str, mark: str) -> str | None:
    translated = _catalogue(tag).gettext(text)
    if translated != text:
        return translated
    for form, template in _templates(tag, mark):
        if found := form.fullmatch(text):
            return template.format(**{place: _filled(tag, place, told) for place, told in found.groupdict().items()})
    return None


def _filled(tag: str, place: str, told: str) -> str:
    """What stands in a place of a sentence: a name as it is, a figure as the language writes it, else words."""
    if place == "name":
        return told
    if re.fullmatch(r"\d{1,3}(,\d{3})+|\d+\.\d+", told):
        return numbers.format_decimal(Decimal(told.replace(",", "")), locale=_locale(tag))
    return _found(tag, told, _PART) or _translate_message(tag, told)


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


@cache
def _templates(tag: str, mark: str) -> Sequence[tuple[re.Pattern[str], str]]:
    """Forms of core's texts that have places, with their translations; the most telling forms first."""
    found = []
    for message in _read(tag):
        if mark in message.auto_comments and "{" in message.id and message.string:
            parts = [(text, place) for text, place, *_rest in Formatter().parse(str(message.id))]
            *before, last = [
                f"{re.escape(text)}(?P<{place}>{_ONE})" if place else re.escape(text) for text, place in parts
            ]
            telling = sum(len(text) for text, _place in parts)
            form = "".join(before) + last.replace(_ONE, ".+")
            found.append((telling, re.compile(form, re.DOTALL), str(message.string)))
    return [(form, template) for _telling, form, template in sorted(found, key=lambda entry: -entry[0])]
