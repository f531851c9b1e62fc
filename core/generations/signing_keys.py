"""The key that clips are signed with: made once for all machines of an installation, or given by the operator.

What the installation makes is kept in the database, sealed with SECRET_KEY, so that every machine signs with the same
one and a copy of the database without that key signs nothing. What is given in files is read anew for each clip.
"""

import base64
import hashlib
import hmac
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy import select

from core import db
from core.config import Settings
from core.db import Database, ReadSession, WriteSession, identity
from core.db.tables import InstallationIdentity, SigningCertificate
from core.db.types import insert
from core.files import signing_certificate
from core.files.signing_certificate import KnownSigner, SigningKey, UnusableKey

log = logging.getLogger(__name__)

RENEWED_BEFORE = timedelta(days=365)
"""The installation makes itself another key so long before the certificate of the last one ends."""
_MOST_BYTES = 1024**2
"""No certificates and no key are larger."""


def for_signing(database: Database, settings: Settings) -> SigningKey:
    """The key to sign a clip with; where the installation has none it makes one. Raises UnusableKey."""
    if settings.credentials_certificate_file is None or settings.credentials_key_file is None:
        return _own(database, settings.secrets_in_force)
    with database.read_session() as session:
        now = db.now(session)
    given = signing_certificate.read(
        _content(settings.credentials_certificate_file, "certificate_unreadable"),
        _content(settings.credentials_key_file, "key_unreadable"),
        now=now,
    )
    _remember(database, given)
    return given


def own(session: ReadSession) -> Sequence[KnownSigner]:
    """By what everything is known that this installation signs with or has signed with."""
    kept = session.scalars(select(SigningCertificate.certificates_pem).order_by(SigningCertificate.created_at))
    return [KnownSigner.of(each) for each in kept]


def _content(path: Path, reason: str) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_MOST_BYTES)
    except OSError as failure:
        raise UnusableKey(reason, f"{path}: {failure.strerror}") from None


def _remember(database: Database, given: SigningKey) -> None:
    """Keep the certificates of a key that was given, so that what it signed is known when there is another one."""
    with database.read_session() as session:
        if session.get(SigningCertificate, given.fingerprint) is not None:
            return
    with database.write_session() as session:
        statement = insert(session, SigningCertificate).values(
            fingerprint=given.fingerprint,
            certificates_pem=given.certificates_pem,
            expires_at=given.expires_at,
            created_at=db.now(session),
        )
        session.execute(statement.on_conflict_do_nothing())


def _own(database: Database, secrets: Sequence[bytes]) -> SigningKey:
    with database.read_session() as session:
        found = _kept(session, secrets, now=db.now(session))
    if found is not None:
        return found
    with database.write_session() as session:
        return _made_once(session, secrets)


def _made_once(session: WriteSession, secrets: Sequence[bytes]) -> SigningKey:
    """A new key, unless another process was first: the row that all share is held until the end."""
    session.scalars(select(InstallationIdentity.id).with_for_update()).one()
    now = db.now(session)
    found = _kept(session, secrets, now=now)
    if found is not None:
        return found
    made = signing_certificate.make(identity.of(session), now=now)
    session.add(
        SigningCertificate(
            fingerprint=made.fingerprint,
            certificates_pem=made.certificates_pem,
            sealed_key=_seal(secrets[0]).encrypt(made.key_pem.encode()).decode(),
            expires_at=made.expires_at,
            created_at=now,
        )
    )
    log.info("a key to sign clips with was made, with the certificate %s", made.fingerprint)
    return made


def _kept(session: ReadSession, secrets: Sequence[bytes], *, now: datetime) -> SigningKey | None:
    """The newest key of our own that can be read and is good for a while; None without one."""
    rows = select(SigningCertificate).where(
        SigningCertificate.sealed_key.is_not(None), SigningCertificate.expires_at > now + RENEWED_BEFORE
    )
    for row in session.scalars(rows.order_by(SigningCertificate.created_at.desc())):
        for secret in secrets:
            try:
                key_pem = _seal(secret).decrypt(row.sealed_key or "")
                return signing_certificate.read(row.certificates_pem.encode(), key_pem, now=now)
            except (InvalidToken, UnusableKey):  # of another SECRET_KEY, or damaged: as if it were not there
                continue
    return None


def _seal(secret: bytes) -> Fernet:
    """What a private key is kept under; made from SECRET_KEY for this use alone."""
    return Fernet(base64.urlsafe_b64encode(hmac.digest(secret, b"key of content credentials", hashlib.sha256)))
