"""The keys that sign consent JWTs. Private halves are erased at retirement; public ones stay published for good."""

import time
from datetime import timedelta
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from django.db import transaction
from django.db.models.functions import Now

from mobileid.models import KeyStatus, SigningKey
from mobileid.services.keys import p256
from mobileid.services.keys.expiring import Expiring
from reuseid.actors import SYSTEM, Actor
from reuseid.models import Account, move
from reuseid.services.audit import trail

LIFE = timedelta(days=90)
# Verifiers that cache the JWKS learn a key this long before it signs.
NOTICE = timedelta(days=2)
_KEEP_SECONDS = 60

_loaded = Expiring(4096)


def forget() -> None:
    """Drop the private keys that this process keeps."""
    _loaded.clear()


def current_signing_key(account_id: UUID) -> tuple[str, EllipticCurvePrivateKey]:
    """``(kid, private key)`` of the account's key in use, read again every minute and kept no longer.

    So one that another process retired is gone from here too.
    """
    kept = _loaded.get(account_id)
    if kept is None:
        row = SigningKey.objects.get(account=account_id, status=KeyStatus.CURRENT)
        kept = str(row.pk), p256.load(row)
        _loaded.put(account_id, kept, until=time.time() + _KEEP_SECONDS)
    return kept


def published_keys() -> list[dict]:
    """Every signing key ever used or announced, of all accounts, as a JWK set's keys (RFC 7517)."""
    rows = SigningKey.objects.order_by("created_at", "pk").values_list("pk", "public_jwk")
    return [jwk | {"kid": str(kid), "use": "sig", "alg": "ES256"} for kid, jwk in rows]


@transaction.atomic
def announce_signing_key(account: Account, *, actor: Actor = SYSTEM) -> SigningKey:
    """Publish the account's next key before it signs; gives the announced one if there is one."""
    Account.objects.select_for_update(no_key=True).get(pk=account.pk)
    row = SigningKey.objects.filter(account=account, status=KeyStatus.NEXT).first()
    if row is None:
        row = p256.fill(SigningKey(account=account, status=KeyStatus.NEXT))
        row.save(force_insert=True)
        trail.record(row, "signing_key.announced", actor=actor)
    return row


@transaction.atomic
def rotate_signing_key(account: Account, *, actor: Actor = SYSTEM, reason: str = "") -> SigningKey:
    """Sign with the announced key, or with a new one, from now on; the old private half is erased."""
    upcoming = announce_signing_key(account, actor=actor)
    current = SigningKey.objects.filter(account=account, status=KeyStatus.CURRENT).first()
    if current:
        move(current, KeyStatus.RETIRED, private_key=None)
    move(upcoming, KeyStatus.CURRENT)
    trail.record(upcoming, "signing_key.rotated", actor=actor, reason=reason)
    transaction.on_commit(forget)
    return upcoming


def rotate_signing_key_when_due(account: Account) -> None:
    """Announce the next key two days (NOTICE) before the current one is 90 days old (LIFE), then rotate.

    Called by the schedule; safe to repeat. An account without a key gets one at once.
    """
    in_use = SigningKey.objects.filter(account=account, status=KeyStatus.CURRENT)
    if not in_use.exists() or in_use.filter(created_at__lte=Now() - LIFE).exists():
        upcoming = SigningKey.objects.filter(account=account, status=KeyStatus.NEXT)
        if not in_use.exists() or upcoming.filter(created_at__lte=Now() - NOTICE).exists():
            rotate_signing_key(account)
            return
    if in_use.filter(created_at__lte=Now() - LIFE + NOTICE).exists():
        announce_signing_key(account)
