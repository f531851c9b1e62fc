"""How long to wait before the next try, and how often to speak of it in the log."""

import logging
import random
import time
from collections.abc import Callable, Hashable
from datetime import timedelta

FIRST_SECONDS = 5.0
LONGEST_SECONDS = 600.0

WEBHOOK_SECONDS = (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""The waits between attempts of the Standard Webhooks specification 1.0.0, "Deliverability and reliability"."""


def delay(attempt: int) -> timedelta:
    """Doubling from 5 s to 10 min with a quarter of jitter, so that many rows do not come back together."""
    seconds = min(LONGEST_SECONDS, FIRST_SECONDS * 2 ** max(0, min(attempt - 1, 20)))
    return timedelta(seconds=seconds * random.uniform(0.75, 1.25))  # noqa: S311 -- jitter, not cryptography


def webhook_delay(attempts: int) -> timedelta | None:
    """The wait after this many failed attempts to deliver an event, with a tenth of jitter; None: give up."""
    if attempts > len(WEBHOOK_SECONDS):
        return None
    seconds = WEBHOOK_SECONDS[max(0, attempts - 1)]
    return timedelta(seconds=seconds * random.uniform(1, 1.1))  # noqa: S311 -- jitter, not cryptography


class OnceAWhile:
    """Says whether something is to be logged: the first time, and again only when a while has passed.

    It remembers the newest few thousand things, so that its memory has a bound.
    """

    def __init__(
        self, every_seconds: float = 3600.0, *, monotonic: Callable[[], float] = time.monotonic, most: int = 5000
    ) -> None:
        self._every_seconds = every_seconds
        self._monotonic = monotonic
        self._most = most
        self._said: dict[Hashable, float] = {}

    def is_news(self, what: Hashable) -> bool:
        """Whether this was not said for a while; it counts as said from now on."""
        now = self._monotonic()
        said = self._said.get(what)
        if said is not None and now - said < self._every_seconds:
            return False
        self._said.pop(what, None)  # at its new place, the end
        self._said[what] = now
        if len(self._said) > self._most:
            del self._said[next(iter(self._said))]
        return True


class RepeatedFailure:
    """For a loop that goes on whatever happens: growing pauses, a traceback an hour, and a line when it works again."""

    FIRST_SECONDS = 0.5

    def __init__(
        self,
        log: logging.Logger,
        loop: str,
        *,
        longest_seconds: float = 5.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._log = log
        self._loop = loop
        self._longest_seconds = longest_seconds
        self._once_a_while = OnceAWhile(monotonic=monotonic)
        self._in_a_row = 0
        self._is_told = False

    def met(self, failure: BaseException, *, is_told: bool = False) -> float:
        """Note that a turn failed; seconds to pause before the next. `is_told`: the log has it from somebody else."""
        self._in_a_row += 1
        if not is_told and self._once_a_while.is_news((type(failure), _place(failure))):
            self._is_told = True
            self._log.error("%s failed; it is tried again", self._loop, exc_info=failure)
        return min(self._longest_seconds, self.FIRST_SECONDS * 2.0 ** min(self._in_a_row - 1, 10))

    def over(self) -> None:
        """Note that a turn went well."""
        if self._is_told:
            self._log.warning("%s works again, after %s failures", self._loop, self._in_a_row)
        self._in_a_row, self._is_told = 0, False


def _place(failure: BaseException) -> tuple[str, int] | None:
    """Where it was raised, so that one cause is one thing whatever its words."""
    trace = failure.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return None if trace is None else (trace.tb_frame.f_code.co_filename, trace.tb_lineno)
