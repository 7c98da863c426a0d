"""Made-up phones and operations in bulk, with what they leave behind, to measure lists with. PostgreSQL only.

No phone can use any of it, no event has a body, and no seal covers the lines.
"""

from contextlib import contextmanager

from django.db import connection, transaction

from mobileid.models import Device, Operation
from reuseid.models import Delivery, Event, TrailEntry, User, WebhookEndpoint

# One phone for each person, unlike real ones without a key that could prove anything.
DEVICES = """
INSERT INTO {device} (id, account_id, application_id, user_id, status, lock_reason, name, platform, os_version, model,
  sdk_version, app_version, suite, possession_jwk, possession_thumbprint, key_version, failed_attempts, lock_count,
  push_provider, created_at)
SELECT gen_random_uuid(), account_id, %(application)s, id, CASE WHEN random() < .02 THEN 'LOCKED' ELSE 'ACTIVE' END, '',
  'Phone', (ARRAY['ANDROID', 'IOS'])[1 + floor(random() * 2)::int], '17', 'Bench', '1.0.0', '1.0.0', 2, '{{}}',
  left(id::text, 43), 1, 0, 0, '', created_at
FROM {user} WHERE account_id = %(account)s
"""

# Spread over the last 30 days; one in five ran out. Whoever made the person started them.
OPERATIONS = """
INSERT INTO {operation} (id, account_id, application_id, client_id, user_id, device_id, type, status, failure_reason,
  created_at, started_at, ended_at, expires_at, client_reference, mime_type, content_hash, requested_attributes,
  auth_level, auth_methods, auth_method, broadcast, allow_parallel, binding, return_url, return_hash, confirmation,
  confirmation_attempts, device_name)
SELECT gen_random_uuid(), account_id, application_id, client_id, user_id, id,
  (ARRAY['authentication', 'authentication', 'signature'])[1 + floor(random() * 3)::int],
  (ARRAY['COMPLETED', 'COMPLETED', 'COMPLETED', 'REJECTED', 'EXPIRED'])[1 + floor(random() * 5)::int], '',
  at, at, at + interval '20 seconds', at + interval '2 minutes', '', 'text/plain', '', '[]', 'TWO_FACTOR', '[]',
  'DEVICE_PIN', false, false, 'NONE', '', '', 'NONE', 0, ''
FROM (SELECT {device}.*, client_id, now() - random() * interval '30 days' AS at
  FROM {device} JOIN {user} ON {user}.id = user_id, generate_series(1, %(each)s)
  WHERE {device}.account_id = %(account)s) phones
"""

# What the end of each leaves behind: its event, without a body that opens; its line; a delivery to each endpoint.
EVENTS = """
INSERT INTO {event} (id, account_id, type, object_type, object_id, user_id, payload, created_at)
SELECT gen_random_uuid(), account_id, type || '.' || lower(status), 'operation', id, user_id, '', ended_at
FROM {operation} WHERE account_id = %(account)s ORDER BY ended_at
"""

TRAIL = """
INSERT INTO {trail} (account_id, at, action, object_type, object_id, user_id, actor_type, actor_id, actor_label, reason,
  note, trace_id, changes)
SELECT account_id, ended_at, 'operation.' || lower(status), 'operation', id, user_id, 'DEVICE', device_id, '', '',
  '', '', '{{}}'
FROM {operation} WHERE account_id = %(account)s ORDER BY ended_at
"""

# One in fifty was given up.
DELIVERIES = """
INSERT INTO {delivery} (id, account_id, endpoint_id, event_id, object_id, status, attempts, attempts_before,
  next_attempt_at, created_at, settled_at)
SELECT gen_random_uuid(), account_id, endpoint, sequence, object_id,
  CASE WHEN random() < .02 THEN 'FAILED' ELSE 'SENT' END, 1, 0, created_at, created_at,
  created_at + random() * interval '10 seconds'
FROM (SELECT {event}.*, {endpoint}.id AS endpoint FROM {event} JOIN {endpoint} USING (account_id)
  WHERE account_id = %(account)s) owed
"""

STATEMENTS = {
    Device: DEVICES,
    Operation: OPERATIONS,
    Event: EVENTS,
    TrailEntry: TRAIL,
    Delivery: DELIVERIES,
}
MODELS = {
    "user": User,
    "device": Device,
    "operation": Operation,
    "event": Event,
    "trail": TrailEntry,
    "endpoint": WebhookEndpoint,
    "delivery": Delivery,
}
# Those that no constraint rests on.
INDEXES = """
SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema AND tablename = %s
  AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = format('%%I', indexname)::regclass)
"""


@transaction.atomic
def fill(application, each: int) -> dict[str, int]:
    """A device for each user of the application's account and ``each`` operations for it; returns how many of what."""
    values = {"application": application.pk, "account": application.account_id, "each": each}
    tables = {name: model._meta.db_table for name, model in MODELS.items()}
    made = {}
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for model, statement in STATEMENTS.items():
            with _without_indexes(cursor, model._meta.db_table):
                cursor.execute(statement.format(**tables), values)
                made[model._meta.verbose_name_plural] = cursor.rowcount
    return made


@contextmanager
def _without_indexes(cursor, table):
    """To make them anew afterwards is quicker than to keep them true for millions of rows."""
    cursor.execute(INDEXES, [table])
    found = cursor.fetchall()
    for name, _definition in found:
        cursor.execute(f'DROP INDEX "{name}"')
    yield
    cursor.execute("SET LOCAL maintenance_work_mem = '512MB'")
    for _name, definition in found:
        cursor.execute(definition)


def analyze():
    """What autovacuum would do in a while."""
    with connection.cursor() as cursor:
        for model in MODELS.values():
            cursor.execute(f"VACUUM ANALYZE {model._meta.db_table}")
