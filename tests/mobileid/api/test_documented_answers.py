"""What phones and colleagues leave behind is answered, listed and told as the OpenAPI document types it."""

import pytest

from mobileid.services import completion
from mobileid.services.descriptions import FAILURE_REASONS
from reuseid import event_types
from reuseid.models import Event
from tests import phone_factories as phones
from tests.device_factories import overdue

PAYMENT = {"amount": "10.00", "currency": "EUR", "creditorName": "Jane", "creditorAccount": "NL91ABNA0417164300"}
CORE = "/mobileid/core"


def wrong_number(shown):
    return f"{(int(shown['matchingNumber']) + 1) % 100:02d}"


def live(api, ada, phone):
    """Everything that can happen to an operation, a phone and a person, once."""

    def start(**terms):
        operation, shown = phones.ask(ada, client=api.client_row, allow_parallel=True, **terms)
        return phone.device.start_operation(str(operation.pk)), shown

    start()[0].approve(pin=phones.PIN)
    start(transaction=PAYMENT)[0].approve(pin=phones.PIN)
    start(requested_attributes=["email"], auth_level="ONE_FACTOR")[0].approve()
    start()[0].reject()
    start()[0].reject("NOT_ME")
    challenge, shown = start(binding="NUMBER")
    challenge.approve(pin=phones.PIN, number=wrong_number(shown))
    signed, _ = phones.ask_to_sign(ada, client=api.client_row)
    phone.device.start_operation(str(signed.pk)).approve(pin=phones.PIN)
    api.post(f"{CORE}/signatures/{phones.ask_to_sign(ada, client=api.client_row)[0].pk}/cancel", {})
    overdue(phones.ask(ada, client=api.client_row)[0])
    completion.expire_overdue()
    for _ in range(2):
        phones.ask(ada, client=api.client_row)
    phones.start_registration(ada, phone.row.application)
    reason = {"reason": "RESOLVED"}
    device, user = f"{CORE}/devices/{phone.row.pk}", f"/reuseid/core/users/{ada.pk}"
    for path in ("lock", "unlock"):
        api.post(f"{device}/{path}", reason)
    api.patch(user, {"segment": "retail", "attributes": {"email": "ada@b.example"}})
    phones.ask(ada, client=api.client_row)
    for path in ("lock", "unlock", "deactivate"):
        api.post(f"{user}/{path}", reason)


@pytest.fixture
def lived(api, ada, phone):
    live(api, ada, phone)
    return phone


def problems(validator, value):
    return [(list(error.absolute_path), error.message) for error in validator.iter_errors(value)]


def test_every_answer_is_typed_as_documented(api, lived, validator):
    seen = set()
    for kind in ("registrations", "authentications", "signatures"):
        for row in api.get(f"{CORE}/{kind}", {"limit": 100}).json()["results"]:
            whole = api.get(f"{CORE}/{kind}/{row['operationId']}").json()
            assert problems(validator("OperationRow"), row) == []
            assert problems(validator("OperationAnswer"), whole) == []
            seen.add((whole["type"], whole["state"], whole.get("failureReason")))
    assert {reason for _, _, reason in seen} - {None} == set(FAILURE_REASONS) - {
        "CONFIRMATION_FAILED",
        "DEVICE_DEACTIVATED",
        "USER_DEACTIVATED",
    }
    assert problems(validator("DeviceAnswer"), api.get(f"{CORE}/devices/{lived.row.pk}").json()) == []


def test_every_event_is_typed_as_documented(api, lived, validator):
    api.post(f"{CORE}/webhooks", {"url": "https://127.0.0.1/hooks"})
    (webhook,) = api.get(f"{CORE}/webhooks").json()["results"]
    api.post(f"{CORE}/webhooks/{webhook['id']}/test", {})
    told = api.get(f"{CORE}/events", {"limit": 100}).json()["results"]
    assert len(told) == Event.objects.count()
    for event in told:
        assert problems(validator("EventShape"), event) == [], event["type"]
        body = {name: event[name] for name in ("type", "timestamp", "data")}
        schema = validator(f"/webhooks/{event['type']}/post/requestBody/content/application~1json/schema")
        assert problems(schema, body) == [], event["type"]
    nouns = {name.partition(".")[0] for name in event_types.known()}
    assert {event["type"].partition(".")[0] for event in told} == nouns
