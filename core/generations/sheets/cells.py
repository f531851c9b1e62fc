"""Reads the texts of cells as values, mending what spreadsheets make of them, or says why one cannot be read; pure."""

import re
from typing import Any, NamedTuple

from core import normal_form
from core.messages import Message, message


class CellError(Exception):
    """A cell that cannot be read; `message` says why."""

    def __init__(self, wrong: Message) -> None:
        super().__init__(wrong)
        self.message = wrong


class Read(NamedTuple):
    """A value, and what is to be said of how it was read."""

    value: Any
    note: Message | None = None


_WHOLE = re.compile(r"[+-]?\d+")
_WITHOUT_FRACTION = re.compile(r"([+-]?\d+)[.,](0{1,2}|0{4,})")
_ONE_GROUP = re.compile(r"\d{1,3}[.,]\d{3}")
_GROUPS = re.compile(r"\d{1,3}(?:([.,' \u00a0\u202f\u2019])\d{3})(?:\1\d{3})+|\d{1,3}(?:[' \u00a0\u202f\u2019]\d{3})")
_SCIENTIFIC = re.compile(r"(\d+)([.,]\d+)?[eE]\+?(\d{1,2})")
_MOST_DIGITS = 18

_SECONDS = re.compile(r"(.*?)\s*(?:s|sec|secs|second|seconds|det|dtk|detik)\.?", re.IGNORECASE)
_CLOCK = re.compile(r"(?:0{1,2}:)?(\d{1,2}):(\d{2})")
_RATIO = re.compile(r"(\d{1,3}(?:[.,]\d{1,3})?)\s*[:xX\u00d7/]\s*(\d{1,3})(?::00)?")
_SHARE_OF_DAY = re.compile(r"0[.,]\d{4,}")
_DAY = re.compile(
    r"\d{4}-\d{2}-\d{2}.*|\d{1,2}[-. /](?:[A-Za-z]{3,9}|\d{1,2})\.?(?:[-. /]\d{2,4})?|[A-Za-z]{3,9}[-. ]\d{1,4}"
)
_MINUTES_A_DAY = 24 * 60

_YES = {"yes", "y", "true", "1", "on", "x", "ya", "benar", "hidup", "aktif", "ada", "iya"}
_NO = {"no", "n", "false", "0", "off", "-", "tidak", "salah", "mati", "tanpa", "tak", "nonaktif"}


def whole(text: str) -> Read:
    """A whole number however it is written: `5`, `5,0`, `1.000.000`, `1e9`. CellError for others, and unclear ones."""
    if _WHOLE.fullmatch(text) and len(text) <= _MOST_DIGITS:
        return Read(int(text))
    if _ONE_GROUP.fullmatch(text):
        raise CellError(message("cell_number_unclear", value=text))
    if found := _WITHOUT_FRACTION.fullmatch(text):
        return Read(int(found[1]))
    if _GROUPS.fullmatch(text):
        number = int(re.sub(r"\D", "", text))
        return Read(number, message("cell_number_written_out", value=text, number=str(number)))
    if found := _SCIENTIFIC.fullmatch(text):
        if found[2] or len(found[1]) + int(found[3]) > _MOST_DIGITS:
            raise CellError(message("cell_number_shortened", value=text))
        number = int(found[1]) * 10 ** int(found[3])
        return Read(number, message("cell_number_written_out", value=text, number=str(number)))
    raise CellError(message("cell_not_whole", value=_short(text)))


def seconds(text: str) -> Read:
    """A length in seconds, also with its unit, or as minutes and seconds: `8`, `8 s`, `0:08`."""
    if found := _CLOCK.fullmatch(text):
        number = int(found[1]) * 60 + int(found[2])
        return Read(number, message("cell_number_written_out", value=text, number=str(number)))
    with_unit = _SECONDS.fullmatch(text)
    return whole(with_unit[1] if with_unit else text)


def ratio(text: str) -> Read:
    """An aspect ratio such as `16:9`, also where a spreadsheet has made a time of it; a word stays as it is."""
    if found := _RATIO.fullmatch(text):
        width, height = found[1].replace(",", "."), int(found[2])
        plain = f"{int(width) if width.isdigit() else width}:{height}"
        is_time = (width.isdigit() and width.startswith("0")) or found[2].startswith("0") or text.endswith(":00")
        return Read(plain, message("cell_ratio_was_time", value=text, ratio=plain) if is_time else None)
    if _SHARE_OF_DAY.fullmatch(text):
        minutes = float(text.replace(",", ".")) * _MINUTES_A_DAY
        if abs(minutes - round(minutes)) < 0.02:
            plain = f"{round(minutes) // 60}:{round(minutes) % 60}"
            return Read(plain, message("cell_ratio_was_time", value=text, ratio=plain))
    if _DAY.fullmatch(text):
        raise CellError(message("cell_ratio_is_day", value=text))
    return Read(text)


def resolution(text: str) -> Read:
    """A resolution such as `720p`, also `720`, `720 P` and `4k`; a word stays as it is."""
    plain = "".join(text.split())
    if plain.isdigit():
        return Read(f"{plain}p")
    if re.fullmatch(r"\d+[pP]", plain):
        return Read(plain.lower())
    return Read(plain.upper() if re.fullmatch(r"\d+[kK]", plain) else text)


def yes_or_no(text: str) -> Read:
    """Yes or no in English and Indonesian, and as spreadsheets write it; CellError for other words."""
    word = normal_form.normal(text)
    if word in _YES or word in _NO:
        return Read(word in _YES)
    raise CellError(message("cell_not_yes_or_no", value=_short(text)))


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:39]}…"
