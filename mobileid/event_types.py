"""What integrators can be told of operations and devices."""

from reuseid import event_scopes
from reuseid.event_scopes import Guard
from reuseid.event_types import register

_OUTCOMES = {
    "completed": "was completed",
    "rejected": "was rejected by the person",
    "failed": "failed",
    "canceled": "was cancelled",
    "expired": "expired",
}
_OF = {
    "registration": ("A registration", ("completed", "failed", "canceled", "expired")),
    "authentication": ("An authentication", tuple(_OUTCOMES)),
    "signature": ("A consent signature", tuple(_OUTCOMES)),
}

register(
    {f"{kind}.{name}": f"{noun} {_OUTCOMES[name]}." for kind, (noun, names) in _OF.items() for name in names}
    | {
        "operation.reported": "The person said of an operation: that was not me.",
        "device.activated": "A device was activated.",
        "device.locked": "A device was locked.",
        "device.unlocked": "A device was unlocked.",
        "device.deactivated": "A device was deactivated, for good.",
        "device.lock_warning": "A device is one lock away from being locked until support unlocks it.",
    }
)

event_scopes.register("device", Guard("devices:read", ("deviceId", "userId"), personal=(("name",),)))
event_scopes.register(
    "operation",
    Guard(
        "operations:read",
        ("operationId", "type"),
        {"attributes:read": (("result", "requestedUserAttributes"),)},
        personal=(
            ("operationProperties", "preOperationContext"),
            ("operationProperties", "postOperationContext"),
            ("operationProperties", "transaction"),
            ("operationProperties", "returnUrl"),
            ("operationProperties", "deviceName"),
            ("clientReference",),
            ("device", "name"),
            ("result", "signature"),
        ),
    ),
)
