"""What waits for an administrator: clips to decide on, accounts that a provider refuses, clips that are not signed."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, func, select

from core import db
from core.db import ReadSession
from core.db.tables import Generation, SigningCertificate, is_uncertain
from core.files.content_credentials import Unsigned
from core.insights import circuit_breaker

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

    `unsigned` are clips without content credentials, None when there are none; `certificate_ends_at` is when the
    certificate of the operator's own key ends, None while that is far away.
    """

    unclear_clips: int
    refused_accounts: tuple[str, ...]
    unsigned: UnsignedClips | None
    certificate_ends_at: datetime | None

    @property
    def count(self) -> int:
        """How many things wait."""
        told = (self.unsigned, self.certificate_ends_at)
        return self.unclear_clips + len(self.refused_accounts) + sum(each is not None for each in told)


def waiting(session: ReadSession) -> Attention:
    """What waits now; cheap enough for every page that an administrator opens."""
    refused = [
        name for name, row in circuit_breaker.states(session).items() if row.error_code in circuit_breaker.ACCOUNT_CODES
    ]
    return Attention(
        session.scalar(_UNCLEAR) or 0, tuple(sorted(refused)), _unsigned(session), _certificate_ends_at(session)
    )


_UNCLEAR = select(func.count()).select_from(Generation).where(is_uncertain())


def _unsigned(session: ReadSession) -> UnsignedClips | None:
    lately = and_(Generation.unsigned_reason.is_not(None), Generation.ended_at > db.now(session) - UNSIGNED_TOLD)
    count = session.scalar(select(func.count()).select_from(Generation).where(lately)) or 0
    newest = select(Generation.ended_at, Generation.unsigned_reason).where(lately)
    last = session.execute(newest.order_by(Generation.ended_at.desc()).limit(1)).first() if count else None
    if last is None or last.ended_at is None or last.unsigned_reason is None:
        return None
    return UnsignedClips(count, last.ended_at, Unsigned.of(last.unsigned_reason))


def _certificate_ends_at(session: ReadSession) -> datetime | None:
    """When the newest certificate ends that was given; the installation renews its own by itself."""
    given = select(SigningCertificate.expires_at).where(SigningCertificate.sealed_key.is_(None))
    ends_at = session.scalar(given.order_by(SigningCertificate.created_at.desc()).limit(1))
    now = db.now(session)
    return ends_at if ends_at is not None and now < ends_at < now + END_TOLD else None
