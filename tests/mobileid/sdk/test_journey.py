from hashlib import sha256

import pytest

from mobileid.protocol import wire
from mobileid.sdk import errors
from mobileid.sdk.device import Device
from mobileid.sdk.keystore import MemoryStore

from .conftest import PIN
from .service import NOW, Service


@pytest.mark.parametrize("suite", [1, 2])
def test_a_phone_registers_and_approves_under_either_suite(suite, clock):
    service, store = Service(suite=suite), MemoryStore()
    line = {"transport": service, "clock": clock, "sleep": clock.slept.append}
    offer = Device.start_registration(service.config, "abcd 2345 wxyz", store, **line)
    assert (offer.account, offer.user_hint) == ({"name": "Bank"}, "J. D.")
    done = offer.finish(pin=PIN, name="Ann's phone")
    assert done.state == "ACTIVE"
    assert len(done.confirmation_code) == 6
    operation = service.add()
    [waiting] = done.device.pending()
    assert (waiting.operation_id, waiting.title) == (operation, "Sign in")
    challenge = done.device.start_authentication(operation)
    assert (challenge.title, challenge.text) == ("Sign in", "to the bank")
    outcome = challenge.approve(pin=PIN)
    assert (outcome.state, outcome.post_operation_context) == ("COMPLETED", {"said": "thanks"})
    assert service.operations[operation].state == "COMPLETED"


def test_a_device_is_found_again_in_its_store(service, store, line, device):
    again = Device.load(store, **line)
    assert again.device_id == device.device_id
    assert again.start_operation(service.add()).approve(pin=PIN).state == "COMPLETED"


def test_a_wrong_pin_is_refused_and_the_challenge_restarts(service, device):
    challenge = device.start_operation(service.add())
    with pytest.raises(errors.AuthenticationFailed) as refused:
        challenge.approve(pin="0000")
    assert refused.value.retry == errors.Retry.RESTART
    with pytest.raises(errors.ChallengeUsed):
        challenge.approve(pin=PIN)
    assert device.status().attempts_left == 4
    assert challenge.restart().approve(pin=PIN).state == "COMPLETED"
    assert device.status().attempts_left == 5


def test_a_rejection_needs_no_pin_and_carries_its_reason(service, device):
    operation = service.add()
    assert device.start_operation(operation).reject("NOT_ME").state == "REJECTED"
    statement = service.operations[operation].statement
    assert (statement["reason"], statement["authMethod"]) == ("NOT_ME", "DEVICE")


def test_the_number_of_the_other_screen_is_signed(service, device):
    operation = service.add(binding="NUMBER", number="42")
    challenge = device.start_operation(operation)
    assert challenge.number_length == 2
    for wrong in (None, "4", "4x"):
        with pytest.raises(errors.InputInvalid):
            challenge.approve(pin=PIN, number=wrong)
    assert challenge.approve(pin=PIN, number="42").state == "COMPLETED"
    assert service.operations[operation].statement["number"] == "42"


def test_a_wrong_number_fails_the_operation_and_returns_nowhere(service, device):
    challenge = device.start_operation(service.add(binding="NUMBER", number="42"))
    outcome = challenge.approve(pin=PIN, number="24")
    assert (outcome.state, outcome.return_link) == ("FAILED", None)


def test_a_qr_frame_opens_its_operation_while_it_is_fresh(service, device):
    secret = bytes(32)
    operation = service.add(binding="QR", claim="claim-1", qr_secret=secret)

    def frame(t):
        m = wire.b64u(wire.qr_mac(secret, "claim-1", t))
        return f"https://id.example.com/mobileid/app#operation?claim=claim-1&t={t}&m={m}"

    with pytest.raises(errors.OperationUnknown):
        device.start_operation(qr=frame(NOW - 4))
    challenge = device.start_operation(qr=frame(NOW))
    assert challenge.operation_id == operation
    assert challenge.approve(pin=PIN).state == "COMPLETED"


def test_an_app_link_returns_with_a_code_that_only_this_phone_knew(service, device):
    operation = service.add(binding="SAME_DEVICE", claim="claim-2", return_url="https://shop.example/back#old")
    challenge = device.start_operation(qr="https://id.example.com/mobileid/app#operation?claim=claim-2")
    outcome = challenge.approve(pin=PIN)
    base, _, fragment = outcome.return_link.partition("#")
    fields = dict(pair.split("=") for pair in fragment.split("&"))
    assert (base, fields["operationId"]) == ("https://shop.example/back", operation)
    signed = service.operations[operation].statement["returnHash"]
    assert signed == wire.b64u(sha256(wire.unb64u(fields["returnCode"])).digest())


def test_a_device_renames_itself_tells_its_push_token_and_ends(service, store, device):
    device.rename("Ann's old phone")
    device.push_token("fcm", "token-1")
    phone = service.phones[device.device_id]
    assert (phone.name, phone.pushed) == ("Ann's old phone", {"provider": "fcm", "token": "token-1"})
    assert device.status().name == device.name == "Ann's old phone"
    device.deactivate()
    assert phone.state == "DEACTIVATED"
    with pytest.raises(errors.NotRegistered):
        Device.load(store)


def test_biometry_is_enabled_used_and_disabled(service, device):
    assert "DEVICE_BIOMETRIC" in device.enable_biometric(PIN)
    operation = service.add()
    assert device.start_operation(operation).approve().state == "COMPLETED"
    assert service.operations[operation].statement["authMethod"] == "DEVICE_BIOMETRIC"
    assert "DEVICE_BIOMETRIC" not in device.disable_biometric()
    challenge = device.start_operation(service.add())
    with pytest.raises(errors.BiometryRefused):
        challenge.approve(method="DEVICE_BIOMETRIC")


def test_a_pending_registration_shows_the_code_that_both_sides_compute(service, register):
    service.confirm = True
    done = register()
    assert done.state == "PENDING"
    assert done.confirmation_code.isdigit()


def test_a_changed_pin_replaces_the_old_one(service, device):
    device.change_pin(PIN, "9713")
    assert device.start_operation(service.add()).approve(pin="9713").state == "COMPLETED"
    with pytest.raises(errors.AuthenticationFailed):
        device.start_operation(service.add()).approve(pin=PIN)
    assert device.status().key_version == 2
