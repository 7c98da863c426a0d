"""How an operation is tied to the session that started it: number, QR code, same device, and who may answer."""

import hashlib

import pytest

from mobileid.models import Operation
from mobileid.protocol import wire
from mobileid.sdk import errors, links
from mobileid.services import bindings, completion, devices
from reuseid.actors import SYSTEM
from reuseid.errors import WrongState
from reuseid.models import Event, TrailEntry
from tests import factories
from tests import phone_factories as phones
from tests.mobileid.threats.forging import Forger

pytestmark = pytest.mark.django_db


@pytest.fixture
def second(ada, application, phone):
    """Another phone of Ada's."""
    return phones.make_phone(ada, application, name="Tablet")


@pytest.fixture
def eves(account, application, cheap_pins):
    """A phone of another person of the account."""
    return phones.make_phone(factories.make_untold_user(account, external_ref="eve"), application, name="Eve's")


def state(operation):
    operation.refresh_from_db()
    return (operation.status, operation.failure_reason)


def test_the_number_from_the_other_screen_completes_the_operation(phone, ada):
    operation, shown = phones.ask(ada, binding="NUMBER")
    challenge = phone.device.start_operation(str(operation.pk))
    assert (challenge.binding, challenge.number_length) == ("NUMBER", 2)
    assert challenge.approve(pin=phones.PIN, number=shown["matchingNumber"]).state == "COMPLETED"


def test_a_wrong_number_ends_the_operation_at_once_and_costs_no_pin_attempt(phone, ada):
    operation, shown = phones.ask(ada, binding="NUMBER")
    wrong = f"{(int(shown['matchingNumber']) + 1) % 100:02d}"
    challenge = phone.device.start_operation(str(operation.pk))
    assert challenge.approve(pin="000000", number=wrong).state == "FAILED"
    assert state(operation) == ("FAILED", "NUMBER_MISMATCH")
    assert phone.row.failed_attempts == 0
    assert Event.objects.order_by("sequence").last().type == "authentication.failed"
    with pytest.raises(errors.OperationClosed) as closed:
        phone.device.start_operation(str(operation.pk))
    assert closed.value.state == "FAILED"


def test_a_missing_number_is_asked_for_and_costs_nothing(phone, ada):
    operation, _ = phones.ask(ada, binding="NUMBER")
    forger = Forger(phone, phones.PIN)
    statement = forger.statement(operation, forger.start(operation))
    with pytest.raises(errors.MessageInvalid) as refused:
        forger.finish(operation, statement, forger.signers("possession", "knowledge"))
    assert (refused.value.field, refused.value.problem["detail"]) == ("number", "NUMBER needs it.")
    assert phone.row.failed_attempts == 0


def test_the_start_answer_never_holds_the_number(phone, ada):
    operation, shown = phones.ask(ada, binding="NUMBER", title="Hello", content="Hello")
    answer = phone.device.start_body({"operationId": str(operation.pk)})
    assert shown["matchingNumber"] not in {value for value in answer.values() if isinstance(value, str)}


def test_a_scanned_frame_finds_the_operation_and_its_person(phone, ada, account):
    operation, shown = phones.ask(None, account=account, binding="QR")
    challenge = phone.device.start_operation(qr=shown["qrUri"])
    assert challenge.operation_id == str(operation.pk)
    assert challenge.approve(pin=phones.PIN).state == "COMPLETED"
    operation.refresh_from_db()
    assert (operation.user, operation.device) == (ada, phone.row)
    assert TrailEntry.objects.filter(action="operation.claimed", user_id=ada.pk).count() == 1


def test_the_first_claim_wins_and_the_winner_may_start_again(phone, eves, account):
    operation, shown = phones.ask(None, account=account, binding="QR")
    phone.device.start_operation(qr=shown["qrUri"])
    with pytest.raises(errors.OperationUnknown):
        eves.device.start_operation(qr=shown["qrUri"])
    phone.device.start_operation(qr=shown["qrUri"])
    again = phone.device.start_operation(str(operation.pk))
    with pytest.raises(errors.OperationUnknown):
        eves.device.start_operation(str(operation.pk))
    assert again.approve(pin=phones.PIN).state == "COMPLETED"


@pytest.mark.parametrize(("age", "accepted"), [(-2, False), (-1, True), (0, True), (3, True), (4, False)])
def test_a_frame_counts_for_its_seconds_only(phone, account, monkeypatch, age, accepted):
    operation, _shown = phones.ask(None, account=account, binding="QR")
    now = 1_900_000_000
    frame = links.parse_operation(bindings.qr_frame(operation, now - age)).body()
    monkeypatch.setattr("mobileid.services.operation_links.time.time", lambda: now + 0.9)
    if accepted:
        assert phone.device.start_body(frame)["operationId"] == str(operation.pk)
    else:
        with pytest.raises(errors.OperationUnknown):
            phone.device.start_body(frame)


@pytest.mark.parametrize("change", [{"m": wire.b64u(bytes(16))}, {"t": None}, {"m": None}, {"t": None, "m": None}])
def test_a_frame_without_its_mac_is_no_frame(phone, account, change):
    _operation, shown = phones.ask(None, account=account, binding="QR")
    frame = links.parse_operation(shown["qrUri"]).body() | change
    with pytest.raises(errors.OperationUnknown):
        phone.device.start_body({name: value for name, value in frame.items() if value is not None})


def test_an_operation_found_by_a_claim_is_not_offered_before(phone, ada):
    operation, _shown = phones.ask(ada, binding="QR")
    assert phone.device.pending() == []
    with pytest.raises(errors.OperationUnknown):
        phone.device.start_operation(str(operation.pk))


def test_a_named_person_s_frame_is_useless_to_another(phone, eves, ada):
    _operation, shown = phones.ask(ada, binding="QR")
    with pytest.raises(errors.OperationUnknown):
        eves.device.start_operation(qr=shown["qrUri"])
    assert phone.device.start_operation(qr=shown["qrUri"]).approve(pin=phones.PIN).state == "COMPLETED"


def test_another_account_s_phone_claims_nothing(phone, other_account):
    _operation, shown = phones.ask(None, account=other_account, binding="QR")
    with pytest.raises(errors.OperationUnknown):
        phone.device.start_operation(qr=shown["qrUri"])


def test_same_device_stays_open_until_the_integrator_brings_the_return_code(phone, ada):
    operation, shown = phones.ask(ada, binding="SAME_DEVICE", return_url="https://bank.example/back")
    challenge = phone.device.start_operation(qr=shown["appLink"])
    assert challenge.return_url == "https://bank.example/back"
    outcome = challenge.approve(pin=phones.PIN)
    assert outcome.state == "COMPLETED"
    code = outcome.return_link.partition("returnCode=")[2]
    operation = Operation.objects.as_read().get(pk=operation.pk)
    assert (operation.status, operation.return_hash) == (
        "IN_PROGRESS",
        wire.b64u(hashlib.sha256(wire.unb64u(code)).digest()),
    )
    assert "authentication.completed" not in Event.objects.values_list("type", flat=True)
    with pytest.raises(errors.OperationClosed):
        phone.device.start_operation(str(operation.pk))
    completion.release(operation, return_code=code, actor=SYSTEM)
    assert state(operation) == ("COMPLETED", "")
    assert operation.evidence.device_thumbprint == phone.row.possession_thumbprint


def test_a_phone_that_is_deactivated_takes_with_it_what_it_claimed_and_approved(phone, ada):
    operation, shown = phones.ask(ada, binding="SAME_DEVICE", return_url="https://bank.example/back")
    code = phone.device.start_operation(qr=shown["appLink"]).approve(pin=phones.PIN).return_link.partition("Code=")[2]
    devices.deactivate(phone.row, actor=SYSTEM, reason="DEVICE_STOLEN")
    assert state(operation) == ("CANCELED", "DEVICE_DEACTIVATED")
    with pytest.raises(WrongState):
        completion.release(operation, return_code=code, actor=SYSTEM)


def test_a_plain_link_opens_no_qr_operation_and_a_frame_no_link(phone, ada, account):
    _operation, shown = phones.ask(None, account=account, binding="QR")
    with pytest.raises(errors.OperationUnknown):
        phone.device.start_operation(claim=shown["claim"])
    _operation, shown = phones.ask(ada, binding="SAME_DEVICE", return_url="https://bank.example/back")
    with pytest.raises(errors.OperationUnknown):
        phone.device.start_body({"claim": shown["claim"], "t": 1, "m": wire.b64u(bytes(16))})


def test_a_broadcast_reaches_every_phone_and_the_first_answer_wins(phone, second, ada):
    operation, _ = phones.ask(ada, broadcast=True)
    first = phone.device.start_operation(str(operation.pk))
    late = second.device.start_operation(str(operation.pk))
    assert first.approve(pin=phones.PIN).state == "COMPLETED"
    with pytest.raises(errors.OperationClosed) as closed:
        late.approve(pin=phones.PIN)
    assert closed.value.state == "COMPLETED"
    assert second.device.pending() == []
    assert second.row.failed_attempts == 0


def test_an_operation_for_one_phone_is_unknown_to_the_other(phone, second, ada):
    operation, _ = phones.ask(ada, device_id=phone.row.pk)
    assert second.device.pending() == []
    with pytest.raises(errors.OperationUnknown):
        second.device.start_operation(str(operation.pk))


def test_a_rejection_by_one_phone_ends_the_broadcast(phone, second, ada):
    operation, _ = phones.ask(ada, broadcast=True)
    late = second.device.start_operation(str(operation.pk))
    phone.device.start_operation(str(operation.pk)).reject()
    assert state(operation) == ("REJECTED", "USER")
    with pytest.raises(errors.OperationClosed):
        late.approve(pin=phones.PIN)
