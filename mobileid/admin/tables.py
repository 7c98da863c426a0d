"""Tables of operations and devices that stand on more than one page."""

from django.utils.translation import gettext_lazy as _

from mobileid.models import AuthMethod, Device, Operation
from mobileid.services.descriptions import state_of
from reuseid.admin.kit import formatting
from reuseid.admin.kit.pages import Table
from reuseid.admin.kit.texts import reason_sentence


def operation_rows(operations, more=""):
    """One line an operation."""
    rows = [
        [
            formatting.when(operation.created_at),
            formatting.link(Operation, operation.pk, kind(operation)),
            formatting.state(operation),
            formatting.reason(operation.failure_reason),
            formatting.text(method_name(operation.auth_method)),
            formatting.link(Device, operation.device_id, operation.device and operation.device.name),
            formatting.duration(operation.created_at, operation.ended_at),
        ]
        for operation in operations
    ]
    headers = [_("Started"), _("Operation"), _("State"), _("Reason"), _("Method"), _("Device"), _("Took")]
    return Table(headers, rows, empty=_("No operations yet."), more=more)


def device_rows(devices, more=""):
    """One line a device."""
    rows = [
        [
            formatting.link(Device, device.pk, device.name),
            formatting.state(device),
            formatting.text(device.model),
            formatting.text(f"{device.platform} {device.os_version}".strip()),
            formatting.text(device.app_version),
            device.failed_attempts,
            formatting.when(device.last_used_at, formatting.NEVER),
            formatting.when(device.created_at),
        ]
        for device in devices
    ]
    headers = [
        _("Device"),
        _("State"),
        _("Model"),
        _("Platform"),
        _("App"),
        _("Failed tries"),
        _("Last seen"),
        _("Registered"),
    ]
    return Table(headers, rows, empty=_("No device was ever registered."), more=more)


def method_name(method):
    """An authentication method in words."""
    return AuthMethod(method).label if method else ""


def kind(operation):
    """Its type in a word; an authentication with a payment is an authorisation. Whether there is one needs no key."""
    paid = operation.is_payment if hasattr(operation, "is_payment") else operation.transaction is not None
    return _("Authorisation") if paid else operation.get_type_display()


def attempt_rows(attempts):
    """What the person was asked last, and how each ended, in words."""
    rows = [
        [
            formatting.when(attempt.created_at),
            formatting.link(Operation, attempt.pk, kind(attempt)),
            formatting.state(attempt),
            formatting.text(_cause(attempt)),
            formatting.link(Device, *_phone_of(attempt)),
        ]
        for attempt in attempts
    ]
    headers = [_("Started"), _("Operation"), _("State"), _("How it ended"), _("Device")]
    return Table(headers, rows, title=_("The last attempts"), empty=_("The person was never asked for anything."))


def _phone_of(attempt):
    phone = attempt.device or attempt.target_device
    return (phone and phone.pk, phone and phone.name)


def _cause(attempt):
    state = state_of(attempt)
    if state == Operation.Status.EXPIRED:
        opened = _("It was opened on the phone and not answered in time.")
        return opened if attempt.started_at else _("It was not opened on the phone in time.")
    if state == Operation.Status.COMPLETED:
        return method_name(attempt.auth_method)
    return reason_sentence(attempt.failure_reason or state)
