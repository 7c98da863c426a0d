"""Erasure in two steps: asked for at once, carried out by a task in bounded steps.

What stays: the user's row under its id alone (the pseudonym), the trail, and the evidence of completed operations.
"""

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from reuseid import signals
from reuseid.actors import SYSTEM, Actor
from reuseid.errors import Conflict
from reuseid.models import Attribute, AttributeVersion, Delivery, Event, Proofing, User, UserNote
from reuseid.services import reasons, trail, users
from reuseid.services.user_changes import reload
from reuseid.services.wake import wake

STEP = 500


class AlreadyAsked(Conflict):
    """Erasure was asked for before."""

    code = "erasure_requested"
    title = "Erasure was asked for already."


@transaction.atomic
def request(user, *, actor: Actor, reason: str, note: str = "", asked_by: Actor | None = None) -> User:
    """Deactivate the user if need be and owe the erasure. Raises Invalid or AlreadyAsked.

    ``asked_by`` is the first of two colleagues, where the actor is the second (`requests`).
    """
    reasons.check(reason, note)
    asked = User.objects.filter(pk=user.pk, erasure_requested_at=None)
    if not asked.update(erasure_requested_at=Now(), version=F("version") + 1, updated_at=Now()):
        raise AlreadyAsked
    reload(user)
    if user.status != User.Status.DEACTIVATED:
        users.deactivate(user, actor=actor, reason=reason, note=note, asked_by=asked_by)
    changes = {"asked_by": asked_by.id} if asked_by else None
    trail.record(user, "user.erasure_requested", actor=actor, reason=reason, note=note, changes=changes)
    wake("reuseid.tasks.erase_users")
    return user


def carry_out(limit: int = 50) -> int:
    """Take the next step for up to ``limit`` users, each in its own transaction; returns how many are finished."""
    owed = User.objects.filter(erasure_requested_at__isnull=False, erased_at=None).select_related("account")
    return sum(_step(user) for user in owed.order_by("erasure_requested_at")[:limit])


@transaction.atomic
def _step(user) -> bool:
    """Erase up to 500 rows of each kind; True when nothing personal is left. A rival finds nothing to do."""
    if not User.objects.select_for_update().filter(pk=user.pk, erased_at=None).exists():
        return False
    left = [
        _delete_some(AttributeVersion.objects.filter(user=user)),
        _delete_some(Attribute.objects.filter(user=user)),
        _delete_some(UserNote.objects.filter(user=user)),
        _forget_events(user),
    ]
    if any(left):
        return False
    Proofing.objects.filter(user=user).update(reference=None, evidence_hash="")
    signals.user_erased.send(User, user=user, actor=SYSTEM, reason="")
    User.objects.filter(pk=user.pk).update(
        external_ref=None,
        folded_ref=None,
        segment="",
        erased_at=Now(),
        version=F("version") + 1,
        updated_at=Now(),
    )
    trail.record(user, "user.erased", actor=SYSTEM)
    return True


def _delete_some(rows) -> bool:
    """Delete up to STEP rows; whether there may be more."""
    some = list(rows.values_list("pk", flat=True)[:STEP])
    rows.model.objects.filter(pk__in=some).delete()
    return len(some) == STEP


def _forget_events(user) -> bool:
    # Those of phones and operations too. One that is still owed names the external reference, and goes once it is
    # delivered or given up.
    events = Event.objects.filter(user_id=user.pk)
    if Delivery.objects.filter(event__in=events, status=Delivery.Status.PENDING).exists():
        return True
    return _delete_some(events)
