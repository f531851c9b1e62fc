"""Makes the key and the certificates that clips are signed with, and examines those that were given; keeps nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

ORGANIZATION = "AI Video Generator"
_SLACK = timedelta(days=1)
"""Certificates begin so long before they are made: clocks of other machines may be behind."""
_LIFETIME = timedelta(days=20 * 365)
"""Without a time stamp of a third party a signature counts only as long as its certificate: make it outlive clips."""


class UnusableKey(Exception):
    """A key cannot sign; `reason` is a word of `content_credentials.Unsigned`."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True)
class SigningKey:
    """What clips are signed with, as PEM: the certificates, the signer's own first, and the private key.

    `algorithm` is the name that C2PA has for it, `fingerprint` the SHA-256 of the signer's certificate in hexadecimal.
    """

    certificates_pem: str
    key_pem: str = field(repr=False)
    algorithm: str
    fingerprint: str
    expires_at: datetime


def make(installation_id: str, *, now: datetime) -> SigningKey:
    """A new ES256 key with a certificate of its own authority, since C2PA takes none that is signed with itself."""
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority, subject = _name(f"Installation {installation_id} authority"), _name(f"Installation {installation_id}")
    authority_certificate = (
        _certificate(authority, authority, authority_key.public_key(), now)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    certificate = (
        _certificate(subject, authority, key.public_key(), now)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        # One of those that the C2PA specification (2.4, "Certificate Profile") lets a claim be signed with.
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    key_pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return read(_pem([certificate, authority_certificate]), key_pem, now=now)


def read(certificates_pem: bytes, key_pem: bytes, *, now: datetime) -> SigningKey:
    """A key and its certificates from PEM; UnusableKey when they cannot be read, do not fit, or are out of time."""
    try:
        certificates = x509.load_pem_x509_certificates(certificates_pem)
        signer = certificates[0]
        certified = signer.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (ValueError, UnsupportedAlgorithm) as failure:
        raise UnusableKey(
            "certificate_unreadable", f"the certificates are no PEM that can be read: {failure}"
        ) from None
    try:
        key = serialization.load_pem_private_key(key_pem, password=None)
        public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        algorithm = _ALGORITHMS[_kind(key)]
    except (ValueError, TypeError, KeyError, UnsupportedAlgorithm):  # never with its own words, which may quote the key
        raise UnusableKey("key_unreadable", "the key is no PEM without a password, of a kind that C2PA knows") from None
    if public != certified:
        raise UnusableKey("key_mismatch", "the first certificate is of another key")
    if now >= signer.not_valid_after_utc:
        raise UnusableKey("certificate_expired", f"the certificate ended at {signer.not_valid_after_utc}")
    if now < signer.not_valid_before_utc:
        raise UnusableKey("certificate_not_yet_valid", f"the certificate begins at {signer.not_valid_before_utc}")
    return SigningKey(
        certificates_pem=_pem(certificates).decode(),
        key_pem=key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
        algorithm=algorithm,
        fingerprint=signer.fingerprint(hashes.SHA256()).hex(),
        expires_at=signer.not_valid_after_utc,
    )


@dataclass(frozen=True, slots=True)
class KnownSigner:
    """By what a signer is known again: the number of the certificate, and in PEM the authorities that gave it out."""

    serial_number: int
    authorities_pem: str

    @classmethod
    def of(cls, certificates_pem: str) -> "KnownSigner":
        """The signer of these certificates."""
        signer, *authorities = x509.load_pem_x509_certificates(certificates_pem.encode())
        return cls(signer.serial_number, _pem(authorities).decode())


_ALGORITHMS = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512", "rsa": "ps256", "ed25519": "ed25519"}
"""Kind of key -> how C2PA signs with it (C2PA 2.4, "Digital signatures")."""


def _kind(key: object) -> str:
    match key:
        case ec.EllipticCurvePrivateKey():
            return key.curve.name
        case rsa.RSAPrivateKey():
            return "rsa"
        case ed25519.Ed25519PrivateKey():
            return "ed25519"
        case _:
            return "unknown"


def _name(common_name: str) -> x509.Name:
    named = ((NameOID.ORGANIZATION_NAME, ORGANIZATION), (NameOID.COMMON_NAME, common_name))
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in named])


def _certificate(
    subject: x509.Name, issuer: x509.Name, public_key: ec.EllipticCurvePublicKey, now: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SLACK)
        .not_valid_after(now + _LIFETIME)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificates: Sequence[x509.Certificate]) -> bytes:
    return b"".join(each.public_bytes(Encoding.PEM) for each in certificates)
