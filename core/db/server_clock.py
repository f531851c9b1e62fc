"""The clock of a database's server as a process knows it, without asking: what it said last, and what has passed since.

It never asks by itself. It is for what must not cost a round trip and may be wrong by one; due times and leases go by
`db.now`, which asks.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from core.clock import utc_now

OLD_AFTER_SECONDS = 10.0
"""After so long the server is asked again, so that a clock that it was set to is soon followed."""


class ServerClock:
    """Of one database; what is not said yet, as on SQLite, which has no clock of its own, is this machine's."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._known: tuple[datetime, float] | None = None  # the time, and the moment of the steady clock it was then

    def said(self, moment: datetime, began: float, ended: float) -> None:
        """The server has told the time between these two moments of the steady clock.

        What was known is moved only as far as it must be wrong, so that an answer that took long spoils nothing.
        """
        earliest, latest = moment.astimezone(UTC), moment.astimezone(UTC) + timedelta(seconds=ended - began)
        known = self._known
        believed = earliest + (latest - earliest) / 2 if known is None else _at(known, ended)
        self._known = min(max(believed, earliest), latest), ended

    def now(self) -> datetime:
        """The time by that clock, aware UTC."""
        known = self._known
        return utc_now() if known is None else _at(known, self._monotonic())

    @property
    def is_old(self) -> bool:
        """Whether it is worth a round trip to ask again."""
        known = self._known
        return known is None or self._monotonic() - known[1] > OLD_AFTER_SECONDS

    def machine_is_ahead(self) -> timedelta:
        """How far this machine's clock is ahead of the server's; negative behind it."""
        return utc_now() - self.now()


def _at(known: tuple[datetime, float], moment: float) -> datetime:
    return known[0] + timedelta(seconds=moment - known[1])
