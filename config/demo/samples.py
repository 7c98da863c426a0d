"""Made-up people to try the back office with: one for each obstacle that `diagnosis` knows. Never for production.

Their names say what stands in their way, their addresses are of example.com (RFC 2606) and their numbers of the range
that is kept for fiction (Ofcom, +44 7700 900xxx). Their phones are rows that nobody holds.
"""

import os
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from mobileid.errors import UserCooldown
from mobileid.models import Application, AuthMethod, Device, Operation, Suite
from mobileid.protocol import proofs
from mobileid.protocol.jwk import public_jwk
from mobileid.services import applications, completion, devices, factors, operations
from mobileid.services.device_changes import tell
from mobileid.services.diagnosis import UNSEEN, diagnose
from mobileid.services.registration import by_integrator
from reuseid.actors import Actor
from reuseid.models import Account, AttributeKey, Client, User
from reuseid.models.sealed import seal_field
from reuseid.services import accounts, clients
from reuseid.services.audit import trail
from reuseid.services.people import attribute_keys, users
from reuseid.services.people.attributes import Record

Normal, Type = AttributeKey.Normalisation, AttributeKey.Type
CATALOGUE = {
    "name": {"type": Type.STRING, "searchable": True, "sensitive": False},
    "givenName": {"type": Type.STRING, "searchable": True, "sensitive": False},
    "familyName": {"type": Type.STRING, "searchable": True, "sensitive": False},
    "email": {"type": Type.STRING, "searchable": True, "sensitive": False, "normalisation": Normal.EMAIL},
    "phone": {"type": Type.STRING, "searchable": True, "sensitive": False, "normalisation": Normal.PHONE},
    "dateOfBirth": {"type": Type.DATE},
}
CAREFUL = {
    "min_suite": Suite.X_WING,
    "min_sdk_version": "0.1.0",
    "auth_methods": [AuthMethod.DEVICE_PIN, AuthMethod.DEVICE_BIOMETRIC],
}
DAY = 24 * 3600
QUESTION = {"title": "Log in", "mimeType": "text/plain", "content": "Log in to the bank?"}


@dataclass(frozen=True)
class Sample:
    """One person: the family name says what stands in the way; ``bank`` is the name of another account."""

    given: str
    family: str
    code: str
    bank: str = ""


SAMPLES = [
    Sample("Lena", "Locked", "USER_LOCKED"),
    Sample("Dora", "Deactivated", "USER_DEACTIVATED"),
    Sample("Nora", "Nophone", "NO_DEVICE"),
    Sample("Otto", "Opencode", "REGISTRATION_OPEN"),
    Sample("Edda", "Expiredcode", "REGISTRATION_EXPIRED"),
    Sample("Paul", "Pending", "DEVICE_PENDING"),
    Sample("Lars", "Lockedphone", "DEVICE_LOCKED"),
    Sample("Toni", "Notries", "TRIES_USED"),
    Sample("Ulla", "Unseen", "DEVICE_UNSEEN"),
    Sample("Carl", "Cooldown", "USER_COOLDOWN"),
    Sample("Olga", "Oldapp", "APP_TOO_OLD", "Careful Bank"),
    Sample("Susi", "Suite", "SUITE_REFUSED", "Careful Bank"),
    Sample("Mona", "Nomethod", "NO_METHOD", "Careful Bank"),
    Sample("Bea", "Blocked", "ACCOUNT_BLOCKED", "Closed Bank"),
    Sample("Nino", "Noclients", "CLIENTS_BLOCKED", "Paused Bank"),
    Sample("Finn", "Fraud", "FRAUD_REPORTED"),
]
BANKS = ["Careful Bank", "Closed Bank", "Paused Bank"]


@transaction.atomic
def fill(account: Account, *, server: str, actor: Actor) -> list[Account]:
    """Make the catalogue and the people that are missing, and those anew whose obstacle has passed with time.

    Those without a bank are of ``account``; the rules that stop the others are those of accounts of their own, which
    are returned. What somebody has changed otherwise stays so.
    """
    banks = {"": account} | {name: _bank(name, server, actor) for name in BANKS}
    for bank in banks.values():
        _catalogue(bank, actor)
    for number, sample in enumerate(SAMPLES):
        bank = banks[sample.bank]
        application = bank.applications.order_by("created_at").first()
        reference = f"sample-{sample.family.lower()}"
        user = User.objects.filter(account=bank, external_ref=reference).first()
        if user is None:
            user = users.create(bank, actor=actor, external_ref=reference, attributes=_attributes(number, sample))
            _MAKERS[sample.code](user, application, actor)
        elif sample.code in _PASSING and sample.code not in {fact.code for fact in diagnose(user).blocking}:
            _MAKERS[sample.code](user, application, actor)
    for name, block in (("Closed Bank", _close), ("Paused Bank", _pause)):
        block(banks[name], actor)
    return [banks[name] for name in BANKS]


def _bank(name, server, actor):
    account = Account.objects.filter(name=name).first()
    if account is None:
        account = accounts.create(name, actor=actor)
        clients.create(account, name=f"{name} back end", actor=actor)
        policy = CAREFUL if name == "Careful Bank" else {}
        applications.create_application(account, name=name, server=server, actor=actor, **policy)
    return account


def _catalogue(account, actor):
    known = set(AttributeKey.objects.filter(account=account).values_list("name", flat=True))
    for name, rules in CATALOGUE.items():
        if name not in known:
            attribute_keys.create(account, name, actor=actor, **rules)


def _attributes(number, sample):
    values = {
        "name": f"{sample.given} {sample.family}",
        "givenName": sample.given,
        "familyName": sample.family,
        "email": f"{sample.given}.{sample.family}@example.com".lower(),
        "phone": f"+447700900{number + 101}",
        "dateOfBirth": f"{1960 + number}-02-0{number % 9 + 1}",
    }
    return {name: Record(value, source="Sample") for name, value in values.items()}


def _phone(user: User, application: Application, actor: Actor, **values: Any) -> Device:
    """An active phone, as a registration leaves it; without a PIN where ``pin`` is False."""
    jwk = public_jwk(ec.generate_private_key(ec.SECP256R1()).public_key())
    pin = values.pop("pin", True)
    told = {"name": f"{user.external_ref.removeprefix('sample-').title()}'s phone", "platform": "Sample"}
    device = Device(
        id=uuid.uuid4(),
        account=user.account,
        application=application,
        user=user,
        possession_jwk=jwk,
        possession_thumbprint=proofs.thumbprint(jwk),
        **(told | {"sdk_version": "0.1.0", "app_version": "0.1.0", "suite": Suite.X_WING} | values),
    )
    if pin:
        seal_field(device, "knowledge_key", os.urandom(32))
    device.save(force_insert=True)
    device.refresh_from_db(fields=["created_at"])
    if device.status == Device.Status.ACTIVE:
        return tell(device, "activated", actor=actor)
    trail.record(device, "device.registered", actor=actor)
    return device


def _close(account, actor):
    if account.status == Account.Status.ACTIVE:
        accounts.block(account, actor=actor, reason="CONTRACT_ENDED")


def _pause(account, actor):
    for client in Client.objects.filter(account=account, status=Client.Status.ACTIVE):
        clients.block(client, actor=actor, reason="COMPLIANCE")


def _locked(user, application, actor):
    _phone(user, application, actor)
    users.lock(user, actor=actor, reason="SUSPECTED_FRAUD")


def _deactivated(user, application, actor):
    users.deactivate(user, actor=actor, reason="CONTRACT_ENDED")


def _nothing(user, application, actor):
    """What was made already is enough."""


def _open(user, application, actor):
    by_integrator.start_registration(user.account, user=user, application=application, actor=actor, expires_in=DAY)


def _expired(user, application, actor):
    operation, _code = by_integrator.start_registration(user.account, user=user, application=application, actor=actor)
    yesterday = timezone.now() - timedelta(days=1)
    Operation.objects.filter(pk=operation.pk).update(created_at=yesterday, expires_at=yesterday + timedelta(minutes=15))
    operation.refresh_from_db()
    completion.expire(operation)


def _pending(user, application, actor):
    operation, _code = by_integrator.start_registration(
        user.account,
        user=user,
        application=application,
        actor=actor,
        expires_in=DAY,
        confirmation=Operation.Confirmation.INTEGRATOR,
    )
    device = _phone(user, application, actor, status=Device.Status.PENDING)
    operation.device, operation.status = device, Operation.Status.IN_PROGRESS
    seal_field(operation, "confirmation_code", b"000000")
    operation.started_at = Now()
    operation.save(update_fields=["device", "status", "confirmation_code", "started_at"])


def _locked_phone(user, application, actor):
    devices.lock(_phone(user, application, actor), actor=actor, reason="DEVICE_LOST")


def _phone_with(**values):
    return lambda user, application, actor: _phone(user, application, actor, **values)


def _unseen(user, application, actor):
    seen = timezone.now() - UNSEEN - timedelta(days=10)
    _phone(user, application, actor, created_at=seen - timedelta(days=200), last_used_at=seen)


def _left_alone(user, application, actor):
    """More requests in a row than are tolerated: each supersedes the one before, the last is not answered."""
    if not Device.objects.filter(user=user).exists():
        _phone(user, application, actor)
    try:
        while True:
            last, _shown = operations.start_authentication(user.account, user=user, actor=actor, content=QUESTION)
            completion.end(last, Operation.Status.EXPIRED, actor=actor)
    except UserCooldown:
        return


def _reported(user, application, actor):
    _phone(user, application, actor)
    asked, _shown = operations.start_authentication(user.account, user=user, actor=actor, content=QUESTION)
    completion.end(asked, Operation.Status.REJECTED, actor=actor, failure_reason="NOT_ME")


_MAKERS = {
    "USER_LOCKED": _locked,
    "USER_DEACTIVATED": _deactivated,
    "NO_DEVICE": _nothing,
    "REGISTRATION_OPEN": _open,
    "REGISTRATION_EXPIRED": _expired,
    "DEVICE_PENDING": _pending,
    "DEVICE_LOCKED": _locked_phone,
    "TRIES_USED": _phone_with(failed_attempts=factors.MAX_FAILURES),
    "DEVICE_UNSEEN": _unseen,
    "USER_COOLDOWN": _left_alone,
    "APP_TOO_OLD": _phone_with(sdk_version="0.0.9"),
    "SUITE_REFUSED": _phone_with(suite=Suite.X25519),
    "NO_METHOD": _phone_with(pin=False),
    "ACCOUNT_BLOCKED": _phone_with(),
    "CLIENTS_BLOCKED": _phone_with(),
    "FRAUD_REPORTED": _reported,
}
# What ends by itself, after a quarter of an hour or a day.
_PASSING = {"REGISTRATION_OPEN", "DEVICE_PENDING", "USER_COOLDOWN"}
