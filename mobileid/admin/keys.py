"""The service's own keys: which is in use since when. Private halves are never shown."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from mobileid.admin.roll_over import RollsOver
from mobileid.models import ChannelKey, SigningKey, Suite, TrustAnchor
from reuseid.admin.kit import formatting
from reuseid.admin.kit.base import BackOfficeAdmin, hidden
from reuseid.admin.kit.filters import AccountFilter, StatusFilter


class PublicHalf(BackOfficeAdmin):
    """A key whose public half is published."""

    list_display = ("id", "state", "account", "created_at")
    headers = {"created_at": _("Made")}
    list_filter = (StatusFilter, AccountFilter)
    list_select_related = ("account",)
    ordering = ("-created_at",)
    shown = ("id", "state", "account", "created_at", "public_jwk", "private_half")

    @display(description=_("Private half"))
    def private_half(self, key):
        return formatting.MASK if key.private_key else _("erased")


@admin.register(TrustAnchor)
class TrustAnchorAdmin(RollsOver, PublicHalf):
    """Signs the key document; pinned in the apps."""


@admin.register(SigningKey)
class SigningKeyAdmin(PublicHalf):
    """Signs consent JWTs."""


@admin.register(ChannelKey)
class ChannelKeyAdmin(BackOfficeAdmin):
    list_display = ("id", "suite_name", "account", "not_before", "not_after")
    headers = {"not_before": _("From"), "not_after": _("To")}
    list_filter = (AccountFilter,)
    list_select_related = ("account",)
    ordering = ("-not_before",)
    shown = ("id", "suite_name", "account", "not_before", "not_after", "private_half")

    @display(description=_("Suite"), ordering="suite")
    def suite_name(self, key):
        return f"{key.suite}: {Suite(key.suite).label}"

    private_half = hidden(_("Private half"))
