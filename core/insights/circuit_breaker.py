"""How providers fare: a breaker for those that fail by themselves, kept in SQL so that all workers and pages see it.

Who is at fault decides (`errors.Fault`): only what is the provider's own counts against it, and a person's mistake
never does. A fault of our account there is shown until an order is accepted or a check of the key succeeds.
"""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import case, select, update

from core import db, errors
from core.db import ReadSession, WriteSession, types, update_where
from core.db.tables import ProviderHealth

FAILURES_TO_OPEN = 5
PAUSE = timedelta(seconds=60)
ACCOUNT_CODES = frozenset(
    kind.code for kind in errors.ProviderError.__subclasses__() if kind.fault is errors.Fault.ACCOUNT
)

_ALL = select(ProviderHealth)


class State(StrEnum):
    """What people are told of a provider: it works, or it is in trouble."""

    OK = "ok"
    TROUBLE = "trouble"


def states(session: ReadSession) -> Mapping[str, ProviderHealth]:
    """What is known of each provider that was ever in trouble or checked."""
    return {row.provider: row for row in session.scalars(_ALL)}


def state(row: ProviderHealth | None) -> State:
    """Trouble while it is left alone, or while our account with it does not work."""
    in_trouble = row is not None and (row.retry_at is not None or row.error_code in ACCOUNT_CODES)
    return State.TROUBLE if in_trouble else State.OK


def record_order(session: WriteSession, provider: str) -> None:
    """It accepted an order: it works, and so does our account. Writes only when something has to change."""
    row = session.get(ProviderHealth, provider)
    if row is not None and (row.failures or row.retry_at or row.error_code):
        _clear(session, provider)


def record_answer(session: WriteSession, provider: str) -> None:
    """It answered a look: it works. That says nothing of our account, which a look may not even need."""
    row = session.get(ProviderHealth, provider)
    if row is None:
        return
    if row.error_code not in ACCOUNT_CODES:
        record_order(session, provider)
    elif row.failures or row.retry_at:
        update_where(session, ProviderHealth, ProviderHealth.provider == provider, failures=0, retry_at=None)


def _clear(session: WriteSession, provider: str) -> None:
    values = {"failures": 0, "retry_at": None, "error_code": None, "error_detail": None}
    session.execute(update(ProviderHealth).where(ProviderHealth.provider == provider).values(values))


def record_failure(session: WriteSession, provider: str, error: errors.AppError) -> None:
    """It failed. Its own fault, several times in a row, opens the breaker; an account fault is only shown."""
    if error.fault not in (errors.Fault.PROVIDER, errors.Fault.ACCOUNT):
        return
    now = db.now(session)
    counts = error.fault is errors.Fault.PROVIDER
    seen: dict[str, Any] = {"error_code": error.code, "error_detail": error.detail[:2000], "error_at": now}
    shown = seen
    if counts:  # an account fault stays in sight
        is_account = ProviderHealth.error_code.in_(ACCOUNT_CODES)
        shown = {name: case((is_account, getattr(ProviderHealth, name)), else_=value) for name, value in seen.items()}
    failures = session.scalar(
        types.insert(session, ProviderHealth)
        .values(provider=provider, failures=int(counts), **seen)
        .on_conflict_do_update(
            index_elements=["provider"], set_={"failures": ProviderHealth.failures + int(counts), **shown}
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
    now = db.now(session)
    if now < row.retry_at <= now + 2 * PAUSE:  # further off than a pause is what the clock was set back from
        return 0
    trial = update_where(
        session,
        ProviderHealth,
        ProviderHealth.provider == provider,
        ProviderHealth.retry_at == row.retry_at,
        retry_at=now + PAUSE,
    )
    return int(trial == 1)


def record_key_check(session: WriteSession, provider: str, *, works: bool) -> None:
    """Remember what the free key check said; one that succeeds clears a fault of our account."""
    seen = {"key_works": works, "key_checked_at": db.now(session)}
    session.execute(
        types.insert(session, ProviderHealth)
        .values(provider=provider, failures=0, **seen)
        .on_conflict_do_update(index_elements=["provider"], set_=seen)
    )
    if works:
        update_where(
            session,
            ProviderHealth,
            ProviderHealth.provider == provider,
            ProviderHealth.error_code.in_(ACCOUNT_CODES),
            error_code=None,
            error_detail=None,
        )
