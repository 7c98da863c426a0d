"""Why can this person not sign in? Every blocking fact, and only those."""

import re
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
    return [fact.code for fact in diagnosed(user).blocking]


def diagnosed(user):
    return diagnose(User.objects.select_related("account").get(pk=user.pk))


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
    (fact,) = diagnosed(ada).blocking
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
    return {fact.code: fact.advice for fact in diagnosed(user).blocking}


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
    with django_assert_max_num_queries(6):
        facts = diagnose(user).blocking
    assert [fact.code for fact in facts] == ["ACCOUNT_BLOCKED", "CLIENTS_BLOCKED", "USER_LOCKED", "NO_DEVICE"]
    assert all(fact.advice for fact in facts)


def told(support, user):
    """The answer's level, and each line's, with its text."""
    shown = support.get(page(user)).content.decode()
    panel = re.search(r'bo-findings bo-findings--(\w+)">(.*?)</section>', shown, re.DOTALL)
    lines = re.findall(r'<li class="bo-is-(\w+)">(.*?)</li>', panel[2], re.DOTALL)
    return panel[1], [(level, " ".join(re.sub(r"<[^>]*>", " ", line).split())) for level, line in lines]


def test_each_phone_has_its_own_verdict_the_one_used_last_first(ada, phone, application, support):
    phones.make_phone(ada, application, name="Old phone")
    Device.objects.filter(name="Old phone").update(last_used_at=timezone.now() - timedelta(days=2))
    Device.objects.filter(pk=phone.row.pk).update(last_used_at=timezone.now(), name="Pixel 9")
    devices.lock(phone.row, actor=SYSTEM, reason="DEVICE_LOST")
    assert codes(ada) == []
    level, ((first, pixel), (second, old)) = told(support, ada)
    assert (level, first, second) == ("bad", "bad", "good")
    assert "“Pixel 9” is locked until" in pixel
    assert "Unlock the device." in pixel
    assert "“Old phone” can be used; it was last used" in old
    assert "look at what is marked" in support.get(page(ada)).content.decode()


def test_wrong_pins_say_how_many_tries_are_left(ada, phone, support):
    Device.objects.update(failed_attempts=3)
    level, ((_good, line),) = told(support, ada)
    assert level == "good"
    assert line.endswith("The PIN was wrong lately; 2 tries are left.")


def test_a_phone_not_seen_for_a_season_is_a_doubt_and_not_a_ban(ada, phone, support):
    Device.objects.update(last_used_at=timezone.now() - timedelta(days=91))
    assert not diagnosed(ada).is_forbidden
    assert told(support, ada)[0] == "warn"


def ended(user, **changes):
    operation, _shown = phones.ask(user, allow_parallel=True)
    Operation.objects.filter(pk=operation.pk).update(ended_at=timezone.now(), **changes)


def test_the_last_five_attempts_with_their_cause(ada, phone, support):
    ended(ada, status="COMPLETED", auth_method="DEVICE_PIN", device=phone.row)
    for changes in [
        {"status": "EXPIRED"},
        {"status": "EXPIRED", "started_at": timezone.now()},
        {"status": "CANCELED", "failure_reason": "SUPERSEDED"},
        {"status": "REJECTED", "failure_reason": "USER"},
        {"status": "FAILED", "failure_reason": "NUMBER_MISMATCH"},
    ]:
        ended(ada, **changes)
    shown = support.get(page(ada)).content.decode()
    attempts = shown[shown.index("The last attempts") :]
    places = [
        attempts.index(text)
        for text in (
            "Another number was chosen on the phone",
            "The person said no.",
            "A newer request took its place.",
            "It was opened on the phone and not answered in time.",
            "It was not opened on the phone in time.",
        )
    ]
    assert places == sorted(places)
    assert [attempt.status for attempt in diagnosed(ada).attempts][-1] == "EXPIRED"


def test_a_fraud_that_was_just_reported_is_not_all_clear(ada, phone, support):
    ended(ada, status="REJECTED", failure_reason="NOT_ME")
    shown = support.get(page(ada)).content.decode()
    assert told(support, ada)[0] == "warn"
    assert codes(ada) == ["FRAUD_REPORTED"]
    assert "that they were asked for something that they had not begun" in shown
    assert "Nothing stands in the way" not in shown


def test_a_payment_is_called_one(ada, phone, support):
    payment = {"amount": "12.00", "currency": "EUR", "creditorName": "Shop", "creditorAccount": "NL91ABNA0417164300"}
    phones.ask(ada, transaction=payment)
    shown = support.get(page(ada)).content.decode()
    assert "Authorisation" in shown[shown.index("The last attempts") :]


def test_what_helps_is_a_button_for_who_may(ada, phone, support, auditor):
    devices.lock(phone.row, actor=SYSTEM, reason="DEVICE_LOST")
    users.lock(ada, actor=SYSTEM, reason="COMPLIANCE")
    for row in (ada, phone.row):
        address = page(row).removesuffix("change/") + "unlock/"
        findings = support.get(page(ada)).content.decode().partition("bo-findings")[2].partition("</section>")[0]
        assert f'hx-get="{address}"' in findings
        assert support.get(address).status_code == 200
        assert f'hx-get="{address}"' not in auditor.get(page(ada)).content.decode()
