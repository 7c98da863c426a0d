"""How much of a person's there is on phones: for what will follow, and for what was before."""

from mobileid.models import Device, Operation
from reuseid.models import User

LIMIT = 100


def devices(user: User) -> int:
    """Devices that are not deactivated, counted up to 100."""
    return Device.objects.filter(user=user).exclude(status=Device.Status.DEACTIVATED)[:LIMIT].count()


def open_operations(user: User) -> int:
    """Operations that wait for an answer, counted up to 100."""
    return Operation.objects.open().filter(user=user)[:LIMIT].count()
