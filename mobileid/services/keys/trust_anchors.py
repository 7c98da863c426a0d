"""The roll-over of the key that phones pin (docs/protocol.md, chapter 2, ``nextTrustAnchor``; docs/operating.md).

Announced first: every key document names the successor, signed by the present anchor, and phones remember it. Promoted
when phones have fetched a document since: one that slept through it all trusts no document until its app is updated.
"""

from datetime import timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from mobileid.models import Device, KeyStatus, TrustAnchor
from mobileid.services.keys import channel, p256
from reuseid.actors import Actor
from reuseid.errors import Conflict, Invalid, WrongState
from reuseid.models import Account, move
from reuseid.services import reasons
from reuseid.services.audit import trail

# A phone keeps a document for 24 hours, so an earlier promotion would lock out every phone that is in use.
NOTICE = timedelta(hours=48)


def upcoming(account: Account) -> TrustAnchor | None:
    """The account's announced next anchor; None where none is announced."""
    return TrustAnchor.objects.filter(account=account, status=KeyStatus.NEXT).first()


def uncertain(anchor: TrustAnchor) -> QuerySet:
    """Phones that may not know the announced anchor: nothing was proved with them since every kept document names it.

    Some of them do know it, since a phone fetches documents without proving anything.
    """
    known = anchor.created_at + channel.DOCUMENT_LIFE
    idle = Q(last_used_at=None) | Q(last_used_at__lt=known)
    return Device.objects.filter(idle, account=anchor.account_id, created_at__lt=known).exclude(
        status=Device.Status.DEACTIVATED
    )


@transaction.atomic
def announce(account: Account, *, actor: Actor, reason: str, note: str = "") -> TrustAnchor:
    """Make the successor and name it in every key document from now on; Conflict if one is announced already."""
    reasons.check(reason, note)
    _hold(account.pk)
    if upcoming(account):
        raise Conflict(_("A next trust anchor is announced already."))
    anchor = p256.fill(TrustAnchor(account=account, status=KeyStatus.NEXT))
    anchor.save(force_insert=True)
    trail.record(anchor, "trust_anchor.announced", actor=actor, reason=reason, note=note)
    transaction.on_commit(channel.forget)
    return anchor


@transaction.atomic
def promote(anchor: TrustAnchor, *, actor: Actor, reason: str, note: str = "", early: bool = False) -> TrustAnchor:
    """Sign with the announced anchor from now on; the old one's private half is erased.

    Conflict within 48 hours of the announcement, unless ``early``, whose note says why: the old anchor is known to
    others, say. WrongState when it is not announced any more.
    """
    reasons.check(reason, note)
    if early and not note.strip():
        raise Invalid.field("note", _("Say why phones can't be waited for."))
    _hold(anchor.account_id)
    others = TrustAnchor.objects.filter(account=anchor.account_id, status=KeyStatus.CURRENT).exclude(pk=anchor.pk)
    for former in others:
        move(former, KeyStatus.RETIRED, private_key=None)
    try:
        move(anchor, KeyStatus.CURRENT, guard={} if early else {"created_at__lte": Now() - NOTICE})
    except WrongState:
        if anchor.status != KeyStatus.NEXT:
            raise
        raise Conflict(
            _("Phones learn of a next trust anchor within 48 hours: it can't be promoted earlier.")
        ) from None
    changes = {"early": True} if early else {}
    trail.record(anchor, "trust_anchor.promoted", actor=actor, reason=reason, note=note, changes=changes)
    transaction.on_commit(channel.forget)
    return anchor


@transaction.atomic
def take_back(anchor: TrustAnchor, *, actor: Actor, reason: str, note: str = "") -> TrustAnchor:
    """Name no successor any more: phones forget it with their next document. WrongState unless it is announced."""
    reasons.check(reason, note)
    _hold(anchor.account_id)
    move(anchor, KeyStatus.RETIRED, guard={"status": KeyStatus.NEXT}, private_key=None)
    trail.record(anchor, "trust_anchor.taken_back", actor=actor, reason=reason, note=note)
    transaction.on_commit(channel.forget)
    return anchor


def _hold(account_id):
    """One roll-over of an account at a time."""
    Account.objects.select_for_update(no_key=True).get(pk=account_id)
