"""What every change of a phone has in common, below `devices` and `completion`."""

from django.db.models.functions import Now

from mobileid.models import Device
from mobileid.services.descriptions import describe_device_event
from reuseid.actors import Actor
from reuseid.models import move
from reuseid.services.audit import trail
from reuseid.services.webhooks import outbox

NO_BIOMETRY = {"inherence_jwk": None, "previous_inherence_jwk": None, "previous_inherence_until": None}
"""The columns of a phone without a biometric key."""
NO_PIN = {"knowledge_key": None, "previous_knowledge_key": None, "previous_key_until": None}


def tell(device: Device, what: str, *, actor: Actor, reason: str = "", note: str = "") -> Device:
    """The trail line and the event ``device.<what>`` of a change that was just made, in its transaction."""
    device.is_lock_over = False
    trail.record(device, f"device.{what}", actor=actor, reason=reason, note=note)
    outbox.owe(device, f"device.{what}", describe_device_event(device, actor=actor, reason=reason))
    return device


def retire(device: Device, *, actor: Actor, reason: str, note: str = "") -> Device:
    """Deactivate a phone: the keys of its PIN and biometry are erased, its own public key stays as evidence.

    WrongState the second time.
    """
    move(
        device,
        Device.Status.DEACTIVATED,
        lock_reason="",
        locked_until=None,
        status_since=Now(),
        push_token=None,
        push_provider="",
        **NO_PIN,
        **NO_BIOMETRY,
    )
    return tell(device, "deactivated", actor=actor, reason=reason, note=note)
