"""Why can this person not sign in? Every blocking fact, and only those."""

from datetime import timedelta

import pytest
from django.utils import timezone

from mobileid.models import Application, Device, Operation
from mobileid.services import devices
from mobileid.services.diagnosis import diagnose
from mobileid.services.registration import by_integrator
from reuseid.actors import SYSTEM
from reuseid.models import User
from reuseid.services import accounts, clients
from reuseid.services.people import users
from tests import factories
from tests import phone_factories as phones
from tests.staff_factories import page

pytestmark = pytest.mark.django_db


def codes(user):
    return [fact.code for fact in diagnose(User.objects.select_related("account").get(pk=user.pk))]


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
    by_integrator.start_registration(ada.account, user=ada, application=application, actor=SYSTEM)
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


def test_times_are_the_readers_and_names_are_escaped(ada, phone, support):
    until = timezone.now().replace(microsecond=0) + timedelta(hours=1)
    devices.lock(phone.row, actor=SYSTEM, reason="TOO_MANY_FAILURES", until=until)
    Device.objects.update(name="<b>50 %</b>")
    (fact,) = diagnose(User.objects.select_related("account").get(pk=ada.pk))
    assert fact.values["until"] == until
    shown = support.get(page(ada)).content.decode()
    assert "The device “&lt;b&gt;50 %&lt;/b&gt;” is locked until <time" in shown
    assert f'datetime="{until.isoformat()}" title="{until:%Y-%m-%d %H:%M:%S.%f} UTC"' in shown
    assert "<b>50" not in shown


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


def help_of(user):
    return {fact.code: fact.advice for fact in diagnose(User.objects.select_related("account").get(pk=user.pk))}


def test_every_client_blocked_but_not_if_one_is_let_in(ada, phone, account):
    first, second = factories.make_client(account), factories.make_client(account)
    clients.block(first, actor=SYSTEM, reason="COMPLIANCE")
    assert codes(ada) == []
    clients.block(second, actor=SYSTEM, reason="COMPLIANCE")
    assert codes(ada) == ["CLIENTS_BLOCKED"]


def test_an_app_that_is_too_old_but_not_if_another_phone_is_new(ada, phone, application):
    Application.objects.update(min_sdk_version="2.0")
    Device.objects.update(sdk_version="1.9.9")
    assert codes(ada) == ["APP_TOO_OLD"]
    Device.objects.update(sdk_version="2.0")
    assert codes(ada) == []


def test_an_app_whose_cipher_suite_the_application_came_to_refuse(ada, phone, support):
    Device.objects.update(suite=1)
    assert codes(ada) == []
    Application.objects.update(min_suite=2)
    assert codes(ada) == ["SUITE_REFUSED"]
    shown = support.get(page(ada)).content.decode()
    assert "last used the cipher suite X25519; at least X-Wing (post-quantum) is asked for." in shown
    assert "updates the app and opens it once" in shown
    proof = support.get(page(phone.row)).content.decode()
    assert "Cipher suite, last used" in proof
    assert "X25519" in proof
    Device.objects.update(suite=None)
    assert codes(ada) == []


def test_no_method_that_the_application_allows(ada, phone):
    Application.objects.update(auth_methods=["DEVICE_BIOMETRIC"])
    Device.objects.update(inherence_jwk=None)
    assert codes(ada) == ["NO_METHOD"]


def test_all_tries_used_by_somebody_whose_last_was_never_judged(ada, phone):
    Device.objects.update(failed_attempts=5)
    assert codes(ada) == ["TRIES_USED"]
    row = phone.row
    devices.lock(row, actor=SYSTEM, reason="OTHER", note="As the advice says.")
    devices.unlock(row, actor=SYSTEM, reason="RESOLVED")
    assert codes(ada) == []


def test_a_pin_that_was_wrong_too_often_says_what_a_forgotten_one_needs(ada, phone):
    devices.lock(phone.row, actor=SYSTEM, reason="TOO_MANY_FAILURES")
    assert "forgotten" in help_of(ada)["DEVICE_LOCKED"]


def test_a_phone_not_seen_for_a_season(ada, phone):
    Device.objects.update(last_used_at=timezone.now() - timedelta(days=91))
    assert codes(ada) == ["DEVICE_UNSEEN"]
    Device.objects.update(last_used_at=timezone.now() - timedelta(days=89))
    assert codes(ada) == []


def test_a_registration_whose_code_expired(ada, application):
    by_integrator.start_registration(ada.account, user=ada, application=application, actor=SYSTEM)
    Operation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert codes(ada) == ["REGISTRATION_EXPIRED"]


def test_every_fact_says_what_helps_in_few_queries(ada, application, account, django_assert_max_num_queries):
    clients.block(factories.make_client(account), actor=SYSTEM, reason="COMPLIANCE")
    accounts.block(ada.account, actor=SYSTEM, reason="COMPLIANCE")
    users.lock(ada, actor=SYSTEM, reason="COMPLIANCE")
    user = User.objects.select_related("account").get(pk=ada.pk)
    with django_assert_max_num_queries(5):
        facts = diagnose(user)
    assert [fact.code for fact in facts] == ["ACCOUNT_BLOCKED", "CLIENTS_BLOCKED", "USER_LOCKED", "NO_DEVICE"]
    assert all(fact.advice for fact in facts)
