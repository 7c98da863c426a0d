"""Judging PIN and biometry: every look at a factor is counted before it is taken (docs/protocol.md, chapter 7).

The count goes up in a transaction of its own, committed before the signature is verified, so parallel guesses get no
more looks than guesses in a row; a process that dies in between has cost the guesser an attempt.
"""

from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest, Now

from mobileid.models import Device
from mobileid.problems import AuthenticationFailed, DeviceUnusable, PhoneProblem
from mobileid.protocol import proofs
from mobileid.services import devices
from mobileid.services.device_changes import tell
from reuseid.actors import SYSTEM
from reuseid.models import User
from reuseid.models.sealed import unseal_field

MAX_FAILURES = 5
"""Bad attempts in a row that lock the device."""
LOCKS = (timedelta(minutes=5), timedelta(minutes=10))
"""How long the first locks last; the one after them lasts until support unlocks."""
LOCK_REASON = "TOO_MANY_FAILURES"


def judge(exchange, device, proof, factor, *, prepare, apply):
    """Steps 7 to 9 for one message: reserve, look, and apply or refuse.

    ``prepare()`` runs in the reserving transaction: it checks what may be checked before the factor, burns the nonce,
    and returns False when it settled the exchange itself. ``apply(newest)`` makes the change when the factor is good
    (``newest``: by the newest PIN) and returns the answer's body; a PhoneProblem from it must have changed nothing.
    """
    with exchange.claimed():
        if not prepare():
            return
        reserved = _reserve(device)
    good, newest = verify(device, proof, factor) if reserved else (False, False)
    with transaction.atomic():
        if not good:
            refuse(device)
            exchange.settle(AuthenticationFailed().as_inner())
        elif not credit(device, factor, newest=newest):
            device.refresh_from_db(fields=["status", "locked_until"])
            exchange.settle(DeviceUnusable.of(device).as_inner())
        else:
            try:
                exchange.settle({"status": 200, "body": apply(newest)})
            except PhoneProblem as problem:
                exchange.settle(problem.as_inner())


def _reserve(device) -> bool:
    return bool(
        Device.objects.filter(pk=device.pk, status=Device.Status.ACTIVE, failed_attempts__lt=MAX_FAILURES).update(
            failed_attempts=F("failed_attempts") + 1
        )
    )


def verify(device, proof, factor: str) -> tuple[bool, bool]:
    """``(good, by the newest key)``. After a change the key before counts too, until its end."""
    if factor == proofs.INHERENCE:
        newest, before = device.inherence_jwk, device.previous_inherence_jwk
        until, signed = device.previous_inherence_until, _signed_by_biometry
    else:
        newest, before = "knowledge_key", "previous_knowledge_key"
        until, signed = device.previous_key_until, _signed_by_pin
    if signed(device, proof, newest):
        return True, True
    handing_over = until is not None and datetime.now(UTC) < until
    return handing_over and signed(device, proof, before), False


def knowledge_key(device, column: str) -> bytes | None:
    """The raw public key in ``knowledge_key`` or ``previous_knowledge_key``: an offline PIN test, so never kept."""
    return unseal_field(device, column)


def _signed_by_pin(device, proof, column):
    raw = knowledge_key(device, column)
    return raw is not None and proof.verify(proofs.KNOWLEDGE, proofs.knowledge_public_key(raw))


def _signed_by_biometry(_device, proof, jwk):
    return jwk is not None and proof.verify(proofs.INHERENCE, proofs.public_key_from_jwk(jwk))


def credit(device, factor: str | None, *, newest: bool = True) -> bool:
    """A good attempt: the PIN clears the count, biometry only gives back its own attempt, possession changes nothing.

    The first good use of a new PIN or biometric key ends the one before. False when the device or its user is no
    longer active.
    """
    changes = {"last_used_at": Now()}
    if factor == proofs.KNOWLEDGE:
        changes |= {"failed_attempts": 0, "lock_count": 0}
        if newest and device.previous_knowledge_key is not None:
            changes |= {"previous_knowledge_key": None, "previous_key_until": None}
    elif factor == proofs.INHERENCE:
        changes["failed_attempts"] = Greatest(F("failed_attempts") - 1, 0)
        if newest and device.previous_inherence_jwk is not None:
            changes |= {"previous_inherence_jwk": None, "previous_inherence_until": None}
    active = Device.objects.filter(pk=device.pk, status=Device.Status.ACTIVE, user__status=User.Status.ACTIVE)
    return bool(active.update(**changes))


def refuse(device):
    """A bad attempt, counted already: lock the device when it was the last one allowed."""
    device = Device.objects.select_for_update(no_key=True).get(pk=device.pk)
    if device.status != Device.Status.ACTIVE or device.failed_attempts < MAX_FAILURES:
        return
    Device.objects.filter(pk=device.pk).update(lock_count=F("lock_count") + 1)
    device.lock_count += 1
    temporary = device.lock_count <= len(LOCKS)
    until = datetime.now(UTC) + LOCKS[device.lock_count - 1] if temporary else None
    devices.lock(device, actor=SYSTEM, reason=LOCK_REASON, until=until)
    if device.lock_count == len(LOCKS):
        # The next lock will last until support unlocks: say so before.
        tell(device, "lock_warning", actor=SYSTEM, reason=LOCK_REASON)


def attempts_left(device) -> int:
    """Tries of the PIN before the next lock; 0 while locked."""
    return max(MAX_FAILURES - device.failed_attempts, 0) if device.status == Device.Status.ACTIVE else 0
