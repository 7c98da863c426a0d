"""What is kept of an approval so that anyone can verify it offline, years later (docs/protocol.md, chapter 9)."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

from mobileid.models import AuthMethod, Device, Evidence, Operation
from mobileid.protocol import consent, proofs
from mobileid.protocol.proofs import Proof
from mobileid.services.keys.channel import server_of
from mobileid.services.keys.signing import current_signing_key
from reuseid.models.sealed import seal_field, unseal_field


@dataclass(frozen=True, slots=True)
class Record:
    """The evidence, not yet saved, and the columns that go with the operation's change."""

    evidence: Evidence
    changes: dict


def record_of(operation: Operation, device: Device, proof: Proof, auth_method: str) -> Record:
    """The possession signature over the statement and the key that made it; for a signature, the consent JWT too."""
    compact = proof.compact(proofs.POSSESSION)
    evidence = Evidence(
        operation=operation,
        proof=compact,
        device_jwk=device.possession_jwk,
        device_thumbprint=device.possession_thumbprint,
        auth_method=auth_method,
        at=datetime.now(UTC),
    )
    changes = {}
    if operation.type == Operation.Type.SIGNATURE:
        seal_field(operation, "signature", _consent(operation, device, compact, auth_method, evidence.at).encode())
        changes["signature"] = operation.signature
    return Record(evidence, changes)


def _consent(operation: Operation, device: Device, compact: str, auth_method: str, at: datetime) -> str:
    kid, private_key = current_signing_key(operation.account_id)
    claims = consent.consent_claims(
        issuer=server_of(device.application),
        audience=operation.client.client_id if operation.client else str(operation.account_id),
        subject=str(operation.user_id),
        jti=str(uuid.uuid4()),
        issued_at=at,
        operation_id=str(operation.pk),
        auth_method=auth_method,
        acr="ONE_FACTOR" if auth_method == AuthMethod.DEVICE else "TWO_FACTOR",
        title=unseal_field(operation, "title").decode(),
        mime_type=operation.mime_type,
        data=unseal_field(operation, "content"),
        device_id=str(device.pk),
        device_thumbprint=device.possession_thumbprint,
        proof=compact,
    )
    return consent.consent_jwt(private_key, kid, claims)
