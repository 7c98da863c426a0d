"""The consent JWT (docs/protocol.md, section 9): the service's signature around the phone's.

Verifies offline with any JOSE library: the service's key is in the JWKS for good, and the phone's proof
travels inside.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from mobileid.protocol import wire
from mobileid.protocol.jwk import sign_es256

TYP = "mobileid-consent+jwt"
CONTENT_LIMIT = 16 * 1024
"""Bytes of the largest content that travels inside the JWT; of a larger one, only its hash does."""
AMR = {"DEVICE": ["hwk"], "DEVICE_PIN": ["hwk", "pin"], "DEVICE_BIOMETRIC": ["hwk", "user"]}
"""RFC 8176 names. Biometry is "user": the phone says that it recognised its owner, not by what."""


def consent_claims(
    *,
    issuer: str,
    audience: str,
    subject: str,
    jti: str,
    issued_at: datetime | int,
    operation_id: str,
    auth_method: str,
    acr: str,
    title: str,
    mime_type: str,
    data: bytes,
    device_id: str,
    device_thumbprint: str,
    proof: str,
) -> dict[str, Any]:
    """The claims of one completed signature operation.

    `issued_at` is an aware datetime or Unix seconds; `device_thumbprint` is RFC 7638 of the key that made
    `proof`, the device's compact JWS by possession or inherence. A knowledge signature is refused: it would
    test PINs offline.
    """
    if wire.loads_strict(wire.unb64u(proof.partition(".")[0])).get("factor") == "knowledge":
        raise ValueError("a knowledge signature is never kept")
    return {
        "iss": issuer,
        "aud": audience,
        "sub": subject,
        "jti": jti,
        "iat": issued_at if isinstance(issued_at, int) else int(issued_at.timestamp()),
        "txn": operation_id,
        "amr": AMR[auth_method],
        "acr": acr,
        "content": _content(title, mime_type, data),
        "device": {"id": device_id, "jkt": device_thumbprint},
        "proof": proof,
    }


def _content(title: str, mime_type: str, data: bytes) -> dict[str, str]:
    content = {"title": title, "mimeType": mime_type, "sha256": wire.b64u(hashlib.sha256(data).digest())}
    return content | ({"data": wire.b64u(data)} if len(data) <= CONTENT_LIMIT else {})


def consent_jwt(private_key: EllipticCurvePrivateKey | str | bytes, kid: str, claims: Mapping[str, Any]) -> str:
    """Sign the claims with the account's signing key (P-256 or unencrypted PEM), `kid` in the JWKS."""
    return sign_es256(private_key, claims, {"typ": TYP, "kid": kid})
