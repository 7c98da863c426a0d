"""Bodies of the webhook calls, as they are read and as they are shown."""

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from reuseid import event_types
from reuseid.api.fields import Choice, Flag, Identifier, JSONValue, Moment, Text, Whole
from reuseid.api.openapi.events import register
from reuseid.api.response_serializers import ActorAnswer
from reuseid.api.serializers import StrictSerializer
from reuseid.event_scopes import READING
from reuseid.models import Delivery, WebhookEndpoint
from reuseid.services.webhooks import endpoints, outbox

DELIVERY_STATES = Delivery.Status.choices
WEBHOOK_STATES = [choice for choice in WebhookEndpoint.Status.choices if choice[0] != "DELETED"]


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


class Empty(StrictSerializer):
    """No members."""


@extend_schema_field({"type": "array", "items": {"type": "string", "enum": list(event_types.known())}})
class EventTypes(serializers.ListField):
    """Names of `event_types`; the service says which it does not know."""

    child = Text(max_length=64)


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


class WebhookCreation(WebhookChange):
    url = Text(**_URL)


class Webhook(serializers.Serializer):
    id = Identifier()
    url = serializers.CharField()
    description = serializers.CharField()
    eventTypes = EventTypes(source="event_types", help_text="Empty: all.")
    scopes = serializers.ListField(
        child=serializers.ChoiceField(READING),
        source="shown_scopes",
        help_text="What its events show now; a client that loses a scope loses it here too.",
    )
    state = serializers.ChoiceField(WEBHOOK_STATES, source="status", help_text="Only to an ACTIVE one is sent.")
    stateSince = Moment(source="status_since")
    disabledReason = serializers.CharField(
        source="disabled_reason", help_text="GONE (it answered 410) or FAILING (for days); empty otherwise."
    )
    failingSince = Moment(source="failing_since", allow_null=True, help_text="Since when no attempt succeeded.")
    publicKey = serializers.CharField(source="public_key", help_text="`whpk_…`, Ed25519: verifies `v1a` signatures.")
    previousKeysUntil = Moment(
        source="previous_secret_expires_at",
        allow_null=True,
        help_text="Until then the keys before a rotation sign too.",
    )
    created = Moment(source="created_at")


class WebhookWithSecret(Webhook):
    secret = serializers.CharField(help_text="`whsec_…`: verifies `v1` signatures. Shown this once.")


class Rotation(StrictSerializer):
    overlapHours = Whole(
        min_value=0,
        max_value=endpoints.MAX_OVERLAP_HOURS,
        default=24,
        source="overlap_hours",
        help_text="How long the old keys sign too, in hours.",
    )


class ResendSince(StrictSerializer):
    since = Moment(help_text="Events created at this time or later.")
    includeDelivered = Flag(default=False, source="delivered", help_text="Also what was delivered already.")


class Resent(serializers.Serializer):
    count = serializers.IntegerField(help_text="Deliveries that are owed now.")
    continueFrom = Moment(allow_null=True, help_text="Not null: there are more, from this time on.")


class TestEventData(serializers.Serializer):
    """`data` of `webhook.test`."""

    webhookId = Identifier(help_text="The webhook that was tested.")
    actor = ActorAnswer()


register("webhook", TestEventData)


class EventData(JSONValue):
    """As `event_shapes` has it for the event's type."""


class EventShape(serializers.Serializer):
    id = Identifier(help_text="The `webhook-id` of its callbacks.")
    type = serializers.ChoiceField(list(event_types.known()))
    timestamp = Moment(help_text="When it happened.")
    data = EventData(help_text="As in the callback, as far as the token's scopes show it; which of these, `type` says.")


class DeliveryShape(serializers.Serializer):
    id = Identifier()
    eventId = Identifier(source="event.id")
    eventType = serializers.CharField(source="event.type")
    objectId = Identifier(source="object_id")
    state = serializers.ChoiceField(
        DELIVERY_STATES,
        source="status",
        help_text="PENDING: owed. FAILED: given up. CANCELED: the webhook is gone.",
    )
    attempts = serializers.IntegerField(help_text="Begun so far, resends included.")
    nextAttempt = Moment(source="next_attempt_at", allow_null=True, help_text="Null once it is settled.")
    created = Moment(source="created_at")
    settled = Moment(source="settled_at", allow_null=True)


class Attempt(serializers.Serializer):
    number = serializers.IntegerField()
    at = Moment(help_text="When it ended.")
    durationMs = serializers.IntegerField(source="duration_ms", allow_null=True)
    httpStatus = serializers.IntegerField(source="http_status", allow_null=True, help_text="Null: no answer.")
    error = serializers.CharField(help_text="Why it failed; empty when it did not.")
    answer = serializers.CharField(
        required=False,
        help_text="The first 2 KiB of the answer's body. Absent for a token that lacks a scope of the webhook: it may "
        "repeat what was sent.",
    )


class DeliveryWithAttempts(DeliveryShape):
    attemptLog = Attempt(many=True, source="attempt_log")


def describe_webhook(endpoint):
    """Without its secrets."""
    return Webhook(endpoint).data


def describe_with_secret(endpoint):
    """For who made or rotated it, once."""
    endpoint.refresh_from_db()
    return {**Webhook(endpoint).data, "secret": endpoints.secret_of(endpoint)}


def describe_delivery(delivery):
    """Without its attempts."""
    return {**DeliveryShape(delivery).data, **_next(delivery)}


def describe_attempts(delivery, scopes):
    """With its attempts; what came back only for a reader who may read all that was sent."""
    described = {**DeliveryWithAttempts(delivery).data, **_next(delivery)}
    if not set(delivery.endpoint.scopes) <= set(scopes):
        for attempt in described["attemptLog"]:
            del attempt["answer"]
    return described


def _next(delivery):
    return {} if delivery.status == Delivery.Status.PENDING else {"nextAttempt": None}


def describe_event(event, scopes):
    """Its id, and the members of its body that a reader with these scopes gets."""
    return {"id": str(event.id), **outbox.shown(event, scopes)}
