"""Looks at providers: who is asked about which generation, how many at once, and what they said until it is written.

A provider that hangs uses up its own room and nobody else's; all of it may be lost at any time, since rows come due
again.
"""

import asyncio
import logging
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from functools import partial
from itertools import chain
from typing import TypeVar

import httpx

from core import db, errors, logs, metrics
from core.db import availability
from core.db.enums import Stage
from core.db.shares import ALL
from core.db.tables import Flight, Generation
from core.generations import reconciliation, told
from core.installation import Installation
from core.providers import connection, registry
from core.providers.contract import Provider, VideoRequest
from core.retry import OnceAWhile, RepeatedFailure
from core.worker import claims, poll_results, provider_request
from core.worker.call_rates import CallRates

log = logging.getLogger(__name__)
Found = TypeVar("Found")

MAX_CONCURRENT_POLLS = 300
"""The bound for each provider: one that hangs uses up its own and nobody else's."""
MAX_POLLS_IN_TROUBLE = 100
"""The same for one whose last look failed, and for one that names a rate."""
REFILL_SHARE = 1 / 3
"""With so much of its room free, a provider of which more is due is asked on, without waiting for the next round."""
WRITE_AT = 50
WRITE_SECONDS = 0.2
"""What was learned is written when there is so much of it, or the first of it is so old."""
ROUND_SECONDS = 0.5
"""How often it is looked whether anything is due at all."""
MAX_WAIT_SECONDS = 5.0
"""How long a look that was taken up waits for its moment, where the provider names a rate."""


class Looks:
    """Those of one process; `client` is set before the first one.

    `judged_at` is what deadlines are judged by: the database's time when it was last compared with a steady clock, None
    for now. `share` is what is looked at first.
    """

    def __init__(self, installation: Installation, *, round_seconds: float = ROUND_SECONDS) -> None:
        self._installation = installation
        self._settings = installation.settings
        self.client: httpx.AsyncClient | None = None
        self.judged_at: datetime | None = None
        self.share = ALL
        self._round_seconds = round_seconds
        self._round_at = float("-inf")
        self._rates = CallRates(installation)
        self._under_way: defaultdict[str, set[asyncio.Task[None]]] = defaultdict(set)
        self._learned: list[poll_results.PollResult] = []
        self._has_more: set[str] = set()
        self._in_trouble: set[str] = set()
        self._is_wanted = asyncio.Event()
        self._threads = ThreadPoolExecutor(1, "looks")  # so that no chore in the common ones holds them up
        self._words_logged: set[tuple[str, str]] = set()
        self._logged = OnceAWhile()
        self._turning = RepeatedFailure(log, "a turn of the looks")

    @property
    def under_way(self) -> Iterator[asyncio.Task[None]]:
        """Looks that have no answer yet."""
        return chain(*self._under_way.values())

    async def run(self, stop: asyncio.Event) -> None:
        """Ask about what is due and write what is learned until told to stop; what is under way then may end."""
        stopping = asyncio.create_task(stop.wait())
        stopping.add_done_callback(lambda _: self._is_wanted.set())
        while not stop.is_set():
            pause_seconds = 0.0
            try:
                await self._turn()
            except Exception as failure:
                pause_seconds = self._turning.met(failure, is_told=availability.is_away(failure))
            else:
                self._turning.over()
            await self._until_wanted(pause_seconds)
        stopping.cancel()
        if under_way := list(self.under_way):
            await asyncio.wait(under_way, timeout=30)
        await self._write_last()
        self._threads.shutdown(wait=False)

    async def _until_wanted(self, pause_seconds: float) -> None:
        """Until the next round, or until there is something to write or room to fill; after a failure, the pause."""
        if pause_seconds:
            await asyncio.sleep(pause_seconds)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._is_wanted.wait(), max(0.0, self._round_at - time.monotonic()))
        self._is_wanted.clear()

    async def _turn(self) -> None:
        """Write what was learned, and ask about what is due as far as there is room."""
        if is_round := time.monotonic() >= self._round_at:
            self._round_at = time.monotonic() + self._round_seconds
        await self._write()
        if not is_round and not any(map(self._can_refill, self._has_more)):
            return
        rooms: dict[str, int] = {}
        for row, wait_seconds in await self._in_thread(partial(self._claim, is_round, rooms)):
            task = asyncio.create_task(self._poll(row, wait_seconds))
            self._under_way[row.provider].add(task)
            task.add_done_callback(partial(self._answered, row.provider))

    def _claim(self, is_round: bool, rooms: dict[str, int]) -> list[tuple[Flight, float]]:
        """Rows to ask about, each with the seconds until its moment; `rooms` gets the room of those that were asked."""

        def room(name: str) -> int:
            free = self._free(name) if is_round or self._can_refill(name) else 0
            if free > 0 and (allowed := self._rates.room(registry.provider_class(name), MAX_WAIT_SECONDS)) is not None:
                free = min(free, allowed)
            rooms[name] = free
            return free

        claimed = claims.claim_polls(room, self.share)
        self._has_more &= rooms.keys()
        counts = Counter(row.provider for row in claimed)
        for name, free in rooms.items():
            if 0 < free <= counts[name]:
                self._has_more.add(name)
            elif free > 0:
                self._has_more.discard(name)
        return [(row, self._rates.book(registry.provider_class(row.provider))) for row in claimed]

    def _most(self, provider: str) -> int:
        """How many looks at a provider may be under way."""
        rate = registry.provider_class(provider).max_requests_per_second
        if rate is not None:
            return min(MAX_POLLS_IN_TROUBLE, max(1, int(rate * MAX_WAIT_SECONDS)))
        return MAX_POLLS_IN_TROUBLE if provider in self._in_trouble else MAX_CONCURRENT_POLLS

    def _free(self, provider: str) -> int:
        """How many more there may be."""
        return self._most(provider) - len(self._under_way.get(provider, ()))

    def _can_refill(self, provider: str) -> bool:
        """Whether more of a provider is due, of which enough was answered.

        Not of one that failed, so that its failures come no faster than rounds do.
        """
        if provider not in self._has_more or provider in self._in_trouble:
            return False
        return self._free(provider) >= self._most(provider) * REFILL_SHARE

    def _answered(self, provider: str, task: asyncio.Task[None]) -> None:
        self._under_way[provider].discard(task)
        if self._can_refill(provider):
            self._is_wanted.set()

    def _learn(self, look: poll_results.PollResult) -> None:
        """Keep what was said until it is written, soon."""
        self._learned.append(look)
        if isinstance(look.result, errors.ProviderError):
            self._in_trouble.add(look.row.provider)
        else:
            self._in_trouble.discard(look.row.provider)
        if len(self._learned) == 1:
            asyncio.get_running_loop().call_later(WRITE_SECONDS, self._is_wanted.set)
        elif len(self._learned) >= WRITE_AT:
            self._is_wanted.set()

    async def _in_thread(self, work: Callable[[], Found]) -> Found:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def _write(self) -> None:
        learned, self._learned = self._learned, []
        if not learned:
            return
        try:
            await self._in_thread(partial(self._record, learned))
        except Exception as failure:
            if availability.is_away(failure):  # kept until it can be written; a row claimed anew meanwhile ignores it
                self._learned = learned + self._learned
            raise

    def _record(self, learned: Sequence[poll_results.PollResult]) -> None:
        poll_results.record(
            learned,
            poll_seconds=self._settings.poll_seconds,
            words_logged=self._words_logged,
            failures_logged=self._logged,
            judged_at=self.judged_at,
            can_be_called=bool(self._settings.public_url),
        )

    async def _write_last(self) -> None:
        """What cannot be written before the process ends is asked again by the next one."""
        try:
            await self._write()
        except Exception as failure:
            if not availability.is_away(failure):
                raise

    async def _poll(self, row: Flight, wait_seconds: float) -> None:
        """Ask a provider about one row when its moment has come; whatever comes of it is written soon."""
        assert self.client is not None  # noqa: S101 -- set before the first tick
        logs.bind(generation_id=row.id, provider=row.provider)
        try:
            provider = connection.connect(self._settings, row.provider, self.client, base_url=row.provider_base_url)
            if wait_seconds > 0:
                await asyncio.sleep(min(wait_seconds, MAX_WAIT_SECONDS))
            result: poll_results.Outcome
            if wait_seconds > MAX_WAIT_SECONDS:
                result = errors.ProviderRateLimited(retry_after_seconds=wait_seconds)
            elif row.stage is Stage.SUBMITTING:
                result = await self._find(provider, row)
            elif row.cancel_requested_at is not None and provider.can_cancel and row.provider_job_id:
                result = await provider.cancel(row.provider_job_id)
            else:
                result = await provider.check_status(row.provider_job_id or "")
        except errors.ProviderMoved as moved:
            result = await self._look_where_it_moved(row, moved)
        except errors.ProviderError as error:
            result = error
        except errors.StorageUnavailable as away:  # no fault of the provider; the request cannot be made up now
            result = errors.ProviderRateLimited(retry_after_seconds=away.retry_after_seconds, detail=away.detail)
        except Exception as bug:
            if self._logged.is_news((row.id, "broke")):
                await asyncio.to_thread(_tell_of_bug, row.id, bug)
            result = errors.UnreadableReply(detail=repr(bug))
        look = poll_results.PollResult(row, result)
        metrics.LOOKS.labels(row.provider, look.outcome).inc()
        self._learn(look)

    async def _look_where_it_moved(self, row: Flight, moved: errors.ProviderMoved) -> poll_results.Outcome:
        """A job is asked about where it was sent; when its vendor has left that place, at the address set since."""
        assert self.client is not None  # noqa: S101 -- set before the first tick
        today = connection.connect_where_it_moved(
            self._settings, row.provider, self.client, base_url=row.provider_base_url
        )
        if today is None or row.provider_job_id is None:
            return moved
        try:
            return await today.check_status(row.provider_job_id)
        except errors.ProviderError as error:
            return error

    async def _find(self, provider: Provider, row: Flight) -> poll_results.Outcome:
        """Look for the job of a lost submit; the request is made up anew, as it was sent."""
        if not provider.supports_lookup:
            return errors.SubmitUncertain()
        request, sent_at, lost_at = await asyncio.to_thread(self._lost_request, row.id)
        return await provider.find_submitted_job(request, since=sent_at, until=lost_at)

    def _lost_request(self, generation_id: str) -> tuple[VideoRequest, datetime, datetime]:
        with db.read_session() as session:
            row = session.get_one(Generation, generation_id)
            sent_at = reconciliation.sent_at(session, row)
        request = provider_request.from_row(row, self._settings, self._installation.storage)
        return request, sent_at, row.updated_at


def _tell_of_bug(generation_id: str, bug: Exception) -> None:
    with told.about_id(generation_id):
        log.error("looking at %s broke", generation_id, exc_info=bug)
