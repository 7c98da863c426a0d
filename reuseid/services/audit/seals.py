"""Tamper evidence of the trail: each minute its new lines go under a signed Merkle root (docs/decisions/0029).

Who can write to the database but lacks the key-encryption key can't change, add or remove a sealed line unseen. The
newest hash is logged, so that cutting off the end shows too where logs are kept elsewhere.
"""

import hashlib
import hmac
import json
import logging
import secrets
from array import array
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from reuseid.actors import SYSTEM, shown_actor
from reuseid.crypto import Unreadable
from reuseid.models import Account, TrailEntry, TrailKey, TrailSeal
from reuseid.models.sealed import seal_field, unseal_field
from reuseid.services.audit import trail
from reuseid.times import rfc3339

log = logging.getLogger(__name__)

BATCH = 5000
# A transaction ends within this time (a task at 120 s), so a line with a smaller id can't appear later.
SETTLED = timedelta(minutes=3)
COLUMNS = (
    *("id", "account_id", "at", "action", "object_type", "object_id", "user_id", "actor_type", "actor_id"),
    *("actor_label", "reason", "note", "trace_id", "changes"),
)

# From version 3 on the leaves of a seal begin with a secret of this length.
_SECRET = 32
# What lines noted of colleagues beside the actor when version 3 was made.
_OF_COLLEAGUES = {"asked_by"}


def leaf(entry: TrailEntry, secret: bytes = b"") -> bytes:
    """RFC 6962 leaf hash of a line: of its `leaf_input`, or, before version 3 and its ``secret``, of every column."""
    return hashlib.sha256(b"\0" + (leaf_input(entry, secret) if secret else _columns(entry))).digest()


def leaf_input(entry: TrailEntry, secret: bytes) -> bytes:
    """A line as a proof of it shows it, in ASCII: what integrators may read, and a keyed digest of every column.

    Nobody can guess the columns by the digest, nor another account's line by its leaf hash. Sealed for good: what
    integrators are to see beside it, or no more, takes a new version.
    """
    line = {
        "id": str(entry.pk),
        "time": rfc3339(entry.at),
        "action": entry.action,
        "objectType": entry.object_type,
        "objectId": entry.object_id,
        "actor": shown_actor(entry.actor_type, entry.actor_id),
        "reason": entry.reason or None,
        "traceId": entry.trace_id or None,
        "changes": {name: value for name, value in entry.changes.items() if name not in _OF_COLLEAGUES},
    }
    digest = hmac.digest(secret, _columns(entry), "sha256").hex()
    return json.dumps({"line": line, "digest": digest}, sort_keys=True, separators=(",", ":")).encode()


def _columns(entry: TrailEntry) -> bytes:
    values = [getattr(entry, column) for column in COLUMNS]
    return json.dumps(values, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=_plain).encode()


def _plain(value):
    return value.astimezone(UTC).isoformat(timespec="microseconds") if isinstance(value, datetime) else str(value)


def root(leaves: list[bytes]) -> bytes:
    """RFC 6962 Merkle tree hash of leaf hashes, of which there is at least one."""
    if len(leaves) == 1:
        return leaves[0]
    at = split(len(leaves))
    return hashlib.sha256(b"\1" + root(leaves[:at]) + root(leaves[at:])).digest()


def split(count: int) -> int:
    """Where the tree hash parts its leaves: the largest power of two below their number."""
    return 1 << (count - 1).bit_length() - 1


def unpack(one: TrailSeal) -> tuple[bytes, dict[int, bytes]]:
    """The secret of a seal, empty before version 3, and the ids and leaf hashes that it covers, in their order."""
    packed = bytes(one.leaves)
    start = _SECRET if one.version >= 3 else 0
    ids = range(start, len(packed), 40)
    return packed[:start], {int.from_bytes(packed[at : at + 8], "big"): packed[at + 8 : at + 40] for at in ids}


def pack(secret: bytes, leaves: dict[int, bytes]) -> bytes:
    """What `unpack` reads."""
    return secret + b"".join(number.to_bytes(8, "big") + digest for number, digest in leaves.items())


def seal() -> TrailSeal | None:
    """Seal up to 5000 lines that no seal covers; None when there are none or a rival was first."""
    settled = TrailSeal.objects.filter(at__lt=Now() - SETTLED).order_by("-number").first()
    recent = TrailSeal.objects.filter(number__gt=settled.number if settled else 0).order_by("number")
    covered = {number for one in recent for number in unpack(one)[1]}
    low = settled.last_id if settled else 0
    fresh = TrailEntry.objects.filter(pk__gt=low).order_by("pk").values_list("pk", flat=True)
    numbers = [number for number in fresh[: BATCH + len(covered)] if number not in covered][:BATCH]
    entries = TrailEntry.objects.in_bulk(numbers)
    secret = secrets.token_bytes(_SECRET)
    leaves = {number: leaf(entries[number], secret) for number in numbers}
    if not leaves:
        return None
    last = TrailSeal.objects.order_by("-number").first()
    made = TrailSeal(
        version=3,
        at=_database_now(),
        number=last.number + 1 if last else 1,
        first_id=min(leaves),
        last_id=max(leaves),
        count=len(leaves),
        leaves=pack(secret, leaves),
        root=root(list(leaves.values())).hex(),
        previous=last.hash if last else "",
    )
    return _sign(made)


def _sign(made):
    made.key = _key()
    made.hash = seal_hash(made)
    private = Ed25519PrivateKey.from_private_bytes(unseal_field(made.key, "private_key"))
    made.signature = private.sign(_signed(made)).hex()
    try:
        with transaction.atomic():
            made.save(force_insert=True)
    except IntegrityError:
        return None
    log.info("Trail seal %d over lines %d to %d: %s", made.number, made.first_id, made.last_id, made.hash)
    return made


def seal_hash(made: TrailSeal) -> str:
    """Over number, range, count, root and the hash of the seal before; from version 2 on the time, too."""
    if made.version >= 3:
        return hashlib.sha256(_signed(made)).hexdigest()
    fields = [made.number, made.first_id, made.last_id, made.count, made.root, made.previous]
    if made.version == 1:
        return hashlib.sha256(b"reuseid trail seal 1\0" + json.dumps(fields).encode()).hexdigest()
    return hashlib.sha256(b"reuseid trail seal 2\0" + json.dumps([*fields, _plain(made.at)]).encode()).hexdigest()


def _signed(one: TrailSeal) -> bytes:
    """What the key signs: the hash, from version 3 on what a JWS signs (RFC 7515, 5.1)."""
    if one.version < 3:
        return bytes.fromhex(one.hash)
    header = {"alg": "EdDSA", "kid": str(one.key_id), "typ": "reuseid-trail-seal+jws"}
    payload = {
        "number": one.number,
        "at": _plain(one.at),
        "firstId": str(one.first_id),
        "lastId": str(one.last_id),
        "treeSize": one.count,
        "rootHash": one.root,
        "previous": one.previous or None,
    }
    return b".".join(_b64u(json.dumps(part, separators=(",", ":")).encode()) for part in (header, payload))


def jws(one: TrailSeal) -> str:
    """A seal of version 3 as it is shown: compact, to verify with one of the `published_keys`."""
    return f"{_signed(one).decode()}.{_b64u(bytes.fromhex(one.signature)).decode()}"


def published_keys() -> list[dict]:
    """Our keys as those of a JWK set (RFC 8037)."""
    return [
        {"kty": "OKP", "crv": "Ed25519", "x": _b64u(public.public_bytes_raw()).decode()}
        | {"kid": str(pk), "use": "sig", "alg": "EdDSA"}
        for pk, public in _trusted_keys().items()
    ]


def _b64u(data: bytes) -> bytes:
    return urlsafe_b64encode(data).rstrip(b"=")


def mark_hash(one: TrailSeal) -> bytes:
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


def verify(progress: Callable[[int], object] = lambda number: None) -> str:
    """What is wrong first, as one sentence that names the line; empty when nothing is. ``progress`` gets each seal."""
    trusted, before, covered = _trusted_keys(), None, array("q")
    for one in TrailSeal.objects.order_by("number").iterator(chunk_size=20):
        if wrong := _check_seal(one, before, trusted) or _check_lines(one):
            return wrong
        covered.extend(unpack(one)[1])
        before = one
        progress(one.number)
    return _check_uncovered(covered)


def _trusted_keys():
    trusted = {}
    for key in TrailKey.objects.order_by("created_at"):
        try:
            private = Ed25519PrivateKey.from_private_bytes(unseal_field(key, "private_key"))
        except Unreadable:
            continue
        trusted[key.pk] = private.public_key()
    return trusted


def _check_seal(one: TrailSeal, before: TrailSeal | None, trusted: dict[object, Ed25519PublicKey]) -> str:
    if one.number != (before.number + 1 if before else 1):
        return f"Seal {before.number + 1 if before else 1} is missing."
    name = f"Seal {one.number} (lines {one.first_id} to {one.last_id})"
    if one.key_id not in trusted:
        return f"{name} is signed with a key that is not ours."
    _secret, leaves = unpack(one)
    fits = (
        one.previous == (before.hash if before else "")
        and one.hash == seal_hash(one)
        and one.count == len(leaves)
        and (min(leaves), max(leaves)) == (one.first_id, one.last_id)
        and one.root == root(list(leaves.values())).hex()
    )
    try:
        trusted[one.key_id].verify(bytes.fromhex(one.signature), _signed(one))
    except (InvalidSignature, ValueError):
        fits = False
    if not fits:
        return f"{name} was changed."
    return f"{name} was purged before its time." if one.purged_at and not _is_marked(one, trusted) else ""


def _is_marked(one: TrailSeal, trusted: dict[object, Ed25519PublicKey]) -> bool:
    """Whether we purged it, and not before its retention was over: nobody else's mark has our signature."""
    try:
        trusted[one.purge_key_id].verify(bytes.fromhex(one.purge_signature), mark_hash(one))
    except (KeyError, InvalidSignature, ValueError):
        return False
    return one.at <= one.purged_at - timedelta(days=one.purge_days)


def _check_lines(one: TrailSeal) -> str:
    if one.purged_at:
        return ""
    secret, leaves = unpack(one)
    present = TrailEntry.objects.in_bulk(list(leaves))
    for number in sorted(leaves):
        if number not in present:
            return f"Line {number} was removed (seal {one.number})."
        if leaf(present[number], secret) != leaves[number]:
            return f"Line {number} was changed (seal {one.number})."
    return ""


def _check_uncovered(covered: Iterable[int]) -> str:
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


def _check_before_purge(one: TrailSeal, trusted: dict[object, Ed25519PublicKey], days: int) -> str:
    before = TrailSeal.objects.filter(number=one.number - 1).first()
    if wrong := _check_seal(one, before, trusted) or _check_lines(one):
        return wrong
    # A seal of version 1 has no signed time; its lines have.
    young = TrailEntry.objects.filter(pk__in=list(unpack(one)[1]), at__gte=Now() - timedelta(days=days))
    return f"Seal {one.number} has lines that are younger than it says." if young.exists() else ""


@transaction.atomic
def _purge_one(one: TrailSeal, days: int) -> int:
    key = _key()
    one.purged_at, one.purge_days, one.purge_key = _database_now(), days, key
    private = Ed25519PrivateKey.from_private_bytes(unseal_field(key, "private_key"))
    signature = private.sign(mark_hash(one)).hex()
    marked = TrailSeal.objects.filter(pk=one.pk, purged_at=None).update(
        purged_at=one.purged_at, purge_days=days, purge_key=key, purge_signature=signature
    )
    if not marked:
        return 0
    gone, _ = TrailEntry.objects.filter(pk__in=list(unpack(one)[1])).delete()
    if account := Account.objects.order_by("created_at").first():
        trail.record(account, "trail.purged", actor=SYSTEM, changes={"seal": one.number, "lines": gone})
    return gone
