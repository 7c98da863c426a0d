"""Registrations, the phone's side: codes, policies, confirmation."""

import time
from datetime import timedelta

import pytest
from django.db.models.functions import Now

from mobileid.models import Device, Operation
from mobileid.sdk import errors
from mobileid.sdk.channel import Channel
from mobileid.sdk.keystore import MemoryStore
from mobileid.services import applications, completion
from mobileid.services.registration import by_integrator
from reuseid.actors import SYSTEM
from reuseid.models import Account, Event
from reuseid.services.people import users
from tests import phone_factories as phones

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("cheap_pins")]


def test_an_offer_says_whose_it_is_and_what_a_pin_must_be(ada, application, account):
    Account.objects.update(logo_uri="https://bank.example/logo.svg")
    _operation, code = phones.start_registration(ada, application)
    found = phones.offer(application, code.lower().replace("-", " "))
    assert found.account == {"name": account.name, "logoUri": "https://bank.example/logo.svg"}
    assert (found.pin_rules.min_length, found.pin_rules.max_length) == (4, 12)


def test_an_application_with_looks_of_its_own_is_shown_under_its_own_name(ada, application):
    Account.objects.update(logo_uri="https://bank.example/logo.svg")
    looks = {"brand_name": "Nord Key", "brand_logo_uri": "https://bank.example/key.svg"}
    applications.change_application(application, actor=SYSTEM, **looks)
    _operation, code = phones.start_registration(ada, application)
    assert phones.offer(application, code).account == {"name": "Nord Key", "logoUri": "https://bank.example/key.svg"}


def test_a_code_is_good_for_one_start(ada, application):
    _operation, code = phones.start_registration(ada, application)
    phones.offer(application, code)
    with pytest.raises(errors.RegistrationInvalid):
        phones.offer(application, code)


@pytest.mark.parametrize("between", ["-\n", "\t", "\u00a0", "–", "‑", "\u200b", "\u202a"])
def test_a_code_that_a_phone_sends_as_it_was_pasted_is_the_code(ada, application, between):
    _operation, code = phones.start_registration(ada, application)
    channel = Channel(phones.config_of(application), MemoryStore(), phones.Line(), clock=time.time, sleep=time.sleep)
    pasted = between + code.replace("-", between) + between
    assert "nonce" in channel.send("registration/start", {"activationCode": pasted})


def expired(operation, **_):
    Operation.objects.update(expires_at=Now() - timedelta(seconds=1))


def cancelled(operation, **_):
    completion.cancel(operation, actor=SYSTEM)


def locked(operation, **_):
    users.lock(operation.user, actor=SYSTEM, reason="SUSPECTED_FRAUD")


@pytest.mark.parametrize("spoil", [expired, cancelled, locked])
def test_every_unusable_code_gets_the_same_answer_as_an_unknown_one(ada, application, spoil):
    operation, code = phones.start_registration(ada, application)
    spoil(operation)
    problems = []
    for tried in (code, "0000-0000-0000"):
        with pytest.raises(errors.RegistrationInvalid) as refused:
            phones.offer(application, tried)
        problems.append(refused.value.problem)
    assert (
        problems[0]
        == problems[1]
        == {
            "code": "registration-invalid",
            "title": "The activation code is not valid.",
        }
    )


def test_a_code_of_another_application_or_account_is_unknown(ada, application, account, other_account):
    _operation, code = phones.start_registration(ada, application)
    for stranger in (phones.make_application(account, "Other app"), phones.make_application(other_account)):
        with pytest.raises(errors.RegistrationInvalid):
            phones.offer(stranger, code)
    assert phones.offer(application, code).operation_id


def test_the_integrator_confirms_with_the_code_that_the_phone_shows(ada, application):
    phone = phones.make_phone(ada, application, confirmation="INTEGRATOR")
    registered = phone.registered
    assert (registered.state, phone.row.status) == ("PENDING", "PENDING")
    assert len(registered.confirmation_code) == 6
    with pytest.raises(errors.DeviceUnusable) as refused:
        phone.device.pending()
    assert refused.value.state == "PENDING"
    assert Event.objects.count() == 0
    operation = Operation.objects.as_read().get()
    by_integrator.confirm(operation, code=registered.confirmation_code, actor=SYSTEM)
    assert phone.row.status == "ACTIVE"
    assert phone.device.pending() == []
    assert set(Event.objects.values_list("type", flat=True)) == {"device.activated", "registration.completed"}


def test_a_cancelled_registration_takes_the_unconfirmed_phone_with_it(ada, application):
    phone = phones.make_phone(ada, application, confirmation="INTEGRATOR")
    completion.cancel(Operation.objects.as_read().get(), actor=SYSTEM)
    assert phone.row.status == "DEACTIVATED"


def test_a_registration_that_was_cancelled_meanwhile_makes_no_phone(ada, application):
    operation, code = phones.start_registration(ada, application)
    found = phones.offer(application, code)
    completion.cancel(operation, actor=SYSTEM)
    with pytest.raises(errors.OperationClosed):
        found.finish(pin=phones.PIN, name="Late")
    assert not Device.objects.exists()


def test_an_app_without_pin_registers_a_phone_alone_and_takes_no_biometry(ada, account):
    plain = phones.make_application(account, "Plain", auth_methods=["DEVICE"])
    phone = phones.make_phone(ada, plain, pin=None)
    assert phone.device.status().auth_methods == ("DEVICE",)
    _operation, code = phones.start_registration(ada, plain)
    with pytest.raises(errors.MethodNotAllowed):
        phones.offer(plain, code).finish(name="With biometry", biometric=True)
    with pytest.raises(errors.MethodNotAllowed):
        phone.device.enable_biometric(phones.PIN)


def test_an_app_with_pin_refuses_a_phone_without_one(ada, application):
    _operation, code = phones.start_registration(ada, application)
    found = phones.offer(application, code)
    found.auth_methods = ["DEVICE"]
    with pytest.raises(errors.MethodNotAllowed):
        found.finish(name="No PIN")


def test_a_too_old_app_is_refused_at_registration_and_at_its_operations(ada, application):
    phone = phones.make_phone(ada, application)
    waiting, _ = phones.ask(ada)
    challenge = phone.device.start_operation(str(waiting.pk))
    applications.change_application(application, actor=SYSTEM, min_sdk_version="0.10")
    with pytest.raises(errors.VersionUnsupported):
        phone.device.start_operation(str(waiting.pk))
    with pytest.raises(errors.VersionUnsupported):
        challenge.approve(pin=phones.PIN)
    assert phone.row.failed_attempts == 0
    _operation, code = phones.start_registration(ada, application)
    with pytest.raises(errors.VersionUnsupported):
        phones.offer(application, code).finish(pin=phones.PIN, name="Old")
    phone.call("status", {"sdkVersion": "0.10.1"})
    assert phone.device.start_operation(str(waiting.pk)).approve(pin=phones.PIN).state == "COMPLETED"


def test_a_possession_key_registers_once(ada, application):
    first = phones.make_phone(ada, application)

    class SameKeys(MemoryStore):
        def create_keys(self):
            super().create_keys()
            self._keys["possession"] = first.store._keys["possession"]
            return first.row.possession_jwk

    _operation, code = phones.start_registration(ada, application)
    with pytest.raises(errors.MessageInvalid) as refused:
        phones.offer(application, code, store=SameKeys()).finish(pin=phones.PIN, name="Twin")
    assert refused.value.field == "proof.payload.possession"
    assert Device.objects.count() == 1


def test_the_post_context_comes_with_the_end_of_the_registration(ada, application):
    context = {"mimeType": "text/plain", "content": "Welcome."}
    phone = phones.make_phone(ada, application, post_context=context)
    assert phone.registered.post_operation_context == context


def test_a_code_stops_counting_after_too_many_tries_from_one_address(application, monkeypatch):
    monkeypatch.setattr("mobileid.device_api.messages.CODE_QUOTA", 3)
    for _ in range(3):
        with pytest.raises(errors.RegistrationInvalid):
            phones.offer(application, "0000-0000-0000")
    with pytest.raises(errors.RateLimited) as limited:
        phones.offer(application, "0000-0000-0000")
    assert 0 < limited.value.retry_after <= 600
