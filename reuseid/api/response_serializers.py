"""What ReuseID's API answers, for the OpenAPI document; the answers themselves are made by services/descriptions."""

from rest_framework import serializers

from reuseid.actors import ActorKind
from reuseid.api.openapi.events import register
from reuseid.models import AssuranceLevel, Proofing, User

TIME = "RFC 3339, UTC, milliseconds."


class UserAnswer(serializers.Serializer):
    """A person whom the account knows."""

    userId = serializers.UUIDField(help_text="The service's id of the user.")
    externalRef = serializers.CharField(allow_null=True, help_text="Your own reference, unique in the account.")
    segment = serializers.CharField(allow_null=True, help_text="A group of your own choice.")
    state = serializers.ChoiceField(User.Status.choices, help_text="DEACTIVATED is final.")
    stateSince = serializers.DateTimeField(help_text=TIME)
    lockReason = serializers.CharField(allow_null=True, help_text="While LOCKED: the reason's code.")
    lockedUntil = serializers.DateTimeField(allow_null=True, help_text="While LOCKED: when the lock ends, if it does.")
    created = serializers.DateTimeField(help_text=TIME)
    updated = serializers.DateTimeField(help_text=TIME)
    erasureRequested = serializers.DateTimeField(allow_null=True, help_text="When erasure was asked for.")
    erased = serializers.DateTimeField(allow_null=True, help_text="When no personal data was left.")
    attributes = serializers.DictField(
        child=serializers.JSONField(allow_null=True),
        required=False,
        help_text="Name to value. Absent without the scope attributes:read, and in lists that do not ask for it.",
    )


class ActorAnswer(serializers.Serializer):
    """Who did it."""

    type = serializers.ChoiceField([kind.value for kind in ActorKind], help_text="What kind of actor.")
    id = serializers.CharField(
        required=False,
        help_text="Its id: a client id or a device id. Absent for STAFF: our support finds by traceId who.",
    )


class UserEventData(UserAnswer):
    """`data` of a user's event: the user without attribute values, who changed it and why."""

    attributes = None
    actor = ActorAnswer()
    reason = serializers.CharField(allow_null=True, help_text="The reason's code, where a person decided.")
    changed = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        help_text="With `user.updated`: names, an attribute's as `attributes.email`.",
    )


register("user", UserEventData)


class AttributeAnswer(serializers.Serializer):
    """An attribute with its provenance."""

    name = serializers.CharField(help_text="Unique for the user.")
    value = serializers.JSONField(help_text="A JSON scalar or small JSON.")
    source = serializers.CharField(allow_null=True, help_text="Where it comes from.")
    assuranceLevel = serializers.ChoiceField(
        AssuranceLevel.choices, allow_null=True, help_text="Levels of eIDAS, article 8."
    )
    verifiedAt = serializers.DateTimeField(allow_null=True, help_text=TIME)
    expiresAt = serializers.DateTimeField(allow_null=True, help_text=TIME)
    proofingId = serializers.UUIDField(allow_null=True, help_text="The proofing that it comes from.")
    withdrawnAt = serializers.DateTimeField(allow_null=True, help_text="When that proofing was deactivated.")
    created = serializers.DateTimeField(help_text=TIME)
    updated = serializers.DateTimeField(help_text=TIME)


class AttributesAnswer(serializers.Serializer):
    """All attributes of a user, 200 at most, by name."""

    results = AttributeAnswer(many=True)


class ProofingAnswer(serializers.Serializer):
    """A recorded proofing."""

    proofingId = serializers.UUIDField(help_text="The service's id of the proofing.")
    userId = serializers.UUIDField(help_text="Whom it proofed.")
    method = serializers.ChoiceField(Proofing.Method.choices, help_text="How.")
    provider = serializers.CharField(help_text="By whom.")
    reference = serializers.CharField(allow_null=True, help_text="The provider's reference.")
    assuranceLevel = serializers.ChoiceField(AssuranceLevel.choices, help_text="Levels of eIDAS, article 8.")
    performedAt = serializers.DateTimeField(help_text=TIME)
    evidenceHash = serializers.CharField(allow_null=True, help_text="Digest of evidence that you keep.")
    state = serializers.ChoiceField(Proofing.Status.choices, help_text="DEACTIVATED is final.")
    created = serializers.DateTimeField(help_text=TIME)


class TrailEntryAnswer(serializers.Serializer):
    """One line of a person's history."""

    id = serializers.CharField(help_text="Rises with time.")
    time = serializers.DateTimeField(help_text=TIME)
    action = serializers.CharField(help_text="noun.verb, as in user.locked.")
    objectType = serializers.CharField(help_text="What was changed.")
    objectId = serializers.CharField(help_text="Its id.")
    actor = ActorAnswer()
    reason = serializers.CharField(allow_null=True, help_text="The reason's code.")
    traceId = serializers.CharField(allow_null=True, help_text="X-Trace-Id of the call.")
    changes = serializers.DictField(child=serializers.JSONField(), help_text="Names, and values that are not personal.")


class TrailProofAnswer(serializers.Serializer):
    """That a line was sealed as it is: an inclusion proof (RFC 9162, 2.1.3)."""

    entry = serializers.CharField(
        help_text="What the leaf hashes, byte for byte: JSON in ASCII, `line` as the list shows it and a `digest` of "
        "all that is kept of it."
    )
    leafIndex = serializers.IntegerField(min_value=0, help_text="Its place among the leaves, counted from 0.")
    auditPath = serializers.ListField(
        child=serializers.RegexField("^[0-9a-f]{64}$"), help_text="SHA-256 hashes in hex, the lowest first."
    )
    seal = serializers.CharField(
        help_text="Compact JWS (EdDSA) of `/.well-known/trail-keys.json`; it names `rootHash` and `treeSize`."
    )


class ReasonAnswer(serializers.Serializer):
    """A reason that may be given."""

    code = serializers.CharField(help_text="Send this as `reason`.")
    explanation = serializers.CharField(help_text="One sentence.")
    needsNote = serializers.BooleanField(help_text="Whether a note must be given.")


class ReasonsAnswer(serializers.Serializer):
    """The configured list."""

    results = ReasonAnswer(many=True)
