"""What waits for an administrator: clips that need a decision, and accounts of ours that a provider refuses."""

from dataclasses import dataclass

from sqlalchemy import func, select

from core.db import ReadSession
from core.db.tables import Generation, is_uncertain
from core.insights import circuit_breaker


@dataclass(frozen=True, slots=True)
class Attention:
    """`unclear_clips` wait for a decision; `refused_accounts` are providers that do not accept our key or account."""

    unclear_clips: int
    refused_accounts: tuple[str, ...]

    @property
    def count(self) -> int:
        """How many things wait."""
        return self.unclear_clips + len(self.refused_accounts)


def waiting(session: ReadSession) -> Attention:
    """What waits now; cheap enough for every page that an administrator opens."""
    refused = [
        name for name, row in circuit_breaker.states(session).items() if row.error_code in circuit_breaker.ACCOUNT_CODES
    ]
    return Attention(session.scalar(_UNCLEAR) or 0, tuple(sorted(refused)))


# Every id is above "". Without a word on it SQLite would not take the index of unclear clips, and count through the
# index of all clips by status, however many have ended.
_UNCLEAR = select(func.count()).select_from(Generation).where(is_uncertain(), Generation.id > "")
