"""A registration that is finished again: the answer was lost, and the phone asks for it (docs/protocol.md, chapter 6).

The phone has its keys and does not know its name. It is told as long as its code lives, and nobody else is.
"""

import hmac

from django.db.models import F
from django.db.models.functions import Greatest, Now

from mobileid.models import Device, Operation
from mobileid.models.operations import OPEN
from mobileid.problems import OperationClosed, RegistrationInvalid
from mobileid.protocol import proofs, wire
from mobileid.services import device_authentication, factors
from mobileid.services.descriptions import state_of


def find(application, operation_id, proof) -> Operation | None:
    """The registration that bound the phone of this statement's possession key by its nonce, while its code lives."""
    return (
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


def answer_again(exchange, application, operation, statement, knowledge, *, body):
    """Settle the exchange as the first one was, when the keys are the first one's, with ``body(device, code)``.

    All signatures are verified before. Who holds the phone could try PINs here: each look at the PIN's key is counted,
    as in an approval; a good one only gives its attempt back. Copies take turns at the phone's row, so that five of
    them under way do not refuse a sixth. Raises OperationClosed or DeviceUnusable for what has ended since.
    """
    device = operation.device
    device.account, device.application = application.account, application
    with exchange.claimed():
        if operation.status != Operation.Status.COMPLETED and operation.status not in OPEN:
            raise OperationClosed(state_of(operation))
        if device.status != Device.Status.PENDING:
            device_authentication.require_usable(device)
        usable = Device.objects.filter(pk=device.pk, status__in=[Device.Status.PENDING, Device.Status.ACTIVE])
        left = usable.filter(failed_attempts__lt=factors.MAX_FAILURES)
        # Nobody hears the outcome before the count is committed with it.
        reserved = left.update(failed_attempts=F("failed_attempts") + 1)
        if reserved and _has_keys(device, statement, knowledge):
            usable.update(failed_attempts=Greatest(F("failed_attempts") - 1, 0))
            exchange.settle({"status": 200, "body": body(device, _code(operation))})
        else:
            factors.refuse(device)
            exchange.settle(RegistrationInvalid().as_inner())


def _has_keys(device, statement, knowledge):
    """Whether they are the phone's besides the possession key, by which it was found."""
    known, sent = factors.knowledge_key(device, "knowledge_key"), knowledge and knowledge.public_key
    same_pin = hmac.compare_digest(known or b"", sent or b"")
    return same_pin and device.inherence_jwk == statement["inherence"]


def _code(operation):
    """The confirmation code: that of the statement which bound the phone, not of the one that asks again."""
    payload = operation.evidence.proof.split(".")[1]
    return wire.confirmation_code(wire.unb64u(payload), str(operation.device_id))
