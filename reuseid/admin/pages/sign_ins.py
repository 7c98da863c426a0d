"""Sign-ins of colleagues, and what they sign in with: nothing that could sign anybody in."""

from django.contrib import admin
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from reuseid.admin.auth.sign_in import kept
from reuseid.admin.kit import formatting
from reuseid.admin.kit.base import BackOfficeAdmin, hidden
from reuseid.admin.kit.filters import DateFilter
from reuseid.admin.kit.scope import colleagues
from reuseid.admin.kit.texts.acts import SIGN_INS
from reuseid.models import Passkey, RecoveryCode, SecondFactor, Staff, StaffSignIn


class OfColleagues(BackOfficeAdmin):
    """Rows of those colleagues whom the reader sees: who share an account; superusers are seen by superusers."""

    holder = "staff"
    # The colleague is a link already.
    list_display_links = ("created_at",)

    def get_queryset(self, request):
        rows = super(BackOfficeAdmin, self).get_queryset(request)
        if request.user.is_superuser:
            return rows
        return rows.filter(self.visible(Q(**{f"{self.holder}__in": colleagues(request.user).values("pk")})))

    def visible(self, of_colleagues):
        """What else is seen."""
        return of_colleagues

    @display(description=_("Colleague"))
    def colleague(self, row):
        staff = getattr(row, self.holder)
        return (
            formatting.link(Staff, staff.pk, staff.username) if staff else formatting.quiet(_("a name that nobody has"))
        )


@admin.register(StaffSignIn)
class StaffSignInAdmin(OfColleagues):
    list_display = ("at", "colleague", "what", "method", "address")
    headers = {"at": _("Time")}
    list_display_links = ("at",)
    list_filter = (("at", DateFilter),)
    list_select_related = ("staff",)
    ordering = ("-id",)
    search_exact = ("staff__username", "address")
    search_hint = _("Name of a colleague or an address, exactly")
    shown = ("at", "colleague", "what", "method", "address")

    def visible(self, of_colleagues):
        """Tries with names that nobody has belong to nobody: they are seen by all who see sign-ins."""
        return of_colleagues | Q(staff=None)

    def get_search_results(self, request, queryset, search_term):
        term = search_term.strip()
        if not term:
            return queryset, False
        request.searched_for = _("“%(term)s” as name or address, exactly") % {"term": term}
        return queryset.filter(Q(staff__username=term) | Q(address=term)), False

    @display(description=_("What"))
    def what(self, row):
        return SIGN_INS[row.outcome]


@admin.register(SecondFactor)
class SecondFactorAdmin(OfColleagues):
    holder = "user"
    list_display = ("colleague", "created_at", "last_used_at", "secret")
    headers = {"created_at": _("Set up"), "last_used_at": _("Last used")}
    missing = {"last_used_at": formatting.NEVER}
    list_select_related = ("user",)
    sortable_by = None
    ordering = ("-id",)
    search_exact = ("pk",)
    shown = ("colleague", "created_at", "last_used_at", "secret")

    secret = hidden(_("Secret"))


@admin.register(Passkey)
class PasskeyAdmin(OfColleagues):
    holder = "user"
    list_display = ("colleague", "called", "created_at", "last_used_at", "lies", "host")
    headers = {"created_at": _("Made"), "last_used_at": _("Last used")}
    missing = {"last_used_at": formatting.NEVER}
    list_select_related = ("user",)
    sortable_by = None
    ordering = ("-id",)
    search_exact = ("pk",)
    shown = ("colleague", "called", "created_at", "last_used_at", "lies", "host", "counter")

    @display(description=_("Name"))
    def called(self, passkey):
        return formatting.text(passkey.name)

    @display(description=_("Kept"))
    def lies(self, passkey):
        return kept(passkey)


@admin.register(RecoveryCode)
class RecoveryCodeAdmin(OfColleagues):
    list_display = ("id", "colleague", "created_at", "used_at", "code")
    headers = {"created_at": _("Made"), "used_at": _("Used")}
    missing = {"used_at": formatting.NOT_YET}
    list_select_related = ("staff",)
    ordering = ("-id",)
    search_exact = ("pk",)
    shown = ("colleague", "created_at", "used_at", "code")

    code = hidden(_("Code"))
