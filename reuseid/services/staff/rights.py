"""What a colleague may do now: asked again where work that they asked for is done later, by a worker."""

from uuid import UUID

from reuseid.errors import STAFF, Conflict
from reuseid.models import Staff


class NotAllowed(Conflict):
    """The colleague may not, or not any more."""

    code = "not_allowed"
    audience = STAFF
    title = "Your roles or your accounts don't allow this."


def colleague(staff_id: int, account_id: UUID, *rights: str) -> Staff | None:
    """The colleague as they are now, if they may sign in, see the account and have all the rights; else None."""
    staff = Staff.objects.filter(pk=staff_id, is_active=True, is_staff=True).first()
    if staff is None or not staff.has_perms(rights):
        return None
    if staff.is_superuser or staff.accounts.filter(pk=account_id).exists():
        return staff
    return None


def check(staff_id: int, account_id: UUID, *rights: str) -> Staff:
    """The colleague as `colleague` finds them; raises NotAllowed where there is none."""
    staff = colleague(staff_id, account_id, *rights)
    if staff is None:
        raise NotAllowed
    return staff
