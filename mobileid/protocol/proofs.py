"""Proofs: one statement, one JWS signature per factor (docs/protocol.md, section 5; RFC 7515, section 7.2.1).

Reading a proof and verifying it are two steps: the server looks at the possession signature first, and at the
counted factor only once the attempt is reserved.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from jwt.api_jws import PyJWS

from mobileid.protocol import wire
from mobileid.protocol.jwk import (
    DUMMY_POSSESSION_KEY,
    knowledge_public_key,
    public_jwk,
    public_key_from_jwk,
    thumbprint,
)
from mobileid.protocol.statements import (
    INHERENCE,
    KNOWLEDGE,
    METHOD_FACTOR,
    POSSESSION,
    ProofInvalid,
    StatementInvalid,
    check_statement,
    required_factors,
)

__all__ = [
    "DUMMY_POSSESSION_KEY",
    "INHERENCE",
    "KNOWLEDGE",
    "METHOD_FACTOR",
    "POSSESSION",
    "Proof",
    "ProofInvalid",
    "Signature",
    "StatementInvalid",
    "check_statement",
    "knowledge_public_key",
    "parse",
    "public_jwk",
    "public_key_from_jwk",
    "required_factors",
    "thumbprint",
]

TYP = "mobileid-proof+jws"
ALGORITHMS = {POSSESSION: "ES256", KNOWLEDGE: "EdDSA", INHERENCE: "ES256"}
_KEY_TYPES = {
    POSSESSION: EllipticCurvePublicKey,
    KNOWLEDGE: Ed25519PublicKey,
    INHERENCE: EllipticCurvePublicKey,
}
_SIGNATURE_BYTES = 64
_STATEMENT_LIMIT = 8 * 1024
_VERIFIERS = {factor: PyJWS().get_algorithm_by_name(algorithm) for factor, algorithm in ALGORITHMS.items()}


@dataclass(frozen=True)
class Signature:
    """One factor's signature, its two members as they came (b64u)."""

    protected: str
    signature: str


@dataclass(frozen=True)
class Proof:
    """A well-formed proof. `payload` is the statement's bytes as signed; `statement` is what they say, unchecked."""

    payload: bytes
    statement: dict[str, Any]
    signatures: dict[str, Signature] = field(repr=False)

    @property
    def factors(self) -> frozenset[str]:
        """The factors for which there is a signature, good or bad."""
        return frozenset(self.signatures)

    @property
    def device_id(self) -> uuid.UUID | None:
        """The device that the statement names, whatever else is wrong with it; None where it names none."""
        try:
            return uuid.UUID(self.statement["deviceId"])
        except (AttributeError, KeyError, TypeError, ValueError):
            return None

    def require(self, factors: frozenset[str] | set[str]) -> None:
        """Refuse (`ProofInvalid`) a proof signed by other factors than these, were it by one too many."""
        if self.factors != factors:
            raise ProofInvalid("proof.signatures", f"must be by {', '.join(sorted(factors))}")

    def verify(self, factor: str, public_key: EllipticCurvePublicKey | Ed25519PublicKey) -> bool:
        """Whether `factor` signed this statement with that key; a missing signature or a key of another type is no."""
        if factor not in self.signatures or not isinstance(public_key, _KEY_TYPES[factor]):
            return False
        # Its header was read by `parse`: PyJWT need not read the JWS again.
        signed, _, _signature = self.compact(factor).rpartition(".")
        return _VERIFIERS[factor].verify(signed.encode(), public_key, wire.unb64u(self.signatures[factor].signature))

    def compact(self, factor: str) -> str:
        """The factor's signature with the statement as a compact JWS. Never kept for `knowledge`: it tests a PIN."""
        signature = self.signatures[factor]
        return f"{signature.protected}.{wire.b64u(self.payload)}.{signature.signature}"


def parse(proof: Mapping[str, Any]) -> Proof:
    """Read a JWS in general JSON serialisation; no signature is verified yet. Raises `ProofInvalid`."""
    if not isinstance(proof, Mapping) or proof.keys() != {"payload", "signatures"}:
        raise ProofInvalid("proof")
    try:
        payload = wire.unb64u(proof["payload"])
        statement = wire.loads_strict(payload, _STATEMENT_LIMIT)
    except wire.WireError:
        raise ProofInvalid("proof.payload") from None
    if not isinstance(statement, dict):
        raise ProofInvalid("proof.payload")
    items = proof["signatures"]
    if not isinstance(items, list) or not 1 <= len(items) <= len(ALGORITHMS):
        raise ProofInvalid("proof.signatures")
    signatures = dict(_signature(item) for item in items)
    if len(signatures) != len(items):
        raise ProofInvalid("proof.signatures", "has a factor twice")
    return Proof(payload, statement, signatures)


def _signature(item: Any) -> tuple[str, Signature]:
    """`(factor, signature)` of one entry with exactly the protected header that its factor must have."""
    if not isinstance(item, Mapping) or item.keys() != {"protected", "signature"}:
        raise ProofInvalid("proof.signatures")
    try:
        header = wire.loads_strict(wire.unb64u(item["protected"]), 256)
        signature = wire.unb64u(item["signature"])
    except wire.WireError:
        raise ProofInvalid("proof.signatures") from None
    factor = header.get("factor") if isinstance(header, dict) else None
    if not isinstance(factor, str) or factor not in ALGORITHMS:
        raise ProofInvalid("proof.signatures", "has an unknown factor")
    if header != {"alg": ALGORITHMS[factor], "typ": TYP, "factor": factor} or len(signature) != _SIGNATURE_BYTES:
        raise ProofInvalid("proof.signatures")
    return factor, Signature(item["protected"], item["signature"])
