"""Erasures, carried out by a task in bounded steps; `people.erasure` asks for them.

What stays: the user's row under its id alone (the pseudonym), the trail, and the evidence of completed operations.
"""

from typing import Any

from django.db.models import Exists, F, OuterRef, QuerySet
from django.db.models.functions import Now

from reuseid import signals
from reuseid.actors import SYSTEM
from reuseid.crypto import Unreadable
from reuseid.models import (
    ApprovalRequest,
    Attribute,
    AttributeVersion,
    Delivery,
    DeliveryAttempt,
    Event,
    Proofing,
    User,
    UserNote,
)
from reuseid.services import idempotency, sweeping
from reuseid.services.audit import trail
from reuseid.services.jobs import bulk, exports
from reuseid.services.people.attributes import value_of
from reuseid.services.webhooks import outbox

STEP = 500


STEPS = 10  # of one run, for people with more rows than one step takes


def carry_out(limit: int = 50) -> int:
    """Take the next steps, each for up to ``limit`` users, accounts in turn; returns how many are finished.

    Attributes and contents go at once. What is still owed of a person names the external reference, and keeps that one
    erasure from being finished; it takes no turn from another.
    """
    asked = User.objects.filter(erasure_requested_at__isnull=False, erased_at=None).select_related("account")
    asked = asked.order_by("erasure_requested_at")
    for _ in range(STEPS):
        if not sweeping.sweep(asked.filter(emptied_at=None), _empty, limit=limit):
            break
    owed = Delivery.objects.filter(event__user_id=OuterRef("pk"), status=Delivery.Status.PENDING)
    return sweeping.sweep(asked.filter(~Exists(owed), emptied_at__isnull=False), _finish, limit=limit)


def _empty(user):
    """Erase up to 500 rows of each kind; once there are no more, all else that is personal in the person's rows."""
    if not _held(user, emptied_at=None):
        return False
    if not _is_empty(user):
        return True
    _forget(user)
    User.objects.filter(pk=user.pk).update(segment="", emptied_at=Now(), version=F("version") + 1, updated_at=Now())
    return True


def _finish(user: User) -> bool:
    """Once nothing is owed any more: the rest of the events, and the references themselves."""
    if not _held(user, emptied_at__isnull=False) or not _is_empty(user) or _owed_events(user).exists():
        return False
    # What the person's last act may have left meanwhile.
    _forget(user)
    User.objects.filter(pk=user.pk).update(
        external_ref=None, folded_ref=None, erased_at=Now(), version=F("version") + 1, updated_at=Now()
    )
    trail.record(user, "user.erased", actor=SYSTEM)
    return True


def _held(user: User, **still: Any) -> bool:
    """Whether this transaction has the row; a rival that has it does the same."""
    return (
        User.objects.select_for_update(skip_locked=True).filter(pk=user.pk, erased_at=None, **still).first() is not None
    )


def _is_empty(user: User) -> bool:
    """Delete up to STEP rows of each kind; whether none are left but events that are owed."""
    if user.emptied_at is None:
        bulk.forget(user, _texts(user))
    left = [
        _delete_some(AttributeVersion.objects.filter(user=user)),
        _delete_some(Attribute.objects.filter(user=user)),
        _delete_some(UserNote.objects.filter(user=user)),
        _delete_some(Event.objects.filter(user_id=user.pk).exclude(pk__in=_owed_events(user).values("pk"))),
    ]
    return not any(left)


def _forget(user):
    """Copies that lie elsewhere; safe to repeat."""
    for event in _owed_events(user).iterator():
        outbox.forget(event)
    DeliveryAttempt.objects.filter(delivery__event__user_id=user.pk).update(answer="")
    idempotency.forget(user)
    exports.forget(user)
    ApprovalRequest.objects.filter(user=user).update(note="", decision_note="")
    Proofing.objects.filter(user=user).update(reference=None, evidence_hash="")
    signals.user_erased.send(User, user=user, actor=SYSTEM, reason="")


def _texts(user: User) -> set[str]:
    """What somebody may have typed to name the person."""
    attributes = Attribute.objects.filter(user=user)[:STEP]
    values = {value for value in map(readable, attributes) if isinstance(value, str)}
    return values | ({user.external_ref} if user.external_ref else set())


def readable(attribute: Attribute) -> Any:
    """The attribute's value, or None where it does not open: what can't be read is erased all the same."""
    try:
        return value_of(attribute)
    except Unreadable:
        return None


def _owed_events(user):
    owed = Delivery.objects.filter(event=OuterRef("pk"), status=Delivery.Status.PENDING)
    return Event.objects.filter(Exists(owed), user_id=user.pk)


def _delete_some(rows: QuerySet) -> bool:
    """Delete up to STEP rows; whether there may be more."""
    some = list(rows.values_list("pk", flat=True)[:STEP])
    rows.model.objects.filter(pk__in=some).delete()
    return len(some) == STEP
