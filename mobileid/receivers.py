"""What mobileid does when reuseid tells of a change, in the transaction of that change."""

from django.dispatch import receiver

from mobileid.services import completion, counts, devices, erasure
from reuseid import signals
from reuseid.services.people import approvals

# What a request that waits for a second colleague remembers of the person's phones.
approvals.COUNTS.update({"devices": counts.devices, "open_operations": counts.open_operations})


@receiver(signals.user_locked)
def user_locked(sender, *, user, actor, reason="", **kwargs):
    """A locked person's phones are unusable because the person is; what is open ends now."""
    completion.cancel_all_open(user, actor=actor, reason="USER_LOCKED")


@receiver(signals.user_deactivated)
def user_deactivated(sender, *, user, actor, reason="", **kwargs):
    """For good: the phones go too."""
    devices.hold_all(user)
    completion.cancel_all_open(user, actor=actor, reason="USER_DEACTIVATED")
    devices.deactivate_with_user(user, actor=actor, reason=reason)


@receiver(signals.user_erased)
def user_erased(sender, *, user, actor, reason="", **kwargs):
    """Nothing personal stays on phones and operations but evidence."""
    erasure.erase(user)
