"""Tamper evidence of the trail: each minute its new lines go under a signed Merkle root.

Who can write to the database but lacks the key-encryption key can't change, add or remove a sealed line unseen. The
newest hash is logged, so that cutting off the end shows too where logs are kept elsewhere.
"""

import hashlib
import json
import logging
from array import array
from datetime import UTC, datetime, timedelta

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from reuseid.actors import SYSTEM
from reuseid.crypto import Unreadable
from reuseid.models import Account, TrailEntry, TrailKey, TrailSeal
from reuseid.models.sealed import seal_field, unseal_field
from reuseid.services import trail

log = logging.getLogger(__name__)

BATCH = 5000
# A transaction ends within this time (a task at 120 s), so a line with a smaller id can't appear later.
SETTLED = timedelta(minutes=3)
COLUMNS = (
    *("id", "account_id", "at", "action", "object_type", "object_id", "user_id", "actor_type", "actor_id"),
    *("actor_label", "reason", "note", "trace_id", "changes"),
)


def leaf(entry) -> bytes:
    """RFC 6962 leaf hash of every column of a line."""
    values = [getattr(entry, column) for column in COLUMNS]
    text = json.dumps(values, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=_plain)
    return hashlib.sha256(b"\0" + text.encode()).digest()


def _plain(value):
    return value.astimezone(UTC).isoformat(timespec="microseconds") if isinstance(value, datetime) else str(value)


def root(leaves: list[bytes]) -> bytes:
    """RFC 6962 Merkle tree hash of leaf hashes, of which there is at least one."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + root(leaves[:split]) + root(leaves[split:])).digest()


def unpack(packed: bytes) -> dict[int, bytes]:
    """The ids and leaf hashes that a seal covers."""
    packed = bytes(packed)
    return {int.from_bytes(packed[at : at + 8], "big"): packed[at + 8 : at + 40] for at in range(0, len(packed), 40)}


def seal() -> TrailSeal | None:
    """Seal up to 5000 lines that no seal covers; None when there are none or a rival was first."""
    settled = TrailSeal.objects.filter(at__lt=Now() - SETTLED).order_by("-number").first()
    recent = TrailSeal.objects.filter(number__gt=settled.number if settled else 0).order_by("number")
    covered = {number for one in recent for number in unpack(one.leaves)}
    low = settled.last_id if settled else 0
    fresh = TrailEntry.objects.filter(pk__gt=low).order_by("pk").values_list("pk", flat=True)
    numbers = [number for number in fresh[: BATCH + len(covered)] if number not in covered][:BATCH]
    entries = TrailEntry.objects.in_bulk(numbers)
    leaves = {number: leaf(entries[number]) for number in numbers}
    if not leaves:
        return None
    last = TrailSeal.objects.order_by("-number").first()
    made = TrailSeal(
        number=last.number + 1 if last else 1,
        first_id=min(leaves),
        last_id=max(leaves),
        count=len(leaves),
        leaves=b"".join(number.to_bytes(8, "big") + digest for number, digest in leaves.items()),
        root=root(list(leaves.values())).hex(),
        previous=last.hash if last else "",
    )
    return _sign(made)


def _sign(made):
    key = _key()
    made.hash = seal_hash(made)
    made.key = key
    private = Ed25519PrivateKey.from_private_bytes(unseal_field(key, "private_key"))
    made.signature = private.sign(bytes.fromhex(made.hash)).hex()
    try:
        with transaction.atomic():
            made.save(force_insert=True)
    except IntegrityError:
        return None
    log.info("Trail seal %d over lines %d to %d: %s", made.number, made.first_id, made.last_id, made.hash)
    return made


def seal_hash(made) -> str:
    """What is signed: number, range, count, root and the hash of the seal before."""
    fields = [made.number, made.first_id, made.last_id, made.count, made.root, made.previous]
    return hashlib.sha256(b"reuseid trail seal 1\0" + json.dumps(fields).encode()).hexdigest()


def _key():
    key = TrailKey.objects.order_by("-created_at").first()
    if key is None:
        private = Ed25519PrivateKey.generate()
        key = TrailKey(public_key=private.public_key().public_bytes_raw().hex())
        seal_field(key, "private_key", private.private_bytes_raw())
        key.save(force_insert=True)
    return key


def verify(progress=lambda number: None) -> str:
    """What is wrong first, as one sentence that names the line; empty when nothing is. ``progress`` gets each seal."""
    trusted, before, covered = _trusted_keys(), None, array("q")
    for one in TrailSeal.objects.order_by("number").iterator(chunk_size=20):
        if wrong := _check_seal(one, before, trusted) or _check_lines(one):
            return wrong
        covered.extend(unpack(one.leaves))
        before = one
        progress(one.number)
    return _check_uncovered(covered)


def _trusted_keys():
    trusted = {}
    for key in TrailKey.objects.all():
        try:
            private = Ed25519PrivateKey.from_private_bytes(unseal_field(key, "private_key"))
        except Unreadable:
            continue
        trusted[key.pk] = private.public_key()
    return trusted


def _check_seal(one, before, trusted: dict[object, Ed25519PublicKey]) -> str:
    if one.number != (before.number + 1 if before else 1):
        return f"Seal {before.number + 1 if before else 1} is missing."
    name = f"Seal {one.number} (lines {one.first_id} to {one.last_id})"
    if one.key_id not in trusted:
        return f"{name} is signed with a key that is not ours."
    leaves = unpack(one.leaves)
    fits = (
        one.previous == (before.hash if before else "")
        and one.hash == seal_hash(one)
        and one.count == len(leaves)
        and (min(leaves), max(leaves)) == (one.first_id, one.last_id)
        and one.root == root(list(leaves.values())).hex()
    )
    try:
        trusted[one.key_id].verify(bytes.fromhex(one.signature), bytes.fromhex(one.hash))
    except (InvalidSignature, ValueError):
        fits = False
    if not fits:
        return f"{name} was changed."
    if one.purged_at and not _expired(one):
        return f"{name} was purged before its time."
    return ""


def _check_lines(one) -> str:
    if one.purged_at:
        return ""
    leaves = unpack(one.leaves)
    present = TrailEntry.objects.in_bulk(list(leaves))
    for number in sorted(leaves):
        if number not in present:
            return f"Line {number} was removed (seal {one.number})."
        if leaf(present[number]) != leaves[number]:
            return f"Line {number} was changed (seal {one.number})."
    return ""


def _check_uncovered(covered) -> str:
    """A settled line that no seal covers was put in afterwards."""
    known = set(covered)
    settled = TrailSeal.objects.filter(at__lt=Now() - SETTLED).order_by("-number").first()
    if settled is None:
        return ""
    numbers = TrailEntry.objects.filter(pk__lte=settled.last_id).order_by("pk").values_list("pk", flat=True)
    for number in numbers.iterator(chunk_size=10_000):
        if number not in known:
            return f"Line {number} was put in after its time."
    return ""


def _expired(one) -> bool:
    days = settings.TRAIL_RETENTION_DAYS
    return bool(days) and one.at < (one.purged_at or datetime.now(UTC)) - timedelta(days=days)


def purge(limit: int = 100) -> int:
    """Remove the lines of up to ``limit`` seals older than TRAIL_RETENTION_DAYS (0: never); returns how many lines.

    The seals stay, marked: the triggers let go of a line only when a marked seal covers it, and `verify` refuses a mark
    that came too early.
    """
    if not settings.TRAIL_RETENTION_DAYS:
        return 0
    old = TrailSeal.objects.filter(
        purged_at=None, at__lt=Now() - timedelta(days=settings.TRAIL_RETENTION_DAYS)
    ).order_by("number")
    return sum(_purge_one(one) for one in old[:limit])


@transaction.atomic
def _purge_one(one) -> int:
    if not TrailSeal.objects.filter(pk=one.pk, purged_at=None).update(purged_at=Now()):
        return 0
    gone, _ = TrailEntry.objects.filter(pk__in=list(unpack(one.leaves))).delete()
    if account := Account.objects.order_by("created_at").first():
        trail.record(account, "trail.purged", actor=SYSTEM, changes={"seal": one.number, "lines": gone})
    return gone
