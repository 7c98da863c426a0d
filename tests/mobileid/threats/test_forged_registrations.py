"""Registrations by whoever has an activation code but not the keys that the statement names."""

import os

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mobileid.models import Device
from mobileid.protocol import wire
from mobileid.sdk import errors, proof
from mobileid.sdk.keystore import MemoryStore
from tests import phone_factories as phones
from tests.mobileid.threats.forging import random_signer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("cheap_pins")]


class Enrolment:
    """A started registration with keys of one's own, to be finished in any way."""

    def __init__(self, user, application):
        _operation, code = phones.start_registration(user, application)
        self.offer = phones.offer(application, code)
        self.store, self.knowledge, self.r = (
            MemoryStore(gate=lambda: True),
            Ed25519PrivateKey.generate(),
            os.urandom(32),
        )
        public = self.knowledge.public_key().public_bytes_raw()
        self.statement = {
            "typ": "registration",
            "applicationId": str(application.pk),
            "operationId": self.offer.operation_id,
            "nonce": self.offer._nonce,
            "possession": self.store.create_keys(),
            "inherence": self.store.create_inherence(),
            "knowledge": wire.b64u(wire.commitment(public, self.r)),
        }
        self.signers = {
            "possession": self.store.sign_possession,
            "knowledge": self.knowledge.sign,
            "inherence": self.store.sign_inherence,
        }
        self.body = {
            "operationId": self.offer.operation_id,
            "name": "Phone",
            "platform": "Test",
            "osVersion": "1",
            "model": "Model",
            "sdkVersion": "0.1.0",
            "appVersion": "1",
            "knowledge": {"publicKey": wire.b64u(public), "r": wire.b64u(self.r)},
        }

    def finish(self, *, statement=None, signers=None, body=None):
        """With these changes."""
        said, signed = self.statement | (statement or {}), self.signers | (signers or {})
        return self.offer._channel.send(
            "registration/finish",
            self.body | (body or {}),
            lambda _mid, iat: proof.sign(
                wire.dumps(said | {"iat": iat}), {factor: signer for factor, signer in signed.items() if signer}
            ),
        )


@pytest.fixture
def enrolment(ada, application):
    return Enrolment(ada, application)


def test_an_honest_one_registers(enrolment):
    assert enrolment.finish()["state"] == "ACTIVE"


@pytest.mark.parametrize("factor", ["possession", "knowledge", "inherence"])
def test_a_key_that_did_not_sign_is_not_registered(enrolment, factor):
    with pytest.raises(errors.AuthenticationFailed):
        enrolment.finish(signers={factor: random_signer})
    with pytest.raises(errors.MessageInvalid):
        enrolment.finish(signers={factor: None})
    assert not Device.objects.exists()


def test_another_s_public_key_can_not_be_registered_as_one_s_own(phone, enrolment):
    with pytest.raises(errors.AuthenticationFailed):
        enrolment.finish(statement={"inherence": phone.row.possession_jwk})


@pytest.mark.parametrize(
    ("knowledge", "field"),
    [
        ({"publicKey": wire.b64u(bytes(32)), "r": wire.b64u(bytes(32))}, "knowledge.publicKey"),
        ({"publicKey": wire.b64u(Ed25519PrivateKey.generate().public_key().public_bytes_raw())}, "knowledge"),
        ({"r": wire.b64u(bytes(32))}, "knowledge"),
        ({"publicKey": wire.b64u(bytes(31))}, "knowledge.publicKey"),
        (None, "knowledge"),
    ],
)
def test_a_pin_key_must_be_the_one_committed_to_and_a_good_one(enrolment, knowledge, field):
    changed = None if knowledge is None else enrolment.body["knowledge"] | knowledge
    with pytest.raises(errors.MessageInvalid) as refused:
        enrolment.finish(body={"knowledge": changed})
    assert refused.value.field == field
    assert not Device.objects.exists()


def test_biometry_needs_a_key_of_its_own(enrolment):
    own = enrolment.store.sign_possession
    with pytest.raises(errors.MessageInvalid):
        enrolment.finish(statement={"inherence": enrolment.statement["possession"]}, signers={"inherence": own})


def test_a_nonce_of_another_registration_or_a_used_one_registers_nothing(enrolment, ada, application):
    other = Enrolment(ada, application)
    for nonce in (other.statement["nonce"], wire.b64u(bytes(32))):
        with pytest.raises(errors.RegistrationInvalid):
            enrolment.finish(statement={"nonce": nonce})
    with pytest.raises(errors.OperationClosed):
        enrolment.finish()
    assert other.finish()["state"] == "ACTIVE"
    with pytest.raises(errors.RegistrationInvalid):
        other.finish(statement={"possession": MemoryStore().create_keys()}, signers={"possession": random_signer})
    assert Device.objects.count() == 1
