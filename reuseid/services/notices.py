"""What a colleague should look at: kept until somebody has seen it, and said in the log at once."""

import logging

from django.db.models.functions import Now

from reuseid.models import Staff, StaffNotice

log = logging.getLogger(__name__)


def tell(obj, code: str, text: str) -> StaffNotice:
    """Leave a notice about ``obj``; ``text`` is a sentence of at most 300 characters without personal values."""
    log.error("%s %s: %s", code, obj.pk, text)
    return StaffNotice.objects.create(
        account_id=getattr(obj, "account_id", None),
        code=code,
        text=text[:300],
        object_type=obj._meta.model_name,
        object_id=str(obj.pk),
    )


def mark_seen(notice: StaffNotice, *, staff: Staff) -> bool:
    """True for the colleague who was first."""
    return bool(StaffNotice.objects.filter(pk=notice.pk, seen_at=None).update(seen_at=Now(), seen_by=staff))
