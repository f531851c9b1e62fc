"""One asyncio process that moves generations on: asks providers, feeds the queue, sweeps what died.

Any number may run: a row is claimed by moving its `next_at`, and every write is guarded. It needs SQL always
and Redis only to hand work over; while Redis is away, waiting goes on and the hand-over is made up for later.
"""

import asyncio
import logging
import resource
import signal
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

import httpx

from core import db, errors
from core.clock import is_within
from core.db import availability
from core.db.tables import Flight
from core.insights import circuit_breaker, model_ends
from core.installation import Installation
from core.messages import Writer
from core.notifications import notice_sender, webhook_sender
from core.personal_data import steps
from core.providers import connection, registry
from core.providers.contract import Provider
from core.redis import connection as redis_connection
from core.redis import job_queue
from core.retry import OnceAWhile, RepeatedFailure
from core.worker import (
    analyst_packs,
    bulk_archives,
    bulk_changes,
    claims,
    clock_watch,
    filling_in,
    maintenance,
    model_lists,
    person_exports,
    previews,
    recovery,
)
from core.worker.call_rates import CallRates
from core.worker.clock_watch import ClockStep, ClockWatch
from core.worker.health import Pulse
from core.worker.lease_watch import LEASE, LeaseWatch
from core.worker.looks import Looks
from core.worker.share_watch import JOIN_SECONDS, ShareWatch

log = logging.getLogger(__name__)

TICK_SECONDS = 0.5
RUSH_SECONDS = 0.1
"""The pause after a round that has handed over many orders of a provider: they are sent faster than rounds come."""
SWEEP_SECONDS = 5.0
"""After a tick that broke, nobody is taken for dead for so long: what broke it kept the living from saying so."""
MAINTENANCE_SECONDS = 60.0
ENDINGS_SECONDS = 1800.0
"""How often it is looked whether somebody is to be told that a model ends."""
BULK_SECONDS = 1.0
"""How often it is looked whether something is to be done to many clips at once."""
MAX_HANDED_DOWNLOADS = 16
"""Of each provider in one tick."""
MAX_UNTAKEN_DOWNLOADS = 64
"""With as many in the queue no worker takes any, so that more are not put there."""
KEY_CHECK_INTERVAL = timedelta(minutes=10)
OPEN_FILES = 8192
"""Many systems allow a process 1024 unless it asks for more."""
OVERDUE_AFTER_START_SECONDS = 600.0
"""How long everything under way has had the chance to be looked at, before silence about it counts."""


_BULK = ("changes", "archives", "packs", "erasures", "exports", "filling in")


class Dispatcher:
    """The loop and what it remembers between ticks; all of it may be lost at any time."""

    def __init__(self, installation: Installation, pulse: Pulse | None = None) -> None:
        self._installation = installation
        self._pulse = pulse or Pulse()
        self._settings = installation.settings
        self._may_be_behind = False
        self._journal = recovery.open_journal(installation.settings)
        self._client: httpx.AsyncClient | None = None
        self._looks = Looks(installation)
        self._rates = CallRates(installation)
        self._shares = ShareWatch(installation)
        self._redis_was_away = False
        self._pause_seconds = TICK_SECONDS
        self._clock = ClockWatch()
        self._steps: list[ClockStep] = []
        self._leases = LeaseWatch(LEASE.total_seconds())
        self._keys_logged = OnceAWhile()
        self._ticking = RepeatedFailure(log, "a round of the dispatcher")
        self._housekeeping = RepeatedFailure(log, "housekeeping")
        self._due: dict[str, float] = {"overdue": time.monotonic() + OVERDUE_AFTER_START_SECONDS}
        self._chores: asyncio.Task[None] | None = None
        self._bulk: dict[str, asyncio.Task[None]] = {}
        self._bulk_work = {name: RepeatedFailure(log, f"bulk {name}") for name in _BULK}
        self._is_over: Callable[[], bool] = lambda: False

    async def run(self, stop: asyncio.Event) -> None:
        """Tick and look until told to stop; the looks that are under way then are finished and written."""
        async with connection.poll_client(self._settings) as client:
            self._client = self._looks.client = client
            self._is_over = stop.is_set
            looking = asyncio.create_task(self._looks.run(stop))
            while not stop.is_set():
                self._pause_seconds = pause_seconds = TICK_SECONDS
                try:
                    await self.tick()
                except Exception as failure:
                    self._may_be_behind = True
                    if is_away := availability.is_away(failure):
                        self._leases.start_anew()
                    pause_seconds += self._ticking.met(failure, is_told=is_away)
                    self._pulse.beat(is_well=False, pause_seconds=pause_seconds)
                else:
                    self._ticking.over()
                    pause_seconds = self._pause_seconds
                    self._pulse.beat(is_well=not self._redis_was_away)
                try:
                    await asyncio.wait_for(stop.wait(), pause_seconds)
                except TimeoutError:
                    continue
            self._pulse.end()
            if under_way := [*self._bulk.values(), *([self._chores] if self._chores else [])]:
                await asyncio.wait(under_way, timeout=30)
            await asyncio.gather(looking, asyncio.to_thread(self._shares.leave))

    async def tick(self) -> None:
        """One round: look at the clock, hand over, sweep."""
        now = self._looks.judged_at = await asyncio.to_thread(self._follow_clock)
        if self._is_time("share", JOIN_SECONDS):
            await asyncio.to_thread(self._shares.renew)
            self._looks.share = self._shares.share
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
        if self._is_time("filling in", MAINTENANCE_SECONDS):
            self._begin("filling in", lambda: filling_in.work_down(self._installation.database, self._is_over))
        if self._is_time("chores", MAINTENANCE_SECONDS) and (self._chores is None or self._chores.done()):
            self._chores = asyncio.create_task(self._do_chores())

    def _begin_bulk(self) -> None:
        """Changes and archives of many clips, packs, people who are erased: each in a thread beside the ticks."""
        works: Mapping[str, Callable[[], None]] = {
            "changes": lambda: bulk_changes.work_down(self._is_over),
            "archives": lambda: bulk_archives.work_down(self._installation, self._is_over),
            "packs": lambda: analyst_packs.work_down(self._installation, self._is_over),
            "erasures": lambda: steps.work_down(self._installation, self._is_over),
            "exports": lambda: person_exports.work_down(self._installation, self._is_over),
        }
        for name, work in works.items():
            self._begin(name, work)

    def _begin(self, name: str, work: Callable[[], object]) -> None:
        if name not in self._bulk or self._bulk[name].done():
            self._bulk[name] = asyncio.create_task(self._do_bulk(name, work))

    async def _do_bulk(self, name: str, work: Callable[[], object]) -> None:
        try:
            await asyncio.to_thread(work)
        except Exception as failure:
            self._bulk_work[name].met(failure, is_told=availability.is_away(failure))
        else:
            self._bulk_work[name].over()

    async def _do_chores(self) -> None:
        """Housekeeping beside the ticks, which must not wait for it."""
        try:
            await asyncio.to_thread(maintenance.run, self._installation, self._is_over)
            if self._is_time("endings", ENDINGS_SECONDS):
                await asyncio.to_thread(_tell_of_endings)
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
                    if self._keys_logged.is_news(("key", provider.name)):
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

    def _may_call(self, provider: type[Provider]) -> bool:
        """Whether a call of this provider may go out about now, by the rate that all workers share."""
        return self._rates.book(provider) < TICK_SECONDS

    def _hand_over(self) -> None:
        """Give due work to the queues; what cannot be given now comes due again."""
        try:
            handed = claims.claim_submits(self._settings, self._may_call)
            for row in handed:
                job_queue.enqueue(self._installation.redis, job_queue.SUBMIT, row.id, row.version)
            self._pause_seconds = pause_after(handed)
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


def pause_after(handed: Sequence[Flight]) -> float:
    """Seconds until the next round, after one that has handed over these orders.

    A provider is given `claims.MAX_OUTSTANDING_SUBMITS` at once at most: with a round each half second, sixteen a
    second however fast they are sent.
    """
    most = max(Counter(row.provider for row in handed).values(), default=0)
    return TICK_SECONDS if most < claims.MAX_OUTSTANDING_SUBMITS // 2 else RUSH_SECONDS


def _database_time() -> datetime:
    with db.read_session() as session:
        return db.now(session)


def _key_is_due(provider: type[Provider]) -> bool:
    with db.read_session() as session:
        known = circuit_breaker.states(session).get(provider.name)
        return known is None or not is_within(KEY_CHECK_INTERVAL, known.key_checked_at, now=db.now(session))


def _tell_of_endings() -> None:
    with db.read_session() as session:  # first, so that with nobody to tell no write lock is taken
        found = model_ends.to_tell(session, db.now(session))
    if found:
        with db.write_session() as session:
            model_ends.tell(session, found)


def _note_key(provider: type[Provider], works: bool) -> None:
    with db.write_session() as session:
        circuit_breaker.record_key_check(session, provider.name, works=works)


def _allow_open_files() -> None:
    """As many as a few vendors that hang hold connections; where the system allows fewer, those."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < most:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def main(installation: Installation, writers: Mapping[str, Writer], pulse: Pulse) -> None:
    """Run one dispatcher, and beside it the senders, in this process until SIGTERM or SIGINT.

    The rounds of the dispatcher are the pulse. `writers` put what people are told into words, by the tag of a language.
    """

    _allow_open_files()

    async def run() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, stop.set)
        settings = installation.settings
        await asyncio.gather(
            Dispatcher(installation, pulse).run(stop),
            webhook_sender.Sender(settings).run(stop),
            notice_sender.Sender(settings, writers).run(stop),
        )

    asyncio.run(run())
