"""Writes down what was learned outside and cannot be asked for again, also when the database is away just now."""

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from core.db import availability, engine
from core.db.sessions import WriteSession

log = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 10.0

Result = TypeVar("Result")


def until_written(
    write: Callable[[WriteSession], Result], *, what: str, for_seconds: float = float("inf"), pause: float | None = None
) -> Result:
    """Run `write` in a session of its own, again and again while the database is away, locked, full or read-only.

    `what` names it in the log: one line when it has to wait, one when it is written. A try may have been written though
    its answer was lost, so `write` must be harmless when run again. After `for_seconds` the last failure is raised; any
    other failure is raised at once. `pause` seconds is the first wait, which grows.
    """
    began = time.monotonic()
    wait = FIRST_PAUSE_SECONDS if pause is None else pause
    has_waited = False
    while True:
        try:
            with engine.write_session() as session:
                result = write(session)
        except Exception as failure:
            if not availability.is_away(failure) or time.monotonic() - began + wait > for_seconds:
                raise
            if not has_waited:
                log.warning("%s cannot be written now (%s); it is kept and tried again", what, _cause(failure))
            has_waited = True
            engine.default().engine.dispose()  # the next try gets a fresh connection
            time.sleep(wait)
            wait = min(LONGEST_PAUSE_SECONDS, wait * 2)
        else:
            if has_waited:
                log.warning("%s is written, after %.0f s", what, time.monotonic() - began)
            return result


def _cause(failure: Exception) -> str:
    """The driver's own sentence, without the statement and its values."""
    driver = getattr(failure, "orig", None) or failure
    return " ".join(f"{type(driver).__name__}: {driver}".split())
