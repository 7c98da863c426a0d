"""Making proofs: one statement, a signature per factor (docs/protocol.md, section 5)."""

from collections.abc import Callable, Mapping
from typing import Any

from mobileid.protocol import wire

Signer = Callable[[bytes], bytes]
_ALGORITHMS = {"possession": "ES256", "knowledge": "EdDSA", "inherence": "ES256"}


def sign(statement: bytes, signers: Mapping[str, Signer]) -> dict[str, Any]:
    """The JWS in general JSON serialisation (RFC 7515, 7.2.1) of a statement by each factor's signer."""
    payload = wire.b64u(statement)
    signatures = []
    for factor, signer in signers.items():
        header = {"alg": _ALGORITHMS[factor], "typ": "mobileid-proof+jws", "factor": factor}
        protected = wire.b64u(wire.dumps(header))
        signature = signer(f"{protected}.{payload}".encode())
        signatures.append({"protected": protected, "signature": wire.b64u(signature)})
    return {"payload": payload, "signatures": signatures}


def message(application_id: str, device_id: str, path: str, mid: str, iat: int) -> dict[str, Any]:
    """The statement of every message that has no other: this device, this path, this message."""
    return {
        "typ": "message",
        "applicationId": application_id,
        "deviceId": device_id,
        "path": path,
        "mid": mid,
        "iat": iat,
    }
