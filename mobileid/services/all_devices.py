"""One decision about all phones of a person: each is changed for itself, and each has its own outcome."""

from dataclasses import dataclass
from datetime import datetime

from mobileid.models import Device
from mobileid.services import devices
from reuseid.actors import Actor
from reuseid.errors import ServiceError, WrongState
from reuseid.models import User

LIMIT = 100


@dataclass(frozen=True)
class Outcome:
    """What became of one phone: ``refusal`` is None where it was changed."""

    device: Device
    refusal: ServiceError | None


def lock_all(user: User, *, actor: Actor, reason: str, note: str = "", until: datetime | None = None) -> list[Outcome]:
    """Lock every phone that is in use. Raises Invalid; what a phone's own state refuses is its outcome."""
    return _each(user, [Device.Status.ACTIVE], devices.lock, actor=actor, reason=reason, note=note, until=until)


def unlock_all(user: User, *, actor: Actor, reason: str, note: str = "") -> list[Outcome]:
    """Unlock every phone that is locked. Raises Invalid or CallerNotVerified."""
    return _each(user, [Device.Status.LOCKED], devices.unlock, actor=actor, reason=reason, note=note)


def deactivate_all(user: User, *, actor: Actor, reason: str, note: str = "") -> list[Outcome]:
    """End every phone for good. Raises Invalid."""
    states = Device.MOVES[Device.Status.DEACTIVATED]
    return _each(user, states, devices.deactivate, actor=actor, reason=reason, note=note)


def _each(user, states, service, **values):
    # Each in the service's own transaction: a rival who was first on one phone takes nothing from the others.
    rows = Device.objects.filter(user=user, status__in=states).select_related("application", "user", "account")
    outcomes = []
    for device in rows.order_by("created_at", "pk")[:LIMIT]:
        try:
            service(device, **values)
            outcomes.append(Outcome(device, None))
        except WrongState as refusal:
            outcomes.append(Outcome(device, refusal))
    return outcomes
