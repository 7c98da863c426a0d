"""Addresses of MobileID: the integrators' API. Phones have theirs in `device_api`, browsers in `authenticator`."""

from django.urls import path

from mobileid.api import devices, lists, operations, starting
from mobileid.api.jwks import jwks
from mobileid.models import Operation

CORE = "mobileid/core"
USER = "reuseid/core/users/<uuid:user_id>"
Type = Operation.Type


def _decisions(name, kind):
    """The addresses that authentications and signatures have in common."""
    one = f"{CORE}/{name}/<uuid:operation_id>"
    return [
        path(one, operations.OneOperation.as_view(kind=kind), name=name.removesuffix("s")),
        path(f"{one}/cancel", operations.CancelOperation.as_view(kind=kind)),
        path(f"{one}/release", operations.ReleaseOperation.as_view(kind=kind)),
        path(f"{one}/qr", operations.OperationQR.as_view(kind=kind)),
    ]


REGISTRATION = f"{CORE}/registrations/<uuid:operation_id>"
DEVICE = f"{CORE}/devices/<uuid:device_id>"

urlpatterns = [
    path(".well-known/jwks.json", jwks, name="jwks"),
    path(f"{CORE}/registrations", starting.Registrations.as_view(), name="registrations"),
    path(REGISTRATION, operations.OneOperation.as_view(kind=Type.REGISTRATION), name="registration"),
    path(f"{REGISTRATION}/confirm", operations.ConfirmRegistration.as_view()),
    path(f"{REGISTRATION}/cancel", operations.CancelOperation.as_view(kind=Type.REGISTRATION)),
    path(f"{CORE}/authentications", starting.Authentications.as_view(), name="authentications"),
    *_decisions("authentications", Type.AUTHENTICATION),
    path(f"{CORE}/signatures", starting.Signatures.as_view(), name="signatures"),
    *_decisions("signatures", Type.SIGNATURE),
    path(f"{CORE}/operations", lists.OperationList.as_view(), name="operations"),
    path(f"{CORE}/devices", devices.DeviceList.as_view(), name="devices"),
    path(DEVICE, devices.OneDevice.as_view(), name="device"),
    path(f"{DEVICE}/lock", devices.LockDevice.as_view()),
    path(f"{DEVICE}/unlock", devices.UnlockDevice.as_view()),
    path(f"{DEVICE}/deactivate", devices.DeactivateDevice.as_view()),
    # ReuseID knows no phones, so these two of its addresses are served from here.
    path(f"{USER}/devices", devices.UserDevices.as_view()),
    path(f"{USER}/operations", lists.UserOperations.as_view()),
]
