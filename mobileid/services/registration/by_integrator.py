"""Registrations, the integrator's side: start with an activation code, confirm with the phone's code."""

import hmac
import secrets
from collections.abc import Iterable

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from mobileid.errors import CodeWrong
from mobileid.models import Application, Device, Operation
from mobileid.models.operations import OPEN
from mobileid.protocol import wire
from mobileid.services import bindings, codes, contexts, devices
from mobileid.services.completion import end
from mobileid.services.operations import begin, hold
from reuseid.actors import Actor
from reuseid.errors import WrongState
from reuseid.models import Account, User
from reuseid.models.sealed import unseal_field
from reuseid.services.people import caller_verification

EXPIRES_IN, EXPIRES_IN_MIN, EXPIRES_IN_MAX = 900, 60, 24 * 3600
CONFIRMATION_TRIES = 3
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@transaction.atomic
def start_registration(
    account: Account,
    *,
    user: User,
    application: Application,
    actor: Actor,
    device_name: str = "",
    confirmation: str = Operation.Confirmation.NONE,
    post_context: dict | None = None,
    requested_attributes: Iterable[str] = (),
    expires_in: int = EXPIRES_IN,
    client_reference: str = "",
    allow_parallel: bool = False,
) -> tuple[Operation, dict]:
    """Let a person bind a phone: ``activationCode`` and ``activationUri`` are in the second part, and nowhere else.

    ``expires_in`` in seconds. Raises Invalid, UserNotActive, or CallerNotVerified where colleagues must have verified
    the caller.
    """
    caller_verification.require(user.pk, actor=actor)
    if device_name:
        devices.check_name(device_name, "deviceName")
    operation = Operation(
        account=account,
        application=application,
        client_id=actor.client_id if actor.is_client else None,
        user=hold(user),
        type=Operation.Type.REGISTRATION,
        confirmation=confirmation,
        device_name=device_name,
        requested_attributes=list(requested_attributes),
        client_reference=client_reference,
        allow_parallel=allow_parallel,
    )
    if post_context is not None:
        contexts.read_context(post_context, limit=contexts.POST_LIMIT, field="postOperationContext")
        contexts.seal_json(operation, "post_context", post_context)
    code = wire.format_activation_code("".join(secrets.choice(_ALPHABET) for _ in range(12)))
    operation.code_index = codes.activation_indexes(code)[0]
    begin(operation, expires_in, actor=actor)
    return operation, {"activationCode": code, "activationUri": bindings.activation_uri(application, code)}


def confirm(operation: Operation, *, code: str, actor: Actor) -> Operation:
    """Activate the phone of a registration that asks for it, with the six digits that the phone shows.

    Raises CodeWrong; the third wrong code ends the registration FAILED. Raises WrongState when no phone waits.
    """
    device = operation.device
    if operation.status not in OPEN or device is None or device.status != Device.Status.PENDING:
        raise WrongState(operation, Operation.Status.COMPLETED)
    _reserve_try(operation)
    if hmac.compare_digest(code.encode(), unseal_field(operation, "confirmation_code")):
        return _confirmed(operation, device, actor)
    if operation.confirmation_attempts >= CONFIRMATION_TRIES:
        end(operation, Operation.Status.FAILED, actor=actor, failure_reason="CONFIRMATION_FAILED")
    raise CodeWrong.field("confirmationCode", "Not the code that the phone shows.")


def _reserve_try(operation):
    # Before the code is looked at, so that parallel guesses get three looks together.
    left = Operation.objects.filter(
        pk=operation.pk,
        status__in=OPEN,
        confirmation_attempts__lt=CONFIRMATION_TRIES,
        expires_at__gt=Now(),
    )
    if not left.update(confirmation_attempts=F("confirmation_attempts") + 1):
        operation.refresh_from_db(fields=["status"])
        raise WrongState(operation, Operation.Status.COMPLETED)
    operation.refresh_from_db(fields=["confirmation_attempts"])


@transaction.atomic
def _confirmed(operation, device, actor):
    hold(operation.user)
    # The operation before the device, as cancelling and expiry do: rivals then queue instead of deadlocking.
    end(operation, Operation.Status.COMPLETED, actor=actor, confirmation_code=None)
    devices.activate(device, actor=actor)
    return operation
