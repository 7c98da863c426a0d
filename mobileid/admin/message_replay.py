"""Short-lived rows of the device protocol: challenges and stored responses."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from mobileid.models import Nonce, StoredResponse
from reuseid.admin.kit import formatting
from reuseid.admin.kit.base import BackOfficeAdmin
from reuseid.admin.kit.filters import AccountFilter, by_choice


@admin.register(Nonce)
class NonceAdmin(BackOfficeAdmin):
    account_paths = ("operation__account", "device__account")
    list_display = ("id", "purpose", "operation_id", "device_id", "created", "expires", "used")
    list_filter = (by_choice("purpose"),)
    ordering = ("-id",)
    search_exact = ("pk", "operation_id", "device_id")
    search_hint = _("Number, or id of the operation or device, exactly")
    shown = ("id", "purpose", "value_masked", "operation_id", "device_id", "created", "expires", "used")

    @display(description=_("Operation"))
    def operation_id(self, nonce):
        return formatting.text(nonce.operation_id)

    @display(description=_("Device"))
    def device_id(self, nonce):
        return formatting.text(nonce.device_id)

    @display(description=_("Value"))
    def value_masked(self, nonce):
        return formatting.MASK

    @display(description=_("Made"), ordering="created_at")
    def created(self, nonce):
        return formatting.when(nonce.created_at)

    @display(description=_("Expires"), ordering="expires_at")
    def expires(self, nonce):
        return formatting.when(nonce.expires_at)

    @display(description=_("Used"), ordering="used_at")
    def used(self, nonce):
        return formatting.when(nonce.used_at)


@admin.register(StoredResponse)
class StoredResponseAdmin(BackOfficeAdmin):
    list_display = ("id", "application", "created", "answered", "account")
    list_filter = (AccountFilter,)
    list_select_related = ("account", "application")
    ordering = ("-created_at",)
    shown = ("id", "application", "account", "mid", "digest", "answered", "created")

    @display(description=_("Answered"), boolean=True)
    def answered(self, row):
        return row.answer is not None

    @display(description=_("Made"), ordering="created_at")
    def created(self, row):
        return formatting.when(row.created_at)
