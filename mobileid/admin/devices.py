"""Phones: what they are, whether they can be used, and lock / unlock / deactivate with a reason."""

from django.contrib import admin
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from mobileid.admin.rows import method_name, operation_rows
from mobileid.models import Device, Operation
from mobileid.services import devices
from mobileid.services.descriptions import methods_of
from reuseid.admin import cells
from reuseid.admin.bulk import BulkListMixin, for_chosen
from reuseid.admin.dialogs import LockForm, ReasonForm
from reuseid.admin.filters import AccountFilter, DateFilter, StatusFilter
from reuseid.admin.pages import ROWS, Facts, Header, PageAdmin, Tab, Timeline, trail_of
from reuseid.models import TrailEntry, User
from reuseid.services import reasons


def _open_count(device):
    return Operation.objects.open().filter(target_device=device)[:100].count()


def _lock_follows(device):
    waiting = _open_count(device)
    return [
        "The phone can approve nothing until it is unlocked.",
        *([f"{waiting} open operation(s) wait for this phone alone and will expire."] if waiting else []),
        "The account's systems get the event device.locked.",
    ]


def _end_follows(device):
    waiting = _open_count(device)
    return [
        "The phone's secrets are erased; the person has to register a phone again.",
        *([f"{waiting} open operation(s) that wait for this phone alone are cancelled."] if waiting else []),
        "The account's systems get the event device.deactivated.",
        "It can't be undone.",
    ]


DeviceLockForm = LockForm.about(Device, _lock_follows)
UnlockForm = ReasonForm.about(
    Device,
    lambda device: [
        "The phone may be used again; its failed tries are forgotten.",
        "The account's systems get the event device.unlocked.",
    ],
)
DeactivateForm = ReasonForm.about(Device, _end_follows, danger=True)


def overview(request, device):
    """What it is, how it proves itself, how it was used."""
    phone = [
        ("Model", cells.text(device.model)),
        ("Platform", cells.text(f"{device.platform} {device.os_version}".strip())),
        ("App version", cells.text(device.app_version)),
        ("SDK version", cells.text(device.sdk_version)),
        ("Application", device.application.name),
        ("Registered", cells.when(device.created_at)),
        ("Last seen", cells.when(device.last_used_at)),
    ]
    proof = [
        ("Methods", cells.words([method_name(method) for method in methods_of(device)])),
        ("Key thumbprint", cells.ident(device.possession_thumbprint)),
        ("PIN key version", device.key_version),
        ("Failed tries in a row", device.failed_attempts),
        ("Locks since the last good PIN", device.lock_count),
        ("Push", cells.text(device.push_provider)),
    ]
    return [Facts(phone, title="Phone"), Facts(proof, title="Proof")]


def operations(request, device):
    """What was approved or refused on it."""
    found = Operation.objects.as_listed().filter(device=device).order_by("-created_at", "-id")[:ROWS]
    return [operation_rows(found, more=cells.list_of(Operation, q=str(device.pk)))]


def timeline(request, device):
    return [Timeline(trail_of(device), more=cells.list_of(TrailEntry, q=str(device.pk)))]


@admin.register(Device)
class DeviceAdmin(BulkListMixin, PageAdmin):
    bulk_kind = "device"
    actions = (for_chosen("device", "lock"), for_chosen("device", "unlock"))
    page_related = ("account", "application", "user")
    list_display = ("label", "state", "person", "platform", "model", "app_version", "last_seen", "account", "created")
    list_display_links = ("label",)
    list_filter = (StatusFilter, AccountFilter, ("status_since", DateFilter), ("created_at", DateFilter))
    list_select_related = ("account", "user")
    ordering = ("-created_at", "-id")
    exact = ("pk", "user_id")
    search_hint = "Id of a device or of its user, exactly"
    actions_detail = ("lock", "unlock", "deactivate")
    tabs = [
        Tab("overview", "Overview", overview),
        Tab("operations", "Operations", operations, right="mobileid.view_operation"),
        Tab("timeline", "Timeline", timeline, right="reuseid.view_trailentry"),
    ]
    fits = {
        "lock": lambda device: (
            device.status == Device.Status.ACTIVE
            or (device.status == Device.Status.LOCKED and device.locked_until is not None)
        ),
        "unlock": lambda device: device.status == Device.Status.LOCKED,
        "deactivate": lambda device: device.status in Device.MOVES[Device.Status.DEACTIVATED],
    }

    @display(description="Device", ordering="name")
    def label(self, device):
        return device.name

    @display(description="State", ordering="status")
    def state(self, device):
        return cells.state(device)

    @display(description="User")
    def person(self, device):
        return cells.link(User, device.user_id, device.user.external_ref)

    @display(description="Last seen", ordering="last_used_at")
    def last_seen(self, device):
        return cells.when(device.last_used_at)

    @display(description="Registered", ordering="created_at")
    def created(self, device):
        return cells.when(device.created_at)

    def header(self, request, device):
        lines = [
            ("User", cells.link(User, device.user_id, device.user.external_ref or device.user_id)),
            ("Account", device.account.name),
            ("Since", cells.when(device.status_since)),
        ]
        if device.lock_reason:
            sentence = reasons.sentences().get(device.lock_reason, "")
            lines.append(("Because", f"{device.lock_reason}: {sentence}".rstrip(": ")))
        if device.status == Device.Status.LOCKED:
            until = cells.when(device.locked_until) if device.locked_until else "somebody unlocks it"
            lines.append(("Locked until", until))
        return Header(title=device.name, state=cells.state(device), ident=cells.ident(device.pk), lines=lines)

    def has_lock_permission(self, request, object_id=None):
        return self.may(request, object_id, "lock_device")

    def has_unlock_permission(self, request, object_id=None):
        return self.may(request, object_id, "unlock_device")

    def has_deactivate_permission(self, request, object_id=None):
        return self.may(request, object_id, "deactivate_device")

    @action(
        description="Lock",
        url_path="lock",
        icon="lock",
        permissions=["lock"],
        variant=ActionVariant.DANGER,
        dialog={
            "title": "Lock this device",
            "description": "",
            "form_class": DeviceLockForm,
            "form_submit_text": "Lock",
        },
    )
    def lock(self, request, form, object_id):
        return self.act(request, object_id, devices.lock, done="The device is locked.", **form.values())

    @action(
        description="Unlock",
        url_path="unlock",
        icon="lock_open",
        permissions=["unlock"],
        variant=ActionVariant.SUCCESS,
        dialog={
            "title": "Unlock this device",
            "description": "",
            "form_class": UnlockForm,
            "form_submit_text": "Unlock",
        },
    )
    def unlock(self, request, form, object_id):
        return self.act(request, object_id, devices.unlock, done="The device is unlocked.", **form.values())

    @action(
        description="Deactivate",
        url_path="deactivate",
        icon="phonelink_erase",
        permissions=["deactivate"],
        variant=ActionVariant.DANGER,
        dialog={
            "title": "Deactivate this device for good",
            "description": "",
            "form_class": DeactivateForm,
            "form_submit_text": "Deactivate for good",
        },
    )
    def deactivate(self, request, form, object_id):
        done = "The device is deactivated for good."
        return self.act(request, object_id, devices.deactivate, done=done, **form.values())
