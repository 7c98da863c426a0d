"""The one form of an operation and of a device that answers and events show: its type, and what makes it."""

import base64
import json
from typing import Annotated, Any, Literal, NotRequired, Required, TypedDict, cast

from mobileid.models import AuthMethod, Device, Operation
from mobileid.protocol.content import PDF, TEXT_TYPES
from reuseid.actors import Actor, ActorAnswer
from reuseid.models import User
from reuseid.models.sealed import unseal_field
from reuseid.services.people import attributes
from reuseid.shapes import AT, Id, Time
from reuseid.times import rfc3339

# A larger content is shown by its hash and size: whoever started the operation has it.
SHOWN_CONTENT = 16 * 1024
MIME_TYPES = (*sorted(TEXT_TYPES), PDF)
FAILURE_REASONS = (
    # CANCELED
    *("CANCELED", "SUPERSEDED", "USER_LOCKED", "USER_DEACTIVATED", "DEVICE_DEACTIVATED"),
    # REJECTED
    *("USER", "NOT_ME"),
    # FAILED
    *("NUMBER_MISMATCH", "CONFIRMATION_FAILED"),
)
Kind = Annotated[str, Operation.Type, "The kind of operation."]
Method = Annotated[str, AuthMethod]


class StartedAnswer(TypedDict):
    """What every start answers."""

    operationId: Annotated[Id, "The operation's id."]
    type: Kind
    state: Annotated[str, Operation.Status, "PENDING."]
    expiresAt: Annotated[Time, AT]


class RegistrationStarted(StartedAnswer):
    """The activation code is shown here and nowhere else."""

    activationCode: Annotated[str, "XXXX-XXXX-XXXX, single use; the person types it."]
    activationUri: Annotated[str, "The same as an address, for a QR code or a link."]
    qr: NotRequired[Annotated[str, "With `qr: true`: activationUri as an SVG data URI."]]


class OperationStarted(StartedAnswer, total=False):
    """What ties it to your session is shown here and nowhere else."""

    matchingNumber: Annotated[str, "NUMBER: two digits, which your page shows and the person types on the phone."]
    claim: Annotated[str, "QR and SAME_DEVICE: names the operation to the phone."]
    qrSecret: Annotated[str, "QR: 32 bytes in base64url, for a server that draws the frames itself."]
    qrUri: Annotated[str, "QR: the frame of this second."]
    appLink: Annotated[str, "SAME_DEVICE: what your page opens on the phone."]


class PersonPart(TypedDict):
    userId: Annotated[Id, "The user."]
    externalRef: Annotated[str | None, "Your own reference."]
    state: Annotated[str, User.Status, "The user's state."]


class PhonePart(TypedDict):
    deviceId: Annotated[Id, "The device."]
    name: Annotated[str, "Its name."]
    platform: Annotated[str | None, "As the phone reports it."]


class ContentPart(TypedDict):
    """What the phone shows. The content itself only up to 16 KiB: whoever started the operation has it."""

    title: Annotated[str, "One line above the content."]
    mimeType: Annotated[str, MIME_TYPES, "The type of the content."]
    size: Annotated[int, "Of the content, in bytes."]
    hash: Annotated[str, "SHA-256 over title, type and content, in base64url; docs/protocol.md."]
    content: NotRequired[Annotated[str, "The text."]]
    contentBase64: NotRequired[Annotated[str, "The PDF, in base64."]]


class KeyPart(TypedDict):
    """A public key of P-256 (RFC 7517, RFC 7518 section 6.2)."""

    kty: Annotated[Literal["EC"], "EC."]
    crv: Annotated[Literal["P-256"], "P-256."]
    x: Annotated[str, "32 bytes in base64url."]
    y: Annotated[str, "32 bytes in base64url."]


class SentContext(TypedDict):
    """As `ContextBody` took it."""


class SentTransaction(TypedDict):
    """As `TransactionBody` took it."""


class PropertiesPart(TypedDict, total=False):
    """As it was asked for, with defaults filled in; registrations have the last four, the others the rest."""

    authLevel: Annotated[str, Operation.AuthLevel]
    authMethods: list[Method]
    binding: Annotated[str, Operation.Binding]
    returnUrl: str | None
    broadcast: bool
    preOperationContext: Annotated[ContentPart | None, "Not in lists."]
    transaction: Annotated[SentTransaction, "As sent. Not in lists."]
    postOperationContext: Annotated[SentContext | None, "As sent. Not in lists."]
    requestedUserAttributes: Required[list[str]]
    applicationId: Id
    confirmation: Annotated[str, Operation.Confirmation]
    deviceName: str | None


class ResultPart(TypedDict):
    authMethod: Annotated[Method | None, "The method that was used."]
    requestedUserAttributes: Annotated[dict[str, Any], "Name to value, of those that there are; needs attributes:read."]
    signature: NotRequired[Annotated[str, "Signatures: the consent JWT."]]


class EvidencePart(TypedDict):
    """Verifies offline; docs/protocol.md, chapter 9."""

    proof: Annotated[str, "Compact JWS of the device over the statement."]
    deviceJwk: Annotated[KeyPart, "The public key that signed it."]
    deviceThumbprint: Annotated[str, "RFC 7638."]
    authMethod: Annotated[Method | None, "The method that was used; null for a registration."]
    at: Annotated[Time, AT]


class OperationRow(TypedDict):
    """An operation as lists show it."""

    operationId: Annotated[Id, "The operation's id."]
    type: Kind
    state: Annotated[str, Operation.Status, "All but PENDING and IN_PROGRESS are final."]
    failureReason: NotRequired[
        Annotated[
            str,
            FAILURE_REASONS,
            "Why it is CANCELED (CANCELED, SUPERSEDED, USER_LOCKED, USER_DEACTIVATED, DEVICE_DEACTIVATED), "
            "REJECTED (USER, NOT_ME) or FAILED (NUMBER_MISMATCH, CONFIRMATION_FAILED).",
        ]
    ]
    awaitingReturnCode: NotRequired[
        Annotated[bool, "True when the phone has approved and `release` is due (SAME_DEVICE)."]
    ]
    created: Annotated[Time, AT]
    completed: Annotated[Time | None, "When it ended, however it did."]
    expiresAt: Annotated[Time, AT]
    clientReference: Annotated[str | None, "Your own reference."]
    user: Annotated[PersonPart | None, "Null until a phone claims an operation started for nobody."]
    device: Annotated[PhonePart | None, "The phone that answered, or was asked."]
    operationProperties: Annotated[PropertiesPart, "What was asked."]
    result: Annotated[ResultPart | None, "Of a completed operation. Null in lists."]


class OperationAnswer(OperationRow, total=False):
    """The status of an operation; also the `data` of its events."""

    evidence: Annotated[EvidencePart, "Of a completed operation."]


def state_of(operation: Operation) -> str:
    """Its state by the database's clock: `OperationQuerySet.as_read` notes what is overdue and not yet swept."""
    return str(Operation.Status.EXPIRED) if getattr(operation, "is_overdue", False) else operation.status


def awaits_return_code(operation: Operation) -> bool:
    """Whether the phone has approved and the integrator has yet to bring the phone's return code."""
    return state_of(operation) == Operation.Status.IN_PROGRESS and bool(operation.return_hash)


def describe_start(operation: Operation) -> StartedAnswer:
    """What a start answers, beside what only that answer shows."""
    return {
        "operationId": str(operation.pk),
        "type": operation.type,
        "state": str(operation.status),
        "expiresAt": rfc3339(operation.expires_at),
    }


def describe_operation(operation: Operation) -> OperationAnswer:
    """The whole status answer. An operation from `as_read` costs one query, for attributes, and only if completed."""
    answer = cast(OperationAnswer, summarise_operation(operation))
    _add_contexts(answer["operationProperties"], operation)
    if operation.status == Operation.Status.COMPLETED:
        answer["result"] = _result(operation)
        if hasattr(operation, "evidence"):
            answer["evidence"] = _evidence(operation)
    return answer


def summarise_operation(operation: Operation) -> OperationRow:
    """The row of a list: as above without contexts, result and evidence."""
    state = state_of(operation)
    answer: OperationRow = {
        "operationId": str(operation.pk),
        "type": operation.type,
        "state": str(state),
        "created": rfc3339(operation.created_at),
        "completed": rfc3339(operation.expires_at if state == "EXPIRED" else operation.ended_at),
        "expiresAt": rfc3339(operation.expires_at),
        "clientReference": operation.client_reference or None,
        "user": _person(operation.user),
        "device": _phone(operation.device or operation.target_device),
        "operationProperties": _properties(operation),
        "result": None,
    }
    if operation.failure_reason:
        answer["failureReason"] = operation.failure_reason
    if awaits_return_code(operation):
        answer["awaitingReturnCode"] = True
    return answer


def _person(user: User | None) -> PersonPart | None:
    return (
        None if user is None else {"userId": str(user.pk), "externalRef": user.external_ref, "state": str(user.status)}
    )


def _phone(device: Device | None) -> PhonePart | None:
    return (
        None
        if device is None
        else {"deviceId": str(device.pk), "name": device.name, "platform": device.platform or None}
    )


def _properties(operation: Operation) -> PropertiesPart:
    if operation.type == Operation.Type.REGISTRATION:
        return {
            "applicationId": str(operation.application_id),
            "confirmation": operation.confirmation,
            "deviceName": operation.device_name or None,
            "requestedUserAttributes": operation.requested_attributes,
        }
    return {
        "authLevel": operation.auth_level,
        "authMethods": operation.auth_methods,
        "binding": operation.binding,
        "returnUrl": operation.return_url or None,
        "broadcast": operation.broadcast,
        "requestedUserAttributes": operation.requested_attributes,
    }


def _add_contexts(properties: PropertiesPart, operation: Operation) -> None:
    properties["postOperationContext"] = unseal_json(operation, "post_context")
    if operation.type == Operation.Type.REGISTRATION:
        return
    properties["preOperationContext"] = _content(operation)
    if operation.transaction is not None:
        properties["transaction"] = unseal_json(operation, "transaction")


def _content(operation: Operation) -> ContentPart | None:
    data = unseal_field(operation, "content")
    if data is None:
        return None
    shown: ContentPart = {
        "title": (unseal_field(operation, "title") or b"").decode(),
        "mimeType": operation.mime_type,
        "size": len(data),
        "hash": operation.content_hash,
    }
    if len(data) > SHOWN_CONTENT:
        return shown
    if operation.mime_type == PDF:
        shown["contentBase64"] = base64.b64encode(data).decode()
    else:
        shown["content"] = data.decode()
    return shown


def unseal_json(operation: Operation, name: str) -> Any:
    """The value of a sealed JSON column; None when it is empty."""
    sealed = unseal_field(operation, name)
    return None if sealed is None else json.loads(sealed)


def _result(operation: Operation) -> ResultPart:
    names = operation.requested_attributes
    result: ResultPart = {
        "authMethod": operation.auth_method or None,
        "requestedUserAttributes": attributes.requested(operation.user, names, operation.client) if names else {},
    }
    if (signature := unseal_field(operation, "signature")) is not None:
        result["signature"] = signature.decode()
    return result


def _evidence(operation: Operation) -> EvidencePart:
    evidence = operation.evidence
    return {
        "proof": evidence.proof,
        "deviceJwk": evidence.device_jwk,
        "deviceThumbprint": evidence.device_thumbprint,
        "authMethod": evidence.auth_method or None,
        "at": rfc3339(evidence.at),
    }


class DeviceAnswer(TypedDict):
    """A phone bound to a person."""

    deviceId: Annotated[Id, "The device's id."]
    userId: Annotated[Id, "Whose it is."]
    applicationId: Annotated[Id, "The app that it runs."]
    state: Annotated[str, Device.Status, "DEACTIVATED is final."]
    lockReason: Annotated[str | None, "While LOCKED: the reason's code."]
    lockedUntil: Annotated[Time | None, "While LOCKED: when the lock ends, if it does."]
    name: Annotated[str, "The name that its person gave it."]
    platform: Annotated[str | None, "As the phone reports it, like the next four."]
    osVersion: str | None
    model: str | None
    sdkVersion: str | None
    appVersion: str | None
    authMethods: Annotated[list[Method], "What it has keys for and its application allows."]
    keyVersion: Annotated[int, "Raised by every change of the PIN."]
    keyThumbprint: Annotated[str, "RFC 7638, of the possession key."]
    failedAttempts: Annotated[int, "Since the last good one."]
    lastUsed: Annotated[Time | None, AT]
    created: Annotated[Time, AT]


class DeviceEventData(DeviceAnswer):
    """`data` of a device's event: the device, who changed it and why."""

    actor: ActorAnswer
    reason: Annotated[str | None, "The reason's code, where a person decided."]


def describe_device(device: Device) -> DeviceAnswer:
    """A phone as integrators see it; from `DeviceQuerySet.as_read` a lapsed lock is over before it is swept."""
    over = getattr(device, "is_lock_over", False)
    locked = device.status == Device.Status.LOCKED and not over
    return {
        "deviceId": str(device.pk),
        "userId": str(device.user_id),
        "applicationId": str(device.application_id),
        "state": str(Device.Status.ACTIVE if over else device.status),
        "lockReason": (device.lock_reason or None) if locked else None,
        "lockedUntil": rfc3339(device.locked_until) if locked else None,
        "name": device.name,
        "platform": device.platform or None,
        "osVersion": device.os_version or None,
        "model": device.model or None,
        "sdkVersion": device.sdk_version or None,
        "appVersion": device.app_version or None,
        "authMethods": methods_of(device),
        "keyVersion": device.key_version,
        "keyThumbprint": device.possession_thumbprint,
        "failedAttempts": device.failed_attempts,
        "lastUsed": rfc3339(device.last_used_at),
        "created": rfc3339(device.created_at),
    }


def describe_device_event(device: Device, *, actor: Actor, reason: str) -> DeviceEventData:
    """What an event tells of a phone."""
    return {**describe_device(device), "actor": actor.as_json(), "reason": reason or None}


def methods_of(device: Device) -> list[str]:
    """The methods that the phone has keys for and its application allows."""
    keys = {
        "DEVICE": True,
        "DEVICE_PIN": device.knowledge_key is not None,
        "DEVICE_BIOMETRIC": device.inherence_jwk is not None,
    }
    return [method for method in device.application.auth_methods if keys[method]]
