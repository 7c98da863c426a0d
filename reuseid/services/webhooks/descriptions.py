"""The one form of webhooks, deliveries and events that REST answers show: its type, and what makes it."""

from collections.abc import Collection
from datetime import datetime
from typing import Annotated, NotRequired, TypedDict, cast

from reuseid import event_types
from reuseid.actors import Actor, ActorAnswer
from reuseid.event_scopes import READING
from reuseid.models import Delivery, DeliveryAttempt, Event, WebhookEndpoint
from reuseid.services.webhooks import outbox
from reuseid.shapes import Id, Time
from reuseid.times import rfc3339

WEBHOOK_STATES = tuple(choice for choice in WebhookEndpoint.Status.choices if choice[0] != "DELETED")
EventType = Annotated[str, event_types.known]


class Webhook(TypedDict):
    id: Id
    url: str
    description: str
    eventTypes: Annotated[list[EventType], "Empty: all."]
    scopes: Annotated[
        list[Annotated[str, READING]],
        "What its events show now; a client that loses a scope loses it here too.",
    ]
    state: Annotated[str, WEBHOOK_STATES, "Only to an ACTIVE one is sent."]
    stateSince: Time
    disabledReason: Annotated[str, "GONE (it answered 410) or FAILING (for days); empty otherwise."]
    failingSince: Annotated[Time | None, "Since when no attempt succeeded."]
    publicKey: Annotated[str, "`whpk_…`, Ed25519: verifies `v1a` signatures."]
    previousKeysUntil: Annotated[Time | None, "Until then the keys before a rotation sign too."]
    created: Time


class WebhookWithSecret(Webhook):
    secret: Annotated[str, "`whsec_…`: verifies `v1` signatures. Shown this once."]


def describe_webhook(endpoint: WebhookEndpoint) -> Webhook:
    """Without its secrets."""
    return {
        "id": str(endpoint.pk),
        "url": endpoint.url,
        "description": endpoint.description,
        "eventTypes": endpoint.event_types,
        "scopes": endpoint.shown_scopes(),
        "state": endpoint.status,
        "stateSince": rfc3339(endpoint.status_since),
        "disabledReason": endpoint.disabled_reason,
        "failingSince": rfc3339(endpoint.failing_since),
        "publicKey": endpoint.public_key,
        "previousKeysUntil": rfc3339(endpoint.previous_secret_expires_at),
        "created": rfc3339(endpoint.created_at),
    }


def describe_with_secret(endpoint: WebhookEndpoint, secret: str) -> WebhookWithSecret:
    """For who made or rotated it, once."""
    return {**describe_webhook(endpoint), "secret": secret}


class Resent(TypedDict):
    count: Annotated[int, "Deliveries that are owed now."]
    continueFrom: Annotated[Time | None, "Not null: there are more, from this time on."]


def describe_resent(count: int, more: datetime | None) -> Resent:
    """How many are sent again; ``more``: the time from which there are others."""
    return {"count": count, "continueFrom": rfc3339(more)}


class TestEventData(TypedDict):
    """`data` of `webhook.test`."""

    webhookId: Annotated[Id, "The webhook that was tested."]
    actor: ActorAnswer


def describe_test(endpoint: WebhookEndpoint, *, actor: Actor) -> TestEventData:
    """What a test tells."""
    return {"webhookId": str(endpoint.pk), "actor": actor.as_json()}


class EventData(TypedDict):
    """As the event's type has it."""


class EventShape(TypedDict):
    id: Annotated[Id, "The `webhook-id` of its callbacks."]
    type: EventType
    timestamp: Annotated[Time, "When it happened."]
    data: Annotated[EventData, "As in the callback, as far as the token's scopes show it; which of these, `type` says."]


def describe_event(event: Event, scopes: Collection[str]) -> EventShape:
    """Its id, and the members of its body that a reader with these scopes gets."""
    return cast(EventShape, {"id": str(event.id), **outbox.shown(event, scopes)})


class DeliveryShape(TypedDict):
    id: Id
    eventId: Id
    eventType: str
    objectId: Id
    state: Annotated[str, Delivery.Status, "PENDING: owed. FAILED: given up. CANCELED: the webhook is gone."]
    attempts: Annotated[int, "Begun so far, resends included."]
    nextAttempt: Annotated[Time | None, "Null once it is settled."]
    created: Time
    settled: Time | None


class Attempt(TypedDict):
    number: int
    at: Annotated[Time, "When it ended."]
    durationMs: int | None
    httpStatus: Annotated[int | None, "Null: no answer."]
    error: Annotated[str, "Why it failed; empty when it did not."]
    answer: NotRequired[
        Annotated[
            str,
            "The first 2 KiB of the answer's body. Absent for a token that lacks a scope of the webhook: it may "
            "repeat what was sent.",
        ]
    ]


class DeliveryWithAttempts(DeliveryShape):
    attemptLog: list[Attempt]


def describe_delivery(delivery: Delivery) -> DeliveryShape:
    """Without its attempts."""
    owed = delivery.status == Delivery.Status.PENDING
    return {
        "id": str(delivery.pk),
        "eventId": str(delivery.event.id),
        "eventType": delivery.event.type,
        "objectId": str(delivery.object_id),
        "state": delivery.status,
        "attempts": delivery.attempts,
        "nextAttempt": rfc3339(delivery.next_attempt_at) if owed else None,
        "created": rfc3339(delivery.created_at),
        "settled": rfc3339(delivery.settled_at),
    }


def describe_attempts(delivery: Delivery, scopes: Collection[str]) -> DeliveryWithAttempts:
    """With its attempts; what came back only for a reader who may read all that was sent."""
    may_read = all(scope in scopes for scope in delivery.endpoint.scopes)
    attempts = [_attempt(attempt, may_read) for attempt in delivery.attempt_log.all()]
    return {**describe_delivery(delivery), "attemptLog": attempts}


def _attempt(attempt: DeliveryAttempt, may_read: bool) -> Attempt:
    described: Attempt = {
        "number": attempt.number,
        "at": rfc3339(attempt.at),
        "durationMs": attempt.duration_ms,
        "httpStatus": attempt.http_status,
        "error": attempt.error,
    }
    if may_read:
        described["answer"] = attempt.answer
    return described
