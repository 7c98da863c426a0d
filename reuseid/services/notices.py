"""What a colleague should look at: kept until somebody has seen it, and said in the log at once."""

import logging
from uuid import UUID

from django.db.models import Model
from django.db.models.functions import Now

from reuseid.actors import Actor
from reuseid.models import StaffNotice, kind_of

log = logging.getLogger(__name__)


def tell(obj: Model, code: str, text: str, *, account_id: UUID | None = None) -> StaffNotice:
    """Leave a notice about ``obj``; ``text`` is a sentence of at most 300 characters without personal values.

    ``account_id`` says whose colleagues read it, where ``obj`` belongs to no account.
    """
    log.error("%s %s: %s", code, obj.pk, text)
    return StaffNotice.objects.create(
        account_id=account_id or getattr(obj, "account_id", None),
        code=code,
        text=text[:300],
        object_type=kind_of(obj),
        object_id=str(obj.pk),
    )


def is_about(notice: StaffNotice | None, staff_id: int) -> bool:
    """Whether the notice is about the colleague of this key; False for None."""
    return notice is not None and (notice.object_type, notice.object_id) == ("staff", str(staff_id))


def mark_seen(notice: StaffNotice, *, actor: Actor) -> bool:
    """Mark the notice as seen by the colleague who acts.

    True for who was first; False for who came later, and for the colleague whom it is about.
    """
    if is_about(notice, actor.staff_id):
        return False
    return bool(StaffNotice.objects.filter(pk=notice.pk, seen_at=None).update(seen_at=Now(), seen_by=actor.staff_id))
