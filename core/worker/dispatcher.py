"""One asyncio process that moves generations on: asks providers, feeds the queue, sweeps what died.

Any number may run: a row is claimed by moving its `next_at`, and every write is guarded. It needs SQL always
and Redis only to hand work over; while Redis is away, waiting goes on and the hand-over is made up for later.
"""

import asyncio
import logging
import signal
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from itertools import chain

import httpx

from core import db, errors
from core.clock import is_within
from core.db import availability
from core.db.enums import Stage
from core.db.tables import Generation
from core.generations import reconciliation
from core.insights import circuit_breaker
from core.installation import Installation
from core.messages import Writer
from core.notifications import notice_sender, webhook_sender
from core.providers import connection, registry
from core.providers.contract import Provider, VideoRequest
from core.redis import connection as redis_connection
from core.redis import job_queue, rate_limits
from core.retry import OnceAWhile, RepeatedFailure
from core.worker import (
    bulk_archives,
    bulk_changes,
    claims,
    clock_watch,
    maintenance,
    model_lists,
    poll_results,
    previews,
    provider_request,
    recovery,
)
from core.worker.clock_watch import ClockStep, ClockWatch
from core.worker.lease_watch import LEASE, LeaseWatch

log = logging.getLogger(__name__)

TICK_SECONDS = 0.5
SWEEP_SECONDS = 5.0
"""After a tick that broke, nobody is taken for dead for so long: what broke it kept the living from saying so."""
MAINTENANCE_SECONDS = 60.0
BULK_SECONDS = 1.0
"""How often it is looked whether something is to be done to many clips at once."""
MAX_CONCURRENT_POLLS = 100
"""The bound for each provider: one that hangs uses up its own and nobody else's."""
MAX_HANDED_DOWNLOADS = 16
"""Of each provider in one tick."""
MAX_UNTAKEN_DOWNLOADS = 64
"""With as many in the queue no worker takes any, so that more are not put there."""
KEY_CHECK_INTERVAL = timedelta(minutes=10)
MAX_WAIT_SECONDS = 5.0
OVERDUE_AFTER_START_SECONDS = 600.0
"""How long everything under way has had the chance to be looked at, before silence about it counts."""


class Dispatcher:
    """The loop and what it remembers between ticks; all of it may be lost at any time."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._settings = installation.settings
        self._may_be_behind = False
        self._journal = recovery.open_journal(installation.settings)
        self._words_logged: set[tuple[str, str]] = set()
        self._client: httpx.AsyncClient | None = None
        self._polling: defaultdict[str, set[asyncio.Task[None]]] = defaultdict(set)
        self._learned: list[poll_results.PollResult] = []
        self._redis_was_away = False
        self._clock = ClockWatch()
        self._steps: list[ClockStep] = []
        self._leases = LeaseWatch(LEASE.total_seconds())
        self._looks_logged = OnceAWhile()
        self._ticking = RepeatedFailure(log, "a round of the dispatcher")
        self._housekeeping = RepeatedFailure(log, "housekeeping")
        self._due: dict[str, float] = {"overdue": time.monotonic() + OVERDUE_AFTER_START_SECONDS}
        self._chores: asyncio.Task[None] | None = None
        self._bulk: dict[str, asyncio.Task[None]] = {}
        self._bulk_work = {name: RepeatedFailure(log, f"bulk {name}") for name in ("changes", "archives")}
        self._is_over: Callable[[], bool] = lambda: False

    async def run(self, stop: asyncio.Event) -> None:
        """Tick until told to stop, then finish the looks that are under way and write them."""
        async with connection.poll_client(self._settings) as client:
            self._client = client
            self._is_over = stop.is_set
            while not stop.is_set():
                pause_seconds = TICK_SECONDS
                try:
                    await self.tick()
                except Exception as failure:
                    self._may_be_behind = True
                    if is_away := availability.is_away(failure):
                        self._leases.start_anew()
                    pause_seconds = self._ticking.met(failure, is_told=is_away)
                else:
                    self._ticking.over()
                try:
                    await asyncio.wait_for(stop.wait(), pause_seconds)
                except TimeoutError:
                    continue
            if under_way := [
                *chain(*self._polling.values()),
                *self._bulk.values(),
                *([self._chores] if self._chores else []),
            ]:
                await asyncio.wait(under_way, timeout=30)
            await asyncio.to_thread(self._record_last_polls)

    async def tick(self) -> None:
        """One round: look at the clock, write what was learned, look at what is due, hand over, sweep."""
        now = await asyncio.to_thread(self._follow_clock)
        await asyncio.to_thread(self._record_polls, now)
        for row in await asyncio.to_thread(
            claims.claim_polls, lambda name: MAX_CONCURRENT_POLLS - len(self._polling[name])
        ):
            task = asyncio.create_task(self._poll(row))
            self._polling[row.provider].add(task)
            task.add_done_callback(self._polling[row.provider].discard)
        await asyncio.to_thread(self._hand_over)
        if self._is_time("sweep", SWEEP_SECONDS):
            if self._may_be_behind:  # the database that is back may be another one, or an older state of it
                await asyncio.to_thread(recovery.at_start, self._installation)
                self._may_be_behind = False
            await asyncio.to_thread(recovery.take_up, self._installation, self._journal)
            await asyncio.to_thread(clock_watch.recall, now)
            await asyncio.to_thread(claims.sweep, self._leases, now=now)
        if self._is_time("overdue", MAINTENANCE_SECONDS):
            await asyncio.to_thread(claims.end_overdue, now)
        if self._is_time("bulk", BULK_SECONDS):
            self._begin_bulk()
        if self._is_time("chores", MAINTENANCE_SECONDS) and (self._chores is None or self._chores.done()):
            self._chores = asyncio.create_task(self._do_chores())

    def _begin_bulk(self) -> None:
        """Changes and archives of many clips, each in a thread beside the ticks: neither waits for the other."""
        works: Mapping[str, Callable[[], None]] = {
            "changes": lambda: bulk_changes.work_down(self._is_over),
            "archives": lambda: bulk_archives.work_down(self._installation, self._is_over),
        }
        for name, work in works.items():
            if name not in self._bulk or self._bulk[name].done():
                self._bulk[name] = asyncio.create_task(self._do_bulk(name, work))

    async def _do_bulk(self, name: str, work: Callable[[], None]) -> None:
        try:
            await asyncio.to_thread(work)
        except Exception as failure:
            self._bulk_work[name].met(failure, is_told=availability.is_away(failure))
        else:
            self._bulk_work[name].over()

    async def _do_chores(self) -> None:
        """Housekeeping beside the ticks, which must not wait for it."""
        try:
            await asyncio.to_thread(maintenance.run, self._installation)
            await self._check_keys()
            await self._read_model_lists()
        except Exception as failure:
            self._housekeeping.met(failure, is_told=availability.is_away(failure))
        else:
            self._housekeeping.over()

    async def _check_keys(self) -> None:
        """Try each configured key now and then with a call that costs nothing, so that people see that it works."""
        assert self._client is not None  # noqa: S101 -- set before the first tick
        for provider in registry.providers():
            if (
                provider.can_check_key
                and provider.name in self._installation.configured
                and await asyncio.to_thread(_key_is_due, provider)
            ):
                try:
                    await connection.connect(self._settings, provider.name, self._client).check_key()
                except errors.BadKey:
                    works = False
                except errors.ProviderError as error:
                    if self._looks_logged.is_news(("key", provider.name)):
                        log.info("the key of %s could not be tried: %s", provider.name, error.detail)
                    continue
                else:
                    works = True
                await asyncio.to_thread(_note_key, provider, works)

    async def _read_model_lists(self) -> None:
        assert self._client is not None  # noqa: S101 -- set before the first tick
        await model_lists.read_due(self._installation, self._client)

    def _is_time(self, what: str, every_seconds: float) -> bool:
        now = asyncio.get_running_loop().time()
        if now < self._due.get(what, 0.0):
            return False
        self._due[what] = now + every_seconds
        return True

    async def _poll(self, row: Generation) -> None:
        """Ask a provider about one row; whatever comes of it is written in the next tick."""
        assert self._client is not None  # noqa: S101 -- set before the first tick
        try:
            provider = connection.connect(self._settings, row.provider, self._client, base_url=row.provider_base_url)
            wait_seconds = await asyncio.to_thread(self._wait_seconds, type(provider))
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
            if self._looks_logged.is_news((row.id, "broke")):
                log.exception("looking at %s broke", row.id)
            result = errors.UnreadableReply(detail=repr(bug))
        self._learned.append(poll_results.PollResult(row, result))

    async def _look_where_it_moved(self, row: Generation, moved: errors.ProviderMoved) -> poll_results.Outcome:
        """A job is asked about where it was sent; when its vendor has left that place, at the address set since."""
        assert self._client is not None  # noqa: S101 -- set before the first tick
        today = connection.connect_where_it_moved(
            self._settings, row.provider, self._client, base_url=row.provider_base_url
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

    def _follow_clock(self) -> datetime:
        """The time by the database's clock. When that was set, what is under way follows before anything is judged."""
        now, step = self._clock.look(_database_time)
        if step is not None:
            self._steps.append(step)
        while self._steps:
            with db.write_session() as session:
                clock_watch.follow(session, self._steps[0])
            del self._steps[0]
        return now

    def _record_polls(self, judged_at: datetime | None = None) -> None:
        learned, self._learned = self._learned, []
        if not learned:
            return
        try:
            poll_results.record(
                learned,
                poll_seconds=self._settings.poll_seconds,
                words_logged=self._words_logged,
                failures_logged=self._looks_logged,
                judged_at=judged_at,
            )
        except Exception as failure:
            if availability.is_away(failure):  # kept until it can be written; a row claimed anew meanwhile ignores it
                self._learned = learned + self._learned
            raise

    def _record_last_polls(self) -> None:
        """What cannot be written before the process ends is asked again by the next one."""
        try:
            self._record_polls()
        except Exception as failure:
            if not availability.is_away(failure):
                raise

    def _may_call(self, provider: type[Provider]) -> bool:
        """Whether a call of this provider may go out about now, by the rate that all workers share."""
        return self._wait_seconds(provider) < TICK_SECONDS

    def _wait_seconds(self, provider: type[Provider]) -> float:
        """Book a call; seconds until its moment. Without Redis nobody counts, and the provider's own 429 must do."""
        if provider.max_requests_per_second is None:
            return 0.0
        try:
            return rate_limits.reserve_call(self._installation.redis, provider.name, provider.max_requests_per_second)
        except redis_connection.Unreachable:
            return 0.0

    def _hand_over(self) -> None:
        """Give due work to the queues; what cannot be given now comes due again."""
        try:
            for row in claims.claim_submits(self._settings, self._may_call):
                job_queue.enqueue(self._installation.redis, job_queue.SUBMIT, row.id, row.version)
            waiting = job_queue.length(self._installation.redis, job_queue.DOWNLOAD)
            finished = claims.claim_downloads(MAX_HANDED_DOWNLOADS) if waiting < MAX_UNTAKEN_DOWNLOADS else ()
            for row in finished:
                job_queue.enqueue(self._installation.redis, job_queue.DOWNLOAD, row.id, row.version)
            if not waiting and not finished and previews.any_due():
                job_queue.enqueue_previews(self._installation.redis)
        except redis_connection.Unreachable as away:
            if not self._redis_was_away:
                log.warning("Redis is away (%s); work is handed over when it is back", away)
            self._redis_was_away = True
        else:
            if self._redis_was_away:
                log.warning("Redis is back")
            self._redis_was_away = False


def _database_time() -> datetime:
    with db.read_session() as session:
        return db.now(session)


def _key_is_due(provider: type[Provider]) -> bool:
    with db.read_session() as session:
        known = circuit_breaker.states(session).get(provider.name)
        return known is None or not is_within(KEY_CHECK_INTERVAL, known.key_checked_at, now=db.now(session))


def _note_key(provider: type[Provider], works: bool) -> None:
    with db.write_session() as session:
        circuit_breaker.record_key_check(session, provider.name, works=works)


def main(installation: Installation, writers: Mapping[str, Writer]) -> None:
    """Run one dispatcher, and beside it the senders, in this process until SIGTERM or SIGINT.

    `writers` put what people are told into words, by the tag of a language.
    """

    async def run() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, stop.set)
        settings = installation.settings
        await asyncio.gather(
            Dispatcher(installation).run(stop),
            webhook_sender.Sender(settings).run(stop),
            notice_sender.Sender(settings, writers).run(stop),
        )

    asyncio.run(run())
