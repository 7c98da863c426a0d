"""The messages of phones: each reads its body and statement, calls services in order and says what they gave.

docs/protocol.md, chapters 6 and 7. A message that changes something is claimed in the transaction of its first effect
and settled in that of its last. Where a factor is looked at these are two, and the attempt is reserved in the first:
claim, prepare, reserve | verify | apply or refuse, settle (docs/decisions/0031-the-order-is-in-the-door.md).
"""

import json
from collections.abc import Callable
from functools import wraps

from mobileid.device_api import bodies
from mobileid.device_api.message import Answer, Body, Message, success
from mobileid.models import Device, Nonce, Operation
from mobileid.problems import AuthenticationFailed, MessageInvalid, RegistrationInvalid
from mobileid.protocol import proofs, wire
from mobileid.services import (
    applications,
    decisions,
    device_authentication,
    device_settings,
    factors,
    operation_links,
)
from mobileid.services.descriptions import methods_of
from mobileid.services.registration import by_phone
from reuseid.actors import Actor
from reuseid.limits import Limit
from reuseid.models.sealed import unseal_field
from reuseid.times import rfc3339

CODE_QUOTA, CODE_WINDOW = 100, 600
"""Activation codes tried from one address in so many seconds."""
Handler = Callable[[Message], Answer]
PlainHandler = Callable[[Message, Device], Body]


def asks(handler: PlainHandler) -> Handler:
    """A plain message that changes nothing: ``handler(message, device)`` gives the answer's body."""

    @wraps(handler)
    def answered(message: Message) -> Answer:
        return success(handler(message, message.speaker()))

    return answered


def changes(handler: PlainHandler) -> Handler:
    """A plain message that takes effect once: ``handler(message, device)`` runs in its one transaction."""

    @wraps(handler)
    def answered(message: Message) -> Answer:
        device = message.speaker()
        with message.claimed():
            return message.settle(handler(message, device))

    return answered


# --- registration ----------------------------------------------------------------------------------------------------


def registration_start(message: Message) -> Answer:
    """Trade an activation code for an offer; the one message without a proof."""
    message.count_start(Limit("activation", message.address, CODE_QUOTA, CODE_WINDOW))
    code = message.body(activationCode=bodies.typed(64))["activationCode"]
    application = message.application
    with message.claimed():
        operation, nonce = by_phone.start(application, code, actor=by_phone.SOME_PHONE)
        body = {
            "operationId": str(operation.pk),
            "nonce": nonce.value,
            "account": applications.shown_account(application),
            "pin": {
                "minLength": application.pin_min_length,
                "maxLength": application.pin_max_length,
                "type": application.pin_type,
            },
            "authMethods": application.auth_methods,
            "expiresAt": rfc3339(operation.expires_at),
        }
        return message.settle(body)


_KNOWLEDGE = bodies.record({"publicKey": bodies.octets(32), "r": bodies.octets(32)})


def registration_finish(message: Message) -> Answer:
    """Bind the phone; once more with the same keys, the same answer (chapter 6, "Finished again")."""
    body = message.body(
        operationId=bodies.identifier,
        name=bodies.text(64),
        platform=bodies.text(32),
        osVersion=bodies.text(32, least=0),
        model=bodies.text(64, least=0),
        sdkVersion=bodies.text(32),
        appVersion=bodies.text(32, least=0),
        knowledge=bodies.nullable(_KNOWLEDGE),
        postWanted=bodies.optional(bodies.boolean, False),
    )
    operation_id, post_wanted, knowledge = body["operationId"], body["postWanted"], _knowledge(body["knowledge"])
    proof = message.states("registration", operationId=operation_id)
    bound = by_phone.find_bound(message.application, operation_id, proof)
    if bound is None:
        try:
            with message.claimed():
                registered = by_phone.bind(
                    message.application, operation_id, proof, phone=_phone(message, body), knowledge=knowledge
                )
                message.belongs_to(registered.device)
                return message.settle(_registered(registered, post_wanted))
        except RegistrationInvalid:
            # Its nonce may have been used this moment, by this phone's own message before.
            bound = by_phone.find_bound(message.application, operation_id, proof)
            if bound is None:
                raise
    by_phone.verify(proof, knowledge)
    message.count(bound.device)
    with message.claimed():
        again = by_phone.finish_again(bound, proof.statement, knowledge)
        if again is None:
            return message.refuse(RegistrationInvalid())
        return message.settle(_registered(again, post_wanted))


def _phone(message: Message, body: Body) -> by_phone.Phone:
    return by_phone.Phone(
        name=body["name"],
        platform=body["platform"],
        os_version=body["osVersion"],
        model=body["model"],
        sdk_version=body["sdkVersion"],
        app_version=body["appVersion"],
        suite=message.request.suite,
    )


def _knowledge(record: dict[str, bytes] | None) -> factors.KnowledgeKey | None:
    return factors.KnowledgeKey(record["publicKey"], record["r"]) if record else None


def _registered(registered: by_phone.Registered, post_wanted: bool) -> Body:
    device = registered.device
    body = {
        "deviceId": str(device.pk),
        "state": str(device.status),
        "confirmationCode": registered.confirmation_code,
    }
    if post_wanted and device.status == Device.Status.ACTIVE:
        body |= _post_context(registered.operation)
    return body


def _post_context(operation: Operation) -> Body:
    """What the integrator left for the app to have afterwards, where there is any."""
    kept = unseal_field(operation, "post_context")
    return {} if kept is None else {"postOperationContext": json.loads(kept)}


# --- operations ------------------------------------------------------------------------------------------------------


@asks
def operations_pending(message: Message, device: Device) -> Body:
    """What waits for this phone."""
    message.body()
    device_authentication.require_usable(device)
    return {"operations": [_listed(operation) for operation in decisions.pending(device)]}


def _listed(operation: Operation) -> Body:
    return {
        "operationId": str(operation.pk),
        "type": operation.type,
        "title": _opened(operation, "title").decode(),
        "createdAt": rfc3339(operation.created_at),
        "expiresAt": rfc3339(operation.expires_at),
    }


def _opened(operation: Operation, column: str) -> bytes:
    return unseal_field(operation, column) or b""


def operations_start(message: Message) -> Answer:
    """Show one operation, by its id or by what the phone scanned."""
    device = message.speaker()
    body = message.body(
        operationId=bodies.optional(bodies.identifier),
        claim=bodies.optional(bodies.text(128)),
        t=bodies.optional(bodies.integer),
        m=bodies.optional(bodies.octets(16)),
    )
    operation_id, claim = body["operationId"], body["claim"]
    if (operation_id is None) == (claim is None):
        raise MessageInvalid("operationId", "or else claim, one of them")
    if operation_id is not None:
        with message.claimed_for(device, operation_id) as operation:
            device_authentication.require_usable(device)
            return message.settle(_started(device, operation))
    with message.claimed():
        device_authentication.require_usable(device)
        frame = operation_links.Frame(claim, body["t"], body["m"])
        return message.settle(_started(device, operation_links.take(device, frame, actor=Actor.device(device))))


def _started(device: Device, found: Operation | None) -> Body:
    operation, nonce = decisions.start(device, found, actor=Actor.device(device))
    shown = {
        "operationId": str(operation.pk),
        "type": operation.type,
        "nonce": nonce.value,
        "content": {
            "title": _opened(operation, "title").decode(),
            "mimeType": operation.mime_type,
            "data": wire.b64u(_opened(operation, "content")),
        },
        "authMethods": decisions.allowed_methods(operation, device),
        "binding": operation.binding,
        "expiresAt": rfc3339(operation.expires_at),
    }
    if operation.binding == operation.Binding.NUMBER:
        shown["numberLength"] = len(_opened(operation, "binding_secret"))
    if operation.binding == operation.Binding.SAME_DEVICE:
        shown["returnUrl"] = operation.return_url
    return shown


def operations_finish(message: Message) -> Answer:
    """Approve or reject: the steps of docs/protocol.md, chapter 7."""
    operation_id = message.body(operationId=bodies.identifier)["operationId"]
    typ = "signature" if message.proof.statement.get("typ") == "signature" else "authentication"
    proof = message.states(typ, operationId=operation_id)  # 1
    device = message.device(proof)  # 2, 3
    statement, actor = proof.statement, Actor.device(device)
    factor = proofs.METHOD_FACTOR[statement["authMethod"]]
    with message.claimed_for(device, operation_id) as found:
        operation = decisions.prepare(device, found, statement)  # 4
        approves = statement["decision"] == "approve"
        matches = approves and decisions.number_matches(operation, statement)
        # 4 and 7, committed before anything is looked at
        reserved = decisions.spend(operation, device, statement, attempt=matches and factor is not None)
        if not approves:  # 5
            decisions.reject(operation, device, statement.get("reason", "USER"), actor=actor)
            return message.settle(_decided(operation, "REJECTED"))
        if not matches:  # 6
            decisions.fail_number(operation, device, actor=actor)
            return message.settle(_decided(operation, "FAILED"))
        if factor is None:
            settled = message.settlement(_decided(operation, "COMPLETED"))
            decisions.approve(operation, device, proof, actor=actor, key=factors.Key.NEWEST, settled=settled)
            return message.answer
    key = factors.verify(device, proof, factor) if reserved else None  # 8
    with message.verdict():
        if key is None:
            factors.refuse(device)
            return message.refuse(AuthenticationFailed())
        settled = message.settlement(_decided(operation, "COMPLETED"))
        decisions.approve(operation, device, proof, actor=actor, key=key, settled=settled)  # 9
    return message.answer


def _decided(operation: Operation, state: str) -> Body:
    """``state`` is the phone's word: it is COMPLETED too where the integrator has yet to bring the return code."""
    return {"state": state} | (_post_context(operation) if state == "COMPLETED" else {})


# --- the device itself -----------------------------------------------------------------------------------------------


@changes
def challenge(message: Message, device: Device) -> Body:
    """A nonce for a change of factors."""
    purposes = (Nonce.Purpose.PIN_CHANGE.value, Nonce.Purpose.BIOMETRIC_ENABLE.value)
    purpose = message.body(purpose=bodies.one_of(*purposes))["purpose"]
    device_authentication.require_usable(device)
    nonce = device_settings.challenge(device, purpose)
    return {"nonce": nonce.value, "keyVersion": device.key_version, "expiresAt": rfc3339(nonce.expires_at)}


def pin_change(message: Message) -> Answer:
    """Replace the PIN; the old one is judged and counted as in an approval."""
    record = message.body(knowledge=_KNOWLEDGE)["knowledge"]
    new = factors.KnowledgeKey(record["publicKey"], record["r"])
    proof = message.states("pin-change")
    device = message.device(proof)
    version = proof.statement["keyVersion"]
    with message.claimed():
        device_settings.prepare_pin_change(device, proof.statement, new)
        reserved = factors.reserve(device)
    key = factors.verify(device, proof, proofs.KNOWLEDGE) if reserved else None
    with message.verdict():
        if key is None:
            factors.refuse(device)
            return message.refuse(AuthenticationFailed())
        factors.credit(device, proofs.KNOWLEDGE, key)
        device_settings.change_pin(device, version, new, signed_by=key, actor=Actor.device(device))
        message.settle({"keyVersion": version})
    return message.answer


def biometric_enable(message: Message) -> Answer:
    """Add the key that biometry releases; the PIN is judged and counted as in an approval."""
    message.body()
    proof = message.states("biometric-enable")
    device = message.device(proof)
    with message.claimed():
        device_settings.prepare_biometric(device, proof)
        reserved = factors.reserve(device)
    key = factors.verify(device, proof, proofs.KNOWLEDGE) if reserved else None
    with message.verdict():
        if key is None:
            factors.refuse(device)
            return message.refuse(AuthenticationFailed())
        factors.credit(device, proofs.KNOWLEDGE, key)
        jwk, actor = proof.statement["inherence"], Actor.device(device)
        thumbprint = device_settings.enable_biometric(device, jwk, actor=actor)
        message.settle({"authMethods": methods_of(device), "inherenceThumbprint": thumbprint})
    return message.answer


@changes
def biometric_disable(message: Message, device: Device) -> Body:
    """Take the key that biometry releases away."""
    message.body()
    device_authentication.require_usable(device)
    return {"authMethods": device_settings.disable_biometric(device, actor=Actor.device(device))}


@changes
def rename(message: Message, device: Device) -> Body:
    """Give the phone another name."""
    name = message.body(name=bodies.text(64))["name"]
    device_authentication.require_usable(device)
    device_settings.rename(device, name, actor=Actor.device(device))
    return {}


@changes
def push_token(message: Message, device: Device) -> Body:
    """Say where pushes go."""
    body = message.body(provider=bodies.text(16), token=bodies.text(device_settings.PUSH_TOKEN_LIMIT, least=0))
    device_authentication.require_usable(device)
    device_settings.set_push_address(device, **body, actor=Actor.device(device))
    return {}


@changes
def deactivate(message: Message, device: Device) -> Body:
    """End the device, in whatever state it is."""
    message.body()
    device_settings.deactivate(device, actor=Actor.device(device))
    return {}


@asks
def status(message: Message, device: Device) -> Body:
    """What the service knows of this phone, in whatever state; the one place that tells how many tries are left.

    The phone may say its versions here: an updated app is known from then on.
    """
    version = bodies.optional(bodies.text(32))
    body = message.body(osVersion=version, appVersion=version, sdkVersion=version)
    device_authentication.refresh(
        device, os_version=body["osVersion"], app_version=body["appVersion"], sdk_version=body["sdkVersion"]
    )
    answer = {
        "state": str(device.status),
        "attemptsLeft": factors.attempts_left(device),
        "keyVersion": device.key_version,
        "authMethods": methods_of(device) if device.status != Device.Status.DEACTIVATED else [],
        "name": device.name,
    }
    if device.inherence_jwk is not None:
        answer["inherenceThumbprint"] = proofs.thumbprint(device.inherence_jwk)
    if device.status == device.Status.LOCKED and device.locked_until:
        answer["lockedUntil"] = rfc3339(device.locked_until)
    return answer


MESSAGES: dict[str, Handler] = {
    "registration/start": registration_start,
    "registration/finish": registration_finish,
    "operations/pending": operations_pending,
    "operations/start": operations_start,
    "operations/finish": operations_finish,
    "challenge": challenge,
    "pin/change": pin_change,
    "biometric/enable": biometric_enable,
    "biometric/disable": biometric_disable,
    "rename": rename,
    "push-token": push_token,
    "deactivate": deactivate,
    "status": status,
}
