"""Months of the books, written `2026-10`: in UTC, as the ledger's times are; pure."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from core import errors
from core.messages import message

PATTERN = r"^[0-9]{4}-(0[1-9]|1[0-2])$"
_WRITTEN = re.compile(PATTERN)


def of(moment: datetime) -> str:
    """The month that a moment lies in."""
    return f"{moment.astimezone(UTC):%Y-%m}"


def bounds(month: str) -> tuple[datetime, datetime]:
    """Its first moment, and that of the month after. InvalidRequest for what is no month."""
    if not _WRITTEN.fullmatch(month) or not "0001-01" <= month <= "9999-11":
        raise errors.InvalidRequest(fields={"month": message("no_month")})
    year, number = int(month[:4]), int(month[5:])
    after = (year + 1, 1) if number == 12 else (year, number + 1)
    return datetime(year, number, 1, tzinfo=UTC), datetime(*after, 1, tzinfo=UTC)


def next_of(month: str) -> str:
    """The month after."""
    return of(bounds(month)[1])


def between(first: str, last: str) -> Iterator[str]:
    """Both and the months that lie between them, oldest first; nothing when they are the wrong way round."""
    month = first
    while month <= last:
        yield month
        month = next_of(month)
