import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobileid.sdk import errors, links
from mobileid.sdk.device import Device

pytestmark = pytest.mark.usefixtures("cheap_pins")

BASE = "https://id.example.com/mobileid/app"


def test_an_activation_link_names_server_application_and_code():
    link = links.parse_register(f"{BASE}#register?code=abcd-2345-wxyz&app=a-1")
    assert link == links.RegisterLink("https://id.example.com", "a-1", "ABCD2345WXYZ")


def test_an_operation_link_is_a_claim_and_a_frame_also_has_time_and_mac():
    assert links.parse_operation(f"{BASE}#operation?claim=c").body() == {"claim": "c"}
    assert links.parse_operation(f"{BASE}#operation?claim=c&t=5&m=x").body() == {
        "claim": "c",
        "t": 5,
        "m": "x",
    }


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "hello",
        f"{BASE}#operation?claim=c&claim=d",
        f"{BASE}#operation?claim=c&t=5",
        f"{BASE}#operation?claim=c&t=-5&m=x",
        f"{BASE}#operation?claim=c&t=5555555555555555&m=x",
        f"{BASE}#operation?",
        f"{BASE}?claim=c#operation",
        "https://id.example.com/other#operation?claim=c",
        "javascript://id.example.com/mobileid/app#operation?claim=c",
        f"{BASE}#register?code=1&app=a",
        f"{BASE}#operation?claim={'c' * 3000}",
        "https://[::1/mobileid/app#operation?claim=c",
    ],
)
def test_anything_else_is_no_link(uri):
    for parse in (links.parse_operation, links.parse_register):
        with pytest.raises(errors.InputInvalid):
            parse(uri)


@given(st.text(max_size=80) | st.text(max_size=40).map(lambda text: f"{BASE}#operation?claim=c&t={text}&m=x"))
def test_no_text_breaks_the_parser(uri):
    for parse in (links.parse_operation, links.parse_register):
        with contextlib.suppress(errors.InputInvalid):
            parse(uri)


def test_a_link_of_another_service_or_application_is_refused_before_anything_is_sent(service, store, line, device):
    service.seen.clear()
    with pytest.raises(errors.InputInvalid):
        device.start_operation(qr="https://evil.example/mobileid/app#operation?claim=c")
    device.forget()
    for uri in (
        f"{BASE}#register?code=ABCD2345WXYZ&app=other",
        "https://evil.example/mobileid/app#register?code=ABCD2345WXYZ&app=1",
    ):
        with pytest.raises(errors.InputInvalid):
            Device.start_registration(service.config, uri, store, **line)
    assert not service.seen


def test_the_activation_link_registers_as_the_typed_code_does(service, store, line):
    uri = f"{BASE}#register?code=ABCD-2345-WXYZ&app={service.application_id}"
    offer = Device.start_registration(service.config, uri, store, **line)
    assert offer.finish(pin="2580", name="Ann's phone").state == "ACTIVE"


@pytest.mark.parametrize("code", ["ABCD-2345-WXY0", "short", "ABCD-2345-WXYU"])
def test_a_wrong_code_is_one_error(service, store, line, code):
    with pytest.raises(errors.RegistrationInvalid):
        Device.start_registration(service.config, code, store, **line)


def test_a_store_with_a_device_is_not_overwritten(service, store, line, device):
    with pytest.raises(errors.AlreadyRegistered):
        Device.start_registration(service.config, "abcd-2345-wxyz", store, **line)


@pytest.mark.parametrize("pin", ["1", "12a4", "1234567890123", "٣٤٥٦", None])
def test_a_pin_outside_the_rules_is_never_registered(service, store, line, pin):
    offer = Device.start_registration(service.config, "abcd-2345-wxyz", store, **line)
    with pytest.raises(errors.PinInvalid):
        offer.finish(pin=pin, name="Ann's phone")
    assert not service.phones


def test_input_that_the_service_would_refuse_is_refused_here(service, store, line, device):
    challenge = device.start_operation(service.add())
    for wrong in (
        lambda: challenge.approve(method="DEVICE_PIN"),
        lambda: challenge.approve(method="WISH"),
        lambda: challenge.approve(pin="2580", number="1"),
        lambda: challenge.reject("MOOD"),
        lambda: device.rename(" "),
        lambda: device.rename("x" * 65),
        lambda: device.start_operation(),
        lambda: device.start_operation("x", claim="y"),
    ):
        with pytest.raises(errors.InputInvalid):
            wrong()
    with pytest.raises(errors.MethodNotAllowed):
        device.start_authentication(service.add(type="signature"))
    assert challenge.approve(pin="2580").state == "COMPLETED"
