"""The one form of an operation and of a device that answers and events show (docs/api.md)."""

import base64
import json
from typing import Any

from mobileid.models import Device, Operation
from mobileid.protocol.content import PDF
from reuseid.models.sealed import unseal_field
from reuseid.services.people import attributes
from reuseid.times import rfc3339

# A larger content is shown by its hash and size: whoever started the operation has it.
SHOWN_CONTENT = 16 * 1024


def state_of(operation: Operation) -> str:
    """Its state by the database's clock: `OperationQuerySet.as_read` notes what is overdue and not yet swept."""
    return Operation.Status.EXPIRED if getattr(operation, "is_overdue", False) else operation.status


def awaits_return_code(operation: Operation) -> bool:
    """Whether the phone has approved and the integrator has yet to bring the phone's return code."""
    return state_of(operation) == Operation.Status.IN_PROGRESS and bool(operation.return_hash)


def describe_operation(operation: Operation) -> dict:
    """The whole status answer. An operation from `as_read` costs one query, for attributes, and only if completed."""
    answer = summarise_operation(operation)
    answer["operationProperties"] |= _contexts(operation)
    if operation.status == Operation.Status.COMPLETED:
        answer["result"] = _result(operation)
        if hasattr(operation, "evidence"):
            answer["evidence"] = _evidence(operation)
    return answer


def summarise_operation(operation: Operation) -> dict:
    """The row of a list: as above without contexts, result and evidence."""
    state = state_of(operation)
    answer = {
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


def _person(user):
    return user and {"userId": str(user.pk), "externalRef": user.external_ref, "state": str(user.status)}


def _phone(device):
    return device and {"deviceId": str(device.pk), "name": device.name, "platform": device.platform or None}


def _properties(operation):
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


def _contexts(operation):
    shown = {"postOperationContext": unseal_json(operation, "post_context")}
    if operation.type == Operation.Type.REGISTRATION:
        return shown
    shown["preOperationContext"] = _content(operation)
    if operation.transaction is not None:
        shown["transaction"] = unseal_json(operation, "transaction")
    return shown


def _content(operation):
    if operation.content is None:
        return None
    data = unseal_field(operation, "content")
    title = unseal_field(operation, "title").decode()
    shown = {"title": title, "mimeType": operation.mime_type, "size": len(data), "hash": operation.content_hash}
    if len(data) > SHOWN_CONTENT:
        return shown
    if operation.mime_type == PDF:
        return shown | {"contentBase64": base64.b64encode(data).decode()}
    return shown | {"content": data.decode()}


def unseal_json(operation: Operation, name: str) -> Any:
    """The value of a sealed JSON column; None when it is empty."""
    sealed = unseal_field(operation, name)
    return None if sealed is None else json.loads(sealed)


def _result(operation):
    names = operation.requested_attributes
    result = {
        "authMethod": operation.auth_method or None,
        "requestedUserAttributes": attributes.requested(operation.user, names, operation.client) if names else {},
    }
    if operation.signature is not None:
        result["signature"] = unseal_field(operation, "signature").decode()
    return result


def _evidence(operation):
    evidence = operation.evidence
    return {
        "proof": evidence.proof,
        "deviceJwk": evidence.device_jwk,
        "deviceThumbprint": evidence.device_thumbprint,
        "authMethod": evidence.auth_method or None,
        "at": rfc3339(evidence.at),
    }


def describe_device(device: Device) -> dict:
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


def methods_of(device: Device) -> list[str]:
    """The methods that the phone has keys for and its application allows."""
    keys = {
        "DEVICE": True,
        "DEVICE_PIN": device.knowledge_key is not None,
        "DEVICE_BIOMETRIC": device.inherence_jwk is not None,
    }
    return [method for method in device.application.auth_methods if keys[method]]
