"""Writes down what a provider said when it was asked about a generation; one transaction for many of them."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from core import db, errors
from core.db import WriteSession, availability
from core.db.enums import Stage, Status
from core.db.tables import Flight, Generation
from core.generations import flights, lifecycle, reconciliation, spending, told
from core.insights import call_watch, circuit_breaker, model_stats
from core.messages import message
from core.providers import registry
from core.providers.contract import JobMatches, JobState, JobStatus
from core.retry import OnceAWhile
from core.worker import cadence, setbacks, traces, uncollected

log = logging.getLogger(__name__)

SLOW_POLL = timedelta(minutes=5)
PROGRESS_CAP = 0.95

Outcome = JobStatus | JobMatches | errors.ProviderError


@dataclass(frozen=True, slots=True)
class PollResult:
    """What was claimed and what its provider said: a status, what its own list shows, or an error."""

    row: Flight
    result: Outcome

    @property
    def outcome(self) -> str:
        """What came of it in a word."""
        match self.result:
            case JobStatus(state=state):
                return str(state)
            case errors.ProviderError(code=code):
                return code
        return "looked_for"


@dataclass(frozen=True, slots=True)
class Pace:
    """How often is looked: by the setting, and where providers were given an address to call, by whose calls come."""

    poll_seconds: float
    can_be_called: bool
    called_by: frozenset[str] = frozenset()

    def of(self, session: WriteSession, providers: set[str]) -> "Pace":
        """The same, knowing which of these providers call."""
        if not self.can_be_called:
            return self
        return replace(self, called_by=frozenset(name for name in providers if call_watch.come(session, name)))


def record(
    looks: Sequence[PollResult],
    *,
    poll_seconds: float,
    words_logged: set[tuple[str, str]],
    failures_logged: OnceAWhile | None = None,
    judged_at: datetime | None = None,
    can_be_called: bool = False,
) -> None:
    """All of them in one transaction; if one of them breaks it, each in its own, so that it spoils no other.

    `words_logged` are the provider's words that were logged as unknown before; those of these looks are added.
    `failures_logged` knows the rows of which the log has a failed look; `judged_at` is the time to judge deadlines by.
    `can_be_called` is whether providers were given an address to call. They are written in one order, so that two
    dispatchers cannot deadlock. What `availability.is_away` knows is raised when the database cannot be used now; a row
    that cannot be written is tried a few times and then put aside.
    """
    failures_logged = failures_logged or OnceAWhile()
    for look in looks:
        if isinstance(look.result, errors.ProviderError) and failures_logged.is_news(look.row.id):
            with told.about_id(look.row.id):
                log.info("look at %s failed: %s (%s)", look.row.id, look.result, look.result.detail)
    for look in looks:
        if isinstance(look.result, JobStatus):
            _log_unknown_word(look.row.provider, look.result.unknown_word, words_logged)
    ordered = sorted(looks, key=lambda look: (look.row.workspace_id, look.row.id))
    pace = Pace(poll_seconds, can_be_called)
    try:
        _write_all(ordered, pace, judged_at)
    except Exception as failure:
        if availability.is_away(failure):
            raise
        for look in ordered:
            with told.about_id(look.row.id):
                _write_alone(look, pace, judged_at, failures_logged)
    for look in ordered:
        _tell(look)


def _tell(look: PollResult) -> None:
    """A line of what ended the wait, and the spans of what gives no clip."""
    if isinstance(look.result, JobStatus) and look.result.state not in (JobState.QUEUED, JobState.RUNNING):
        with told.about_id(look.row.id):
            log.info("%s is at an end there: %s", look.row.id, look.outcome)
        if look.result.state is not JobState.SUCCEEDED:
            traces.ended(look.row.id)


def _write_alone(look: PollResult, pace: Pace, judged_at: datetime | None, failures_logged: OnceAWhile) -> None:
    try:
        _write_all([look], pace, judged_at)
    except Exception as failure:
        if availability.is_away(failure):
            raise
        if failures_logged.is_news((look.row.id, "written")):
            log.exception("the look at %s could not be written", look.row.id)
        setbacks.record(look.row, failure)


def _write_all(looks: Sequence[PollResult], pace: Pace, judged_at: datetime | None) -> None:
    with db.write_session() as session:
        reconciliation.lock_providers(
            session, {look.row.provider for look in looks if look.row.stage is Stage.SUBMITTING}
        )
        typical = model_stats.RenderTimeEstimator(session)
        pace = pace.of(session, {look.row.provider for look in looks})
        answered, progress = set[str](), list[Mapping[str, Any]]()
        for look in looks:
            _note_health(session, look, answered)
            if not _write_move(session, look, judged_at or db.now(session)):
                progress.append(_progress(session, look.row, look.result, typical, pace))
        if progress:  # most of them, so all in one statement
            flights.write_looks(session, progress)


def _note_health(session: WriteSession, look: PollResult, answered: set[str]) -> None:
    """Whether the provider works; `answered` are those that did, since their last failure among these looks."""
    row, result = look.row, look.result
    if row.stage is Stage.SUBMITTING:
        return
    if isinstance(result, JobStatus) and row.provider not in answered:
        answered.add(row.provider)
        circuit_breaker.record_answer(session, row.provider)
    elif isinstance(result, errors.ProviderError):
        answered.discard(row.provider)
        circuit_breaker.record_failure(session, row.provider, result)


def _write_move(session: WriteSession, look: PollResult, judged_at: datetime) -> bool:
    """Carry out what moves it, or ends its wait, where it still stands as it was claimed; False if it only goes on."""
    if _goes_on(look, judged_at):
        return False
    row, result = flights.still(session, look.row), look.result
    if row is None:
        return True
    if row.stage is Stage.SUBMITTING:
        if isinstance(result, JobMatches):
            reconciliation.reconcile(session, row, result)
        else:
            reconciliation.reschedule(session, row)
        return True
    if isinstance(result, JobStatus) and _write_end(session, row, result):
        if look.row.expedited_at is None and row.cancel_requested_at is None:
            call_watch.note_end_without_call(session, row.provider)
        return True
    if row.status is Status.PROCESSING and isinstance(result, errors.ProviderRemoved):
        lifecycle.mark_uncertain(session, row, result, next_at=db.now(session) + SLOW_POLL)
        return True
    if row.status is Status.PROCESSING and row.deadline_at is not None and judged_at > row.deadline_at:
        late = errors.SubmitUncertain(message("overdue"))
        lifecycle.mark_uncertain(session, row, late, next_at=db.now(session) + SLOW_POLL)
        return True
    return False


def _goes_on(look: PollResult, judged_at: datetime) -> bool:
    """Whether it surely does, as most do, so that nothing but its flight need be read."""
    flight, result = look.row, look.result
    if flight.stage is Stage.SUBMITTING or isinstance(result, errors.ProviderRemoved):
        return False
    is_late = flight.status is Status.PROCESSING and flight.deadline_at is not None and judged_at > flight.deadline_at
    is_open = not isinstance(result, JobStatus) or result.state in (JobState.QUEUED, JobState.RUNNING)
    return is_open and not is_late


def _log_unknown_word(provider: str, word: str | None, words_logged: set[tuple[str, str]]) -> None:
    """Once a word: it may come with every look."""
    if word is not None and (provider, word) not in words_logged:
        words_logged.add((provider, word))
        log.warning("%s says '%s', which we do not know; waiting on", provider, word)


def _write_end(session: WriteSession, row: Generation, status: JobStatus) -> bool:
    """Carry out what ends the wait; False when the job goes on."""
    now = db.now(session)
    kept: dict[str, Any] = {"provider_response": dict(status.response)} if status.response else {}
    kept |= spending.at_end(row, status, now=now)
    link = status.video_url if status.state is JobState.SUCCEEDED else _link_told(row, status)
    if link:
        lifecycle.transition(
            session,
            row,
            Status.PROCESSING,
            Stage.READY_TO_DOWNLOAD,
            what=message("provider_finished"),
            next_at=now,
            deadline_at=now + uncollected.COLLECT_DEADLINE,
            setbacks=0,
            provider_video_url=link,
            **kept,
        )
        return True
    if status.state is JobState.SUCCEEDED and status.error and row.status is Status.PROCESSING:
        # It has made the clip and gives no address for it; a later look may have one.
        lifecycle.mark_uncertain(session, row, status.error, next_at=now + SLOW_POLL, setbacks=0)
        return True
    if status.state is JobState.FAILED:
        lifecycle.fail(session, row, status.error or errors.GenerationFailed(), **kept)
        return True
    if status.state is JobState.CANCELLED:
        lifecycle.cancel(session, row, actor=lifecycle.SYSTEM, **kept)
        return True
    return False


def _link_told(row: Generation, status: JobStatus) -> str | None:
    """The link that the provider told in its own call, where it has forgotten the job since; else None."""
    is_forgotten = isinstance(status.error, errors.JobLost | errors.ExpiredAtProvider)
    return row.provider_video_url if is_forgotten else None


def _progress(
    session: WriteSession, row: Flight, result: Outcome, typical: Callable[[Flight], float], pace: Pace
) -> Mapping[str, Any]:
    """How far it is and when to look again, for `write_looks`; never backwards, never at the end before it is."""
    now = db.now(session)
    reported = result.progress if isinstance(result, JobStatus) else None
    is_in_line = isinstance(result, JobStatus) and result.state is JobState.QUEUED
    if is_in_line:  # time that passes there is no progress, and a figure neither
        reported_or_estimate = row.progress
    elif reported is None:
        waited_seconds = (now - (row.submitted_at or now)).total_seconds()
        reported_or_estimate = waited_seconds / typical(row)
    else:
        reported_or_estimate = reported
    pause = timedelta(seconds=max(pace.poll_seconds, registry.provider_class(row.provider).min_poll_seconds))
    if row.status is Status.UNCERTAIN:
        pause = SLOW_POLL
    elif isinstance(result, errors.ProviderRateLimited):
        pause = max(pause, timedelta(seconds=min(result.retry_after_seconds, 600)))
    elif isinstance(result, errors.UnreadableReply):  # dear to read, and hardly ever better at once
        pause = max(pause, min(SLOW_POLL, (now - (row.submitted_at or now)) / 10))
    elif isinstance(result, JobStatus) and row.provider in pace.called_by:
        usual = timedelta(seconds=typical(row))
        pause = cadence.pause_where_calls_come(row, result.state, pace=pause, usual=usual, now=now)
    return {
        "id": row.id,
        "version": row.version,
        "progress": max(row.progress, min(PROGRESS_CAP, reported_or_estimate)),
        "progress_is_estimate": row.progress_is_estimate if is_in_line else reported is None,
        "next_at": now + pause,
    }
