"""Carries out what a provider answered to a submit, and keeps it until the database has taken it.

An answer is known in three places before it can be lost: in the process that got it, in the journal beside the
database, and at last in the row. It sends nothing.
"""

import logging
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from core import db, errors, installation
from core.db import WriteSession, availability, writing
from core.db.enums import Stage, Status
from core.db.tables import Generation
from core.generations import lifecycle, reconciliation
from core.insights import circuit_breaker
from core.messages import Message, message
from core.providers import registry
from core.providers.contract import ProviderJob, ReportedCost
from core.retry import delay
from core.worker.journal import Journal
from core.worker.sends import Send

log = logging.getLogger(__name__)

_UNFIT = (SQLAlchemyError, ValueError, OverflowError, LookupError, errors.AppError)
"""What a value raises that has no place in the database, or of which this release knows nothing."""

FIND_AFTER = timedelta(seconds=60)

Outcome = ProviderJob | errors.ProviderError
"""How a submit ended."""


def keep(journal: Journal, send: Send, outcome: Outcome) -> None:
    """Write it beside the database. On a full disk that fails, too; then this process remembers it alone."""
    try:
        journal.answered(send, to_json(outcome), taken=taken(outcome))
    except (OSError, TypeError, ValueError) as failure:  # also what is no JSON
        log.warning("the answer to %s cannot be kept beside the database: %s", send.generation_id, failure)


def record(journal: Journal, send: Send, outcome: Outcome, *, for_seconds: float = float("inf")) -> None:
    """Write into the row how a submit ended, however long the database is away; then the journal is told so.

    What the database will never take (a value that does not fit) leaves it uncertain, with all that is known. Raises
    the database's own error when it is still away after `for_seconds`.
    """
    what = f"the answer to {send.generation_id}"
    try:
        writing.until_written(lambda session: apply(session, send, outcome), what=what, for_seconds=for_seconds)
    except _UNFIT as broken:
        if availability.is_away(broken):
            raise
        log.exception("%s does not fit into the database", what)
        unfit = errors.SubmitUncertain(detail=_printable(f"{outcome!r}\n{broken!r}"))
        writing.until_written(lambda session: apply(session, send, unfit), what=what, for_seconds=for_seconds)
    try:
        journal.settled(send)
    except OSError as failure:
        log.warning("the journal was not told that %s is written: %s", what, failure)


def apply(session: WriteSession, send: Send, outcome: Outcome) -> bool:
    """Carry out an outcome, also of an order that was called uncertain meanwhile; False if it was settled otherwise."""
    reconciliation.lock_providers(session, [send.provider])
    row = lifecycle.locked(session, send.generation_id)
    if row is None or row.stage is not Stage.SUBMITTING or row.attempt != send.attempt:
        if row is None or not (isinstance(outcome, ProviderJob) and row.provider_job_id == outcome.id):
            log.warning("submit of %s ended after somebody else had settled it: %s", send.generation_id, outcome)
        return False
    error: errors.ProviderError | None
    if isinstance(outcome, ProviderJob):
        circuit_breaker.record_order(session, row.provider)
        error = _accepted(session, row, outcome)
    else:
        circuit_breaker.record_failure(session, row.provider, outcome)
        error = outcome
    if error is not None:
        _record_refusal(session, row, error)
    return True


def _record_refusal(session: WriteSession, row: Generation, error: errors.ProviderError) -> None:
    """Carry out what an error means for the generation and its hold."""
    match error.submit_verdict:
        case errors.SubmitVerdict.LATER:
            _retry_later(session, row, error)
        case errors.SubmitVerdict.UNKNOWN:
            if row.status is Status.PROCESSING:
                uncertain = errors.SubmitUncertain(detail=error.detail)
                lifecycle.mark_uncertain(session, row, uncertain, next_at=db.now(session) + FIND_AFTER)
        case errors.SubmitVerdict.REFUSED:
            lifecycle.fail(session, row, error)


def _accepted(session: WriteSession, row: Generation, job: ProviderJob) -> errors.ProviderError | None:
    """Wait for the job from now on; uncertain if it was taken for another one's, which the same words had ordered."""
    soon = 0.0 if row.cancel_requested_at else _first_poll_seconds(row.provider)
    what = message("accepted", provider=registry.provider_class(row.provider).display_name)
    try:
        reconciliation.accept(session, row, job, what=what, next_at=db.now(session) + timedelta(seconds=soon))
    except errors.Conflict as taken_by_another:
        return errors.SubmitUncertain(detail=str(taken_by_another))
    return None


def _retry_later(session: WriteSession, row: Generation, error: errors.ProviderError) -> None:
    """Back into the line: the provider surely has nothing of it."""
    if row.status is not Status.PROCESSING:
        lifecycle.fail(session, row, error)
        return
    wait = delay(row.attempt)
    if isinstance(error, errors.ProviderRateLimited):
        wait = max(timedelta(seconds=min(error.retry_after_seconds, 3600)), wait / 4)
    what = message("not_accepted_yet", seconds=wait.total_seconds(), error=error.message)
    lifecycle.transition(
        session,
        row,
        Status.PENDING,
        Stage.QUEUED,
        what=what,
        next_at=db.now(session) + wait,
        error_code=error.code,
        error_message=str(error)[:1000],
        error=error.message,
        error_detail=error.detail[:4000],
    )


def _first_poll_seconds(provider: str) -> float:
    return max(installation.current().settings.poll_seconds, registry.provider_class(provider).min_poll_seconds)


def taken(outcome: Outcome) -> bool | None:
    """Whether the provider has the order: True, False, or None for what nobody knows."""
    if isinstance(outcome, ProviderJob):
        return True
    return None if outcome.submit_verdict is errors.SubmitVerdict.UNKNOWN else False


def to_json(outcome: Outcome) -> Mapping[str, Any]:
    """An outcome as the journal keeps it."""
    if isinstance(outcome, ProviderJob):
        cost = outcome.cost and {"amount": str(outcome.cost.amount), "currency": outcome.cost.currency}
        return {"job": outcome.id, "response": dict(outcome.response), "cost": cost}
    kept: dict[str, Any] = {"error": outcome.code, "message": outcome.message.to_json(), "detail": outcome.detail}
    if isinstance(outcome, errors.ProviderRateLimited):
        kept["retry_after_seconds"] = outcome.retry_after_seconds
    return kept


def from_json(kept: Mapping[str, Any] | None) -> Outcome:
    """An outcome as it was kept; SubmitUncertain for none, and for what this release does not know."""
    if kept is None:
        return errors.SubmitUncertain(detail="the worker ended between sending and recording")
    if "job" in kept:
        told = kept.get("cost")  # absent in what an earlier release has kept
        cost = ReportedCost(Decimal(told["amount"]), told["currency"]) if told else None
        return ProviderJob(kept["job"], kept["response"], cost)
    kind = _ERRORS.get(kept["error"], errors.SubmitUncertain)
    said = Message.from_json(kept["message"])
    if issubclass(kind, errors.ProviderRateLimited):
        return kind(said, retry_after_seconds=kept["retry_after_seconds"], detail=kept["detail"])
    return kind(said, detail=kept["detail"])


def _with_subclasses(kind: type[errors.ProviderError]) -> Mapping[str, type[errors.ProviderError]]:
    found = {kind.code: kind}
    for below in kind.__subclasses__():
        found |= _with_subclasses(below)
    return found


_ERRORS = _with_subclasses(errors.ProviderError)


def _printable(text: str) -> str:
    """A text that every database takes: no NUL, no half of a surrogate pair, not too long."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()[:4000]
