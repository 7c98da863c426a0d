"""Phones and operations, made by the services that make them in production where a phone is not needed for it."""

import itertools
import json
import uuid
from datetime import timedelta

from cryptography.hazmat.primitives.asymmetric import ec
from django.db.models import F
from django.db.models.functions import Now

from mobileid.models import Device, Operation
from mobileid.protocol.jwk import public_jwk, thumbprint
from mobileid.services import applications, operations
from reuseid import crypto
from reuseid.actors import SYSTEM, Actor
from reuseid.models import Event
from reuseid.models.sealed import seal_field

_number = itertools.count(1)
CONTENT = {"title": "Sign in", "mimeType": "text/plain", "content": "Sign in to Nordbank?"}
SERVER = "https://id.example.com"


def make_application(account, name=None, **policy):
    """An application; the account's first one makes its keys."""
    return applications.create_application(
        account, name=name or f"App {next(_number)}", server=SERVER, actor=SYSTEM, **policy
    )


def make_device(user, application, *, pin=True, **values):
    """An active phone, as a registration leaves it."""
    jwk = public_jwk(ec.generate_private_key(ec.SECP256R1()).public_key())
    device = Device(
        id=uuid.uuid4(),
        account=user.account,
        application=application,
        user=user,
        possession_jwk=jwk,
        possession_thumbprint=thumbprint(jwk),
        **{"name": "Anna's phone", "platform": "android", **values},
    )
    if pin:
        seal_field(device, "knowledge_key", bytes(32))
    device.save(force_insert=True)
    return device


def make_operation(user, *, client=None, **terms):
    """An authentication that the client started, or the service itself."""
    shown = {} if "transaction" in terms else {"content": CONTENT}
    terms = {"allow_parallel": True, **shown, **terms}
    actor = Actor.client(client) if client else SYSTEM
    return operations.start_authentication(user.account, user=user, actor=actor, **terms)[0]


def overdue(*operations):
    """Move their deadlines into the past, as time would."""
    Operation.objects.filter(pk__in=[operation.pk for operation in operations]).update(
        expires_at=Now() - timedelta(seconds=1), created_at=F("created_at") - timedelta(minutes=10)
    )
    for operation in operations:
        operation.refresh_from_db()


def events_of(obj):
    """``[(type, data)]`` of an object, in order."""
    told = []
    for event in Event.objects.filter(object_id=obj.pk).order_by("sequence"):
        body = crypto.unseal(
            event.payload, account=event.account_id, table=event._meta.db_table, row=event.id, column="payload"
        )
        told.append((event.type, json.loads(body)["data"]))
    return told
