"""Keys: P-256 as JWK (RFC 7517), Ed25519 as raw bytes, and the service's own signatures with ES256."""

import hashlib
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from jwt.api_jws import PyJWS

from mobileid.protocol import wire

_JWS = PyJWS(algorithms=["ES256"])
_MEMBERS = {"kty", "crv", "x", "y"}
_FIELD = 2**255 - 19
# The y coordinates of the eight points of small order. Under such a key a signature verifies that needed no
# secret.
_SMALL_ORDER = {
    0,
    1,
    _FIELD - 1,
    int.from_bytes(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little"),
    int.from_bytes(bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"), "little"),
}


def public_key_from_jwk(jwk: Mapping[str, Any]) -> EllipticCurvePublicKey:
    """The P-256 key of a JWK with exactly `kty crv x y`; anything else, or a point off the curve, is a `ValueError`."""
    if not isinstance(jwk, Mapping) or jwk.keys() != _MEMBERS or (jwk["kty"], jwk["crv"]) != ("EC", "P-256"):
        raise ValueError("not a P-256 public JWK")
    x, y = wire.unb64u(jwk["x"]), wire.unb64u(jwk["y"])
    if len(x) != 32 or len(y) != 32:
        raise ValueError("a coordinate of the wrong length")
    return EllipticCurvePublicKey.from_encoded_point(SECP256R1(), b"\x04" + x + y)


def public_jwk(key: EllipticCurvePublicKey) -> dict[str, str]:
    """The JWK of a P-256 key, members in the order of RFC 7638."""
    numbers = key.public_numbers()
    x, y = (wire.b64u(n.to_bytes(32, "big")) for n in (numbers.x, numbers.y))
    return {"crv": "P-256", "kty": "EC", "x": x, "y": y}


def thumbprint(jwk: Mapping[str, Any]) -> str:
    """RFC 7638 with SHA-256, b64u."""
    return wire.thumbprint(jwk)


def knowledge_public_key(raw: bytes) -> Ed25519PublicKey:
    """The Ed25519 key of 32 bytes; another length, another encoding, or small order is a `ValueError`."""
    y = int.from_bytes(raw, "little") & (2**255 - 1)
    if len(raw) != 32 or y >= _FIELD or y in _SMALL_ORDER:
        raise ValueError("not an Ed25519 public key")
    return Ed25519PublicKey.from_public_bytes(raw)


def sign_es256(
    private_key: EllipticCurvePrivateKey | str | bytes, payload: Mapping[str, Any], headers: Mapping[str, Any]
) -> str:
    """A compact JWS by a P-256 key or its unencrypted PEM; `headers` besides `alg`."""
    if isinstance(private_key, str):
        private_key = private_key.encode()
    if isinstance(private_key, bytes):
        private_key = load_pem_private_key(private_key, password=None)  # type: ignore[assignment]
    return _JWS.encode(wire.dumps(dict(payload)), private_key, algorithm="ES256", headers=dict(headers))


def _dummy() -> EllipticCurvePublicKey:
    """A point hashed onto the curve: no one knows its private key, and everyone can see that."""
    for counter in range(256):
        x = hashlib.sha256(b"mobileid/1 dummy possession key" + bytes([counter])).digest()
        try:
            return EllipticCurvePublicKey.from_encoded_point(SECP256R1(), b"\x02" + x)
        except ValueError:
            continue
    raise AssertionError("half of all x are on the curve")


DUMMY_POSSESSION_KEY = _dummy()
"""Verified against when a device is unknown, so that the refusal costs what it costs for a known one."""
