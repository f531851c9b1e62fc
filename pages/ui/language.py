"""Which language a page is read in, and the words in it: a gettext catalogue a language, English being the source.

Mark every text a person reads: `_("Save")`, with named places `_("{count} of {total}").format(...)`; `plural(...)`
where a number decides; `N_("Save")` for a constant that is shown through `_()` later. What `core` says are messages
(`core.messages`), which `translate_message` puts into words. `python -m tools.catalogues` keeps the catalogues in step.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import streamlit as st
from babel import Locale
from streamlit.runtime.scriptrunner import get_script_run_ctx

from core.messages import N_ as N_  # noqa: PLC0414 -- pages mark their constants with it, too
from core.messages import Message, as_message
from pages.ui import catalogues
from pages.ui.catalogues import LANGUAGES, SOURCE, writers

__all__ = [
    "LANGUAGES",
    "N_",
    "SOURCE",
    "current",
    "locale",
    "plural",
    "set_language",
    "translate_message",
    "using_language",
    "writers",
]

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
    return catalogues.locale(current())


def _(text: str) -> str:
    """A text in the language of this session; itself where the catalogue has none."""
    return catalogues.catalogue(current()).gettext(text)


def plural(one: str, many: str, number: int) -> str:
    """The form that goes with a number; both may have the place `{number}`, which is not filled in here."""
    return catalogues.catalogue(current()).ngettext(one, many, number)


def translate_message(said: Message | str | None) -> str:
    """What core says, in the language of this session: a message, or a text that is marked where it stands.

    A text that no catalogue has, as rows of before there were messages may hold one, stays as it is; None is empty.
    """
    if not said:
        return ""
    return catalogues.writer(current()).write(as_message(said))
