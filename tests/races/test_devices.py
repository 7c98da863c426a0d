"""Rivals on the phones' door, with real threads and real commits: each thing happens once, each guess is counted."""

import copy
import time
from contextlib import suppress
from datetime import timedelta
from functools import partial
from threading import Barrier, BrokenBarrierError

import pytest
from django.db import connection
from django.db.models.functions import Now

from mobileid.device_api import door
from mobileid.models import Device, Operation
from mobileid.protocol import wire
from mobileid.sdk import errors, pin, proof
from mobileid.sdk.channel import Channel
from mobileid.sdk.device import Device as SdkDevice
from mobileid.sdk.keystore import MemoryStore
from mobileid.sdk.registration import Phone
from mobileid.services import completion, devices, factors
from mobileid.services.keys import channel as keys
from mobileid.services.keys import signing
from mobileid.services.registration import by_phone
from reuseid.actors import SYSTEM
from reuseid.errors import WrongState
from reuseid.models import Event
from reuseid.services.people import users
from tests import factories
from tests import phone_factories as phones
from tests.phone_factories import PIN
from tests.rivals import race

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
TERMINAL = {"authentication.completed", "authentication.canceled", "authentication.expired", "authentication.failed"}


@pytest.fixture(autouse=True)
def _setting(monkeypatch):
    keys.forget()
    signing.forget()
    monkeypatch.setattr(pin, "STRETCHES", phones.make_cheap_stretch())
    monkeypatch.setattr("mobileid.device_api.message.PHONE_QUOTA", 10_000)
    monkeypatch.setattr("mobileid.services.fatigue.TOLERATED", 1000)


@pytest.fixture
def application(account):
    return phones.make_application(account)


@pytest.fixture
def ada(account):
    return factories.make_untold_user(account, external_ref="ada")


@pytest.fixture
def phone(ada, application):
    return phones.make_phone(ada, application)


at_once = partial(race, refusals=Exception)


def twin(phone):
    """The same phone in another thread."""
    return SdkDevice.load(copy.deepcopy(phone.store), transport=phones.Line(), sleep=lambda _seconds: None)


def approval(phone, operation, pin=PIN):
    """A call that approves with a message that is ready to go."""
    device = twin(phone)
    challenge = device.start_operation(str(operation.pk))
    key = device.unlock(pin)
    statement = challenge._statement("approve", "DEVICE_PIN")
    message = device.channel.compose(
        "operations/finish",
        {"operationId": str(operation.pk)},
        lambda _mid, iat: proof.sign(
            wire.dumps(statement | {"iat": iat}),
            {"possession": device.store.sign_possession, "knowledge": key.sign},
        ),
    )
    return lambda: device.channel.deliver(message)["state"]


def told(kind="authentication"):
    return [one for one in Event.objects.values_list("type", flat=True) if one.startswith(kind)]


def test_of_fifty_wrong_pins_at_once_at_most_five_are_looked_at(phone, ada, monkeypatch):
    operations = [phones.ask(ada, allow_parallel=True)[0] for _ in range(17)]
    calls = [approval(phone, operations[number // 3], "000000") for number in range(50)]
    looks, verify = [], factors.verify
    monkeypatch.setattr(factors, "verify", lambda *args: looks.append(1) or verify(*args))
    results = at_once(*calls)
    assert {type(result) for result in results} <= {errors.AuthenticationFailed, errors.DeviceUnusable}
    assert 1 <= len(looks) <= 5
    row = phone.row
    assert (row.status, row.lock_count, row.failed_attempts) == ("LOCKED", 1, 5)
    assert told("device.locked") == ["device.locked"]


def test_the_right_pin_among_parallel_guesses_is_never_the_sixth_look(phone, ada, monkeypatch):
    operations = [phones.ask(ada, allow_parallel=True)[0] for _ in range(6)]
    looks, verify = [], factors.verify
    monkeypatch.setattr(factors, "verify", lambda *args: looks.append(1) or verify(*args))
    calls = [approval(phone, operations[n // 3], "000000") for n in range(15)]
    at_once(*calls[:7], approval(phone, operations[5]), *calls[7:])
    # The right one forgives what was counted before it; what it does not do is to buy more than five looks again.
    assert len(looks) <= 10


def test_approval_cancellation_and_expiry_end_an_operation_exactly_once(phone, ada):
    for number in range(12):
        Event.objects.all().delete()
        operation, _ = phones.ask(ada, allow_parallel=True)
        approve = approval(phone, operation)
        Operation.objects.filter(pk=operation.pk).update(expires_at=Now() + timedelta(milliseconds=5 * number))
        first = Operation.objects.as_read().get(pk=operation.pk)
        second = Operation.objects.as_read().get(pk=operation.pk)

        def expire(operation=second):
            for _ in range(200):
                try:
                    return completion.expire(operation).status
                except WrongState as error:
                    if error.obj.status not in ("PENDING", "IN_PROGRESS"):
                        raise
                    time.sleep(0.001)
            return None

        phone_says, cancel_says, expire_says = at_once(
            approve, lambda operation=first: completion.cancel(operation, actor=SYSTEM).status, expire
        )
        operation.refresh_from_db()
        assert operation.status in ("COMPLETED", "CANCELED", "EXPIRED")
        assert len([one for one in told() if one in TERMINAL]) == 1
        assert (phone_says == "COMPLETED") == (operation.status == "COMPLETED")
        assert (cancel_says == "CANCELED") == (operation.status == "CANCELED")
        if operation.status != "COMPLETED":
            assert isinstance(phone_says, errors.OperationClosed)
        if operation.status in ("COMPLETED", "CANCELED"):
            assert isinstance(expire_says, WrongState)
        assert phone.row.failed_attempts == 0


def test_two_phones_of_a_broadcast_make_one_completion(phone, ada, application):
    tablet = phones.make_phone(ada, application, name="Tablet")
    for _ in range(8):
        Event.objects.all().delete()
        operation, _ = phones.ask(ada, broadcast=True)
        results = at_once(approval(phone, operation), approval(tablet, operation))
        assert results.count("COMPLETED") == 1
        closed = next(result for result in results if result != "COMPLETED")
        assert isinstance(closed, errors.OperationClosed)
        assert closed.state == "COMPLETED"
        assert told() == ["authentication.completed"]
        operation.refresh_from_db()
        assert operation.evidence.device_thumbprint == operation.device.possession_thumbprint


def test_one_message_sent_eight_times_at_once_has_one_answer(phone, ada):
    operation, _ = phones.ask(ada)
    approve = approval(phone, operation)
    assert at_once(*[approve] * 8) == ["COMPLETED"] * 8
    operation, _ = phones.ask(ada)
    wrong = approval(phone, operation, "000000")
    assert {type(result) for result in at_once(*[wrong] * 8)} == {errors.AuthenticationFailed}
    assert phone.row.failed_attempts == 1


def test_one_rename_sent_at_once_takes_effect_once(phone):
    device = twin(phone)
    message = device.channel.compose("rename", {"name": "Once"}, _plain_prover(device, "rename"))
    results = at_once(*[lambda: device.channel.deliver(message)] * 6)
    assert results == [{}] * 6
    assert phone.row.name == "Once"


def _plain_prover(device, path):
    def prove(mid, iat):
        said = proof.message(device.application_id, device.device_id, wire.PREFIX + path, mid, iat)
        return proof.sign(wire.dumps(said), {"possession": device.store.sign_possession})

    return prove


def test_a_code_used_by_four_phones_at_once_registers_one(ada, application):
    _operation, code = phones.start_registration(ada, application)
    results = at_once(*[lambda: phones.offer(application, code).finish(pin=PIN, name="Mine")] * 4)
    assert len([result for result in results if isinstance(result, errors.RegistrationInvalid)]) == 3
    assert Device.objects.count() == 1


def test_a_registration_finished_twice_at_once_makes_one_phone(ada, application):
    _operation, code = phones.start_registration(ada, application)
    found = phones.offer(application, code)

    def rival():
        """The same offer, with keys of its own."""
        one = copy.copy(found)
        one._store = MemoryStore()
        one._channel = Channel(found._channel.config, one._store, phones.Line(), sleep=lambda _seconds: None)
        return one

    drafts = [rival() for _ in range(3)]
    results = at_once(*[lambda one=one: one.finish(pin=PIN, name="Mine") for one in drafts])
    assert len([result for result in results if isinstance(result, Exception)]) == 2
    assert Device.objects.count() == 1


def finishing(found, pin=PIN):
    """A call that finishes the offer by its own keys, under a `mid` of its own."""
    draft = copy.copy(found._draft)
    draft.message, draft.knowledge = None, found._derive(pin, draft.version)
    message = found._compose(draft)
    channel = Channel(found._channel.config, MemoryStore(), phones.Line(), sleep=lambda _seconds: None)
    return lambda: channel.deliver(message)


def an_offer(ada, application):
    _operation, code = phones.start_registration(ada, application)
    found = phones.offer(application, code)
    found._draft = found._prepare("Mine", True, False, Phone.here(), False)
    return found


def test_a_registration_sent_eight_times_at_once_by_the_same_keys_is_one_phone_and_one_answer(ada, application):
    for _ in range(6):
        Event.objects.all().delete()
        found = an_offer(ada, application)
        results = at_once(*[finishing(found) for _ in range(8)])
        assert all(isinstance(result, dict) for result in results), results
        assert len({(result["deviceId"], result["confirmationCode"]) for result in results}) == 1
        row = Device.objects.get(pk=results[0]["deviceId"])
        assert (row.status, row.failed_attempts) == ("ACTIVE", 0)
        assert sorted(Event.objects.values_list("type", flat=True)) == ["device.activated", "registration.completed"]


def test_six_copies_by_the_same_keys_that_are_looked_at_together_have_one_answer(ada, application, monkeypatch):
    found = an_offer(ada, application)
    first = finishing(found)()
    has_keys, sixth = by_phone._has_keys, Barrier(6)

    def look(*args):
        """Nobody is done before a sixth one looks, or none comes."""
        with suppress(BrokenBarrierError):
            sixth.wait(timeout=2)
        return has_keys(*args)

    monkeypatch.setattr(by_phone, "_has_keys", look)
    assert at_once(*[finishing(found) for _ in range(6)]) == [first] * 6
    assert Device.objects.get(pk=first["deviceId"]).failed_attempts == 0


def test_of_forty_pins_tried_at_once_by_finishing_again_at_most_five_are_looked_at(ada, application, monkeypatch):
    found = an_offer(ada, application)
    device_id = finishing(found)()["deviceId"]
    looks, has_keys, sixth = [], by_phone._has_keys, Barrier(6)

    def look(*args):
        """Nobody is done before a sixth one looks, or none comes."""
        looks.append(1)
        with suppress(BrokenBarrierError):
            sixth.wait(timeout=2)
        return has_keys(*args)

    monkeypatch.setattr(by_phone, "_has_keys", look)
    results = at_once(*[finishing(found, f"{number:06d}") for number in range(40)])
    assert {type(result) for result in results} <= {errors.RegistrationInvalid, errors.DeviceUnusable}
    assert 1 <= len(looks) <= 5
    row = Device.objects.get(pk=device_id)
    assert (row.status, row.failed_attempts, row.lock_count) == ("LOCKED", 5, 1)


def test_an_approval_by_the_new_biometric_key_and_one_by_the_old_at_once_leave_the_new_one(ada, application):
    phone = phones.make_phone(ada, application, biometric=True)
    for _ in range(6):
        old = twin(phone)
        phone.device.enable_biometric(PIN)
        operations = [phones.ask(ada, allow_parallel=True)[0] for _ in range(2)]
        challenges = [
            one.start_operation(str(operation.pk))
            for one, operation in zip((old, twin(phone)), operations, strict=True)
        ]
        by_old, by_new = at_once(*[partial(one.approve, method="DEVICE_BIOMETRIC") for one in challenges])
        assert by_new.state == "COMPLETED"
        assert isinstance(by_old, errors.AuthenticationFailed) or by_old.state == "COMPLETED"
        row = phone.row
        assert row.previous_inherence_jwk is None
        assert row.failed_attempts == int(isinstance(by_old, errors.AuthenticationFailed))
        Device.objects.update(failed_attempts=0)


def test_two_phones_that_scan_one_code_at_once_get_it_once(phone, account, application):
    eve = phones.make_phone(factories.make_untold_user(account), application, name="Eve's")
    tablet = phones.make_phone(phone.row.user, application, name="Tablet")

    def scan(device, frame):
        return device.start_operation(qr=frame).operation_id

    for _ in range(5):
        operation, shown = phones.ask(None, account=account, binding="QR")
        results = at_once(*[partial(scan, twin(one), shown["qrUri"]) for one in (phone, tablet, eve)])
        assert results.count(str(operation.pk)) == 1
        assert len([result for result in results if isinstance(result, errors.OperationUnknown)]) == 2


def test_an_approval_and_a_lock_by_staff_never_both_count_in_the_wrong_order(phone, ada):
    for _ in range(8):
        operation, _ = phones.ask(ada)
        row = phone.row
        approve = approval(phone, operation)
        result, _locked = at_once(approve, lambda row=row: devices.lock(row, actor=SYSTEM, reason="DEVICE_STOLEN"))
        operation.refresh_from_db()
        completed = operation.status == "COMPLETED"
        assert completed == (result == "COMPLETED")
        if completed:
            events = list(Event.objects.order_by("sequence").values_list("type", flat=True))
            assert events.index("device.locked") >= 0
        else:
            assert isinstance(result, errors.DeviceUnusable | errors.AuthenticationFailed)
        assert phone.row.status == "LOCKED"
        devices.unlock(phone.row, actor=SYSTEM, reason="RESOLVED")


def test_two_pin_changes_at_once_change_it_once(phone):
    def change(device, new):
        device.change_pin(PIN, new)
        return new

    results = at_once(*[partial(change, twin(phone), new) for new in ("111222", "333444")])
    assert phone.row.key_version == 2
    assert len([result for result in results if isinstance(result, str)]) == 1


def test_however_many_starts_come_at_once_three_nonces_live(phone, ada):
    operation, _ = phones.ask(ada)
    body = {"operationId": str(operation.pk)}
    for _ in range(4):
        results = at_once(*[partial(twin(phone).start_body, body) for _ in range(8)])
        assert all(result["nonce"] for result in results)
        assert operation.nonces.filter(used_at=None).count() == 3


def test_a_refusal_waits_for_its_moment_in_no_transaction(phone, ada, monkeypatch):
    """Else a few forged messages at a time would keep rows from everybody else. Its thread, and with that the thread's
    connection, serves others meanwhile: tests/reuseid/ingress/test_handler.py.
    """
    operation, _ = phones.ask(ada)
    wrong, held = approval(phone, operation, "000000"), []
    monkeypatch.setattr(door, "hold", lambda request, until: held.append(connection.in_atomic_block))
    with pytest.raises(errors.AuthenticationFailed):
        wrong()
    assert held == [False]


def test_an_approval_and_the_person_s_deactivation_never_block_each_other(phone, ada):
    for number in range(10):
        person = factories.make_untold_user(ada.account, external_ref=f"person-{number}")
        own = phones.make_phone(person, phone.row.application)
        calls = []
        for _ in range(3):
            operation, _ = phones.ask(person, allow_parallel=True)
            calls.append(approval(own, operation))
        *said, gone = at_once(*calls, lambda who=person: users.deactivate(who, actor=SYSTEM, reason="CUSTOMER_REQUEST"))
        assert not isinstance(gone, Exception), gone
        assert own.row.status == "DEACTIVATED"
        refused = errors.OperationClosed | errors.DeviceUnusable | errors.AuthenticationFailed
        assert all(result == "COMPLETED" or isinstance(result, refused) for result in said), said
