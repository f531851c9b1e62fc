"""Whether the calls that providers make when a job has moved reach us, told from those that came and that did not.

An address that people open is often one that a provider cannot reach, so what should come says nothing.
"""

from datetime import timedelta

from core import db
from core.clock import is_within
from core.db import ReadSession, WriteSession, types, update_where
from core.db.tables import ProviderHealth

MISSED_IN_A_ROW = 3
"""After so many clips that ended without a call, none is counted on until the next one comes."""
NOTED_EACH = timedelta(minutes=10)
"""How seldom it is written down that calls come, since many come at once."""


def note_call(session: WriteSession, provider: str) -> None:
    """It has called an address of ours."""
    now, row = db.now(session), session.get(ProviderHealth, provider)
    if row is not None and row.calls_missed == 0 and is_within(NOTED_EACH, row.called_at, now=now):
        return
    seen = {"called_at": now, "calls_missed": 0}
    session.execute(
        types.insert(session, ProviderHealth)
        .values(provider=provider, failures=0, **seen)
        .on_conflict_do_update(index_elements=["provider"], set_=seen)
    )


def note_end_without_call(session: WriteSession, provider: str) -> None:
    """A clip of it has ended, and no call told us; one that is on its way takes it back."""
    update_where(
        session,
        ProviderHealth,
        ProviderHealth.provider == provider,
        ProviderHealth.called_at.is_not(None),
        ProviderHealth.calls_missed < MISSED_IN_A_ROW,
        calls_missed=ProviderHealth.calls_missed + 1,
    )


def come(session: ReadSession, provider: str) -> bool:
    """Whether its calls can be counted on."""
    row = session.get(ProviderHealth, provider)
    return row is not None and row.called_at is not None and row.calls_missed < MISSED_IN_A_ROW
