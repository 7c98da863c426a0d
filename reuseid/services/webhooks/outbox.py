"""The transactional outbox: an event and the deliveries owed, in the transaction of the change."""

import json
import uuid
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

from django.db.models import Model

from reuseid import crypto, event_scopes
from reuseid.models import Delivery, Event, WebhookEndpoint, kind_of
from reuseid.prepared import Insert, Param, Text, Together, Values
from reuseid.services.wake import wake
from reuseid.times import rfc3339

SEND = "reuseid.tasks.send_owed_callbacks"


def owe(obj: Model, event_type: str, data: Mapping[str, Any], *, user_id: uuid.UUID | None = None) -> Event:
    """Tell the account's endpoints that something happened to ``obj``; ``data`` is the event's ``data`` member.

    Call it after the change of ``obj`` itself, in the same transaction: the lock on the changed row then orders the
    events of one object. A disabled endpoint is owed nothing until it is resumed.
    """
    event = describe(obj, event_type, data, user_id=user_id)
    wake_for(_OWED(event=event, deliveries=event))
    return event


def parts_after(part: str) -> dict[str, Any]:
    """`owe` when ``part`` of a `Together` has written its row: both parts take the event that `describe` gives.

    `wake_for` comes afterwards.
    """
    return {"event": Insert(Event, returning=["sequence"], after=part), "deliveries": Deliveries(after="event")}


def wake_for(done: Mapping[str, Any]) -> None:
    """Wake the sender after commit when the event is owed to anybody."""
    if done["deliveries"] is not None:
        wake(SEND)


def wants(endpoint: WebhookEndpoint, event_type: str) -> bool:
    """Whether the endpoint's filter lets the type through; no filter lets everything through."""
    return not endpoint.event_types or event_type in endpoint.event_types


def write_event(obj: Model, event_type: str, data: Mapping[str, Any], *, user_id: uuid.UUID | None = None) -> Event:
    """The event alone: listed, and owed to nobody yet."""
    event = describe(obj, event_type, data, user_id=user_id)
    _EVENT(event)
    return event


def describe(obj: Model, event_type: str, data: Mapping[str, Any], *, user_id: uuid.UUID | None = None) -> Event:
    """The event, not written yet."""
    event = Event(
        id=uuid.uuid4(),
        account_id=obj.account_id,
        type=event_type,
        object_type=kind_of(obj),
        object_id=obj.pk,
        user_id=user_id or getattr(obj, "user_id", None) or (obj.pk if obj._meta.model_name == "user" else None),
    )
    body = {"type": event_type, "timestamp": rfc3339(datetime.now(UTC)), "data": data}
    event.payload = crypto.seal(_bytes(body), **_place(event))
    return event


def owe_to(endpoints: Collection[WebhookEndpoint], event: Event) -> None:
    """Owe one event to these endpoints and wake the sender after commit."""
    if endpoints:
        _write_deliveries(endpoints, event)
        wake(SEND)


def _write_deliveries(endpoints, event):
    Delivery.objects.bulk_create(
        Delivery(account_id=event.account_id, endpoint=endpoint, event=event, object_id=event.object_id)
        for endpoint in endpoints
    )


class Deliveries:
    """A part of a `Together`: owes the event of the part ``after`` to the endpoints of its account that want it."""

    returning: tuple[str, ...] = ()

    def __init__(self, *, after: str) -> None:
        self.after = after

    def text(self) -> Text:
        """The same as `run`, in SQL."""
        written = {
            "id": "gen_random_uuid()",
            "account_id": "endpoint.account_id",
            "endpoint_id": "endpoint.id",
            "event_id": f"{self.after}.sequence",
            "object_id": "%s",
            "status": "'PENDING'",
            "attempts": "0",
            "attempts_before": "0",
            "next_attempt_at": "STATEMENT_TIMESTAMP()",
            "created_at": "STATEMENT_TIMESTAMP()",
        }
        return Text(
            f"INSERT INTO {Delivery._meta.db_table} ({', '.join(written)}) SELECT {', '.join(written.values())} "  # noqa: S608 - tables and columns
            f"FROM {self.after}, {WebhookEndpoint._meta.db_table} endpoint "
            "WHERE endpoint.account_id = %s AND endpoint.status IN ('ACTIVE', 'PAUSED') "
            "AND (endpoint.event_types = '[]' OR endpoint.event_types @> to_jsonb(%s::text)) RETURNING 1 AS done",
            (Param("object_id"), Param("account_id"), Param("type")),
        )

    @staticmethod
    def values(given: Event) -> Values:
        return lambda name: getattr(given, name)

    def run(self, given: Event, done: Mapping[str, Any]) -> tuple[int] | None:
        """Owe it; None when nobody wants it."""
        endpoints = WebhookEndpoint.objects.filter(
            account_id=given.account_id, status__in=[WebhookEndpoint.Status.ACTIVE, WebhookEndpoint.Status.PAUSED]
        ).only("id", "event_types")
        wanting = [endpoint for endpoint in endpoints if wants(endpoint, given.type)]
        _write_deliveries(wanting, given)
        return (1,) if wanting else None

    @staticmethod
    def written(given: Event, found: tuple[int] | None) -> tuple[int] | None:
        return found


_EVENT = Insert(Event, returning=["sequence"])
_OWED = Together(event=_EVENT, deliveries=Deliveries(after="event"))


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


def body_to_send(event: Event, scopes: Collection[str]) -> tuple[bytes, set[str]]:
    """`body_for`, and the personal texts in it; raises crypto.Unreadable."""
    sent = body_of(event)
    body = json.loads(sent)
    data = event_scopes.reduced(event.object_type, body["data"], scopes)
    if data is not body["data"]:
        sent = _bytes(body | {"data": data})
    return sent, event_scopes.personal_values(event.object_type, data)


def forget(event: Event) -> None:
    """Take out of an event that is still owed what its person's erasure takes at once."""
    body = json.loads(body_of(event))
    body["data"] = event_scopes.erased(event.object_type, body["data"])
    Event.objects.filter(pk=event.pk).update(payload=crypto.seal(_bytes(body), **_place(event)))


def _bytes(body):
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def _place(event):
    return {"account": event.account_id, "table": event._meta.db_table, "row": event.id, "column": "payload"}
