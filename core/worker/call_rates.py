"""How often each provider may be called, by the rate it names and all processes share; it calls nobody.

Without Redis nobody counts, and the provider's own 429 must do.
"""

import time
from collections.abc import Callable

from core.installation import Installation
from core.providers.contract import Provider
from core.redis import connection as redis_connection
from core.redis import rate_limits

AWAY_SECONDS = 5.0
"""How long nobody counts after Redis did not answer, so that a Redis that hangs holds up no look."""


class CallRates:
    """Bookings of one process."""

    def __init__(self, installation: Installation, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._installation = installation
        self._monotonic = monotonic
        self._ask_again_at = float("-inf")

    def book(self, provider: type[Provider]) -> float:
        """Book a call; seconds until its moment, 0 where no rate is named."""
        rate = provider.max_requests_per_second
        if rate is None:
            return 0.0
        return self._asked(lambda: rate_limits.reserve_call(self._installation.redis, provider.name, rate))

    def room(self, provider: type[Provider], within_seconds: float) -> int | None:
        """How many calls more could be booked for the next so many seconds; None for any number."""
        rate = provider.max_requests_per_second
        if rate is None:
            return None
        booked = self._asked(lambda: rate_limits.booked_seconds(self._installation.redis, provider.name))
        return max(0, int((within_seconds - booked) * rate))

    def _asked(self, ask: Callable[[], float]) -> float:
        if self._monotonic() < self._ask_again_at:
            return 0.0
        try:
            return ask()
        except redis_connection.Unreachable:
            self._ask_again_at = self._monotonic() + AWAY_SECONDS
            return 0.0
