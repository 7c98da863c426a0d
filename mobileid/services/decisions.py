"""What a person decides on the phone: see an operation, approve or reject it (docs/protocol.md, chapters 6 and 7).

``statement`` is that of an `operations/finish`, checked and signed by the device's possession key. Each function writes
in the caller's transaction; in which order they are called is the door's business (`mobileid.device_api.messages`).
"""

import hmac
from collections.abc import Mapping
from functools import cache
from typing import Any
from uuid import UUID

from django.db.models.functions import Now

from mobileid.models import Device, Evidence, Nonce, Operation
from mobileid.models.operations import OPEN
from mobileid.problems import (
    AuthenticationFailed,
    MessageInvalid,
    MethodNotAllowed,
    OperationClosed,
    OperationUnknown,
    StillJudged,
)
from mobileid.protocol import proofs
from mobileid.services import completion, device_authentication, factors, message_replay, nonces
from mobileid.services.descriptions import describe_operation, methods_of, state_of
from mobileid.services.message_replay import Settlement
from mobileid.services.proof_records import Record, record_of
from mobileid.services.wakeups import operation_changed
from reuseid.actors import Actor
from reuseid.errors import WrongState
from reuseid.models.deadlines import IN_TIME
from reuseid.models.sealed import unseal_field
from reuseid.prepared import Insert, Param, Select, Together, Update
from reuseid.services.audit import trail
from reuseid.services.webhooks import outbox

Binding, Status = Operation.Binding, Operation.Status
Statement = Mapping[str, Any]
_PHONE = Device(pk=Param("pk"), account_id=Param("account"), user_id=Param("user"), application_id=Param("application"))
ANSWERABLE: Select[Operation] = Select(
    lambda: Operation.objects.answerable_by(_PHONE).with_overdue().filter(pk=Param("operation"))
)
_BEGUN = Together(
    moved=Update(
        lambda: Operation.objects.filter(pk=Param("pk"), status__in=Operation.MOVES[Status.IN_PROGRESS], **IN_TIME),
        status=Status.IN_PROGRESS,
        started_at=Now(),
    ),
    line=trail.line_after("moved"),
    nonce=nonces.made_after("moved"),
)
_SPENT = Together(nonce=nonces.USED, attempt=factors.reserved_after("nonce"))
_LEVEL_METHODS = {"TWO_FACTOR": {"DEVICE_PIN", "DEVICE_BIOMETRIC"}}


def pending(device: Device) -> list[Operation]:
    """The open operations that wait for this phone, oldest first, at most 20."""
    return list(Operation.objects.answerable_by(device).open().filter(return_hash="").order_by("created_at", "pk")[:20])


def start(device: Device, operation: Operation | None, *, actor: Actor) -> tuple[Operation, Nonce]:
    """Show an operation, found by `ANSWERABLE` or `operation_links.take`, to the person.

    The first phone takes it from PENDING to IN_PROGRESS. Raises OperationUnknown, OperationClosed, MethodNotAllowed,
    VersionUnsupported.
    """
    device_authentication.require_version(device.application, device.sdk_version)
    operation = _known(operation, device)
    _require_open(operation)
    if not allowed_methods(operation, device):
        raise MethodNotAllowed
    nonce = _begin(operation, device, actor) if operation.status == Status.PENDING else None
    return operation, nonce or nonces.for_operation(operation, device)


def answerable(device: Device, operation_id: UUID) -> dict[str, Any]:
    """The values with which `ANSWERABLE` finds an operation for this phone."""
    return {
        "operation": operation_id,
        "pk": device.pk,
        "account": device.account_id,
        "user": device.user_id,
        "application": device.application_id,
    }


def _known(operation: Operation | None, device: Device) -> Operation:
    """With what the phone is known by already; OperationUnknown for None."""
    if operation is None:
        raise OperationUnknown
    operation.user, operation.account = device.user, device.account
    if operation.target_device_id == device.pk:
        operation.target_device = device
    return operation


def _begin(operation: Operation, device: Device, actor: Actor) -> Nonce | None:
    """The first nonce of the first phone that looks; None for another phone of the same person: both may go on."""
    nonce = nonces.draw(operation, device)
    line = trail.line(operation, "operation.opened", actor=actor, changes={"device": str(device.pk)})
    if _BEGUN(moved={"pk": operation.pk}, line=line, nonce=nonce)["moved"] is None:
        operation.refresh_from_db(fields=["status"])
        if operation.status != Status.IN_PROGRESS:
            raise OperationClosed(_final(operation))
        return None
    operation.status = Status.IN_PROGRESS
    operation_changed(operation)
    return nonce


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


def prepare(device: Device, operation: Operation | None, statement: Statement) -> Operation:
    """Step 4: the operation, found by `ANSWERABLE`, when this phone may decide on it now in the way that it states.

    Raises DeviceUnusable, OperationUnknown, OperationClosed, MessageInvalid and, for an approval, VersionUnsupported
    and MethodNotAllowed: the caller's transaction must end with them.
    """
    device_authentication.require_usable(device)
    operation = _known(operation, device)
    if operation.type != statement["typ"]:
        raise OperationUnknown
    _require_open(operation)
    # A person may always say no, whatever the application has come to demand of an approval.
    approves = statement["decision"] == "approve"
    if approves:
        device_authentication.require_version(device.application, device.sdk_version)
        if statement["authMethod"] not in allowed_methods(operation, device):
            raise MethodNotAllowed
    if not hmac.compare_digest(operation.content_hash, statement["contentHash"]):
        raise MessageInvalid("contentHash", "It is not what the phone was sent.")
    if approves:
        _check_binding(operation, statement)
    return operation


def spend(operation: Operation, device: Device, statement: Statement, *, attempt: bool) -> bool:
    """Steps 4 and 7: use the statement's nonce up and, with ``attempt``, count a look at a factor.

    False when no look is left. Raises AuthenticationFailed for a nonce that does not count: the caller's transaction
    must end with it. What was counted must be committed before the factor is looked at.
    """
    nonce = {"value": statement["nonce"], "operation": operation.pk, "device": device.pk}
    if not attempt:
        if nonces.USED(**nonce) is None:
            raise AuthenticationFailed
        return False
    done = _SPENT(nonce=nonce, attempt={"pk": device.pk})
    if done["nonce"] is None:
        raise AuthenticationFailed
    return done["attempt"] is not None


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


def approve(
    operation: Operation,
    device: Device,
    proof: proofs.Proof,
    *,
    actor: Actor,
    key: factors.Key,
    settled: Settlement | None,
) -> None:
    """Steps 8 and 9, all in one: credit the factor, end the operation COMPLETED with its evidence, store the answer.

    Or have it wait for the return code (SAME_DEVICE). All that the statement asks for was verified; ``key`` is which of
    the factor's keys signed it. ``settled`` stores the answer; None where there is nothing to store.

    Raises DeviceUnusable or OperationClosed, with the operation unchanged, when device, person or operation are not
    open any more, and StillJudged.
    """
    record = record_of(operation, device, proof, proof.statement["authMethod"])
    if operation.binding == Binding.SAME_DEVICE:
        factors.credit(device, proofs.METHOD_FACTOR[record.evidence.auth_method], key)
        _await_return(operation, device, proof, actor, record)
        message_replay.store(settled)
    else:
        _complete(operation, device, record.evidence, actor, key, settled)


def _complete(
    operation: Operation,
    device: Device,
    evidence: Evidence,
    actor: Actor,
    key: factors.Key,
    settled: Settlement | None,
) -> None:
    method, factor = evidence.auth_method, proofs.METHOD_FACTOR[evidence.auth_method]
    operation.status, operation.ended_at, operation.failure_reason = Status.COMPLETED, evidence.at, ""
    operation.device, operation.auth_method = device, method
    event = outbox.describe(operation, f"{operation.type}.completed", describe_operation(operation))
    done = _approved(factor, factors.ends_previous(device, factor, key), settled is not None)(
        credited={"pk": device.pk},
        moved={
            "pk": operation.pk,
            "at": evidence.at,
            "device": device.pk,
            "method": method,
            "signature": operation.signature,
        },
        line=trail.line(operation, "operation.completed", actor=actor, changes={"type": operation.type}),
        event=event,
        deliveries=event,
        evidence=evidence,
        settled=settled,
    )
    if done["credited"] is None:
        raise factors.unusable_now(device)
    if done["moved"] is None:
        operation.refresh_from_db(fields=["status"])
        raise OperationClosed(_final(operation))
    if settled is not None and done["settled"] is None:
        raise StillJudged
    operation_changed(operation)
    outbox.wake_for(done)


@cache
def _approved(factor: str | None, ends_previous: bool, settles: bool) -> Together:
    """An approval as one statement. The device before the operation, as everywhere where both are written."""
    moved = Update(
        lambda: Operation.objects.filter(pk=Param("pk"), status__in=OPEN, return_hash="", **IN_TIME),
        after="credited",
        status=Status.COMPLETED,
        ended_at=Param("at"),
        failure_reason="",
        device=Param("device"),
        auth_method=Param("method"),
        signature=Param("signature"),
    )
    parts = {"settled": message_replay.settled_after("moved")} if settles else {}
    return Together(
        credited=factors.credited(factor, ends_previous),
        moved=moved,
        line=trail.line_after("moved"),
        **outbox.parts_after("moved"),
        evidence=Insert(Evidence, after="moved"),
        **parts,
    )


def _await_return(operation: Operation, device: Device, proof: proofs.Proof, actor: Actor, record: Record) -> None:
    changes = record.changes | {"auth_method": proof.statement["authMethod"]}
    try:
        completion.await_return(operation, device=device, return_hash=proof.statement["returnHash"], **changes)
    except WrongState:
        raise OperationClosed(_final(operation)) from None
    trail.record(operation, "operation.approved", actor=actor)
    record.evidence.save(force_insert=True)


def _end(operation: Operation, status: str, device: Device, actor: Actor, **changes: Any) -> None:
    """One conditional UPDATE decides; whoever comes later hears how the operation ended."""
    try:
        completion.end_in_transaction(operation, status, actor=actor, device=device, **changes)
    except WrongState:
        raise OperationClosed(_final(operation)) from None
