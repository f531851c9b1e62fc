"""A filter of the library as it is kept: in saved filters and with bulk jobs; pure.

Kept as JSON under the names of `ListFilter`'s fields, without those that ask for nothing. A period that moves with the
calendar is kept as its number of days, not as the day that it began when somebody looked.
"""

import types
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime, time, timedelta, tzinfo
from enum import Enum
from typing import Any, Union, get_args, get_origin, get_type_hints
from zoneinfo import ZoneInfo, available_timezones

from core.clock import utc_now
from core.generations.list_filter import ListFilter

DAYS, ZONE, UTC = "days", "zone", "UTC"
MAX_DAYS = 36_500


@dataclass(frozen=True, slots=True)
class KeptFilter:
    """A filter, and with `days` the last so many days up to and with today, in place of its `since`.

    Days begin at the midnights of `zone`, the name of a time zone.
    """

    filter: ListFilter
    days: int | None = None
    zone: str = UTC

    def by_now(self, now: datetime | None = None) -> ListFilter:
        """The filter of this moment: `days` as the midnight that they begin with."""
        if self.days is None:
            return self.filter
        return replace(self.filter, since=midnight(now or utc_now(), self.days, ZoneInfo(self.zone)))

    def to_json(self) -> dict[str, Any]:
        """As it is kept."""
        kept = {
            field.name: _plain(value)
            for field in fields(ListFilter)
            if (value := getattr(self.filter, field.name)) != field.default
            and not (field.name == "since" and self.days is not None)
        }
        if self.days is None:
            return kept
        return kept | {DAYS: self.days} | ({} if self.zone == UTC else {ZONE: self.zone})

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "KeptFilter":
        """As it was kept; a name or word that this release does not know asks for nothing."""
        hints = get_type_hints(ListFilter)
        known: dict[str, Any] = {}
        for name, value in kept.items():
            if name in hints:
                try:
                    known[name] = _value(hints[name], value)
                except (ValueError, TypeError):
                    continue
        days = kept.get(DAYS)
        zone = kept.get(ZONE, UTC)
        return cls(
            ListFilter(**known),
            days if isinstance(days, int) and 0 < days <= MAX_DAYS else None,
            zone if zone in available_timezones() else UTC,
        )


def midnight(now: datetime, days: int, zone: tzinfo) -> datetime:
    """When the last so many days of a time zone began, today being one of them."""
    first = now.astimezone(zone).date() - timedelta(days=days - 1)
    return datetime.combine(first, time(), zone)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return value.value if isinstance(value, Enum) else value


def _value(hint: Any, kept: Any) -> Any:
    """What was kept as a field's type has it; ValueError or TypeError for what it cannot be."""
    if get_origin(hint) in (Union, types.UnionType):
        some = [each for each in get_args(hint) if each is not type(None)]
        return None if kept is None else _value(some[0], kept)
    if get_origin(hint) is tuple:
        return tuple(_value(get_args(hint)[0], each) for each in kept)
    if hint is datetime:
        return datetime.fromisoformat(kept)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(kept)
    if not isinstance(kept, hint):
        raise TypeError(f"{kept!r} is no {hint}")
    return kept
