"""Who looked at whom and what colleagues noted: where and when, never what a value or a note says."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from reuseid.admin.kit import formatting, history
from reuseid.admin.kit.base import OfPerson, hidden
from reuseid.admin.kit.filters import AccountFilter
from reuseid.admin.kit.texts import thing
from reuseid.models import Reveal, UserAccess, UserNote


@admin.register(UserAccess)
class UserAccessAdmin(OfPerson):
    list_display = ("at", "staff", "person", "account")
    headers = {"at": _("Time")}
    list_display_links = ("at",)
    list_filter = (AccountFilter,)
    list_select_related = ("account", "staff")
    ordering = ("-pk",)
    shown = ("at", "staff", "person", "account")


@admin.register(Reveal)
class RevealAdmin(OfPerson):
    list_display = ("expires_at", "staff", "what", "person", "account")
    headers = {"expires_at": _("Shown until")}
    list_display_links = ("expires_at",)
    list_filter = (AccountFilter,)
    list_select_related = ("account", "staff")
    ordering = ("-pk",)
    shown = ("expires_at", "staff", "what", "object_id", "person", "account")

    @display(description=_("What"))
    def what(self, reveal):
        return thing(reveal.object_type, formatting.short(reveal.object_id))


@admin.register(UserNote)
class UserNoteAdmin(OfPerson):
    list_display = ("id", "created_at", "author", "person", "masked", "account")
    headers = {"created_at": _("Time")}
    list_filter = (AccountFilter,)
    list_select_related = ("account",)
    ordering = ("-pk",)
    shown = ("id", "created_at", "author", "person", "masked", "account")

    @display(description=_("By"))
    def author(self, note):
        return history.who(note)

    masked = hidden(_("Text"))
