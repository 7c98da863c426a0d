"""No sweep is held up by the rows of one account: they take their turn, and what fails is passed over."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from mobileid import tasks as phone_tasks
from mobileid.models import ChannelKey, Device, Nonce, Operation
from mobileid.services import completion, devices
from mobileid.services.keys import channel
from reuseid import tasks
from reuseid.actors import SYSTEM, Actor
from reuseid.models import ApprovalRequest, Attribute, BulkRun, Delivery, Event, Export, IdempotencyKey, User
from reuseid.services import purging, sweeping
from reuseid.services.jobs import bulk, erasures, exports
from reuseid.services.people import approvals, erasure, users
from reuseid.services.webhooks import endpoints, outbox
from tests import factories
from tests.device_factories import make_application, make_device, make_operation, overdue
from tests.staff_factories import make_colleague

pytestmark = pytest.mark.django_db
BROKEN = b"\x01\x03dev" + bytes(60)


@pytest.fixture(autouse=True)
def _nothing_failed_before():
    sweeping._failed.clear()


@pytest.fixture
def erased_soon():
    """`erased_soon(account)`: a person with attributes whose erasure is asked for."""

    def make(account):
        user = factories.make_user(account, attributes={"email": "a@example.com"})
        erasure.request(user, actor=SYSTEM, reason="CUSTOMER_REQUEST")
        return user

    return make


def test_people_who_are_owed_to_a_paused_endpoint_hold_up_nobody_elses_erasure(account, other_account, erased_soon):
    endpoint = endpoints.create(account, url="https://93.184.216.34/hook", actor=SYSTEM, scopes=["users:read"])
    endpoints.pause(endpoint, actor=SYSTEM)
    stuck = [erased_soon(account) for _ in range(6)]
    other = erased_soon(other_account)
    assert erasures.carry_out(limit=3) == 1
    assert User.objects.get(pk=other.pk).erased_at
    for _ in range(3):
        erasures.carry_out(limit=3)
    assert not Attribute.objects.filter(user__in=stuck).exists()
    assert User.objects.filter(pk__in=[one.pk for one in stuck], erased_at=None, emptied_at__isnull=False).count() == 6
    late = erased_soon(account)
    erasures.carry_out(limit=3)
    assert not Attribute.objects.filter(user=late).exists()
    endpoints.delete(endpoint, actor=SYSTEM)
    assert sum(erasures.carry_out(limit=3) for _ in range(4)) == 7


def test_one_account_that_erases_thousands_lets_another_have_its_turn(account, other_account, erased_soon):
    for _ in range(8):
        erased_soon(account)
    other = erased_soon(other_account)
    erasures.carry_out(limit=2)
    assert User.objects.get(pk=other.pk).erased_at


def test_an_erasure_that_fails_holds_up_no_other(account, other_account, erased_soon, monkeypatch):
    bad = [erased_soon(account) for _ in range(3)]
    good, other = erased_soon(account), erased_soon(other_account)
    real = erasures._forget
    monkeypatch.setattr(erasures, "_forget", lambda user: 1 / 0 if user in bad else real(user))
    for _ in range(3):
        erasures.carry_out(limit=2)
    assert set(User.objects.filter(erased_at__isnull=False)) == {good, other}


def test_operations_that_cannot_be_ended_hold_up_no_other(account, other_account):
    application, user = make_application(account), factories.make_user(account)
    make_device(user, application)
    broken = [make_operation(user) for _ in range(5)]
    other_user = factories.make_user(other_account)
    make_device(other_user, make_application(other_account))
    good = [make_operation(user), make_operation(other_user)]
    overdue(*broken)
    overdue(*good)
    Operation.objects.filter(pk__in=[one.pk for one in broken]).update(content=BROKEN)
    completion.expire_overdue(limit=2)
    assert Operation.objects.get(pk=good[1].pk).status == "EXPIRED"
    for _ in range(3):
        completion.expire_overdue(limit=2)
    assert Operation.objects.get(pk=good[0].pk).status == "EXPIRED"
    assert Operation.objects.filter(status="PENDING").count() == 5


def test_what_failed_is_tried_again_after_a_while(account, monkeypatch):
    user = factories.make_user(account)
    make_device(user, make_application(account))
    operation = make_operation(user)
    content = operation.content
    overdue(operation)
    Operation.objects.update(content=BROKEN)
    assert completion.expire_overdue() == 0
    Operation.objects.update(content=content)
    assert completion.expire_overdue() == 0
    now = sweeping.time.monotonic()
    monkeypatch.setattr(sweeping.time, "monotonic", lambda: now + sweeping.LEFT_ALONE + 1)
    assert completion.expire_overdue() == 1


def test_locks_of_people_and_phones_that_cannot_be_ended_hold_up_no_other(account, other_account, monkeypatch):
    def locked(account):
        user = factories.make_user(account)
        phone = make_device(user, make_application(account))
        users.lock(user, actor=SYSTEM, reason="OTHER", note="x", until=timezone.now() + timedelta(hours=1))
        devices.lock(phone, actor=SYSTEM, reason="OTHER", note="x", until=timezone.now() + timedelta(hours=1))
        return user, phone

    bad, good = [locked(account) for _ in range(4)], locked(other_account)
    for model in (User, Device):
        model.objects.update(locked_until=Now() - timedelta(minutes=1))
    real = outbox.owe
    stuck = {row.pk for pair in bad for row in pair}
    monkeypatch.setattr(outbox, "owe", lambda obj, *how, **more: 1 / 0 if obj.pk in stuck else real(obj, *how, **more))
    assert users.end_locks(limit=2) == 1
    assert devices.end_lapsed_locks(limit=2) == 1
    assert User.objects.get(pk=good[0].pk).status == Device.objects.get(pk=good[1].pk).status == "ACTIVE"


def test_requests_that_cannot_be_ended_hold_up_no_other(account, other_account, monkeypatch):
    def asked(account, name):
        kim = make_colleague(name, "Senior support", account)
        user = factories.make_user(account)
        return approvals.ask(user, actor=Actor.staff(kim), action="user.erase", reason="OTHER", note="x")

    bad, good = [asked(account, f"kim{n}") for n in range(3)], asked(other_account, "lee")
    ApprovalRequest.objects.update(expires_at=Now() - timedelta(minutes=1))
    real = approvals._record
    monkeypatch.setattr(approvals, "_record", lambda one, *how: 1 / 0 if one in bad else real(one, *how))
    assert approvals.expire_due(limit=2) == 1
    assert ApprovalRequest.objects.get(pk=good.pk).status == "EXPIRED"


def test_exports_that_cannot_be_made_hold_up_no_other(account, other_account):
    staff = make_colleague("kim", "Senior support", account, other_account)

    def ask(account):
        return exports.ask(
            account, actor=Actor.staff(staff), kind="users", reason="OTHER", note="x", attributes=True, sensitive=True
        )

    factories.make_user(account, attributes={"email": "a@example.com"})
    from reuseid.services.people import attribute_keys

    attribute_keys.create(account, name="email", actor=SYSTEM)
    Attribute.objects.update(value=BROKEN)
    bad, good = [ask(account) for _ in range(3)], ask(other_account)
    assert exports.make_owed()
    assert Export.objects.get(pk=good.pk).status == "READY"
    assert set(Export.objects.filter(pk__in=[one.pk for one in bad]).values_list("status", flat=True)) == {"FAILED"}


def test_bulk_runs_that_cannot_go_on_hold_up_no_other(account, other_account, monkeypatch):
    staff = make_colleague("kim", "Senior support", account, other_account)

    def run(account):
        user = factories.make_user(account)
        made = bulk.draft(
            account, [str(user.pk)], actor=Actor.staff(staff), kind="user", act="lock", reason="OTHER", note="x"
        )
        return bulk.start(made, actor=Actor.staff(staff))

    bad, good = run(account), run(other_account)
    real = bulk.counts_of
    monkeypatch.setattr(bulk, "counts_of", lambda one: 1 / 0 if one.pk == bad.pk else real(one))
    assert bulk.carry_out_owed()
    assert BulkRun.objects.get(pk=good.pk).status == "FINISHED"
    assert BulkRun.objects.get(pk=bad.pk).status == "RUNNING"


def test_a_kind_that_cannot_be_purged_keeps_back_no_other(account, api, monkeypatch):
    api.post("/reuseid/core/users", {}, headers={"Idempotency-Key": "k"})
    IdempotencyKey.objects.update(created_at=Now() - timedelta(hours=25))
    monkeypatch.setitem(purging._STEPS, "unsent deliveries", lambda limit: 1 / 0)
    steps = {"unsent deliveries": purging._STEPS["unsent deliveries"]} | purging._STEPS
    monkeypatch.setattr(purging, "_STEPS", steps)
    tasks.purge()
    assert not IdempotencyKey.objects.exists()


def test_a_protocol_kind_that_cannot_be_purged_keeps_back_no_other(monkeypatch):
    monkeypatch.setattr("mobileid.services.purging.nonces", _fails)
    past = timezone.now() - timedelta(minutes=1)
    Nonce.objects.create(value="n", purpose="operation", expires_at=past)
    seen = []
    monkeypatch.setattr("mobileid.services.purging.answers", lambda: seen.append("answers"))
    phone_tasks.purge()
    assert seen == ["answers"]


def _fails():
    raise ZeroDivisionError


def test_keys_that_cannot_be_turned_leave_no_other_account_without(account, other_account, monkeypatch):
    for one in (account, other_account):
        make_application(one)
    ChannelKey.objects.all().delete()
    real = channel.rotate_channel_keys
    for bad in (account, other_account):
        monkeypatch.setattr(channel, "rotate_channel_keys", lambda pk, bad=bad: 1 / 0 if pk == bad.pk else real(pk))
        phone_tasks.rotate_keys()
    assert set(ChannelKey.objects.values_list("account", flat=True)) == {account.pk, other_account.pk}


def test_what_is_owed_past_its_retention_goes_beside_what_cannot(account, other_account):
    for one in (account, other_account):
        endpoints.create(one, url="https://93.184.216.34/hook", actor=SYSTEM)
        outbox.owe(factories.make_user(one), "user.updated", {})
    Event.objects.update(created_at=Now() - timedelta(days=31))
    Delivery.objects.update(created_at=Now() - timedelta(days=31), next_attempt_at=Now() - timedelta(days=1))
    leased = Delivery.objects.filter(account=account)
    leased.update(next_attempt_at=Now() + timedelta(minutes=1))
    purging.purge()
    assert set(Event.objects.values_list("account", flat=True)) == {account.pk}


def test_a_person_with_many_rows_is_emptied_in_one_run(account, erased_soon, monkeypatch):
    monkeypatch.setattr(erasures, "STEP", 2)
    user = factories.make_user(account, attributes={f"a{number}": number for number in range(7)})
    erasure.request(user, actor=SYSTEM, reason="CUSTOMER_REQUEST")
    assert erasures.carry_out() == 1
    assert not Attribute.objects.filter(user=user).exists()
