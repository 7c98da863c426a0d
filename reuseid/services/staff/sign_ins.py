"""Sign-ins of colleagues, and what was refused: rows of their own, kept for a time."""

from datetime import timedelta

from django.conf import settings
from django.db.models.functions import Now

from reuseid.models import Staff, StaffSignIn
from reuseid.services import sweeping

Outcome = StaffSignIn.Outcome


def record(staff: Staff | None, outcome: str, *, method: str = "", address: str = "") -> StaffSignIn:
    """Keep one step of signing in or out: its outcome, the method and the client's address (45 characters of it).

    ``staff`` is None for a name that nobody has; the name is not kept, for what was typed might be a password.
    """
    staff_id = staff.pk if staff else None
    return StaffSignIn.objects.create(staff_id=staff_id, outcome=outcome, method=method, address=address[:45])


def record_refusal(username: str, *, address: str = "") -> None:
    """Keep that a password was refused for ``username``, which may be nobody's."""
    staff = Staff.objects.filter(username=username).first() if "\0" not in username else None
    record(staff, Outcome.PASSWORD_REFUSED, address=address)


def purge(limit: int) -> int:
    """Delete up to ``limit`` rows older than SIGN_IN_RETENTION_DAYS."""
    past = Now() - timedelta(days=settings.SIGN_IN_RETENTION_DAYS)
    return sweeping.delete(StaffSignIn.objects.filter(at__lt=past).order_by("at"), limit)
