"""What a person decides on the phone: see an operation, approve or reject it (docs/protocol.md, chapters 6 and 7).

``statement`` is that of an `operations/finish`, checked and signed by the device's possession key. Each function writes
in the caller's transaction; in which order they are called is the door's business (`mobileid.device_api.messages`).
"""

import hmac
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db.models.functions import Now

from mobileid.models import Device, Nonce, Operation
from mobileid.models.operations import OPEN
from mobileid.problems import (
    AuthenticationFailed,
    MessageInvalid,
    MethodNotAllowed,
    OperationClosed,
    OperationUnknown,
)
from mobileid.protocol import proofs
from mobileid.services import completion, device_authentication, nonces, operation_links
from mobileid.services.descriptions import describe_operation, methods_of, state_of
from mobileid.services.proof_records import record_of
from mobileid.services.wakeups import operation_changed
from reuseid.actors import Actor
from reuseid.errors import WrongState
from reuseid.models import move
from reuseid.models.deadlines import IN_TIME
from reuseid.models.sealed import unseal_field
from reuseid.services.audit import trail
from reuseid.services.webhooks import outbox

Binding, Status = Operation.Binding, Operation.Status
Statement = Mapping[str, Any]
_LEVEL_METHODS = {"TWO_FACTOR": {"DEVICE_PIN", "DEVICE_BIOMETRIC"}}


def pending(device: Device) -> list[Operation]:
    """The open operations that wait for this phone, oldest first, at most 20."""
    return list(Operation.objects.answerable_by(device).open().filter(return_hash="").order_by("created_at", "pk")[:20])


def start(
    device: Device, *, operation_id: UUID | None = None, frame: operation_links.Frame | None = None, actor: Actor
) -> tuple[Operation, Nonce]:
    """Show an operation to the person: by its id, or by the claim that the phone scanned or was opened with.

    The first phone takes it from PENDING to IN_PROGRESS. Raises OperationUnknown, OperationClosed, MethodNotAllowed,
    VersionUnsupported.
    """
    device_authentication.require_version(device.application, device.sdk_version)
    if frame is not None:
        operation = operation_links.take(device, frame, actor=actor)
    else:
        operation = Operation.objects.answerable_by(device).as_read().filter(pk=operation_id).first()
    if operation is None:
        raise OperationUnknown
    _require_open(operation)
    if not allowed_methods(operation, device):
        raise MethodNotAllowed
    if operation.status == Status.PENDING:
        _begin(operation, device, actor)
    return operation, nonces.for_operation(operation, device)


def _begin(operation: Operation, device: Device, actor: Actor) -> None:
    try:
        move(operation, Status.IN_PROGRESS, guard=IN_TIME, started_at=Now())
    except WrongState:
        # Another phone of the same person was first to look; both may go on.
        if operation.status != Status.IN_PROGRESS:
            raise OperationClosed(_final(operation)) from None
        return
    trail.record(operation, "operation.opened", actor=actor, changes={"device": str(device.pk)})
    operation_changed(operation)


def allowed_methods(operation: Operation, device: Device) -> list[str]:
    """What the operation asks for, the application allows and the phone has keys for."""
    wanted = set(operation.auth_methods or methods_of(device))
    wanted &= _LEVEL_METHODS.get(operation.auth_level, wanted)
    return [method for method in methods_of(device) if method in wanted]


def _require_open(operation: Operation) -> None:
    if state_of(operation) not in OPEN or operation.return_hash:
        raise OperationClosed(state_of(operation))


def _final(operation: Operation) -> str:
    return Status.EXPIRED if operation.status in OPEN else operation.status


def prepare(device: Device, operation_id: UUID, statement: Statement) -> Operation:
    """Step 4: the operation, when this phone may decide on it now in the way that it states; its nonce is used up.

    Raises DeviceUnusable, OperationUnknown, OperationClosed, MessageInvalid, AuthenticationFailed (the nonce) and, for
    an approval, VersionUnsupported and MethodNotAllowed: the caller's transaction must end with them, the nonce's use
    too.
    """
    device_authentication.require_usable(device)
    operation = Operation.objects.answerable_by(device).as_read().filter(pk=operation_id).first()
    if operation is None or operation.type != statement["typ"]:
        raise OperationUnknown
    _require_open(operation)
    # A person may always say no, whatever the application has come to demand of an approval.
    approves = statement["decision"] == "approve"
    if approves:
        device_authentication.require_version(device.application, device.sdk_version)
        if statement["authMethod"] not in allowed_methods(operation, device):
            raise MethodNotAllowed
    if not nonces.consume(statement["nonce"], Nonce.Purpose.OPERATION, operation=operation, device=device):
        raise AuthenticationFailed
    if not hmac.compare_digest(operation.content_hash, statement["contentHash"]):
        raise MessageInvalid("contentHash", "It is not what the phone was sent.")
    if approves:
        _check_binding(operation, statement)
    return operation


def _check_binding(operation: Operation, statement: Statement) -> None:
    for name, needed in (("number", Binding.NUMBER), ("returnHash", Binding.SAME_DEVICE)):
        if (name in statement) != (operation.binding == needed):
            wrong = f"It belongs to {needed} alone." if name in statement else f"{needed} needs it."
            raise MessageInvalid(name, wrong)


def reject(operation: Operation, device: Device, reason: str, *, actor: Actor) -> None:
    """Step 5: end the operation REJECTED by USER or NOT_ME (which reports fraud); OperationClosed if it ended first."""
    _end(operation, Status.REJECTED, device, actor, failure_reason=reason)
    if reason == "NOT_ME":
        trail.record(operation, "operation.reported", actor=actor, reason=reason)
        outbox.owe(operation, "operation.reported", describe_operation(operation))


def number_matches(operation: Operation, statement: Statement) -> bool:
    """Step 6: whether the person typed the number that the integrator's page shows; True where there is none."""
    if operation.binding != Binding.NUMBER:
        return True
    return hmac.compare_digest(unseal_field(operation, "binding_secret"), statement["number"].encode())


def fail_number(operation: Operation, device: Device, *, actor: Actor) -> None:
    """Step 6, a wrong number: end the operation FAILED; OperationClosed if it ended first."""
    _end(operation, Status.FAILED, device, actor, failure_reason="NUMBER_MISMATCH")


def approve(operation: Operation, device: Device, proof: proofs.Proof, *, actor: Actor) -> None:
    """Step 9: end the operation COMPLETED with its evidence, or have it wait for the return code (SAME_DEVICE).

    All that the statement asks for was verified. Raises OperationClosed, with nothing changed, when it ended first.
    """
    method = proof.statement["authMethod"]
    record = record_of(operation, device, proof, method)
    changes = record.changes | {"auth_method": method}
    if operation.binding == Binding.SAME_DEVICE:
        try:
            completion.await_return(operation, device=device, return_hash=proof.statement["returnHash"], **changes)
        except WrongState:
            raise OperationClosed(_final(operation)) from None
        trail.record(operation, "operation.approved", actor=actor)
    else:
        _end(operation, Status.COMPLETED, device, actor, ended_at=record.evidence.at, **changes)
    record.evidence.save(force_insert=True)


def _end(operation: Operation, status: str, device: Device, actor: Actor, **changes: Any) -> None:
    """One conditional UPDATE decides; whoever comes later hears how the operation ended."""
    try:
        completion.end_in_transaction(operation, status, actor=actor, device=device, **changes)
    except WrongState:
        raise OperationClosed(_final(operation)) from None
