"""Registrations, the phone's side: an activation code in, a device out (docs/protocol.md, chapter 6)."""

import hmac
import json
import uuid
from dataclasses import dataclass, field

from django.db import IntegrityError
from django.db.models.functions import Now

from mobileid.models import AuthMethod, Device, Nonce, Operation
from mobileid.models.operations import OPEN
from mobileid.problems import (
    AuthenticationFailed,
    MessageInvalid,
    MethodNotAllowed,
    OperationClosed,
    RegistrationInvalid,
)
from mobileid.protocol import proofs, wire
from mobileid.services import codes, completion, device_authentication, nonces
from mobileid.services.descriptions import state_of
from mobileid.services.device_changes import tell
from mobileid.services.proof_records import record_of
from mobileid.services.registration import repeated
from mobileid.services.wakeups import operation_changed
from reuseid.actors import Actor, ActorKind
from reuseid.errors import WrongState
from reuseid.models import Account, User, move
from reuseid.models.deadlines import IN_TIME
from reuseid.models.sealed import seal_field, unseal_field
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
class KnowledgeKey:
    """The PIN's public key, raw, and the 32 bytes that its commitment was made with; neither is logged."""

    public_key: bytes = field(repr=False)
    r: bytes = field(repr=False)


def start(application, code: str, *, actor) -> tuple[Operation, Nonce]:
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


def _may_register(user, account):
    return user.status == User.Status.ACTIVE and account.status == Account.Status.ACTIVE


def finish(
    exchange, application, operation_id, proof, *, phone: Phone, knowledge: KnowledgeKey | None, post_wanted: bool
):
    """Bind the phone whose keys signed the statement; settles the exchange. Once more with the same keys: same answer.

    Raises RegistrationInvalid, OperationClosed, AuthenticationFailed (a signature), MessageInvalid, MethodNotAllowed
    or VersionUnsupported; DeviceUnusable for a phone that was bound before and ended since. The device is PENDING
    when the integrator wants to confirm.
    """
    before = repeated.find(application, operation_id, proof)
    if before is None:
        try:
            with exchange.claimed():
                body = _bind(application, operation_id, proof, phone, knowledge, post_wanted)
                exchange.settle({"status": 200, "body": body})
            return
        except RegistrationInvalid:
            # Its nonce may have been used this moment, by this phone's own message before.
            before = repeated.find(application, operation_id, proof)
            if before is None:
                raise
    _verify(proof, knowledge)

    def body_of(device, code):
        return _body(before, device, code, post_wanted)

    repeated.answer_again(exchange, application, before, proof.statement, knowledge, body=body_of)


def _bind(application, operation_id, proof, phone, knowledge, post_wanted) -> dict:
    device_authentication.require_version(application, phone.sdk_version)
    _check_methods(application, proof.statement)
    operation = _operation(application, operation_id, proof)
    _verify(proof, knowledge)
    device = _make_device(application, operation, proof.statement, phone, knowledge)
    code = wire.confirmation_code(proof.payload, str(device.pk))
    actor = Actor.device(device)
    if operation.confirmation == Operation.Confirmation.INTEGRATOR:
        _await_confirmation(operation, device, proof, code, actor)
    else:
        _complete(operation, device, proof, actor)
    return _body(operation, device, code, post_wanted)


def _body(operation, device, code, post_wanted) -> dict:
    body = {"deviceId": str(device.pk), "state": str(device.status), "confirmationCode": code}
    if post_wanted and operation.post_context is not None and device.status == Device.Status.ACTIVE:
        body["postOperationContext"] = json.loads(unseal_field(operation, "post_context"))
    return body


def _check_methods(application, statement):
    """The policy names the factors: a PIN where there is DEVICE_PIN, and no key that no method uses."""
    allowed = application.auth_methods
    if (statement["knowledge"] is not None) != (AuthMethod.DEVICE_PIN in allowed):
        raise MethodNotAllowed
    if statement["inherence"] is not None and AuthMethod.DEVICE_BIOMETRIC not in allowed:
        raise MethodNotAllowed
    if statement["inherence"] == statement["possession"]:
        raise MessageInvalid("proof.payload.inherence", "It must be a key of its own.")


def _operation(application, operation_id, proof) -> Operation:
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


def _verify(proof, knowledge):
    """Each key that the statement names has signed it, and the PIN's key is the one committed to."""
    statement = proof.statement
    keys = {
        proofs.POSSESSION: statement["possession"],
        proofs.INHERENCE: statement["inherence"],
    }
    good = [proof.verify(factor, proofs.public_key_from_jwk(jwk)) for factor, jwk in keys.items() if jwk is not None]
    if (knowledge is None) != (statement["knowledge"] is None):
        raise MessageInvalid("knowledge", "It must be the one that the statement commits to.")
    if knowledge is not None:
        check_commitment(knowledge, statement["knowledge"])
        good.append(proof.verify(proofs.KNOWLEDGE, proofs.knowledge_public_key(knowledge.public_key)))
    if not all(good):
        raise AuthenticationFailed


def check_commitment(knowledge: KnowledgeKey, committed: str):
    """Raise MessageInvalid unless the key is an Ed25519 one and the one that the statement commits to."""
    try:
        proofs.knowledge_public_key(knowledge.public_key)
    except ValueError:
        raise MessageInvalid("knowledge.publicKey") from None
    commitment = wire.b64u(wire.commitment(knowledge.public_key, knowledge.r))
    if not hmac.compare_digest(commitment, committed):
        raise MessageInvalid("knowledge", "It must be the one that the statement commits to.")


def _make_device(application, operation, statement, phone, knowledge) -> Device:
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


def _complete(operation, device, proof, actor):
    record = record_of(operation, device, proof, "")
    try:
        completion.end_in_transaction(
            operation, Status.COMPLETED, actor=actor, device=device, ended_at=record.evidence.at
        )
    except WrongState:
        raise OperationClosed(Status.EXPIRED if operation.status in OPEN else operation.status) from None
    record.evidence.save(force_insert=True)
    tell(device, "activated", actor=actor)


def _await_confirmation(operation, device, proof, code, actor):
    seal_field(operation, "confirmation_code", code.encode())
    waiting = Operation.objects.open().filter(pk=operation.pk, device=None)
    if not waiting.update(device=device, confirmation_code=operation.confirmation_code):
        raise RegistrationInvalid
    record_of(operation, device, proof, "").evidence.save(force_insert=True)
    trail.record(device, "device.registered", actor=actor)
    operation_changed(operation)
