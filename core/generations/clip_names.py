"""How the files of fetched clips are called: by a template of each person's own, harmless on every file system.

A template is text with fields in braces, such as `{date}-{project}-{model}-{take}-{words}`.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import Formatter

from core import errors, validation
from core.db import WriteSession
from core.db.tables import User
from core.messages import Message, message
from core.workspaces.access import Member

DEFAULT = "{words}-{id}"
"""What clips are called where nobody chose; scripts that read our archives rely on it."""

EXAMPLE: Mapping[str, str] = {
    "date": "2026-11-21",
    "time": "0930",
    "project": "Spring campaign",
    "model": "Google Veo 3",
    "provider": "modelslab",
    "person": "Ana",
    "take": "2",
    "words": "a lake at dusk mist rising",
    "resolution": "1080p",
    "ratio": "16x9",
    "seconds": "8s",
    "seed": "42",
    "verdict": "kept",
    "number": "0001",
    "id": "3b9f6d",
}
"""Every field -> what it is of a clip that a preview shows. Dates and times are when the clip was made, in UTC; `take`
counts the clips of one press, `number` those of one archive."""

TEMPLATE_LIMIT_CHARS = 200
WORDS_CHARS = 48
STEM_BYTES = 120
"""File systems take 255 bytes, and those that encrypt names 143; folder, number and suffix need some of them."""

_A_FIELD = "{date}"
_PLAIN_SIGNS = frozenset(" -_.()")
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)
"""Names that Windows keeps for devices, whatever their suffix."""


@dataclass(frozen=True, slots=True)
class NameTemplate:
    """A template that was checked; `parts` are its texts, each with the field behind it, None at the end."""

    text: str
    parts: tuple[tuple[str, str | None], ...]

    def stem(self, values: Mapping[str, str]) -> str:
        """The name without a suffix for a clip of these values; `clip` where nothing is left of them.

        A field that is empty leaves no doubled dash behind.
        """
        joined = "".join(plain + _harmless(values[field]) if field else plain for plain, field in self.parts)
        found = re.sub(r"([-_ .])(?:\s*[-_.])+", r"\1", _cut(joined)).strip(" .-_")
        if _RESERVED.fullmatch(found):
            found = f"_{found}"
        return found or "clip"


def parse(text: str) -> NameTemplate:
    """Check a template. InvalidRequest on `names` for an unknown field, a lone brace, or a sign no file name has."""
    text = unicodedata.normalize("NFC", text.strip())
    if not text:
        raise _refused(message("names_empty", example=DEFAULT))
    if wrong := validation.text_error(text, limit_chars=TEMPLATE_LIMIT_CHARS):
        raise errors.InvalidRequest(fields={"names": wrong})
    try:
        found = list(Formatter().parse(text))
    except ValueError:
        raise _refused(message("names_open_brace", example=_A_FIELD)) from None
    parts = []
    for plain, field, form, conversion in found:
        if bad := next((sign for sign in plain if not (_is_of_word(sign) or sign in _PLAIN_SIGNS)), None):
            is_brace = bad in "{}"
            raise _refused(
                message("names_open_brace", example=_A_FIELD) if is_brace else message("names_bad_sign", sign=bad)
            )
        if field is not None and (field not in EXAMPLE or form or conversion):
            named = "{" + field + (f":{form}" if form else "") + "}"
            known = ", ".join("{" + name + "}" for name in EXAMPLE)
            raise _refused(message("names_unknown_field", field=named, known=known))
        parts.append((plain, field))
    return NameTemplate(text, tuple(parts))


def first_words(prompt: str) -> str:
    """How a prompt begins, as part of a name; `clip` where it has no words."""
    return _harmless(prompt.lower())[:WORDS_CHARS].strip("-") or "clip"


def preview(text: str) -> str:
    """What a file would be called by a template. InvalidRequest as `parse`."""
    return f"{parse(text).stem(EXAMPLE)}.mp4"


def unique(stems: Sequence[str], *, suffix: str = ".mp4") -> list[str]:
    """File names of these stems in their order, all different also where large and small letters are one."""
    taken: set[str] = set()
    names = []
    for stem in stems:
        name, number = f"{stem}{suffix}", 1
        while _same(name) in taken:
            number += 1
            name = f"{stem}-{number}{suffix}"
        taken.add(_same(name))
        names.append(name)
    return names


def of_person(user: User) -> NameTemplate:
    """The template that a person has chosen, else the usual one; also for a choice that cannot be read any more."""
    try:
        return parse(user.clip_names or DEFAULT)
    except errors.InvalidRequest:
        return parse(DEFAULT)


def choose(session: WriteSession, member: Member, text: str | None) -> NameTemplate:
    """Keep a template for a person; None takes the usual one again. InvalidRequest as `parse`."""
    template = parse(DEFAULT if text is None else text)
    user = session.get_one(User, member.id)
    user.clip_names = None if template.text == DEFAULT else template.text
    session.flush()
    return template


def _refused(said: Message) -> errors.InvalidRequest:
    return errors.InvalidRequest(fields={"names": said})


def _is_of_word(sign: str) -> bool:
    """Letters, figures and the marks that letters of some scripts are written with."""
    return unicodedata.category(sign)[0] in "LNM"


def _harmless(value: str) -> str:
    """A value as part of a name: its words, joined by dashes."""
    letters = "".join(sign if _is_of_word(sign) else " " for sign in unicodedata.normalize("NFC", value))
    return "-".join(letters.split())


def _cut(name: str) -> str:
    """The beginning of a name that is short enough, whole letters only."""
    return name.encode()[:STEM_BYTES].decode(errors="ignore")


def _same(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()
