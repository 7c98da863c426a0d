"""Challenges: 32 random bytes that a statement must name, each good for one attempt (docs/protocol.md, chapter 6)."""

import os
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models.functions import Now

from mobileid.models import Device, Nonce, Operation
from mobileid.protocol import wire
from reuseid.prepared import Insert, Param, Update

LIVE = 3
"""Nonces that may live at once for one operation and device; the oldest die first."""
CHALLENGE_LIFE = timedelta(minutes=5)
USED = Update(
    lambda: Nonce.objects.filter(
        value=Param("value"),
        purpose=Nonce.Purpose.OPERATION,
        operation=Param("operation"),
        device=Param("device"),
        used_at=None,
        expires_at__gt=Now(),
    ),
    used_at=Now(),
)
"""Uses a phone's nonce for an operation up, as `consume`."""
_MADE = Insert(Nonce, returning=["id"])


def made_after(part: str) -> Insert:
    """Writes a nonce that was drawn, when ``part`` of a `Together` has written its row."""
    return Insert(Nonce, after=part)


def draw(operation: Operation, device: Device | None) -> Nonce:
    """A nonce for an attempt on an operation, not saved yet; it lives as long as the operation."""
    purpose = Nonce.Purpose.OPERATION if device else Nonce.Purpose.REGISTRATION
    return _drawn(purpose, operation.expires_at, operation=operation, device=device)


def for_operation(operation: Operation, device: Device | None) -> Nonce:
    """A nonce for one more attempt of ``device`` (None: a registration); it lives as long as the operation."""
    live = Nonce.objects.filter(operation=operation, device=device, used_at=None)
    if device is not None:
        # Starts of one operation take turns: rivals that can't see each other's nonces would leave more alive.
        Operation.objects.select_for_update(no_key=True).only("pk").get(pk=operation.pk)
        kept = live.order_by("-pk").values("pk")[: LIVE - 1]
        live.exclude(pk__in=kept).update(used_at=Now())
    nonce = draw(operation, device)
    _MADE(nonce)
    return nonce


def for_change(device: Device, purpose: str) -> Nonce:
    """A nonce for a change of the device's factors, for 5 minutes; it replaces the one before."""
    Nonce.objects.filter(device=device, purpose=purpose, operation=None, used_at=None).update(used_at=Now())
    nonce = _drawn(purpose, datetime.now(UTC) + CHALLENGE_LIFE, device=device)
    _MADE(nonce)
    return nonce


def consume(value: str, purpose: str, *, operation: Operation | None = None, device: Device | None = None) -> bool:
    """Use the nonce (b64u) up; False when it is unknown, used, over or another's. One conditional UPDATE."""
    unused = Nonce.objects.filter(value=value, purpose=purpose, operation=operation, device=device, used_at=None)
    return bool(unused.filter(expires_at__gt=Now()).update(used_at=Now()))


def _drawn(purpose: str, expires_at: datetime, **of: Any) -> Nonce:
    return Nonce(value=wire.b64u(os.urandom(32)), purpose=purpose, expires_at=expires_at, **of)
