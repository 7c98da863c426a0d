"""P-256 key pairs of the service, as they are stored: private halves as PKCS 8, public ones as JWK."""

from typing import TypeVar, cast

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_der_private_key

from mobileid.models import SigningKey, TrustAnchor
from mobileid.protocol.jwk import public_jwk
from reuseid.models.sealed import seal_field, unseal_field

Row = TypeVar("Row", TrustAnchor, SigningKey)


def fill(row: Row) -> Row:
    """Give a TrustAnchor or SigningKey that is not saved yet a new key pair."""
    key = ec.generate_private_key(ec.SECP256R1())
    row.public_jwk = public_jwk(key.public_key())
    seal_field(row, "private_key", key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))
    return row


def load(row: TrustAnchor | SigningKey) -> ec.EllipticCurvePrivateKey:
    """The private key of a row; crypto.Unreadable when its key-encryption key is not configured."""
    return cast(ec.EllipticCurvePrivateKey, load_der_private_key(unseal_field(row, "private_key"), password=None))
