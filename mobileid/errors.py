"""What the service of phones and operations refuses, beside reuseid's errors; codes are in docs/api.md."""

from django.utils.translation import gettext_noop

from reuseid.errors import Conflict, Invalid, TooMany


class UserNotActive(Conflict):
    """The person is locked or deactivated; ``state`` says which."""

    code = "user_not_active"
    title = gettext_noop("The user is not active.")


class TargetDeviceUnusable(Conflict):
    """The phone that an operation is to be for can't answer now; ``state`` says why."""

    code = "device_unusable"
    title = gettext_noop("The device can't be used now.")


class NoUsableDevice(Conflict):
    """The person has no active phone that has one of the methods asked for."""

    code = "no_usable_device"
    title = gettext_noop("The user has no device that could answer.")


class UserCooldown(TooMany):
    """Too many operations in a row went unanswered or were rejected; ``retry_after`` in seconds."""

    code = "user_cooldown"
    title = gettext_noop("The user has left too many operations in a row unanswered.")


class CodeWrong(Invalid):
    """A confirmation or return code that is not the one expected."""

    code = "code_wrong"
    title = gettext_noop("The code is wrong.")
