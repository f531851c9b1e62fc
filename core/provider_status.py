"""How each provider stands, in one picture for pages and API."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from core import access, health, usage
from core.config import Settings
from core.providers import registry
from core.providers.base import Provider

NOT_CONFIGURED = "not_configured"


@dataclass(frozen=True, slots=True)
class ProviderStatus:
    """One provider. `state` is `ok`, `trouble` or `not_configured`; `sentence` says it to a person, empty when ok.

    `key_works` is None while it was never tried or cannot be tried for free.
    """

    provider: type[Provider]
    state: str
    sentence: str
    key_works: bool | None
    key_checked_at: datetime | None
    week: usage.ProviderWeek


def weeks(session: Session) -> Mapping[str, usage.ProviderWeek]:
    """How each provider did in the last seven days; somewhat dear, and good for a while."""
    models = {provider.name: [model.id for model in provider.models] for provider in registry.providers()}
    return usage.provider_weeks(session, models)


def statuses(
    session: Session, settings: Settings, *, known_weeks: Mapping[str, usage.ProviderWeek] | None = None
) -> Sequence[ProviderStatus]:
    """Every provider, in the order of the registry; `known_weeks` are those of a while ago, if they shall do."""
    of_week = weeks(session) if known_weeks is None else known_weeks
    usable = access.configured(settings)
    known = health.states(session)
    found = []
    for provider in registry.providers():
        row = known.get(provider.name)
        state = str(health.state(row)) if provider.name in usable else NOT_CONFIGURED
        found.append(
            ProviderStatus(
                provider=provider,
                state=state,
                sentence=_sentence(provider, state, row.error_code if row else None),
                key_works=row.key_works if row else None,
                key_checked_at=row.key_checked_at if row else None,
                week=of_week[provider.name],
            )
        )
    return found


def troubles(session: Session) -> dict[str, str]:
    """Provider name -> sentence, of those in trouble; cheap enough for every drawing of a form."""
    return {
        name: _sentence(registry.provider_class(name), str(health.State.TROUBLE), row.error_code)
        for name, row in health.states(session).items()
        if health.state(row) is health.State.TROUBLE
    }


def _sentence(provider: type[Provider], state: str, error_code: str | None) -> str:
    if state == NOT_CONFIGURED:
        return f"{provider.display_name} has no key here. An administrator can add one."
    if state == health.State.OK:
        return ""
    if error_code in ("provider_bad_key", "provider_out_of_credits"):
        return f"{provider.display_name} does not accept our account at the moment. An administrator has to look."
    return f"{provider.display_name} has trouble at the moment. Orders wait and are sent when it is back."
