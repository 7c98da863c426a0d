"""Why can this person not sign in? The blocking facts, as the judge of an operation would find them."""

from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from mobileid.errors import UserCooldown
from mobileid.models import Device, Operation
from mobileid.services import fatigue
from reuseid.models import Account, User
from reuseid.services import reasons
from reuseid.times import rfc3339


@dataclass(frozen=True)
class Obstacle:
    """One fact that stands in the way, and what helps. ``code`` is stable."""

    code: str
    sentence: str
    advice: str = ""


def obstacles(user) -> list[Obstacle]:
    """All that keeps a person from signing in now; empty when nothing does. Four queries at most."""
    return [*_of_account(user), *_of_person(user), *_of_phones(user), *_of_fatigue(user)]


def _of_account(user):
    if user.account.status == Account.Status.BLOCKED:
        yield Obstacle("ACCOUNT_BLOCKED", _("The account is blocked: none of its systems is let in."))


def _of_person(user):
    if user.status == User.Status.DEACTIVATED:
        yield Obstacle(
            "USER_DEACTIVATED",
            _("The person is deactivated for good."),
            _("A new user can be made by the account's system."),
        )
    if user.status == User.Status.LOCKED:
        until = rfc3339(user.locked_until) if user.locked_until else _("somebody unlocks them")
        sentence = _("The person is locked until %(until)s%(why)s.") % {"until": until, "why": _why(user)}
        yield Obstacle("USER_LOCKED", sentence, _("Unlock the person."))


def _of_phones(user):
    phones = list(Device.objects.as_read().filter(user=user).exclude(status=Device.Status.DEACTIVATED)[:50])
    if any(phone.status == Device.Status.ACTIVE or phone.is_lock_over for phone in phones):
        return
    if not phones:
        yield _no_phone(user)
    for phone in phones:
        if phone.status == Device.Status.PENDING:
            yield Obstacle(
                "DEVICE_PENDING",
                _("The device “%(name)s” waits for its confirmation.") % {"name": phone.name},
                _("The account's system confirms it with the code that the phone shows."),
            )
        else:
            until = rfc3339(phone.locked_until) if phone.locked_until else _("somebody unlocks it")
            yield Obstacle(
                "DEVICE_LOCKED",
                _("The device “%(name)s” is locked until %(until)s%(why)s.")
                % {"name": phone.name, "until": until, "why": _why(phone)},
                _("Wait for it, or unlock the device.") if phone.locked_until else _("Unlock the device."),
            )


def _no_phone(user):
    waiting = Operation.objects.open().filter(user=user, type=Operation.Type.REGISTRATION)
    if waiting.exists():
        return Obstacle(
            "REGISTRATION_OPEN",
            _("No active device; a registration waits for its activation code."),
            _("The person enters the code in the app before it expires."),
        )
    return Obstacle(
        "NO_DEVICE",
        _("No active device."),
        _("The person registers a phone: the account's system starts it."),
    )


def _of_fatigue(user):
    try:
        fatigue.check_cooldown(user)
    except UserCooldown as cooldown:
        end = timezone.now() + timedelta(seconds=cooldown.retry_after)
        yield Obstacle(
            "USER_COOLDOWN",
            _("Left in peace until %(until)s: more than %(count)s requests in a row were not approved.")
            % {"until": rfc3339(end), "count": fatigue.TOLERATED},
            _("A request bound by a number or a QR code gets through."),
        )


def _why(row):
    if not row.lock_reason:
        return ""
    sentence = reasons.sentences().get(row.lock_reason, "")
    return f" ({row.lock_reason}: {_(sentence).rstrip('.')})" if sentence else f" ({row.lock_reason})"
