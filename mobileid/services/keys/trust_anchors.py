"""The roll-over of the key that phones pin (docs/protocol.md, chapter 2, ``nextTrustAnchor``).

Announced first: every key document names the successor, signed by the present anchor, and phones remember it. Promoted
when the phones that matter have asked for a document since; one that slept through it all must be registered anew.
"""

from datetime import timedelta

from django.db import transaction
from django.db.models.functions import Now

from mobileid.models import KeyStatus, TrustAnchor
from mobileid.services.keys import channel, p256
from reuseid.errors import Conflict, Unknown
from reuseid.models import Account, move
from reuseid.services.audit import trail

# A phone keeps a document for 24 hours, so an earlier promotion would lock out every phone that is in use.
NOTICE = timedelta(hours=48)


@transaction.atomic
def announce_trust_anchor(account, *, actor, reason: str = "") -> TrustAnchor:
    """Make the successor and name it in every key document from now on; Conflict if one is announced already."""
    Account.objects.select_for_update(no_key=True).get(pk=account.pk)
    if TrustAnchor.objects.filter(account=account, status=KeyStatus.NEXT).exists():
        raise Conflict("A next trust anchor is announced already.")
    row = p256.fill(TrustAnchor(account=account, status=KeyStatus.NEXT))
    row.save(force_insert=True)
    trail.record(row, "trust_anchor.announced", actor=actor, reason=reason)
    transaction.on_commit(channel.forget)
    return row


@transaction.atomic
def promote_trust_anchor(account, *, actor, reason: str = "") -> TrustAnchor:
    """Sign with the announced anchor; the old private half is erased.

    Raises Unknown when none is announced and Conflict within its first 48 hours.
    """
    Account.objects.select_for_update(no_key=True).get(pk=account.pk)
    upcoming = TrustAnchor.objects.filter(account=account, status=KeyStatus.NEXT)
    row = upcoming.first()
    if row is None:
        raise Unknown("No next trust anchor is announced.")
    if not upcoming.filter(created_at__lte=Now() - NOTICE).exists():
        raise Conflict("Phones learn of a next trust anchor within 48 hours: it can't be promoted earlier.")
    move(TrustAnchor.objects.get(account=account, status=KeyStatus.CURRENT), KeyStatus.RETIRED, private_key=None)
    move(row, KeyStatus.CURRENT)
    trail.record(row, "trust_anchor.promoted", actor=actor, reason=reason)
    transaction.on_commit(channel.forget)
    return row
