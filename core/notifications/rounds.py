"""The loop of a sender: looks for what is due, and makes attempts in threads of its own; what it sends it is told.

What it remembers is only what is under way. Any number may run, since what is due is claimed.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeVar

from core import retry
from core.db import availability

log = logging.getLogger(__name__)

TICK_SECONDS = 0.5

Claimed = TypeVar("Claimed")


@dataclass(frozen=True, slots=True)
class Work(Generic[Claimed]):
    """What a sender does: `claim(room, busy)` takes due work, `deliver` makes one attempt and writes down its outcome.

    `owner` names whose attempt it is; those of `busy` owners are left for a later round. `patience_seconds` is how long
    attempts under way are waited for at the end.
    """

    name: str
    claim: Callable[[int, Collection[str]], Sequence[Claimed]]
    deliver: Callable[[Claimed], None]
    owner: Callable[[Claimed], str]
    most: int
    patience_seconds: float


class Rounds(Generic[Claimed]):
    """One sender at work."""

    def __init__(self, work: Work[Claimed]) -> None:
        self._work = work
        self._threads = ThreadPoolExecutor(work.most + 1, thread_name_prefix=work.name)
        self._sending: dict[asyncio.Future[None], str] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Send until told to stop, then let the attempts under way come to their end."""
        trouble = retry.RepeatedFailure(log, f"looking for {self._work.name}s to send")
        while not stop.is_set():
            pause_seconds = TICK_SECONDS
            try:
                await self._round()
            except Exception as failure:
                pause_seconds = trouble.met(failure, is_told=availability.is_away(failure))
            else:
                trouble.over()
            try:
                await asyncio.wait_for(stop.wait(), pause_seconds)
            except TimeoutError:
                continue
        if self._sending:
            await asyncio.wait(self._sending, timeout=self._work.patience_seconds)
        self._threads.shutdown(wait=False)

    async def _round(self) -> None:
        room = self._work.most - len(self._sending)
        if room <= 0:
            return
        loop = asyncio.get_running_loop()
        busy = frozenset(self._sending.values())
        for claimed in await loop.run_in_executor(self._threads, self._work.claim, room, busy):
            attempt = loop.run_in_executor(self._threads, self._work.deliver, claimed)
            self._sending[attempt] = self._work.owner(claimed)
            attempt.add_done_callback(self._done)

    def _done(self, attempt: "asyncio.Future[None]") -> None:
        del self._sending[attempt]
        broken = attempt.exception()
        if broken is not None and not availability.is_away(broken):
            log.error("an attempt to send a %s broke; it is made again", self._work.name, exc_info=broken)
