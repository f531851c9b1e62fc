"""How providers fare: a breaker for those that fail by themselves, kept in SQL so that all workers and pages see it.

Who is at fault decides (`errors.Fault`): only what is the provider's own counts against it, and a person's mistake
never does. A fault of our account there is shown until an order is accepted or a check of the key succeeds.
"""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import case, func, select, update

from core import db, errors
from core.db import ReadSession, WriteSession, types, update_where
from core.db.tables import ProviderHealth
from core.notices import causes
from core.providers import registry

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
    _end_spell(session, provider, by_order=True)
    values = {"failures": 0, "retry_at": None, "error_code": None, "error_detail": None}
    session.execute(update(ProviderHealth).where(ProviderHealth.provider == provider).values(values))


def _end_spell(session: WriteSession, provider: str, *, by_order: bool) -> None:
    """Our account works again: administrators are told by the one move that finds it refused."""
    ended = update_where(
        session,
        ProviderHealth,
        ProviderHealth.provider == provider,
        ProviderHealth.error_code.in_(ACCOUNT_CODES),
        error_code=None,
        error_detail=None,
    )
    if ended:
        causes.provider_works(session, provider, name=_name(provider), by_order=by_order)


def record_failure(session: WriteSession, provider: str, error: errors.AppError) -> None:
    """It failed. Its own fault, several times in a row, opens the breaker; an account fault is shown and told."""
    if error.fault is errors.Fault.ACCOUNT:
        _record_refusal(session, provider, error)
    if error.fault is not errors.Fault.PROVIDER:
        return
    now = db.now(session)
    seen: dict[str, Any] = {"error_code": error.code, "error_detail": error.detail[:2000], "error_at": now}
    is_account = ProviderHealth.error_code.in_(ACCOUNT_CODES)  # which stays in sight
    shown = {name: case((is_account, getattr(ProviderHealth, name)), else_=value) for name, value in seen.items()}
    failures = session.scalar(
        types.insert(session, ProviderHealth)
        .values(provider=provider, failures=1, **seen)
        .on_conflict_do_update(index_elements=["provider"], set_={"failures": ProviderHealth.failures + 1, **shown})
        .returning(ProviderHealth.failures)
    )
    if (failures or 0) >= FAILURES_TO_OPEN:
        session.execute(update(ProviderHealth).where(ProviderHealth.provider == provider).values(retry_at=now + PAUSE))


def _record_refusal(session: WriteSession, provider: str, error: errors.AppError) -> None:
    """Our key or account is refused. Whoever finds that it was not before begins the spell, and tells of it."""
    now, is_this = db.now(session), ProviderHealth.provider == provider
    seen: dict[str, Any] = {"error_code": error.code, "error_detail": error.detail[:2000], "error_at": now}
    fresh = types.insert(session, ProviderHealth).values(provider=provider, failures=0, **seen)
    was_fine = func.coalesce(ProviderHealth.error_code, "").not_in(ACCOUNT_CODES)
    begins = session.scalar(fresh.on_conflict_do_nothing().returning(ProviderHealth.provider)) is not None
    if begins or update_where(session, ProviderHealth, is_this, was_fine, **seen):
        causes.provider_refuses(session, provider, name=_name(provider), reason=error.message, since=now)
    else:
        update_where(session, ProviderHealth, is_this, **seen)


def _name(provider: str) -> str:
    return registry.provider_class(provider).display_name if registry.is_registered(provider) else provider


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
    """Remember what the free key check said: one that succeeds clears a fault of our account, a refused key is one."""
    seen = {"key_works": works, "key_checked_at": db.now(session)}
    session.execute(
        types.insert(session, ProviderHealth)
        .values(provider=provider, failures=0, **seen)
        .on_conflict_do_update(index_elements=["provider"], set_=seen)
    )
    if works:
        _end_spell(session, provider, by_order=False)
        return
    known = session.scalar(select(ProviderHealth.error_code).where(ProviderHealth.provider == provider))
    if known not in ACCOUNT_CODES:
        _record_refusal(session, provider, errors.BadKey())
