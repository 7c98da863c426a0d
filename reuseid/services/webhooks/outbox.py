"""The transactional outbox: an event and the deliveries owed, in the transaction of the change."""

import json
import uuid
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

from django.db.models import Model

from reuseid import crypto, event_scopes
from reuseid.models import Delivery, Event, WebhookEndpoint, kind_of
from reuseid.services.wake import wake
from reuseid.times import rfc3339

SEND = "reuseid.tasks.send_owed_callbacks"


def owe(obj: Model, event_type: str, data: Mapping[str, Any], *, user_id: uuid.UUID | None = None) -> Event:
    """Tell the account's endpoints that something happened to ``obj``; ``data`` is the event's ``data`` member.

    Call it after the change of ``obj`` itself, in the same transaction: the lock on the changed row then orders the
    events of one object. A disabled endpoint is owed nothing until it is resumed.
    """
    event = write_event(obj, event_type, data, user_id=user_id or getattr(obj, "user_id", None))
    endpoints = WebhookEndpoint.objects.filter(
        account_id=obj.account_id, status__in=[WebhookEndpoint.Status.ACTIVE, WebhookEndpoint.Status.PAUSED]
    ).only("id", "event_types")
    owe_to([endpoint for endpoint in endpoints if wants(endpoint, event_type)], event)
    return event


def wants(endpoint: WebhookEndpoint, event_type: str) -> bool:
    """Whether the endpoint's filter lets the type through; no filter lets everything through."""
    return not endpoint.event_types or event_type in endpoint.event_types


def write_event(obj: Model, event_type: str, data: Mapping[str, Any], *, user_id: uuid.UUID | None = None) -> Event:
    """The event alone: listed, and owed to nobody yet."""
    event = Event(
        id=uuid.uuid4(),
        account_id=obj.account_id,
        type=event_type,
        object_type=kind_of(obj),
        object_id=obj.pk,
        user_id=user_id or (obj.pk if obj._meta.model_name == "user" else None),
    )
    body = {"type": event_type, "timestamp": rfc3339(datetime.now(UTC)), "data": data}
    event.payload = crypto.seal(_bytes(body), **_place(event))
    event.save(force_insert=True)
    return event


def owe_to(endpoints: Collection[WebhookEndpoint], event: Event) -> None:
    """Owe one event to these endpoints and wake the sender after commit."""
    if endpoints:
        Delivery.objects.bulk_create(
            Delivery(account_id=event.account_id, endpoint=endpoint, event=event, object_id=event.object_id)
            for endpoint in endpoints
        )
        wake(SEND)


def body_of(event: Event) -> bytes:
    """The whole body, as nobody but a reader with every scope gets it; raises crypto.Unreadable."""
    return crypto.unseal(event.payload, **_place(event))


def body_for(event: Event, scopes: Collection[str]) -> bytes:
    """The body for a reader with these scopes, byte for byte the same while those are; raises crypto.Unreadable."""
    return _bytes(shown(event, scopes))


def shown(event: Event, scopes: Collection[str]) -> dict:
    """The members of the body for a reader with these scopes; raises crypto.Unreadable."""
    body = json.loads(body_of(event))
    return body | {"data": event_scopes.reduced(event.object_type, body["data"], scopes)}


def personal_in(event: Event, body: bytes) -> set[str]:
    """The personal texts in a body that is about to be sent."""
    return event_scopes.personal_values(event.object_type, json.loads(body)["data"])


def forget(event: Event) -> None:
    """Take out of an event that is still owed what its person's erasure takes at once."""
    body = json.loads(body_of(event))
    body["data"] = event_scopes.erased(event.object_type, body["data"])
    Event.objects.filter(pk=event.pk).update(payload=crypto.seal(_bytes(body), **_place(event)))


def _bytes(body):
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def _place(event):
    return {"account": event.account_id, "table": event._meta.db_table, "row": event.id, "column": "payload"}
