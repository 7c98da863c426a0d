"""Phones: what they are, whether they can be used, and lock / unlock / deactivate with a reason."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from mobileid.admin.filters import MethodFilter, PlatformFilter
from mobileid.admin.tables import method_name, operation_rows
from mobileid.models import Application, Device, Operation
from mobileid.services import devices
from mobileid.services.descriptions import methods_of
from reuseid.admin.kit import formatting
from reuseid.admin.kit.bulk_lists import BulkListMixin, for_chosen
from reuseid.admin.kit.dialogs import LOCK, UNLOCK, LockForm, ReasonForm, caller_advice, row_act
from reuseid.admin.kit.effects import Effect
from reuseid.admin.kit.filters import AccountFilter, DateFilter, LockFilter, StatusFilter, by_row
from reuseid.admin.kit.pages import ROWS, Facts, Header, PageAdmin, Tab, Timeline, trail_of
from reuseid.admin.kit.quick_filters import View, only, since_today
from reuseid.admin.kit.texts import reason_in_words
from reuseid.admin.kit.texts.statuses import meaning
from reuseid.models import TrailEntry, User


def _open_count(device):
    return Operation.objects.open().filter(target_device=device)[:100].count()


def _lock_follows(device):
    waiting = _open_count(device)
    return [
        _("The phone can approve nothing until it is unlocked."),
        *(
            [
                ngettext(
                    "%(count)s open operation waits for this phone alone and will expire.",
                    "%(count)s open operations wait for this phone alone and will expire.",
                    waiting,
                )
                % {"count": waiting}
            ]
            if waiting
            else []
        ),
        _("The account's systems get the event device.locked."),
    ]


def _end_follows(device):
    waiting = _open_count(device)
    return [
        _("The phone's secrets are erased; the person has to register a phone again."),
        *(
            [
                ngettext(
                    "%(count)s open operation that waits for this phone alone is cancelled.",
                    "%(count)s open operations that wait for this phone alone are cancelled.",
                    waiting,
                )
                % {"count": waiting}
            ]
            if waiting
            else []
        ),
        _("The account's systems get the event device.deactivated."),
        _("It can't be undone."),
    ]


DeviceLockForm = LockForm.about(Device, _lock_follows)
UnlockForm = ReasonForm.about(
    Device,
    lambda device: [
        *caller_advice(device.user_id),
        _("The phone may be used again; its failed tries are forgotten."),
        _("The account's systems get the event device.unlocked."),
    ],
)
DeactivateForm = ReasonForm.about(Device, _end_follows, danger=True)


def overview(request, device):
    """What it is, how it proves itself, how it was used."""
    phone = [
        (_("Model"), formatting.text(device.model)),
        (_("Platform"), formatting.text(f"{device.platform} {device.os_version}".strip())),
        (_("App version"), formatting.text(device.app_version)),
        (_("SDK version"), formatting.text(device.sdk_version)),
        (_("Application"), device.application.name),
        (_("Registered"), formatting.when(device.created_at)),
        (_("Last seen"), formatting.when(device.last_used_at, formatting.NEVER)),
    ]
    proof = [
        (_("Methods"), formatting.words([method_name(method) for method in methods_of(device)])),
        (_("Cipher suite, last used"), formatting.text(device.get_suite_display())),
        (_("Key thumbprint"), formatting.ident(device.possession_thumbprint)),
        (_("PIN key version"), device.key_version),
        (_("Failed tries in a row"), device.failed_attempts),
        (_("Locks since the last good PIN"), device.lock_count),
        (_("Push"), formatting.text(device.push_provider)),
    ]
    return [Facts(phone, title=_("Phone")), Facts(proof, title=_("Proof"))]


def operations(request, device):
    """What was approved or refused on it."""
    found = Operation.objects.as_listed().filter(device=device).order_by("-created_at", "-id")[:ROWS]
    return [operation_rows(found, more=formatting.list_of(Operation, q=str(device.pk)))]


def timeline(request, device):
    return [Timeline(trail_of(device, request.user), more=formatting.list_of(TrailEntry, q=str(device.pk)))]


@admin.register(Device)
class DeviceAdmin(BulkListMixin, PageAdmin):
    bulk_kind = "device"
    actions = (for_chosen("device", "lock"), for_chosen("device", "unlock"))
    page_related = ("account", "application", "user")
    list_display = (
        "name",
        "state",
        "person",
        "platform",
        "model",
        "app_version",
        "last_used_at",
        "account",
        "created_at",
    )
    headers = {"name": _("Device"), "last_used_at": _("Last seen"), "created_at": _("Registered")}
    missing = {"last_used_at": formatting.NEVER}
    list_display_links = ("name",)
    list_filter = (
        StatusFilter,
        LockFilter,
        PlatformFilter,
        MethodFilter,
        by_row(Application, "application", _("application")),
        AccountFilter,
        ("status_since", DateFilter),
        ("created_at", DateFilter),
    )
    views = (
        View(_("Locked today"), since_today("status_since", status="LOCKED")),
        View(_("Locked until unlocked"), only(lock="lasting")),
        View(_("Waiting for confirmation"), only(status="PENDING")),
        View(_("Registered today"), since_today("created_at")),
    )
    list_select_related = ("account", "user")
    ordering = ("-created_at", "-id")
    search_exact = ("pk", "user_id")
    search_hint = _("Id of a device or of its user, exactly")
    actions_detail = ("lock", "unlock", "deactivate")
    tabs = [
        Tab("overview", _("Overview"), overview),
        Tab("operations", _("Operations"), operations, permission="mobileid.view_operation"),
        Tab("timeline", _("Timeline"), timeline, permission="reuseid.view_trailentry"),
    ]
    rights = {"lock": "lock_device", "unlock": "unlock_device", "deactivate": "deactivate_device"}
    available_when = {
        "lock": lambda device: (
            device.status == Device.Status.ACTIVE
            or (device.status == Device.Status.LOCKED and device.locked_until is not None)
        ),
        "unlock": lambda device: device.status == Device.Status.LOCKED,
        "deactivate": lambda device: device.status in Device.MOVES[Device.Status.DEACTIVATED],
    }

    def header(self, request, device):
        lines = [
            (_("User"), formatting.link(User, device.user_id, device.user.external_ref or device.user_id)),
            (_("Account"), device.account.name),
            (_("Since"), formatting.when(device.status_since)),
        ]
        if device.lock_reason:
            lines.append((_("Because"), reason_in_words(device.lock_reason)))
        if device.status == Device.Status.LOCKED:
            until = formatting.when(device.locked_until) if device.locked_until else _("somebody unlocks it")
            lines.append((_("Locked until"), until))
        return Header(
            title=device.name,
            state=formatting.state(device),
            ident=formatting.ident(device.pk),
            means=meaning(device),
            lines=lines,
        )

    lock = row_act(
        devices.lock,
        label=_("Lock"),
        title=_("Lock this device"),
        form=DeviceLockForm,
        done=_("The device is locked."),
        **LOCK,
    )

    unlock = row_act(
        devices.unlock,
        label=_("Unlock"),
        title=_("Unlock this device"),
        form=UnlockForm,
        done=_("The device is unlocked."),
        **UNLOCK,
    )

    deactivate = row_act(
        devices.deactivate,
        label=_("Deactivate"),
        icon="phonelink_erase",
        effect=Effect.FOR_GOOD,
        title=_("Deactivate this device for good"),
        form=DeactivateForm,
        submit=_("Deactivate for good"),
        done=_("The device is deactivated for good."),
    )
