"""Whether the store of files takes what this machine signs by its clock; who fetches clips asks before it takes one.

A bucket refuses requests whose time is a quarter of an hour off. The store is asked only where something says that it
may refuse them: at the start, after a failure, and while this clock is far from the database's.
"""

import logging
import threading
import time
from collections.abc import Callable
from datetime import timedelta

from core.files.storage import Storage

log = logging.getLogger(__name__)

SUSPICIOUS = timedelta(minutes=5)
"""With so much between this clock and the database's the store is asked; less than the 15 minutes that S3 allows."""
REFUSED_SECONDS, SUSPICIOUS_SECONDS = 5.0, 60.0
"""How long an answer is taken, while the store refuses this clock and while it could."""


class StoreClock:
    """Of one process; `ahead` says how far this machine's clock is ahead of the database's."""

    def __init__(
        self, storage: Storage, ahead: Callable[[], timedelta], *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._storage, self._ahead, self._monotonic = storage, ahead, monotonic
        self._lock = threading.Lock()
        self._look_at = float("-inf")
        self._is_suspected, self._was_far = True, False
        self.refusal = ""
        """Why the store refuses us, in a sentence; empty while it does not."""

    def suspect(self) -> None:
        """The store has refused something, or was away: it is asked before anything else is taken."""
        self._is_suspected = True

    def takes_ours(self) -> bool:
        """Whether it does not refuse this clock; one thread asks, the others take what was known."""
        if self._is_to_be_asked() and self._lock.acquire(blocking=False):
            try:
                self._ask()
            finally:
                self._lock.release()
        return not self.refusal

    def _is_to_be_asked(self) -> bool:
        is_far = abs(self._ahead()) > SUSPICIOUS
        was_set, self._was_far = is_far and not self._was_far, is_far
        if self._is_suspected or was_set:
            self._is_suspected = True
            return True
        return self._monotonic() >= self._look_at and (is_far or bool(self.refusal))

    def _ask(self) -> None:
        self._is_suspected = False
        is_refused = self._storage.refuses_clock()
        if is_refused and not self.refusal:
            self.refusal = f"the store of files refuses what is signed by the clock of this machine{self._how_far()}"
            log.warning("%s; no clips are fetched here until it is right, others may", self.refusal)
        elif is_refused is False and self.refusal:
            self.refusal = ""
            log.warning("the store of files takes the clock of this machine again; clips are fetched here")
        self._look_at = self._monotonic() + (REFUSED_SECONDS if self.refusal else SUSPICIOUS_SECONDS)

    def _how_far(self) -> str:
        seconds = round(self._ahead().total_seconds())
        if abs(seconds) <= SUSPICIOUS.total_seconds():
            return ", which the database's agrees with"
        return f", which is {timedelta(seconds=abs(seconds))} {'ahead of' if seconds > 0 else 'behind'} the database's"
