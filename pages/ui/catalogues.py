"""The catalogues of gettext, one a language, and who writes messages in each; for pages, mail and every other door.

It knows no Streamlit: the dispatcher, which shows no page, loads it too.
"""

import gettext
import io
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path

from babel import Locale, numbers
from babel.messages import mofile, pofile
from babel.messages.catalog import Catalog

from core.messages import Writer

SOURCE = "en"
LANGUAGES = {"en": "English", "id": "Bahasa Indonesia"}
"""Language tag -> its name in itself."""

_CATALOGUES = Path(__file__).parents[1] / "locale"


def writers() -> Mapping[str, Writer]:
    """Who writes in which language, by its tag, for a door that draws no pages; each reads its catalogue when asked."""
    return {tag: writer(tag) for tag in LANGUAGES}


@cache
def writer(tag: str) -> Writer:
    """Who writes in a language."""
    return Writer() if tag == SOURCE else _Writer(tag)


@cache
def locale(tag: str) -> Locale:
    """A language as Babel knows it."""
    return Locale.parse(tag)


class _Writer(Writer):
    """Words and figures of one language."""

    def __init__(self, tag: str) -> None:
        self._tag = tag

    def translate(self, sentence: str) -> str:
        return catalogue(self._tag).gettext(sentence)

    def figure(self, english: str) -> str:
        return numbers.format_decimal(Decimal(english.replace(",", "")), locale=locale(self._tag))


@cache
def catalogue(tag: str) -> gettext.NullTranslations:
    """The words of a language; none for the one that texts are written in."""
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
