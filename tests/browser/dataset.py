"""Nordbank on a working day, for the eyes: made by the services that make it in production, with invented people."""

from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from unittest import mock

from django.apps import apps
from django.conf import settings
from django.db import models
from django.utils import timezone

from mobileid.models import ChannelKey, Device, Operation
from mobileid.sdk import pin
from mobileid.sdk.registration import Phone as Said
from mobileid.services import completion, devices, operations
from reuseid.actors import SYSTEM, Actor
from reuseid.models import ApprovalRequest, Delivery, DeliveryAttempt, DeliveryCount, EventCount, WebhookEndpoint
from reuseid.services import heartbeats
from reuseid.services.people import approvals, attribute_keys, caller_verification, notes, proofings, users
from reuseid.services.webhooks import endpoints
from tests import factories
from tests import phone_factories as phones
from tests.conftest import unguarded
from tests.device_factories import make_application, make_device
from tests.staff_factories import make_colleague

PHONE = "+358 40 123 4567"
PAYMENT = {
    "amount": "1249.50",
    "currency": "EUR",
    "creditorName": "Helsinki Bicycles Oy",
    "creditorAccount": "FI21 1234 5600 0007 85",
    "reference": "Invoice 2217",
}
STAFF = [
    ("sam", "Support"),
    ("kim", "Senior support"),
    ("mia", "Senior support"),
    ("audrey", "Auditor"),
    ("ines", "Integration"),
    ("adam", "Administrator"),
]
PEOPLE = [
    ("anna", "customer-10482", PHONE),
    ("ben", "customer-10977", "+358 40 765 4321"),
    ("clara", "customer-11203", "+358 50 111 2222"),
]
OTHERS = ["customer-10011", "customer-10230", "customer-10308", "customer-11340", "customer-11377", "customer-11402"]
# How busy a bank's customers are, hour by hour from midnight.
HOURS = [2, 1, 1, 0, 1, 3, 9, 21, 34, 41, 38, 44, 47, 39, 36, 33, 37, 42, 31, 24, 17, 12, 7, 4]


@dataclass
class Scene:
    """Who and what is there."""

    account: object
    staff: dict = field(default_factory=dict)
    people: dict = field(default_factory=dict)
    devices: dict = field(default_factory=dict)
    operations: dict = field(default_factory=dict)
    application: object = None
    client: object = None
    endpoint: object = None
    delivery: object = None
    request: object = None


def nordbank() -> Scene:
    """One account with everything that a page can show, in the order in which it happened."""
    with ago(days=190):
        scene = Scene(factories.make_account("Nordbank"))
        _house(scene)
    with ago(days=41):
        _people(scene)
    with mock.patch.object(pin, "STRETCHES", phones.make_cheap_stretch()):
        with ago(days=12):
            anna = _phone_of(scene)
        _day(scene, anna)
    _callbacks(scene)
    _figures(scene)
    kim, clara = Actor.staff(scene.staff["kim"]), scene.people["clara"]
    with ago(hours=3, minutes=12):
        scene.request = approvals.ask(
            clara,
            action=ApprovalRequest.Action.ERASE,
            actor=kim,
            reason="CUSTOMER_REQUEST",
            note="Closed her account in the branch; the form is signed.",
        )
    _locks(scene)
    # The blocks after it have moved its deadline too.
    ApprovalRequest.objects.update(expires_at=models.F("asked_at") + timedelta(hours=settings.REQUEST_HOURS))
    scene.operations["open"] = _open(scene)
    for name in [heartbeats.BEAT, *(f"worker:{queue}" for queue in settings.WATCHED_QUEUES)]:
        heartbeats.beat(name, "nordbank-1")
    return scene


@contextmanager
def ago(**how):
    """What happens in the block happened a while ago: each time that it writes is moved back."""
    begun = timezone.now()
    yield
    with unguarded():
        for model in {*apps.get_app_config("reuseid").get_models(), *apps.get_app_config("mobileid").get_models()}:
            for column in model._meta.concrete_fields:
                # Channel keys live for two days, whatever else is old.
                if isinstance(column, models.DateTimeField) and model is not ChannelKey:
                    rows = model._base_manager.filter(**{f"{column.name}__gte": begun})
                    rows.update(**{column.name: models.F(column.name) - timedelta(**how)})


def _house(scene):
    account = scene.account
    for name, role in STAFF:
        scene.staff[name] = make_colleague(name, role, account)
    scene.staff["root"] = make_colleague("root", None, is_superuser=True)
    for name, rules in {
        "phone": {"searchable": True, "normalisation": "phone"},
        "email": {"searchable": True, "normalisation": "email"},
        "segment": {"sensitive": False},
    }.items():
        attribute_keys.create(account, name, actor=SYSTEM, **rules)
    scene.endpoint = endpoints.create(account, url="https://hooks.example.com/reuseid", actor=SYSTEM)
    scene.client = factories.make_client(account, name="Nordbank web shop")
    scene.application = make_application(account, "Nordbank app")


def _people(scene):
    for name, ref, phone in PEOPLE:
        values = {"phone": phone, "email": f"{name}@example.com", "segment": "private"}
        user = scene.people[name] = factories.make_user(
            scene.account, external_ref=ref, segment="private", attributes=values
        )
        proofings.record(
            user,
            actor=SYSTEM,
            method="eid",
            provider="Bank-ID",
            reference=f"FTN-{ref[-5:]}",
            assurance_level="substantial",
            performed_at=timezone.now(),
        )
    for name in ("ben", "clara"):
        scene.devices[name] = make_device(
            scene.people[name],
            scene.application,
            name="Pixel 9" if name != "ben" else "iPhone 17",
            model="Pixel 9" if name != "ben" else "iPhone18,3",
            platform="android" if name != "ben" else "ios",
            os_version="16",
            app_version="4.2.0",
            sdk_version="1.2.0",
            last_used_at=timezone.now(),
        )
    for ref in OTHERS:
        factories.make_user(scene.account, external_ref=ref, segment="private")


def _phone_of(scene):
    """Anna's phone: a real one, so that what she approves is proved."""
    _operation, code = phones.start_registration(scene.people["anna"], scene.application)
    store, line = phones.MemoryStore(gate=lambda: True), phones.Line()
    said = Said("android", "16", "Pixel 9", "4.2.0")
    offer = phones.offer(scene.application, code, store=store, line=line)
    registered = offer.finish(pin=phones.PIN, name="Pixel 9", biometric=True, phone=said)
    Device.objects.filter(pk=registered.device.device_id).update(sdk_version="1.2.0")
    return phones.Phone(registered.device, store, line, registered)


def _day(scene, phone):
    """What Anna was asked since yesterday, and what she said."""
    anna, client = scene.people["anna"], scene.client
    scene.devices["anna"] = phone.row

    def asked(reference, **terms):
        terms.setdefault(
            "content", {"title": "Sign in", "mimeType": "text/plain", "content": "Sign in to the web shop?"}
        )
        actor = Actor.client(client)
        return operations.start_authentication(
            scene.account, user=anna, actor=actor, client_reference=reference, **terms
        )[0]

    def approved(reference, decided_after=9, **terms):
        operation = asked(reference, **terms)
        phone.device.start_operation(str(operation.pk)).approve()
        return _decided(operation, decided_after)

    with ago(hours=22):
        approved("login-3310")
    with ago(hours=19, minutes=40):
        phone.device.start_operation(str(asked("login-3342").pk)).reject()
    with ago(hours=5, minutes=3):
        approved("login-3377", 6)
    with ago(hours=4, minutes=51):
        pay = {"content": None, "transaction": PAYMENT}
        thanks = {"title": "Thank you", "mimeType": "text/plain", "content": "The payment leaves today."}
        operation = approved("order-7741", 21, post_context=thanks, **pay)
        scene.operations["approved"] = scene.operations["ended"] = operation
    with ago(hours=2, minutes=30):
        operation = scene.operations["expired"] = asked("order-7752")
        Operation.objects.filter(pk=operation.pk).update(expires_at=timezone.now())
        completion.expire_overdue()
    begun = models.F("expires_at") - timedelta(minutes=3)
    Operation.objects.filter(pk=operation.pk).update(created_at=begun)
    with ago(minutes=26):
        completion.cancel(asked("order-7755"), actor=Actor.client(client))


def _open(scene):
    """What waits for Clara's phone now."""
    content = {"title": "Sign in", "mimeType": "text/plain", "content": "Sign in to the web shop?"}
    return operations.start_authentication(
        scene.account,
        user=scene.people["clara"],
        actor=Actor.client(scene.client),
        client_reference="order-7760",
        content=content,
        expires_in=300,
    )[0]


def _decided(operation, seconds):
    """As if the phone had come after 4 seconds and the person had thought for some."""
    begun = operation.created_at
    Operation.objects.filter(pk=operation.pk).update(
        started_at=begun + timedelta(seconds=4),
        ended_at=begun + timedelta(seconds=4 + seconds),
    )
    operation.refresh_from_db()
    return operation


def _locks(scene):
    """What support did this morning."""
    sam, kim = Actor.staff(scene.staff["sam"]), Actor.staff(scene.staff["kim"])
    anna, ben = scene.people["anna"], scene.people["ben"]
    with ago(hours=2, minutes=5):
        note = "Two sign-ins from abroad within a minute."
        users.lock(ben, actor=sam, reason="SUSPECTED_FRAUD", note=note)
        notes.add(ben, "Called back: he is in Oulu and has not travelled.", actor=kim)
    with ago(minutes=17):
        caller_verification.verified(anna, actor=sam, asked=list(settings.CALLER_QUESTIONS)[:2], passed=True)
        note = "Called from another number; knew the last payment."
        devices.lock(scene.devices["anna"], actor=sam, reason="DEVICE_LOST", note=note)


def _callbacks(scene):
    """Most were taken at once; of the last some are owed, and one was given up."""
    now = timezone.now()
    owed = list(Delivery.objects.filter(endpoint=scene.endpoint).order_by("created_at"))
    for number, delivery in enumerate(owed):
        bad = number == len(owed) - 3
        settled = delivery.created_at + timedelta(hours=1 if bad else 0, seconds=1)
        Delivery.objects.filter(pk=delivery.pk).update(
            status=Delivery.Status.FAILED if bad else Delivery.Status.SENT, attempts=3 if bad else 1, settled_at=settled
        )
        for attempt in range(3 if bad else 1):
            DeliveryAttempt.objects.create(
                delivery=delivery,
                number=attempt + 1,
                at=delivery.created_at + timedelta(seconds=[1, 60, 3600][attempt]),
                duration_ms=84 + 11 * attempt,
                http_status=503 if bad else 204,
                error="http_503" if bad else "",
            )
        if bad:
            scene.delivery = delivery
    scene.delivery.refresh_from_db()
    WebhookEndpoint.objects.filter(pk=scene.endpoint.pk).update(
        failing_since=now - timedelta(hours=2), consecutive_failures=4
    )


def _figures(scene):
    """Numbers of the hours that are over, as beat counts them."""
    this_hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    events, taken = [], []
    for back in range(1, 24 * 8):
        hour = this_hour - timedelta(hours=back)
        busy = HOURS[hour.hour] * (10 if hour.weekday() < 5 else 4) // 10
        parts = {"completed": busy, "rejected": busy // 17, "failed": busy // 29, "expired": (busy + back) // 13}
        kinds = {f"authentication.{name}": count for name, count in parts.items()}
        kinds["user.locked"] = int(hour.hour in {9, 14} and hour.weekday() < 5)
        kinds["device.locked"] = int(hour.hour in {8, 11, 16})
        events += [
            EventCount(account=scene.account, hour=hour, type=name, count=count)
            for name, count in kinds.items()
            if count
        ]
        for within, share in ((1, 70), (2, 24), (10, 4), (60, 2)):
            if busy * share // 100:
                count = busy * share // 100
                taken.append(DeliveryCount(account=scene.account, hour=hour, status="SENT", within=within, count=count))
    EventCount.objects.bulk_create(events)
    DeliveryCount.objects.bulk_create(taken)
