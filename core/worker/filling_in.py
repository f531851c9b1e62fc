"""Fills in what migrations have only made room for, beside everything else; all that there is stands in KNOWN.

A backfill stays in KNOWN as long as one may skip the version that began it: until a migration that needs it is older
than the oldest version from which one may upgrade.
"""

from collections.abc import Callable, Collection, Sequence

from core.db import Database, backfills
from core.db.backfills import Backfill

KNOWN: Sequence[Backfill] = ()


def work_down(database: Database, is_over: Callable[[], bool]) -> int:
    """Do what is unfinished until it is done, another process does it or this one ends; how many rows that were."""
    return backfills.work_down(database, KNOWN, is_over)


def are_known(names: Collection[str]) -> bool:
    """Whether this version can fill in all of these."""
    return set(names) <= {each.name for each in KNOWN}
