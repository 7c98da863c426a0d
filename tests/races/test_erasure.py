"""An erasure beside what reads the same person: nothing is done twice, and no copy slips through."""

import threading
import time

import pytest
from django.db import connection

from reuseid.actors import SYSTEM, Actor
from reuseid.models import AttributeKey, Export, ExportPart, TrailEntry, User
from reuseid.models.sealed import unseal_field
from reuseid.services.jobs import erasures, exports
from reuseid.services.people import erasure
from tests import factories
from tests.rivals import race
from tests.staff_factories import make_colleague

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
VALUE = "anna@secret.example"


@pytest.fixture
def people(account):
    found = [factories.make_user(account, attributes={"email": VALUE}) for _ in range(6)]
    for user in found:
        erasure.request(user, actor=SYSTEM, reason="CUSTOMER_REQUEST")
    return found


def until_somebody_waits():
    """Until a connection of this test waits for a row that another one holds."""
    end = time.monotonic() + 20
    with connection.cursor() as cursor:
        while time.monotonic() < end:
            # A transaction sees what was so when it first looked.
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
            )
            if cursor.fetchone()[0]:
                return
    pytest.fail("nobody waits")


def test_two_sweeps_erase_each_person_once(people):
    race(*[lambda: [erasures.carry_out(limit=2) for _ in range(8)]] * 3)
    assert not User.objects.filter(erased_at=None).exists()
    assert TrailEntry.objects.filter(action="user.erased").count() == len(people)


def test_an_export_that_is_being_made_meanwhile_keeps_nothing(account, people, monkeypatch):
    kim = make_colleague("kim", "Senior support", account)
    AttributeKey.objects.create(account=account, name="email")
    exports.ask(
        account, actor=Actor.staff(kim), kind="users", reason="OTHER", note="x", attributes=True, sensitive=True
    )
    write, has_read = exports._write, threading.Event()

    def slowly(export, text, **changes):
        if VALUE in text:
            has_read.set()
            until_somebody_waits()
        write(export, text, **changes)

    monkeypatch.setattr(exports, "_write", slowly)

    def erase():
        assert has_read.wait(20)
        return erasures.carry_out()

    made, erased = race(exports.make_owed, erase)
    assert (made, erased) == (True, len(people))
    assert Export.objects.get().status == "READY"
    content = b"".join(unseal_field(part, "content") for part in ExportPart.objects.order_by("number"))
    assert content.startswith(b'"userId"')
    assert VALUE.encode() not in content
