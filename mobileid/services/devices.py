"""What may happen to a phone: lock, unlock, deactivate, rename; each with its trail line and its event."""

from datetime import datetime

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from mobileid.models import Device
from mobileid.models.devices import LOCK_OVER
from mobileid.protocol.content import ContentInvalid, check_text
from mobileid.services import completion
from mobileid.services.device_changes import retire, tell
from reuseid.actors import SYSTEM, Actor
from reuseid.errors import Invalid
from reuseid.models import User, move
from reuseid.services import reasons, sweeping
from reuseid.services.audit import trail
from reuseid.services.people import caller_verification

NAME_LIMIT = 64


@transaction.atomic
def lock(device: Device, *, actor: Actor, reason: str, note: str = "", until: datetime | None = None) -> Device:
    """Make a phone unusable, until a time or (None) until it is unlocked.

    A lock for a time may be replaced, as when a phone locked after wrong PINs turns out to be stolen; a lasting one
    may not: WrongState. Raises Invalid for a time that is over.
    """
    reasons.check(reason, note)
    if until is not None and until <= timezone.now():
        raise Invalid.field("until", _("Must be in the future."))
    guard = {"status": Device.Status.ACTIVE}
    if device.status == Device.Status.LOCKED:
        guard = {"status": Device.Status.LOCKED, "locked_until__isnull": False}
    move(
        device,
        Device.Status.LOCKED,
        guard=guard,
        lock_reason=reason,
        locked_until=until,
        status_since=Now(),
    )
    return tell(device, "locked", actor=actor, reason=reason, note=note)


@transaction.atomic
def unlock(device: Device, *, actor: Actor, reason: str, note: str = "") -> Device:
    """Make a locked phone usable again and forget its failed attempts; WrongState when it is not locked.

    Raises CallerNotVerified where colleagues must have verified the caller.
    """
    reasons.check(reason, note)
    caller_verification.require(device.user_id, actor=actor)
    return _unlock(device, actor=actor, reason=reason, note=note, lock_count=0)


def _unlock(device, *, actor, reason, note="", guard=None, **changes):
    move(
        device,
        Device.Status.ACTIVE,
        guard={"status": Device.Status.LOCKED, **(guard or {})},
        lock_reason="",
        locked_until=None,
        failed_attempts=0,
        status_since=Now(),
        **changes,
    )
    return tell(device, "unlocked", actor=actor, reason=reason, note=note)


@transaction.atomic
def deactivate(device: Device, *, actor: Actor, reason: str, note: str = "") -> Device:
    """End a phone for good and cancel what waits for it alone; its secrets are erased, its public key is evidence.

    WrongState when that has happened before.
    """
    reasons.check(reason, note)
    return _deactivate(device, actor=actor, reason=reason, note=note)


def _deactivate(device, *, actor, reason, note=""):
    retire(device, actor=actor, reason=reason, note=note)
    completion.cancel_all_of_device(device, actor=actor, reason="DEVICE_DEACTIVATED")
    return device


def hold_all(user: User) -> None:
    """Lock the rows of a person's phones that may be approving: phone before operation, as when one is judged."""
    rows = Device.objects.filter(user=user, status__in=[Device.Status.ACTIVE, Device.Status.LOCKED])
    list(rows.order_by("pk").select_for_update(no_key=True).values_list("pk"))


def deactivate_with_user(user: User, *, actor: Actor, reason: str) -> None:
    """Deactivate every phone of a person who is deactivated, in the caller's transaction."""
    for device in (
        Device.objects.filter(user=user).exclude(status=Device.Status.DEACTIVATED).select_related("application")
    ):
        _deactivate(device, actor=actor, reason=reason)


@transaction.atomic
def activate(device: Device, *, actor: Actor, reason: str = "") -> Device:
    """PENDING to ACTIVE: the phone may be used from now on. Raises WrongState."""
    move(device, Device.Status.ACTIVE, guard={"status": Device.Status.PENDING}, status_since=Now())
    return tell(device, "activated", actor=actor, reason=reason)


@transaction.atomic
def rename(device: Device, name: str, *, actor: Actor) -> Device:
    """Give a phone the name that its person sees: 1 to 64 characters without control characters."""
    check_name(name)
    before = device.name
    if name != before:
        Device.objects.filter(pk=device.pk).update(name=name)
        device.name = name
        trail.record(device, "device.renamed", actor=actor)
    return device


def check_name(name: str, field: str = "name") -> None:
    """Raise Invalid for a device name that can't be shown."""
    try:
        check_text(name, field)
    except ContentInvalid as error:
        raise Invalid.field(field, error.reason) from error
    if not name.strip() or len(name) > NAME_LIMIT:
        raise Invalid.field(field, _("1 to %(limit)s characters.") % {"limit": NAME_LIMIT})


@transaction.atomic
def end_lock(device: Device) -> Device:
    """Unlock a phone whose lock for a time is over by the database's clock; WrongState otherwise.

    The count of locks stays: the next one is longer.
    """
    return _unlock(device, actor=SYSTEM, reason="LOCK_OVER", guard={"locked_until__lte": Now()})


def end_lapsed_locks(limit: int = 200) -> int:
    """What `end_lock` does, for up to ``limit`` phones, accounts in turn; rivals take different ones. How many."""
    due = Device.objects.filter(LOCK_OVER).select_related("application").order_by("locked_until")
    return sweeping.sweep(due, end_lock, limit=limit, together=True)
