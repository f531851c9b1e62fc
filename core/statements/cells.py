"""Reads the cells of a statement as amounts, moments and currencies, or says why one cannot be read; pure."""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import ROUND_HALF_EVEN, Decimal

from core.messages import Message, message

MICRO = 1_000_000
MOST_UNITS = 10**9
"""A line of a statement that is larger than this was misread, in dollars as in rupiah."""
DAY = timedelta(days=1)


class CellError(Exception):
    """A cell that cannot be read; `message` says why."""

    def __init__(self, wrong: Message) -> None:
        super().__init__(wrong)
        self.message = wrong


_MARKS = re.compile(r"(?i)us\$|usd|idr|rp\.?|\$")
_EXPONENT = re.compile(r"[-+]?\d+(?:[.,]\d+)?[eE][-+]?\d{1,2}")
_GROUPS = re.compile(r"\d{1,3}(?:(?P<mark>[.,' \u00a0\u202f\u2019])\d{3})(?:(?P=mark)\d{3})*")
_CURRENCIES = {"usd": "USD", "us$": "USD", "$": "USD", "us dollar": "USD", "idr": "IDR", "rp": "IDR", "rupiah": "IDR"}


def amount(text: str, *, decimal: str) -> int:
    """An amount in millionths, half to even: `0.35`, `$0.35`, `(0.35)`, `1,234.50`; `decimal` is `.` or `,`."""
    plain = _MARKS.sub("", text).strip().replace("\u2212", "-")
    is_negative = plain.startswith("(") and plain.endswith(")")
    if is_negative:
        plain = plain[1:-1].strip()
    if _EXPONENT.fullmatch(plain):
        value = Decimal(plain.replace(",", "."))
    else:
        sign, digits = ("-", plain[1:].strip()) if plain.startswith("-") else ("", plain.lstrip("+").strip())
        whole, _mark, part = digits.partition(decimal)
        if (part and not part.isascii()) or (part and not part.isdigit()) or not (whole or part):
            raise _no_amount(text)
        if whole and not (whole.isascii() and whole.isdigit()):
            if decimal in whole or not _GROUPS.fullmatch(whole):
                raise _no_amount(text)
            whole = re.sub(r"\D", "", whole)
        value = Decimal(f"{sign}{whole or '0'}.{part or '0'}")
    if abs(value) >= MOST_UNITS:
        raise CellError(message("statement_amount_too_large", value=short(text)))
    micro = int((value * MICRO).quantize(Decimal(1), ROUND_HALF_EVEN))
    return -micro if is_negative else micro


def currency(text: str) -> str:
    """`USD` or `IDR`, however it is written; others are not compared."""
    found = _CURRENCIES.get(" ".join(text.lower().split()).rstrip("."))
    if found is None:
        raise CellError(message("statement_currency_unknown", value=short(text)))
    return found


_ISO = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ]\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?\s*(?:Z|UTC|[+-]\d{2}:?\d{2})?)?")
_EPOCH = re.compile(r"1\d{9}(?:\d{3})?(?:\.\d+)?")
_NUMBERS = re.compile(r"(\d{1,4})[./-](\d{1,2})[./-](\d{2,4})(?:[T, ]+(.+))?")
_NAMED = ("%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%d-%b-%Y", "%b %d %Y")
_CLOCKS = ("%H:%M:%S", "%H:%M", "%I:%M:%S %p", "%I:%M %p")


def moment(text: str, *, zone: tzinfo, day_first: bool) -> tuple[datetime, datetime]:
    """A moment, twice; of a day without a time its first and the next one's. What names no zone is in `zone`."""
    plain = " ".join(text.split())
    if _EPOCH.fullmatch(plain):
        whole = Decimal(plain)
        found = datetime.fromtimestamp(float(whole / 1000 if whole > 10**12 else whole), UTC)
        return found, found
    try:
        at, has_time = _iso(plain) if _ISO.fullmatch(plain) else _written(plain, day_first=day_first)
        if at.tzinfo is None:
            at = at.replace(tzinfo=zone)
        begins = at.astimezone(UTC)
        return begins, begins if has_time else (at + DAY).astimezone(UTC)
    except (ValueError, OverflowError):
        raise CellError(message("statement_time_unreadable", value=short(text))) from None


def _iso(text: str) -> tuple[datetime, bool]:
    plain = text.replace(" UTC", "Z").replace("UTC", "Z").replace(",", ".").replace(" Z", "Z")
    plain = re.sub(r"(\.\d{6})\d+", r"\1", plain)
    plain = re.sub(r"([ T])(\d):", r"\g<1>0\2:", plain)
    plain = re.sub(r" ([+-]\d{2}:?\d{2})$", r"\1", plain)
    return datetime.fromisoformat(plain), len(plain) > 10


def _written(text: str, *, day_first: bool) -> tuple[datetime, bool]:
    """A day as people write it, with a time of day behind it or none."""
    if found := _NUMBERS.fullmatch(text):
        one, two, three = (int(found[place]) for place in (1, 2, 3))
        if len(found[1]) == 4:
            year, month, day = one, two, three
        else:
            year = three + 2000 if len(found[3]) == 2 else three
            day, month = (one, two) if day_first else (two, one)
        at = datetime(year, month, day)  # noqa: DTZ001 -- its zone is given by who asks
        return (at, False) if found[4] is None else (_at_time(at, found[4]), True)
    words = text.split(" ")
    for form in _NAMED:
        parts = len(form.split())
        try:
            at = datetime.strptime(" ".join(words[:parts]).rstrip(","), form)  # noqa: DTZ007 -- same
        except ValueError:
            continue
        rest = " ".join(words[parts:])
        return (_at_time(at, rest), True) if rest else (at, False)
    raise ValueError(text)


def _at_time(day: datetime, text: str) -> datetime:
    """A day at a time of day, with a zone where one is named."""
    plain = text.strip()
    offset: tzinfo | None = None
    if plain.endswith(("Z", "UTC", "GMT")):
        plain, offset = re.sub(r"(Z|UTC|GMT)$", "", plain).strip(), UTC
    elif found := re.fullmatch(r"(.+?)\s*([+-]\d{2}:?\d{2})", plain):
        plain, offset = found[1], datetime.strptime(found[2], "%z").tzinfo
    plain = re.sub(r"([:\d])([AaPp][Mm])$", r"\1 \2", plain).split(".")[0]
    for form in _CLOCKS:
        try:
            clock = datetime.strptime(plain.upper(), form).time()  # noqa: DTZ007 -- same
        except ValueError:
            continue
        return datetime.combine(day.date(), clock, offset)
    raise ValueError(text)


def short(text: str) -> str:
    """A cell as it is named to people."""
    return text if len(text) <= 40 else f"{text[:39]}…"


def _no_amount(text: str) -> CellError:
    return CellError(message("statement_amount_unreadable", value=short(text)))
