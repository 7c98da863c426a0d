"""Wrong PINs lock the phone, longer each time; when locks end, and what they say."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from mobileid.models import Device
from mobileid.sdk import errors
from mobileid.services import devices
from reuseid.actors import SYSTEM
from reuseid.models import Event, User
from reuseid.services.people import users
from tests import phone_factories as phones
from tests.phone_factories import PIN

pytestmark = pytest.mark.django_db


def fail(phone, ada, times=5):
    operation, _ = phones.ask(ada)
    challenge = phone.device.start_operation(str(operation.pk))
    for number in range(times):
        with pytest.raises(errors.AuthenticationFailed):
            (challenge.restart() if number else challenge).approve(pin="000000")


def approve(phone, ada, **how):
    operation, _ = phones.ask(ada, allow_parallel=True)
    return phone.device.start_operation(str(operation.pk)).approve(**how).state


def lapse():
    Device.objects.update(locked_until=Now() - timedelta(milliseconds=1))


def device_events():
    return list(Event.objects.filter(object_type="device").order_by("sequence").values_list("type", flat=True))[1:]


def test_the_fifth_wrong_pin_in_a_row_locks_for_five_minutes(phone, ada):
    fail(phone, ada, 4)
    assert phone.row.status == "ACTIVE"
    fail(phone, ada, 1)
    row = phone.row
    assert (row.status, row.lock_reason, row.lock_count) == ("LOCKED", "TOO_MANY_FAILURES", 1)
    assert timedelta(minutes=4, seconds=55) < row.locked_until - timezone.now() <= timedelta(minutes=5)
    status = phone.device.status()
    assert (status.state, status.attempts_left) == ("LOCKED", 0)
    with pytest.raises(errors.DeviceUnusable) as refused:
        phone.device.pending()
    assert refused.value.locked_until is not None
    assert device_events() == ["device.locked"]


def test_a_lock_for_a_time_ends_with_it_when_the_phone_comes_back(phone, ada):
    fail(phone, ada)
    lapse()
    phone.device.pending()
    row = phone.row
    assert (row.status, row.failed_attempts, row.lock_count) == ("ACTIVE", 0, 1)
    assert device_events() == ["device.locked", "device.unlocked"]


def test_the_second_lock_is_twice_as_long_and_warns_and_the_third_lasts(phone, ada):
    fail(phone, ada)
    lapse()
    fail(phone, ada)
    assert timedelta(minutes=9, seconds=55) < phone.row.locked_until - timezone.now() <= timedelta(minutes=10)
    assert device_events()[-2:] == ["device.locked", "device.lock_warning"]
    lapse()
    fail(phone, ada)
    row = phone.row
    assert (row.status, row.locked_until, row.lock_count) == ("LOCKED", None, 3)
    assert device_events()[-1] == "device.locked"
    with pytest.raises(errors.DeviceUnusable) as refused:
        phone.device.pending()
    assert refused.value.locked_until is None


def test_support_unlocks_and_the_phone_begins_anew(phone, ada):
    for _ in range(3):
        fail(phone, ada)
        lapse_if_temporary()
    devices.unlock(phone.row, actor=SYSTEM, reason="RESOLVED")
    assert approve(phone, ada, pin=PIN) == "COMPLETED"
    assert (phone.row.lock_count, phone.row.failed_attempts) == (0, 0)


def lapse_if_temporary():
    Device.objects.filter(locked_until__isnull=False).update(locked_until=Now() - timedelta(milliseconds=1))


def test_a_good_pin_forgives_the_wrong_ones_and_the_locks_before(phone, ada):
    fail(phone, ada)
    lapse()
    fail(phone, ada, 4)
    assert approve(phone, ada, pin=PIN) == "COMPLETED"
    assert (phone.row.lock_count, phone.row.failed_attempts) == (0, 0)


def test_a_device_that_staff_locked_stays_locked_though_a_time_was_set_before(phone, ada):
    fail(phone, ada)
    devices.lock(phone.row, actor=SYSTEM, reason="DEVICE_STOLEN")
    assert phone.device.status().state == "LOCKED"
    with pytest.raises(errors.DeviceUnusable):
        phone.device.pending()


def test_a_locked_person_s_phone_is_unusable_at_once_and_says_its_own_state(phone, ada):
    users.lock(User.objects.get(pk=ada.pk), actor=SYSTEM, reason="SUSPECTED_FRAUD")
    with pytest.raises(errors.DeviceUnusable) as refused:
        phone.device.pending()
    assert refused.value.state == "ACTIVE"


def test_a_rejection_is_possible_after_four_wrong_pins_and_changes_no_count(phone, ada):
    operation, _ = phones.ask(ada)
    challenge = phone.device.start_operation(str(operation.pk))
    for _ in range(4):
        with pytest.raises(errors.AuthenticationFailed):
            challenge.approve(pin="000000")
        challenge.restart()
    assert challenge.reject().state == "REJECTED"
    assert phone.row.failed_attempts == 4
