"""Operations that a phone finds by what it scanned or was opened with (docs/protocol.md, chapter 6, ``binding``)."""

import hmac
import time
from dataclasses import dataclass, field

from django.db.models import Q

from mobileid.models import Device, Operation
from mobileid.models.operations import OPEN
from mobileid.protocol import wire
from mobileid.services import codes
from reuseid.actors import Actor
from reuseid.models.sealed import unseal_field
from reuseid.services.audit import trail

EARLIEST, LATEST = -3, 1
"""Seconds around now in which a QR frame counts."""
Binding = Operation.Binding


@dataclass(frozen=True, slots=True)
class Frame:
    """What the phone read: the claim of a link, or a QR frame with its second ``t`` (Unix) and its MAC ``m``."""

    claim: str = field(repr=False)
    t: int | None = None
    m: bytes | None = field(default=None, repr=False)


def take(device: Device, frame: Frame, *, actor: Actor) -> Operation | None:
    """The operation of that claim, which is from now on this phone's; None for one that is not for it.

    One conditional UPDATE: the first phone wins, and for an operation that names no user its person too. An operation
    that is over is returned as it is.
    """
    operation = (
        Operation.objects.of(device.account)
        .as_read()
        .filter(code_index__in=codes.claim_indexes(frame.claim), binding__in=[Binding.QR, Binding.SAME_DEVICE])
        .filter(_for(device))
        .first()
    )
    if operation is None or not _is_fresh(operation, frame):
        return None
    if operation.device_id is None and operation.status in OPEN:
        rows = Operation.objects.open().filter(_for(device), pk=operation.pk, device=None)
        if not rows.update(device=device, user=device.user):
            return None
        operation.device, operation.user = device, device.user
        trail.record(operation, "operation.claimed", actor=actor)
    return operation if operation.device_id in (None, device.pk) else None


def _for(device):
    return (
        (Q(user=None) | Q(user=device.user_id))
        & (Q(target_device=None) | Q(target_device=device))
        & (Q(application=None) | Q(application=device.application_id))
    )


def _is_fresh(operation, frame):
    if operation.binding == Binding.SAME_DEVICE:
        return frame.t is None and frame.m is None
    if frame.t is None or frame.m is None or not EARLIEST <= frame.t - int(time.time()) <= LATEST:
        return False
    secret = unseal_field(operation, "binding_secret")
    return hmac.compare_digest(wire.qr_mac(secret, frame.claim, frame.t), frame.m)
