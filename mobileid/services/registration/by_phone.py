"""Registrations, the phone's side: an activation code in, a device out (docs/protocol.md, chapter 6).

Each function writes in the caller's transaction. A phone whose answer was lost has its keys and does not know its name:
it is told as long as its code lives, and nobody else is (`find_bound`, `finish_again`).
"""

import hmac
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError
from django.db.models import F
from django.db.models.functions import Greatest, Now

from mobileid.models import Application, AuthMethod, Device, Nonce, Operation
from mobileid.models.operations import OPEN
from mobileid.problems import (
    AuthenticationFailed,
    MessageInvalid,
    MethodNotAllowed,
    OperationClosed,
    RegistrationInvalid,
)
from mobileid.protocol import proofs, wire
from mobileid.services import codes, completion, device_authentication, factors, nonces
from mobileid.services.descriptions import state_of
from mobileid.services.device_changes import tell
from mobileid.services.proof_records import record_of
from mobileid.services.wakeups import operation_changed
from reuseid.actors import Actor, ActorKind
from reuseid.errors import WrongState
from reuseid.models import Account, User, move
from reuseid.models.deadlines import IN_TIME
from reuseid.models.sealed import seal_field
from reuseid.services.audit import trail

Status = Operation.Status
SOME_PHONE = Actor(ActorKind.DEVICE, "unregistered")
"""Whoever holds an activation code."""


@dataclass(frozen=True, slots=True)
class Phone:
    """What the phone says of itself, within the columns' lengths, and the suite that it spoke in."""

    name: str
    platform: str
    os_version: str
    model: str
    sdk_version: str
    app_version: str
    suite: int


@dataclass(frozen=True, slots=True)
class Registered:
    """A registration, its phone and the 6 digits that both sides compute (chapter 6, ``confirmationCode``)."""

    operation: Operation
    device: Device
    confirmation_code: str


def start(application: Application, code: str, *, actor: Actor) -> tuple[Operation, Nonce]:
    """Trade an activation code, once, for a nonce. Wrong, expired, used and unknown are one RegistrationInvalid."""
    try:
        indexes = codes.activation_indexes(code)
    except wire.WireError:
        raise RegistrationInvalid from None
    operation = (
        Operation.objects.of(application.account)
        .select_related("user", "account")
        .filter(type=Operation.Type.REGISTRATION, application=application, code_index__in=indexes)
        .first()
    )
    if operation is None or not _may_register(operation.user, application.account):
        raise RegistrationInvalid
    try:
        # From PENDING only: the second use of a code finds it IN_PROGRESS.
        move(operation, Status.IN_PROGRESS, guard=IN_TIME, started_at=Now())
    except WrongState:
        raise RegistrationInvalid from None
    trail.record(operation, "operation.opened", actor=actor)
    operation_changed(operation)
    return operation, nonces.for_operation(operation, None)


def _may_register(user: User, account: Account) -> bool:
    return user.status == User.Status.ACTIVE and account.status == Account.Status.ACTIVE


def bind(
    application: Application,
    operation_id: uuid.UUID,
    proof: proofs.Proof,
    *,
    phone: Phone,
    knowledge: factors.KnowledgeKey | None,
) -> Registered:
    """Bind the phone whose keys signed the statement; PENDING when the integrator wants to confirm.

    Raises RegistrationInvalid, OperationClosed, AuthenticationFailed (a signature), MessageInvalid, MethodNotAllowed
    or VersionUnsupported: the caller's transaction must end with them, the nonce's use too.
    """
    device_authentication.require_version(application, phone.sdk_version)
    _check_methods(application, proof.statement)
    operation = _operation(application, operation_id, proof)
    verify(proof, knowledge)
    device = _make_device(application, operation, proof.statement, phone, knowledge)
    code = wire.confirmation_code(proof.payload, str(device.pk))
    actor = Actor.device(device)
    if operation.confirmation == Operation.Confirmation.INTEGRATOR:
        _await_confirmation(operation, device, proof, code, actor)
    else:
        _complete(operation, device, proof, actor)
    return Registered(operation, device, code)


def _check_methods(application: Application, statement: Mapping[str, Any]) -> None:
    """The policy names the factors: a PIN where there is DEVICE_PIN, and no key that no method uses."""
    allowed = application.auth_methods
    if (statement["knowledge"] is not None) != (AuthMethod.DEVICE_PIN in allowed):
        raise MethodNotAllowed
    if statement["inherence"] is not None and AuthMethod.DEVICE_BIOMETRIC not in allowed:
        raise MethodNotAllowed
    if statement["inherence"] == statement["possession"]:
        raise MessageInvalid("proof.payload.inherence", "It must be a key of its own.")


def _operation(application: Application, operation_id: uuid.UUID, proof: proofs.Proof) -> Operation:
    operation = (
        Operation.objects.of(application.account)
        .as_read()
        .filter(pk=operation_id, type=Operation.Type.REGISTRATION, application=application)
        .first()
    )
    nonce = proof.statement["nonce"]
    if operation is None or not nonces.consume(nonce, Nonce.Purpose.REGISTRATION, operation=operation):
        raise RegistrationInvalid
    if state_of(operation) not in OPEN:
        raise OperationClosed(state_of(operation))
    if not _may_register(operation.user, application.account):
        raise RegistrationInvalid
    return operation


def verify(proof: proofs.Proof, knowledge: factors.KnowledgeKey | None) -> None:
    """Each key that the statement names has signed it, and the PIN's key is the one committed to.

    Raises AuthenticationFailed or MessageInvalid; counts nothing.
    """
    statement = proof.statement
    keys = {
        proofs.POSSESSION: statement["possession"],
        proofs.INHERENCE: statement["inherence"],
    }
    good = [proof.verify(factor, proofs.public_key_from_jwk(jwk)) for factor, jwk in keys.items() if jwk is not None]
    if (knowledge is None) != (statement["knowledge"] is None):
        raise MessageInvalid("knowledge", "It must be the one that the statement commits to.")
    if knowledge is not None:
        factors.check_commitment(knowledge, statement["knowledge"])
        good.append(proof.verify(proofs.KNOWLEDGE, proofs.knowledge_public_key(knowledge.public_key)))
    if not all(good):
        raise AuthenticationFailed


def _make_device(
    application: Application,
    operation: Operation,
    statement: Mapping[str, Any],
    phone: Phone,
    knowledge: factors.KnowledgeKey | None,
) -> Device:
    confirmed = operation.confirmation != Operation.Confirmation.INTEGRATOR
    device = Device(
        id=uuid.uuid4(),
        account=application.account,
        application=application,
        user=operation.user,
        status=Device.Status.ACTIVE if confirmed else Device.Status.PENDING,
        name=operation.device_name or phone.name,
        platform=phone.platform,
        os_version=phone.os_version,
        model=phone.model,
        sdk_version=phone.sdk_version,
        app_version=phone.app_version,
        suite=phone.suite,
        possession_jwk=statement["possession"],
        possession_thumbprint=proofs.thumbprint(statement["possession"]),
        inherence_jwk=statement["inherence"],
    )
    if knowledge is not None:
        seal_field(device, "knowledge_key", knowledge.public_key)
    try:
        device.save(force_insert=True)
    except IntegrityError:
        # The transaction is lost, as it must be.
        raise MessageInvalid("proof.payload.possession", "The key is registered already.") from None
    device.refresh_from_db(fields=["created_at"])
    return device


def _complete(operation: Operation, device: Device, proof: proofs.Proof, actor: Actor) -> None:
    record = record_of(operation, device, proof, "")
    try:
        completion.end_in_transaction(
            operation, Status.COMPLETED, actor=actor, device=device, ended_at=record.evidence.at
        )
    except WrongState:
        raise OperationClosed(Status.EXPIRED if operation.status in OPEN else operation.status) from None
    record.evidence.save(force_insert=True)
    tell(device, "activated", actor=actor)


def _await_confirmation(operation: Operation, device: Device, proof: proofs.Proof, code: str, actor: Actor) -> None:
    seal_field(operation, "confirmation_code", code.encode())
    waiting = Operation.objects.open().filter(pk=operation.pk, device=None)
    if not waiting.update(device=device, confirmation_code=operation.confirmation_code):
        raise RegistrationInvalid
    record_of(operation, device, proof, "").evidence.save(force_insert=True)
    trail.record(device, "device.registered", actor=actor)
    operation_changed(operation)


def find_bound(application: Application, operation_id: uuid.UUID, proof: proofs.Proof) -> Operation | None:
    """The registration that bound the phone of this statement's possession key by its nonce, while its code lives.

    Its `device` is the phone. No signature is verified yet.
    """
    operation = (
        Operation.objects.of(application.account)
        .as_read()
        .select_related("device__user")
        .filter(
            pk=operation_id,
            type=Operation.Type.REGISTRATION,
            application=application,
            expires_at__gt=Now(),
            device__possession_thumbprint=proofs.thumbprint(proof.statement["possession"]),
            nonces__value=proof.statement["nonce"],
        )
        .first()
    )
    if operation is not None:
        operation.device.account, operation.device.application = application.account, application
    return operation


def finish_again(
    operation: Operation, statement: Mapping[str, Any], knowledge: factors.KnowledgeKey | None
) -> Registered | None:
    """What the first finish gave, when the keys are the first one's; None for others, which counts as a wrong PIN.

    All signatures are verified before. Who holds the phone could try PINs here: each look at the PIN's key is counted,
    as in an approval; a good one only gives its attempt back. Count and look may share a transaction, since nobody
    hears the outcome before both are committed; copies take turns at the phone's row, so that five of them under way
    do not refuse a sixth. Raises OperationClosed or DeviceUnusable for what has ended since.
    """
    device = operation.device
    if operation.status != Status.COMPLETED and operation.status not in OPEN:
        raise OperationClosed(state_of(operation))
    if device.status != Device.Status.PENDING:
        device_authentication.require_usable(device)
    usable = Device.objects.filter(pk=device.pk, status__in=[Device.Status.PENDING, Device.Status.ACTIVE])
    left = usable.filter(failed_attempts__lt=factors.MAX_FAILURES)
    reserved = left.update(failed_attempts=F("failed_attempts") + 1)
    if not reserved or not _has_keys(device, statement, knowledge):
        factors.refuse(device)
        return None
    usable.update(failed_attempts=Greatest(F("failed_attempts") - 1, 0))
    # The confirmation code is that of the statement which bound the phone, not of the one that asks again.
    bound_by = wire.unb64u(operation.evidence.proof.split(".")[1])
    return Registered(operation, device, wire.confirmation_code(bound_by, str(device.pk)))


def _has_keys(device: Device, statement: Mapping[str, Any], knowledge: factors.KnowledgeKey | None) -> bool:
    """Whether they are the phone's besides the possession key, by which it was found."""
    known, sent = factors.knowledge_key(device, "knowledge_key"), knowledge and knowledge.public_key
    same_pin = hmac.compare_digest(known or b"", sent or b"")
    return same_pin and device.inherence_jwk == statement["inherence"]
