"""Who looked at a person: a line for the page that was opened, a line and a minute for a value that was shown."""

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Model
from django.db.models.functions import Now

from reuseid.actors import Actor
from reuseid.models import Attribute, Reveal, User, UserAccess
from reuseid.services import reasons, sweeping
from reuseid.services.audit import trail

SHOWN = timedelta(minutes=1)
"""How long a revealed value is shown."""
ONE_LINE = timedelta(minutes=10)
"""A colleague who opens the same person again within this time leaves no second line."""
KEPT = timedelta(days=1)


@transaction.atomic
def viewed(user: User, *, actor: Actor) -> bool:
    """Note in the trail that a colleague opened the person's page, at most once in ONE_LINE.

    True where this one left the line; of two at once one does.
    """
    mine = UserAccess.objects.filter(staff=actor.staff_id, user=user)
    if mine.filter(at__gt=Now() - ONE_LINE).exists():
        return False
    if not mine.filter(at__lte=Now() - ONE_LINE).update(at=Now()):
        try:
            with transaction.atomic():
                UserAccess.objects.create(account_id=user.account_id, staff_id=actor.staff_id, user=user)
        except IntegrityError:
            return False
    trail.record(user, "user.viewed", actor=actor)
    return True


@transaction.atomic
def reveal(row: Model, *, actor: Actor, reason: str, note: str = "") -> Reveal:
    """Let one colleague read what a row hides for a minute: of an account, of a person or of none yet. Raises Invalid.

    The line names which one and why; the value is read by the page, while the minute lasts (`shown_to`, `until`).
    """
    reasons.check(reason, note)
    kind = row._meta.model_name
    changes = {"name": row.name} if isinstance(row, Attribute) else {}
    trail.record(row, f"{kind}.revealed", actor=actor, reason=reason, note=note, changes=changes)
    return Reveal.objects.create(
        account_id=row.account_id,
        staff_id=actor.staff_id,
        user_id=row.user_id,
        object_type=kind,
        object_id=row.pk,
        expires_at=Now() + SHOWN,
    )


def shown_to(user: User, *, staff_id: int) -> dict:
    """``{(kind, id): when it ends}`` of what the colleague may read of this person now, by the database's clock."""
    rows = Reveal.objects.filter(user=user, staff=staff_id, expires_at__gt=Now()).order_by("expires_at")
    return {(kind, pk): end for kind, pk, end in rows.values_list("object_type", "object_id", "expires_at")}


def until(row: Model, *, staff_id: int) -> datetime | None:
    """When the minute ends in which the colleague may read what this very row hides, by the database's clock.

    None where there is no such minute now.
    """
    rows = Reveal.objects.filter(staff=staff_id, object_type=row._meta.model_name, object_id=row.pk)
    return rows.filter(expires_at__gt=Now()).order_by("expires_at").values_list("expires_at", flat=True).last()


def purge_reveals(limit: int) -> int:
    """Delete up to ``limit`` reveals whose minute is over; the trail keeps the line."""
    return sweeping.delete(Reveal.objects.filter(expires_at__lt=Now()).order_by("expires_at"), limit)


def purge_views(limit: int) -> int:
    """Delete up to ``limit`` rows that hold back no line any more; the trail keeps the lines."""
    return sweeping.delete(UserAccess.objects.filter(at__lt=Now() - KEPT).order_by("at"), limit)
