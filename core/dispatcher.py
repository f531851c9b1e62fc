"""One asyncio process that moves generations on: asks providers, feeds the queue, sweeps what died.

Any number may run: a row is claimed by moving its `next_at`, and every write is guarded. It needs SQL always
and Redis only to hand work over; while Redis is away, waiting goes on and the hand-over is made up for later.
"""

import asyncio
import logging
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from core import access, db, errors, health, housekeeping, jobs, lifecycle, queue, usage
from core.config import Settings
from core.models import Generation, Stage, Status, is_live, utc_now
from core.providers import registry
from core.providers.base import Provider
from core.video import JobState, JobStatus, ProviderJob

log = logging.getLogger(__name__)

TICK_SECONDS = 0.5
SWEEP_SECONDS = 5.0
HOUSEKEEPING_SECONDS = 60.0
POLLS_AT_ONCE = 200
OUTSTANDING_SUBMITS = 8
OUTSTANDING_COLLECTS = 16
HAND_OVER_LEASE = timedelta(seconds=30)
POLL_LEASE = timedelta(seconds=60)
PENDING_LIMIT = timedelta(hours=24)
SLOW_LOOK = timedelta(minutes=5)
PROGRESS_CAP = 0.95
KEY_CHECK_EVERY = timedelta(minutes=10)
LONGEST_WAIT_SECONDS = 5.0

Looked = JobStatus | ProviderJob | errors.ProviderError | None


@dataclass(frozen=True, slots=True)
class Look:
    """A claimed row and what its provider said: a status, a job found by reference, an error, or nothing found."""

    row: Generation
    result: Looked


class Dispatcher:
    """The loop and what it remembers between ticks; all of it may be lost at any time."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._redis_url = settings.redis_url or ""
        self._client: httpx.AsyncClient | None = None
        self._looking: set[asyncio.Task[None]] = set()
        self._looks: list[Look] = []
        self._words_logged: set[tuple[str, str]] = set()
        self._redis_was_away = False
        self._due: dict[str, float] = {}
        self._chores: asyncio.Task[None] | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Tick until told to stop, then finish the looks that are under way and write them."""
        async with access.poll_client() as client:
            self._client = client
            while not stop.is_set():
                try:
                    await self.tick()
                except Exception:
                    log.exception("a tick broke; the next one starts anew")
                try:
                    await asyncio.wait_for(stop.wait(), TICK_SECONDS)
                except TimeoutError:
                    continue
            if under_way := [*self._looking, *([self._chores] if self._chores else [])]:
                await asyncio.wait(under_way, timeout=30)
            await asyncio.to_thread(self._write_looks)

    async def tick(self) -> None:
        """One round: write what was learned, look at what is due, hand over, sweep."""
        await asyncio.to_thread(self._write_looks)
        room = POLLS_AT_ONCE - len(self._looking)
        if room > 0:
            for row in await asyncio.to_thread(_claim_looks, room):
                task = asyncio.create_task(self._look(row))
                self._looking.add(task)
                task.add_done_callback(self._looking.discard)
        await asyncio.to_thread(self._hand_over)
        if self._is_time("sweep", SWEEP_SECONDS):
            await asyncio.to_thread(sweep)
        if self._is_time("chores", HOUSEKEEPING_SECONDS) and (self._chores is None or self._chores.done()):
            self._chores = asyncio.create_task(self._do_chores())

    async def _do_chores(self) -> None:
        """Housekeeping beside the ticks, which must not wait for it."""
        try:
            await asyncio.to_thread(housekeeping.run, self._settings)
            await self._check_keys()
        except Exception:
            log.exception("housekeeping broke; it is tried again in a minute")

    async def _check_keys(self) -> None:
        """Try each configured key now and then with a call that costs nothing, so that people see that it works."""
        assert self._client is not None  # noqa: S101 -- set before the first tick
        usable = access.configured(self._settings)
        for provider in registry.providers():
            if provider.can_check_key and provider.name in usable and await asyncio.to_thread(_key_is_due, provider):
                try:
                    await access.connect(self._settings, provider.name, self._client).check_key()
                except errors.BadKey:
                    works = False
                except errors.ProviderError as error:
                    log.info("the key of %s could not be tried: %s", provider.name, error.detail)
                    continue
                else:
                    works = True
                await asyncio.to_thread(_note_key, provider, works)

    def _is_time(self, what: str, every_seconds: float) -> bool:
        now = asyncio.get_running_loop().time()
        if now < self._due.get(what, 0.0):
            return False
        self._due[what] = now + every_seconds
        return True

    async def _look(self, row: Generation) -> None:
        """Ask a provider about one row; whatever comes of it is written in the next tick."""
        assert self._client is not None  # noqa: S101 -- set before the first tick
        try:
            provider = access.connect(self._settings, row.provider, self._client, base_url=row.provider_base_url)
            wait_seconds = await asyncio.to_thread(self._wait_seconds, type(provider))
            await asyncio.sleep(min(wait_seconds, LONGEST_WAIT_SECONDS))
            result: Looked
            if wait_seconds > LONGEST_WAIT_SECONDS:
                result = errors.ProviderRateLimited(retry_after_seconds=wait_seconds)
            elif row.stage is Stage.SUBMITTING:
                result = await provider.find(row.id) if provider.can_find else errors.SubmitUncertain()
            elif row.cancel_requested_at is not None and provider.can_cancel and row.provider_job_id:
                result = await provider.cancel(row.provider_job_id)
            else:
                result = await provider.check_status(row.provider_job_id or "")
        except errors.ProviderError as error:
            result = error
        except Exception as bug:
            log.exception("looking at %s broke", row.id)
            result = errors.UnreadableReply(detail=repr(bug))
        self._looks.append(Look(row, result))

    def _write_looks(self) -> None:
        """All that was learned since the last tick, in one transaction; in one order, so that two cannot deadlock."""
        looks, self._looks = self._looks, []
        if not looks:
            return
        looks.sort(key=lambda look: (look.row.user_id, look.row.id))
        try:
            with db.session() as session:
                typical = usage.TypicalSeconds(session)
                for look in looks:
                    self._write_look(session, look, typical)
        except Exception:
            log.exception("%s looks could not be written; their rows come due again", len(looks))

    def _write_look(self, session: Session, look: Look, typical: Callable[[Generation], float]) -> None:
        row, result = look.row, look.result
        if row.stage is Stage.SUBMITTING:
            _write_found(session, row, result)
            return
        now = utc_now()
        if isinstance(result, JobStatus):
            if result.unknown_word is not None and (row.provider, result.unknown_word) not in self._words_logged:
                self._words_logged.add((row.provider, result.unknown_word))
                log.warning("%s says '%s', which we do not know; waiting on", row.provider, result.unknown_word)
            health.note_success(session, row.provider)
            if _write_end(session, row, result):
                return
        elif isinstance(result, errors.ProviderError):
            health.note_failure(session, row.provider, result)
            log.info("look at %s failed: %s (%s)", row.id, result, result.detail)
        if row.status is Status.PROCESSING and row.deadline_at is not None and now > row.deadline_at:
            late = errors.SubmitUncertain(
                "The provider has had this for longer than it should take. We keep asking; the credits stay reserved.",
            )
            lifecycle.lose(session, row, late, next_at=now + SLOW_LOOK)
            return
        _write_progress(session, row, result, typical, self._settings.poll_seconds)

    def _may_call(self, provider: type[Provider]) -> bool:
        """Whether a call of this provider may go out about now, by the rate that all workers share."""
        return self._wait_seconds(provider) < TICK_SECONDS

    def _wait_seconds(self, provider: type[Provider]) -> float:
        """Book a call; seconds until its moment. Without Redis nobody counts, and the provider's own 429 must do."""
        if provider.max_requests_per_second is None:
            return 0.0
        try:
            return queue.reserve_call(self._redis_url, provider.name, provider.max_requests_per_second)
        except queue.Unreachable:
            return 0.0

    def _hand_over(self) -> None:
        """Give due work to the queues; what cannot be given now comes due again."""
        try:
            for row in _claim_submits(self._settings, self._may_call):
                queue.enqueue(self._redis_url, queue.SUBMIT, row.id, row.version)
            room = OUTSTANDING_COLLECTS - queue.length(self._redis_url, queue.COLLECT)
            if room > 0:
                for row in _claim_collects(room):
                    queue.enqueue(self._redis_url, queue.COLLECT, row.id, row.version)
        except queue.Unreachable as away:
            if not self._redis_was_away:
                log.warning("Redis is away (%s); work is handed over when it is back", away)
            self._redis_was_away = True
        else:
            if self._redis_was_away:
                log.warning("Redis is back")
            self._redis_was_away = False


def _key_is_due(provider: type[Provider]) -> bool:
    with db.session(read_only=True) as session:
        known = health.states(session).get(provider.name)
    return known is None or known.key_checked_at is None or known.key_checked_at < utc_now() - KEY_CHECK_EVERY


def _note_key(provider: type[Provider], works: bool) -> None:
    with db.session() as session:
        health.note_key(session, provider.name, works=works)


def _claim_looks(limit: int) -> Sequence[Generation]:
    """Rows whose provider is to be asked now: waiting ones, and uncertain ones at a slow pace."""
    with db.session(read_only=True) as session:
        if not _anything_due(session, (Stage.WAITING, Stage.SUBMITTING)):
            return []
    with db.session() as session:
        waiting = lifecycle.claim(session, Stage.WAITING, limit=limit, lease=POLL_LEASE)
        lost = lifecycle.claim(session, Stage.SUBMITTING, limit=limit, lease=POLL_LEASE, statuses=(Status.UNCERTAIN,))
    return [*waiting, *lost]


def _anything_due(session: Session, stages: Sequence[Stage]) -> bool:
    """A plain read first, so that an idle dispatcher takes no write lock."""
    due = select(Generation.id).where(is_live(), Generation.stage.in_(stages), Generation.next_at <= utc_now())
    return session.scalar(select(due.exists())) is True


def _claim_submits(settings: Settings, may_call: Callable[[type[Provider]], bool]) -> Sequence[Generation]:
    """Due pending rows, a few outstanding a provider, oldest first and in turn between people.

    What a limit or the breaker holds back stays due in the table and is looked at again in the next tick.
    """
    with db.session(read_only=True) as session:
        if not _anything_due(session, (Stage.QUEUED, Stage.HANDED)):
            return []
    handed: list[Generation] = []
    with db.session() as session:
        again = lifecycle.claim(session, Stage.HANDED, limit=OUTSTANDING_SUBMITS, lease=HAND_OVER_LEASE)
        handed += again
        for provider in registry.providers():
            limit = settings.provider_max_in_flight.get(provider.name) or provider.max_in_flight
            for row in _in_turn(session, provider.name, _room(session, provider.name, limit)):
                if not may_call(provider):
                    break
                what = f"Next in line at {provider.display_name}"
                next_at = utc_now() + HAND_OVER_LEASE
                if lifecycle.move(session, row, Status.PENDING, Stage.HANDED, what=what, next_at=next_at):
                    handed.append(row)
    return handed


def _room(session: Session, provider: str, max_in_flight: int | None) -> int:
    """How many more of a provider's rows may be handed over now.

    Counted in SQL, so that nothing is forgotten with Redis; two dispatchers count one after the other.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"hand over {provider}"))))
    of_provider = (is_live(), Generation.provider == provider)
    rows = session.execute(
        select(Generation.stage, func.count())
        .where(*of_provider, Generation.stage != Stage.QUEUED, Generation.status != Status.UNCERTAIN)
        .group_by(Generation.stage)
    )
    counts = {row[0]: row[1] for row in rows}
    outstanding = counts.get(Stage.HANDED, 0) + counts.get(Stage.SUBMITTING, 0)
    room = OUTSTANDING_SUBMITS - outstanding
    if room > 0 and (allowed := health.submits_allowed(session, provider)) is not None:
        room = min(room, allowed)
    if max_in_flight is not None:
        room = min(room, max_in_flight - outstanding - counts.get(Stage.WAITING, 0))
    return max(0, room)


def _in_turn(session: Session, provider: str, limit: int) -> Sequence[Generation]:
    """Due queued rows of a provider: each person's first before anybody's second, then by age."""
    if limit == 0:
        return []
    turn = func.row_number().over(partition_by=Generation.user_id, order_by=Generation.id).label("turn")
    due = (
        select(Generation.id, turn)
        .where(
            is_live(),
            Generation.stage == Stage.QUEUED,
            Generation.next_at <= utc_now(),
            Generation.provider == provider,
        )
        .subquery()
    )
    query = select(Generation).join(due, due.c.id == Generation.id).order_by(due.c.turn, due.c.id).limit(limit)
    return session.scalars(query.with_for_update(skip_locked=True, of=Generation)).all()


def _claim_collects(limit: int) -> Sequence[Generation]:
    with db.session(read_only=True) as session:
        if not _anything_due(session, (Stage.READY,)):
            return []
    with db.session() as session:
        return lifecycle.claim(session, Stage.READY, limit=limit, lease=HAND_OVER_LEASE * 2)


def _write_end(session: Session, row: Generation, status: JobStatus) -> bool:
    """Carry out what ends the wait; False when the job goes on."""
    kept: dict[str, Any] = {"provider_response": dict(status.response)} if status.response else {}
    if status.cost is not None:
        kept |= {
            "provider_cost": status.cost.amount,
            "provider_cost_currency": status.cost.currency,
            "provider_cost_is_estimate": False,
        }
    if status.state is JobState.SUCCEEDED and status.video_url:
        lifecycle.move(
            session,
            row,
            Status.PROCESSING,
            Stage.READY,
            what="The provider has finished",
            next_at=utc_now(),
            provider_video_url=status.video_url,
            **kept,
        )
        return True
    if status.state is JobState.FAILED:
        lifecycle.fail(session, row, status.error or errors.GenerationFailed())
        return True
    if status.state is JobState.CANCELLED:
        lifecycle.cancel(session, row, actor=lifecycle.SYSTEM)
        return True
    return False


def _write_progress(
    session: Session, row: Generation, result: Looked, typical: Callable[[Generation], float], poll_seconds: float
) -> None:
    """Note how far it is and when to look again; never backwards, never at the end before it is."""
    now = utc_now()
    reported = result.progress if isinstance(result, JobStatus) else None
    if reported is None:
        waited_seconds = (now - (row.submitted_at or now)).total_seconds()
        reported_or_estimate = waited_seconds / typical(row)
    else:
        reported_or_estimate = reported
    pause = timedelta(seconds=max(poll_seconds, registry.provider_class(row.provider).min_poll_seconds))
    if row.status is Status.UNCERTAIN:
        pause = SLOW_LOOK
    elif isinstance(result, errors.ProviderRateLimited):
        pause = max(pause, timedelta(seconds=min(result.retry_after_seconds, 600)))
    session.execute(
        update(Generation)
        .where(Generation.id == row.id, Generation.stage == row.stage, Generation.version == row.version)
        .values(
            progress=max(row.progress, min(PROGRESS_CAP, reported_or_estimate)),
            progress_is_estimate=reported is None,
            next_at=now + pause,
        )
        .execution_options(synchronize_session=False)
    )


def _write_found(session: Session, row: Generation, result: Looked) -> None:
    """Settle an uncertain submit by the provider's own list, where it has one; else leave it to a person."""
    now = utc_now()
    if isinstance(result, ProviderJob):
        lifecycle.move(
            session,
            row,
            Status.PROCESSING,
            Stage.WAITING,
            what="Found in the provider's own list",
            next_at=now,
            provider_job_id=result.id,
            submitted_at=now,
            deadline_at=now + registry.model(row.model_id).deadline,
            error_code=None,
            error_message=None,
            error_detail=None,
        )
    elif result is None:
        gone = errors.GenerationFailed("The provider never received this. Nothing was charged; try again.")
        lifecycle.fail(session, row, gone)
    else:
        session.execute(
            update(Generation)
            .where(Generation.id == row.id, Generation.version == row.version)
            .values(next_at=now + SLOW_LOOK)
            .execution_options(synchronize_session=False)
        )


def sweep() -> None:
    """Decide what became of rows whose worker died: a submit is uncertain, a download is done again."""
    with db.session(read_only=True) as session:
        if not _anything_due(session, (Stage.SUBMITTING, Stage.DOWNLOADING, Stage.QUEUED)):
            return
    now = utc_now()
    with db.session() as session:
        dead = lifecycle.claim(session, Stage.SUBMITTING, limit=100, lease=POLL_LEASE, statuses=(Status.PROCESSING,))
        for row in dead:
            lost = errors.SubmitUncertain(detail="the worker ended between sending and recording")
            lifecycle.lose(session, row, lost, next_at=now + jobs.FIND_AFTER)
        for row in lifecycle.claim(session, Stage.DOWNLOADING, limit=100, lease=POLL_LEASE):
            what = "The worker that fetched the clip ended; it is fetched again"
            lifecycle.move(session, row, Status.PROCESSING, Stage.READY, what=what, next_at=now)
        for row in _too_old(session):
            never = errors.ProviderUnavailable("The provider took no new jobs for a day. Nothing was charged.")
            lifecycle.fail(session, row, never)


def _too_old(session: Session) -> Sequence[Generation]:
    query = (
        select(Generation)
        .where(is_live(), Generation.stage == Stage.QUEUED, Generation.created_at < utc_now() - PENDING_LIMIT)
        .limit(100)
    )
    return session.scalars(query.with_for_update(skip_locked=True)).all()


def main(settings: Settings) -> None:
    """Run one dispatcher in this process until SIGTERM or SIGINT."""

    async def run() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, stop.set)
        await Dispatcher(settings).run(stop)

    Path(settings.data_dir).mkdir(parents=True, exist_ok=True)
    asyncio.run(run())
