"""Tells whose worker has fallen silent, by this process's steady clock alone.

The worker that holds a row renews its lease, which changes `next_at`. Whether that moment has passed says little:
clocks are set, a database is away. A lease that was looked at for as long as it lasts and did not change is over.
"""

import time
from collections.abc import Callable, Hashable, Mapping
from datetime import timedelta

LEASE = timedelta(seconds=20)
"""How long a worker that sends or fetches holds its row without renewing that."""


class LeaseWatch:
    """What was seen of each lease that somebody holds; all of it may be lost at any time."""

    def __init__(self, lease_seconds: float, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._lease_seconds = lease_seconds
        self._monotonic = monotonic
        self._seen: dict[str, tuple[Hashable, float]] = {}  # what it was, and for how many seconds it is that
        self._looked_at = monotonic()

    def silent(self, leases: Mapping[str, Hashable]) -> set[str]:
        """Of all leases there are, by id, those that are over; `leases` says what each one looks like now.

        A pause since the last look counts half a lease at most: when everything slept, workers can renew theirs first.
        """
        now = self._monotonic()
        passed_seconds = min(now - self._looked_at, self._lease_seconds / 2)
        self._looked_at = now
        before, self._seen = self._seen, {}
        for row_id, lease in leases.items():
            known, seconds = before.get(row_id, (None, 0.0))
            self._seen[row_id] = (lease, seconds + passed_seconds if known == lease else 0.0)
        return {row_id for row_id, (_, seconds) in self._seen.items() if seconds >= self._lease_seconds}

    def start_anew(self) -> None:
        """Forget what was seen: nobody could renew a lease, for the database was away."""
        self._seen = {}
