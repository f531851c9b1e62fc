"""How each provider stands, in one picture for pages and API."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select

from core import errors
from core.catalog import in_force
from core.clock import utc_now
from core.config import Settings
from core.db import ReadSession
from core.db.enums import Status
from core.db.tables import Flight, ProviderHealth, UsageDay
from core.insights import circuit_breaker, model_stats
from core.messages import Message, message
from core.providers import connection, registry
from core.providers.contract import Provider

NOT_CONFIGURED = "not_configured"


@dataclass(frozen=True, slots=True)
class ProviderWeek:
    """How a provider did for everybody in the last seven days; None where there is nothing to tell from."""

    in_flight: int
    success_rate: float | None
    median_seconds: float | None


@dataclass(frozen=True, slots=True)
class ProviderStatus:
    """One provider. `state` is `ok`, `trouble` or `not_configured`; `sentence` says it to a person, empty when ok.

    `key_works` is None while it was never tried or cannot be tried for free. `account_fault` is what the provider said
    of our key or account, at `trouble_at` as any other trouble, for administrators.
    """

    provider: type[Provider]
    state: str
    trouble: Message | None
    key_works: bool | None
    key_checked_at: datetime | None
    week: ProviderWeek
    account_fault: Message | None = None
    trouble_at: datetime | None = None


_NOTHING = ProviderWeek(0, None, None)


def weeks(session: ReadSession) -> Mapping[str, ProviderWeek]:
    """Provider -> how it did in the last seven days, over all people; somewhat dear, and good for a while."""
    since = utc_now() - timedelta(days=7)
    ended = (
        select(UsageDay.provider, func.sum(UsageDay.completed), func.sum(UsageDay.failed))
        .where(UsageDay.day >= since.date().isoformat())
        .group_by(UsageDay.provider)
    )
    counted = {name: (int(done), int(failed)) for name, done, failed in session.execute(ended)}
    made_now = select(Flight.provider, func.count()).where(Flight.status == Status.PROCESSING)
    in_flight = {row[0]: int(row[1]) for row in session.execute(made_now.group_by(Flight.provider))}
    found = {}
    for provider in registry.providers():
        took = [
            seconds
            for model in in_force.current().of_provider(provider.name)
            for seconds in model_stats.seconds_taken(session, model.id, since=since)
        ]
        done, failed = counted.get(provider.name, (0, 0))
        rate = done / (done + failed) if done or failed else None
        median = statistics.median(took) if took else None
        found[provider.name] = ProviderWeek(in_flight.get(provider.name, 0), rate, median)
    return found


def statuses(
    session: ReadSession, settings: Settings, *, known_weeks: Mapping[str, ProviderWeek] | None = None
) -> Sequence[ProviderStatus]:
    """Every provider, in the order of the registry; `known_weeks` are those of a while ago, if they shall do."""
    of_week = weeks(session) if known_weeks is None else known_weeks
    usable = connection.configured(settings)
    known = circuit_breaker.states(session)
    found = []
    for provider in registry.providers():
        row = known.get(provider.name)
        state = str(circuit_breaker.state(row)) if provider.name in usable else NOT_CONFIGURED
        trouble = _trouble(provider, state, row.error_code if row else None)
        if state == circuit_breaker.State.OK and _is_in_doubt(provider, settings, row):
            state = str(circuit_breaker.State.TROUBLE)
            trouble = message("key_was_mended", variable=provider.key_variable())
        found.append(
            ProviderStatus(
                provider=provider,
                state=state,
                trouble=trouble,
                key_works=row.key_works if row else None,
                key_checked_at=row.key_checked_at if row else None,
                week=of_week.get(provider.name, _NOTHING),
                account_fault=Message(row.error_code)
                if row and row.error_code in circuit_breaker.ACCOUNT_CODES and provider.name in usable
                else None,
                trouble_at=row.error_at if row and state == circuit_breaker.State.TROUBLE else None,
            )
        )
    return found


def troubles(session: ReadSession) -> dict[str, Message]:
    """Provider name -> message, of those in trouble; cheap enough for every drawing of a form."""
    return {
        name: trouble
        for name, row in circuit_breaker.states(session).items()
        if registry.is_registered(name)
        and circuit_breaker.state(row) is circuit_breaker.State.TROUBLE
        and (trouble := _trouble(registry.provider_class(name), str(circuit_breaker.State.TROUBLE), row.error_code))
    }


def _trouble(provider: type[Provider], state: str, error_code: str | None) -> Message | None:
    if state == NOT_CONFIGURED:
        if not provider.needs_key:
            return message(
                "provider_has_no_address", provider=provider.display_name, variable=provider.base_url_variable()
            )
        return message("provider_has_no_key", provider=provider.display_name)
    if state == circuit_breaker.State.OK:
        return None
    if error_code == errors.ProviderMoved.code:
        return message("provider_has_moved", provider=provider.display_name, setting=provider.base_url_variable())
    if error_code in circuit_breaker.ACCOUNT_CODES:
        return message("provider_refuses_account", provider=provider.display_name)
    return message("provider_has_trouble", provider=provider.display_name)


def _is_in_doubt(provider: type[Provider], settings: Settings, row: ProviderHealth | None) -> bool:
    """Whether its key was given with something invisible around it, and has not been seen to work without that."""
    return provider.name in settings.mended_keys and not (row and row.key_works)
