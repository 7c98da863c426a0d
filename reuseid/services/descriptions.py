"""The one form of each thing that REST answers and events show: its type, and what makes it."""

from typing import Annotated, Any, NotRequired, TypedDict, cast

from reuseid.actors import Actor, ActorAnswer, shown_actor
from reuseid.models import AssuranceLevel, Attribute, Proofing, TrailEntry, User
from reuseid.shapes import AT, Id, Time
from reuseid.times import rfc3339

OF_COLLEAGUES = {"asked_by"}
"""What lines note of colleagues beside the actor."""
Level = Annotated[str, AssuranceLevel]
LEVELS = "Levels of eIDAS, article 8."


class _User(TypedDict):
    userId: Annotated[Id, "The service's id of the user."]
    externalRef: Annotated[str | None, "Your own reference, unique in the account."]
    segment: Annotated[str | None, "A group of your own choice."]
    state: Annotated[str, User.Status, "DEACTIVATED is final."]
    stateSince: Annotated[Time, AT]
    lockReason: Annotated[str | None, "While LOCKED: the reason's code."]
    lockedUntil: Annotated[Time | None, "While LOCKED: when the lock ends, if it does."]
    created: Annotated[Time, AT]
    updated: Annotated[Time, AT]
    erasureRequested: Annotated[Time | None, "When erasure was asked for."]
    erased: Annotated[Time | None, "When no personal data was left."]


class UserAnswer(_User, total=False):
    """A person whom the account knows."""

    attributes: Annotated[
        dict[str, Any | None],
        "Name to value. Absent without the scope attributes:read, and in lists that do not ask for it.",
    ]


class UserEventData(_User):
    """`data` of a user's event: the user without attribute values, who changed it and why."""

    actor: ActorAnswer
    reason: Annotated[str | None, "The reason's code, where a person decided."]
    changed: NotRequired[Annotated[list[str], "With `user.updated`: names, an attribute's as `attributes.email`."]]


def describe_user(user: User, attributes: dict[str, Any] | None = None) -> UserAnswer:
    """A user; ``attributes`` (name to value) only where the reader may see values."""
    described = cast(UserAnswer, _user(user))
    if attributes is not None:
        described["attributes"] = attributes
    return described


def describe_user_event(user: User, *, actor: Actor, reason: str, changed: list[str] | None = None) -> UserEventData:
    """What an event tells of a user: never an attribute's value."""
    described = cast(UserEventData, _user(user))
    described["actor"], described["reason"] = actor.as_json(), reason or None
    if changed is not None:
        described["changed"] = changed
    return described


def _user(user: User) -> _User:
    return {
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


class AttributeAnswer(TypedDict):
    """An attribute with its provenance."""

    name: Annotated[str, "Unique for the user."]
    value: Annotated[Any, "A JSON scalar or small JSON."]
    source: Annotated[str | None, "Where it comes from."]
    assuranceLevel: Annotated[Level | None, LEVELS]
    verifiedAt: Annotated[Time | None, AT]
    expiresAt: Annotated[Time | None, AT]
    proofingId: Annotated[Id | None, "The proofing that it comes from."]
    withdrawnAt: Annotated[Time | None, "When that proofing was deactivated."]
    created: Annotated[Time, AT]
    updated: Annotated[Time, AT]


class AttributesAnswer(TypedDict):
    """All attributes of a user, 200 at most, by name."""

    results: list[AttributeAnswer]


def describe_attribute(attribute: Attribute, value: object) -> AttributeAnswer:
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


class ProofingAnswer(TypedDict):
    """A recorded proofing."""

    proofingId: Annotated[Id, "The service's id of the proofing."]
    userId: Annotated[Id, "Whom it proofed."]
    method: Annotated[str, Proofing.Method, "How."]
    provider: Annotated[str, "By whom."]
    reference: Annotated[str | None, "The provider's reference."]
    assuranceLevel: Annotated[Level, LEVELS]
    performedAt: Annotated[Time, AT]
    evidenceHash: Annotated[str | None, "Digest of evidence that you keep."]
    state: Annotated[str, Proofing.Status, "DEACTIVATED is final."]
    created: Annotated[Time, AT]


def describe_proofing(proofing: Proofing, reference: str | None) -> ProofingAnswer:
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


class TrailEntryAnswer(TypedDict):
    """One line of a person's history."""

    id: Annotated[str, "Rises with time."]
    time: Annotated[Time, AT]
    action: Annotated[str, "noun.verb, as in user.locked."]
    objectType: Annotated[str, "What was changed."]
    objectId: Annotated[str, "Its id."]
    actor: ActorAnswer
    reason: Annotated[str | None, "The reason's code."]
    traceId: Annotated[str | None, "X-Trace-Id of the call."]
    changes: Annotated[dict[str, Any], "Names, and values that are not personal."]


def describe_trail_entry(entry: TrailEntry) -> TrailEntryAnswer:
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


class ReasonAnswer(TypedDict):
    """A reason that may be given."""

    code: Annotated[str, "Send this as `reason`."]
    explanation: Annotated[str, "One sentence."]
    needsNote: Annotated[bool, "Whether a note must be given."]


class ReasonsAnswer(TypedDict):
    """The configured list."""

    results: list[ReasonAnswer]


def describe_reasons(sentences: dict[str, str]) -> ReasonsAnswer:
    """The reasons by code, each with its sentence."""
    found = sentences.items()
    return {"results": [{"code": code, "explanation": text, "needsNote": code == "OTHER"} for code, text in found]}
