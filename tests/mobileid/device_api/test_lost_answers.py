"""An answer that never comes: what the phone does then, and what the service tells when it is asked again."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from mobileid import tasks
from mobileid.models import Device, Operation
from mobileid.protocol import proofs, wire
from mobileid.sdk import errors, proof, transport
from mobileid.sdk.device import Device as SdkDevice
from mobileid.sdk.keystore import MemoryStore
from mobileid.services import applications, completion, devices, factors
from mobileid.services.registration import by_integrator
from reuseid.actors import SYSTEM
from reuseid.models import Event, TrailEntry
from tests import phone_factories as phones
from tests.mobileid.tunnel import Time, Tunnel
from tests.phone_factories import PIN

NEW = "827364"
ALL = transport.TRIES
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("cheap_pins")]


@pytest.fixture
def time(monkeypatch):
    monkeypatch.setattr("mobileid.device_api.door.QUANTUM", 0.001)
    with Time.kept(monkeypatch) as kept:
        yield kept


@pytest.fixture
def line(time):
    return Tunnel(time)


@pytest.fixture
def reopen(time, line):
    """The app of this phone is opened; its clock is ahead by so many seconds."""

    def reopen(phone, offset=0):
        clock = time.clock(offset)
        phone.device = SdkDevice.load(phone.store, transport=line, clock=clock, sleep=time.passes)
        return phone.device

    return reopen


def approves(device, user, **how):
    operation, _ = phones.ask(user)
    try:
        return device.start_operation(str(operation.pk)).approve(**how).state == "COMPLETED"
    except (errors.AuthenticationFailed, errors.BiometryRefused, errors.MethodNotAllowed):
        return False


# --- a refusal that answers a copy ---


def test_a_copy_that_comes_too_late_says_nothing_of_the_pin_change_before_it(phone, ada, reopen, line, time):
    device = reopen(phone, -116)
    device.status()
    line.enter("pin/change", answers=4, seconds=2)
    device.change_pin(PIN, NEW)
    assert phone.row.key_version == 2
    time.passes(601)
    assert approves(device, ada, pin=NEW)
    assert not approves(device, ada, pin=PIN)


def test_a_change_that_never_arrived_is_sent_anew_when_its_copy_is_too_old(phone, ada, reopen, line):
    device = reopen(phone, -116)
    device.status()
    line.enter("pin/change", requests=4, seconds=2)
    device.change_pin(PIN, NEW)
    assert phone.row.key_version == 2
    assert approves(device, ada, pin=NEW)


def test_a_change_in_doubt_keeps_both_pins_and_asks_for_the_one_that_counts(phone, ada, reopen, line, time):
    device = reopen(phone)
    line.enter("pin/change", requests=ALL, seconds=2)
    with pytest.raises(errors.ConnectionFailed) as unknown:
        device.change_pin(PIN, NEW)
    assert unknown.value.may_have_acted
    assert approves(device, ada, pin=PIN), "the service has not taken the new one"
    with pytest.raises(errors.PinChangeUnsettled):
        device.change_pin(PIN, "135799")
    path, late = next(sent for sent in reversed(line.gone) if sent[0].endswith("pin/change"))
    line.post(path, late)
    assert phone.row.key_version == 2, "a copy came late"
    assert approves(device, ada, pin=NEW)


@pytest.mark.parametrize("wrong", [False, True])
def test_an_approval_whose_copy_is_too_old_tells_what_became_of_it(phone, ada, reopen, line, wrong):
    device = reopen(phone, -116)
    operation, _ = phones.ask(ada)
    challenge = device.start_operation(str(operation.pk))
    line.enter(answers=4, seconds=2)
    if wrong:
        with pytest.raises(errors.AuthenticationFailed):
            challenge.approve(pin="000000")
    else:
        assert challenge.approve(pin=PIN).state == "COMPLETED"
        assert Event.objects.filter(type="authentication.completed").count() == 1
    assert phone.row.failed_attempts == int(wrong)


def test_the_return_link_survives_a_lost_answer(phone, ada, reopen, line):
    device = reopen(phone, -116)
    operation, shown = phones.ask(ada, binding="SAME_DEVICE", return_url="https://shop.example/back")
    challenge = device.start_operation(qr=phones.link(shown))
    line.enter(answers=4, seconds=2)
    outcome = challenge.approve(pin=PIN)
    assert outcome.state == "COMPLETED"
    code = outcome.return_link.rpartition("returnCode=")[2]
    completion.release(Operation.objects.as_read().get(pk=operation.pk), return_code=code, actor=SYSTEM)
    operation.refresh_from_db()
    assert operation.status == "COMPLETED"


def test_a_limit_met_by_a_copy_leaves_the_attempt_to_be_asked_for_again(phone, ada, reopen, line, monkeypatch):
    device = reopen(phone)
    operation, _ = phones.ask(ada)
    challenge = device.start_operation(str(operation.pk))
    line.enter(answers=1)
    line.post = _then(line.post, lambda: monkeypatch.setattr("mobileid.device_api.message.PHONE_QUOTA", 0))
    with pytest.raises(errors.RateLimited) as limited:
        challenge.approve(pin="000000")
    assert limited.value.may_have_acted
    monkeypatch.setattr("mobileid.device_api.message.PHONE_QUOTA", 120)
    line.post = Tunnel.post.__get__(line)
    with pytest.raises(errors.AuthenticationFailed):
        challenge.approve(pin="000000")
    assert phone.row.failed_attempts == 1


def _then(call, act):
    def called(*args):
        try:
            return call(*args)
        finally:
            act()

    return called


def test_a_code_whose_answer_was_lost_is_said_to_be_used_up(ada, application, line, time):
    _operation, code = phones.start_registration(ada, application)
    line.enter(answers=4, seconds=2)
    start = {"transport": line, "clock": time.clock(-116), "sleep": time.passes}
    with pytest.raises(errors.RegistrationInvalid, match="used up"):
        SdkDevice.start_registration(phones.config_of(application), code, MemoryStore(), **start)


def test_a_phone_that_ended_itself_without_hearing_so_is_erased_when_it_asks_again(phone, reopen, line):
    device = reopen(phone)
    line.enter(answers=ALL)
    with pytest.raises(errors.ConnectionFailed):
        device.deactivate()
    assert phone.row.status == "DEACTIVATED"
    device.deactivate()
    with pytest.raises(errors.NotRegistered):
        SdkDevice.load(phone.store)


# --- biometry ---


def thumbprint_of(phone):
    return proofs.thumbprint(phone.row.inherence_jwk)


def test_status_and_the_answer_name_the_biometric_key_that_counts(phone):
    old = phone.device.status().inherence_thumbprint
    assert old == thumbprint_of(phone)
    phone.device.enable_biometric(PIN)
    assert phone.device.status().inherence_thumbprint == thumbprint_of(phone) != old
    phone.device.disable_biometric()
    assert phone.device.status().inherence_thumbprint is None
    assert "inherenceThumbprint" not in phone.call("status")


@pytest.mark.parametrize("later", [0, 601], ids=["at once", "after the hand-over"])
@pytest.mark.parametrize("had", [False, True], ids=["first", "anew"])
def test_biometry_enabled_without_an_answer_works_and_counts_nothing(ada, application, reopen, line, time, had, later):
    phone = phones.make_phone(ada, application, biometric=had)
    device = reopen(phone)
    line.enter("biometric/enable", answers=ALL)
    with pytest.raises(errors.ConnectionFailed) as unknown:
        device.enable_biometric(PIN)
    assert unknown.value.may_have_acted
    time.passes(later)
    device = reopen(phone)
    assert approves(device, ada, method="DEVICE_BIOMETRIC")
    row = phone.row
    assert (row.failed_attempts, row.previous_inherence_jwk) == (0, None)
    assert device.status().inherence_thumbprint == thumbprint_of(phone)


def test_the_biometric_key_before_counts_until_the_new_one_is_used_for_ten_minutes_at_most(phone, ada):
    before = dict(phone.store._keys)
    phone.device.enable_biometric(PIN)
    new, phone.store._keys = phone.store._keys, before
    assert approves(phone.device, ada, method="DEVICE_BIOMETRIC")
    Device.objects.update(previous_inherence_until=Now() - timedelta(seconds=1))
    assert not approves(phone.device, ada, method="DEVICE_BIOMETRIC")
    assert phone.row.failed_attempts == 1
    phone.store._keys = new
    assert approves(phone.device, ada, method="DEVICE_BIOMETRIC")


def test_the_first_good_use_of_the_new_biometric_key_ends_the_one_before(phone, ada):
    before = dict(phone.store._keys)
    phone.device.enable_biometric(PIN)
    assert phone.row.previous_inherence_jwk is not None
    assert approves(phone.device, ada, method="DEVICE_BIOMETRIC")
    assert (phone.row.previous_inherence_jwk, phone.row.previous_inherence_until) == (None, None)
    phone.store._keys = before
    assert not approves(phone.device, ada, method="DEVICE_BIOMETRIC")


@pytest.mark.parametrize("end", ["purge", "disable", "deactivate", "staff"])
def test_the_biometric_key_before_is_erased_with_its_time_its_successor_or_its_phone(phone, end):
    phone.device.enable_biometric(PIN)
    if end == "purge":
        tasks.purge()
        assert phone.row.previous_inherence_jwk is not None
        Device.objects.update(previous_inherence_until=Now() - timedelta(seconds=1))
        tasks.purge()
    elif end == "disable":
        phone.device.disable_biometric()
    elif end == "deactivate":
        phone.call("deactivate")
    else:
        devices.deactivate(phone.row, actor=SYSTEM, reason="DEVICE_LOST")
    row = phone.row
    assert (row.previous_inherence_jwk, row.previous_inherence_until) == (None, None)
    assert (row.inherence_jwk is None) == (end != "purge")


def test_a_refused_enabling_leaves_the_biometric_key_that_there_was(phone, ada):
    with pytest.raises(errors.AuthenticationFailed):
        phone.device.enable_biometric("000000")
    assert approves(phone.device, ada, method="DEVICE_BIOMETRIC")
    phone.store._gate = lambda: False
    with pytest.raises(errors.BiometryRefused):
        phone.device.enable_biometric(PIN)
    phone.store._gate = lambda: True
    assert approves(phone.device, ada, method="DEVICE_BIOMETRIC")


def test_an_enabling_in_doubt_blocks_another_and_a_disabling_until_it_can_no_longer_arrive(phone, reopen, line, time):
    device = reopen(phone)
    line.enter("biometric/enable", requests=ALL)
    with pytest.raises(errors.ConnectionFailed):
        device.enable_biometric(PIN)
    device = reopen(phone)
    for call in (lambda: device.enable_biometric(PIN), device.disable_biometric):
        with pytest.raises(errors.BiometryUnsettled) as waiting:
            call()
        assert 0 < waiting.value.retry_after <= 420
    time.passes(421)
    assert "DEVICE_BIOMETRIC" in device.enable_biometric(PIN)


# --- registering ---


@pytest.fixture
def offer(ada, application, line, time):
    """An offer of a phone that goes into the tunnel; the operation is `offer.operation`."""

    def make(**terms):
        operation, code = phones.start_registration(ada, application, **terms)
        found = SdkDevice.start_registration(
            phones.config_of(application),
            code,
            MemoryStore(gate=lambda: True),
            transport=line,
            clock=time.clock(),
            sleep=time.passes,
        )
        found.operation = operation
        return found

    return make


def lost(found, line, **terms):
    line.enter(answers=ALL)
    with pytest.raises(errors.ConnectionFailed):
        found.finish(pin=PIN, name="Through", **terms)


def resumed(found, line, time):
    return SdkDevice.resume_registration(found._store, transport=line, clock=time.clock(), sleep=time.passes)


@pytest.mark.parametrize("restarted", [False, True], ids=["running", "restarted"])
@pytest.mark.parametrize("confirmation", ["NONE", "INTEGRATOR"])
def test_a_registration_is_finished_again_long_after_its_answer_was_lost(
    ada, offer, line, time, restarted, confirmation
):
    found = offer(confirmation=confirmation, post_context={"mimeType": "text/plain", "content": "Welcome."})
    lost(found, line, biometric=True)
    time.passes(300)
    events, lines = Event.objects.count(), TrailEntry.objects.count()
    done = (resumed(found, line, time) if restarted else found).finish(pin=PIN)
    row = Device.objects.get()
    assert done.device.device_id == str(row.pk)
    assert (Event.objects.count(), TrailEntry.objects.count()) == (events, lines)
    if confirmation == "INTEGRATOR":
        operation = Operation.objects.as_read().get(pk=found.operation.pk)
        by_integrator.confirm(operation, code=done.confirmation_code, actor=SYSTEM)
    else:
        assert done.post_operation_context["content"] == "Welcome."
    assert approves(done.device, ada, pin=PIN)
    assert approves(done.device, ada, method="DEVICE_BIOMETRIC")
    assert resumed(found, line, time) is None


def test_a_confirmed_registration_finished_again_is_told_to_be_active(offer, line, time):
    found = offer(confirmation="INTEGRATOR")
    line.enter(answers=ALL)
    with pytest.raises(errors.ConnectionFailed):
        found.finish(pin=PIN, name="Through")
    [statement] = found._draft.statements
    code = wire.confirmation_code(statement, str(Device.objects.get().pk))
    by_integrator.confirm(Operation.objects.as_read().get(pk=found.operation.pk), code=code, actor=SYSTEM)
    time.passes(130)
    done = found.finish(pin=PIN)
    assert (done.state, done.confirmation_code) == ("ACTIVE", code)


def test_a_pin_other_than_the_first_is_no_way_to_the_answer_and_each_try_is_counted(offer, line, time):
    found = offer()
    lost(found, line)
    time.passes(130)
    again = resumed(found, line, time)
    for failures in range(1, factors.MAX_FAILURES + 1):
        with pytest.raises(errors.RegistrationInvalid, match="chosen at first"):
            again.finish(pin=f"00000{failures}")
        assert Device.objects.get().failed_attempts == failures
    with pytest.raises(errors.DeviceUnusable) as locked:
        again.finish(pin=PIN)
    assert locked.value.state == "LOCKED"
    time.passes(301)
    assert again.finish(pin=PIN).device.device_id == str(Device.objects.get().pk)


def test_while_it_waits_for_confirmation_five_tries_are_all(offer, line, time):
    found = offer(confirmation="INTEGRATOR")
    lost(found, line)
    time.passes(130)
    again = resumed(found, line, time)
    for _ in range(factors.MAX_FAILURES):
        with pytest.raises(errors.RegistrationInvalid):
            again.finish(pin="000000")
    with pytest.raises(errors.RegistrationInvalid):
        again.finish(pin=PIN)
    assert (Device.objects.get().status, Device.objects.get().failed_attempts) == ("PENDING", 5)


def test_the_right_pin_gives_back_its_own_attempt_alone(offer, line, time):
    found = offer()
    lost(found, line)
    time.passes(130)
    with pytest.raises(errors.RegistrationInvalid):
        resumed(found, line, time).finish(pin="000000")
    resumed(found, line, time).finish(pin=PIN)
    assert Device.objects.get().failed_attempts == 1


def test_other_keys_than_the_first_are_registration_invalid(offer, line, time):
    found = offer()
    lost(found, line)
    time.passes(130)
    for biometric in (False, True):
        found._draft = None
        with pytest.raises(errors.RegistrationInvalid):
            found.finish(pin=PIN, name="Somebody's", biometric=biometric)
    row = Device.objects.get()
    assert row.failed_attempts == 0, "by other possession keys nobody can lock the phone"


def test_a_repetition_that_the_phone_did_not_sign_is_refused_and_counts_nothing(offer, line, time):
    found = offer()
    lost(found, line)
    time.passes(130)
    found._draft.message = None
    found._store.sign_possession = lambda data: MemoryStore().create_keys() and bytes(63) + b"\x01"
    with pytest.raises(errors.AuthenticationFailed):
        found.finish(pin=PIN)
    assert Device.objects.get().failed_attempts == 0


@pytest.mark.parametrize(
    ("end", "told"),
    [
        (lambda found, time: time.passes(901), errors.RegistrationInvalid),
        (
            lambda found, time: devices.deactivate(Device.objects.get(), actor=SYSTEM, reason="DEVICE_LOST"),
            errors.DeviceUnusable,
        ),
        (
            lambda found, time: devices.lock(Device.objects.get(), actor=SYSTEM, reason="DEVICE_LOST"),
            errors.DeviceUnusable,
        ),
    ],
    ids=["code over", "deactivated", "locked"],
)
def test_what_has_ended_since_is_said(offer, line, time, end, told):
    found = offer()
    lost(found, line)
    time.passes(130)
    end(found, time)
    with pytest.raises(told):
        found.finish(pin=PIN)


def test_a_cancelled_registration_that_is_finished_again_is_over(offer, line, time):
    found = offer(confirmation="INTEGRATOR")
    lost(found, line)
    completion.cancel(Operation.objects.as_read().get(), actor=SYSTEM)
    time.passes(130)
    with pytest.raises(errors.OperationClosed) as over:
        found.finish(pin=PIN)
    assert over.value.state == "CANCELED"


def test_a_policy_that_changed_since_does_not_orphan_the_phone(offer, line, time, application):
    found = offer()
    lost(found, line)
    applications.change_application(application, actor=SYSTEM, min_sdk_version="9.9")
    time.passes(130)
    assert found.finish(pin=PIN).state == "ACTIVE"


def test_a_new_phone_that_was_never_heard_of_is_not_preferred_to_one_in_use(phone, ada, offer, line, time):
    assert approves(phone.device, ada, pin=PIN)
    found = offer()
    lost(found, line)
    operation, _ = phones.ask(ada)
    assert operation.target_device == phone.row
    time.passes(130)
    new = found.finish(pin=PIN).device
    new.pending()
    operation, _ = phones.ask(ada)
    assert str(operation.target_device_id) == new.device_id, "somebody holds it, and opened the app last"


def test_of_phones_that_were_never_heard_of_the_newest_is_asked(ada, application):
    rows = [phones.make_phone(ada, application, name=name).row for name in ("One", "Two")]
    operation, _ = phones.ask(ada)
    assert operation.target_device == rows[-1]
    assert rows[0].heard_at is None


def test_a_plain_message_is_said_again(phone, reopen, line):
    device = reopen(phone, -116)
    line.enter(answers=4, seconds=2)
    device.rename("Through")
    assert phone.row.name == "Through"
    assert TrailEntry.objects.filter(action="device.renamed").count() == 1


def test_proofs_of_two_keys_are_never_mixed(phone):
    """`beside` is another key than the one in use."""
    jwk = phone.store.create_inherence(beside=True)
    signed = proof.sign(b"{}", {"inherence": lambda data: phone.store.sign_inherence(data, beside=True)})
    parsed = proofs.parse(signed)
    assert parsed.verify("inherence", proofs.public_key_from_jwk(jwk))
    assert not parsed.verify("inherence", proofs.public_key_from_jwk(phone.row.inherence_jwk))
