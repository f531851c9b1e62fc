"""Looks at providers: who is asked about which generation, how many at once, and what they said until it is written.

A provider that hangs uses up its own room and nobody else's; all of it may be lost at any time, since rows come due
again.
"""

import asyncio
import logging
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from itertools import chain

import httpx

from core import db, errors, logs, metrics
from core.db import availability
from core.db.enums import Stage
from core.db.tables import Generation
from core.generations import reconciliation, told
from core.installation import Installation
from core.providers import connection, registry
from core.providers.contract import Provider, VideoRequest
from core.redis import connection as redis_connection
from core.redis import rate_limits
from core.retry import OnceAWhile
from core.worker import claims, poll_results, provider_request

log = logging.getLogger(__name__)

MAX_CONCURRENT_POLLS = 100
"""The bound for each provider: one that hangs uses up its own and nobody else's."""
REFILL_AT_POLLS = MAX_CONCURRENT_POLLS * 2 // 3
"""With so many left under way, a provider of which more is due is asked on, without waiting for the next round."""
MAX_WAIT_SECONDS = 5.0


def call_wait_seconds(installation: Installation, provider: type[Provider]) -> float:
    """Book a call; seconds until its moment. Without Redis nobody counts, and the provider's own 429 must do."""
    if provider.max_requests_per_second is None:
        return 0.0
    try:
        return rate_limits.reserve_call(installation.redis, provider.name, provider.max_requests_per_second)
    except redis_connection.Unreachable:
        return 0.0


class Looks:
    """Those of one process; `client` is set before the first one."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._settings = installation.settings
        self.client: httpx.AsyncClient | None = None
        self._under_way: defaultdict[str, set[asyncio.Task[None]]] = defaultdict(set)
        self._learned: list[poll_results.PollResult] = []
        self._has_more: set[str] = set()
        self._has_room = asyncio.Event()
        self._judged_at: datetime | None = None
        self._words_logged: set[tuple[str, str]] = set()
        self._logged = OnceAWhile()

    @property
    def under_way(self) -> Iterator[asyncio.Task[None]]:
        """Looks that have no answer yet."""
        return chain(*self._under_way.values())

    async def begin(self, now: datetime | None) -> None:
        """Write what was learned and ask about what is due, as far as each provider has room.

        `now` is the time to judge deadlines by, the database's unless it is told.
        """
        await asyncio.to_thread(self._write, now)
        rooms = defaultdict[str, int](int)

        def room(name: str) -> int:
            rooms[name] = MAX_CONCURRENT_POLLS - len(self._under_way[name])
            return rooms[name]

        claimed = await asyncio.to_thread(claims.claim_polls, room)
        counts = Counter(row.provider for row in claimed)
        self._has_more = {name for name, free in rooms.items() if counts[name] >= free and _has_no_rate(name)}
        for row in claimed:
            task = asyncio.create_task(self._poll(row))
            self._under_way[row.provider].add(task)
            task.add_done_callback(partial(self._answered, row.provider))
        self._judged_at = now

    def _answered(self, provider: str, task: asyncio.Task[None]) -> None:
        self._under_way[provider].discard(task)
        if provider in self._has_more and len(self._under_way[provider]) <= REFILL_AT_POLLS:
            self._has_room.set()

    async def go_on(self, stop: asyncio.Event, seconds: float) -> None:
        """Until the next round, look at more of a provider as soon as it has answered enough of what it was asked.

        Not of one that did not answer, so that its failures come no faster than rounds do.
        """
        ends_at = time.monotonic() + seconds
        stopped = asyncio.create_task(stop.wait())
        try:
            while not stopped.done() and (left_seconds := ends_at - time.monotonic()) > 0:
                has_room = asyncio.create_task(self._has_room.wait())
                await asyncio.wait({stopped, has_room}, timeout=left_seconds, return_when=asyncio.FIRST_COMPLETED)
                has_room.cancel()
                if self._has_room.is_set() and not stopped.done():
                    self._has_room.clear()
                    await self.begin(self._judged_at)
        finally:
            stopped.cancel()

    def _write(self, judged_at: datetime | None = None) -> None:
        learned, self._learned = self._learned, []
        if not learned:
            return
        try:
            poll_results.record(
                learned,
                poll_seconds=self._settings.poll_seconds,
                words_logged=self._words_logged,
                failures_logged=self._logged,
                judged_at=judged_at,
            )
        except Exception as failure:
            if availability.is_away(failure):  # kept until it can be written; a row claimed anew meanwhile ignores it
                self._learned = learned + self._learned
            raise

    def write_last(self) -> None:
        """What cannot be written before the process ends is asked again by the next one."""
        try:
            self._write()
        except Exception as failure:
            if not availability.is_away(failure):
                raise

    async def _poll(self, row: Generation) -> None:
        """Ask a provider about one row; whatever comes of it is written in the next tick."""
        assert self.client is not None  # noqa: S101 -- set before the first tick
        logs.bind(generation_id=row.id, provider=row.provider)
        try:
            provider = connection.connect(self._settings, row.provider, self.client, base_url=row.provider_base_url)
            wait_seconds = await asyncio.to_thread(call_wait_seconds, self._installation, type(provider))
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
        if isinstance(result, errors.ProviderError):
            self._has_more.discard(row.provider)
        look = poll_results.PollResult(row, result)
        metrics.LOOKS.labels(row.provider, look.outcome).inc()
        self._learned.append(look)

    async def _look_where_it_moved(self, row: Generation, moved: errors.ProviderMoved) -> poll_results.Outcome:
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

    async def _find(self, provider: Provider, row: Generation) -> poll_results.Outcome:
        """Look for the job of a lost submit; the request is made up anew, as it was sent."""
        if not provider.supports_lookup:
            return errors.SubmitUncertain()
        request, sent_at = await asyncio.to_thread(self._lost_request, row)
        return await provider.find_submitted_job(request, since=sent_at, until=row.updated_at)

    def _lost_request(self, row: Generation) -> tuple[VideoRequest, datetime]:
        with db.read_session() as session:
            sent_at = reconciliation.sent_at(session, row)
        return provider_request.from_row(row, self._settings, self._installation.storage), sent_at


def _tell_of_bug(generation_id: str, bug: Exception) -> None:
    with told.about_id(generation_id):
        log.error("looking at %s broke", generation_id, exc_info=bug)


def _has_no_rate(provider: str) -> bool:
    """Whether a provider may be asked as often as it answers."""
    return registry.provider_class(provider).max_requests_per_second is None
