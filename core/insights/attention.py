"""What waits for an administrator: clips that need a decision, refused accounts of ours, costs that are off."""

from dataclasses import dataclass

from sqlalchemy import func, select

from core.catalog_changes import live_lists
from core.db import Reader
from core.db.tables import Generation, ProviderHealth, is_uncertain
from core.insights import circuit_breaker, cost_drift


@dataclass(frozen=True, slots=True)
class Attention:
    """`unclear_clips` wait for a decision; `refused_accounts` are providers that do not accept our key or account.

    `old_prices` are models whose vendor takes another price by now than the catalogue says, `model_notes` what vendors'
    lists of models have told.
    """

    unclear_clips: int
    refused_accounts: tuple[str, ...]
    old_prices: tuple[str, ...] = ()
    model_notes: int = 0

    @property
    def count(self) -> int:
        """How many things wait."""
        return self.unclear_clips + len(self.refused_accounts) + len(self.old_prices) + self.model_notes


def waiting(session: Reader) -> Attention:
    """What waits now; cheap enough for every page that an administrator opens."""
    return Attention(
        session.scalar(_UNCLEAR) or 0,
        tuple(session.scalars(_REFUSED).all()),
        tuple(row.model_id for row in cost_drift.old_prices(session)),
        live_lists.count_open(session),
    )


_REFUSED = (
    select(ProviderHealth.provider)
    .where(ProviderHealth.error_code.in_(circuit_breaker.ACCOUNT_CODES))
    .order_by(ProviderHealth.provider)
)
# Every id is above "". Without a word on it SQLite would not take the index of unclear clips, and count through the
# index of all clips by status, however many have ended.
_UNCLEAR = select(func.count()).select_from(Generation).where(is_uncertain(), Generation.id > "")
