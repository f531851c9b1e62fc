"""What waits for an administrator: clips that need a decision, refused accounts of ours, costs that are off."""

from dataclasses import dataclass

from sqlalchemy import func, select

from core.catalog_changes import live_lists
from core.db import ReadSession
from core.db.tables import Generation, is_uncertain
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


def waiting(session: ReadSession) -> Attention:
    """What waits now; cheap enough for every page that an administrator opens."""
    refused = [
        name for name, row in circuit_breaker.states(session).items() if row.error_code in circuit_breaker.ACCOUNT_CODES
    ]
    old_prices = tuple(row.model_id for row in cost_drift.old_prices(session))
    return Attention(session.scalar(_UNCLEAR) or 0, tuple(sorted(refused)), old_prices, live_lists.count_open(session))


_UNCLEAR = select(func.count()).select_from(Generation).where(is_uncertain())
