"""Who looked at whom and what colleagues noted: where and when, never what a value or a note says."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from reuseid.admin.kit import formatting, history
from reuseid.admin.kit.base import BackOfficeAdmin
from reuseid.admin.kit.filters import AccountFilter
from reuseid.admin.kit.texts import thing
from reuseid.models import Reveal, User, UserAccess, UserNote


class OfLook(BackOfficeAdmin):
    """Rows about a person that name a colleague."""

    list_filter = (AccountFilter,)
    search_exact = ("pk", "user_id")
    search_hint = _("Id of the row or of the user, exactly")

    @display(description=_("User"))
    def person(self, row):
        return formatting.link(User, row.user_id)


@admin.register(UserAccess)
class UserAccessAdmin(OfLook):
    list_display = ("time", "staff", "person", "account")
    list_display_links = ("time",)
    list_select_related = ("account", "staff")
    ordering = ("-pk",)
    shown = ("time", "staff", "person", "account")

    @display(description=_("Time"))
    def time(self, view):
        return formatting.when(view.at)


@admin.register(Reveal)
class RevealAdmin(OfLook):
    list_display = ("ends", "staff", "what", "person", "account")
    list_display_links = ("ends",)
    list_select_related = ("account", "staff")
    ordering = ("-pk",)
    shown = ("ends", "staff", "what", "object_id", "person", "account")

    @display(description=_("What"))
    def what(self, reveal):
        return thing(reveal.object_type, formatting.short(reveal.object_id))

    @display(description=_("Shown until"))
    def ends(self, reveal):
        return formatting.when(reveal.expires_at)


@admin.register(UserNote)
class UserNoteAdmin(OfLook):
    list_display = ("id", "time", "author", "person", "masked", "account")
    list_select_related = ("account",)
    ordering = ("-pk",)
    shown = ("id", "time", "author", "person", "masked", "account")

    @display(description=_("Time"))
    def time(self, note):
        return formatting.when(note.created_at)

    @display(description=_("By"))
    def author(self, note):
        return history.who(note)

    @display(description=_("Text"))
    def masked(self, note):
        return formatting.MASK
