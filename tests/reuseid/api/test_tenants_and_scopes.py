"""Every address of the API, with another account's ids and without each scope."""

import pytest
from django.conf import settings

from mobileid.models import Device, Operation
from reuseid.models import Delivery, Event, WebhookEndpoint
from tests import factories
from tests.reuseid.api.routes import routes

pytestmark = pytest.mark.django_db
ROUTES = routes()
WITH_IDS = [route for route in ROUTES if any(kind == "uuid" for kind, _ in route.names)]


@pytest.fixture
def victim(api, account, user):
    """One of everything in `account`: `{name in the address: id}`."""
    proofing = api.post(
        f"/reuseid/core/users/{user.pk}/proofings",
        {"method": "eid", "provider": "x", "assuranceLevel": "low", "performedAt": "2026-01-01T00:00:00Z"},
    ).json()
    application = account.applications.create(name="App", server="https://id.example.com")
    device = Device.objects.create(
        account=account, application=application, user=user, name="phone", possession_jwk={}, possession_thumbprint="t"
    )
    webhook = api.post("/mobileid/core/webhooks", {"url": "https://hooks.example.com/x"})
    webhook_id = (
        webhook.json().get("id")
        or WebhookEndpoint.objects.create(
            account=account, url="https://hooks.example.com/x", secret=b"", signing_key=b"", public_key=""
        ).pk
    )
    event = Event.objects.filter(account=account).last()
    delivery = Delivery.objects.create(account=account, endpoint_id=webhook_id, event=event, object_id=user.pk)
    operations = {
        kind: Operation.objects.create(
            account=account, application=application, user=user, type=kind, expires_at="2999-01-01T00:00:00Z"
        ).pk
        for kind in Operation.Type.values
    }
    return {
        "user_id": user.pk,
        "proofing_id": proofing["proofingId"],
        "device_id": device.pk,
        "webhook_id": webhook_id,
        "delivery_id": delivery.pk,
        "event_id": event.id,
        "name": "email",
    } | {f"{kind}s": pk for kind, pk in operations.items()}


def ids(route, victim):
    """The victim's ids for this address."""
    kind = next((kind for kind in Operation.Type.values if f"/{kind}s/" in route.path), None)
    return victim | {"operation_id": victim[f"{kind}s"] if kind else None}


def call(caller, route, address):
    return getattr(caller, route.method.lower())(address, {} if route.method in ("POST", "PUT", "PATCH") else None)


# Bodies that pass the judging of members, so that what is refused is the id.
BODIES = {
    "lock": {"reason": "RESOLVED"},
    "unlock": {"reason": "RESOLVED"},
    "deactivate": {"reason": "RESOLVED"},
    "erase": {"reason": "RESOLVED"},
    "proofings": {"method": "eid", "provider": "x", "assuranceLevel": "low", "performedAt": "2026-01-01T00:00:00Z"},
    "<str:name>": {"value": 1},
    "<uuid:device_id>": {"name": "stolen"},
    "<uuid:webhook_id>": {"description": "stolen"},
    "confirm": {"confirmationCode": "123456"},
    "release": {"returnCode": "A" * 43},
    "resend": {"since": "2026-01-01T00:00:00Z"},
}


@pytest.mark.parametrize("route", WITH_IDS, ids=lambda route: f"{route.method} {route.path}")
def test_another_accounts_id_is_unknown(other_api, victim, route):
    address = route.address(**ids(route, victim))
    last = route.path.rsplit("/", 1)[-1]
    body = BODIES.get(last, {}) if route.method in ("POST", "PUT", "PATCH") else None
    if last == "resend" and "deliveries" in route.path:
        body = {}
    before = snapshot()
    answer = getattr(other_api, route.method.lower())(address, body)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), answer.content
    assert snapshot() == before


def snapshot():
    return [
        list(model.objects.order_by("pk").values_list()) for model in (Device, Operation, WebhookEndpoint, Delivery)
    ]


@pytest.mark.parametrize("route", [r for r in ROUTES if r.method == "GET" and not r.names], ids=lambda r: r.path)
def test_another_accounts_rows_are_in_no_list(other_api, victim, route):
    answer = other_api.get(route.address())
    assert answer.status_code == 200, answer.content
    if "reasons" not in route.path:
        assert answer.json()["results"] == []


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_each_address_refuses_a_token_without_its_scope_and_none_at_all(client, api_for, api_client, route):
    assert route.scope in settings.SCOPES
    others = [scope for scope in factories.ALL_SCOPES if scope != route.scope]
    answer = call(api_for(api_client, others), route, route.address())
    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")
    assert answer.json()["scope"] == route.scope
    assert getattr(client, route.method.lower())(route.address()).status_code == 401


def test_the_walk_saw_every_documented_call(client):
    document = client.get("/api/openapi.json").json()
    assert len(ROUTES) == sum(len(methods) for methods in document["paths"].values()) > 50


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_an_unknown_query_parameter_is_refused_everywhere(api, victim, route):
    address = route.address(**victim)
    answer = api.generic(route.method, f"{address}?unknown=1", b"{}", content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_query"), answer.content
