"""Addresses of MobileID: the integrators' API. Phones have theirs in `device_api`."""

from django.urls import include, path

from mobileid.api import devices, lists, operations, starting
from mobileid.api.jwks import jwks
from mobileid.models import Operation

Type = Operation.Type
REGISTRATION = "registrations/<uuid:operation_id>"
DEVICE = "devices/<uuid:device_id>"


def _decisions(name, kind):
    """The addresses that authentications and signatures have in common."""
    one = f"{name}/<uuid:operation_id>"
    return [
        path(one, operations.OneOperation.as_view(kind=kind), name=name.removesuffix("s")),
        path(f"{one}/cancel", operations.CancelOperation.as_view(kind=kind)),
        path(f"{one}/release", operations.ReleaseOperation.as_view(kind=kind)),
        path(f"{one}/qr", operations.OperationQR.as_view(kind=kind)),
    ]


_core = [
    path("registrations", starting.Registrations.as_view(), name="registrations"),
    path(REGISTRATION, operations.OneOperation.as_view(kind=Type.REGISTRATION), name="registration"),
    path(f"{REGISTRATION}/confirm", operations.ConfirmRegistration.as_view()),
    path(f"{REGISTRATION}/cancel", operations.CancelOperation.as_view(kind=Type.REGISTRATION)),
    path("authentications", starting.Authentications.as_view(), name="authentications"),
    *_decisions("authentications", Type.AUTHENTICATION),
    path("signatures", starting.Signatures.as_view(), name="signatures"),
    *_decisions("signatures", Type.SIGNATURE),
    path("operations", lists.OperationList.as_view(), name="operations"),
    path("devices", devices.DeviceList.as_view(), name="devices"),
    path(DEVICE, devices.OneDevice.as_view(), name="device"),
    path(f"{DEVICE}/lock", devices.LockDevice.as_view()),
    path(f"{DEVICE}/unlock", devices.UnlockDevice.as_view()),
    path(f"{DEVICE}/deactivate", devices.DeactivateDevice.as_view()),
]
# ReuseID knows no phones, so these two of its addresses are served from here.
_of_user = [
    path("devices", devices.UserDevices.as_view()),
    path("operations", lists.UserOperations.as_view()),
]
# What has a prefix in common stands behind it: a call that is for others then fails at one comparison.
urlpatterns = [
    path("mobileid/core/", include(_core)),
    path("reuseid/core/users/<uuid:user_id>/", include(_of_user)),
    path(".well-known/jwks.json", jwks, name="jwks"),
]
