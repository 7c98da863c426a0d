"""Proofs that are not what they say: forged, replayed, moved, mixed. None takes effect; forged ones move no counter."""

import json

import pytest
from django.test import Client

from mobileid.models import Device, Nonce, Operation
from mobileid.protocol import wire
from mobileid.sdk import errors, proof
from mobileid.sdk.keystore import MemoryStore
from tests import factories
from tests import phone_factories as phones
from tests.mobileid.threats.forging import Forger, random_signer
from tests.phone_factories import PIN

pytestmark = pytest.mark.django_db
REFUSED = (errors.AuthenticationFailed, errors.MessageInvalid, errors.OperationUnknown, errors.OperationClosed)


@pytest.fixture
def forger(phone):
    return Forger(phone, PIN)


@pytest.fixture
def asked(ada):
    return phones.ask(ada, auth_level="ONE_FACTOR")[0]


@pytest.fixture
def started(forger, asked):
    return forger.start(asked)


def untouched(phone, operation):
    """No counter moved, no nonce was burnt, nothing was decided."""
    row = phone.row
    operation.refresh_from_db()
    live = Nonce.objects.filter(operation=operation, used_at=None).count()
    return (row.failed_attempts, row.lock_count, row.status, operation.status, live) == (
        0,
        0,
        "ACTIVE",
        "IN_PROGRESS",
        1,
    )


def foreign_key():
    store = MemoryStore(gate=lambda: True)
    store.create_keys()
    return store.sign_possession


@pytest.mark.parametrize("forge", [random_signer, foreign_key()])
def test_forged_possession_moves_no_counter_however_often(forger, phone, asked, started, forge):
    said = forger.statement(asked, started)
    for _ in range(7):
        with pytest.raises(errors.AuthenticationFailed):
            forger.finish(asked, said, forger.signers("possession", "knowledge") | {"possession": forge})
    assert untouched(phone, asked)


def test_a_stolen_database_without_the_phone_approves_nothing(forger, phone, asked, started):
    """Public keys are what the database has; no one signs with them."""
    said = forger.statement(asked, started, method="DEVICE")
    with pytest.raises(errors.AuthenticationFailed):
        forger.finish(asked, said, {"possession": foreign_key()})
    assert untouched(phone, asked)


def test_an_unknown_device_a_foreign_one_and_a_forged_proof_get_one_answer(
    forger, phone, asked, started, other_account
):
    stranger = phones.make_phone(factories.make_untold_user(other_account), phones.make_application(other_account))
    told = []
    for changes, signer in [
        ({"deviceId": "00000000-0000-4000-8000-000000000000"}, phone.store.sign_possession),
        ({"deviceId": stranger.device.device_id}, phone.store.sign_possession),
        ({"deviceId": stranger.device.device_id}, stranger.store.sign_possession),
        ({}, random_signer),
    ]:
        said = forger.statement(asked, started, method="DEVICE", **changes)
        with pytest.raises(errors.AuthenticationFailed) as refused:
            forger.finish(asked, said, {"possession": signer})
        told.append((refused.value.problem, len(phone.line.answers[-1].body)))
    assert told[1:] == told[:-1]
    assert untouched(phone, asked)


def test_a_wrong_pin_is_answered_byte_for_byte_in_the_form_of_an_unknown_device(forger, phone, asked, started):
    said = forger.statement(asked, started, deviceId="00000000-0000-4000-8000-000000000000")
    sizes, told = set(), []
    for statement, pin in [(said, PIN), (forger.statement(asked, started), "000000")]:
        with pytest.raises(errors.AuthenticationFailed) as refused:
            forger.finish(asked, statement, forger.signers("possession", "knowledge", pin=pin))
        told.append(refused.value.problem)
        sizes.add(len(phone.line.answers[-1].body))
    assert told[0] == told[1]
    assert len(sizes) == 1


def test_a_used_nonce_is_no_second_attempt(forger, phone, asked, started):
    said = forger.statement(asked, started)
    with pytest.raises(errors.AuthenticationFailed):
        forger.finish(asked, said, forger.signers("possession", "knowledge", pin="000000"))
    assert phone.row.failed_attempts == 1
    with pytest.raises(errors.AuthenticationFailed):
        forger.finish(asked, said, forger.signers("possession", "knowledge"))
    assert phone.row.failed_attempts == 1
    asked.refresh_from_db()
    assert asked.status == "IN_PROGRESS"


def test_a_nonce_of_another_operation_or_device_counts_for_nothing(forger, phone, ada, application, asked, started):
    other, _ = phones.ask(ada, auth_level="ONE_FACTOR", allow_parallel=True)
    tablet = Forger(phones.make_phone(ada, application, name="Tablet"), PIN)
    broadcast, _ = phones.ask(ada, auth_level="ONE_FACTOR", broadcast=True, allow_parallel=True)
    for operation, foreign in [
        (asked, forger.start(other)["nonce"]),
        (broadcast, tablet.start(broadcast)["nonce"]),
    ]:
        mine = forger.start(operation)
        with pytest.raises(errors.AuthenticationFailed):
            forger.finish(
                operation,
                forger.statement(operation, mine, nonce=foreign),
                forger.signers("possession", "knowledge"),
            )
    assert phone.row.failed_attempts == 0
    assert Operation.objects.filter(status="COMPLETED", type="authentication").count() == 0


def test_a_proof_for_one_operation_is_none_for_another(forger, ada, asked, started):
    other, _ = phones.ask(ada, auth_level="ONE_FACTOR", allow_parallel=True)
    forger.start(other)
    said = forger.statement(asked, started)
    with pytest.raises(errors.MessageInvalid) as refused:
        forger.finish(other, said, forger.signers("possession", "knowledge"))
    assert refused.value.field == "operationId"


@pytest.mark.parametrize(
    ("changes", "signed_by"),
    [
        ({"typ": "signature"}, ("possession", "knowledge")),
        ({"typ": "message"}, ("possession",)),
        ({"contentHash": wire.b64u(bytes(32))}, ("possession", "knowledge")),
        ({"applicationId": "00000000-0000-4000-8000-000000000000"}, ("possession", "knowledge")),
        ({"number": "12"}, ("possession", "knowledge")),
        ({"returnHash": wire.b64u(bytes(32))}, ("possession", "knowledge")),
        ({"reason": "USER"}, ("possession", "knowledge")),
        ({"decision": "maybe"}, ("possession", "knowledge")),
        ({"extra": 1}, ("possession", "knowledge")),
        ({"nonce": wire.b64u(bytes(31))}, ("possession", "knowledge")),
        ({"decision": "reject"}, ("possession", "knowledge")),
        ({}, ("possession",)),
        ({}, ("knowledge",)),
        ({}, ("possession", "inherence")),
        ({}, ("possession", "knowledge", "inherence")),
        ({"authMethod": "DEVICE"}, ("possession", "knowledge")),
        ({"authMethod": "DEVICE_BIOMETRIC"}, ("possession", "knowledge")),
    ],
)
def test_a_statement_that_says_other_than_it_must_is_refused_before_any_factor_is_looked_at(
    forger, phone, asked, started, changes, signed_by
):
    with pytest.raises(REFUSED):
        forger.finish(asked, forger.statement(asked, started, **changes), forger.signers(*signed_by))
    assert untouched(phone, asked)


def test_factor_signatures_can_not_be_exchanged(forger, phone, asked, started):
    """Each header names its factor, and is signed: a possession signature never stands for another."""
    own = forger.signers("possession", "knowledge", "inherence")
    said = forger.statement(asked, started, method="DEVICE_BIOMETRIC")
    with pytest.raises(errors.AuthenticationFailed):
        forger.finish(asked, said, {"possession": own["inherence"], "inherence": own["possession"]})
    assert untouched(phone, asked)
    with pytest.raises(errors.AuthenticationFailed):
        forger.finish(asked, said, {"possession": own["possession"], "inherence": own["possession"]})
    assert phone.row.failed_attempts == 1
    asked.refresh_from_db()
    assert asked.status == "IN_PROGRESS"


def test_a_content_changed_by_one_bit_is_not_what_was_approved(forger, phone, asked, started):
    data = bytearray(wire.unb64u(started["content"]["data"]))
    data[0] ^= 1
    changed = started | {"content": started["content"] | {"data": wire.b64u(bytes(data))}}
    with pytest.raises(errors.MessageInvalid) as refused:
        forger.finish(asked, forger.statement(asked, changed), forger.signers("possession", "knowledge"))
    assert refused.value.field == "contentHash"
    assert untouched(phone, asked)


def test_a_method_that_the_operation_does_not_ask_for_is_refused(forger, phone, ada):
    operation, _ = phones.ask(ada, auth_level="TWO_FACTOR", auth_methods=["DEVICE_PIN"])
    started = forger.start(operation)
    assert started["authMethods"] == ["DEVICE_PIN"]
    for method, factors in [("DEVICE", ()), ("DEVICE_BIOMETRIC", ("inherence",))]:
        with pytest.raises(errors.MethodNotAllowed):
            forger.finish(
                operation,
                forger.statement(operation, started, method=method),
                forger.signers("possession", *factors),
            )
    assert untouched(phone, operation)


def test_a_recorded_envelope_is_useless_to_another_application_and_on_another_path(phone, account, other_account):
    phone.line.sent.clear()
    phone.device.rename("Once")
    phone.device.rename("Twice")
    path, raw = phone.line.sent[0]
    for app in (phones.make_application(account, "Sister"), phones.make_application(other_account)):
        moved = json.dumps(json.loads(raw) | {"app": str(app.pk)})
        assert Client().post(path, moved, content_type="application/json").status_code in (400, 409)
    assert Client().post(wire.PREFIX + "deactivate", raw, content_type="application/json").status_code == 400
    assert Client().post(path, raw, content_type="application/json").status_code == 200
    assert phone.row.name == "Twice"


def test_a_phone_of_one_app_is_unknown_to_its_sister_app(ada, account, phone):
    sister = phones.make_phone(ada, phones.make_application(account, "Sister"), name="Sister")
    sister.device._state.device_id = phone.device.device_id
    sister.store._keys["possession"] = phone.store._keys["possession"]
    with pytest.raises(errors.AuthenticationFailed):
        sister.device.pending()


def test_a_plain_message_s_signature_is_for_its_path_message_and_time(forger, phone):
    def wrong(**changes):
        def prove(mid, iat):
            said = proof.message(
                forger.device.application_id, forger.device.device_id, wire.PREFIX + "deactivate", mid, iat
            )
            return proof.sign(wire.dumps(said | changes), {"possession": phone.store.sign_possession})

        return prove

    for changes in ({"path": wire.PREFIX + "status"}, {"mid": wire.b64u(bytes(16))}, {"iat": 1}):
        with pytest.raises(errors.MessageInvalid) as refused:
            forger.send("deactivate", {}, wrong(**changes))
        assert refused.value.field == next(iter(changes))
    assert Device.objects.get().status == "ACTIVE"


@pytest.mark.parametrize("minutes", [-10, 10])
def test_an_approval_is_as_old_as_its_envelope(forger, phone, asked, started, minutes):
    """What is kept as evidence says when it was signed; a statement may not name another time."""
    said, signers = forger.statement(asked, started, method="DEVICE"), forger.signers("possession")

    def prove(_mid, iat):
        return proof.sign(wire.dumps(said | {"iat": iat + minutes * 60_000}), signers)

    with pytest.raises(errors.MessageInvalid) as refused:
        forger.send("operations/finish", {"operationId": str(asked.pk)}, prove)
    assert refused.value.field == "iat"
    assert untouched(phone, asked)


def test_slow_guessing_under_biometry_still_locks(forger, phone, ada):
    """Biometry gives back its own attempt only: good ones in between buy no guesses."""
    for _ in range(5):
        operation, _ = phones.ask(ada)
        challenge = phone.device.start_operation(str(operation.pk))
        with pytest.raises(errors.AuthenticationFailed):
            challenge.approve(pin="000000")
        if phone.row.status == "LOCKED":
            break
        assert challenge.restart().approve(method="DEVICE_BIOMETRIC").state == "COMPLETED"
    row = phone.row
    assert (row.status, row.failed_attempts) == ("LOCKED", 5)


def test_a_refused_biometric_key_counts_as_an_attempt(forger, phone, asked):
    for _ in range(5):
        started = forger.start(asked)
        with pytest.raises(errors.AuthenticationFailed):
            forger.finish(
                asked,
                forger.statement(asked, started, method="DEVICE_BIOMETRIC"),
                forger.signers("possession") | {"inherence": random_signer},
            )
    assert phone.row.status == "LOCKED"


def test_a_biometric_key_that_did_not_sign_is_not_registered(forger, phone):
    nonce = phone.call("challenge", {"purpose": "biometric-enable"})["nonce"]
    other = MemoryStore(gate=lambda: True)
    said = {
        "typ": "biometric-enable",
        "applicationId": forger.device.application_id,
        "deviceId": forger.device.device_id,
        "nonce": nonce,
        "inherence": other.create_inherence(),
    }
    before = phone.row.inherence_jwk
    with pytest.raises(errors.AuthenticationFailed):
        forger.send(
            "biometric/enable",
            {},
            forger.prove(said, forger.signers("possession", "knowledge") | {"inherence": random_signer}),
        )
    row = phone.row
    assert (row.inherence_jwk, row.failed_attempts) == (before, 0)
