"""What waits for an administrator: clips to decide on, refused accounts, costs that are off, unsigned clips."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, func, select

from core.catalog_changes import live_lists
from core.clock import utc_now
from core.db import Reader
from core.db.tables import Generation, ProviderHealth, SigningCertificate, is_uncertain
from core.files.content_credentials import Unsigned
from core.insights import circuit_breaker, cost_drift

UNSIGNED_TOLD = timedelta(days=7)
"""How long it is told that a clip was delivered without content credentials."""
END_TOLD = timedelta(days=30)
"""How long before its end it is told that the certificate of the operator's own key ends."""


@dataclass(frozen=True, slots=True)
class UnsignedClips:
    """How many clips were lately delivered without content credentials, and when and why the last of them."""

    count: int
    last_at: datetime
    last_reason: Unsigned


@dataclass(frozen=True, slots=True)
class Attention:
    """`unclear_clips` wait for a decision; `refused_accounts` are providers that do not accept our key or account.

    `old_prices` are models whose vendor takes another price by now than the catalogue says, `model_notes` what vendors'
    lists of models have told. `unsigned` are clips without content credentials, None when there are none;
    `certificate_ends_at` is when the certificate of the operator's own key ends, None while that is far away.
    """

    unclear_clips: int
    refused_accounts: tuple[str, ...]
    old_prices: tuple[str, ...] = ()
    model_notes: int = 0
    unsigned: UnsignedClips | None = None
    certificate_ends_at: datetime | None = None

    @property
    def count(self) -> int:
        """How many things wait."""
        told = sum(each is not None for each in (self.unsigned, self.certificate_ends_at))
        return self.unclear_clips + len(self.refused_accounts) + len(self.old_prices) + self.model_notes + told


def waiting(session: Reader) -> Attention:
    """What waits now; cheap enough for every page that an administrator opens."""
    now = utc_now()
    return Attention(
        session.scalar(_UNCLEAR) or 0,
        tuple(session.scalars(_REFUSED).all()),
        tuple(row.model_id for row in cost_drift.old_prices(session)),
        live_lists.count_open(session),
        _unsigned(session, now),
        _certificate_ends_at(session, now),
    )


_REFUSED = (
    select(ProviderHealth.provider)
    .where(ProviderHealth.error_code.in_(circuit_breaker.ACCOUNT_CODES))
    .order_by(ProviderHealth.provider)
)
# Every id is above "". Without a word on it SQLite would not take the index of unclear clips, and count through the
# index of all clips by status, however many have ended.
_UNCLEAR = select(func.count()).select_from(Generation).where(is_uncertain(), Generation.id > "")


def _unsigned(session: Reader, now: datetime) -> UnsignedClips | None:
    lately = and_(Generation.unsigned_reason.is_not(None), Generation.ended_at > now - UNSIGNED_TOLD)
    newest = select(Generation.ended_at, Generation.unsigned_reason).where(lately)
    last = session.execute(newest.order_by(Generation.ended_at.desc()).limit(1)).first()
    if last is None or last.ended_at is None or last.unsigned_reason is None:
        return None
    count = session.scalar(select(func.count()).select_from(Generation).where(lately)) or 1
    return UnsignedClips(count, last.ended_at, Unsigned.of(last.unsigned_reason))


def _certificate_ends_at(session: Reader, now: datetime) -> datetime | None:
    """When the newest certificate ends that was given; the installation renews its own by itself."""
    given = select(SigningCertificate.expires_at).where(SigningCertificate.sealed_key.is_(None))
    ends_at = session.scalar(given.order_by(SigningCertificate.created_at.desc()).limit(1))
    return ends_at if ends_at is not None and now < ends_at < now + END_TOLD else None
