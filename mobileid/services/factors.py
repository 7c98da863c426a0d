"""PIN and biometry: every look at a factor is counted before it is taken (docs/protocol.md, chapter 7).

The door goes through `reserve`, `verify` and then `credit` or `refuse`. The count goes up in a transaction that is
committed before the signature is verified, so parallel guesses get no more looks than guesses in a row; a process that
dies in between has cost the guesser an attempt.
"""

import hmac
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Any

from django.db.models import Exists, F, OuterRef, QuerySet
from django.db.models.functions import Greatest, Now

from mobileid.models import Device
from mobileid.problems import DeviceUnusable, MessageInvalid
from mobileid.protocol import proofs, wire
from mobileid.services import devices
from mobileid.services.device_changes import tell
from reuseid.actors import SYSTEM
from reuseid.models import User
from reuseid.models.sealed import unseal_field
from reuseid.prepared import Param, Update

MAX_FAILURES = 5
"""Bad attempts in a row that lock the device."""
LOCKS = (timedelta(minutes=5), timedelta(minutes=10))
"""How long the first locks last; the one after them lasts until support unlocks."""
LOCK_REASON = "TOO_MANY_FAILURES"


class Key(StrEnum):
    """Which of a factor's two keys signed: after a change the one before counts too, until its end."""

    NEWEST = "newest"
    PREVIOUS = "previous"


@dataclass(frozen=True, slots=True)
class KnowledgeKey:
    """The PIN's Ed25519 public key, raw, and the 32 bytes that its commitment was made with; neither is logged."""

    public_key: bytes = field(repr=False)
    r: bytes = field(repr=False)


def check_commitment(knowledge: KnowledgeKey, committed: str) -> None:
    """MessageInvalid unless the key is an Ed25519 one and the one that the statement commits to (``committed``, b64u).

    docs/protocol.md, chapter 4.
    """
    try:
        proofs.knowledge_public_key(knowledge.public_key)
    except ValueError:
        raise MessageInvalid("knowledge.publicKey") from None
    commitment = wire.b64u(wire.commitment(knowledge.public_key, knowledge.r))
    if not hmac.compare_digest(commitment, committed):
        raise MessageInvalid("knowledge", "It must be the one that the statement commits to.")


def _with_attempts_left() -> QuerySet[Device]:
    return Device.objects.filter(pk=Param("pk"), status=Device.Status.ACTIVE, failed_attempts__lt=MAX_FAILURES)


def reserved_after(part: str | None) -> Update:
    """`reserve` when ``part`` of a `Together` has written its row."""
    return Update(_with_attempts_left, after=part, failed_attempts=F("failed_attempts") + 1)


_RESERVED = reserved_after(None)


def reserve(device: Device) -> bool:
    """Count an attempt before it is looked at; False when none is left: it is refused unseen.

    One conditional UPDATE, which must be committed before `verify`.
    """
    return _RESERVED(pk=device.pk) is not None


def verify(device: Device, proof: proofs.Proof, factor: str) -> Key | None:
    """Which key of the factor signed the statement; None when none that counts did. Writes nothing."""
    if factor == proofs.INHERENCE:
        until, signed = device.previous_inherence_until, _signed_by_biometry
        newest, before = "inherence_jwk", "previous_inherence_jwk"
    else:
        until, signed = device.previous_key_until, _signed_by_pin
        newest, before = "knowledge_key", "previous_knowledge_key"
    if signed(device, proof, newest):
        return Key.NEWEST
    handing_over = until is not None and datetime.now(UTC) < until
    return Key.PREVIOUS if handing_over and signed(device, proof, before) else None


def knowledge_key(device: Device, column: str) -> bytes | None:
    """The raw public key in ``knowledge_key`` or ``previous_knowledge_key``: an offline PIN test, so never kept."""
    return unseal_field(device, column)


def _signed_by_pin(device: Device, proof: proofs.Proof, column: str) -> bool:
    raw = knowledge_key(device, column)
    return raw is not None and proof.verify(proofs.KNOWLEDGE, proofs.knowledge_public_key(raw))


def _signed_by_biometry(device: Device, proof: proofs.Proof, column: str) -> bool:
    jwk = getattr(device, column)
    return jwk is not None and proof.verify(proofs.INHERENCE, proofs.public_key_from_jwk(jwk))


def credit(device: Device, factor: str | None, key: Key = Key.NEWEST) -> None:
    """A good attempt: the PIN clears the count, biometry only gives back its own attempt, possession (None) neither.

    The first good use of a new PIN or biometric key ends the one before. Raises DeviceUnusable, with nothing changed,
    when the device or its user is no longer active.
    """
    if credited(factor, ends_previous(device, factor, key))(pk=device.pk) is None:
        raise unusable_now(device)


def ends_previous(device: Device, factor: str | None, key: Key) -> bool:
    """Whether this is the first good use of a new key, beside which the one before has counted."""
    if factor is None or key is not Key.NEWEST:
        return False
    previous = device.previous_inherence_jwk if factor == proofs.INHERENCE else device.previous_knowledge_key
    return previous is not None


@cache
def credited(factor: str | None, ends: bool) -> Update:
    """The statement of `credit` for the device ``pk``; ``ends`` as `ends_previous` says."""
    changes: dict[str, Any] = {"last_used_at": Now()}
    if factor == proofs.KNOWLEDGE:
        changes |= {"failed_attempts": 0, "lock_count": 0}
        if ends:
            changes |= {"previous_knowledge_key": None, "previous_key_until": None}
    elif factor == proofs.INHERENCE:
        changes["failed_attempts"] = Greatest(F("failed_attempts") - 1, 0)
        if ends:
            changes |= {"previous_inherence_jwk": None, "previous_inherence_until": None}
    return Update(_of_active_person, **changes)


def _of_active_person() -> QuerySet[Device]:
    person = User.objects.filter(pk=OuterRef("user_id"), status=User.Status.ACTIVE)
    return Device.objects.filter(Exists(person), pk=Param("pk"), status=Device.Status.ACTIVE)


def unusable_now(device: Device) -> DeviceUnusable:
    """What to raise when a device turned out not to be active any more."""
    device.refresh_from_db(fields=["status", "locked_until"])
    return DeviceUnusable.of(device)


def refuse(device: Device) -> None:
    """A bad attempt, counted already: in the caller's transaction, lock the device when it was the last one allowed."""
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


def attempts_left(device: Device) -> int:
    """Tries of the PIN before the next lock; 0 while the device is not active."""
    return max(MAX_FAILURES - device.failed_attempts, 0) if device.status == Device.Status.ACTIVE else 0
