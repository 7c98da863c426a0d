"""What a reader may not read directly it does not read in an event: in the list, by its own webhook, by a resend."""

import json

import pytest

from mobileid.models import Operation
from reuseid.actors import SYSTEM, Actor
from reuseid.errors import Invalid
from reuseid.event_scopes import READING, Guard, reduced
from reuseid.models import Delivery, WebhookEndpoint
from reuseid.services import clients
from reuseid.services.people import users
from reuseid.services.webhooks import endpoints, outbox
from tests import factories
from tests import phone_factories as phones

URL = "/mobileid/core/webhooks"
EVENTS = "/mobileid/core/events"
SECRET = "anna@secret.example"


@pytest.fixture
def cheap_pins(monkeypatch):
    from mobileid.sdk import pin

    monkeypatch.setattr(pin, "STRETCHES", phones.make_cheap_stretch())


@pytest.fixture
def told(account, api_client, cheap_pins):
    """A completed authentication whose event holds an attribute value, a text, and an external reference."""
    anna = factories.make_user(account, external_ref="anna-1", attributes={"email": SECRET})
    phone = phones.make_phone(anna, phones.make_application(account))

    def complete():
        operation, _ = phones.ask(anna, client=api_client, requested_attributes=["email"], content="Pay the rent")
        phone.device.start_operation(str(operation.pk)).approve(pin=phones.PIN)
        assert Operation.objects.get(pk=operation.pk).status == "COMPLETED"
        return operation

    return complete


@pytest.fixture
def narrow(account, api_for):
    """`narrow("operations:read", …)`: a client with `webhooks:manage` and these scopes."""

    def narrow(*scopes):
        return api_for(factories.make_client(account, [*scopes, "webhooks:manage"]))

    return narrow


def data_of(receiver):
    return [json.loads(got.body)["data"] for got in receiver.got]


def test_the_list_of_events_shows_what_the_token_would_read_directly(told, api, narrow, api_for, api_client):
    operation = told()
    query = {"objectId": str(operation.pk)}
    whole = api.get(EVENTS, query).json()["results"][0]["data"]
    assert whole["result"]["requestedUserAttributes"] == {"email": SECRET}
    assert whole["user"]["externalRef"] == "anna-1"
    without_values = narrow("operations:read").get(EVENTS, query).json()["results"][0]["data"]
    assert without_values == whole | {"result": {"authMethod": "DEVICE_PIN"}}
    for caller in (narrow(), api_for(api_client, ["webhooks:manage"])):
        (row,) = caller.get(EVENTS, query).json()["results"]
        assert row["data"] == {"operationId": str(operation.pk), "type": "authentication"}
        assert caller.get(f"{EVENTS}/{row['id']}").json() == row
        assert SECRET not in caller.get(EVENTS).content.decode()


def test_events_of_people_and_phones_need_the_scopes_of_people_and_phones(told, narrow):
    told()
    for row in narrow().get(EVENTS, {"limit": 100}).json()["results"]:
        kind = row["type"].split(".")[0]
        assert set(row["data"]) <= {"user": {"userId"}, "device": {"deviceId", "userId"}}.get(
            kind, {"operationId", "type"}
        )
    shown = {row["type"]: row["data"] for row in narrow("users:read").get(EVENTS, {"limit": 100}).json()["results"]}
    assert shown["user.created"]["externalRef"] == "anna-1"
    assert set(shown["device.activated"]) == {"deviceId", "userId"}


def test_a_webhook_shows_no_more_than_the_client_that_made_it_may_read(told, narrow, receiver, send):
    caller = narrow("operations:read")
    assert caller.post(URL, {"url": receiver.url, "eventTypes": ["authentication.completed"]}).json()["scopes"] == [
        "operations:read"
    ]
    told()
    send()
    (data,) = data_of(receiver)
    assert data["operationProperties"]["preOperationContext"]["content"] == "Pay the rent"
    assert "requestedUserAttributes" not in data["result"]
    assert SECRET.encode() not in receiver.got[0].body


def test_scopes_that_are_not_the_callers_are_not_its_to_give(narrow, receiver):
    answer = narrow("operations:read").post(URL, {"url": receiver.url, "scopes": ["attributes:read"]})
    assert answer.status_code == 422
    assert [param["name"] for param in answer.json()["invalidParams"]] == ["scopes"]
    assert narrow().post(URL, {"url": receiver.url}).json()["scopes"] == []
    assert narrow().post(URL, {"url": receiver.url, "scopes": ["webhooks:manage"]}).status_code == 422


def test_nobody_points_a_webhook_elsewhere_that_shows_more_than_they_may_read(api, narrow, receiver):
    made = api.post(URL, {"url": receiver.url}).json()
    assert made["scopes"] == list(READING)
    at, caller = f"{URL}/{made['id']}", narrow("operations:read")
    assert caller.patch(at, {"url": "https://93.184.216.34/mine"}).status_code == 422
    assert caller.patch(at, {"description": "still ours"}).status_code == 200
    changed = caller.patch(at, {"url": "https://93.184.216.34/mine", "scopes": ["operations:read"]}).json()
    assert (changed["url"], changed["scopes"]) == ("https://93.184.216.34/mine", ["operations:read"])
    assert caller.patch(at, {"scopes": ["operations:read", "attributes:read"]}).status_code == 422
    assert api.patch(at, {"scopes": list(READING)}).json()["scopes"] == list(READING)


def test_a_scope_that_was_taken_away_is_gone_from_the_next_attempt_and_from_a_resend(told, api, receiver, send):
    client = api.client_row
    at = f"{URL}/{api.post(URL, {'url': receiver.url, 'eventTypes': ['authentication.completed']}).json()['id']}"
    receiver.answers(500)
    told()
    send()
    clients.set_scopes(client, [s for s in factories.ALL_SCOPES if s != "attributes:read"], actor=SYSTEM)
    assert "attributes:read" not in api.get(at).json()["scopes"]
    api.post(f"{at}/deliveries/{Delivery.objects.get().pk}/resend", {})
    receiver.answers(200)
    WebhookEndpoint.objects.update(open_until=None)
    send()
    before, after = data_of(receiver)
    assert before["result"]["requestedUserAttributes"] == {"email": SECRET}
    assert after == before | {"result": {"authMethod": "DEVICE_PIN"}}


def test_a_blocked_clients_webhook_shows_ids_alone_until_another_gives_it_more(told, api, account, receiver, send):
    made = api.post(URL, {"url": receiver.url, "eventTypes": ["authentication.completed"]}).json()
    clients.block(api.client_row, actor=SYSTEM, reason="OTHER", note="leaked")
    operation = told()
    send()
    assert data_of(receiver) == [{"operationId": str(operation.pk), "type": "authentication"}]
    other = factories.rest_client(factories.make_client(account))
    other.patch(f"{URL}/{made['id']}", {"scopes": ["operations:read"]})
    assert WebhookEndpoint.objects.get().shown_scopes() == ["operations:read"]


def test_what_a_receiver_answered_is_shown_only_to_who_may_read_what_was_sent(told, api, narrow, receiver, send):
    made = api.post(URL, {"url": receiver.url, "eventTypes": ["authentication.completed"]}).json()
    receiver.answers(lambda got, number: (500, {}, b"can't take " + got.body))
    told()
    send()
    at = f"{URL}/{made['id']}/deliveries/{Delivery.objects.get().pk}"
    assert "can't take" in api.get(at).json()["attemptLog"][0]["answer"]
    (attempt,) = narrow("operations:read").get(at).json()["attemptLog"]
    assert "answer" not in attempt
    assert attempt["httpStatus"] == 500


def test_a_colleague_states_what_an_endpoint_shows(account, receiver, user):
    made = endpoints.create(account, url=receiver.url, actor=SYSTEM, scopes=["users:read"])
    assert made.shown_scopes() == ["users:read"]
    assert endpoints.create(account, url=receiver.url, actor=SYSTEM).shown_scopes() == []
    with pytest.raises(Invalid):
        endpoints.update(made, actor=SYSTEM, url="https://93.184.216.34/", holds=())
    endpoints.update(made, actor=SYSTEM, description="fine", holds=())


def test_an_object_that_nobody_registered_shows_nothing():
    assert reduced("unheard-of", {"a": 1}, READING) == {}
    assert Guard("users:read").ids == ()


def test_nothing_else_is_lost_by_being_reduced(user):
    users.lock(
        user,
        actor=Actor.staff(type("Colleague", (), {"pk": 7, "get_username": lambda self: "kim"})()),
        reason="OTHER",
        note="x",
    )
    event = user.account.events.get(type="user.locked")
    assert outbox.body_for(event, READING) == outbox.body_of(event)


def test_an_answer_that_repeats_what_was_sent_is_kept_without_it(told, api, receiver, send):
    made = api.post(URL, {"url": receiver.url, "eventTypes": ["authentication.completed"]}).json()
    shouts = b"can't take <b>Pay the rent</b> &quot;Pay+the+rent&quot; Pay%20the%20rent of anna%40secret.example: "
    receiver.answers(lambda got, number: (500, {}, shouts + got.body))
    operation = told()
    send()
    at = f"{URL}/{made['id']}/deliveries/{Delivery.objects.get().pk}"
    answer = api.get(at).json()["attemptLog"][0]["answer"]
    assert answer.startswith("can't take <b>••••••</b> &quot;••••••&quot; •••••• of ••••••: {")
    assert str(operation.pk) in answer
    for text in (SECRET, "Pay the rent", "secret.example"):
        assert text not in answer
