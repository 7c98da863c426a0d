"""A bad connection: answers get lost after the service has acted. Nothing is counted twice, nothing happens twice."""

import random

import pytest

from mobileid.models import Device, Operation
from mobileid.sdk import errors
from reuseid.models import Event
from tests import phone_factories as phones
from tests.phone_factories import PIN

pytestmark = pytest.mark.django_db
LOSS = 0.2


def patient(call):
    """What the app does: the same call again, as the SDK allows."""
    for _ in range(20):
        try:
            return call()
        except errors.ConnectionFailed:
            continue
    raise AssertionError("never got through")


def test_with_a_fifth_of_the_answers_lost_every_attempt_counts_once(ada, application, cheap_pins, monkeypatch):
    monkeypatch.setattr("mobileid.device_api.door.QUANTUM", 0.001)
    dice = random.Random(20260725)
    line = phones.Line(lose=lambda: dice.random() < LOSS)
    _operation, code = phones.start_registration(ada, application)
    found = patient(lambda: phones.offer(application, code, line=line))
    registered = patient(lambda: found.finish(pin=PIN, name="Phone in the tunnel"))
    device = registered.device
    assert Device.objects.count() == 1
    wrong = right = 0
    for _ in range(30):
        operation, _ = phones.ask(ada, allow_parallel=True)
        challenge = patient(lambda: device.start_operation(str(operation.pk)))  # noqa: B023
        failures = 0
        while dice.random() < 0.4 and failures < 4:
            before = Device.objects.get().failed_attempts
            with pytest.raises(errors.AuthenticationFailed):
                patient(lambda: challenge.approve(pin="000000"))  # noqa: B023
            assert Device.objects.get().failed_attempts == before + 1
            failures += 1
            patient(challenge.restart)
        assert patient(lambda: challenge.approve(pin=PIN)).state == "COMPLETED"  # noqa: B023
        wrong, right = wrong + failures, right + 1
        assert Device.objects.get().failed_attempts == 0
    completed = Operation.objects.filter(type="authentication", status="COMPLETED").count()
    told = Event.objects.filter(type="authentication.completed").count()
    assert completed == told == right == 30
    assert wrong > 5
    assert Device.objects.get().status == "ACTIVE"


def test_a_lost_pin_change_and_a_lost_rename_happen_once(phone, ada):
    lost = iter([True, True, False] * 20)
    phone.line.lose = lambda: next(lost)
    patient(lambda: phone.device.rename("Through"))
    patient(lambda: phone.device.change_pin(PIN, "827364"))
    row = phone.row
    assert (row.name, row.key_version, row.failed_attempts) == ("Through", 2, 0)
