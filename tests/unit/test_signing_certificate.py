from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat
from cryptography.x509.verification import ExtensionPolicy, PolicyBuilder, Store, VerificationError

from core.files import signing_certificate
from core.files.signing_certificate import KnownSigner, UnusableKey
from tests.fixtures.signing import expired_pair, new_key

NOW = datetime.now(UTC)


def test_make_gives_a_chain_that_outlives_its_clips() -> None:
    """The signer's certificate is signed by an authority of its own, for signatures alone, and for many years."""
    key = new_key(now=NOW)
    signer, authority = x509.load_pem_x509_certificates(key.certificates_pem.encode())
    signer.verify_directly_issued_by(authority)
    assert signer.issuer != signer.subject
    assert signer.extensions.get_extension_for_class(x509.KeyUsage).value.digital_signature
    assert not signer.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert key.expires_at > NOW + timedelta(days=19 * 365)
    assert key.algorithm == "es256"
    # A verifier that knows nothing of C2PA agrees about the chain as of today, and not in thirty years.
    any_use = ExtensionPolicy.permit_all()  # the use that a claim is signed for is not that of a server or its client
    authorities = ExtensionPolicy.webpki_defaults_ca()
    policy = PolicyBuilder().store(Store([authority])).extension_policies(ca_policy=authorities, ee_policy=any_use)
    policy.time(NOW.replace(tzinfo=None)).build_client_verifier().verify(signer, [])
    with pytest.raises(VerificationError):
        policy.time((NOW + timedelta(days=30 * 365)).replace(tzinfo=None)).build_client_verifier().verify(signer, [])


def test_make_gives_another_key_each_time() -> None:
    """Two installations have nothing in common, and the key does not show when it is printed."""
    one, other = new_key(), new_key()
    assert one.key_pem != other.key_pem
    assert one.fingerprint != other.fingerprint
    assert "PRIVATE" not in repr(one)


def test_known_signer_is_told_by_number_and_authority() -> None:
    """What is kept of a signer is enough to know it again, and does not hold its own certificate."""
    key = new_key()
    signer, authority = x509.load_pem_x509_certificates(key.certificates_pem.encode())
    known = KnownSigner.of(key.certificates_pem)
    assert known.serial_number == signer.serial_number
    assert x509.load_pem_x509_certificates(known.authorities_pem.encode()) == [authority]


def with_password(key_pem: str) -> bytes:
    """The same key behind a password, which nobody would be there to give."""
    key = serialization.load_pem_private_key(key_pem.encode(), None)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))


BROKEN: dict[str, tuple[Callable[[], tuple[bytes, bytes]], str]] = {
    "no certificate": (lambda: (b"", new_key().key_pem.encode()), "certificate_unreadable"),
    "a damaged certificate": (
        lambda: (new_key().certificates_pem[:200].encode(), new_key().key_pem.encode()),
        "certificate_unreadable",
    ),
    "no key": (lambda: (new_key().certificates_pem.encode(), b"nothing"), "key_unreadable"),
    "a key with a password": (
        lambda: (new_key().certificates_pem.encode(), with_password(new_key().key_pem)),
        "key_unreadable",
    ),
    "another key": (lambda: (new_key().certificates_pem.encode(), new_key().key_pem.encode()), "key_mismatch"),
    "ended": (expired_pair, "certificate_expired"),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_read_says_what_is_wrong(broken: str) -> None:
    """What cannot sign is refused with a reason that an operator can act on, and nothing of the key is told."""
    make, reason = BROKEN[broken]
    certificates, key = make()
    with pytest.raises(UnusableKey) as refused:
        signing_certificate.read(certificates, key, now=NOW)
    assert refused.value.reason == reason
    assert not any(line in str(refused.value) for line in key.decode().splitlines() if len(line) > 20)


def test_read_of_a_certificate_that_has_not_begun() -> None:
    """A clock that is years behind makes a certificate of the future, which is told apart from one that ended."""
    key = new_key(now=NOW)
    with pytest.raises(UnusableKey) as refused:
        signing_certificate.read(
            key.certificates_pem.encode(), key.key_pem.encode(), now=datetime(2020, 1, 1, tzinfo=UTC)
        )
    assert refused.value.reason == "certificate_not_yet_valid"
