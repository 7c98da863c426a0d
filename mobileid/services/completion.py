"""How operations end: each way is one conditional UPDATE, its trail line and its event, in one transaction."""

import contextlib
import hashlib
import hmac
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from mobileid.errors import CodeWrong
from mobileid.models import Device, Operation
from mobileid.models.operations import CLAIMED, OPEN
from mobileid.protocol.wire import WireError, b64u, unb64u
from mobileid.services.descriptions import describe_operation
from mobileid.services.device_changes import retire
from mobileid.services.wakeups import operation_changed
from reuseid.actors import SYSTEM, Actor
from reuseid.errors import Unknown, WrongState
from reuseid.models import User, move
from reuseid.models.deadlines import IN_TIME, OVERDUE
from reuseid.services import sweeping
from reuseid.services.audit import trail
from reuseid.services.webhooks import outbox


def end_in_transaction(
    operation: Operation,
    to: str,
    *,
    actor: Actor,
    failure_reason: str = "",
    reason: str = "",
    note: str = "",
    guard: dict | None = IN_TIME,
    ended_at: Any = None,
    **changes: Any,
) -> Operation:
    """`end`, in the caller's transaction: when it raises WrongState nothing was written."""
    move(operation, to, guard=guard, ended_at=ended_at or Now(), failure_reason=failure_reason, **changes)
    operation.is_overdue = False
    if ended_at is None or hasattr(ended_at, "resolve_expression"):
        operation.refresh_from_db(fields=["ended_at"])
    if operation.type == Operation.Type.REGISTRATION and to != Operation.Status.COMPLETED:
        _drop_unconfirmed(operation, actor=actor, reason=failure_reason or str(to))
    trail.record(
        operation,
        f"operation.{to.lower()}",
        actor=actor,
        reason=reason or failure_reason,
        note=note,
        changes={"type": operation.type},
    )
    outbox.owe(operation, f"{operation.type}.{to.lower()}", describe_operation(operation))
    operation_changed(operation)
    return operation


@transaction.atomic
def end(operation: Operation, to: str, **how: Any) -> Operation:
    """Take an operation to a final status, ``changes`` in the same statement; write trail and event, wake waiters.

    Raises WrongState when it has ended or, by the database's clock, expired before. A registration that does not
    complete takes its unconfirmed device with it.
    """
    return end_in_transaction(operation, to, **how)


def cancel(operation: Operation, *, actor: Actor, reason: str = "CANCELED", note: str = "") -> Operation:
    """End an open operation as CANCELED with ``reason`` as its failure reason.

    Raises WrongState with the final state; one that is overdue becomes EXPIRED here and now.
    """
    try:
        return end(operation, Operation.Status.CANCELED, actor=actor, failure_reason=reason, note=note)
    except WrongState:
        if operation.status not in OPEN:
            raise
    with contextlib.suppress(WrongState):
        expire(operation)
    raise WrongState(operation, Operation.Status.CANCELED)


def expire(operation: Operation) -> Operation:
    """End an overdue operation as EXPIRED at its deadline; raises WrongState if it ended otherwise or is in time."""
    return end(operation, Operation.Status.EXPIRED, actor=SYSTEM, guard=OVERDUE, ended_at=F("expires_at"))


def expire_overdue(limit: int = 200) -> int:
    """End up to ``limit`` overdue operations, oldest first, accounts in turn; rivals take different ones.

    Returns how many ended. One that fails is logged and left, so it holds up no other.
    """
    due = Operation.objects.overdue().select_related("user", "client", "device__application", "target_device")
    return sweeping.sweep(due.order_by("expires_at"), expire, limit=limit, together=True)


def cancel_all_open(user: User, *, actor: Actor, reason: str) -> None:
    """End every open operation of a person whom an account locks or deactivates, in the caller's transaction."""
    _cancel_all(Operation.objects.filter(user=user), actor, reason)


def cancel_all_of_device(device: Device, *, actor: Actor, reason: str) -> None:
    """End every open operation that only this phone may answer or has claimed, in the caller's transaction."""
    own = Q(target_device=device) | Q(device=device, binding__in=CLAIMED)
    _cancel_all(Operation.objects.filter(own), actor, reason)


def _cancel_all(operations, actor, reason):
    for operation in operations.open().select_related("user", "client", "device__application", "target_device"):
        try:
            with transaction.atomic():
                end(operation, Operation.Status.CANCELED, actor=actor, failure_reason=reason)
        except WrongState:
            continue


@transaction.atomic
def await_return(
    operation: Operation, *, device: Device, auth_method: str, return_hash: str, **changes: Any
) -> Operation:
    """The phone has approved a SAME_DEVICE operation: it stays open until `release`, and takes no second approval.

    ``return_hash`` is b64u of SHA-256 of the return code. Raises WrongState as `end` does.
    """
    approved = {"device": device, "auth_method": auth_method, "return_hash": return_hash, **changes}
    open_now = Operation.objects.filter(pk=operation.pk, status__in=OPEN, return_hash="", **IN_TIME)
    if not open_now.update(status=Operation.Status.IN_PROGRESS, **approved):
        operation.refresh_from_db(fields=["status"])
        raise WrongState(operation, Operation.Status.IN_PROGRESS)
    operation.status = Operation.Status.IN_PROGRESS
    for name, value in approved.items():
        setattr(operation, name, value)
    operation_changed(operation)
    return operation


def release(operation: Operation, *, return_code: str, actor: Actor) -> Operation:
    """Complete an approved SAME_DEVICE operation with the code that the phone brought to the return URL.

    Raises Unknown when there is nothing to release, CodeWrong, or WrongState when it has ended.
    """
    if operation.binding != Operation.Binding.SAME_DEVICE:
        raise Unknown(_("Only an operation bound to the same device is released."))
    if not operation.return_hash or operation.status not in OPEN:
        raise WrongState(operation, Operation.Status.COMPLETED)
    try:
        code = unb64u(return_code)
    except WireError:
        raise CodeWrong from None
    if not hmac.compare_digest(b64u(hashlib.sha256(code).digest()), operation.return_hash):
        raise CodeWrong
    return end(operation, Operation.Status.COMPLETED, actor=actor, released_at=Now())


def _drop_unconfirmed(operation, *, actor, reason):
    # Read after the operation has ended: until then the phone may have come.
    device = Device.objects.filter(operations=operation, status=Device.Status.PENDING).as_read().first()
    if device:
        operation.device = device
        # Support may have deactivated it in the meantime.
        with contextlib.suppress(WrongState):
            retire(device, actor=actor, reason=reason)
