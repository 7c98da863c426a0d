"""The migrations that take checks and indexes away, and back: rows stay, codes and nonces stay unique, so does the trail."""

import pytest
from django.core.management import call_command
from django.db import DatabaseError, IntegrityError, connection, transaction

from mobileid.models import Nonce, Operation
from reuseid.migrations import _brief_locks
from reuseid.models import Event, TrailEntry
from tests import factories
from tests.device_factories import make_application, make_device, make_operation

pytestmark = pytest.mark.django_db(transaction=True)
TABLES = {
    "mobileid_operation": {"account_id", "application_id", "client_id", "user_id", "target_device_id", "device_id"},
    "mobileid_evidence": {"operation_id"},
    "mobileid_nonce": {"operation_id", "device_id"},
    "mobileid_messageanswer": {"account_id", "application_id"},
    "reuseid_event": {"account_id"},
    "reuseid_delivery": {"account_id", "endpoint_id", "event_id"},
    "reuseid_deliveryattempt": {"delivery_id"},
    "reuseid_trailentry": {"account_id"},
    "reuseid_idempotencykey": {"account_id", "client_id"},
}
STILL = {"reuseid_delivery": {"event_id"}, "reuseid_deliveryattempt": {"delivery_id"}}


def checked(table):
    """The columns of the table that the database checks."""
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, table).values()
    return {column for one in found if one["foreign_key"] for column in one["columns"]}


def refused(change, error):
    with pytest.raises(error), transaction.atomic():
        change()


def test_checks_go_and_come_back_and_nothing_else_does(account, owe):
    user = factories.make_user(account)
    make_device(user, make_application(account))
    operations = [make_operation(user) for _ in range(2)]
    Operation.objects.filter(pk=operations[0].pk).update(code_index="code")
    Nonce.objects.create(value="n", purpose="operation", operation=operations[0], expires_at=operations[0].expires_at)
    owe()
    before = [list(model.objects.order_by("pk").values()) for model in (Operation, Nonce, Event, TrailEntry)]

    assert {table: checked(table) for table in TABLES} == {table: STILL.get(table, set()) for table in TABLES}
    call_command("migrate", "mobileid", "0006", verbosity=0)
    call_command("migrate", "reuseid", "0010", verbosity=0)
    assert {table: checked(table) for table in TABLES} == TABLES
    call_command("migrate", verbosity=0)
    assert {table: checked(table) for table in TABLES} == {table: STILL.get(table, set()) for table in TABLES}

    assert [list(model.objects.order_by("pk").values()) for model in (Operation, Nonce, Event, TrailEntry)] == before
    refused(lambda: TrailEntry.objects.update(action="other"), DatabaseError)
    refused(lambda: TrailEntry.objects.all().delete(), DatabaseError)
    refused(lambda: Operation.objects.filter(pk=operations[1].pk).update(code_index="code"), IntegrityError)
    refused(lambda: Nonce.objects.create(value="n", purpose="operation", expires_at=operations[0].expires_at), IntegrityError)


@pytest.mark.postgres
@pytest.mark.parametrize("table", ["reuseid_account", "reuseid_deliveryattempt", "mobileid_operation", "mobileid_device"])
def test_a_reader_who_stays_is_given_way_to_and_nothing_is_lost(table, monkeypatch):
    call_command("migrate", "mobileid", "0008", verbosity=0)
    call_command("migrate", "reuseid", "0010", verbosity=0)
    reader = connection.copy()
    gave_way = []

    def let_others_get_on(seconds):
        gave_way.append(seconds)
        if len(gave_way) == 2:
            reader.rollback()

    monkeypatch.setattr(_brief_locks.time, "sleep", let_others_get_on)
    try:
        reader.set_autocommit(False)
        with reader.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {table} IN ACCESS SHARE MODE")
        call_command("migrate", verbosity=0)
    finally:
        reader.close()
    assert len(gave_way) == 2
    assert {table: checked(table) for table in TABLES} == {table: STILL.get(table, set()) for table in TABLES}
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("0",)
        names = connection.introspection.get_constraints(cursor, "reuseid_deliveryattempt").values()
    assert not any(one["index"] and one["columns"] == ["delivery_id"] for one in names)
