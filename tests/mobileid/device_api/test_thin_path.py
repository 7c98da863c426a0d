"""A phone registers, sees what is asked, and answers: over the real door, with the real SDK."""

import hashlib

import jwt
import pytest

from mobileid.models import Evidence, Operation, SigningKey
from mobileid.protocol import proofs, wire
from mobileid.sdk import errors
from reuseid.models import Event, TrailEntry
from reuseid.models.sealed import unseal_field
from tests import phone_factories as phones

pytestmark = pytest.mark.django_db


def events():
    return list(Event.objects.order_by("sequence").values_list("type", flat=True))


def test_a_phone_registers_with_a_code_and_is_active(ada, application):
    phone = phones.make_phone(ada, application, name="Ada's phone")
    row = phone.row
    assert (row.status, row.user, row.name) == ("ACTIVE", ada, "Ada's phone")
    assert events() == ["registration.completed", "device.activated"]
    evidence = Evidence.objects.get()
    assert evidence.device_thumbprint == row.possession_thumbprint
    assert Operation.objects.get().status == "COMPLETED"


def test_a_person_approves_with_the_pin(phone, ada):
    operation, _ = phones.ask(ada)
    assert [one.operation_id for one in phone.device.pending()] == [str(operation.pk)]
    challenge = phone.device.start_operation(str(operation.pk))
    assert (challenge.title, challenge.text) == ("Sign in", "Sign in to Nordbank?")
    assert challenge.approve(pin=phones.PIN).state == "COMPLETED"
    operation.refresh_from_db()
    assert (operation.status, operation.auth_method, operation.device) == ("COMPLETED", "DEVICE_PIN", phone.row)
    assert events()[-1] == "authentication.completed"
    actions = TrailEntry.objects.filter(object_id=str(operation.pk)).order_by("pk").values_list("action", "actor_type")
    assert list(actions) == [
        ("operation.started", "SYSTEM"),
        ("operation.opened", "DEVICE"),
        ("operation.completed", "DEVICE"),
    ]
    assert phone.device.pending() == []


def test_a_person_approves_with_biometry_and_with_the_phone_alone(phone, ada):
    operation, _ = phones.ask(ada, auth_level="ONE_FACTOR")
    assert phone.device.start_operation(str(operation.pk)).approve(method="DEVICE_BIOMETRIC").state == "COMPLETED"
    operation, _ = phones.ask(ada, auth_level="ONE_FACTOR")
    assert phone.device.start_operation(str(operation.pk)).approve(method="DEVICE").state == "COMPLETED"
    assert set(Operation.objects.filter(type="authentication").values_list("auth_method", flat=True)) == {
        "DEVICE",
        "DEVICE_BIOMETRIC",
    }


def test_a_payment_is_approved_as_the_text_that_was_shown(phone, ada):
    payment = {"amount": "12.50", "currency": "EUR", "creditorName": "Shop", "creditorAccount": "NL91ABNA0417164300"}
    operation, _ = phones.ask(ada, transaction=payment)
    challenge = phone.device.start_operation(str(operation.pk))
    assert "Amount: 12.50 EUR" in challenge.text
    assert challenge.approve(pin=phones.PIN).state == "COMPLETED"


def test_a_rejection_needs_no_factor_and_says_why(phone, ada):
    operation, _ = phones.ask(ada)
    assert phone.device.start_operation(str(operation.pk)).reject("NOT_ME").state == "REJECTED"
    operation.refresh_from_db()
    assert (operation.status, operation.failure_reason) == ("REJECTED", "NOT_ME")
    assert events()[-2:] == ["authentication.rejected", "operation.reported"]


def test_a_wrong_pin_counts_and_a_good_one_forgives(phone, ada):
    operation, _ = phones.ask(ada)
    challenge = phone.device.start_operation(str(operation.pk))
    with pytest.raises(errors.AuthenticationFailed) as refused:
        challenge.approve(pin="000000")
    assert set(refused.value.problem) == {"code", "title"}
    assert (phone.row.failed_attempts, phone.device.status().attempts_left) == (1, 4)
    assert challenge.restart().approve(pin=phones.PIN).state == "COMPLETED"
    assert phone.row.failed_attempts == 0


def test_a_signed_consent_verifies_offline_from_the_content_to_the_phone_s_key(phone, ada, api_client, account):
    operation, _ = phones.ask_to_sign(ada, client=api_client)
    assert phone.device.start_operation(str(operation.pk)).approve(pin=phones.PIN).state == "COMPLETED"
    operation = Operation.objects.get(pk=operation.pk)
    token = unseal_field(operation, "signature").decode()
    key = SigningKey.objects.get(account=account)
    claims = jwt.decode(
        token, jwt.PyJWK(key.public_jwk | {"alg": "ES256"}).key, algorithms=["ES256"], audience=api_client.client_id
    )
    assert jwt.get_unverified_header(token)["kid"] == str(key.pk)
    assert (claims["txn"], claims["sub"], claims["amr"]) == (str(operation.pk), str(ada.pk), ["hwk", "pin"])
    data = wire.unb64u(claims["content"]["data"])
    assert claims["content"]["sha256"] == wire.b64u(hashlib.sha256(data).digest())
    possession = proofs.public_key_from_jwk(operation.evidence.device_jwk)
    statement = jwt.api_jws.PyJWS(algorithms=["ES256"]).decode(claims["proof"], possession, algorithms=["ES256"])
    statement = wire.loads_strict(statement)
    assert statement["decision"] == "approve"
    content = claims["content"]
    assert statement["contentHash"] == wire.b64u(wire.content_hash(content["title"], content["mimeType"], data))
    assert claims["device"]["jkt"] == phone.row.possession_thumbprint
