"""Every message, its answers lost, at every clock, and the phone dying at every write: what the two sides know after.

Exactly one PIN works, no key counts that the phone does not hold, nothing is counted twice, and the person is told
the truth. `--hypothesis-profile=thorough` tries a thousand lives of the worst kinds.
"""

import hashlib
from dataclasses import dataclass
from itertools import chain

import pytest
from django.db import transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from mobileid.device_api.messages import MESSAGES
from mobileid.models import Device, Operation
from mobileid.protocol import proofs, wire
from mobileid.sdk import errors
from mobileid.sdk.device import Device as SdkDevice
from mobileid.sdk.state import DeviceState
from mobileid.services.keys import channel, signing
from mobileid.services.registration import by_integrator
from reuseid.actors import SYSTEM
from reuseid.models import Event
from reuseid.models.sealed import unseal_field
from tests import factories
from tests import phone_factories as phones
from tests.mobileid.tunnel import Battery, Pocket, Time, Tunnel
from tests.phone_factories import PIN

NEW, WRONG = "827364", "000000"
DAY = 24 * 3600
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("cheap_pins")]


@dataclass
class Fault:
    """What befalls one message and those after it; `dies_at` counts the store's writes, `later` is seconds."""

    offset: int = 0
    requests: int = 0
    answers: int = 0
    seconds: float = 2.0
    dies_at: int = 0
    dies_after: bool = False
    later: int = 0
    had: bool = True


FAULTS = st.builds(
    Fault,
    offset=st.integers(-180, 180),
    requests=st.sampled_from([0, 0, 1, 4, 5]),
    answers=st.integers(0, 12),
    seconds=st.sampled_from([0.1, 2.0, 20.0]),
    dies_at=st.integers(0, 6),
    dies_after=st.booleans(),
    later=st.sampled_from([0, 130, 430, 601]),
    had=st.booleans(),
)


KNOWN = [
    Fault(offset=-116, answers=4),
    Fault(answers=5, later=601),
    Fault(offset=-116, answers=4, had=False, later=601),
    Fault(answers=5, dies_at=1, dies_after=True),
    Fault(dies_at=2, dies_after=True),
]
"""What has done harm once."""


class Life:
    """A person, their phone, and the tunnel between it and the service. `told` is what the person heard of it."""

    def __init__(self, time, fault):
        self.time, self.fault, self.told = time, fault, []
        self.application = phones.make_application(factories.make_account())
        self.user = factories.make_untold_user(self.application.account)
        self.line, self.store = Tunnel(time), Pocket()
        self.ways = {"transport": self.line, "clock": time.clock(fault.offset), "sleep": time.passes}

    def start(self, **terms):
        self.operation, self.code = phones.start_registration(self.user, self.application, expires_in=DAY, **terms)
        return self.offer()

    def offer(self):
        return SdkDevice.start_registration(phones.config_of(self.application), self.code, self.store, **self.ways)

    def registered(self):
        """The phone, before anything happens to it."""
        self.device = self.start().finish(pin=PIN, name="Through", biometric=self.fault.had).device
        return self.device

    @property
    def row(self):
        return Device.objects.get()

    def enter(self, path):
        fault = self.fault
        self.line.enter(path, requests=fault.requests, answers=fault.answers, seconds=fault.seconds)
        self.store.dies_at, self.store.dies_after = fault.dies_at, fault.dies_after

    def insist(self, call, times=3):
        """The same again while the connection breaks, a while later each time; what it gave, or None."""
        for _ in range(times):
            try:
                return call()
            except Battery:
                return None
            except errors.MobileIdError as error:
                self.told.append(error)
                if not isinstance(error, errors.TransportError):
                    return None
                self.time.passes(7)
        return None

    def leave(self):
        """Into daylight, some time later, charged, with the app opened anew."""
        self.line.leave()
        self.store.dies_at = 0
        self.time.passes(self.fault.later)

    def reopened(self):
        self.leave()
        self.device = SdkDevice.load(self.store, **self.ways)
        return self.device

    def ask(self, **terms):
        return phones.ask(self.user, allow_parallel=True, expires_in=600, device_id=self.row.pk, **terms)[0]

    def approves(self, **how):
        try:
            return self.device.start_operation(str(self.ask().pk)).approve(**how).state == "COMPLETED"
        except (errors.AuthenticationFailed, errors.MethodNotAllowed, errors.BiometryRefused):
            return False

    def pins_that_work(self):
        return [pin for pin in (PIN, NEW) if self.approves(pin=pin)]

    def heard(self, kind):
        return any(isinstance(error, kind) for error in self.told)


# --- one story for each message ---


def registration_start(life):
    life.operation, life.code = phones.start_registration(life.user, life.application)
    life.enter("registration/start")
    offer = life.insist(life.offer, times=1)
    life.operation.refresh_from_db()
    if offer is not None:
        assert offer.operation_id == str(life.operation.pk)
    elif life.told and life.operation.status != "PENDING":
        assert life.told[-1].may_have_acted or "used up" in str(life.told[-1])
    assert Operation.objects.count() == 1


def registration_finish(life):
    offer = life.start(confirmation="INTEGRATOR" if life.fault.later else "NONE")
    life.enter("registration/finish")
    done = life.insist(lambda: offer.finish(pin=PIN, name="Through", biometric=life.fault.had))
    life.leave()
    assert Device.objects.count() <= 1
    if done is None and not DeviceState.exists(life.store):
        again = SdkDevice.resume_registration(life.store, **life.ways)
        if again is None:
            assert not Device.objects.exists(), "it died before anything was sent"
            return
        done = again.finish(pin=PIN)
    if done is not None and done.state == "PENDING":
        operation = Operation.objects.as_read().get(pk=life.operation.pk)
        by_integrator.confirm(operation, code=done.confirmation_code, actor=SYSTEM)
    elif done is None and life.row.status == "PENDING":
        return  # it was registered and died while it had the code on its screen
    life.device = SdkDevice.load(life.store, **life.ways)
    assert life.device.device_id == str(life.row.pk)
    assert life.row.failed_attempts == 0
    assert life.pins_that_work() == [PIN]


def operations_pending(life):
    device, operation = life.registered(), life.ask()
    life.enter("operations/pending")
    life.insist(device.pending)
    assert [one.operation_id for one in life.reopened().pending()] in ([str(operation.pk)], [])


def operations_start(life):
    device, operation = life.registered(), life.ask()
    life.enter("operations/start")
    life.insist(lambda: device.start_operation(str(operation.pk)))
    assert operation.nonces.filter(used_at=None).count() <= 3
    life.reopened()
    assert life.pins_that_work() == [PIN]


def approve(life, pin=PIN):
    operation = life.registered() and life.ask()
    challenge = life.device.start_operation(str(operation.pk))
    life.enter("operations/finish")
    outcome = life.insist(lambda: challenge.approve(pin=pin))
    operation.refresh_from_db()
    if outcome is not None:
        assert outcome.state == operation.status == "COMPLETED"
    if life.heard(errors.AuthenticationFailed):
        assert (pin, life.row.failed_attempts) == (WRONG, 1)
    if life.heard(errors.OperationClosed):
        assert life.told[-1].state == operation.status
    assert Event.objects.filter(type="authentication.completed").count() == int(operation.status == "COMPLETED")
    assert life.row.failed_attempts <= int(pin == WRONG)
    life.reopened()
    assert life.pins_that_work() == [PIN]


def approve_with_a_wrong_pin(life):
    approve(life, WRONG)
    assert not Event.objects.filter(type="authentication.failed").exists()


def reject(life):
    operation = life.registered() and life.ask()
    challenge = life.device.start_operation(str(operation.pk))
    life.enter("operations/finish")
    outcome = life.insist(lambda: challenge.reject("NOT_ME"))
    operation.refresh_from_db()
    assert outcome is None or outcome.state == operation.status == "REJECTED"
    assert Event.objects.filter(type="operation.reported").count() == int(operation.status == "REJECTED")


def return_to_the_shop(life):
    operation, shown = (
        life.registered(),
        phones.ask(life.user, binding="SAME_DEVICE", return_url="https://shop.example/", expires_in=600),
    )[1]
    challenge = life.device.start_operation(qr=phones.link(shown))
    life.enter("operations/finish")
    outcome = life.insist(lambda: challenge.approve(pin=PIN))
    operation.refresh_from_db()
    if outcome is not None:
        code = wire.unb64u(outcome.return_link.rpartition("returnCode=")[2])
        assert operation.return_hash == wire.b64u(hashlib.sha256(code).digest())


def challenge(life):
    device = life.registered()
    life.enter("challenge")
    life.insist(lambda: device.change_pin(PIN, NEW), times=1)
    life.reopened()
    assert len(life.pins_that_work()) == 1


def pin_change(life, old=PIN):
    device = life.registered()
    life.enter("pin/change")
    before = len(life.told)
    done = life.insist(lambda: device.change_pin(old, NEW) or True, times=1)
    errors_told = life.told[before:]
    assert life.row.failed_attempts <= int(old == WRONG)
    if life.heard(errors.AuthenticationFailed):
        assert (old, life.row.failed_attempts) == (WRONG, 1)
    life.reopened()
    works = life.pins_that_work()
    assert len(works) == 1
    if done:
        assert works == [NEW]
    elif errors_told and not errors_told[-1].may_have_acted and not life.heard(errors.PinChangeUnsettled):
        assert works == [PIN], "who is told that it failed has the PIN from before"
    if life.fault.later == 601:
        other = "135791"
        life.device.change_pin(works[0], other)
        assert life.approves(pin=other), "nothing is unsettled for ever"


def pin_change_by_a_wrong_pin(life):
    pin_change(life, WRONG)


def biometric_enable(life):
    device, had = life.registered(), life.fault.had
    life.enter("biometric/enable")
    done = life.insist(lambda: device.enable_biometric(PIN), times=1)
    assert life.row.failed_attempts == 0
    life.reopened()
    works = life.approves(method="DEVICE_BIOMETRIC")
    row = life.row
    assert works == (row.inherence_jwk is not None) == bool(done or had or row.inherence_jwk)
    assert row.failed_attempts == 0
    if works:
        held = life.device.status().inherence_thumbprint
        assert held == proofs.thumbprint(row.inherence_jwk)
    if life.fault.later == 601:
        life.device.enable_biometric(PIN)
        assert life.approves(method="DEVICE_BIOMETRIC"), "nothing is unsettled for ever"
    assert life.pins_that_work() == [PIN]


def biometric_disable(life):
    device = life.registered()
    life.enter("biometric/disable")
    life.insist(device.disable_biometric)
    life.reopened().disable_biometric()
    assert life.row.inherence_jwk is None
    assert not life.approves(method="DEVICE_BIOMETRIC")
    assert life.row.failed_attempts == 0
    life.device.enable_biometric(PIN)
    assert life.approves(method="DEVICE_BIOMETRIC")


def rename(life):
    device = life.registered()
    life.enter("rename")
    done = life.insist(lambda: device.rename("Found again") or True)
    assert life.row.name in (("Found again",) if done else ("Found again", "Through"))
    life.reopened().rename("Found again")
    assert (life.row.name, life.device.name) == ("Found again", "Found again")


def push_token(life):
    device = life.registered()
    life.enter("push-token")
    life.insist(lambda: device.push_token("fcm", "token"))
    life.reopened().push_token("fcm", "token")
    assert unseal_field(life.row, "push_token") == b"token"


def deactivate(life):
    device = life.registered()
    life.enter("deactivate")
    life.insist(device.deactivate)
    life.leave()
    if DeviceState.exists(life.store):
        SdkDevice.load(life.store, **life.ways).deactivate()
    assert life.row.status == "DEACTIVATED"
    assert life.store._keys == {}


def status(life):
    device = life.registered()
    life.enter("status")
    life.insist(device.status)
    assert life.reopened().status().attempts_left == 5


STORIES = {
    "registration/start": [registration_start],
    "registration/finish": [registration_finish],
    "operations/pending": [operations_pending],
    "operations/start": [operations_start],
    "operations/finish": [approve, approve_with_a_wrong_pin, reject, return_to_the_shop],
    "challenge": [challenge],
    "pin/change": [pin_change, pin_change_by_a_wrong_pin],
    "biometric/enable": [biometric_enable],
    "biometric/disable": [biometric_disable],
    "rename": [rename],
    "push-token": [push_token],
    "deactivate": [deactivate],
    "status": [status],
}
MANY = {registration_finish, approve, pin_change, biometric_enable}
"""What took its harm before: tried more often."""


def test_every_message_has_its_story():
    assert STORIES.keys() == MESSAGES.keys()


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("story", list(chain(*STORIES.values())), ids=lambda one: one.__name__)
def test_whatever_gets_lost_the_two_sides_agree_in_the_end(story, monkeypatch, settings):
    settings.DEVICE_RATE_LIMIT = 10**9
    monkeypatch.setattr("mobileid.device_api.message.PHONE_QUOTA", 10**9)
    monkeypatch.setattr("mobileid.device_api.messages.CODE_QUOTA", 10**9)
    monkeypatch.setattr("mobileid.device_api.door.QUANTUM", 0.0001)
    _tried(story, monkeypatch)()


def _tried(story, monkeypatch):
    most = settings.default.max_examples // (10 if story in MANY else 50)

    @settings(max_examples=most, deadline=None, suppress_health_check=list(HealthCheck), print_blob=False)
    @given(FAULTS)
    def life(fault):
        channel.forget()
        signing.forget()
        with Time.kept(monkeypatch) as time, transaction.atomic():
            story(Life(time, fault))
            transaction.set_rollback(True)

    for fault in KNOWN if story in MANY else KNOWN[:2]:
        life = example(fault)(life)
    return life
