"""What is written down of sign-ins that went wrong: counts by address and account, lines in log and audit log."""

from collections.abc import Iterable

from core import audit_log, db, security_log
from core.audit_log import Act
from core.identity import failed_attempts
from core.identity.sessions import Visit
from core.retry import OnceAWhile

_told = OnceAWhile(every_seconds=60)


def check(keys: Iterable[str]) -> None:
    """Return when they may try; RateLimited while they have to wait."""
    with db.read_session() as session:
        failed_attempts.check(session, keys)


def failed(visit: Visit, keys: Iterable[str], *, detail: str, asked: str) -> None:
    """Count a sign-in that came to nothing before it was known whose it is; a flood does not fill the log."""
    with db.write_session() as session:
        failed_attempts.count(session, keys)
    if _told.is_news((visit.address, detail[:60])):
        security_log.refused(f"sign-in failed ({detail[:300]})", client=visit.address, asked=asked)


def stranger(peer: str, *, asked: str) -> None:
    """Tell the log of somebody who says who is asking, and is no front of ours; there is no secret they could guess."""
    if _told.is_news((peer, "stranger")):
        security_log.refused("somebody who is no trusted front says who is asking", client=peer, asked=asked)


def refused(keys: Iterable[str], *, reason: str, email: str, issuer: str | None) -> None:
    """Count a sign-in of somebody who may not come in, and write it down."""
    with db.write_session() as session:
        failed_attempts.count(session, keys)
        audit_log.record(
            session, None, Act.SIGN_IN_REFUSED, target=email, after={"reason": reason, "issuer": issuer or ""}
        )
