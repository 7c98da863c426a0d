"""Random lives of a person's phones: integrator, phones, time and support act in any order, and the invariants hold.

A small model says what must come of each act; the service must agree, and after every act the database must be sound.
"""

from datetime import timedelta

import pytest
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from hypothesis import HealthCheck
from hypothesis import settings as effort
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from mobileid.errors import NoUsableDevice, TargetDeviceUnusable, UserCooldown, UserNotActive
from mobileid.models import Device, Evidence, Nonce, Operation, StoredResponse
from mobileid.models.operations import OPEN
from mobileid.sdk import errors
from mobileid.services import completion, devices
from mobileid.services.factors import MAX_FAILURES
from mobileid.services.keys import channel, signing
from reuseid.actors import SYSTEM
from reuseid.errors import WrongState
from reuseid.models import Event, User
from reuseid.services.people import users
from tests import factories
from tests import phone_factories as phones

FINAL = {"COMPLETED", "REJECTED", "FAILED", "CANCELED", "EXPIRED"}
MOMENTS = st.sampled_from([30, 200, 301, 601])


class Model:
    """What one phone's row must say."""

    def __init__(self, phone, pin):
        self.phone, self.pin = phone, pin
        self.failures = self.locks = 0
        self.state, self.left = "ACTIVE", None

    def fail(self):
        self.failures += 1
        if self.failures == MAX_FAILURES:
            self.locks += 1
            self.state, self.left = "LOCKED", {1: 300, 2: 600}.get(self.locks)

    def good_pin(self):
        self.failures = self.locks = 0

    def unlock(self, *, by_time):
        self.state, self.left, self.failures = "ACTIVE", None, 0
        if not by_time:
            self.locks = 0

    def wake(self):
        """A lock that is over ends when the phone speaks, or when it is swept."""
        if self.state == "LOCKED" and self.left is not None and self.left <= 0:
            self.unlock(by_time=True)


class Lives(RuleBasedStateMachine):
    """One person, two phones."""

    operations = Bundle("operations")
    challenges = Bundle("challenges")
    number = st.integers(0, 1)

    def __init__(self):
        super().__init__()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        channel.forget()
        signing.forget()

    def teardown(self):
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)

    @initialize()
    def begin(self):
        account = factories.make_account()
        application = phones.make_application(account)
        self.user = factories.make_untold_user(account)
        self.models = [
            Model(phones.make_phone(self.user, application, name=name, biometric=True), phones.PIN)
            for name in ("One", "Two")
        ]
        self.user_state, self.final = "ACTIVE", {}

    # --- the integrator ---

    @rule(target=operations, broadcast=st.booleans(), kind=st.sampled_from(["ask", "sign"]), number=number)
    def start(self, broadcast, kind, number):
        terms = {"broadcast": True} if broadcast else {"device_id": self.models[number].phone.row.pk}
        make = phones.ask if kind == "ask" else phones.ask_to_sign
        try:
            return make(User.objects.get(pk=self.user.pk), allow_parallel=True, **terms)[0].pk
        except (UserNotActive, TargetDeviceUnusable, NoUsableDevice, UserCooldown):
            return None

    @rule(pk=operations)
    def cancel(self, pk):
        operation = Operation.objects.as_read().filter(pk=pk).first()
        if operation is None:
            return
        was_open = operation.status in OPEN and not operation.is_overdue
        try:
            completion.cancel(operation, actor=SYSTEM)
            assert was_open
        except WrongState:
            assert not was_open

    # --- the phone ---

    def expect_usable(self, model):
        model.wake()
        return model.state == "ACTIVE" and self.user_state == "ACTIVE"

    def is_open_for(self, model, pk):
        operation = Operation.objects.as_read().get(pk=pk)
        mine = operation.target_device_id in (None, model.phone.row.pk)
        return mine and operation.status in OPEN and not operation.is_overdue

    @rule(target=challenges, pk=operations, number=number)
    def look(self, pk, number):
        model = self.models[number]
        if pk is None:
            return None
        usable, is_open = self.expect_usable(model), self.is_open_for(model, pk)
        try:
            challenge = model.phone.device.start_operation(str(pk))
        except errors.DeviceUnusable:
            assert not usable
        except (errors.OperationClosed, errors.OperationUnknown):
            assert usable
            assert not is_open
        else:
            assert usable
            assert is_open
            return number, challenge
        return None

    def answer(self, held, call, *, counted):
        """Give an answer; ``counted(model)`` when the factor was looked at. The error that came, or None."""
        number, challenge = held
        model = self.models[number]
        fresh = Nonce.objects.filter(value=challenge._nonce, used_at=None, expires_at__gt=Now()).exists()
        expected = (
            self.expect_usable(model),
            self.is_open_for(model, challenge.operation_id),
            fresh and not challenge._answered,
        )
        if challenge._answered:
            return
        try:
            call(challenge)
        except errors.DeviceUnusable:
            assert not expected[0]
        except errors.OperationClosed:
            assert expected[0]
            assert not expected[1]
        except errors.AuthenticationFailed:
            assert expected[:2] == (True, True)
            if expected[2]:
                assert counted == "bad"
                model.fail()
        else:
            assert expected == (True, True, True)
            assert counted != "bad"
            if counted == "pin":
                model.good_pin()

    @rule(held=challenges)
    def approve_with_pin(self, held):
        if held:
            pin = self.models[held[0]].pin
            self.answer(held, lambda challenge: challenge.approve(pin=pin), counted="pin")

    @rule(held=challenges)
    def approve_with_a_wrong_pin(self, held):
        if held:
            self.answer(held, lambda challenge: challenge.approve(pin="000000"), counted="bad")

    @rule(held=challenges)
    def approve_with_biometry(self, held):
        if held:
            self.answer(held, lambda challenge: challenge.approve(method="DEVICE_BIOMETRIC"), counted="biometry")

    @rule(held=challenges, reason=st.sampled_from(["USER", "NOT_ME"]))
    def reject(self, held, reason):
        if held:
            self.answer(held, lambda challenge: challenge.reject(reason), counted="none")

    @rule(number=number, good=st.booleans())
    def change_pin(self, number, good):
        model = self.models[number]
        usable, new = self.expect_usable(model), "827364" if model.pin == phones.PIN else phones.PIN
        try:
            model.phone.device.change_pin(model.pin if good else "000000", new)
        except errors.DeviceUnusable:
            assert not usable
        except errors.AuthenticationFailed:
            assert usable
            assert not good
            model.fail()
        else:
            assert usable
            assert good
            model.good_pin()
            model.pin = new

    @rule(number=number)
    def repeat_the_last_message(self, number):
        """The network delivers the newest message of this phone once more."""
        model = self.models[number]
        before = list(Device.objects.order_by("pk").values_list("status", "failed_attempts", "key_version"))
        path, raw = model.phone.line.sent[-1]
        if "operations/start" in path or "challenge" in path or "status" in path:
            return
        model.phone.line.post(path, raw)
        after = list(Device.objects.order_by("pk").values_list("status", "failed_attempts", "key_version"))
        assert before == after or self.expect_usable(model) is not None

    # --- time and support ---

    @rule(seconds=MOMENTS)
    def time_passes(self, seconds):
        step = timedelta(seconds=seconds)
        Operation.objects.update(expires_at=F("expires_at") - step)
        Nonce.objects.update(expires_at=F("expires_at") - step)
        StoredResponse.objects.update(created_at=F("created_at") - step)
        Device.objects.filter(locked_until__isnull=False).update(locked_until=F("locked_until") - step)
        Device.objects.filter(previous_key_until__isnull=False).update(
            previous_key_until=F("previous_key_until") - step
        )
        for model in self.models:
            if model.left is not None:
                model.left -= seconds

    @rule()
    def sweep(self):
        completion.expire_overdue()
        devices.end_lapsed_locks()
        assert not Operation.objects.overdue().exists()
        for model in self.models:
            model.wake()

    @rule(number=number, to=st.sampled_from(["lock", "unlock"]))
    def support_acts_on_a_phone(self, number, to):
        model = self.models[number]
        try:
            if to == "lock":
                devices.lock(model.phone.row, actor=SYSTEM, reason="DEVICE_LOST")
                model.state, model.left = "LOCKED", None
            else:
                devices.unlock(model.phone.row, actor=SYSTEM, reason="RESOLVED")
                model.unlock(by_time=False)
        except WrongState:
            lasting = model.state == "LOCKED" and model.left is None
            assert lasting or model.state == "DEACTIVATED" if to == "lock" else model.state != "LOCKED"

    @precondition(lambda self: self.models[1].state != "DEACTIVATED")
    @rule()
    def the_second_phone_is_ended(self):
        devices.deactivate(self.models[1].phone.row, actor=SYSTEM, reason="CUSTOMER_REQUEST")
        self.models[1].state = "DEACTIVATED"

    @rule(to=st.sampled_from(["lock", "unlock"]))
    def support_acts_on_the_person(self, to):
        user = User.objects.get(pk=self.user.pk)
        try:
            getattr(users, to)(user, actor=SYSTEM, reason="SUSPECTED_FRAUD")
            self.user_state = "LOCKED" if to == "lock" else "ACTIVE"
        except WrongState:
            assert user.status == self.user_state

    # --- what always holds ---

    @invariant()
    def phones_are_as_the_model_says(self):
        for model in getattr(self, "models", []):
            row = model.phone.row
            lapsed = model.state == "LOCKED" and model.left is not None and model.left <= 0
            assert row.status == model.state or (lapsed and row.status == "ACTIVE")
            assert row.failed_attempts <= MAX_FAILURES
            if not lapsed and model.state != "DEACTIVATED":
                assert (row.failed_attempts, row.lock_count) == (model.failures, model.locks)

    @invariant()
    def what_has_ended_has_ended_once_and_for_good(self):
        if not hasattr(self, "final"):
            return
        events = list(Event.objects.values_list("object_id", "type"))
        for operation in Operation.objects.exclude(type="registration"):
            assert self.final.get(operation.pk, operation.status) == operation.status
            ended = [kind for pk, kind in events if pk == operation.pk and kind != "operation.reported"]
            if operation.status in FINAL:
                self.final[operation.pk] = operation.status
                assert ended == [f"{operation.type}.{operation.status.lower()}"]
            else:
                assert ended == []
            proven = Evidence.objects.filter(operation=operation).exists()
            assert proven == (operation.status == "COMPLETED")
            assert (operation.signature is not None) == (proven and operation.type == "signature")


@pytest.mark.django_db
@pytest.mark.timeout(600)
def test_random_lives_hold_the_invariants(cheap_pins, monkeypatch, settings):
    settings.DEVICE_RATE_LIMIT = 10**9
    monkeypatch.setattr("mobileid.device_api.messages.CODE_QUOTA", 10**9)
    monkeypatch.setattr("mobileid.device_api.door.QUANTUM", 0.0001)
    monkeypatch.setattr("mobileid.device_api.message.PHONE_QUOTA", 10**9)
    run_state_machine_as_test(
        Lives,
        settings=effort(
            max_examples=20,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=False,
        ),
    )
