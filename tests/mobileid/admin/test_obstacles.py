"""Why can this person not sign in? Every blocking fact, and only those."""

from datetime import timedelta

import pytest
from django.utils import timezone

from mobileid.models import Device, Operation
from mobileid.services import devices, registering
from mobileid.services.obstacles import obstacles
from reuseid.actors import SYSTEM
from reuseid.models import User
from reuseid.services import accounts, users
from tests import factories_devices as phones
from tests.reuseid.admin.cast import page

pytestmark = pytest.mark.django_db


def codes(user):
    return [fact.code for fact in obstacles(User.objects.select_related("account").get(pk=user.pk))]


def test_nothing_stands_in_the_way_of_an_active_person_with_a_phone(ada, phone, support):
    assert codes(ada) == []
    assert "Nothing stands in the way" in support.get(page(ada)).content.decode()


def test_a_locked_person_and_the_reason(ada, phone, support):
    users.lock(ada, actor=SYSTEM, reason="SUSPECTED_FRAUD")
    assert codes(ada) == ["USER_LOCKED"]
    shown = support.get(page(ada)).content.decode()
    assert "until somebody unlocks them (SUSPECTED_FRAUD: Somebody else may be acting for the customer)" in shown


def test_a_deactivated_person_has_no_phone_any_more(ada, phone):
    users.deactivate(ada, actor=SYSTEM, reason="DECEASED")
    assert codes(ada) == ["USER_DEACTIVATED", "NO_DEVICE"]


def test_no_phone_or_a_registration_that_waits(ada, application):
    assert codes(ada) == ["NO_DEVICE"]
    registering.start_registration(ada.account, user=ada, application=application, actor=SYSTEM)
    assert codes(ada) == ["REGISTRATION_OPEN"]


def test_every_phone_locked_but_not_if_one_is_usable(ada, phone, application):
    devices.lock(phone.row, actor=SYSTEM, reason="DEVICE_LOST")
    assert codes(ada) == ["DEVICE_LOCKED"]
    phones.make_phone(ada, application, name="Second")
    assert codes(ada) == []


def test_a_lock_for_a_time_counts_until_that_time(ada, phone):
    devices.lock(phone.row, actor=SYSTEM, reason="TOO_MANY_FAILURES", until=timezone.now() + timedelta(minutes=5))
    assert codes(ada) == ["DEVICE_LOCKED"]
    Device.objects.update(locked_until=timezone.now() - timedelta(seconds=1))
    assert codes(ada) == []


def test_a_phone_that_waits_for_confirmation(ada, application, cheap_pins):
    phones.make_phone(ada, application, confirmation="INTEGRATOR")
    assert codes(ada) == ["DEVICE_PENDING"]


def test_a_cool_down_after_too_many_unanswered(ada, phone):
    for _ in range(6):
        operation, _shown = phones.ask(ada)
        Operation.objects.filter(pk=operation.pk).update(
            status="EXPIRED", ended_at=timezone.now(), expires_at=timezone.now()
        )
    assert codes(ada) == ["USER_COOLDOWN"]


def test_a_blocked_account(ada, phone):
    accounts.block(ada.account, actor=SYSTEM, reason="COMPLIANCE")
    assert codes(ada) == ["ACCOUNT_BLOCKED"]
