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
from reuseid.services.audit import trail

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
        version=2,
        at=_database_now(),
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
    """What is signed: number, range, count, root and the hash of the seal before; from version 2 on the time, too."""
    fields = [made.number, made.first_id, made.last_id, made.count, made.root, made.previous]
    if made.version == 1:
        return hashlib.sha256(b"reuseid trail seal 1\0" + json.dumps(fields).encode()).hexdigest()
    return hashlib.sha256(b"reuseid trail seal 2\0" + json.dumps([*fields, _plain(made.at)]).encode()).hexdigest()


def mark_hash(one) -> bytes:
    """What a purge signs: the seal with its time, when its lines went, and the retention in days."""
    fields = [one.number, one.hash, _plain(one.at), _plain(one.purged_at), one.purge_days]
    return hashlib.sha256(b"reuseid trail purge 1\0" + json.dumps(fields).encode()).digest()


def _database_now():
    # Any row will do: there is a line whenever one is sealed or purged.
    return TrailEntry.objects.annotate(now=Now()).values_list("now", flat=True)[:1].get()


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
    return f"{name} was purged before its time." if one.purged_at and not _is_marked(one, trusted) else ""


def _is_marked(one, trusted) -> bool:
    """Whether we purged it, and not before its retention was over: nobody else's mark has our signature."""
    try:
        trusted[one.purge_key_id].verify(bytes.fromhex(one.purge_signature), mark_hash(one))
    except (KeyError, InvalidSignature, ValueError):
        return False
    return one.at <= one.purged_at - timedelta(days=one.purge_days)


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


def purge(limit: int = 100) -> int:
    """Remove the lines of up to ``limit`` seals older than TRAIL_RETENTION_DAYS (0: never); returns how many lines.

    The seals stay, with a signed mark: the triggers let go of old lines that a marked seal covers, and `verify` refuses
    a mark that is not ours or came too early. What does not verify stays, as evidence, and keeps back no other.
    """
    days = settings.TRAIL_RETENTION_DAYS
    if not days:
        return 0
    trusted, gone, done = _trusted_keys(), 0, 0
    old = TrailSeal.objects.filter(purged_at=None, at__lt=Now() - timedelta(days=days)).order_by("number")
    for one in old.iterator(chunk_size=20):
        if wrong := _check_before_purge(one, trusted, days):
            log.error("Not purged: %s", wrong)
            continue
        gone, done = gone + _purge_one(one, days), done + 1
        if done >= limit:
            break
    return gone


def _check_before_purge(one, trusted, days) -> str:
    before = TrailSeal.objects.filter(number=one.number - 1).first()
    if wrong := _check_seal(one, before, trusted) or _check_lines(one):
        return wrong
    # A seal of version 1 has no signed time; its lines have.
    young = TrailEntry.objects.filter(pk__in=list(unpack(one.leaves)), at__gte=Now() - timedelta(days=days))
    return f"Seal {one.number} has lines that are younger than it says." if young.exists() else ""


@transaction.atomic
def _purge_one(one, days) -> int:
    key = _key()
    one.purged_at, one.purge_days, one.purge_key = _database_now(), days, key
    private = Ed25519PrivateKey.from_private_bytes(unseal_field(key, "private_key"))
    signature = private.sign(mark_hash(one)).hex()
    marked = TrailSeal.objects.filter(pk=one.pk, purged_at=None).update(
        purged_at=one.purged_at, purge_days=days, purge_key=key, purge_signature=signature
    )
    if not marked:
        return 0
    gone, _ = TrailEntry.objects.filter(pk__in=list(unpack(one.leaves))).delete()
    if account := Account.objects.order_by("created_at").first():
        trail.record(account, "trail.purged", actor=SYSTEM, changes={"seal": one.number, "lines": gone})
    return gone
