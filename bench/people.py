"""Made-up people in bulk, to measure with. Their values are sealed and indexed as real ones are. PostgreSQL only."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from django.db import connection, transaction

from reuseid import crypto
from reuseid.models import Attribute, Client, User
from reuseid.normalisation import folded_ref
from reuseid.services.people import catalogue

BATCH = 10_000
SEGMENTS = ("retail", "private", "business", "staff")
USER_COLUMNS = "id, account_id, client_id, external_ref, folded_ref, segment, status, lock_reason, version, created_at"
ATTRIBUTE_COLUMNS = "id, account_id, user_id, name, value, blind_index, source, assurance_level"


def fill(account, number: int, run: str) -> Iterator[int]:
    """Make ``number`` users with four attributes each, by COPY; yields how many after each batch.

    The account's API clients made them in turn.
    """
    clients = list(Client.objects.filter(account=account).order_by("pk").values_list("pk", flat=True)) or [None]
    rules = catalogue.rules_for(account, ("email", "phone", "name", "customerSince"))
    begun = datetime.now(UTC) - timedelta(seconds=number)
    for start in range(0, number, BATCH):
        wanted = range(start, min(start + BATCH, number))
        users = [(uuid.uuid4(), index) for index in wanted]
        with transaction.atomic():
            _copy(User, USER_COLUMNS, (_user(account, clients, run, begun, *user) for user in users))
            rows = (row for user_id, index in users for row in _attributes(account, rules, run, user_id, index))
            _copy(Attribute, ATTRIBUTE_COLUMNS, rows)
        yield len(wanted)


def analyze():
    """What autovacuum would do in a while: tell the planner and the visibility map of the new rows."""
    with connection.cursor() as cursor:
        for model in (User, Attribute):
            cursor.execute(f"VACUUM ANALYZE {model._meta.db_table}")


def _copy(model, columns, rows):
    with connection.cursor() as cursor, cursor.copy(f"COPY {model._meta.db_table} ({columns}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def _user(account, clients, run, begun, user_id, index):
    locked, reference = index % 100 == 0, f"{run}-{index}"
    return (
        *(user_id, account.pk, clients[index % len(clients)], reference, folded_ref(reference)),
        SEGMENTS[index % len(SEGMENTS)],
        *(User.Status.LOCKED.value if locked else User.Status.ACTIVE.value, "OTHER" if locked else "", 1),
        begun + timedelta(seconds=index),
    )


def _attributes(account, rules, run, user_id, index):
    values = {
        "email": f"{run}-{index}@example.com",
        "phone": f"+35840{index:07}",
        "name": f"Person Number {index}",
        "customerSince": 1990 + index % 36,
    }
    for name, value in values.items():
        pk = uuid.uuid4()
        place = {"account": account.pk, "table": Attribute._meta.db_table, "row": pk, "column": "value"}
        sealed = crypto.seal(rules[name].encode(value), **place)
        yield pk, account.pk, user_id, name, sealed, rules[name].index(account.pk, value), "bench", ""
