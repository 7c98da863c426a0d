"""What callers send to ReuseID's API."""

from typing import ClassVar

from django.conf import settings
from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from reuseid import event_types
from reuseid.api import examples, patterns
from reuseid.api.examples import example
from reuseid.api.fields import Choice, Flag, Identifier, JSONValue, Moment, Text, Whole
from reuseid.api.serializers import StrictSerializer
from reuseid.event_scopes import READING
from reuseid.models import AssuranceLevel, Proofing
from reuseid.services.people.attributes import Record
from reuseid.services.webhooks import endpoints


@extend_schema_serializer(examples=example(examples.RECORD_SENT))
class RecordBody(StrictSerializer):
    """A value and its provenance."""

    value = JSONValue(help_text="A JSON scalar or small JSON, at most 8192 bytes, encrypted at rest.")
    source = Text(required=False, allow_blank=True, max_length=120, help_text="Where it comes from.", default="")
    assuranceLevel = Choice(
        AssuranceLevel.choices,
        source="assurance_level",
        required=False,
        allow_null=True,
        help_text="Levels of eIDAS, article 8.",
    )
    verifiedAt = Moment(source="verified_at", required=False, allow_null=True, help_text="When it was verified.")
    expiresAt = Moment(
        source="expires_at",
        required=False,
        allow_null=True,
        help_text="From then on it is not among requestedUserAttributes.",
    )
    proofingId = Identifier(
        source="proofing_id", required=False, allow_null=True, help_text="An active proofing of the user."
    )

    def validate(self, attrs):
        """A `Record`."""
        return Record(**{name: value for name, value in attrs.items() if value is not None or name == "value"})


@extend_schema_field(
    {
        "anyOf": [
            {"type": ["string", "number", "boolean"], "pattern": patterns.NO_NUL},
            {"type": "array", "items": {}},
            {"$ref": "#/components/schemas/RecordBody"},
            {"type": "object", "not": {"required": ["value"]}},
        ]
    }
)
class ValueOrRecord(serializers.Field):
    """A bare value, or an object with a member ``value`` and at most the other members of a record."""

    def to_internal_value(self, data):
        if isinstance(data, dict) and "value" in data:
            body = RecordBody(data=data)
            body.is_valid(raise_exception=True)
            return body.validated_data
        return Record(data)


class AttributesField(serializers.DictField):
    """Names to values or records; in a PATCH null deletes."""

    def __init__(self, *, deletes=False, **kwargs):
        self.deletes = deletes
        super().__init__(child=ValueOrRecord(allow_null=deletes), **kwargs)

    def to_internal_value(self, data):
        if not isinstance(data, dict):
            self.fail("not_a_dict", input_type=type(data).__name__)
        if not self.deletes and any(value is None for value in data.values()):
            raise serializers.ValidationError({name: "Null is no value." for name in data if data[name] is None})
        return super().to_internal_value(data)


@extend_schema_serializer(examples=example(examples.PROOFING_SENT))
class ProofingBody(StrictSerializer):
    """A proofing that was done elsewhere."""

    method = Choice(Proofing.Method.choices, help_text="How the person was proofed.")
    provider = Text(max_length=120, help_text="Who did it.")
    reference = Text(
        required=False, allow_null=True, max_length=1000, help_text="The provider's reference; encrypted at rest."
    )
    assuranceLevel = Choice(AssuranceLevel.choices, source="assurance_level", help_text="Levels of eIDAS, article 8.")
    performedAt = Moment(source="performed_at", help_text="When it was done; not in the future.")
    evidenceHash = Text(
        source="evidence_hash",
        required=False,
        allow_blank=True,
        max_length=128,
        help_text="Digest of the evidence that you keep, for instance SHA-256 in hex.",
    )


class _PersonBody(StrictSerializer):
    externalRef = Text(
        source="external_ref",
        required=False,
        allow_null=True,
        max_length=128,
        pattern=patterns.PLAIN,
        help_text="Your own reference: 1 to 128 printable characters, unique in the account.",
    )
    segment = Text(
        required=False, allow_null=True, max_length=64, pattern=patterns.PLAIN, help_text="A group of your own choice."
    )


@extend_schema_serializer(examples=example(examples.PERSON_SENT))
class CreateUserBody(_PersonBody):
    """A new user. Every member is optional, but something must be said of the person."""

    rules: ClassVar = {
        "if": {
            "not": {
                "anyOf": [
                    {"required": ["segment"], "properties": {"segment": {"type": "string"}}},
                    {"required": ["attributes"], "properties": {"attributes": {"minProperties": 1}}},
                    {"required": ["proofing"], "properties": {"proofing": {"type": "object"}}},
                ]
            }
        },
        "then": {"required": ["externalRef"], "properties": {"externalRef": {"type": "string"}}},
    }
    may_be_empty: ClassVar = False

    attributes = AttributesField(required=False, help_text="Name to value or record, at most 200 names.")
    proofing = ProofingBody(
        required=False, allow_null=True, help_text="Recorded, and pointed to by the attributes that name no other."
    )

    def validate(self, attrs):
        """A person of whom nothing is said could be told from no other."""
        if not any(attrs.values()):
            raise serializers.ValidationError({"externalRef": ["Needed, or attributes, a segment or a proofing."]})
        return attrs


@extend_schema_serializer(examples=example(examples.CHANGE_SENT))
class PatchUserBody(_PersonBody):
    """Merge patch (RFC 7396): what is absent stays, null removes."""

    attributes = AttributesField(
        deletes=True, required=False, help_text="Name to value or record; an attribute set to null is deleted."
    )


def _known_reasons():
    # Not an enum: the list is the operator's, and a client made from another one's document must be able to send it.
    return f"^({'|'.join(settings.REASONS)})$"


@extend_schema_serializer(examples=example(examples.REASON_SENT))
class ReasonBody(StrictSerializer):
    """Why."""

    rules: ClassVar = {
        "if": {"properties": {"reason": {"const": "OTHER"}}},
        "then": {"required": ["note"], "properties": {"note": {"pattern": r"\S"}}},
    }

    reason = Text(
        max_length=32,
        pattern=_known_reasons,
        help_text="A code of the configured list; `GET /reuseid/core/reasons` explains each.",
    )
    note = Text(
        required=False, allow_blank=True, max_length=2000, default="", help_text="For your colleagues; OTHER needs it."
    )


@extend_schema_serializer(examples=example(examples.LOCK_SENT))
class LockBody(ReasonBody):
    """Why, and until when."""

    until = Moment(required=False, allow_null=True, help_text="The lock ends by itself then; never unless given.")


_PORT_AND_PATH = r"(:[0-9]{1,5})?([/?][!$-;=?-\[\]_a-z~]*)?"
TARGET = (
    r"^(https://(([A-Za-z0-9_-]+\.)*[A-Za-z][A-Za-z0-9_-]*|([0-9]{1,3}\.){3}[0-9]{1,3})"
    rf"{_PORT_AND_PATH}|http://(localhost|127\.0\.0\.1|\[::1\]){_PORT_AND_PATH})$"
)
"""Where a callback may go: HTTPS, or loopback in development, without credentials or fragment."""
_URL = {
    "max_length": 500,
    "pattern": TARGET,
    "help_text": "Absolute HTTPS address, ASCII, without credentials or fragment. Redirects are not followed.",
}


@extend_schema_serializer(examples=example({}))
class Empty(StrictSerializer):
    """No members."""


@extend_schema_field({"type": "array", "items": {"type": "string", "enum": list(event_types.known())}})
class EventTypes(serializers.ListField):
    """Names of `event_types`; the service says which it does not know."""

    child = Text(max_length=64)


@extend_schema_serializer(examples=example(examples.WEBHOOK_SENT))
class WebhookChange(StrictSerializer):
    url = Text(required=False, **_URL)
    eventTypes = EventTypes(
        max_length=100,
        required=False,
        source="event_types",
        help_text="Only these types are sent; empty: all.",
    )
    description = Text(max_length=200, required=False, allow_blank=True, help_text="For people.")
    scopes = serializers.ListField(
        child=Choice([(scope, scope) for scope in READING]),
        max_length=len(READING),
        required=False,
        help_text=(
            "What its events show beyond ids, of your token's own scopes; all of those unless given. Needed again, and "
            "yours from then on, to change `url` or to add some."
        ),
    )


@extend_schema_serializer(examples=example(examples.WEBHOOK_SENT))
class WebhookCreation(WebhookChange):
    url = Text(**_URL)


@extend_schema_serializer(examples=example({"overlapHours": 24}))
class Rotation(StrictSerializer):
    overlapHours = Whole(
        min_value=0,
        max_value=endpoints.MAX_OVERLAP_HOURS,
        default=24,
        source="overlap_hours",
        help_text="How long the old keys sign too, in hours.",
    )


@extend_schema_serializer(examples=example({"since": examples.BEGAN, "includeDelivered": False}))
class ResendSince(StrictSerializer):
    since = Moment(help_text="Events created at this time or later.")
    includeDelivered = Flag(default=False, source="delivered", help_text="Also what was delivered already.")
