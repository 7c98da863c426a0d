"""Nordbank on a working day, for the eyes: made by the services that make it in production, with invented people."""

from dataclasses import dataclass, field
from datetime import timedelta

from django.utils import timezone

from mobileid.services import devices, endings
from reuseid.actors import SYSTEM, Actor
from reuseid.models import Delivery, DeliveryAttempt, Request, WebhookEndpoint
from reuseid.services import attribute_keys, requests, users, webhooks
from tests import factories
from tests.factories_mobileid import make_application, make_device, make_operation
from tests.reuseid.admin.cast import make_colleague

PHONE = "+358 40 123 4567"


@dataclass
class Scene:
    """Who and what is there."""

    account: object
    staff: dict = field(default_factory=dict)
    people: dict = field(default_factory=dict)
    devices: dict = field(default_factory=dict)
    operations: dict = field(default_factory=dict)
    endpoint: object = None
    delivery: object = None
    request: object = None


def nordbank() -> Scene:
    """One account with everything that a page can show."""
    account = factories.make_account("Nordbank")
    scene = Scene(account)
    for name, role in [
        ("sam", "Support"),
        ("kim", "Senior support"),
        ("mia", "Senior support"),
        ("audrey", "Auditor"),
        ("ines", "Integration"),
        ("adam", "Administrator"),
    ]:
        scene.staff[name] = make_colleague(name, role, account)
    scene.staff["root"] = make_colleague("root", None, is_superuser=True)
    for name, rules in {
        "phone": {"searchable": True, "normalisation": "phone"},
        "email": {"searchable": True, "normalisation": "email"},
        "segment": {"sensitive": False},
    }.items():
        attribute_keys.create(account, name, actor=SYSTEM, **rules)
    scene.endpoint = webhooks.create(account, url="https://hooks.example.com/reuseid", actor=SYSTEM)
    _people(scene)
    _callbacks(scene)
    kim, clara = Actor.staff(scene.staff["kim"]), scene.people["clara"]
    scene.request = requests.ask(clara, action=Request.Action.ERASE, actor=kim, reason="CUSTOMER_REQUEST")
    return scene


def _people(scene):
    client = factories.make_client(scene.account, name="Nordbank web shop")
    application = make_application(scene.account, "Nordbank app")
    for name, ref, phone in [
        ("anna", "customer-10482", PHONE),
        ("ben", "customer-10977", "+358 40 765 4321"),
        ("clara", "customer-11203", "+358 50 111 2222"),
    ]:
        values = {"phone": phone, "email": f"{name}@example.com", "segment": "private"}
        scene.people[name] = factories.make_user(scene.account, external_ref=ref, attributes=values)
        scene.devices[name] = make_device(
            scene.people[name],
            application,
            name="Pixel 9" if name != "ben" else "iPhone 17",
            model="Pixel 9" if name != "ben" else "iPhone18,3",
            platform="android" if name != "ben" else "ios",
            os_version="16",
            app_version="4.2.0",
            sdk_version="1.2.0",
        )
    anna, actor = scene.people["anna"], Actor.client(client)
    for ending in (endings.cancel, None, endings.cancel, None):
        operation = make_operation(anna, client=client, client_reference="order-7741")
        if ending:
            ending(operation, actor=actor)
        scene.operations["open" if ending is None else "ended"] = operation
    sam = Actor.staff(scene.staff["sam"])
    devices.lock(
        scene.devices["anna"],
        actor=sam,
        reason="DEVICE_LOST",
        note="Called from another number; knew the last payment.",
    )
    users.lock(
        scene.people["ben"], actor=sam, reason="SUSPECTED_FRAUD", note="Two sign-ins from abroad within a minute."
    )


def _callbacks(scene):
    owed = list(Delivery.objects.filter(endpoint=scene.endpoint).order_by("pk"))
    now = timezone.now()
    for number, delivery in enumerate(owed):
        good = number % 3 != 2
        Delivery.objects.filter(pk=delivery.pk).update(
            status=Delivery.Status.SENT if good else Delivery.Status.FAILED, attempts=1 if good else 10, settled_at=now
        )
        DeliveryAttempt.objects.create(
            delivery=delivery,
            number=1,
            at=now - timedelta(seconds=3),
            duration_ms=84,
            http_status=204 if good else 503,
            error="" if good else "http_503",
        )
    scene.delivery = Delivery.objects.filter(endpoint=scene.endpoint, status=Delivery.Status.FAILED).first()
    WebhookEndpoint.objects.filter(pk=scene.endpoint.pk).update(
        failing_since=now - timedelta(hours=2), consecutive_failures=4
    )
