"""The sender's three statements on PostgreSQL: what has work, claim it, write down what was received.

Each stands for querysets, named with it, that other databases go on to use and tests compare it with: the ORM would
take a dozen statements for the same, and build each anew.

A table in which nearly all is settled looks to the planner as if nothing were owed, so in a rush it would take any way
to that nothing: all that is owed, sorted, for each row anew. The first two are asked within `pinned`, which leaves it
the indexes that have the wanted order: each `LATERAL … ORDER BY … LIMIT` is one probe of its index.

A crash of the server may forget a claim or a settlement: the delivery is made once more, as promised. So these need
not wait for the disk.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from reuseid.models import Client, Delivery, Event, WebhookEndpoint

_ENDPOINT = (
    "id",
    "account_id",
    "scopes",
    "granted_by_id",
    "url",
    "secret",
    "previous_secret",
    "previous_secret_expires_at",
    "signing_key",
    "previous_signing_key",
    "consecutive_failures",
    "open_until",
)

_PINNED = """
SELECT set_config('synchronous_commit', 'off', true), set_config('enable_sort', 'off', true),
    set_config('jit', 'off', true)
"""

# `owed` leaps from endpoint to endpoint through the index of what is owed: what all the others cost, who owe nothing,
# is nothing.
_CANDIDATES = """
WITH RECURSIVE owed(endpoint_id) AS (
    (SELECT endpoint_id FROM reuseid_delivery WHERE status = 'PENDING' ORDER BY endpoint_id LIMIT 1)
    UNION ALL
    SELECT (SELECT next.endpoint_id FROM reuseid_delivery next
            WHERE next.status = 'PENDING' AND next.endpoint_id > owed.endpoint_id ORDER BY next.endpoint_id LIMIT 1)
    FROM owed WHERE owed.endpoint_id IS NOT NULL
)
SELECT endpoint.id, endpoint.account_id, endpoint.scopes, endpoint.granted_by_id, endpoint.url, endpoint.secret,
    endpoint.previous_secret, endpoint.previous_secret_expires_at, endpoint.signing_key, endpoint.previous_signing_key,
    endpoint.consecutive_failures, endpoint.open_until,
    endpoint.previous_secret_expires_at > statement_timestamp() AS overlaps, granter.status, granter.scopes
FROM owed
JOIN reuseid_webhookendpoint endpoint ON endpoint.id = owed.endpoint_id
LEFT JOIN reuseid_client granter ON granter.id = endpoint.granted_by_id
CROSS JOIN LATERAL (
    SELECT 1 FROM reuseid_delivery due
    WHERE due.endpoint_id = owed.endpoint_id AND due.status = 'PENDING'
        AND due.next_attempt_at <= statement_timestamp()
    ORDER BY due.next_attempt_at LIMIT 1
) AS something
WHERE endpoint.status = 'ACTIVE' AND (endpoint.open_until IS NULL OR endpoint.open_until <= statement_timestamp())
    AND endpoint.id <> ALL(%(without)s::uuid[])
ORDER BY random() LIMIT %(limit)s
"""

# `page`: what is due longest; `first`: the earliest event that is still owed about the object. The status is compared
# once in a way that no partial index answers, since the row is found by its key.
_CLAIM = """
WITH mine AS MATERIALIZED (
    SELECT want.endpoint_id, due.count, locked.id
    FROM unnest(%(endpoints)s::uuid[], %(slots)s::int[]) AS want(endpoint_id, slots)
    JOIN reuseid_webhookendpoint endpoint
        ON endpoint.id = want.endpoint_id AND endpoint.status = 'ACTIVE' AND endpoint.open_until IS NULL
    CROSS JOIN LATERAL (
        SELECT count(*) FROM (
            SELECT 1 FROM reuseid_delivery
            WHERE endpoint_id = want.endpoint_id AND status = 'PENDING' AND next_attempt_at <= statement_timestamp()
            ORDER BY next_attempt_at LIMIT %(page)s
        ) AS page
    ) AS due
    LEFT JOIN LATERAL (
        SELECT delivery.id
        FROM (
            SELECT id, object_id FROM reuseid_delivery
            WHERE endpoint_id = want.endpoint_id AND status = 'PENDING' AND next_attempt_at <= statement_timestamp()
            ORDER BY next_attempt_at LIMIT %(page)s
        ) AS page
        CROSS JOIN LATERAL (
            SELECT owed.event_id FROM reuseid_delivery owed
            WHERE owed.endpoint_id = want.endpoint_id AND owed.object_id = page.object_id AND owed.status = 'PENDING'
            ORDER BY owed.event_id LIMIT 1
        ) AS first
        JOIN reuseid_delivery delivery ON delivery.id = page.id AND delivery.event_id = first.event_id
            AND delivery.status <> ALL(ARRAY['SENT', 'FAILED', 'CANCELED'])
            AND delivery.next_attempt_at <= statement_timestamp()
        ORDER BY delivery.next_attempt_at, delivery.event_id
        LIMIT want.slots
        FOR UPDATE OF delivery SKIP LOCKED
    ) AS locked ON true
), claimed AS (
    UPDATE reuseid_delivery delivery
    SET attempts = delivery.attempts + 1,
        next_attempt_at = statement_timestamp() + make_interval(secs => %(lease)s)
    FROM mine, reuseid_event event
    WHERE delivery.id = mine.id AND event.sequence = delivery.event_id
    RETURNING delivery.id, delivery.object_id, delivery.attempts - 1 AS attempts, delivery.attempts_before,
        event.sequence, event.id AS event, event.account_id, event.object_type, event.payload
)
SELECT mine.endpoint_id, mine.count, claimed.* FROM mine LEFT JOIN claimed ON claimed.id = mine.id
"""

# `quick` is for the one transaction that the statement is.
_RECEIVED = """
WITH quick AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true)), outcome AS MATERIALIZED (
    SELECT * FROM unnest(%(ids)s::uuid[], %(attempts)s::int[], %(durations)s::int[], %(statuses)s::int[],
        %(answers)s::text[]) AS outcome(delivery_id, attempt, duration_ms, http_status, answer)
), held AS MATERIALIZED (
    SELECT delivery.id FROM quick, outcome
    JOIN reuseid_delivery delivery ON delivery.id = outcome.delivery_id AND delivery.attempts = outcome.attempt
        AND delivery.status <> ALL(ARRAY['SENT', 'FAILED', 'CANCELED'])
    ORDER BY delivery.id FOR UPDATE OF delivery
), sent AS (
    UPDATE reuseid_delivery delivery SET status = 'SENT', settled_at = statement_timestamp()
    FROM held WHERE delivery.id = held.id
)
INSERT INTO reuseid_deliveryattempt (delivery_id, number, at, duration_ms, http_status, error, answer)
SELECT delivery_id, attempt, statement_timestamp(), duration_ms, http_status, '', answer FROM outcome
ON CONFLICT DO NOTHING
"""


@contextmanager
def pinned() -> Iterator[None]:
    """A transaction for `candidates` and `claim`, which sorts nothing that an index has in order.

    Where something is to be sorted all the same, that looks too dear to be run uncompiled: it is not.
    """
    with transaction.atomic():
        _fetch(_PINNED, None)
        yield


def _fetch(sql, values):
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall() if cursor.description else []


def candidates(without: Collection[UUID], limit: int) -> list[WebhookEndpoint]:
    """Stands for ``WebhookEndpoint.objects.with_work().exclude(pk__in=without).order_by("?")[:limit]``.

    Only what a claim needs of them is loaded, and ``overlaps``: whether the keys before these sign, too.
    """
    return [_as_endpoint(*row) for row in _fetch(_CANDIDATES, {"without": list(without), "limit": limit})]


def _as_endpoint(*row):
    *values, overlaps, status, scopes = row
    endpoint = _load(WebhookEndpoint, dict(zip(_ENDPOINT, values, strict=True)))
    endpoint.scopes, endpoint.overlaps = json.loads(endpoint.scopes), bool(overlaps)
    granter = status and {"id": endpoint.granted_by_id, "status": status, "scopes": json.loads(scopes)}
    endpoint.granted_by = _load(Client, granter) if granter else None
    return endpoint


def _load(model, values):
    # Django takes them in the order of the model's fields.
    names = [field.attname for field in model._meta.concrete_fields if field.attname in values]
    return model.from_db(connection.alias, names, [values[name] for name in names])


def claim(wanted: Mapping[UUID, int], page: int) -> tuple[dict[UUID, list[Delivery]], set[UUID]]:
    """Stands for `deliveries.claim` of several healthy endpoints (``wanted`` slots by id), for its first page.

    Gives the rows as they were before, each with its event, and the endpoints whose page was full.
    """
    values = {"endpoints": list(wanted), "slots": list(wanted.values()), "page": page, "lease": settings.CALLBACK_LEASE}
    rows: dict[UUID, list[Delivery]] = {}
    full = set()
    for endpoint_id, count, *claimed in _fetch(_CLAIM, values):
        if count >= page:
            full.add(endpoint_id)
        if claimed[0] is not None:
            rows.setdefault(endpoint_id, []).append(_as_delivery(*claimed))
    return rows, full


def _as_delivery(*row):
    pk, object_id, attempts, before, sequence, event, account, kind, payload = row
    delivery = _load(Delivery, {"id": pk, "object_id": object_id, "attempts": attempts, "attempts_before": before})
    delivery.event = _load(
        Event, {"sequence": sequence, "id": event, "account_id": account, "object_type": kind, "payload": payload}
    )
    return delivery


def write_received(received: Sequence[Any]) -> None:
    """Stands for `deliveries.settle` of receipts of first attempts: settled under their fences, and logged.

    The rows are locked in one order, so that two senders whose leases overlapped don't lock each other out.
    """
    values = {
        "ids": [outcome.claim.delivery_id for outcome in received],
        "attempts": [outcome.claim.attempt for outcome in received],
        "durations": [outcome.duration_ms for outcome in received],
        "statuses": [outcome.status for outcome in received],
        "answers": [outcome.answer for outcome in received],
    }
    # A statement by itself is its own transaction; within another (that of a test) its failure must end only itself.
    with transaction.atomic() if connection.in_atomic_block else nullcontext():
        _fetch(_RECEIVED, values)
