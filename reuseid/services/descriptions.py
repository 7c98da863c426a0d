"""The one form of each thing that REST answers and events show."""

from reuseid.actors import shown_actor
from reuseid.models import Attribute, Proofing, TrailEntry, User
from reuseid.times import rfc3339

OF_COLLEAGUES = {"asked_by"}
"""What lines note of colleagues beside the actor."""


def describe_user(user: User, attributes: dict | None = None) -> dict:
    """A user; ``attributes`` (name to value) only where the reader may see values: an event never has them."""
    described = {
        "userId": str(user.pk),
        "externalRef": user.external_ref,
        "segment": user.segment or None,
        "state": user.status,
        "stateSince": rfc3339(user.status_since),
        "lockReason": user.lock_reason or None,
        "lockedUntil": rfc3339(user.locked_until),
        "created": rfc3339(user.created_at),
        "updated": rfc3339(user.updated_at),
        "erasureRequested": rfc3339(user.erasure_requested_at),
        "erased": rfc3339(user.erased_at),
    }
    if attributes is not None:
        described["attributes"] = attributes
    return described


def describe_attribute(attribute: Attribute, value: object) -> dict:
    """One attribute as a record with its provenance."""
    return {
        "name": attribute.name,
        "value": value,
        "source": attribute.source or None,
        "assuranceLevel": attribute.assurance_level or None,
        "verifiedAt": rfc3339(attribute.verified_at),
        "expiresAt": rfc3339(attribute.expires_at),
        "proofingId": attribute.proofing_id and str(attribute.proofing_id),
        "withdrawnAt": rfc3339(attribute.withdrawn_at),
        "created": rfc3339(attribute.created_at),
        "updated": rfc3339(attribute.updated_at),
    }


def describe_proofing(proofing: Proofing, reference: str | None) -> dict:
    """One recorded proofing."""
    return {
        "proofingId": str(proofing.pk),
        "userId": str(proofing.user_id),
        "method": proofing.method,
        "provider": proofing.provider,
        "reference": reference,
        "assuranceLevel": proofing.assurance_level,
        "performedAt": rfc3339(proofing.performed_at),
        "evidenceHash": proofing.evidence_hash or None,
        "state": proofing.status,
        "created": rfc3339(proofing.created_at),
    }


def describe_trail_entry(entry: TrailEntry) -> dict:
    """One line of a person's history as integrators see it: no notes, and of colleagues only that it was one."""
    return {
        "id": str(entry.pk),
        "time": rfc3339(entry.at),
        "action": entry.action,
        "objectType": entry.object_type,
        "objectId": entry.object_id,
        "actor": shown_actor(entry.actor_type, entry.actor_id),
        "reason": entry.reason or None,
        "traceId": entry.trace_id or None,
        "changes": {name: value for name, value in entry.changes.items() if name not in OF_COLLEAGUES},
    }
