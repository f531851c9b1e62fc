"""The key that clips are signed with: made once, sealed, or given by the operator in files."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.x509 import load_pem_x509_certificate
from sqlalchemy import select, update

from core import config
from core.config import Settings
from core.db import Database
from core.db.tables import SigningCertificate
from core.files.signing_certificate import KnownSigner, SigningKey, UnusableKey
from core.generations import signing_keys
from tests.fixtures.signing import expired_pair, new_key

pytestmark = pytest.mark.both_databases
SECRET, OTHER_SECRET = "of all machines " * 4, "another one " * 4


def settings_of(folder: Path, **changes: object) -> Settings:
    """Settings of a machine of its own with the SECRET_KEY that all share unless told otherwise."""
    given = {name.upper(): str(value) for name, value in changes.items()}
    return config.load({"DATA_DIR": str(folder), "SECRET_KEY": SECRET} | given)


def kept(database: Database) -> list[SigningCertificate]:
    """What is kept of keys."""
    with database.read_session() as session:
        return list(session.scalars(select(SigningCertificate).order_by(SigningCertificate.created_at)))


def written(folder: Path, certificates: bytes | str, key: bytes | str) -> dict[str, object]:
    """The settings that name a key in two files."""
    paths = folder / "signer.pem", folder / "signer.key"
    for path, content in zip(paths, (certificates, key), strict=True):
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return {"credentials_certificate_file": paths[0], "credentials_key_file": paths[1]}


def test_every_machine_signs_with_the_one_key(database: Database, tmp_path: Path) -> None:
    """It is made when it is first needed; another machine on the same database has it, too."""
    here, there = settings_of(tmp_path / "here"), settings_of(tmp_path / "there")
    key = signing_keys.for_signing(database, here)
    assert signing_keys.for_signing(database, there) == key
    assert signing_keys.for_signing(database, here) == key
    [row] = kept(database)
    assert row.fingerprint == key.fingerprint
    with database.read_session() as session:
        assert signing_keys.own(session) == [KnownSigner.of(key.certificates_pem)]


def test_first_start_of_many_at_once_makes_one_key(database: Database, tmp_path: Path) -> None:
    """All who find none at the same moment end up with the same."""
    settings, together = settings_of(tmp_path), threading.Barrier(6)

    def start(_number: int) -> SigningKey:
        together.wait()
        return signing_keys.for_signing(database, settings)

    with ThreadPoolExecutor(6) as starts:
        keys = list(starts.map(start, range(6)))
    assert len({key.fingerprint for key in keys}) == 1
    assert len(kept(database)) == 1


def test_key_is_not_to_be_read_in_the_database(database: Database, tmp_path: Path) -> None:
    """A copy of the database signs nothing without SECRET_KEY."""
    key = signing_keys.for_signing(database, settings_of(tmp_path))
    [row] = kept(database)
    assert row.sealed_key is not None
    body = "".join(key.key_pem.splitlines()[1:-1])
    assert "PRIVATE KEY" not in row.sealed_key
    assert body[:40] not in row.sealed_key
    assert "PRIVATE KEY" not in row.certificates_pem


def test_key_when_the_secret_key_is_changed(database: Database, tmp_path: Path) -> None:
    """With the old SECRET_KEY still named the key stays; without it there is another, and the first is still known."""
    first = signing_keys.for_signing(database, settings_of(tmp_path))
    both = settings_of(tmp_path, secret_key=OTHER_SECRET, secret_key_old=SECRET)
    assert signing_keys.for_signing(database, both) == first
    second = signing_keys.for_signing(database, settings_of(tmp_path, secret_key=OTHER_SECRET))
    assert second.fingerprint != first.fingerprint
    with database.read_session() as session:
        assert signing_keys.own(session) == [KnownSigner.of(each.certificates_pem) for each in (first, second)]


def test_key_when_its_row_is_damaged(database: Database, tmp_path: Path) -> None:
    """Another is made, since no person could mend it, and what the damaged one signed is still known."""
    first = signing_keys.for_signing(database, settings_of(tmp_path))
    with database.write_session() as session:
        session.execute(update(SigningCertificate).values(sealed_key="rubbish"))
    assert signing_keys.for_signing(database, settings_of(tmp_path)).fingerprint != first.fingerprint
    assert len(kept(database)) == 2


def test_key_is_renewed_before_it_ends(database: Database, tmp_path: Path) -> None:
    """A year before its certificate ends there is another one."""
    first = signing_keys.for_signing(database, settings_of(tmp_path))
    assert first.expires_at > datetime.now(UTC) + 2 * signing_keys.RENEWED_BEFORE
    with database.write_session() as session:
        soon = datetime.now(UTC) + signing_keys.RENEWED_BEFORE - timedelta(days=1)
        session.execute(update(SigningCertificate).values(expires_at=soon))
    assert signing_keys.for_signing(database, settings_of(tmp_path)).fingerprint != first.fingerprint


def test_key_of_the_operator(database: Database, tmp_path: Path) -> None:
    """It is the one that signs, its certificates are kept and its key is not; a changed file counts at once."""
    given = new_key("films")
    settings = settings_of(tmp_path, **written(tmp_path, given.certificates_pem, given.key_pem))
    assert signing_keys.for_signing(database, settings) == given
    assert [(row.fingerprint, row.sealed_key) for row in kept(database)] == [(given.fingerprint, None)]
    renewed = new_key("films")
    written(tmp_path, renewed.certificates_pem, renewed.key_pem)
    assert signing_keys.for_signing(database, settings) == renewed
    signing_keys.for_signing(database, settings)
    with database.read_session() as session:
        assert len(signing_keys.own(session)) == 2


def test_key_of_the_operator_on_a_machine_that_lacks_it(database: Database, tmp_path: Path) -> None:
    """A worker whose files are missing does not sign with another key than the operator's, and names the file."""
    settings = settings_of(
        tmp_path, credentials_certificate_file=tmp_path / "none.pem", credentials_key_file=tmp_path / "none.key"
    )
    with pytest.raises(UnusableKey) as refused:
        signing_keys.for_signing(database, settings)
    assert refused.value.reason == "certificate_unreadable"
    assert "none.pem" in refused.value.detail
    assert kept(database) == []


def test_key_of_the_operator_that_has_expired(database: Database, tmp_path: Path) -> None:
    """The certificate's end is told, and the installation's own key does not stand in for it."""
    certificates, key = expired_pair()
    settings = settings_of(tmp_path, **written(tmp_path, certificates, key))
    with pytest.raises(UnusableKey) as refused:
        signing_keys.for_signing(database, settings)
    assert refused.value.reason == "certificate_expired"
    assert load_pem_x509_certificate(certificates).fingerprint(hashes.SHA256()).hex() not in {
        row.fingerprint for row in kept(database)
    }
