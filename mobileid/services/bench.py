"""Made-up phones and operations in bulk, to measure lists with. PostgreSQL only; no phone can use any of it."""

from django.db import connection, transaction

from mobileid.models import Device, Operation
from reuseid.models import User

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


def tables():
    """The names that the statements need."""
    return {"device": Device._meta.db_table, "operation": Operation._meta.db_table, "user": User._meta.db_table}


@transaction.atomic
def fill(application, each: int) -> tuple[int, int]:
    """A device for each user of the application's account and ``each`` operations for it; returns how many of both."""
    values = {"application": application.pk, "account": application.account_id, "each": each}
    with connection.cursor() as cursor:
        cursor.execute(DEVICES.format(**tables()), values)
        devices = cursor.rowcount
        cursor.execute(OPERATIONS.format(**tables()), values)
        return devices, cursor.rowcount


def analyze():
    """What autovacuum would do in a while."""
    with connection.cursor() as cursor:
        for model in (Device, Operation):
            cursor.execute(f"VACUUM ANALYZE {model._meta.db_table}")
