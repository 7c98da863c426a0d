"""What a person changes on the phone: PIN, biometry, name, push address, and its end."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from mobileid import tasks
from mobileid.models import Device
from mobileid.sdk import errors
from mobileid.services import purging
from reuseid.models import Event, TrailEntry
from reuseid.models.sealed import unseal_field
from tests import phone_factories as phones
from tests.phone_factories import PIN

NEW = "827364"
pytestmark = pytest.mark.django_db


def works(phone, ada, pin):
    """Whether this PIN approves now; the attempt counts."""
    operation, _ = phones.ask(ada)
    challenge = phone.device.start_operation(str(operation.pk))
    try:
        return challenge.approve(pin=pin).state == "COMPLETED"
    except errors.AuthenticationFailed:
        return False


def test_a_changed_pin_counts_and_the_old_one_no_longer(phone, ada):
    phone.device.change_pin(PIN, NEW)
    assert phone.device.status().key_version == 2
    assert phone.row.previous_knowledge_key is not None
    assert works(phone, ada, NEW)
    assert phone.row.previous_knowledge_key is None
    assert not works(phone, ada, PIN)


def test_a_pin_change_needs_the_old_pin_and_a_wrong_one_counts(phone):
    with pytest.raises(errors.AuthenticationFailed):
        phone.device.change_pin("000000", NEW)
    row = phone.row
    assert (row.failed_attempts, row.key_version, row.previous_knowledge_key) == (1, 1, None)


class Crash(BaseException):
    """The phone's battery ends here."""


@pytest.mark.parametrize("step", range(1, 8))
def test_a_crash_at_any_step_of_a_pin_change_leaves_exactly_one_pin_that_works(phone, ada, step, monkeypatch):
    """The steps of the phone: every write to its store and every message before and after it is sent."""
    steps = iter(range(1, 100))

    def crashing(call):
        def tried(*args, **kwargs):
            if next(steps) == step:
                raise Crash
            result = call(*args, **kwargs)
            if next(steps) == step:
                raise Crash
            return result

        return tried

    with monkeypatch.context() as patched:
        patched.setattr(phone.store, "write", crashing(phone.store.write))
        patched.setattr(phone.line, "post", crashing(phone.line.post))
        with pytest.raises(Crash):
            phone.device.change_pin(PIN, NEW)
    phone.reload()
    tried = {PIN: works(phone, ada, PIN), NEW: works(phone, ada, NEW)}
    assert sorted(tried.values()) == [False, True]
    assert phone.row.status == "ACTIVE"


def test_until_the_new_pin_is_used_the_old_key_counts_for_ten_minutes(phone, ada):
    before = phone.store.read("device")
    phone.device.change_pin(PIN, NEW)
    phone.store.write("device", before)
    phone.reload()
    assert works(phone, ada, PIN)
    Device.objects.update(previous_key_until=Now() - timedelta(seconds=1))
    assert not works(phone, ada, PIN)


def test_a_replaced_pin_key_is_erased_when_its_time_is_over(phone, ada):
    phone.device.change_pin(PIN, NEW)
    assert purging.previous_pins() == 0
    Device.objects.update(previous_key_until=Now() - timedelta(seconds=1))
    tasks.purge()
    row = phone.row
    assert (row.previous_knowledge_key, row.previous_key_until) == (None, None)
    assert works(phone, ada, NEW)


def test_biometry_is_enabled_with_the_pin_and_disabled_without(ada, application, cheap_pins):
    phone = phones.make_phone(ada, application)
    assert phone.device.status().auth_methods == ("DEVICE", "DEVICE_PIN")
    with pytest.raises(errors.AuthenticationFailed):
        phone.device.enable_biometric("000000")
    assert phone.row.failed_attempts == 1
    assert "DEVICE_BIOMETRIC" in phone.device.enable_biometric(PIN)
    operation, _ = phones.ask(ada)
    assert phone.device.start_operation(str(operation.pk)).approve(method="DEVICE_BIOMETRIC").state == "COMPLETED"
    assert phone.device.disable_biometric() == ("DEVICE", "DEVICE_PIN")
    assert phone.row.inherence_jwk is None


def test_a_push_token_is_kept_sealed_and_forgotten_when_empty(phone):
    phone.device.push_token("fcm", "token-of-the-phone")
    row = phone.row
    assert (row.push_provider, unseal_field(row, "push_token")) == ("fcm", b"token-of-the-phone")
    assert b"token-of-the-phone" not in bytes(row.push_token)
    lines = TrailEntry.objects.filter(action="device.push_address_set")
    phone.device.push_token("fcm", "token-of-the-phone")
    assert (bytes(phone.row.push_token), lines.count()) == (bytes(row.push_token), 1)
    phone.device.push_token("fcm", "")
    assert (phone.row.push_provider, phone.row.push_token) == ("", None)
    with pytest.raises(errors.MessageInvalid) as refused:
        phone.device.push_token("carrier-pigeon", "x")
    assert refused.value.field == "provider"


def test_a_phone_is_renamed_to_what_shows_as_it_reads(phone):
    phone.device.rename("Work phone")
    assert phone.row.name == "Work phone"
    with pytest.raises(errors.MessageInvalid) as refused:
        phone.call("rename", {"name": "Work\u202ephone"})
    assert refused.value.field == "name"
    assert TrailEntry.objects.filter(action="device.renamed", actor_id=phone.device.device_id).count() == 1


def test_a_phone_ends_itself_and_what_it_kept_secret(phone, ada):
    phone.device.push_token("fcm", "token")
    operation, _ = phones.ask(ada, device_id=phone.row.pk)
    phone.device.deactivate()
    row = phones.DeviceRow.objects.get()
    assert (row.status, row.knowledge_key, row.push_token) == ("DEACTIVATED", None, None)
    operation.refresh_from_db()
    assert operation.status == "CANCELED"
    assert "device.deactivated" in Event.objects.values_list("type", flat=True)


def test_an_ended_phone_is_told_so_and_can_do_nothing(phone, ada):
    phone.call("deactivate")
    assert phone.device.status().state == "DEACTIVATED"
    for call in (phone.device.pending, lambda: phone.device.rename("x"), lambda: phone.call("deactivate")):
        with pytest.raises(errors.DeviceUnusable) as refused:
            call()
        assert refused.value.state == "DEACTIVATED"


def test_status_learns_the_versions_that_an_updated_app_says(phone):
    phone.call("status", {"sdkVersion": "9.9.9", "appVersion": "2.0", "osVersion": "17"})
    row = phone.row
    assert (row.sdk_version, row.app_version, row.os_version) == ("9.9.9", "2.0", "17")
