"""How providers fare: a breaker for those that fail by themselves, kept in SQL so that all workers and pages see it.

Only what is the provider's own fault counts; a person's mistake or a refused key never opens the breaker.
"""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum

from sqlalchemy import select, update

from core import errors
from core.clock import utc_now
from core.db import ReadSession, WriteSession, types, update_where
from core.db.tables import ProviderHealth

FAILURES_TO_OPEN = 5
PAUSE = timedelta(seconds=60)
COUNTS_AGAINST_PROVIDER = (errors.ProviderUnavailable, errors.UnreadableReply, errors.SubmitUncertain)
ACCOUNT_ERRORS = (errors.BadKey, errors.ProviderOutOfCredits)


_ALL = select(ProviderHealth)


class State(StrEnum):
    """What people are told."""

    OK = "ok"
    TROUBLE = "trouble"


def states(session: ReadSession) -> Mapping[str, ProviderHealth]:
    """What is known of each provider that was ever in trouble or checked."""
    return {row.provider: row for row in session.scalars(_ALL)}


def state(row: ProviderHealth | None) -> State:
    """Trouble while it is left alone, or while our account with it does not work."""
    in_trouble = row is not None and (row.retry_at is not None or row.error_code in _ACCOUNT_CODES)
    return State.TROUBLE if in_trouble else State.OK


def record_success(session: WriteSession, provider: str) -> None:
    """It works: close the breaker. Writes only when something has to change."""
    row = session.get(ProviderHealth, provider)
    if row is not None and (row.failures or row.retry_at or row.error_code):
        session.execute(
            update(ProviderHealth)
            .where(ProviderHealth.provider == provider)
            .values(failures=0, retry_at=None, error_code=None, error_detail=None)
        )


def record_failure(session: WriteSession, provider: str, error: errors.AppError) -> None:
    """It failed. Its own fault, several times in a row, opens the breaker; an account fault is only shown."""
    if not isinstance(error, COUNTS_AGAINST_PROVIDER + ACCOUNT_ERRORS):
        return
    now = utc_now()
    counts = isinstance(error, COUNTS_AGAINST_PROVIDER)
    seen = {"error_code": error.code, "error_detail": error.detail[:2000], "error_at": now}
    failures = session.scalar(
        types.insert(session, ProviderHealth)
        .values(provider=provider, failures=int(counts), **seen)
        .on_conflict_do_update(
            index_elements=["provider"], set_={"failures": ProviderHealth.failures + int(counts), **seen}
        )
        .returning(ProviderHealth.failures)
    )
    if counts and (failures or 0) >= FAILURES_TO_OPEN:
        session.execute(update(ProviderHealth).where(ProviderHealth.provider == provider).values(retry_at=now + PAUSE))


def permitted_submits(session: WriteSession, provider: str) -> int | None:
    """How many submits may go out now: None is any number, 0 while it is left alone, 1 as a trial after the pause."""
    row = session.get(ProviderHealth, provider)
    if row is None or row.retry_at is None:
        return None
    now = utc_now()
    if row.retry_at > now:
        return 0
    trial = update_where(
        session,
        ProviderHealth,
        ProviderHealth.provider == provider,
        ProviderHealth.retry_at == row.retry_at,
        retry_at=now + PAUSE,
    )
    return int(trial == 1)


def record_key_check(session: ReadSession, provider: str, *, works: bool) -> None:
    """Remember what the free key check said."""
    seen = {"key_works": works, "key_checked_at": utc_now()}
    session.execute(
        types.insert(session, ProviderHealth)
        .values(provider=provider, failures=0, **seen)
        .on_conflict_do_update(index_elements=["provider"], set_=seen)
    )


_ACCOUNT_CODES = frozenset(fault.code for fault in ACCOUNT_ERRORS)
