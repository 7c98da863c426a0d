"""What a person decides on the phone: see an operation, approve or reject it (docs/protocol.md, chapters 6 and 7)."""

import hmac
import json

from django.db.models.functions import Now

from mobileid.models import Nonce, Operation
from mobileid.models.operations import OPEN
from mobileid.problems import (
    AuthenticationFailed,
    DeviceUnusable,
    MessageInvalid,
    MethodNotAllowed,
    OperationClosed,
    OperationUnknown,
)
from mobileid.protocol import proofs
from mobileid.services import completion, device_authentication, factors, nonces, operation_links
from mobileid.services.descriptions import describe_operation, methods_of, state_of
from mobileid.services.proof_records import record_of
from mobileid.services.wakeups import operation_changed
from reuseid.errors import WrongState
from reuseid.models import move
from reuseid.models.deadlines import IN_TIME
from reuseid.models.sealed import unseal_field
from reuseid.services.audit import trail
from reuseid.services.webhooks import outbox

Binding, Status = Operation.Binding, Operation.Status
_LEVEL_METHODS = {"TWO_FACTOR": {"DEVICE_PIN", "DEVICE_BIOMETRIC"}}


def pending(device) -> list[Operation]:
    """The open operations that wait for this phone, oldest first, at most 20."""
    return list(Operation.objects.answerable_by(device).open().filter(return_hash="").order_by("created_at", "pk")[:20])


def start(device, *, operation_id=None, frame: operation_links.Frame | None = None, actor) -> tuple[Operation, Nonce]:
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


def _begin(operation, device, actor):
    try:
        move(operation, Status.IN_PROGRESS, guard=IN_TIME, started_at=Now())
    except WrongState:
        # Another phone of the same person was first to look; both may go on.
        if operation.status != Status.IN_PROGRESS:
            raise OperationClosed(_final(operation)) from None
        return
    trail.record(operation, "operation.opened", actor=actor, changes={"device": str(device.pk)})
    operation_changed(operation)


def allowed_methods(operation, device) -> list[str]:
    """What the operation asks for, the application allows and the phone has keys for."""
    wanted = set(operation.auth_methods or methods_of(device))
    wanted &= _LEVEL_METHODS.get(operation.auth_level, wanted)
    return [method for method in methods_of(device) if method in wanted]


def _require_open(operation):
    if state_of(operation) not in OPEN or operation.return_hash:
        raise OperationClosed(state_of(operation))


def _final(operation):
    return Status.EXPIRED if operation.status in OPEN else operation.status


def finish(exchange, device, operation_id, proof, *, actor):
    """Judge the person's decision, in the order of docs/protocol.md, chapter 7; settles the exchange.

    The possession signature is verified before. Raises what has changed nothing.
    """
    _Decision(exchange, device, operation_id, proof, actor).judge()


class _Decision:
    """One `operations/finish`: the statement's bytes and what they decide."""

    def __init__(self, exchange, device, operation_id, proof, actor):
        self.exchange, self.device, self.proof, self.actor = exchange, device, proof, actor
        self.operation_id, self.said = operation_id, proof.statement
        self.method = self.said["authMethod"]
        self.factor = proofs.METHOD_FACTOR[self.method]

    def judge(self):
        if self.factor is None:
            with self.exchange.claimed():
                if self.prepare():
                    self._decide_by_possession()
            return
        factors.judge(self.exchange, self.device, self.proof, self.factor, prepare=self.prepare, apply=self._approve)

    def prepare(self) -> bool:
        """Steps 4 to 6, and the nonce; False when the decision is made already."""
        device_authentication.require_usable(self.device)
        operations = Operation.objects.answerable_by(self.device).as_read()
        self.operation = operation = operations.filter(pk=self.operation_id).first()
        if operation is None or operation.type != self.said["typ"]:
            raise OperationUnknown
        _require_open(operation)
        # A person may always say no, whatever the application has come to demand of an approval.
        if self.said["decision"] == "approve":
            device_authentication.require_version(self.device.application, self.device.sdk_version)
            if self.method not in allowed_methods(operation, self.device):
                raise MethodNotAllowed
        if not nonces.consume(self.said["nonce"], Nonce.Purpose.OPERATION, operation=operation, device=self.device):
            raise AuthenticationFailed
        if not hmac.compare_digest(operation.content_hash, self.said["contentHash"]):
            raise MessageInvalid("contentHash", "It is not what the phone was sent.")
        self._check_binding()
        if self.said["decision"] == "reject":
            self._reject()
            return False
        return self._number_matches()

    def _check_binding(self):
        if self.said["decision"] == "reject":
            return
        binding = self.operation.binding
        for name, needed in (("number", Binding.NUMBER), ("returnHash", Binding.SAME_DEVICE)):
            if (name in self.said) != (binding == needed):
                wrong = f"It belongs to {needed} alone." if name in self.said else f"{needed} needs it."
                raise MessageInvalid(name, wrong)

    def _number_matches(self) -> bool:
        if self.operation.binding != Binding.NUMBER:
            return True
        number = unseal_field(self.operation, "binding_secret")
        if hmac.compare_digest(number, self.said["number"].encode()):
            return True
        self._end(Status.FAILED, "NUMBER_MISMATCH")
        self._settle(Status.FAILED)
        return False

    def _reject(self):
        reason = self.said.get("reason", "USER")
        self._end(Status.REJECTED, reason)
        if reason == "NOT_ME":
            trail.record(self.operation, "operation.reported", actor=self.actor, reason=reason)
            outbox.owe(self.operation, "operation.reported", describe_operation(self.operation))
        self._settle(Status.REJECTED)

    def _end(self, status, reason):
        try:
            completion.end_in_transaction(
                self.operation, status, actor=self.actor, failure_reason=reason, device=self.device
            )
        except WrongState:
            raise OperationClosed(_final(self.operation)) from None

    def _decide_by_possession(self):
        if not factors.credit(self.device, None):
            raise DeviceUnusable.of(self.device)
        self.exchange.settle({"status": 200, "body": self._approve()})

    def _settle(self, status):
        self.exchange.settle({"status": 200, "body": {"state": str(status)}})

    def _approve(self, newest=True) -> dict:
        """Step 9: one conditional UPDATE decides; whoever comes later hears how the operation ended."""
        operation, changes = self.operation, {"device": self.device, "auth_method": self.method}
        record = record_of(operation, self.device, self.proof, self.method)
        try:
            if operation.binding == Binding.SAME_DEVICE:
                changes |= record.changes | {"return_hash": self.said["returnHash"]}
                completion.await_return(operation, **changes)
                trail.record(operation, "operation.approved", actor=self.actor)
            else:
                changes |= record.changes
                completion.end_in_transaction(
                    operation, Status.COMPLETED, actor=self.actor, ended_at=record.evidence.at, **changes
                )
        except WrongState:
            raise OperationClosed(_final(operation)) from None
        record.evidence.save(force_insert=True)
        body = {"state": str(Status.COMPLETED)}
        if operation.post_context is not None:
            body["postOperationContext"] = json.loads(unseal_field(operation, "post_context"))
        return body
