"""Which phone speaks, and whether it may: the first questions of every message (docs/protocol.md, chapter 7)."""

import re
import uuid
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from django.db.models import FilteredRelation, Q

from mobileid.models import Application, Device
from mobileid.problems import AuthenticationFailed, DeviceUnusable, VersionUnsupported
from mobileid.protocol import proofs
from mobileid.services import devices
from reuseid.errors import WrongState
from reuseid.models import Account, User
from reuseid.prepared import Param, Select

_NUMBERS = re.compile(r"\d+")
_ADDRESSED: Select[Application] = Select(
    lambda: (
        Application.objects.filter(pk=Param("application"), account__status=Account.Status.ACTIVE)
        .annotate(named=FilteredRelation("devices", condition=Q(devices__pk=Param("device"))))
        .select_related("account", "named__user")
    )
)


def find(application_id: uuid.UUID, device_id: uuid.UUID | None) -> Application | None:
    """The application with, as ``named``, the device of it that a statement names; None in a blocked account.

    One look-up for both, so an unknown device takes the same time. Nothing is proven by it: `identify` verifies.
    """
    application = _ADDRESSED.one(application=application_id, device=device_id)
    if application is None:
        return None
    # Django sets nothing where the join found nothing.
    application.named = device = getattr(application, "named", None)
    if device is not None:
        device.application, device.account = application, application.account
        device.user.account = application.account
    return application


def identify(device: Device | None, proof: proofs.Proof, suite: int) -> Device:
    """The device, as `find` gave it, whose possession key signed the statement; ``suite`` sealed its message.

    Whatever fails is one AuthenticationFailed at one cost, and counts nothing: nobody can lock another's phone from
    afar. An unknown device is verified against a key that nobody has.
    """
    key = proofs.public_key_from_jwk(device.possession_jwk) if device else proofs.DUMMY_POSSESSION_KEY
    if not proof.verify(proofs.POSSESSION, key) or device is None:
        raise AuthenticationFailed
    _note(device, suite=suite, heard_at=device.heard_at or datetime.now(UTC))
    return device


def require_usable(device: Device) -> None:
    """Raise DeviceUnusable unless device, user and account are active; a lock that is over ends here."""
    _end_lock(device)
    active = (
        device.status == Device.Status.ACTIVE
        and device.user.status == User.Status.ACTIVE
        and device.account.status == Account.Status.ACTIVE
    )
    if not active:
        raise DeviceUnusable.of(device)


def _end_lock(device: Device) -> None:
    if device.status == Device.Status.LOCKED and device.locked_until:
        with suppress(WrongState):
            devices.end_lock(device)


def require_version(application: Application, sdk_version: str) -> None:
    """Raise VersionUnsupported for an SDK below the application's minimum."""
    if is_too_old(application, sdk_version):
        raise VersionUnsupported(minimum=application.min_sdk_version)


def is_too_old(application: Application, sdk_version: str) -> bool:
    """Whether the application refuses phones with this SDK; the first four numbers of a version count, one by one."""
    return bool(application.min_sdk_version) and _version(sdk_version) < _version(application.min_sdk_version)


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in _NUMBERS.findall(text)[:4])


def refresh(device: Device, **reported: str | None) -> None:
    """End a lock that is over, and take over the versions that the phone says it has now."""
    _end_lock(device)
    _note(device, **reported)


def _note(device: Device, **reported: Any) -> None:
    """One statement when something is new, none otherwise: most messages tell nothing new."""
    changed = {name: value for name, value in reported.items() if value is not None and value != getattr(device, name)}
    if changed:
        Device.objects.filter(pk=device.pk).update(**changed)
        for name, value in changed.items():
            setattr(device, name, value)
