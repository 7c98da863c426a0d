"""Tables of operations and devices that stand on more than one page."""

from django.utils.translation import gettext_lazy as _

from mobileid.models import AuthMethod, Device, Operation
from reuseid.admin.kit import formatting
from reuseid.admin.kit.pages import Table


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
    paid = operation.type == Operation.Type.AUTHENTICATION and "transaction" in operation.__dict__
    return _("Authorisation") if paid and operation.transaction is not None else operation.get_type_display()
