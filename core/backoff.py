"""How long to wait before the next try."""

import random
from datetime import timedelta

FIRST_SECONDS = 5.0
LONGEST_SECONDS = 600.0


def delay(attempt: int) -> timedelta:
    """Doubling from 5 s to 10 min with a quarter of jitter, so that many rows do not come back together."""
    seconds = min(LONGEST_SECONDS, FIRST_SECONDS * 2 ** max(0, min(attempt - 1, 20)))
    return timedelta(seconds=seconds * random.uniform(0.75, 1.25))  # noqa: S311 -- jitter, not cryptography
