"""All phones of a person at once: locked, unlocked or deactivated for one reason, with an outcome for each."""

from django.contrib import messages
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from mobileid.models import Device
from mobileid.services import all_devices
from reuseid.admin.kit.dialogs import LOCK, UNLOCK, LockForm, ReasonForm, caller_advice, dialog_action
from reuseid.admin.kit.effects import Effect
from reuseid.admin.kit.extensions import Act, Group
from reuseid.models import User

LOCKABLE, LOCKED = [Device.Status.ACTIVE], [Device.Status.LOCKED]
ENDABLE = Device.MOVES[Device.Status.DEACTIVATED]


def _names(user, states):
    """The phones that the act is about, one sentence each."""
    rows = Device.objects.filter(user=user, status__in=states).order_by("created_at", "pk")[: all_devices.LIMIT]
    told = [f"{device.name}: {device.get_status_display()}" for device in rows]
    return told or [_("There is no device that this fits.")]


AllLockForm = LockForm.about(
    User, lambda user: [*_names(user, LOCKABLE), _("Each can approve nothing until it is unlocked.")]
)
AllUnlockForm = ReasonForm.about(
    User, lambda user: [*caller_advice(user.pk), *_names(user, LOCKED), _("Each may be used again.")]
)
AllEndForm = ReasonForm.about(
    User,
    lambda user: [
        *_names(user, ENDABLE),
        _("The secrets of each are erased; the person has to register a phone again."),
        _("It can't be undone."),
    ],
    danger=True,
)


def _tell(request, user, outcomes):
    """One message: how many were changed, and each phone by name with the state that it is in now."""
    changed = sum(outcome.refusal is None for outcome in outcomes)
    head = ngettext("%(count)s device was changed.", "%(count)s devices were changed.", changed) % {"count": changed}
    each = [_line(outcome) for outcome in outcomes] or [_("There is no device that this fits.")]
    level = messages.SUCCESS if changed and changed == len(outcomes) else messages.WARNING
    messages.add_message(request, level, " ".join([head, *each]))


def _line(outcome):
    state = outcome.device.get_status_display()
    if outcome.refusal is None:
        return _("“%(name)s”: %(state)s.") % {"name": outcome.device.name, "state": state}
    return _("“%(name)s” was not changed: it is %(state)s already.") % {"name": outcome.device.name, "state": state}


@dialog_action(
    gettext_lazy("Lock all devices"),
    title=gettext_lazy("Lock all devices of this person"),
    form=AllLockForm,
    submit=gettext_lazy("Lock them"),
    **LOCK,
)
def lock_devices(self, request, form, object_id):
    return self.act(request, object_id, all_devices.lock_all, then=_tell, tab="devices", **form.values())


@dialog_action(
    gettext_lazy("Unlock all devices"),
    title=gettext_lazy("Unlock all devices of this person"),
    form=AllUnlockForm,
    submit=gettext_lazy("Unlock them"),
    **UNLOCK,
)
def unlock_devices(self, request, form, object_id):
    return self.act(request, object_id, all_devices.unlock_all, then=_tell, tab="devices", **form.values())


@dialog_action(
    gettext_lazy("Deactivate all devices"),
    icon="phonelink_erase",
    effect=Effect.FOR_GOOD,
    title=gettext_lazy("Deactivate all devices of this person for good"),
    form=AllEndForm,
    submit=gettext_lazy("Deactivate for good"),
)
def deactivate_devices(self, request, form, object_id):
    return self.act(request, object_id, all_devices.deactivate_all, then=_tell, tab="devices", **form.values())


def _states(user):
    """The states of the person's phones; read once a page."""
    if not hasattr(user, "_device_states"):
        user._device_states = set(
            Device.objects.filter(user=user).order_by().values_list("status", flat=True).distinct()
        )
    return user._device_states


def _any_in(states):
    return lambda user: bool(_states(user) & set(states))


GROUP = Group(gettext_lazy("All devices"), "devices")
ACTS = (
    Act(lock_devices, "mobileid.lock_device", available_when=_any_in(LOCKABLE), group=GROUP),
    Act(unlock_devices, "mobileid.unlock_device", available_when=_any_in(LOCKED), group=GROUP),
    Act(deactivate_devices, "mobileid.deactivate_device", available_when=_any_in(ENDABLE), group=GROUP),
)
