"""Short-lived rows of the device protocol: challenges and stored responses."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from mobileid.models import Nonce, StoredResponse
from reuseid.admin.kit.base import BackOfficeAdmin, hidden
from reuseid.admin.kit.filters import AccountFilter, by_choice


@admin.register(Nonce)
class NonceAdmin(BackOfficeAdmin):
    account_paths = ("operation__account", "device__account")
    list_display = ("id", "purpose", "operation_id", "device_id", "created_at", "expires_at", "used_at")
    headers = {
        "operation_id": _("Operation"),
        "device_id": _("Device"),
        "created_at": _("Made"),
        "expires_at": _("Expires"),
        "used_at": _("Used"),
    }
    list_filter = (by_choice("purpose"),)
    ordering = ("-id",)
    search_exact = ("pk", "operation_id", "device_id")
    search_hint = _("Number, or id of the operation or device, exactly")
    shown = ("id", "purpose", "value_masked", "operation_id", "device_id", "created_at", "expires_at", "used_at")

    value_masked = hidden(_("Value"))


@admin.register(StoredResponse)
class StoredResponseAdmin(BackOfficeAdmin):
    list_display = ("id", "application", "created_at", "answered", "account")
    headers = {"created_at": _("Made")}
    list_filter = (AccountFilter,)
    list_select_related = ("account", "application")
    ordering = ("-created_at",)
    shown = ("id", "application", "account", "mid", "digest", "answered", "created_at")

    @display(description=_("Answered"), boolean=True)
    def answered(self, row):
        return row.answer is not None
