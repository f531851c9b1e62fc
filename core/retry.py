"""How long to wait before the next try."""

import random
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
